"""How well a motion shows what was asked for: integrity, temporal order and frequency, with reasons.

score_events(detect_events(joints), scenario)
→  EventScores(integrity=0.5, temporal=0.0, frequency=0.67, explanation="2 of 3 jumps; wave missing")
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations, pairwise

from .actions import ACTIONS
from .detected import DetectedEvent
from .matching import read_gait
from .scenario import Event, Scenario, check_scenario

WRONG_SIDE = 0.5
WRONG_DIRECTION = 0.5
_SAME_TIME = 3  # frames


@dataclass(frozen=True)
class EventScores:
    """Scores of one motion against one scenario, each from 0 to 1.

    Args:
        integrity (`float`): share of the events that are there.
        temporal (`float`): share of the pairs of events that are there in the asked order.
        frequency (`float`): one minus the relative error of the counts.
        explanation (`str`): why, such as `"2 of 3 jumps; wave missing; order right"`.
    """

    integrity: float
    temporal: float
    frequency: float
    explanation: str


def score_events(detected: Sequence[DetectedEvent], scenario: Scenario) -> EventScores:
    r"""Score detected events against what was asked for.

    Each detected event belongs to at most one event of the scenario. Where an action is asked for more than once
    (walk, turn, walk), its detections are shared out in order of time, so that counts fit best and no share is
    interrupted by something else. A bout of k steps counts as k steps, and two steps in a row as a walk.

    Presence of an event, $p_i$: 1 if its action was found with the side and direction that were asked for; half of it
    for a wrong side, half of it for a wrong direction (means over as many detections as were asked for; the side of
    steps is that of the first one); 0 if missing.

    - integrity $= \frac{1}{n} \sum_i p_i$.
    - temporal $= \frac{2}{n(n-1)} \sum_{i<j} \min(p_i, p_j) \, o_{ij}$ with $o_{ij}$ 1 where event i came before event
      j, 0.5 where they came at the same time, 0 else: Kendall's count of ordered pairs, where a pair with a missing
      event counts as not in order. With a single event it is $p_1$.
    - frequency $= $ mean of $\max(0, 1 - |found_i - count_i| / count_i)$ over the events whose action can be counted
      (more than one fits a clip); where there is none, over all, and there surplus ones are no error.

    Args:
        detected (`Sequence[DetectedEvent]`): what [`detect_events`] found, in any order.
        scenario ([`Scenario`]): what was asked for.

    Returns:
        [`EventScores`]: three scores and their explanation.

    Raises:
        TypeError: if the scenario is no [`Scenario`].
    """
    check_scenario(scenario)
    found = assign_events(detected, scenario)
    presence = [_presence(event, seen) for event, seen in zip(scenario.events, found, strict=True)]
    pairs = list(combinations(range(len(presence)), 2))
    if pairs:
        ordered = [min(presence[i], presence[j]) * _order(found[i], found[j]) for i, j in pairs]
        temporal = sum(ordered) / len(pairs)
    else:
        temporal = presence[0]
    counted = [i for i, event in enumerate(scenario.events) if ACTIONS[event.action].max_count > 1]
    frequencies = [
        _frequency(scenario.events[i], len(found[i]), exact=bool(counted)) for i in counted or range(len(presence))
    ]
    return EventScores(
        integrity=sum(presence) / len(presence),
        temporal=temporal,
        frequency=sum(frequencies) / len(frequencies),
        explanation=_explain(scenario, found),
    )


def assign_events(detected: Sequence[DetectedEvent], scenario: Scenario) -> list[list[DetectedEvent]]:
    """Detected events of each event of a scenario.

    Args:
        detected (`Sequence[DetectedEvent]`): in any order.
        scenario ([`Scenario`]): what was asked for.

    Returns:
        `list[list[DetectedEvent]]`: one list for each event of the scenario, in order of time; surplus detections of
            an action are in the list they fit best.
    """
    events = read_gait(sorted(detected, key=lambda e: (e.start, e.end)), scenario)
    assigned: list[list[DetectedEvent]] = [[] for _ in scenario.events]
    for action in dict.fromkeys(event.action for event in scenario.events):
        asked = [i for i, event in enumerate(scenario.events) if event.action == action]
        for members, seen in _by_kind([e for e in events if e.action == action], asked, scenario):
            others = [e.start for e in events if e.action != action and e.action in _actions(scenario)]
            for i, share in zip(members, _share_out(seen, [scenario.events[i] for i in members], others), strict=True):
                assigned[i] = share
    return assigned


def _actions(scenario: Scenario) -> set[str]:
    return {event.action for event in scenario.events}


def _by_kind(
    seen: list[DetectedEvent], asked: list[int], scenario: Scenario
) -> list[tuple[list[int], list[DetectedEvent]]]:
    """Events of one action grouped by the side and direction that are asked for, with the detections that fit best.

    What fits no group goes to the first that still lacks some, else to the last.
    """
    groups: dict[tuple[str | None, str | None], list[int]] = {}
    for i in asked:
        groups.setdefault((scenario.events[i].side, scenario.events[i].direction), []).append(i)
    members = list(groups.values())
    lacking = [sum(scenario.events[i].count for i in group) for group in members]
    shares: list[list[DetectedEvent]] = [[] for _ in members]
    rest = []
    for event in seen:
        credit = [_credit(scenario.events[group[0]], event) for group in members]
        best = max(range(len(members)), key=lambda g: (credit[g], lacking[g] > 0))
        if credit[best] == 1 and lacking[best] > 0:
            shares[best].append(event)
            lacking[best] -= 1
        else:
            rest.append(event)
    for event in rest:
        open_groups = [g for g in range(len(members)) if lacking[g] > 0] or list(range(len(members)))
        best = max(open_groups, key=lambda g: _credit(scenario.events[members[g][0]], event))
        shares[best].append(event)
        lacking[best] -= 1
    return [
        (group, sorted(share, key=lambda e: (e.start, e.end))) for group, share in zip(members, shares, strict=True)
    ]


def _share_out(seen: list[DetectedEvent], events: list[Event], others: list[int]) -> list[list[DetectedEvent]]:
    """Cut detections into consecutive shares, one for each event, by dynamic programming.

    A share costs its error of count, and 0.6 where another action of the scenario begins inside it.
    """

    def cost(start: int, end: int, event: Event) -> float:
        if start == end:
            return event.count + 0.5
        broken = any(seen[start].end <= t < seen[end - 1].start for t in others)
        return abs(end - start - event.count) + 0.6 * broken

    total = len(seen)
    best: list[tuple[float, list[int]]] = [(0.0, [0])] + [(float("inf"), [])] * total
    for k, event in enumerate(events):
        following = []
        for end in range(total + 1):
            starts = range(end + 1) if k else [0]
            following.append(min((best[s][0] + cost(s, end, event), [*best[s][1], end]) for s in starts))
        best = following
    cuts = best[total][1]
    return [seen[a:b] for a, b in pairwise(cuts)]


def _credit(event: Event, seen: DetectedEvent) -> float:
    """What a detection is worth for an event of its action; a bout of steps has no side of its own."""
    sided = event.side is None or seen.side == event.side or (seen.side is None and seen.action == "step")
    directed = event.direction is None or seen.direction == event.direction
    return (1.0 if sided else WRONG_SIDE) * (1.0 if directed else WRONG_DIRECTION)


def _presence(event: Event, seen: list[DetectedEvent]) -> float:
    if event.action == "step" and seen:  # feet take turns: the side is that of the first step
        seen = [replace(e, side=seen[0].side) for e in seen]
    credits = sorted((_credit(event, e) for e in seen), reverse=True)[: event.count]
    return sum(credits) / len(credits) if credits else 0.0


def _order(first: list[DetectedEvent], second: list[DetectedEvent]) -> float:
    if not first or not second:
        return 0.0
    a, b = (sum(e.start + e.end for e in seen) / (2 * len(seen)) for seen in (first, second))
    return 0.5 if abs(a - b) < _SAME_TIME else float(a < b)


def _frequency(event: Event, found: int, exact: bool) -> float:
    if not exact:
        found = min(found, event.count)
    return max(0.0, 1 - abs(found - event.count) / event.count)


def _explain(scenario: Scenario, found: list[list[DetectedEvent]]) -> str:
    """Reasons in the order of the scenario, then the order of what is there."""
    parts = [_say(event, seen) for event, seen in zip(scenario.events, found, strict=True)]
    there = [i for i, seen in enumerate(found) if seen]
    wrong = [(i, j) for i, j in combinations(there, 2) if _order(found[i], found[j]) < 1]
    if wrong:
        i, j = wrong[0]
        names = (scenario.events[i].action.replace("_", " "), scenario.events[j].action.replace("_", " "))
        parts.append(f"{names[0]} does not come before {names[1]}")
    elif len(there) > 1:
        parts.append("order right" if len(there) == len(found) else "order of the others right")
    return "; ".join(parts)


def _say(event: Event, seen: list[DetectedEvent]) -> str:
    name = event.action.replace("_", " ")
    if not seen:
        return f"{name} missing"
    noun = ACTIONS[event.action].verbs[0].noun or f"{name}s"
    if ACTIONS[event.action].max_count == 1:
        said = f"{name} there"
    elif event.count == 1 and len(seen) == 1:
        said = f"1 {name}"
    elif len(seen) > event.count:
        said = f"{len(seen)} {noun} instead of {event.count}"
    else:
        said = f"{len(seen)} of {event.count} {noun}"
    for what, asked, got in (
        ("side", event.side, [e.side for e in seen if e.action != "step"] or [e.side for e in seen[:1] if e.side]),
        ("direction", event.direction, [e.direction for e in seen]),
    ):
        wrong = [g for g in got if g != asked]
        if asked is not None and wrong:
            said += f" ({what} {wrong[0] or 'unclear'} instead of {asked})"
    return said
