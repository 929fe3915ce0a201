"""Jumps and hops: both feet off the floor while the body falls freely, told apart by who leaves and who lands."""

import numpy as np

from ...motion.layout import FPS
from ..detected import DetectedEvent
from ..parameters import Parameters
from ..series import spans
from ..signals import SIDES, Signals
from .locomotion import Step

_GRAVITY = 9.81  # m/s2
_AROUND = 3  # frames before and after a flight in which a foot that bears the body touches the floor


def find_flights(s: Signals, p: Parameters, steps: list[Step]) -> list[DetectedEvent]:
    """Jumps and hops; flights of a run are left out.

    Args:
        s ([`Signals`]): the clip.
        p ([`Parameters`]): thresholds.
        steps (`list[Step]`): steps in order of time.

    Returns:
        `list[DetectedEvent]`: `jump` with a direction and `hop` with a side.
    """
    lower = s.clearance.min(axis=1)
    events = []
    for start, end in spans(lower > p.contact_clearance, shortest=round(p.jump_time * FPS)):
        if lower[start:end].max() < p.jump_clearance or not _falls(s, p, start, end):
            continue
        leaving, landing = _feet(s, p, start - _AROUND, start), _feet(s, p, end, end + _AROUND)
        if not leaving or not landing:
            continue  # cut off by the ends of the clip, or somebody who hangs
        if leaving != landing and end - start < p.leap_time * FPS and _is_running(steps, start, end):
            continue
        margin = float(lower[start:end].max() / p.jump_clearance)
        confidence = float(np.clip(0.5 + 0.25 * (margin - 1), 0.5, 1))
        side = _hopping_side(s, p, start, end)
        if side is not None and leaving | landing == {side}:
            direction = _direction(s, p, start, end)
            events.append(
                DetectedEvent("hop", start, end, side, "forward" if direction == "forward" else None, confidence)
            )
        else:
            events.append(
                DetectedEvent("jump", start, end, direction=_direction(s, p, start, end), confidence=confidence)
            )
    return events


def _falls(s: Signals, p: Parameters, start: int, end: int) -> bool:
    """Whether the pelvis loses upward speed as in free fall; that of somebody who sits with raised feet does not."""
    rate = s.speed_of("pelvis")[:, 1]
    lost = rate[max(0, start - 1) : end].max() - rate[start : end + 1].min()
    return bool(lost > p.jump_fall * _GRAVITY / s.height * (end - start) / FPS)


def _feet(s: Signals, p: Parameters, start: int, end: int) -> set[str]:
    """Sides of the feet that touch the floor within a stretch."""
    touches = s.clearance[max(0, start) : end] < p.contact_clearance
    return {side for side, touching in zip(SIDES, touches.T, strict=True) if touching.any()}


def _hopping_side(s: Signals, p: Parameters, start: int, end: int) -> str | None:
    """The side of the foot that bears the body, if the other one stays clearly up before, during and after."""
    lowest = s.clearance[max(0, start - _AROUND) : end + _AROUND].min(axis=0)
    free = int(np.argmax(lowest))
    return SIDES[1 - free] if lowest[free] > p.hop_clearance else None


def _is_running(steps: list[Step], start: int, end: int) -> bool:
    """Whether the flight is one of a row: a run has steps before and after it."""
    near = [step for step in steps if step.end > start - FPS and step.start < end + FPS]
    return sum(step.runs for step in near) >= 2 or len(near) >= 4


def _direction(s: Signals, p: Parameters, start: int, end: int) -> str:
    a, b = max(0, start - 1), min(end, len(s) - 1)
    move = (s.place("pelvis")[b] - s.place("pelvis")[a])[[0, 2]]
    if np.linalg.norm(move) < p.jump_travel:
        return "up"
    angle = np.degrees(np.arctan2(move[0], move[1])) - s.heading[a]
    return ("forward", "left", "backward", "right")[int(((angle + 45) % 360) // 90)]
