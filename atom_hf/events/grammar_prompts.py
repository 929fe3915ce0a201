"""Prompts from the grammar: balanced over tasks, actions and counts, physically sensible, split by what they combine.

GrammarPromptWriter(seed=0, split="train").write(2)
→ [Prompt("A man squats twice.", Scenario(...)), Prompt("Someone walks, then turns left.", Scenario(...))]
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations
from random import Random
from typing import NamedTuple, TypeVar

from .actions import ACTIONS
from .scenario import TASKS, Event, Scenario

LONGEST_CLIP = 9.8  # seconds; 196 frames at 20 fps, the longest clip of HumanML3D
SPLITS = ("train", "test")
HELD_OUT = 0.15  # share of the combinations that belong to the test split
_TRIES = 3000
T = TypeVar("T")
_BOUTS = {"walk", "run", "step"}  # side by side they would be one bout
# Without these a sitting or lying person could never get up in one of the splits.
_ALWAYS = {("sit_down", "stand_up"), ("lie_down", "stand_up")}


class Prompt(NamedTuple):
    """A text and what it asks for.

    Args:
        text (`str`): such as `"A person walks forward before jumping twice."`.
        scenario ([`Scenario`]): its events.
    """

    text: str
    scenario: Scenario


def seconds(scenario: Scenario) -> float:
    """About how long a scenario takes.

    Args:
        scenario ([`Scenario`]): what happens.

    Returns:
        `float`: seconds, from the table's times for one count and half a second between events.
    """
    pauses = 0.5 * (len(scenario.events) - 1)
    return pauses + sum(ACTIONS[event.action].seconds * event.count for event in scenario.events)


def why_not_sensible(scenario: Scenario) -> str | None:
    """Why a body would not do this in one clip.

    Args:
        scenario ([`Scenario`]): what happens.

    Returns:
        `str | None`: the reason, such as `"sit_down needs standing, the person is sitting"`, or `None`.
    """
    posture = "standing"
    previous: Event | None = None
    for event in scenario.events:
        action = ACTIONS[event.action]
        if posture not in action.postures:
            return f"{event.action} needs {' or '.join(action.postures)}, the person is {posture}"
        posture = action.leaves or posture
        if previous is not None:
            same = previous.action == event.action
            if same and (previous.side, previous.direction) == (event.side, event.direction):
                return f"{event.action} follows itself; count it instead"
            if same and (event.side is None) != (previous.side is None):
                return f"{event.action} follows itself, once with and once without a side"
            if same and (event.direction is None) != (previous.direction is None):
                return f"{event.action} follows itself, once with and once without a direction"
            if {previous.action, event.action} <= _BOUTS and previous.action != event.action:
                return f"{previous.action} and {event.action} side by side are one bout"
        previous = event
    if (time := seconds(scenario)) > LONGEST_CLIP:
        return f"it takes about {time:.1f} seconds, and a clip has {LONGEST_CLIP}"
    return None


def combined(scenario: Scenario) -> frozenset[tuple[str, str | int]]:
    """What a scenario combines, as the splits see it.

    Args:
        scenario ([`Scenario`]): what happens.

    Returns:
        `frozenset`: pairs (earlier action, later action) of all events, and (action, count) where it counts.
    """
    actions = [event.action for event in scenario.events]
    counts = {(event.action, event.count) for event in scenario.events if event.count > 1}
    return frozenset(combinations(actions, 2)) | frozenset(counts)


def is_held_out(combination: tuple[str, str | int]) -> bool:
    """Whether a combination belongs to the test split, by its hash alone.

    Args:
        combination (`tuple[str, str | int]`): a pair of actions, or an action and a count.

    Returns:
        `bool`: the same in every process and for every seed.
    """
    if combination in _ALWAYS:
        return False
    # 592 spreads the held-out combinations evenly over the actions; another number would be another benchmark.
    digest = hashlib.sha256(f"atom_hf split 592 {combination[0]} {combination[1]}".encode()).digest()
    return int.from_bytes(digest[:4], "big") < HELD_OUT * 2**32


def split_of(scenario: Scenario) -> str:
    """The split of a scenario: `"test"` if it has a held-out combination, else `"train"`.

    Args:
        scenario ([`Scenario`]): what happens.

    Returns:
        `str`: `"train"` or `"test"`.
    """
    return "test" if any(map(is_held_out, combined(scenario))) else "train"


class GrammarPromptWriter:
    """Writes prompts offline: sensible scenarios, said by the grammar.

    The writer always turns to what it has used least: tasks, then actions, then counts. No text comes twice.

    Args:
        seed (`int`, *optional*, defaults to 0): chooses everything; the same seed writes the same prompts.
        tasks (`Sequence[str]`, *optional*): tasks to write for, all by default.
        split (`str`, *optional*): `"train"` or `"test"`; the test split has pairs of actions, or actions with counts,
            that never occur in the train split. By default there is no split.
        max_events (`int`, *optional*, defaults to 4): most events in a prompt.

    Raises:
        ValueError: if a task or the split is unknown, or `max_events` is not from 1 to 4.
    """

    def __init__(
        self, seed: int = 0, tasks: Sequence[str] = TASKS, split: str | None = None, max_events: int = 4
    ) -> None:
        if not tasks or (unknown := [task for task in tasks if task not in TASKS]):
            raise ValueError(f"Tasks are some of {', '.join(TASKS)}, got {unknown if tasks else 'none'}.")
        if split is not None and split not in SPLITS:
            raise ValueError(f"The split is one of {', '.join(SPLITS)} or None, got {split!r}.")
        if not 1 <= max_events <= 4 or (max_events == 1 and "temporal" in tasks):
            raise ValueError(f"max_events is from 1 to 4, and 2 at least for the temporal task, got {max_events}.")
        self.split = split
        self.tasks = tuple(tasks)
        self.max_events = max_events
        self.tries = _TRIES
        self._random = Random(f"{seed} {split}")
        self._used: Counter[object] = Counter()
        self._texts: set[str] = set()

    def __iter__(self) -> Iterator[Prompt]:
        """Prompts without end; `ValueError` once no new text is found."""
        while True:
            yield self._next()

    def write(self, n: int) -> list[Prompt]:
        """The next prompts.

        Args:
            n (`int`): how many.

        Returns:
            `list[Prompt]`: texts with their scenarios.

        Raises:
            ValueError: if so many different texts are not found.
        """
        return [self._next() for _ in range(n)]

    def _next(self) -> Prompt:
        task = self._least(self.tasks, ("task",))
        for _ in range(self.tries):
            scenario = self._scenario(task)
            if scenario is None:
                continue
            text = scenario.to_text(self._random.randrange(2**31))
            key = text.lower().strip(".")
            if key in self._texts:
                continue
            self._texts.add(key)
            self._count(scenario)
            return Prompt(text, scenario)
        raise ValueError(
            f"Found no new {task} prompt in {self.tries} tries after {len(self._texts)} texts; ask for fewer, or for "
            "more tasks or events."
        )

    def _least(self, choices: Sequence[T], key: tuple[str, ...]) -> T:
        """A random one of the choices used least often."""
        fewest = min(self._used[*key, choice] for choice in choices)
        return self._random.choice([choice for choice in choices if self._used[*key, choice] == fewest])

    def _count(self, scenario: Scenario) -> None:
        self._used["task", scenario.task] += 1
        for event in scenario.events:
            self._used["action", scenario.task, event.action] += 1
            self._used["count", event.action, event.count] += 1

    def _scenario(self, task: str) -> Scenario | None:
        """A scenario about the action used least, or `None` where the dice gave nothing sensible of the split."""
        least = self._wanted(task)
        length = self._length(task)
        events = [self._event(least, counted=task == "frequency")]
        while len(events) < length:
            other = self._event(self._random.choice(list(ACTIONS)), counted=task == "frequency" and self._chance(0.3))
            events.insert(self._random.randrange(len(events) + 1), other)
        if least == "stand_up" and not any(ACTIONS[event.action].leaves in ("sitting", "lying") for event in events):
            down = Event(self._random.choice(("sit_down", "lie_down")))
            events.insert(events.index(Event("stand_up")), down)
        scenario = Scenario(tuple(events), task)
        if len(events) > self.max_events or why_not_sensible(scenario) is not None:
            return None
        return scenario if self.split in (None, split_of(scenario)) else None

    def _wanted(self, task: str) -> str:
        names = [name for name, action in ACTIONS.items() if task != "frequency" or action.max_count > 1]
        if self._chance(0.3):  # not every action has held-out combinations of every kind
            return self._random.choice(names)
        return self._least(names, ("action", task))

    def _length(self, task: str) -> int:
        low, weights = {"integrity": (1, (5, 3, 2)), "temporal": (2, (5, 3, 1)), "frequency": (1, (6, 3, 1))}[task]
        lengths = [length for length in range(low, low + 3) if length <= self.max_events]
        return self._random.choices(lengths, weights[: len(lengths)])[0]

    def _may_count(self, name: str, count: int) -> bool:
        return count * ACTIONS[name].seconds <= LONGEST_CLIP and not (
            self.split == "train" and is_held_out((name, count))
        )

    def _chance(self, share: float) -> bool:
        return self._random.random() < share

    def _event(self, name: str, counted: bool) -> Event:
        action = ACTIONS[name]
        count = 1
        if counted and action.max_count > 1:
            counts = [c for c in range(2, action.max_count + 1) if self._may_count(name, c)]
            if counts:
                count = self._random.choice(counts) if self._chance(0.2) else self._least(counts, ("count", name))
        side = self._random.choice((None, *action.sides))
        direction = self._random.choice((None, *action.directions, *action.directions))
        return Event(name, count, side, direction)
