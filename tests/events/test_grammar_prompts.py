"""Prompts from the grammar: balanced, sensible, without duplicates, and with disjoint splits."""

from collections import Counter
from itertools import islice

import pytest

from atom_hf.events import ACTIONS, TASKS, Event, Scenario
from atom_hf.events.grammar_prompts import (
    LONGEST_CLIP,
    GrammarPromptWriter,
    combined,
    is_held_out,
    seconds,
    split_of,
    why_not_sensible,
)

PROMPTS = GrammarPromptWriter(seed=1).write(1200)


def test_same_seed_same_prompts() -> None:
    assert GrammarPromptWriter(seed=1).write(50) == PROMPTS[:50]
    assert list(islice(GrammarPromptWriter(seed=1), 50)) == PROMPTS[:50]
    assert GrammarPromptWriter(seed=2).write(50) != PROMPTS[:50]


def test_writer_goes_on_where_it_was() -> None:
    writer = GrammarPromptWriter(seed=1)
    assert writer.write(20) + writer.write(30) == PROMPTS[:50]


def test_no_duplicates() -> None:
    assert len({prompt.text.lower() for prompt in PROMPTS}) == len(PROMPTS)


def test_balanced_over_tasks_actions_and_counts() -> None:
    assert set(Counter(prompt.scenario.task for prompt in PROMPTS).values()) == {len(PROMPTS) // len(TASKS)}
    events = [event for prompt in PROMPTS for event in prompt.scenario.events]
    actions = Counter(event.action for event in events)
    assert set(actions) == set(ACTIONS)
    assert max(actions.values()) < 2 * min(actions.values())
    for name, action in ACTIONS.items():
        counts = Counter(event.count for event in events if event.action == name and event.count > 1)
        assert set(counts) == set(range(2, action.max_count + 1))
        assert not counts or max(counts.values()) < 2 * min(counts.values())


def test_every_prompt_is_sensible_for_its_task_and_reads_as_its_scenario() -> None:
    for text, scenario in PROMPTS:
        assert why_not_sensible(scenario) is None, text
        assert scenario.task != "frequency" or max(event.count for event in scenario.events) > 1
        assert scenario.task != "temporal" or len(scenario.events) > 1
        assert Scenario.parse(text, scenario.task) == scenario


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a person sits down and then sits down on a chair", "sit_down needs standing, the person is sitting"),
        ("a person stands up", "stand_up needs sitting or lying, the person is standing"),
        ("a person lies down and waves", "wave needs standing or sitting, the person is lying"),
        ("a person jumps twice and then jumps", "jump follows itself"),
        ("a person turns left and then turns", "once with and once without a direction"),
        ("a person walks forward, then takes two steps back", "walk and step side by side are one bout"),
        ("a person squats five times and bows four times", "takes about 16.2 seconds, and a clip has 9.8"),
    ],
)
def test_what_no_body_does(text: str, reason: str) -> None:
    assert reason in (why_not_sensible(Scenario.parse(text)) or "")


@pytest.mark.parametrize(
    "text", ["sits down, waves and stands up", "lies down and gets up", "turns left and then right", "walks and claps"]
)
def test_what_a_body_does(text: str) -> None:
    assert why_not_sensible(Scenario.parse(text)) is None


def test_seconds_adds_counts_and_pauses() -> None:
    scenario = Scenario((Event("clap", 4), Event("bow")))
    assert seconds(scenario) == pytest.approx(4 * ACTIONS["clap"].seconds + 0.5 + ACTIONS["bow"].seconds)
    assert all(seconds(prompt.scenario) <= LONGEST_CLIP for prompt in PROMPTS)


def test_splits_share_no_held_out_combination() -> None:
    train = [prompt.scenario for prompt in GrammarPromptWriter(seed=3, split="train").write(900)]
    test = [prompt.scenario for prompt in GrammarPromptWriter(seed=4, split="test").write(300)]
    assert {split_of(scenario) for scenario in train} == {"train"}
    assert {split_of(scenario) for scenario in test} == {"test"}
    seen = set().union(*map(combined, train))
    for scenario in test:
        assert combined(scenario) - seen, scenario
    assert {event.action for scenario in test for event in scenario.events} == set(ACTIONS)
    assert {event.action for scenario in train for event in scenario.events} == set(ACTIONS)


def test_hash_of_the_split_does_not_move() -> None:
    pairs = [(first, second) for first in ACTIONS for second in ACTIONS]
    held_out = [pair for pair in pairs if is_held_out(pair)]
    assert 0.1 < len(held_out) / len(pairs) < 0.2
    assert ("sit_down", "stand_up") not in held_out
    counts = [(name, n) for name, action in ACTIONS.items() for n in range(2, action.max_count + 1)]
    assert [count for count in counts if is_held_out(count)] == HELD_OUT_COUNTS
    for name in {name for name, _ in counts}:
        assert any(not is_held_out(count) for count in counts if count[0] == name)


HELD_OUT_COUNTS = [("step", 3), ("jump", 4), ("hop", 2), ("kick", 5), ("punch", 3), ("clap", 3), ("throw", 3)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"tasks": ()}, "Tasks are some of integrity, temporal, frequency, got none"),
        ({"tasks": ("order",)}, r"got \['order'\]"),
        ({"split": "dev"}, "one of train, test or None, got 'dev'"),
        ({"max_events": 5}, "from 1 to 4"),
        ({"max_events": 1}, "2 at least for the temporal task"),
    ],
)
def test_wrong_arguments(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        GrammarPromptWriter(**arguments)


def test_exhausted_writer_says_so() -> None:
    with pytest.raises(ValueError, match="Found no new integrity prompt in 50 tries after"):
        writer = GrammarPromptWriter(tasks=("integrity",), max_events=1)
        writer._texts = _Everything()
        writer.tries = 50
        writer.write(1)


class _Everything(set):
    def __contains__(self, item: object) -> bool:
        return True
