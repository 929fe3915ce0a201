"""Feet on the floor."""

import numpy as np

from atom_hf.motion import JOINT_NAMES
from atom_hf.render.viewer.contacts import foot_contacts

LEFT, RIGHT = (JOINT_NAMES.index(name) for name in ("left_foot", "right_foot"))


def _feet(heights: list[tuple[float, float]], ahead: list[tuple[float, float]]) -> np.ndarray:
    joints = np.zeros((len(heights), 22, 3))
    for foot, side in ((LEFT, 0), (RIGHT, 1)):
        joints[:, foot, 1] = [pair[side] for pair in heights]
        joints[:, foot, 2] = [pair[side] for pair in ahead]
    return joints


def test_a_low_foot_that_rests_stands_and_a_raised_one_does_not():
    bits = foot_contacts(_feet([(0.03, 0.30)] * 4, [(0.0, 0.0)] * 4), 20.0)
    assert bits.tolist() == [1, 1, 1, 1]


def test_a_foot_that_swings_close_above_the_floor_does_not_stand():
    bits = foot_contacts(_feet([(0.05, 0.03)] * 4, [(0.1 * i, 0.0) for i in range(4)]), 20.0)
    assert bits.tolist() == [2, 2, 2, 2]


def test_a_single_frame_is_judged_by_height_alone():
    assert foot_contacts(_feet([(0.03, 0.03)], [(0.0, 0.0)]), 20.0).tolist() == [3]
    assert foot_contacts(_feet([(0.5, 0.5)], [(0.0, 0.0)]), 20.0).tolist() == [0]


def test_real_people_always_stand_on_some_foot_as_they_walk(shared):
    with np.load(shared / "mocap" / "cmu_gait_amc.npz") as data:
        start, length = data["starts"][3], data["lengths"][3]
        joints = data["joints_mm"][start : start + length] / 1000
    bits = foot_contacts(joints - np.array([0, joints[..., 1].min() - 0.03, 0]), 20.0)
    assert (bits == 0).mean() < 0.05
    assert 0.3 < (bits & 1).mean() < 0.8 and 0.3 < (bits // 2).mean() < 0.8


def test_walking_stands_on_one_foot_after_the_other(walk):
    joints = walk - np.array([0, walk[..., 1].min() - 0.03, 0])
    bits = foot_contacts(joints, 20.0)
    assert set(bits.tolist()) == {0, 1, 2}
    steps = [bit for bit, before in zip(bits[1:].tolist(), bits[:-1].tolist(), strict=True) if bit and not before]
    assert steps == [2, 1, 1, 2, 2, 1, 1]  # a foot rolls, so it is marked twice
