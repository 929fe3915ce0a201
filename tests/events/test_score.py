"""Scores of hand-made detections; every expected number is worked out beside it."""

import pytest

from atom_hf.events import DetectedEvent, Event, Scenario
from atom_hf.events.score import score_events


def jumps(*starts: int) -> list[DetectedEvent]:
    return [DetectedEvent("jump", start, start + 10, direction="up") for start in starts]


WALK = DetectedEvent("walk", 0, 60, direction="forward", steps=6)
TURN = DetectedEvent("turn", 70, 90, direction="left")
WAVE = DetectedEvent("wave", 100, 130, side="left")


def test_what_was_asked_for_scores_one() -> None:
    scenario = Scenario((Event("walk", direction="forward"), Event("jump", 2), Event("wave", side="left")))
    scores = score_events([WALK, *jumps(70, 85), WAVE], scenario)
    assert (scores.integrity, scores.temporal, scores.frequency) == (1, 1, 1)
    assert scores.explanation == "walk there; 2 of 2 jumps; wave there; order right"


def test_an_empty_motion_scores_zero() -> None:
    scores = score_events([], Scenario((Event("jump", 3), Event("wave"))))
    assert (scores.integrity, scores.temporal, scores.frequency) == (0, 0, 0)
    assert scores.explanation == "jump missing; wave missing"
    assert score_events([], Scenario((Event("walk"),))).frequency == 0


def test_missing_events_and_wrong_counts() -> None:
    scores = score_events(jumps(10, 30), Scenario((Event("jump", 3), Event("wave"))))
    assert scores.integrity == 0.5  # 1 of 2 events
    assert scores.temporal == 0  # the only pair lacks one
    assert scores.frequency == pytest.approx(2 / 3)  # 1 - |2 - 3| / 3; a wave is not counted
    assert scores.explanation == "2 of 3 jumps; wave missing"


def test_too_many_are_an_error_of_counts_only() -> None:
    scores = score_events(jumps(0, 20, 40), Scenario((Event("jump", 2),)))
    assert (scores.integrity, scores.temporal) == (1, 1)
    assert scores.frequency == 0.5  # 1 - |3 - 2| / 2
    assert scores.explanation == "3 jumps instead of 2"
    assert score_events(jumps(0, 20, 40, 60, 80), Scenario((Event("jump", 2),))).frequency == 0  # not below zero


def test_surplus_bouts_are_no_error() -> None:
    scores = score_events([WALK, DetectedEvent("walk", 100, 150, steps=5)], Scenario((Event("walk"),)))
    assert (scores.integrity, scores.temporal, scores.frequency) == (1, 1, 1)


@pytest.mark.parametrize(
    ("event", "found", "presence", "said"),
    [
        (
            Event("kick", side="left"),
            DetectedEvent("kick", 0, 20, "right", "forward"),
            0.5,
            "side right instead of left",
        ),
        (
            Event("turn", direction="around"),
            DetectedEvent("turn", 0, 20, direction="left"),
            0.5,
            "direction left instead of around",
        ),
        (
            Event("kick", side="left", direction="left"),
            DetectedEvent("kick", 0, 20, "right", "forward"),
            0.25,
            "side right instead of left",
        ),
    ],
)
def test_wrong_sides_and_directions_count_half(event: Event, found: DetectedEvent, presence: float, said: str) -> None:
    scores = score_events([found], Scenario((event,)))
    assert scores.integrity == scores.temporal == presence
    assert scores.frequency == 1
    assert said in scores.explanation


def test_presence_is_the_mean_of_as_many_as_were_asked_for() -> None:
    kicks = [DetectedEvent("kick", 20 * i, 20 * i + 15, side, "forward") for i, side in enumerate(("left", "right"))]
    assert score_events(kicks, Scenario((Event("kick", 2, side="left"),))).integrity == 0.75  # (1 + 0.5) / 2


def test_order_is_the_share_of_ordered_pairs() -> None:
    scenario = Scenario((Event("wave"), Event("walk"), Event("turn")), task="temporal")
    scores = score_events([WALK, TURN, WAVE], scenario)
    assert scores.integrity == 1
    assert scores.temporal == pytest.approx(1 / 3)  # walk before turn; wave before neither
    assert scores.explanation.endswith("wave does not come before walk")
    reverse = score_events([WALK, TURN, WAVE], Scenario((Event("wave"), Event("turn"), Event("walk"))))
    assert reverse.temporal == 0


