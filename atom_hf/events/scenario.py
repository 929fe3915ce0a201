"""What a motion is asked to show, as data: events in order, with counts, sides and directions.

Scenario((Event("walk", direction="forward"), Event("jump", count=2)), task="temporal")
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from .actions import ACTIONS

TASKS = ("integrity", "temporal", "frequency")


@dataclass(frozen=True)
class Event:
    """One thing that happens, so many times.

    Args:
        action (`str`): a name of the table of actions, such as `"jump"`.
        count (`int`, *optional*, defaults to 1): repetitions, each as the table defines one count; unitless.
        side (`str`, *optional*): side of the body, `"left"`, `"right"` or `"both"`, where the action has one.
        direction (`str`, *optional*): where to, such as `"forward"`, where the action has one.

    Raises:
        ValueError: if the action is unknown, the count is outside of what fits a clip, or side or direction do not
            belong to the action.
        TypeError: if the count is no integer.
    """

    action: str
    count: int = 1
    side: str | None = None
    direction: str | None = None

    def __post_init__(self) -> None:
        if self.action not in ACTIONS:
            close = get_close_matches(str(self.action), ACTIONS, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise ValueError(f"Unknown action {self.action!r}; there are {', '.join(ACTIONS)}.{hint}")
        action = ACTIONS[self.action]
        if isinstance(self.count, bool) or not isinstance(self.count, int):
            raise TypeError(f"The count of an event is an integer, got {self.count!r}.")
        if not 1 <= self.count <= action.max_count:
            raise ValueError(
                f"The count of {self.action} is from 1 to {action.max_count} (one is {action.unit}), got {self.count}."
            )
        for name, value, known in (
            ("side", self.side, action.sides),
            ("direction", self.direction, action.directions),
        ):
            if value is not None and value not in known:
                expected = f"one of {', '.join(known)}" if known else "none"
                raise ValueError(f"The {name} of {self.action} is {expected}, got {value!r}.")


@dataclass(frozen=True)
class Scenario:
    """Events in the order in which they happen.

    Args:
        events (`tuple[Event, ...]`): at least one.
        task (`str`, *optional*, defaults to `"integrity"`): what a judge looks at first: `"integrity"` (is everything
            there), `"temporal"` (in the right order) or `"frequency"` (so many times).

    Raises:
        ValueError: if there is no event or the task is unknown.
        TypeError: if an event is no [`Event`].
    """

    events: tuple[Event, ...]
    task: str = "integrity"

    def __post_init__(self) -> None:
        object.__setattr__(self, "events", tuple(self.events))
        for event in self.events:
            if not isinstance(event, Event):
                raise TypeError(f"A scenario is made of events, got {type(event).__name__}.")
        if not self.events:
            raise ValueError("A scenario needs at least one event, got none.")
        if self.task not in TASKS:
            raise ValueError(f"The task of a scenario is one of {', '.join(TASKS)}, got {self.task!r}.")

    def to_json(self) -> str:
        """The scenario as JSON, for a column of a dataset.

        Returns:
            `str`: such as `{"task": "frequency", "events": [{"action": "jump", "count": 2}]}`; what is not said is
                left out.
        """
        events = []
        for event in self.events:
            entry: dict[str, Any] = {"action": event.action}
            if event.count != 1:
                entry["count"] = event.count
            if event.side is not None:
                entry["side"] = event.side
            if event.direction is not None:
                entry["direction"] = event.direction
            events.append(entry)
        return json.dumps({"task": self.task, "events": events})

    def to_text(self, seed: int = 0) -> str:
        """The scenario as an English text, worded by a seed.

        Args:
            seed (`int`, *optional*, defaults to 0): chooses subject, wording and order of clauses.

        Returns:
            `str`: such as `"A person walks forward before jumping twice."`; `parse` reads the same scenario from it.
        """
        from .grammar import to_text

        return to_text(self, seed)

    @classmethod
    def parse(cls, text: str, task: str | None = None) -> "Scenario":
        """A scenario from an English text.

        Args:
            text (`str`): such as `"a man walks forward, turns around and walks back"`.
            task (`str`, *optional*): task of the scenario. By default frequency if something happens more than once,
                else temporal if several things happen one after the other, else integrity.

        Returns:
            [`Scenario`]: its events in the order in which they happen.

        Raises:
            ScenarioParseError: if the text says something that the table of actions has not, or that the parser does
                not know; a `ValueError` that names the words it stopped at and what it understood until there.
        """
        from .parsing import parse

        return parse(text, task)

    @classmethod
    def from_json(cls, text: str) -> "Scenario":
        """A scenario from its JSON form.

        Args:
            text (`str`): what `to_json` gave, or the same written by hand or by a language model.

        Returns:
            [`Scenario`]: the scenario.

        Raises:
            ValueError: if it is no such JSON, or an event does not fit the table of actions.
        """
        expected = 'expected {"task": "integrity", "events": [{"action": "jump", "count": 2}]}'
        try:
            data = json.loads(text)
        except (TypeError, ValueError, RecursionError) as error:
            raise ValueError(f"Not the JSON of a scenario ({error}); {expected}.") from None
        if not isinstance(data, Mapping) or not isinstance(data.get("events"), list):
            raise ValueError(f"Not a scenario: {expected}, got {str(data)[:80]}.")
        unknown = [key for key in data if key not in ("task", "events")]
        events = []
        for entry in data["events"]:
            if not isinstance(entry, Mapping) or "action" not in entry:
                raise ValueError(f"Not an event: {expected}, got {str(entry)[:80]}.")
            unknown += [key for key in entry if key not in ("action", "count", "side", "direction")]
            if not unknown:
                try:
                    events.append(Event(**entry))
                except TypeError as error:  # of a wrong kind in Python, a wrong value in JSON
                    raise ValueError(f"Not an event: {error}") from None
        if unknown:
            raise ValueError(f"Unknown entries {', '.join(map(repr, unknown))}; {expected}.")
        return cls(tuple(events), data.get("task", "integrity"))


def check_scenario(scenario: object) -> None:
    """Raise unless something is a scenario.

    Args:
        scenario (`object`): what a caller handed in.

    Raises:
        TypeError: if it is something else, such as a sentence.
    """
    if not isinstance(scenario, Scenario):
        raise TypeError(
            f"Expected a Scenario, got {type(scenario).__name__}; Scenario.parse reads a sentence, Scenario.from_json "
            "the JSON form."
        )
