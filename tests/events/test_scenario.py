"""Events and scenarios: what they accept, what they refuse, and their JSON and text forms."""

import pytest

from atom_hf.events import ClipBank, Event, Scenario, synthesize, with_fault

WALK_THEN_JUMP = Scenario((Event("walk", direction="forward"), Event("jump", count=2)), task="temporal")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"action": "jmup"}, "Unknown action 'jmup'; there are walk, .*Did you mean 'jump'?"),
        ({"action": "jump", "count": 0}, r"count of jump is from 1 to 6 \(one is a flight.*got 0"),
        ({"action": "walk", "count": 2}, "count of walk is from 1 to 1"),
        ({"action": "jump", "side": "left"}, "side of jump is none, got 'left'"),
        ({"action": "kick", "side": "both"}, "side of kick is one of left, right, got 'both'"),
        ({"action": "run", "direction": "left"}, "direction of run is one of forward, got 'left'"),
    ],
)
def test_event_that_does_not_fit_is_refused(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Event(**arguments)


@pytest.mark.parametrize("count", [True, 2.0, "2", None])
def test_count_is_an_integer(count: object) -> None:
    with pytest.raises(TypeError, match="count of an event is an integer"):
        Event("jump", count=count)


@pytest.mark.parametrize(
    ("events", "task", "error", "message"),
    [
        ((), "integrity", ValueError, "at least one event"),
        ((Event("walk"),), "order", ValueError, "one of integrity, temporal, frequency, got 'order'"),
        (("walk",), "integrity", TypeError, "made of events, got str"),
    ],
)
def test_scenario_that_does_not_fit_is_refused(events: tuple, task: str, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        Scenario(events, task)


def test_json_round_trip_leaves_out_what_is_not_said() -> None:
    text = WALK_THEN_JUMP.to_json()
    assert text == (
        '{"task": "temporal", "events": [{"action": "walk", "direction": "forward"}, {"action": "jump", "count": 2}]}'
    )
    assert Scenario.from_json(text) == WALK_THEN_JUMP


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Not the JSON of a scenario"),
        ("[1]", "Not a scenario: expected"),
        ('{"events": [1]}', "Not an event: expected"),
        ('{"events": [{"action": "walk", "speed": 2}]}', "Unknown entries 'speed'"),
        ('{"events": [{"action": "walk"}], "tasks": "x"}', "Unknown entries 'tasks'"),
        ("[" * 100_000, "Not the JSON of a scenario"),
    ],
)
def test_json_that_is_no_scenario_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Scenario.from_json(text)


def test_text_and_back() -> None:
    text = WALK_THEN_JUMP.to_text(seed=3)
    assert "walk" in text.lower() or "stroll" in text.lower()
    assert text == WALK_THEN_JUMP.to_text(seed=3)
    assert Scenario.parse(text, task="temporal") == WALK_THEN_JUMP


def test_json_of_a_wrong_kind_is_a_value_error():
    with pytest.raises(ValueError, match="Not an event: The count of an event is an integer, got 'two'"):
        Scenario.from_json('{"events": [{"action": "jump", "count": "two"}]}')


def test_a_sentence_is_no_scenario():
    for call in (synthesize, lambda text: with_fault(text, "drop"), ClipBank([], fill=True).synthesize):
        with pytest.raises(TypeError, match=r"Expected a Scenario, got str; Scenario\.parse reads a sentence"):
            call("a person walks")
