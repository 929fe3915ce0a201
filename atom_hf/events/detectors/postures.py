"""Changes of posture: squats, bows, sitting down, standing up, lying down."""

import numpy as np

from ...motion.layout import FPS
from ..detected import DetectedEvent
from ..parameters import Parameters
from ..series import spans, stretch_around, turning_points
from ..signals import Signals
from .locomotion import Step

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
    pelvis = s.rise
    posture = np.full(len(s), BETWEEN)
    posture[(pelvis > p.stand_height) & (s.tilt < p.stand_tilt)] = STANDING
    low = pelvis < p.low_height
    sits = (behind_feet(s) > p.seat_balance) | (pelvis < p.floor_height)
    posture[low & ~sits] = CROUCHED
    posture[low & sits] = SEATED
    posture[(pelvis < p.lying_height) & (s.tilt > p.lying_tilt)] = LYING
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
    posture_of_frame = postures_of(s, p)
    runs = _runs(posture_of_frame, round(p.posture_time * FPS), len(s))
    runs = [run for i, run in enumerate(runs) if not _passes_seat(s, p, runs, i)]
    events = []
    for index, (posture, start, _) in enumerate(runs):
        if not index:
            continue
        before, left = runs[index - 1][0], runs[index - 1][2]
        if posture == LYING:
            events.append(DetectedEvent("lie_down", left - 1, start + 1))
        elif posture == SEATED and before in (STANDING, CROUCHED):
            events.append(DetectedEvent("sit_down", left - 1, start + 1))
        elif posture == STANDING and (before in (SEATED, LYING) or (before == CROUCHED and runs[index - 1][1] == 0)):
            events.append(DetectedEvent("stand_up", left - 1, start + 1))
    return events + _squats(s, p, posture_of_frame)


def _squats(s: Signals, p: Parameters, posture: np.ndarray) -> list[DetectedEvent]:
    """Low points of the pelvis with the weight over the feet; it need not rise all the way in between."""
    events = []
    points = turning_points(s.rise, p.squat_depth)
    for before, low, after in zip(points, points[1:], points[2:], strict=False):
        if s.rise[low] > min(s.rise[before], s.rise[after]):
            continue
        middle = (s.rise[low] + min(1.0, s.rise[before], s.rise[after])) / 2  # whatever jumps come before or after
        start, end = stretch_around(s.rise < middle, low)
        low_down = posture[start:end][s.rise[start:end] < p.low_height]
        if len(low_down) and np.mean(low_down == CROUCHED) > 0.5:
            events.append(DetectedEvent("squat", start, end))
    return events


def _passes_seat(s: Signals, p: Parameters, runs: list[tuple[int, int, int]], index: int) -> bool:
    """Whether somebody sits only on the way down to lying, without ever sitting still, or on the way up from it."""
    posture, start, end = runs[index]
    if posture != SEATED or LYING not in {run[0] for run in runs[max(0, index - 1) : index + 2]}:
        return False
    neck, pause = s.place("neck")[start:end], round(p.posture_time * FPS)
    moved = np.linalg.norm(neck[pause:] - neck[:-pause], axis=-1)
    return not (moved < p.still_speed * p.posture_time).any()


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
        or not any(0 <= j < len(merged) and merged[j][0] in (SEATED, LYING) for j in (i - 1, i + 1))
    ]


def find_bows(s: Signals, p: Parameters, steps: list[Step]) -> list[DetectedEvent]:
    """The trunk bent forward and raised again, with the pelvis kept up.

    Args:
        s ([`Signals`]): the clip.
        p ([`Parameters`]): thresholds.
        steps (`list[Step]`): steps in order of time.

    Returns:
        `list[DetectedEvent]`: `bow`.
    """
    events = []
    points = turning_points(s.lean, p.bow_gain)
    for before, top, after in zip(points, points[1:], points[2:], strict=False):
        if s.lean[top] < max(s.lean[before], s.lean[after]) or s.lean[top] < p.bow_tilt:
            continue
        if max(s.tilt[before], s.tilt[after]) > p.bow_upright:
            continue
        base = max(s.lean[before], s.lean[after])
        start, end = stretch_around(s.lean > base + (s.lean[top] - base) / 4, top)
        meanwhile = sum(step.start < end and start < step.end for step in steps)
        pelvis = s.at("pelvis")[[start, top, end - 1], 1]
        drop = p.bow_deepest_drop if s.lean[top] > p.bow_deepest else p.bow_drop
        if np.ptp(pelvis) > drop or meanwhile >= (1 if s.lean[top] < p.bow_deep else p.bow_steps):
            continue
        confidence = float(np.clip(0.5 + (s.lean[top] - p.bow_tilt) / 60, 0.5, 1))
        events.append(DetectedEvent("bow", start, end, confidence=confidence))
    return events
