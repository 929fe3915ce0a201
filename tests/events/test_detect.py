"""Every action is found in synthesised motion, whatever the facing, place, size, tempo; real clips where at hand."""

import json

import numpy as np
import pytest

from atom_hf.events import ACTIONS, Event, Scenario, detect_events, synthesize
from atom_hf.events.detected import DetectedEvent
from atom_hf.events.signals import body_height, measure
from atom_hf.motion import mirror_joints, resample_joints
from benchmarks.detection import LABELS, as_generated, disturb, real

CASES = [
    Event("walk", direction="forward"),
    Event("walk", direction="backward"),
    Event("walk", direction="left"),
    Event("run", direction="forward"),
    Event("step", 2, direction="forward"),
    Event("jump", 3, direction="up"),
    Event("jump", 2, direction="forward"),
    Event("jump", 1, direction="left"),
    Event("hop", 3, side="left", direction="forward"),
    Event("turn", 2, direction="left"),
    Event("turn", 1, direction="right"),
    Event("turn", 1, direction="around"),
    Event("kick", 2, side="left", direction="forward"),
    Event("kick", 1, side="right", direction="right"),
    Event("punch", 3, side="left"),
    Event("punch", 2, side="both"),
    Event("wave", side="right"),
    Event("wave", side="both"),
    Event("raise_arm", 2, side="left"),
    Event("raise_arm", 1, side="both"),
    Event("clap", 4),
    Event("squat", 3),
    Event("bow", 2),
    Event("sit_down"),
    Event("stand_up"),
    Event("lie_down"),
    Event("throw", 2, side="right"),
]
OPPOSITE = {"left": "right", "right": "left"}


def asked(event: Event, found: list[DetectedEvent]) -> bool:
    """Whether exactly the asked number was found, on the asked side and in the asked direction."""
    same = [e for e in found if e.action == event.action]
    return len(same) == event.count and all(
        (event.side in (None, e.side) or (e.side is None and e.action == "step"))
        and event.direction in (None, e.direction)
        for e in same
    )


@pytest.fixture(scope="module")
def clips() -> list[tuple[Event, np.ndarray]]:
    return [(event, synthesize(Scenario((event,)), seed=3).joints) for event in CASES]


def test_every_action_is_tested() -> None:
    assert {event.action for event in CASES} == set(ACTIONS)


@pytest.mark.parametrize("case", range(len(CASES)), ids=lambda i: f"{CASES[i].action}-{i}")
def test_every_action_is_found(case: int, clips: list[tuple[Event, np.ndarray]]) -> None:
    event, joints = clips[case]
    found = detect_events(joints)
    assert asked(event, found), found
    # Nothing else, but what has to come before or after: to stand up, somebody sits.
    assert {e.action for e in found} <= {event.action, "sit_down", "stand_up"}, found


def test_events_are_in_order_and_inside_the_clip(clips: list[tuple[Event, np.ndarray]]) -> None:
    for _, joints in clips:
        found = detect_events(joints)
        assert [e.start for e in found] == sorted(e.start for e in found)
        for e in found:
            assert 0 <= e.start < e.end <= len(joints)
            assert 0.5 <= e.confidence <= 1
            assert e.side in (None, *ACTIONS[e.action].sides)
            assert e.direction in (None, *ACTIONS[e.action].directions)


def test_facing_place_floor_and_size_do_not_matter(clips: list[tuple[Event, np.ndarray]]) -> None:
    c, s = np.cos(2.2), np.sin(2.2)
    turn = np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]])
    for event, joints in clips:
        before = [(e.action, e.side, e.direction) for e in detect_events(joints)]
        moved = (1.25 * joints @ turn + [3, -0.7, -5]).astype(np.float32)
        assert [(e.action, e.side, e.direction) for e in detect_events(moved)] == before, event


