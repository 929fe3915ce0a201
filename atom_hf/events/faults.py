"""Faults on demand: a scenario changed in one way, to make a candidate that is known to be worse, and how.

fault = with_fault(Scenario((Event("jump", count=3),)), "count", seed=1)
fault.scenario        # Scenario((Event("jump", count=2),))
fault.description     # "jump 2 times instead of 3"
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from .actions import ACTIONS
from .scenario import Event, Scenario, check_scenario


class Fault(NamedTuple):
    """A scenario with one fault.

    Args:
        scenario ([`Scenario`]): what is shown instead of the scenario that was asked for.
        kind (`str`): one of `FAULTS`.
        event (`int`): index into the original scenario's events of the (first) event that is concerned.
        description (`str`): what is wrong, in words.
    """

    scenario: Scenario
    kind: str
    event: int
    description: str


# Every possible change of a kind: the events after it, the index concerned, and words for it.
Change = tuple[tuple[Event, ...], int, str]


def _drop(events: tuple[Event, ...]) -> Iterator[Change]:
    for i, event in enumerate(events):
        if len(events) > 1:
            yield events[:i] + events[i + 1 :], i, f"{event.action} is left out"


def _replace(events: tuple[Event, ...]) -> Iterator[Change]:
    actions = {event.action for event in events}
    for i, event in enumerate(events):
        for action in ACTIONS:
            if action not in actions:
                count = min(event.count, ACTIONS[action].max_count)
                yield _with(events, i, Event(action, count)), i, f"{action} instead of {event.action}"


def _swap(events: tuple[Event, ...]) -> Iterator[Change]:
    for i, (first, second) in enumerate(pairwise(events)):
        if first != second:
            yield (
                (*events[:i], second, first, *events[i + 2 :]),
                i,
                f"{_name(second)} before {_name(first)} instead of after",
            )


def _count(events: tuple[Event, ...]) -> Iterator[Change]:
    for i, event in enumerate(events):
        for count in range(max(1, event.count - 2), min(ACTIONS[event.action].max_count, event.count + 2) + 1):
            if count != event.count:
                times = "time" if count == 1 else "times"
                words = f"{event.action} {count} {times} instead of {event.count}"
                yield _with(events, i, replace(event, count=count)), i, words


def _side(events: tuple[Event, ...]) -> Iterator[Change]:
    for i, event in enumerate(events):
        if event.side is not None:
            for side in ACTIONS[event.action].sides:
                # "both" shows the side that was asked for as well, which is hardly a fault.
                if side != event.side and (event.side == "both" or side != "both"):
                    words = f"{event.action} with {side} instead of {event.side}"
                    yield _with(events, i, replace(event, side=side)), i, words


def _direction(events: tuple[Event, ...]) -> Iterator[Change]:
    for i, event in enumerate(events):
        if event.direction is not None:
            for direction in ACTIONS[event.action].directions:
                if direction != event.direction:
                    words = f"{event.action} {direction} instead of {event.direction}"
                    yield _with(events, i, replace(event, direction=direction)), i, words


def _with(events: tuple[Event, ...], index: int, event: Event) -> tuple[Event, ...]:
    return (*events[:index], event, *events[index + 1 :])


def _name(event: Event) -> str:
    return " ".join(word for word in (event.action, event.side, event.direction) if word)


_CHANGES: dict[str, tuple[Callable[[tuple[Event, ...]], Iterator[Change]], str]] = {
    "drop": (_drop, "at least two events"),
    "replace": (_replace, "an action of the table that it does not have"),
    "swap": (_swap, "two events that differ, one after the other"),
    "count": (_count, "an action that can be counted"),
    "side": (_side, "an event with a side"),
    "direction": (_direction, "an event with a direction out of several"),
}
FAULTS = tuple(_CHANGES)


def fault_kinds(scenario: Scenario) -> tuple[str, ...]:
    """Kinds of faults that a scenario can have.

    Args:
        scenario ([`Scenario`]): what is asked for.

    Returns:
        `tuple[str, ...]`: those of `FAULTS` for which `with_fault` finds a change.
    """
    return tuple(kind for kind, (changes, _) in _CHANGES.items() if next(changes(scenario.events), None))


def with_fault(scenario: Scenario, kind: str, seed: int = 0) -> Fault:
    """Change a scenario in one way, so that a motion of the result is worse for the original.

    Args:
        scenario ([`Scenario`]): what is asked for.
        kind (`str`): `"drop"` (an event is left out), `"replace"` (another action takes its place), `"swap"` (two
            neighbours change places), `"count"`, `"side"` or `"direction"`.
        seed (`int`, *optional*, defaults to 0): picks among the possible changes.

    Returns:
        [`Fault`]: the changed scenario, of the same task, and what was changed.

    Raises:
        TypeError: if the scenario is none.
        ValueError: if the kind is unknown or does not apply to this scenario.
    """
    check_scenario(scenario)
    if kind not in _CHANGES:
        raise ValueError(f"Unknown kind of fault {kind!r}; expected one of {', '.join(FAULTS)}.")
    changes, needs = _CHANGES[kind]
    options = list(changes(scenario.events))
    if not options:
        raise ValueError(
            f"A fault of kind {kind!r} needs {needs}, got {', '.join(map(_name, scenario.events))}; "
            f"this scenario can have: {', '.join(fault_kinds(scenario))}."
        )
    # First which event, then how: otherwise actions with many counts or directions would be chosen most.
    rng = np.random.default_rng(seed)
    concerned = sorted({option[1] for option in options})
    index = concerned[rng.integers(len(concerned))]
    options = [option for option in options if option[1] == index]
    events, index, description = options[rng.integers(len(options))]
    return Fault(Scenario(events, scenario.task), kind, index, description)
