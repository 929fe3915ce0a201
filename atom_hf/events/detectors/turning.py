"""Turns: the heading changes steadily by at least 60 degrees, and the feet come along."""

import numpy as np

from ..detected import DetectedEvent
from ..parameters import Parameters
from ..signals import FPS, Signals, spans


def find_turns(s: Signals, p: Parameters) -> list[DetectedEvent]:
    """Turns to the left, to the right and around.

    Args:
        s ([`Signals`]): the clip.
        p ([`Parameters`]): thresholds.

    Returns:
        `list[DetectedEvent]`: `turn` with its direction.
    """
    rate = np.gradient(s.heading) * FPS
    upright = s.tilt < p.lying_tilt
    around = round(p.turn_settle * FPS)
    events = []
    for sign, name in ((1, "left"), (-1, "right")):
        for start, end in spans((sign * rate > p.turn_slow) & upright, shortest=3):
            if (sign * rate[start:end]).max() < p.turn_rate:
                continue
            angle = sign * (s.heading[min(end, len(s) - 1)] - s.heading[max(start - 1, 0)])
            feet = sign * (s.toes[min(end + around, len(s) - 1)] - s.toes[max(start - around, 0)])
            if angle >= p.turn_angle and feet > p.turn_feet * angle:
                direction = name if angle < p.around_angle else "around"
                confidence = float(np.clip(0.5 + (angle - p.turn_angle) / 60, 0.5, 1))
                events.append(DetectedEvent("turn", start, end, direction=direction, confidence=confidence))
    return events
