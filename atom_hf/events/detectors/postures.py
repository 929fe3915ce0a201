"""Changes of posture: squats, bows, sitting down, standing up, lying down."""

import numpy as np

from ..detected import DetectedEvent
from ..parameters import Parameters
from ..signals import FPS, Signals, spans, turning_points

STANDING, BETWEEN, CROUCHED, SEATED, LYING = range(5)


def postures_of(s: Signals, p: Parameters) -> np.ndarray:
    """Posture of every frame.

    Who is low and balanced over the feet crouches; who is low with the weight behind the feet, or on the floor, sits.

    Args:
        s ([`Signals`]): the clip.
        p ([`Parameters`]): thresholds.

    Returns:
        `np.ndarray`: `[T]` of `STANDING`, `BETWEEN`, `CROUCHED`, `SEATED` and `LYING`.
    """
    pelvis = s.at("pelvis")[:, 1]
    posture = np.full(len(s), BETWEEN)
    posture[pelvis > p.stand_height] = STANDING
    low = pelvis < p.low_height
    sits = (behind_feet(s) > p.seat_balance) | (pelvis < p.floor_height)
    posture[low & ~sits] = CROUCHED
    posture[low & sits] = SEATED
    posture[(pelvis < 0.25) & (s.tilt > p.lying_tilt)] = LYING
    return posture


def behind_feet(s: Signals) -> np.ndarray:
    """How far the centre of mass lies behind the ankles, `[T]` in body heights.

    Args:
        s ([`Signals`]): the clip.

    Returns:
        `np.ndarray`: trunk and head weigh 0.68 of the body, thighs 0.2, shanks and feet 0.12.
    """
    ankles = (s.at("left_ankle") + s.at("right_ankle"))[:, 2] / 2
    knees = (s.at("left_knee") + s.at("right_knee"))[:, 2] / 2
    trunk = (s.at("pelvis") + 2 * s.at("spine3") + s.at("neck"))[:, 2] / 4
    return ankles - (0.68 * trunk + 0.2 * knees / 2 + 0.12 * (knees + ankles) / 2)


def find_postures(s: Signals, p: Parameters) -> list[DetectedEvent]:
    """Squats and the changes between standing, sitting and lying.

    Args:
        s ([`Signals`]): the clip.
        p ([`Parameters`]): thresholds.

    Returns:
        `list[DetectedEvent]`: `squat`, `sit_down`, `stand_up` and `lie_down`.
    """
    runs = _runs(postures_of(s, p), round(p.posture_time * FPS), len(s))
    events = []
    for index, (posture, start, end) in enumerate(runs):
        before = runs[index - 1] if index else None
        after = runs[index + 1] if index + 1 < len(runs) else None
        if posture == LYING and before:
            events.append(DetectedEvent("lie_down", _leaving(s, before), start + 1))
        elif posture == SEATED and before and before[0] in (STANDING, CROUCHED):
            events.append(DetectedEvent("sit_down", _leaving(s, before), start + 1))
        elif posture == STANDING and before and before[0] in (SEATED, LYING):
            events.append(DetectedEvent("stand_up", before[2] - 1, start + 1))
        elif posture == STANDING and before and before[0] == CROUCHED and index == 1:
            events.append(DetectedEvent("stand_up", before[2] - 1, start + 1))
        elif posture == CROUCHED and before and after and before[0] == STANDING and after[0] == STANDING:
            events.append(DetectedEvent("squat", before[2], after[1]))
    return events


def _runs(posture: np.ndarray, shortest: int, frames: int) -> list[tuple[int, int, int]]:
    """Postures in order with their frames; passing ones and the way between them are left out."""
    runs: list[tuple[int, int, int]] = []
    for kind in (STANDING, CROUCHED, SEATED, LYING):
        least = 2 if kind in (STANDING, CROUCHED) else shortest
        for start, end in spans(posture == kind, gap=2):
            if end - start >= least or (end == frames and end - start >= 3):
                runs.append((kind, start, end))
    merged: list[tuple[int, int, int]] = []
    for run in sorted(runs, key=lambda r: r[1]):
        if merged and merged[-1][0] == run[0]:
            merged[-1] = (run[0], merged[-1][1], run[2])
        else:
            merged.append(run)
    # A crouch on the way to or from a seat is part of sitting down or standing up.
    return [
        run
        for i, run in enumerate(merged)
        if run[0] != CROUCHED
        or not any(
            0 <= j < len(merged) and merged[j][0] in (SEATED, LYING) for j in (i - 1, i + 1)
        )
    ]


def _leaving(s: Signals, before: tuple[int, int, int]) -> int:
    return max(0, before[2] - 1)


def find_bows(s: Signals, p: Parameters) -> list[DetectedEvent]:
    """The trunk bent forward and raised again, with the pelvis kept up.

    Args:
        s ([`Signals`]): the clip.
        p ([`Parameters`]): thresholds.

    Returns:
        `list[DetectedEvent]`: `bow`.
    """
    events = []
    points = turning_points(s.lean, p.bow_gain)
    for before, top, after in zip(points, points[1:], points[2:], strict=False):
        if s.lean[top] < max(s.lean[before], s.lean[after]) or s.lean[top] < p.bow_tilt:
            continue
        if s.at("pelvis")[top, 1] < p.bow_height:
            continue
        half = s.lean[top] / 2
        start = before + int(np.argmax(s.lean[before : top + 1] > half / 2))
        end = after - int(np.argmax(s.lean[top : after + 1][::-1] > half / 2))
        confidence = float(np.clip(0.5 + (s.lean[top] - p.bow_tilt) / 60, 0.5, 1))
        events.append(DetectedEvent("bow", start, min(end + 1, len(s)), confidence=confidence))
    return events