def test_a_mirrored_body_swaps_sides(clips: list[tuple[Event, np.ndarray]]) -> None:
    for event, joints in clips:
        before = [(e.action, e.side, e.direction) for e in detect_events(joints)]
        after = [
            (e.action, OPPOSITE.get(e.side, e.side), OPPOSITE.get(e.direction, e.direction))
            for e in detect_events(mirror_joints(joints))
        ]
        assert sorted(map(str, after)) == sorted(map(str, before)), event


def test_another_frame_rate_gives_frames_of_its_own(clips: list[tuple[Event, np.ndarray]]) -> None:
    event, joints = clips[5]
    slow, fast = detect_events(joints), detect_events(resample_joints(joints, 20.0, 60.0), fps=60)
    assert asked(event, fast)
    for a, b in zip(slow, fast, strict=True):
        assert abs(3 * a.start - b.start) <= 6
        assert abs(3 * a.end - b.end) <= 6


def test_jitter_proportions_and_tempo_are_borne(clips: list[tuple[Event, np.ndarray]]) -> None:
    rng = np.random.default_rng(0)
    right = [asked(event, detect_events(disturb(joints, [], rng)[0])) for event, joints in clips for _ in range(2)]
    assert np.mean(right) >= 0.93


def test_what_generators_do_to_motion_is_borne(clips: list[tuple[Event, np.ndarray]]) -> None:
    rng = np.random.default_rng(0)
    right = [asked(event, detect_events(as_generated(joints, rng))) for event, joints in clips for _ in range(2)]
    assert np.mean(right) >= 0.9


def test_standing_shows_nothing(walk: np.ndarray) -> None:
    still = np.repeat(walk[:1], 60, axis=0) + np.random.default_rng(0).normal(0, 0.005, (60, 22, 3))
    assert detect_events(still.astype(np.float32)) == []


def test_a_walk_knows_its_steps(walk: np.ndarray) -> None:
    (event,) = detect_events(walk)
    assert (event.action, event.direction) == ("walk", "forward")
    assert 3 <= event.steps <= 5  # 0.9 strides a second for two seconds


def test_walking_steps_are_counted_as_bout_from_four_on() -> None:
    found = detect_events(synthesize(Scenario((Event("step", 5, direction="forward"),)), seed=1).joints)
    assert [(e.action, e.steps) for e in found] == [("walk", 5)]


def test_errors_say_what_is_wrong(walk: np.ndarray) -> None:
    with pytest.raises(ValueError, match="at least 2 frames, got 1"):
        detect_events(walk[:1])
    broken = walk.copy()
    broken[3, 7, 1] = np.nan
    with pytest.raises(ValueError, match=r"frame 3, joint 7 \(left_ankle\) is NaN"):
        detect_events(broken)
    with pytest.raises(ValueError, match="metres; divide centimetres by 100"):
        detect_events(walk * 100)
    with pytest.raises(ValueError, match="within 1000 m of the origin"):
        detect_events(walk * 1e6)
    with pytest.raises(ValueError, match="one clip"):
        detect_events(walk[None])
    with pytest.raises(ValueError, match=r"at least 0.05 seconds of motion, got less at 60 fps"):
        detect_events(walk[:2], fps=60)
    with pytest.raises(ValueError, match="above zero"):
        detect_events(walk, fps=0)


def test_short_clips_are_taken(walk: np.ndarray) -> None:
    for frames in (2, 3, 5, 9):
        assert all(e.end <= frames for e in detect_events(walk[:frames]))


def test_body_height_is_that_of_the_body(walk: np.ndarray) -> None:
    assert 1.5 < body_height(walk) < 1.8
    signals = measure(walk)
    assert np.abs(signals.clearance.min(axis=1)).max() < 0.03  # walking keeps a foot on the floor
    assert np.abs(signals.rise - 1).max() < 0.1


def test_real_clips(shared) -> None:
    if not (shared / "mocap").is_dir():
        pytest.skip("no real motion")
    entries = json.loads(LABELS.read_text())["entries"]
    tally, _ = real(shared, True, entries)
    assert tally.macro() >= 0.90, tally.table("held-out half")
