"""Forward and inverse kinematics undo each other, on synthetic and on real motion."""

import numpy as np
import pytest

from atom_hf.motion import JOINT_NAMES, PARENTS, T_POSE_OFFSETS, forward_kinematics, inverse_kinematics
from atom_hf.motion.rotation import axis_angle_to_matrix, matrix_to_quaternion


def test_forward_kinematics_of_a_known_pose():
    """The left elbow bent by a quarter turn about Y: the T-pose's hand, pointing left, comes to the front or back."""
    rotations = np.broadcast_to(np.eye(3), (1, 22, 3, 3)).copy()
    rotations[0, JOINT_NAMES.index("left_elbow")] = axis_angle_to_matrix(np.array([0, -np.pi / 2, 0]))
    root = np.array([[0.5, 1.0, -0.5]])
    joints = forward_kinematics(rotations, root, T_POSE_OFFSETS)[0]
    rest = forward_kinematics(np.broadcast_to(np.eye(3), (22, 3, 3)), root[0], T_POSE_OFFSETS)
    wrist, elbow = JOINT_NAMES.index("left_wrist"), JOINT_NAMES.index("left_elbow")
    bone = rest[wrist] - rest[elbow]
    np.testing.assert_allclose(joints[wrist] - joints[elbow], [-bone[2], bone[1], bone[0]], atol=1e-12)
    others = [j for j in range(22) if j != wrist]
    np.testing.assert_allclose(joints[others], rest[others], atol=1e-12)
    np.testing.assert_allclose(rest[0], root[0])


def test_t_pose_is_symmetric_and_stands():
    pose = forward_kinematics(np.broadcast_to(np.eye(3), (22, 3, 3)), np.zeros(3), T_POSE_OFFSETS)
    height = pose[:, 1].max() - pose[:, 1].min()
    assert 1.4 < height < 1.7  # without the top of the head
    left, right = pose[JOINT_NAMES.index("left_wrist")], pose[JOINT_NAMES.index("right_wrist")]
    assert left[0] > 0.6 and abs(left[0] + right[0]) < 0.03 and abs(left[1] - right[1]) < 0.03
    assert pose[JOINT_NAMES.index("left_foot"), 2] > 0.05  # toes point to +Z


def test_inverse_finds_a_posed_body(walk, backend):
    found = inverse_kinematics(backend(walk.astype(np.float64)))
    joints = forward_kinematics(found.rotations, found.root_positions, found.offsets)
    np.testing.assert_allclose(np.asarray(joints), walk, atol=1e-6)
    assert np.asarray(found.residual).max() < 1e-6 and tuple(found.residual.shape) == (40, 22)
    rotations = np.asarray(found.rotations)
    np.testing.assert_allclose(
        rotations @ np.swapaxes(rotations, -1, -2), np.broadcast_to(np.eye(3), rotations.shape), atol=1e-9
    )
    np.testing.assert_allclose(np.linalg.det(rotations), 1, atol=1e-9)


def test_batch_equals_clips(walk):
    batch = inverse_kinematics(np.stack([walk, walk[::-1] * 1.1]))
    single = inverse_kinematics(np.ascontiguousarray(walk[::-1]) * np.float32(1.1))
    np.testing.assert_allclose(batch.rotations[1], single.rotations, atol=1e-4)
    np.testing.assert_allclose(batch.offsets[1], single.offsets, atol=1e-5)


def test_bone_length_jitter_is_the_residual(walk):
    noisy = walk + np.random.default_rng(0).normal(0, 0.005, walk.shape).astype(np.float32)
    found = inverse_kinematics(noisy)
    joints = forward_kinematics(found.rotations, found.root_positions, found.offsets)
    np.testing.assert_allclose(np.linalg.norm(joints - noisy, axis=-1), found.residual, atol=1e-5)
    assert 0.001 < found.residual.mean() < 0.02


def test_real_motion(real_clips):
    """Mapped skeletons keep hips and collars only roughly rigid; elbows and knees turn without jumps."""
    for joints in real_clips:
        found = inverse_kinematics(joints.astype(np.float64))
        assert found.residual.max() < 0.03
        q = matrix_to_quaternion(found.rotations)
        steps = 2 * np.degrees(np.arccos(np.clip(np.abs((q[1:] * q[:-1]).sum(-1)), 0, 1)))
        assert np.quantile(steps, 0.99) < 30 and np.quantile(steps, 0.999) < 65


def test_stored_clips_have_no_residual(shared):
    for path in (shared / "humanml3d_samples" / "new_joints").glob("*.npy"):
        assert inverse_kinematics(np.load(path)).residual.max() < 0.002


@pytest.mark.parametrize(
    ("joints", "text"),
    [
        (np.zeros((22, 3)), r"\[..., T, 22, 3\], got shape \(22, 3\)"),
        (np.zeros((4, 24, 3)), r"got shape \(4, 24, 3\)"),
        (np.zeros((4, 22, 3)), "A bone has no length"),
    ],
)
def test_bad_input(joints, text):
    with pytest.raises(ValueError, match=text):
        inverse_kinematics(joints)
    with pytest.raises(ValueError, match=r"rotations \[..., 22, 3, 3\] and offsets"):
        forward_kinematics(np.zeros((21, 3, 3)), np.zeros(3), T_POSE_OFFSETS, PARENTS)
