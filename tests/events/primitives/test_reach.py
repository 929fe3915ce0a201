"""Angles of `reach` bring the wrist to where it was asked to be."""

import numpy as np
import pytest

from atom_hf.events.primitives.body import Body
from atom_hf.events.primitives.pose import CHANNELS, pose_joints
from atom_hf.events.primitives.reach import reach


@pytest.fixture(scope="module")
def body() -> Body:
    return Body.sample(np.random.default_rng(0))


def wrist(body: Body, side: str, angles: dict[str, float]) -> np.ndarray:
    """From shoulder to wrist of an upright body, metres: outwards, up, ahead."""
    series = {name: np.zeros(1) for name in CHANNELS} | {"y": np.full(1, body.stand)}
    series |= {f"{side}_arm_{name}": np.full(1, value) for name, value in angles.items()}
    joints = pose_joints(body, series, np.zeros(1))[0]
    shoulder, hand = (16, 20) if side == "left" else (17, 21)
    return (joints[hand] - joints[shoulder]) * (1 if side == "left" else -1, 1, 1)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("target", [(0.0, 0.0, 0.3), (-0.15, -0.2, 0.3), (0.2, 0.1, 0.25), (0.0, -0.35, 0.1)])
def test_the_wrist_gets_there(body, side, target):
    assert wrist(body, side, reach(body, *target)) == pytest.approx(target, abs=1e-6)


def test_out_of_reach_is_approached(body):
    found = wrist(body, "left", reach(body, 0.0, 0.0, 5.0))
    assert found[2] == pytest.approx(0.985 * (body.upper_arm + body.forearm))
    assert abs(found[0]) < 1e-6


def test_the_elbow_hangs_and_the_swivel_raises_it(body):
    hanging, raised = reach(body, 0.0, 0.0, 0.3, 0.0), reach(body, 0.0, 0.0, 0.3, 90.0)
    assert hanging["spread"] == pytest.approx(0, abs=1e-6)
    assert raised["spread"] > 30
