"""Kicks: a foot swung up and out quickly, away from the body, and brought back."""

import numpy as np

from ...motion.layout import FPS
from ..detected import DetectedEvent
from ..parameters import Parameters
from ..series import spans
from ..signals import SIDES, Signals


def find_kicks(s: Signals, p: Parameters) -> list[DetectedEvent]:
    """Kicks with side and direction.

    Args:
        s ([`Signals`]): the clip.
        p ([`Parameters`]): thresholds.

    Returns:
        `list[DetectedEvent]`: `kick`.
    """
    events = []
    for column, side in enumerate(SIDES):
        ankle = s.at(f"{side}_ankle")
        hip = s.at(f"{side}_hip")
        out = ankle[:, [0, 2]] - hip[:, [0, 2]]
        reach = np.linalg.norm(out, axis=-1)
        speed = np.linalg.norm(s.speed_of(f"{side}_ankle") - s.speed_of("pelvis"), axis=-1)
        height = s.clearance[:, column]
        raised = (height > p.kick_clearance) & (reach > p.kick_reach)
        fast = speed > p.low_kick_speed
        nearby = np.convolve(np.pad(fast, 3), np.ones(7), mode="valid") > 0  # it slows down where it is furthest
        raised |= (height > p.low_kick_clearance) & (reach > p.low_kick_reach) & nearby
        raised &= out[:, 1] > -0.7 * np.abs(out[:, 0])  # not behind
        for start, end in spans(raised, gap=4):
            top = start + int(np.argmax((reach + s.clearance[:, column])[start:end]))
            direction = _direction(out[top], p)
            before, after = max(0, start - round(p.kick_time * FPS / 2)), end + round(p.kick_time * FPS / 2)
            other = s.clearance[start:end, 1 - column]
            if (
                direction is None
                or speed[before:end].max() < p.kick_speed
                or end - start > p.kick_time * FPS
                or other.min() > p.kick_support
                or s.rise[top] < p.low_height
            ):
                continue
            down = s.clearance[:, column] < p.contact_clearance * 2
            first = _last(down, before, start)
            last = _first(down, end, min(after, len(s)))
            margin = speed[before:end].max() / p.kick_speed
            events.append(DetectedEvent("kick", first, last, side, direction, float(np.clip(0.5 * margin, 0.5, 1))))
    return events


def _direction(out: np.ndarray, p: Parameters) -> str | None:
    """Forward or to a side; backward is no kick of the table. `out` is to the left and forward, bh."""
    angle = np.degrees(np.arctan2(out[0], out[1]))
    if abs(angle) < p.kick_forward:
        return "forward"
    return None if abs(angle) > p.kick_sideways else ("left" if angle > 0 else "right")


def _last(mask: np.ndarray, start: int, end: int) -> int:
    hits = np.flatnonzero(mask[start:end])
    return start + int(hits[-1]) if len(hits) else start


def _first(mask: np.ndarray, start: int, end: int) -> int:
    hits = np.flatnonzero(mask[start:end])
    return start + int(hits[0]) + 1 if len(hits) else end
