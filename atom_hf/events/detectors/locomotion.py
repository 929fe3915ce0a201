"""Walking, running and single steps: swings of the feet, put together into bouts."""

from dataclasses import dataclass

import numpy as np

from ...motion.layout import FPS
from ..detected import DetectedEvent
from ..parameters import Parameters
from ..series import spans
from ..signals import SIDES, Signals


@dataclass(frozen=True)
class Step:
    """One foot lifted and put down elsewhere: frames, foot, direction seen from the body, and whether it runs."""

    start: int
    end: int
    side: str
    direction: str
    runs: bool


def find_steps(s: Signals, p: Parameters) -> list[Step]:
    """Steps of both feet in order of time.

    A foot swings while it is faster than a share of the pelvis's speed, so that neither feet that slide with the body,
    as generated ones do, nor short contacts at high speed spoil the count.

    Args:
        s ([`Signals`]): the clip.
        p ([`Parameters`]): thresholds.

    Returns:
        `list[Step]`: where both feet swing together (a jump), neither counts.
    """
    body = np.linalg.norm(s.speed_of("pelvis")[:, [0, 2]], axis=-1)
    swings: list[tuple[int, int, str]] = []
    for side in SIDES:
        speed = np.linalg.norm((s.speed_of(f"{side}_ankle") + s.speed_of(f"{side}_foot"))[:, [0, 2]] / 2, axis=-1)
        over = speed - p.swing_share * body
        for start, end in spans(over > p.swing_speed, shortest=round(p.swing_time * FPS)):
            foot = s.place(f"{side}_ankle")[[max(start - 1, 0), min(end, len(s) - 1)]]
            if over[start:end].max() > p.swing_peak and np.linalg.norm((foot[1] - foot[0])[[0, 2]]) > p.step_length:
                swings.append((start, end, side))
    return [
        Step(start, end, side, direction_of(s, start, end, f"{side}_ankle"), _runs(s, p, start, end))
        for start, end, side in sorted(swings)
        if not any(other != side and _shared(start, end, a, b) > p.both_feet for a, b, other in swings)
    ]


def find_walks(s: Signals, p: Parameters, steps: list[Step]) -> list[DetectedEvent]:
    """Bouts of walking and running, and steps that are too few for one.

    Args:
        s ([`Signals`]): the clip.
        p ([`Parameters`]): thresholds.
        steps (`list[Step]`): steps in order of time, without those that belong to other actions.

    Returns:
        `list[DetectedEvent]`: `walk`, `run` and `step`.
    """
    bouts: list[list[Step]] = []
    for step in steps:
        if bouts and step.start - max(other.end for other in bouts[-1]) <= p.step_pause * FPS:
            bouts[-1].append(step)
        else:
            bouts.append([step])
    events: list[DetectedEvent] = []
    for bout in bouts:
        for part in _split(bout, p):
            events += _named(part, p)
    return events


def _split(bout: list[Step], p: Parameters) -> list[list[Step]]:
    """A bout cut where gait or direction changes for long enough."""
    kinds = [(step.runs, step.direction) for step in bout]
    parts: list[list[Step]] = []
    previous = kinds[0]
    for index, step in enumerate(bout):
        around = kinds[max(0, index - 2) : index + 3]
        kind = max(around, key=lambda k: (around.count(k), k == kinds[index]))
        if parts and kind == previous:
            parts[-1].append(step)
        else:
            parts.append([step])
        previous = kind
    while len(parts) > 1 and min(map(len, parts)) < p.bout_steps:
        short = min(range(len(parts)), key=lambda i: len(parts[i]))
        near = [i for i in (short - 1, short + 1) if 0 <= i < len(parts)]
        into = min(near, key=lambda i: len(parts[i]))
        first, second = sorted((short, into))
        parts[first : second + 1] = [parts[first] + parts[second]]
    return parts


def _named(part: list[Step], p: Parameters) -> list[DetectedEvent]:
    if len(part) < p.bout_steps:
        return [DetectedEvent("step", step.start, step.end, step.side, step.direction) for step in part]
    directions = [step.direction for step in part]
    direction = max(set(directions), key=directions.count)
    runs = sum(step.runs for step in part) / len(part)
    action = "run" if runs >= p.run_share else "walk"
    return [
        DetectedEvent(
            action,
            part[0].start,
            max(step.end for step in part),
            direction="forward" if action == "run" else direction,
            confidence=max(runs, 1 - runs),
            steps=len(part),
        )
    ]


def direction_of(s: Signals, start: int, end: int, joint: str = "pelvis") -> str:
    """Where a joint goes, seen from the body's heading halfway.

    Args:
        s ([`Signals`]): the clip.
        start (`int`): first frame.
        end (`int`): the frame after the last one.
        joint (`str`, *optional*, defaults to `"pelvis"`): name of the joint.

    Returns:
        `str`: `"forward"`, `"backward"`, `"left"` or `"right"`.
    """
    move = s.place(joint)[min(end, len(s) - 1)] - s.place(joint)[max(start - 1, 0)]
    angle = np.degrees(np.arctan2(move[0], move[2])) - s.heading[(start + end) // 2 if end < len(s) else -1]
    return ("forward", "left", "backward", "right")[int(((angle + 45) % 360) // 90)]


def _runs(s: Signals, p: Parameters, start: int, end: int) -> bool:
    """Whether the body is fast, and leaves the floor or at least rises while the feet are apart instead of sinking."""
    around = round(p.run_window * FPS)
    a, b = max(0, start - around), min(len(s), end + around)
    window = slice(a, b)
    speed = np.linalg.norm((s.place("pelvis")[b - 1] - s.place("pelvis")[a])[[0, 2]]) / max(1, b - 1 - a) * FPS
    if speed < p.run_speed:
        return False
    apart = np.linalg.norm((s.place("left_ankle") - s.place("right_ankle"))[window][:, [0, 2]], axis=-1)
    height = s.place("pelvis")[window, 1]
    spread = apart.std() * height.std()
    bounce = ((apart - apart.mean()) * (height - height.mean())).mean() / max(float(spread), 1e-9)
    air = s.clearance[start:end].min(axis=1).max()
    return bool(speed > p.run_surely or air > p.run_air or bounce > p.run_bounce - p.run_trade * (speed - p.run_speed))


def _shared(start: int, end: int, other_start: int, other_end: int) -> float:
    """How much of the longer stretch lies in the other one."""
    shared = min(end, other_end) - max(start, other_start)
    return max(0, shared) / max(end - start, other_end - other_start)
