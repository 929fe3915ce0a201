import numpy as np
import pytest

from atom_hf.motion.rotation import euler_to_matrix
from atom_hf.render.body import BONES, LONG_BONES, TORSO, head_tilt, place_body


def test_points_are_mixtures(pose):
    for point in [p for bone in BONES for p in (bone.start, bone.end)] + [ball.centre for ball in TORSO]:
        assert sum(point.values()) == pytest.approx(1)
    joints = pose()[None]
    moved = joints + np.float32([1, 2, 3])
    for before, after in zip(place_body(joints, 0.5)[:4], place_body(moved, 0.5)[:4], strict=True):
        np.testing.assert_allclose(after, before + np.float32([1, 2, 3]), atol=1e-5)


def test_bones_that_follow_start_where_another_ends():
    for bone in BONES:
        if bone.follows >= 0:
            assert bone.follows < LONG_BONES and BONES[bone.follows].end == bone.start


def test_feet_point_ahead_and_stay_above_the_floor(pose):
    body = place_body(pose()[None], 0.5)
    for i, bone in enumerate(BONES):
        if any("foot" in joint for joint in bone.end):
            heel, toes = body.starts[0, i], body.ends[0, i]
            assert toes[2] - heel[2] > 0.2 and abs(toes[1] - heel[1]) < 0.04
            assert min(heel[1], toes[1]) > -0.03


def test_face_looks_where_the_person_faces(pose):
    joints = pose()[None]
    tilt = head_tilt(joints)
    np.testing.assert_allclose(place_body(joints, tilt).head_axes[0], np.eye(3), atol=0.2)
    turned = (joints @ euler_to_matrix(np.deg2rad([0.0, 90, 0]), "XYZ").T).astype(np.float32)
    left, crown, face = place_body(turned, tilt).head_axes[0]
    assert face @ [1, 0, 0] > 0.97 and crown @ [0, 1, 0] > 0.97 and left @ [0, 0, -1] > 0.97


def test_tilt_is_that_of_the_skeleton(pose):
    joints = pose()[None]
    assert np.rad2deg(head_tilt(joints)) == pytest.approx(37.5, abs=2)
    straight = joints.copy()  # a skeleton whose head is on top of the neck
    straight[:, 15] = straight[:, 12] + (straight[:, 12] - straight[:, 9]) * 0.5
    assert head_tilt(straight) == pytest.approx(0, abs=0.01)
    nodding = np.concatenate([joints, pose({"neck": (60, 0, 0)})[None], joints])
    assert head_tilt(nodding) == pytest.approx(head_tilt(joints))


def test_body_without_extent():
    body = place_body(np.zeros((2, 22, 3), np.float32), head_tilt(np.zeros((2, 22, 3), np.float32)))
    assert all(np.isfinite(part).all() for part in body)
