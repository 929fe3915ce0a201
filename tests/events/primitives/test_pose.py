"""Channels become the pose that they describe."""

import numpy as np
import pytest

from atom_hf.events.primitives.body import Body
from atom_hf.events.primitives.pose import CHANNELS, pose_joints
from atom_hf.events.primitives.stage import Stage
from atom_hf.motion.kinematics import bones_of


@pytest.fixture
def stage() -> Stage:
    return Stage(Body.sample(np.random.default_rng(0)), np.random.default_rng(0))


def pose(stage: Stage, **changes: float) -> np.ndarray:
    """Joints `[22, 3]` of the standing body with some channels changed."""
    series = {name: np.full(1, stage.value(name) + changes.get(name, 0.0)) for name in CHANNELS}
    return pose_joints(stage.body, series, np.full(1, changes.get("air", 0.0)))[0]


def test_standing_feet_are_flat_on_the_floor(stage):
    joints = pose(stage)
    assert joints[[10, 11], 1] == pytest.approx(0, abs=1e-9)
    assert joints[[7, 8], 1] == pytest.approx(stage.body.ankle)
    assert joints[7, 0] > 0.05 and joints[8, 0] < -0.05


@pytest.mark.parametrize(
    ("change", "joint", "axis", "sign"),
    [
        ({"bend": 40}, 15, 2, 1),
        ({"lean_side": 20}, 15, 0, 1),
        ({"twist": 30}, 16, 2, -1),
        ({"nod": 30}, 15, 1, -1),
        ({"pitch": 30}, 12, 2, 1),
        ({"left_arm_swing": 60}, 20, 2, 1),
        ({"left_arm_spread": 60}, 20, 0, 1),
        ({"right_arm_spread": 60}, 21, 0, -1),
        ({"left_arm_elbow": 60}, 20, 2, 1),
        ({"left_foot_lift": 0.2}, 4, 2, 1),
        ({"left_foot_pitch": 40}, 7, 1, 1),
        ({"left_foot_pitch": -30}, 10, 1, 1),
    ],
)
def test_channels_move_joints_to_where_they_say(stage, change, joint, axis, sign):
    assert (pose(stage, **change) - pose(stage))[joint, axis] * sign > 0.02


def test_bones_keep_their_lengths(stage):
    rng = np.random.default_rng(1)
    lengths = np.linalg.norm(bones_of(pose(stage)), axis=-1)
    for _ in range(50):
        changes = {name: rng.normal(0, 40) for name in CHANNELS if "foot" not in name and name not in ("x", "y", "z")}
        assert np.linalg.norm(bones_of(pose(stage, **changes)), axis=-1) == pytest.approx(lengths)


def test_heels_rise_about_the_toes_and_toes_about_the_heel(stage):
    flat, up, down = pose(stage), pose(stage, left_foot_pitch=40), pose(stage, left_foot_pitch=-20)
    assert up[10] == pytest.approx(flat[10])
    assert down[7] == pytest.approx(flat[7])


def test_the_pelvis_gives_way_to_a_foot_that_is_far(stage):
    near, far = pose(stage), pose(stage, left_foot_z=0.5)
    assert far[0, 1] < near[0, 1] - 0.03
    assert far[10, 1] == pytest.approx(0, abs=1e-3)


def test_flights_carry_the_whole_body(stage):
    risen = (pose(stage, air=0.3) - pose(stage))[[0, 7, 8, 10, 11, 15, 20, 21]]
    assert risen == pytest.approx(np.tile([0, 0.3, 0], (8, 1)), abs=0.01)
