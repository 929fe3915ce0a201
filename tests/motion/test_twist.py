"""No limb spins about itself: rotations go on from frame to frame as smoothly as the bones do."""

import numpy as np
import pytest

from atom_hf.motion import JOINT_NAMES, PARENTS, Motion, forward_kinematics, inverse_kinematics
from atom_hf.motion.formats.bvh import parse_bvh, write_bvh
from atom_hf.motion.rotation import axis_angle_to_matrix
from examples.make_walk import walking

CHILD = {PARENTS[joint]: joint for joint in range(1, 22) if PARENTS.count(PARENTS[joint]) == 1}


def degrees(rotations: np.ndarray) -> np.ndarray:
    trace = np.trace(rotations, axis1=-2, axis2=-1)
    return np.degrees(np.arccos(np.clip((trace - 1) / 2, -1, 1)))


def spin(joints: np.ndarray) -> np.ndarray:
    """By how much each joint turns from frame to frame beyond its bone, degrees [T - 1, 22]; both as its parent sees
    them."""
    found = inverse_kinematics(joints.astype(np.float64))
    rotations = found.rotations
    steps = degrees(np.swapaxes(rotations[:-1], -1, -2) @ rotations[1:])
    beyond = np.zeros_like(steps)
    for joint, child in CHILD.items():
        bone = (rotations[:, joint] @ found.offsets[child][:, None])[..., 0]
        bone = bone / np.linalg.norm(bone, axis=-1, keepdims=True)
        beyond[:, joint] = steps[:, joint] - np.degrees(np.arccos(np.clip((bone[1:] * bone[:-1]).sum(-1), -1, 1)))
    return beyond


def test_an_elbow_that_bends_backwards_for_a_moment():
    """Noise of markers: the forearm passes the line of the arm to the wrong side, and comes back."""
    joints = np.repeat(walking(frames=1).astype(np.float64), 60, axis=0)
    shoulder, elbow, wrist = (JOINT_NAMES.index(f"left_{name}") for name in ("shoulder", "elbow", "wrist"))
    along = joints[0, elbow] - joints[0, shoulder]
    bend = np.radians(20) * np.cos(np.linspace(0, 6 * np.pi, 60))
    side = np.cross(along, [0, 1.0, 0.2])
    turns = axis_angle_to_matrix(bend[:, None] * side / np.linalg.norm(side))
    joints[:, wrist] = joints[:, elbow] + 0.25 * (turns @ along / np.linalg.norm(along))
    assert spin(joints).max() < 30
    found = inverse_kinematics(joints)
    assert found.residual.max() < 1e-9


def test_an_arm_through_the_direction_opposite_to_rest():
    """The left arm swings through where the T-pose's right arm is; the smallest rotation turns over there."""
    joints = np.repeat(walking(frames=1).astype(np.float64), 41, axis=0)
    shoulder, elbow, wrist = (JOINT_NAMES.index(f"left_{name}") for name in ("shoulder", "elbow", "wrist"))
    t = np.linspace(-1, 1, 41)
    arm = np.stack([-np.ones(41), 0.02 * np.ones(41), t], axis=-1)
    arm /= np.linalg.norm(arm, axis=-1, keepdims=True)
    joints[:, elbow] = joints[:, shoulder] + 0.26 * arm
    joints[:, wrist] = joints[:, elbow] + 0.25 * arm
    assert spin(joints).max() < 30


def test_a_head_that_nods_through_its_rest():
    joints = np.repeat(walking(frames=1).astype(np.float64), 30, axis=0)
    neck, head = JOINT_NAMES.index("neck"), JOINT_NAMES.index("head")
    t = np.linspace(-1, 1, 30)
    joints[:, head] = joints[:, neck] + 0.1 * np.stack([np.sin(t), np.cos(t), 0 * t], axis=-1)
    assert spin(joints).max() < 5


def test_real_motion(real_clips):
    for joints in real_clips:
        assert spin(joints).max() < 35


@pytest.mark.slow
def test_all_motion_at_hand(shared):
    """One frame in a thousand may do better; ballet with markers that jump from foot to shin is let off."""
    worst = []
    for corpus in ("cmu_gait_amc", "cmu_iclone_bvh", "cmu_eval_expmap", "bandai_namco"):
        with np.load(shared / "mocap" / f"{corpus}.npz") as data:
            for name, start, length in zip(data["ids"], data["starts"], data["lengths"], strict=True):
                beyond = spin(data["joints_mm"][start : start + length] / 1000)
                if str(name).startswith("cmu_005"):
                    beyond = np.delete(beyond, [JOINT_NAMES.index(f"{side}_ankle") for side in ("left", "right")], 1)
                worst.append((beyond.max(), str(name)))
    assert max(worst)[0] < 60, max(worst)


def test_generated_motion_has_continuous_angles(tmp_path):
    torch = pytest.importorskip("torch")
    pytest.importorskip("transformers")
    from atom_hf.assets import DEFAULT_MODEL
    from atom_hf.models import MotionGPTForPreference

    model = MotionGPTForPreference.from_pretrained(DEFAULT_MODEL, dtype=torch.float32)
    for motion in model.generate_motion(["a person kicks", "a person raises both arms", "a person jumps"], seed=3):
        assert spin(motion.joints).max() < 30
        write_bvh(motion, tmp_path / "clip.bvh")
        angles = parse_bvh(tmp_path / "clip.bvh").values[:, 3:].reshape(len(motion), 22, 3)
        assert np.abs(np.diff(angles, axis=0)).max() < 120


def test_euler_angles_of_real_motion_never_wrap(real_clips, tmp_path):
    """No channel jumps by a full turn; near the poles two of them may move fast, against each other."""
    for joints in real_clips:
        write_bvh(Motion(joints), tmp_path / "clip.bvh")
        angles = parse_bvh(tmp_path / "clip.bvh").values[:, 3:]
        assert np.abs(np.diff(angles, axis=0)).max() < 179


def test_bones_are_met_whatever_the_twist(real_clips):
    for joints in real_clips:
        found = inverse_kinematics(joints.astype(np.float64))
        back = forward_kinematics(found.rotations, found.root_positions, found.offsets)
        for child in CHILD.values():
            a, b = (x[:, child] - x[:, PARENTS[child]] for x in (back, joints))
            cosine = (a * b).sum(-1) / np.linalg.norm(a, axis=-1) / np.linalg.norm(b, axis=-1)
            assert cosine.min() > 1 - 1e-6


def test_one_and_two_frames(walk):
    for frames in (1, 2):
        assert inverse_kinematics(walk[:frames].astype(np.float64)).residual.max() < 1e-5
