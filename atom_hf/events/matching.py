"""Which detected event is which expected one: in order of time, with steps and walking bouts read as each other.

pairs = match_in_time(detected, segments)  →  [(0, 0), (2, 1)]: indices of events that are the same thing
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from .detected import DetectedEvent
from .scenario import Scenario

_STEPS_TOGETHER = 20  # frames between steps that are one walk


class Timed(Protocol):
    """Anything with an action and frames, such as a segment or a detected event."""

    @property
    def action(self) -> str: ...

    @property
    def start(self) -> int: ...

    @property
    def end(self) -> int: ...


def match_in_time(detected: Sequence[Timed], expected: Sequence[Timed], tolerance: int = 4) -> list[tuple[int, int]]:
    """Pair detected with expected events of the same action that happen at the same time, each at most once.

    Args:
        detected (`Sequence[Timed]`): events with `action`, `start` and `end`, in frames.
        expected (`Sequence[Timed]`): the truth, likewise.
        tolerance (`int`, *optional*, defaults to 4): frames by which two may miss each other.

    Returns:
        `list[tuple[int, int]]`: index of the detected and of the expected event; as many pairs as the order of time
            allows.
    """
    pairs = []
    free = sorted(range(len(detected)), key=lambda i: (detected[i].end, detected[i].start))
    for j in sorted(range(len(expected)), key=lambda j: (expected[j].end, expected[j].start)):
        truth = expected[j]
        for i in free:
            found = detected[i]
            if (
                found.action == truth.action
                and found.start - tolerance < truth.end
                and truth.start < found.end + tolerance
            ):
                pairs.append((i, j))
                free.remove(i)
                break
    return pairs


def read_gait(detected: Sequence[DetectedEvent], scenario: Scenario) -> list[DetectedEvent]:
    """Events with walking bouts and steps read in the way a scenario counts them.

    A bout of k steps is k steps where steps are asked for; two steps or more in a row are a walk where a walk is asked
    for; a bout with a turn inside is two walks where more walks are asked for than there are.

    Args:
        detected (`Sequence[DetectedEvent]`): events in order of time.
        scenario ([`Scenario`]): what was asked for.

    Returns:
        `list[DetectedEvent]`: events in order of time.
    """
    events = list(detected)
    walks = sum(event.action == "walk" for event in scenario.events)
    steps = [event.count for event in scenario.events if event.action == "step"]
    if steps and "walk" in (e.action for e in events):
        bouts = [e for e in events if e.action == "walk"]
        missing = sum(steps) - sum(e.action == "step" for e in events)
        # The bouts that walks do not need, those first whose number of steps fits best.
        spare = sorted(bouts, key=lambda e: min(abs(e.steps - count) for count in steps))[: len(bouts) - walks]
        for bout in spare if missing > 0 else []:
            events.remove(bout)
            events += _steps_of(bout)
    elif walks and not steps:
        events = _walks_from_steps(events)
    if walks > sum(e.action == "walk" for e in events):
        events = _cut_at_turns(events)
    return sorted(events, key=lambda e: (e.start, e.end))


def _steps_of(bout: DetectedEvent) -> list[DetectedEvent]:
    length = (bout.end - bout.start) / bout.steps
    return [
        DetectedEvent(
            "step",
            round(bout.start + k * length),
            round(bout.start + (k + 1) * length),
            direction=bout.direction,
            confidence=bout.confidence,
        )
        for k in range(bout.steps)
    ]


def _walks_from_steps(events: list[DetectedEvent]) -> list[DetectedEvent]:
    rows: list[list[DetectedEvent]] = []
    for step in (e for e in events if e.action == "step"):
        near = rows and step.start - rows[-1][-1].end <= _STEPS_TOGETHER
        if near and step.direction == rows[-1][-1].direction:
            rows[-1].append(step)
        else:
            rows.append([step])
    kept = [e for e in events if e.action != "step"] + [row[0] for row in rows if len(row) == 1]
    return kept + [
        replace(row[0], action="walk", end=row[-1].end, side=None, steps=len(row)) for row in rows if len(row) > 1
    ]


def _cut_at_turns(events: list[DetectedEvent]) -> list[DetectedEvent]:
    result = []
    turns = [e for e in events if e.action == "turn"]
    for event in events:
        inside = [t for t in turns if event.start + 10 < t.start and t.end + 10 < event.end]
        if event.action != "walk" or not inside:
            result.append(event)
            continue
        starts = [event.start, *(t.end for t in inside)]
        ends = [*(t.start for t in inside), event.end]
        share = event.steps / (event.end - event.start)
        result += [
            replace(event, start=a, end=b, steps=max(2, round((b - a) * share)))
            for a, b in zip(starts, ends, strict=True)
        ]
    return result
