"""Joints to events: what happens in a motion, when, on which side and in which direction.

detect_events(joints)  →  [DetectedEvent("walk", 0, 62, direction="forward", steps=6), DetectedEvent("jump", 70, 79)]
"""

import numpy as np

from ..motion.layout import FPS
from .detected import DetectedEvent
from .detectors.arms import find_raises, find_waves
from .detectors.flights import find_flights
from .detectors.hands import find_claps, find_punches, find_throws
from .detectors.kicks import find_kicks
from .detectors.locomotion import Step, find_steps, find_walks
from .detectors.postures import find_bows, find_postures
from .detectors.turning import find_turns
from .parameters import Parameters
from .signals import SIDES, Signals, measure

# Events of the third kind are left out where at least half of them lies within one of the first, or so many seconds
# before or after it: they are part of it.
_PARTS: tuple[tuple[str, float, tuple[str, ...]], ...] = (
    ("throw", 0.0, ("punch", "raise_arm", "wave")),
    ("wave", 0.0, ("raise_arm", "punch", "throw", "clap")),
    ("raise_arm", 0.0, ("punch",)),
    ("lie_down", 0.0, ("bow", "sit_down", "kick")),
    ("stand_up", 0.0, ("bow", "kick", "squat")),
    ("sit_down", 0.0, ("bow", "kick")),
    ("squat", 0.0, ("bow",)),
    ("kick", 0.0, ("bow", "turn")),
    ("jump", 0.15, ("raise_arm", "punch")),
    ("jump", 0.65, ("squat", "bow")),  # the crouch before and after
    ("hop", 0.65, ("squat", "bow")),
)
# Seconds around a jump or hop in which swings of the feet belong to it; twice that for the free leg of a hop.
_AROUND_FLIGHT = 0.3


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
        *find_bows(s, p, steps),
    ]
    events = _without_parts(events)
    events += find_walks(s, p, _free_steps(s, p, steps, events))
    return _at_rate(sorted(events, key=lambda e: (e.start, e.end, e.action)), fps, len(joints))


def _without_parts(events: list[DetectedEvent]) -> list[DetectedEvent]:
    """Leave out what is part of something else, such as the stretched arm of a throw, which is no punch."""
    dropped = {i for i, event in enumerate(events) if _is_guard(event, events)}
    for whole, around, parts in _PARTS:
        pause = round(around * FPS)
        for i, event in enumerate(events):
            if event.action == whole and i not in dropped:
                dropped |= {
                    j
                    for j, other in enumerate(events)
                    if other.action in parts
                    and (
                        None in (event.side, other.side)
                        or "both" in (event.side, other.side)
                        or event.side == other.side
                    )
                    and other.overlap(event.start - pause, event.end + pause) > 0.5
                }
    return [event for i, event in enumerate(events) if i not in dropped]


def _is_guard(event: DetectedEvent, events: list[DetectedEvent]) -> bool:
    """Whether a raised or swaying hand belongs to somebody who boxes or throws."""
    if event.action not in ("wave", "raise_arm"):
        return False
    swings = [e for e in events if e.action in ("punch", "throw") and e.overlap(event.start, event.end) > 0]
    inside = sum(e.overlap(event.start, event.end) > 0.5 for e in swings)
    return inside >= 2 or sum(event.overlap(e.start, e.end) for e in swings) > 0.7


def _free_steps(s: Signals, p: Parameters, steps: list[Step], events: list[DetectedEvent]) -> list[Step]:
    """Steps of their own, not the swing of a kick, a jump, a turn on the spot, or of getting up."""
    busy = np.tile(s.rise < p.low_height, (2, 1))
    for event in events:
        window = slice(event.start, event.end)
        if event.action in ("sit_down", "stand_up", "lie_down", "squat"):
            taken = dict.fromkeys(SIDES, 0.0)
        elif event.action in ("jump", "hop"):
            taken = {side: _AROUND_FLIGHT * (1 if event.side in (None, side) else 2) for side in SIDES}
        elif event.action == "kick":
            taken = {str(event.side): 0.0}
        elif event.action == "turn":
            path = s.place("pelvis")[window][:, [0, 2]]
            taken = dict.fromkeys(SIDES, 0.0) if np.linalg.norm(path[-1] - path[0]) < p.turn_place else {}
        else:
            continue
        for side, seconds in taken.items():
            around = round(seconds * FPS)
            busy[SIDES.index(side), max(0, event.start - around) : event.end + around] = True
    return [step for step in steps if busy[SIDES.index(step.side), step.start : step.end].mean() < 0.4]


def _at_rate(events: list[DetectedEvent], fps: float, frames: int) -> list[DetectedEvent]:
    """Events with frames at the rate of the clip."""
    found = []
    for e in events:
        start = min(round(e.start * fps / FPS), frames - 1)
        end = min(max(round(e.end * fps / FPS), start + 1), frames)
        found.append(DetectedEvent(e.action, start, end, e.side, e.direction, e.confidence, e.steps))
    return found
