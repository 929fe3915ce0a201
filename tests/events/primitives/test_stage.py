"""A stage remembers what moves where, and lets later plans take over from earlier ones."""

import numpy as np
import pytest

from atom_hf.events.primitives.body import Body
from atom_hf.events.primitives.curves import evaluate
from atom_hf.events.primitives.pose import CHANNELS
from atom_hf.events.primitives.stage import Place, Stage


@pytest.fixture
def stage() -> Stage:
    return Stage(Body.sample(np.random.default_rng(0)), np.random.default_rng(0))


def series(stage: Stage, channel: str, frames: int = 60) -> np.ndarray:
    return evaluate(list(stage._keys.values()), frames, 20)[CHANNELS.index(channel)]


def test_a_move_starts_when_it_is_said_to(stage):
    stage.move(1.0, 1.5, twist=40.0)
    twist = series(stage, "twist")
    assert twist[:21] == pytest.approx(0)
    assert 5 < twist[25] < 35
    assert twist[30:] == pytest.approx(40)


def test_a_later_plan_takes_over_without_a_jump(stage):
    stage.move(0.5, 1.5, twist=40.0)
    stage.move(1.0, 1.5, twist=0.0)
    twist = series(stage, "twist")
    assert 10 < twist.max() < 30
    assert abs(np.diff(twist)).max() < 6
    assert twist[30:] == pytest.approx(0)


def test_places_are_seen_from_the_heading(stage):
    assert stage.ahead(Place(1.0, 2.0, 90.0), 0.5) == pytest.approx((1.5, 2.0))  # its left is +X of who faces +Z
    assert stage.ahead(Place(0.0, 0.0, 90.0), 0.0, 0.5) == pytest.approx((0.0, -0.5))


def test_the_pelvis_is_at_ease_above_both_feet(stage):
    assert stage.between_feet() == pytest.approx((0, 0), abs=1e-9)


def test_a_restart_puts_the_body_at_the_origin(stage):
    stage.move(0.2, 0.8, x=1.0, left_foot_x=1.1, right_foot_x=0.9, bend=30.0)
    stage.restart()
    assert series(stage, "x") == pytest.approx(0)
    assert series(stage, "left_foot_x")[0] == pytest.approx(0.1)
    assert series(stage, "bend") == pytest.approx(30)
