"""Joints to events: what happens in a motion, when, on which side and in which direction.

detect_events(joints)  →  [DetectedEvent("walk", 0, 62, direction="forward", steps=6), DetectedEvent("jump", 70, 79)]
"""

import numpy as np

from .detected import DetectedEvent
from .detectors.arms import find_raises, find_waves
from .detectors.flights import find_flights
from .detectors.hands import find_claps, find_punches, find_throws
from .detectors.kicks import find_kicks
from .detectors.locomotion import Step, find_steps, find_walks
from .detectors.postures import find_bows, find_postures
from .detectors.turning import find_turns
from .parameters import Parameters
from .signals import FPS, Signals, measure

# An event of the second kind is left out where it lies within one of the first: it is part of it.
_PARTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("throw", ("punch", "raise_arm", "wave")),
    ("wave", ("raise_arm", "punch", "throw", "clap")),
    ("raise_arm", ("punch",)),
    ("lie_down", ("bow", "sit_down", "kick")),
    ("stand_up", ("bow", "kick")),
    ("sit_down", ("bow", "kick")),
    ("squat", ("bow",)),
)


def detect_events(joints: np.ndarray, fps: float = FPS, parameters: Parameters | None = None) -> list[DetectedEvent]:
    """Every action of the table that a motion shows, each repetition as an event of its own.

    Works from joints alone, whatever the facing, the place, the height of the floor, the body's size and proportions.

    Args:
        joints (`np.ndarray`): positions `[T, 22, 3]` in metres, Y up, T >= 2.
        fps (`float`, *optional*, defaults to 20.0): frames per second.
        parameters ([`Parameters`], *optional*): thresholds.

    Returns:
        `list[DetectedEvent]`: in order of time, with frames at `fps`.

    Raises:
        TypeError: if the joints are no floating-point array.
        ValueError: if there are fewer than 2 frames, a value is not finite, or the body is no person in metres.
    """
    p = parameters or Parameters()
    s = measure(joints, fps, p)
    steps = find_steps(s, p)
    events = [
        *find_flights(s, p, steps),
        *find_turns(s, p),
        *find_kicks(s, p),
        *find_raises(s, p),
        *find_waves(s, p),
        *find_punches(s, p),
        *find_throws(s, p),
        *find_claps(s, p),
        *find_postures(s, p),
        *find_bows(s, p),
    ]
    events = _without_parts(events)
    events += find_walks(s, p, [step for step in steps if _free(s, p, step, events)])
    return _at_rate(sorted(events, key=lambda e: (e.start, e.end, e.action)), fps, len(joints))


def _without_parts(events: list[DetectedEvent]) -> list[DetectedEvent]:
    """Leave out what is part of something else, such as the stretched arm of a throw, which is no punch."""
    dropped: set[int] = set()
    for whole, parts in _PARTS:
        for i, event in enumerate(events):
            if event.action == whole and i not in dropped:
                dropped |= {
                    j
                    for j, other in enumerate(events)
                    if other.action in parts
                    and (event.side is None or "both" in (event.side, other.side) or event.side == other.side)
                    and other.overlap(event.start, event.end) > 0.5
                }
    return [event for i, event in enumerate(events) if i not in dropped]


def _free(s: Signals, p: Parameters, step: Step, events: list[DetectedEvent]) -> bool:
    """Whether a step is one of its own, not the swing of a kick, a jump, a turn on the spot, or of getting up."""
    if s.at("pelvis")[step.start : step.end, 1].mean() < p.low_height:
        return False
    for event in events:
        shared = max(0, min(step.end, event.end) - max(step.start, event.start)) / (step.end - step.start)
        if shared <= 0.4:
            continue
        if event.action in ("jump", "hop", "sit_down", "stand_up", "lie_down", "squat"):
            return False
        if event.action == "kick" and event.side == step.side:
            return False
        if event.action == "turn":
            window = slice(event.start, event.end)
            path = s.place("pelvis")[window][:, [0, 2]]
            if np.linalg.norm(path[-1] - path[0]) < 0.25 * (event.end - event.start) / FPS + 0.1:
                return False
    return True


def _at_rate(events: list[DetectedEvent], fps: float, frames: int) -> list[DetectedEvent]:
    """Events with frames at the rate of the clip."""
    found = []
    for e in events:
        start = min(round(e.start * fps / FPS), frames - 1)
        end = min(max(round(e.end * fps / FPS), start + 1), frames)
        found.append(DetectedEvent(e.action, start, end, e.side, e.direction, e.confidence, e.steps))
    return found