def test_events_at_the_same_time_are_half_in_order() -> None:
    wave = DetectedEvent("wave", 1, 60, side="left")
    assert score_events([WALK, wave], Scenario((Event("wave"), Event("walk")))).temporal == 0.5


def test_a_missing_event_takes_its_pairs_along() -> None:
    scores = score_events([WALK, TURN], Scenario((Event("walk"), Event("turn"), Event("wave"))))
    assert scores.temporal == pytest.approx(1 / 3)  # 1 of 3 pairs is there, in order


def test_repeated_actions_are_matched_in_order() -> None:
    scenario = Scenario((Event("walk"), Event("turn"), Event("walk")))
    later = DetectedEvent("walk", 100, 160, direction="forward", steps=6)
    assert score_events([WALK, TURN, later], scenario).temporal == 1
    half = score_events([WALK, TURN], scenario)
    assert half.integrity == pytest.approx(2 / 3)


def test_a_walk_around_a_turn_is_two_walks() -> None:
    walk = DetectedEvent("walk", 0, 150, direction="forward", steps=15)
    scores = score_events([walk, TURN], Scenario((Event("walk"), Event("turn"), Event("walk"))))
    assert (scores.integrity, scores.temporal) == (1, 1)


def test_counts_of_repeated_actions_are_shared_out() -> None:
    scenario = Scenario((Event("jump", 2), Event("wave"), Event("jump", 1)))
    right = score_events([*jumps(0, 20), DetectedEvent("wave", 40, 60, "left"), *jumps(80)], scenario)
    assert (right.integrity, right.temporal, right.frequency) == (1, 1, 1)
    swapped = score_events([*jumps(0), DetectedEvent("wave", 20, 60, "left"), *jumps(80, 100)], scenario)
    assert swapped.frequency < 1 or swapped.temporal < 1


def test_sides_decide_which_event_a_detection_belongs_to() -> None:
    scenario = Scenario((Event("raise_arm", side="left"), Event("raise_arm", side="right")))
    arms = [DetectedEvent("raise_arm", 0, 20, "right"), DetectedEvent("raise_arm", 30, 50, "left")]
    scores = score_events(arms, scenario)
    assert scores.integrity == 1  # both are there
    assert scores.temporal == 0  # the wrong way round
    assert scores.frequency == 1


def test_steps_and_walks_are_read_as_each_other() -> None:
    scores = score_events([WALK], Scenario((Event("step", 6),)))
    assert (scores.integrity, scores.frequency) == (1, 1)
    assert score_events([WALK], Scenario((Event("step", 3),))).frequency == 0  # 1 - |6 - 3| / 3
    steps = [DetectedEvent("step", 10 * i, 10 * i + 9, side, "forward") for i, side in enumerate(("left", "right"))]
    assert score_events(steps, Scenario((Event("walk"),))).integrity == 1
    assert score_events(steps[:1], Scenario((Event("walk"),))).integrity == 0
    both = score_events([WALK, *(DetectedEvent("step", 90 + 10 * i, 99 + 10 * i) for i in range(2))],
                        Scenario((Event("walk"), Event("step", 2))))  # fmt: skip
    assert (both.integrity, both.temporal, both.frequency) == (1, 1, 1)


def test_scores_do_not_depend_on_the_order_of_the_list() -> None:
    scenario = Scenario((Event("walk"), Event("jump", 2), Event("wave", side="left")))
    events = [WALK, *jumps(70, 85), WAVE]
    assert score_events(events[::-1], scenario) == score_events(events, scenario)


def test_a_scenario_is_needed() -> None:
    with pytest.raises(TypeError, match=r"Expected a Scenario, got str; Scenario\.parse reads a sentence"):
        score_events([], '{"events": []}')  # type: ignore[arg-type]


def test_the_side_of_steps_is_that_of_the_first() -> None:
    steps = [DetectedEvent("step", 10 * i, 10 * i + 9, side, "forward") for i, side in enumerate(("left", "right"))]
    assert score_events(steps, Scenario((Event("step", 2, side="left"),))).integrity == 1
    assert score_events(steps, Scenario((Event("step", 2, side="right"),))).integrity == 0.5
