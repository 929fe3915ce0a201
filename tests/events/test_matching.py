"""Pairs of detected and true events, and walks and steps read as each other."""

from atom_hf.events import DetectedEvent, Event, Scenario
from atom_hf.events.matching import match_in_time, read_gait


def test_pairs_in_time() -> None:
    truth = [DetectedEvent("jump", 0, 10), DetectedEvent("jump", 10, 20), DetectedEvent("wave", 0, 20)]
    found = [DetectedEvent("jump", 12, 16), DetectedEvent("jump", 2, 8), DetectedEvent("jump", 60, 70)]
    assert sorted(match_in_time(found, truth)) == [(0, 1), (1, 0)]


def test_each_event_is_paired_once() -> None:
    truth = [DetectedEvent("clap", 0, 10), DetectedEvent("clap", 10, 20)]
    assert len(match_in_time([DetectedEvent("clap", 8, 12)], truth)) == 1
    assert match_in_time([DetectedEvent("jump", 0, 10)], truth) == []


def test_a_bout_becomes_steps_where_steps_are_asked_for() -> None:
    walk = DetectedEvent("walk", 0, 40, direction="left", steps=4)
    steps = read_gait([walk], Scenario((Event("step", 4),)))
    assert [(e.start, e.end, e.direction) for e in steps] == [(10 * i, 10 * i + 10, "left") for i in range(4)]
    assert read_gait([walk], Scenario((Event("walk"),))) == [walk]


def test_the_bout_that_fits_best_becomes_steps() -> None:
    long, short = DetectedEvent("walk", 0, 80, steps=8), DetectedEvent("walk", 100, 140, steps=4)
    read = read_gait([long, short], Scenario((Event("walk"), Event("step", 4))))
    assert [e.action for e in read] == ["walk", "step", "step", "step", "step"]


def test_steps_in_a_row_become_a_walk() -> None:
    steps = [DetectedEvent("step", a, a + 9, direction="forward") for a in (0, 10, 20)]
    (walk,) = read_gait(steps, Scenario((Event("walk"),)))
    assert (walk.action, walk.start, walk.end, walk.steps) == ("walk", 0, 29, 3)
