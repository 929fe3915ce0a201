"""Turns: the heading changes steadily by at least 60 degrees, and the feet come along."""

import numpy as np

from ...motion.layout import FPS
from ..detected import DetectedEvent
from ..parameters import Parameters
from ..series import rate_of, smooth, spans, turning_points
from ..signals import Signals


def find_turns(s: Signals, p: Parameters) -> list[DetectedEvent]:
    """Turns to the left, to the right and around.

    Args:
        s ([`Signals`]): the clip.
        p ([`Parameters`]): thresholds.

    Returns:
        `list[DetectedEvent]`: `turn` with its direction.
    """
    rate = rate_of(s.heading)
    steady = rate_of(smooth(s.heading, p.turn_smooth))  # walking sways the body from step to step
    upright = s.tilt < p.lying_tilt
    around = round(p.turn_settle * FPS)
    events = []
    for sign, name in ((1, "left"), (-1, "right")):
        for start, end in spans((sign * steady > p.turn_slow) & upright, shortest=3):
            if (sign * steady[start:end]).max() < p.turn_rate:
                continue
            for first, last in _parts(sign * rate, start, end, p):
                angle = sign * (s.heading[min(last, len(s) - 1)] - s.heading[max(first - 1, 0)])
                feet = sign * (s.toes[min(last + around, len(s) - 1)] - s.toes[max(first - around, 0)])
                if angle >= p.turn_angle and feet > p.turn_feet * angle:
                    direction = name if angle < p.around_angle else "around"
                    confidence = float(np.clip(0.5 + (angle - p.turn_angle) / 60, 0.5, 1))
                    events.append(DetectedEvent("turn", first, last, direction=direction, confidence=confidence))
    return events


def _parts(rate: np.ndarray, start: int, end: int, p: Parameters) -> list[tuple[int, int]]:
    """One turn, or several where the body nearly stops in between, each far enough to be a turn."""
    cuts = [start]
    points = turning_points(rate[start:end], p.turn_rate / 2)
    for before, low, after in zip(points, points[1:], points[2:], strict=False):
        dip, peak = rate[start + low], min(rate[start + before], rate[start + after])
        if dip < p.turn_dip * peak and rate[cuts[-1] : start + low].sum() / FPS > p.turn_angle:
            cuts.append(start + low)
    if len(cuts) > 1 and rate[cuts[-1] : end].sum() / FPS < p.turn_angle:
        cuts.pop()
    return list(zip(cuts, [*cuts[1:], end], strict=True))
