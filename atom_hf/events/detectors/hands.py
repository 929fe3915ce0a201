"""Quick things that hands do: punches, throws, claps."""

from itertools import pairwise

import numpy as np

from ...motion.layout import FPS
from ..detected import DetectedEvent
from ..parameters import Parameters
from ..series import rate_of, turning_points
from ..signals import SIDES, Signals
from .arms import pair_sides


def find_punches(s: Signals, p: Parameters) -> list[DetectedEvent]:
    """Arms that stretch quickly at the height of the shoulder and come back.

    Args:
        s ([`Signals`]): the clip.
        p ([`Parameters`]): thresholds.

    Returns:
        `list[DetectedEvent]`: `punch` with its side.
    """
    found = []
    for column, side in enumerate(SIDES):
        reach = s.reach[:, column]
        arm = s.at(f"{side}_wrist") - s.at(f"{side}_shoulder")
        level, angle = arm[:, 1], np.degrees(np.arctan2(arm[:, 0], arm[:, 2]))
        speed = np.linalg.norm(s.speed_of(f"{side}_wrist") - s.speed_of("pelvis"), axis=-1)
        points = turning_points(reach, p.punch_gain)
        for before, top, after in zip(points, points[1:], points[2:], strict=False):
            longest = round(p.punch_time * FPS)
            start, end = max(before, top - longest), min(after, top + longest)
            gain = min(reach[top] - reach[start : top + 1].min(), reach[top] - reach[top : end + 1].min())
            quick = speed[start : top + 1].max()
            if (
                reach[top] > p.punch_reach
                and gain > p.punch_gain
                and _is_ahead(p, reach[start : top + 1].min(), abs(angle[top]))
                and p.punch_low < level[top] < p.punch_high
                and level[start + int(np.argmin(reach[start : top + 1]))] > p.punch_guard
                and quick > p.punch_speed
            ):
                found.append(
                    DetectedEvent(
                        "punch", start, end + 1, side, confidence=float(np.clip(quick / p.punch_speed / 2, 0.5, 1))
                    )
                )
    return pair_sides(found, p.both_share)


def _is_ahead(p: Parameters, fold: float, angle: float) -> bool:
    """Whether an arm folded to a share of its length stretches where a punch goes, `angle` degrees from ahead."""
    return (fold < p.punch_fold and angle < p.punch_angle) or (fold < p.jab_fold and angle < p.jab_angle)


def find_throws(s: Signals, p: Parameters) -> list[DetectedEvent]:
    """Hands that are drawn back beside or behind the head and swung forward past it.

    Args:
        s ([`Signals`]): the clip.
        p ([`Parameters`]): thresholds.

    Returns:
        `list[DetectedEvent]`: `throw` with its side.
    """
    events = []
    longest = round(p.throw_time * FPS)
    for side in SIDES:
        wrist, shoulder = s.at(f"{side}_wrist"), s.at(f"{side}_shoulder")
        reach = s.reach[:, SIDES.index(side)]
        ahead, over = wrist[:, 2] - shoulder[:, 2], wrist[:, 1] - shoulder[:, 1]
        forward = rate_of(wrist[:, 2])
        points = turning_points(ahead, p.throw_reach)
        for back, front in pairwise(points):
            if ahead[front] < ahead[back] or front - back > 2 * longest:
                continue
            start = max(back, front - longest)
            passing = start + int(np.argmax(forward[start : front + 1]))
            speed = forward[passing]
            if (
                ahead[back] < p.throw_back
                and ahead[front] > p.throw_front
                and over[passing] > 0.0
                and speed > p.throw_speed
                and reach[back : front + 1].min() < p.throw_bend
                and s.tilt[passing] < p.throw_tilt
            ):
                confidence = float(np.clip(speed / p.throw_speed / 2, 0.5, 1))
                events.append(
                    DetectedEvent("throw", max(0, back - 6), min(len(s), front + 4), side, confidence=confidence)
                )
    return events


def find_claps(s: Signals, p: Parameters) -> list[DetectedEvent]:
    """Moments where the hands meet.

    Args:
        s ([`Signals`]): the clip.
        p ([`Parameters`]): thresholds.

    Returns:
        `list[DetectedEvent]`: `clap`.
    """
    apart = np.linalg.norm(s.place("left_wrist") - s.place("right_wrist"), axis=-1)
    between = s.at("left_wrist") - s.at("right_wrist")
    height = (s.at("left_wrist")[:, 1] + s.at("right_wrist")[:, 1]) / 2 - s.at("pelvis")[:, 1]
    travel = np.linalg.norm(s.speed_of("pelvis"), axis=-1)
    rate = rate_of(apart)
    points = turning_points(apart, p.clap_opening)
    near = round(p.clap_time * FPS)
    events = []
    for index, top in enumerate(points):
        before, after = points[index - 1] if index else top, points[index + 1] if index + 1 < len(points) else top
        if apart[top] > p.clap_distance or apart[top] > min(apart[before], apart[after]) or before == after:
            continue
        start, end = max(0, top - near), min(len(s), top + near + 1)
        parted = apart[top] + p.clap_opening * 0.8
        if (
            height[top] < p.clap_height
            or between[top, 0] < p.clap_apart
            or abs(between[top, 1]) > p.clap_tilt
            or travel[top] > p.clap_travel
            or -rate[start : top + 1].min() < p.clap_speed
            or rate[top:end].max() < p.clap_speed
        ):
            continue
        if apart[start : top + 1].max() > parted and apart[top:end].max() > parted:
            events.append(DetectedEvent("clap", max(start, before), min(end, after + 1)))
    return events
