"""Foot locking: standing feet stay where they are, nothing jumps, and bones keep their length."""

import time

import numpy as np
import pytest

from atom_hf.evaluation.physics import foot_skating
from atom_hf.motion import (
    JOINT_NAMES,
    T_POSE_OFFSETS,
    Motion,
    bone_length_deviation,
    forward_kinematics,
    inverse_kinematics,
)
from atom_hf.motion.foot_locking import contacts, lock_feet
from atom_hf.motion.kinematics import bones_of
from atom_hf.motion.rotation import axis_angle_to_matrix
from examples.make_walk import walking

LEFT, RIGHT = (JOINT_NAMES.index(f"{side}_foot") for side in ("left", "right"))
HIP, KNEE, ANKLE = (JOINT_NAMES.index(f"left_{name}") for name in ("hip", "knee", "ankle"))


def standing(frames: int, bend: float = 20.0) -> np.ndarray:
    """A person who stands still in a T-pose, joints [frames, 22, 3]; `bend` are degrees at the hips."""
    turns = np.zeros((22, 3))
    for side in ("left", "right"):
        for name, degrees in (("hip", -bend), ("knee", 2 * bend), ("ankle", -bend)):
            turns[JOINT_NAMES.index(f"{side}_{name}"), 0] = np.radians(degrees)
    pose = forward_kinematics(axis_angle_to_matrix(turns), np.zeros(3), T_POSE_OFFSETS)
    pose[:, 1] -= pose[:, 1].min()
    return np.repeat(pose[None], frames, axis=0)


def gliding(speed: float) -> np.ndarray:
    """A person who stands and glides forward over the floor, swaying a little."""
    time_ = np.arange(60) / 20
    joints = standing(60)
    joints[..., 2] += (0.03 * np.sin(2 * np.pi * 0.5 * time_) + speed * time_)[:, None]
    return joints


def slide(joints: np.ndarray, fps: float = 20.0) -> float:
    speed = foot_skating(joints, fps, floor=None).speed
    assert speed is not None
    return speed


def accelerations(joints: np.ndarray) -> np.ndarray:
    return np.linalg.norm(np.diff(joints.astype(np.float64), 2, axis=0), axis=-1) * 400


def test_swaying_feet_stand_still():
    joints = gliding(speed=0.0)
    assert slide(joints) > 4
    locked = lock_feet(Motion(joints)).joints
    assert slide(locked) < 0.05
    np.testing.assert_allclose(locked[:, 0], joints[:, 0], atol=0.003)  # the pelvis sways on


def test_heights_of_standing_feet_stay():
    joints = gliding(speed=0.0)
    locked = lock_feet(Motion(joints)).joints
    np.testing.assert_allclose(locked[:, [LEFT, RIGHT], 1], joints[:, [LEFT, RIGHT], 1], atol=0.002)


def test_whoever_glides_far_is_pinned_piece_by_piece():
    joints = gliding(speed=0.25)
    locked = lock_feet(Motion(joints)).joints
    assert np.linalg.norm(locked - joints, axis=-1).max() < 0.2  # never left behind
    still = np.linalg.norm(np.diff(locked[:, LEFT, [0, 2]], axis=0), axis=-1) * 20 < 0.01
    assert 0.3 < still.mean() < 0.95


def test_a_walk_without_sliding_hardly_changes(walk):
    locked = lock_feet(Motion(walk)).joints
    swing = ~contacts(walk.astype(np.float64), 20.0)
    assert swing.any(axis=0).all()  # steps are seen
    upper = [JOINT_NAMES.index(name) for name in ("head", "left_wrist", "right_wrist", "spine3")]
    assert np.linalg.norm(locked[:, upper] - walk[:, upper], axis=-1).max() < 0.04


def test_real_and_given_motion_slides_less_without_pops(real_clips):
    before, after = [], []
    for joints in real_clips:
        found = inverse_kinematics(joints.astype(np.float64))
        locked = lock_feet(Motion(joints))
        speeds = foot_skating(joints, 20.0, floor=None).speed, foot_skating(locked.joints, 20.0, floor=None).speed
        if None not in speeds:
            before.append(speeds[0])
            after.append(speeds[1])
        assert np.isfinite(locked.joints).all() and locked.joints.dtype == joints.dtype
        # As smooth as it was: the strongest jolt of the legs grows by little.
        legs = [j for j, name in enumerate(JOINT_NAMES) if name.endswith(("knee", "ankle", "foot"))]
        jolts = [accelerations(x)[:, legs].max() for x in (joints, locked.joints)]
        assert jolts[1] < 1.3 * jolts[0] + 8
        assert bone_length_deviation(locked.joints).max() < 1e-4
        lengths = np.linalg.norm(bones_of(locked.joints.astype(np.float64)), axis=-1).mean(axis=0)
        np.testing.assert_allclose(lengths, np.linalg.norm(found.offsets[1:], axis=-1), atol=1e-5)
        assert (joints[:, 0, 1] - locked.joints[:, 0, 1]).max() < 0.13  # never sunk
    assert np.mean(after) < 0.8 * np.mean(before)


