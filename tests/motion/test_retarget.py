"""Each step into HumanML3D's frame, alone."""

import numpy as np
import pytest

from atom_hf.motion import UNIFORM_OFFSETS, face_forward, to_floor, to_origin, to_uniform_skeleton
from atom_hf.motion.kinematics import bones_of, joints_of
from atom_hf.motion.rotation import euler_to_matrix


def test_uniform_skeleton_has_the_uniform_bones(walk, backend):
    bones = np.asarray(bones_of(to_uniform_skeleton(backend(walk * 1.3))))
    lengths = np.linalg.norm(UNIFORM_OFFSETS, axis=-1)[1:]
    np.testing.assert_allclose(np.linalg.norm(bones, axis=-1), np.broadcast_to(lengths, (40, 21)), atol=1e-6)
    before = bones_of(walk * 1.3)
    cosine = (bones * before).sum(-1) / np.linalg.norm(before, axis=-1) / lengths
    np.testing.assert_allclose(cosine, 1, atol=5e-6)  # directions stay


def test_root_path_scales_with_the_legs(walk):
    """A body twice the size walks the same path after retargeting; a batch is retargeted clip by clip."""
    np.testing.assert_allclose(to_uniform_skeleton(walk * 2), to_uniform_skeleton(walk), atol=1e-5)
    batch = to_uniform_skeleton(np.stack([walk, walk * 2]))
    np.testing.assert_allclose(batch[1], batch[0], atol=1e-5)


def test_real_bodies(real_clips):
    for joints in real_clips:
        uniform = to_uniform_skeleton(joints)
        np.testing.assert_allclose(to_uniform_skeleton(uniform), uniform, atol=1e-4)


def test_floor_origin_and_facing(walk, backend):
    turned = walk @ np.asarray(euler_to_matrix(np.array([2.1]), "Y"), dtype=np.float32).T + np.float32([3, 0.4, -2])
    joints = np.asarray(face_forward(to_origin(to_floor(backend(turned)))))
    assert joints[..., 1].min() == pytest.approx(0, abs=1e-6)
    np.testing.assert_allclose(joints[0, 0, [0, 2]], 0, atol=1e-5)
    across = joints[0, 2] - joints[0, 1] + joints[0, 17] - joints[0, 16]
    assert across[0] < 0 and abs(across[2]) < 1e-5  # the right side points to -X: the person faces +Z
    np.testing.assert_allclose(joints, face_forward(to_origin(to_floor(walk))), atol=1e-5)


def test_exactly_backwards(walk):
    joints = face_forward(to_origin(walk))
    backwards = joints * np.float32([-1, 1, -1])
    np.testing.assert_allclose(face_forward(backwards), joints, atol=1e-5)


def test_bones_and_joints_undo_each_other(walk, backend):
    joints = backend(walk)
    np.testing.assert_allclose(np.asarray(joints_of(joints[:, 0], bones_of(joints))), walk, atol=1e-6)


def test_bad_input(walk):
    for step in (to_uniform_skeleton, to_floor, to_origin, face_forward):
        with pytest.raises(ValueError, match=r"\[..., T, 22, 3\], got \[40, 21, 3\]"):
            step(walk[:, 1:])
    broken = walk.copy()
    broken[4, 20] = broken[4, 18]
    with pytest.raises(ValueError, match="bone from left_elbow to left_wrist has no length in frame 4"):
        to_uniform_skeleton(broken)
