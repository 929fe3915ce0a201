"""Raised arms and waves."""

import numpy as np

from ...motion.layout import FPS
from ..detected import DetectedEvent
from ..parameters import Parameters
from ..series import spans, turning_points
from ..signals import SIDES, Signals


def find_raises(s: Signals, p: Parameters) -> list[DetectedEvent]:
    """Hands brought above the shoulder, from below.

    Args:
        s ([`Signals`]): the clip.
        p ([`Parameters`]): thresholds.

    Returns:
        `list[DetectedEvent]`: `raise_arm` with its side, `"both"` where the arms go up together.
    """
    found = []
    for side in SIDES:
        over = s.at(f"{side}_wrist")[:, 1] - s.at(f"{side}_shoulder")[:, 1]
        for start, end in spans(over > p.raise_low):
            high = over[start:end] > p.raise_height
            if start == 0 or high.sum() < p.raise_time * FPS:
                continue  # a hand that is up from the beginning was not raised
            top = start + int(np.argmax(over[start:end]))
            confidence = float(np.clip(0.5 + (over[top] - p.raise_height) / 0.2, 0.5, 1))
            if s.tilt[top] < p.raise_tilt:
                found.append(DetectedEvent("raise_arm", start, end, side, confidence=confidence))
    return pair_sides(found, p.both_share)


def find_waves(s: Signals, p: Parameters) -> list[DetectedEvent]:
    """Bouts of a hand that swings from side to side above its elbow.

    Args:
        s ([`Signals`]): the clip.
        p ([`Parameters`]): thresholds.

    Returns:
        `list[DetectedEvent]`: `wave` with its side.
    """
    found = []
    for side in SIDES:
        wrist = s.at(f"{side}_wrist") - s.at(f"{side}_elbow")
        over = s.at(f"{side}_wrist")[:, 1] - s.at(f"{side}_shoulder")[:, 1]
        for start, end in spans(wrist[:, 1] > 0, gap=2, shortest=8):
            points = turning_points(wrist[start:end, 0], p.wave_stroke)
            for first, last in _regular(points, p):
                if last - first < p.wave_strokes:
                    continue
                a, b = start + points[first], start + points[last] + 1
                if (
                    s.tilt[a:b].max() < p.wave_tilt
                    and wrist[a:b, 1].mean() > p.wave_lift
                    and over[a:b].mean() > p.wave_height
                ):
                    confidence = float(np.clip(0.5 + (last - first - p.wave_strokes) / 8, 0.5, 1))
                    found.append(DetectedEvent("wave", a, b, side, confidence=confidence))
    return pair_sides(found, p.both_share)


def _regular(points: list[int], p: Parameters) -> list[tuple[int, int]]:
    """Rows of neighbouring turning points without a long stroke between them, as first and last index."""
    rows: list[tuple[int, int]] = []
    first = 0
    for index in range(1, len(points) + 1):
        if index == len(points) or points[index] - points[index - 1] > p.wave_pause * FPS:
            if index - 1 > first:
                rows.append((first, index - 1))
            first = index
    return rows


def pair_sides(events: list[DetectedEvent], share: float) -> list[DetectedEvent]:
    """Events of the left and the right side that happen at once become one of both sides.

    Args:
        events (`list[DetectedEvent]`): of one action, each with a side.
        share (`float`): how much of the longer one the two must share.

    Returns:
        `list[DetectedEvent]`: in order of time.
    """
    left = [e for e in events if e.side == "left"]
    right = [e for e in events if e.side == "right"]
    joined = []
    for a in left:
        for b in right:
            shared = min(a.end, b.end) - max(a.start, b.start)
            if shared >= share * max(a.end - a.start, b.end - b.start):
                joined.append(
                    DetectedEvent(
                        a.action,
                        min(a.start, b.start),
                        max(a.end, b.end),
                        "both",
                        a.direction,
                        (a.confidence + b.confidence) / 2,
                    )
                )
                right.remove(b)
                break
        else:
            joined.append(a)
    return sorted(joined + right, key=lambda e: e.start)