def test_pinned_frames_stand(real_clips):
    """By the locking's own contacts: inside of a contact, toes move by less than a millimetre a frame."""
    moved = []
    for joints in real_clips:
        stands = contacts(joints.astype(np.float64), 20.0)[:, [1, 3]]
        steps = np.linalg.norm(
            np.diff(lock_feet(Motion(joints)).joints[:, [LEFT, RIGHT]][..., [0, 2]], axis=0), axis=-1
        )
        moved.append(steps[stands[1:] & stands[:-1]])
    moved = np.concatenate(moved)
    assert len(moved) > 100 and np.quantile(moved, 0.9) < 1e-3


def test_knees_bend_their_own_way(real_clips):
    for joints in real_clips:
        locked = lock_feet(Motion(joints)).joints.astype(np.float64)

        def out(x: np.ndarray) -> np.ndarray:
            axis = x[:, ANKLE] - x[:, HIP]
            axis = axis / np.linalg.norm(axis, axis=-1, keepdims=True)
            knee = x[:, KNEE] - x[:, HIP]
            return knee - (knee * axis).sum(-1, keepdims=True) * axis

        a, b = out(joints.astype(np.float64)), out(locked)
        bent = np.linalg.norm(a, axis=-1) > 0.08
        cosine = (a * b).sum(-1) / np.maximum(np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1), 1e-9)
        assert not bent.any() or cosine[bent].min() > 0.7


def test_what_cannot_be_reached_lowers_the_pelvis():
    """Legs nearly straight and a body that moves away to the side over pinned feet."""
    joints = standing(40, bend=1.0)
    joints[..., 0] += 0.10 * np.sin(np.linspace(0, 2 * np.pi, 40))[:, None]
    locked = lock_feet(Motion(joints)).joints
    lowered = joints[:, 0, 1] - locked[:, 0, 1]
    assert 0.001 < lowered.max() < 0.06
    assert np.abs(np.diff(lowered, 2)).max() < 0.004
    assert slide(locked) < 0.2 * slide(joints)


@pytest.mark.parametrize("fps", [20.0, 60.0, 120.0])
def test_any_frame_rate(fps):
    joints = walking(frames=round(3 * fps), fps=fps)
    joints = joints + 0.03 * np.sin(np.arange(len(joints)) / fps * 3)[:, None, None] * np.array([1, 0, 0])
    assert slide(lock_feet(Motion(joints, fps)).joints, fps) < slide(joints, fps)


def test_contacts_of_a_step():
    """A foot that stands, is lifted and stands again: two contacts, and none in the air."""
    joints = standing(40)
    left = [ANKLE, LEFT]
    lift = np.where((np.arange(40) > 15) & (np.arange(40) < 25), np.sin((np.arange(40) - 15) / 10 * np.pi), 0.0)
    joints[:, left, 1] += 0.15 * lift[:, None]
    joints[:, left, 2] += np.clip((np.arange(40) - 15) / 10, 0, 1)[:, None] * 0.4
    stands = contacts(joints, 20.0)
    assert stands[:12, :2].all() and stands[29:, :2].all() and not stands[17:24, :2].any()


def test_feet_in_the_air_do_not_stand():
    upside_down = standing(30) * [1, -1, 1] + [0, 2, 0]
    assert not contacts(upside_down, 20.0).any()
    assert np.abs(lock_feet(Motion(upside_down)).joints - upside_down).max() < 1e-5


def test_short_and_long_clips(walk):
    one = lock_feet(Motion(walk[:1], text="stands"))
    assert np.array_equal(one.joints, walk[:1]) and one.text == "stands"
    for frames in (2, 3, 5):
        assert len(lock_feet(Motion(walk[:frames]))) == frames
    started = time.process_time()
    long = lock_feet(Motion(walking(frames=10_000)))
    assert len(long) == 10_000 and time.process_time() - started < 15


def test_leaves_what_no_longer_fits_behind(walk):
    motion = Motion.from_features(Motion(walk).to_features(), codes=np.arange(10), text="a walk")
    locked = lock_feet(motion)
    assert locked.features is None and locked.codes is None and locked.text == "a walk"
    with pytest.raises(ValueError, match="A bone has no length"):
        lock_feet(Motion(np.zeros((4, 22, 3), np.float32)))
