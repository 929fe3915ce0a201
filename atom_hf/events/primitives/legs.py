"""What legs do on the spot: kick and squat."""

from math import cos, radians, sin, sqrt
from typing import NamedTuple

from ..scenario import Event
from .pose import SIDES
from .stage import Place, Stage, other, sign

_ANGLES = {"forward": 0.0, "left": 78.0, "right": -78.0}


def kick(stage: Stage, event: Event) -> None:
    """Weight on one leg; the other drawn back, swung out quickly and brought back to the floor."""
    direction = event.direction or "forward"
    side = event.side or (direction if direction in ("left", "right") else stage.body.handedness)
    for i in range(event.count):
        _kick(stage, side, direction, first=i == 0)


class _Times(NamedTuple):
    """When a kick does what, seconds."""

    start: float
    shifted: float  # the weight is on the other leg
    drawn: float  # the leg is drawn back
    out: float  # the leg is stretched out
    held: float
    folded: float  # the leg is back below the body
    down: float  # the foot is on the floor


def _kick(stage: Stage, side: str, direction: str, first: bool) -> None:
    """One kick; the first shifts the weight from both feet."""
    body, start = stage.body, stage.now
    shifted = start + stage.seconds(0.3 if first else 0.14)
    drawn = shifted + stage.quick(0.14)
    out = drawn + stage.quick(0.23)
    held = out + stage.quick(0.07)
    folded = held + stage.quick(0.2)
    times = _Times(start, shifted, drawn, out, held, folded, folded + stage.seconds(0.25))
    crossing = direction not in ("forward", side)
    angle = _ANGLES[direction] * (0.85 if crossing else 1.0)
    height = (0.62 if direction == "forward" else 0.42 if crossing else 0.5) * body.amplitude
    _kicking_foot(stage, side, times, angle, height)
    _kicking_body(stage, side, times, angle)
    stage.now = times.down + 0.05
    stage.mark(start, stage.now, side, direction)


def _kicking_foot(stage: Stage, side: str, times: _Times, degrees: float, height: float) -> None:
    """The path of the foot: back, out to a height, and home."""
    body = stage.body
    standing = stage.foot(other(side))
    anchor = Place(standing.x, standing.z, stage.yaw)
    hip = Place(*stage.ahead(anchor, 0.03, sign(side) * 0.105), stage.yaw)
    home_place = Place(*stage.ahead(anchor, 0.035, sign(side) * body.stance), stage.yaw)
    home = stage.home(side, home_place)
    reach = sqrt(max((0.95 * body.leg) ** 2 - (height - body.leg) ** 2, 0.04))
    ahead, left = reach * cos(radians(degrees)), reach * sin(radians(degrees))
    forward = degrees == 0.0
    names = [f"{side}_foot_{name}" for name in ("x", "z", "lift", "pitch")]
    stage.hold(times.start + 0.45 * (times.shifted - times.start), *names)
    for time, (to_front, to_left, lift, pitch) in (
        (times.drawn, (-0.32 if forward else -0.08, -0.06 * left / reach, 0.2, 52.0)),
        (times.drawn + 0.55 * (times.out - times.drawn), (0.42 * ahead, 0.42 * left, 0.5 * height, 30.0)),
        (times.out, (ahead, left, height, 8.0 if forward else -8.0)),
        (times.folded, (0.2 * ahead, 0.3 * left, 0.2, 30.0)),
        (times.down, (0.0, 0.0, 0.0, 3.0)),
    ):
        x, z = (home.x, home.z) if time == times.down else stage.ahead(hip, to_front, to_left)
        stage.key(time, **dict(zip(names, (x, z, lift, pitch), strict=True)))
    stage.key(times.down + 0.04, **{names[3]: 0.0})
    stage.move(times.folded, times.down, **{f"{side}_foot_yaw": home.yaw})


def _kicking_body(stage: Stage, side: str, times: _Times, degrees: float) -> None:
    """Pelvis above the standing foot, trunk leaning against the leg, arms for balance."""
    body, turn = stage.body, sign(side)
    standing = stage.foot(other(side))
    x, z = stage.ahead(Place(standing.x, standing.z, stage.yaw), 0.03, turn * 0.035)
    share = 1.0 if degrees == 0.0 else 0.4
    tip = -14.0 * sin(radians(degrees))  # away from a kick to the side
    stage.move(times.start, times.shifted, x=x, z=z, roll=0.0)
    stage.move(times.shifted, times.drawn, hip_twist=6.0 * turn * share, pitch=8.0, bend=body.lean + 8.0)
    stage.move(times.drawn, times.out, hip_twist=-10.0 * turn * share, pitch=-9.0 * share, roll=0.6 * tip)
    stage.move(times.drawn, times.out, lean_side=tip, bend=body.lean + 10.0 * share, y=body.stand + 0.01)
    arms = {
        side: ((26.0, 28.0, 15.0, 42.0), (-28.0, 32.0, 10.0, 30.0)),
        other(side): ((-22.0, 30.0, 10.0, 35.0), (38.0, 34.0, 20.0, 45.0)),
    }
    for arm, poses in arms.items():
        for start, end, pose in ((times.start, times.drawn, poses[0]), (times.drawn, times.out, poses[1])):
            stage.arm(start, end, arm, **dict(zip(("swing", "spread", "turn", "elbow"), pose, strict=True)))
    stage.upright(times.folded, times.down + 0.15)
    stage.rest_arms(times.held, times.down + 0.25)


def squat(stage: Stage, event: Event) -> None:
    """Down on bent knees and up again, arms forward for balance."""
    body = stage.body
    depth = stage.between(0.36, 0.5) * body.stand / min(stage.pace, 1.15)
    arms_out = stage.chance(0.75)
    for _ in range(event.count):
        start = stage.now
        low = start + stage.seconds(0.65)
        held = low + stage.seconds(0.12)
        up = held + stage.seconds(0.6)
        squat_pose(stage, start, low, depth * stage.between(0.95, 1.05), arms_out)
        stage.upright(held, up)
        stage.rest_arms(held, up + 0.1)
        for side in SIDES:
            stage.move(held, up, **{f"{side}_foot_pitch": 0.0, f"{side}_foot_splay": 0.0})
        stage.now = up
        stage.mark(start, up)


def squat_pose(stage: Stage, start: float, end: float, depth: float, arms_out: bool = True) -> None:
    """Lower the pelvis by so many metres above the feet, trunk forward, knees apart.

    Args:
        stage ([`Stage`]): where it happens.
        start (`float`): seconds.
        end (`float`): seconds.
        depth (`float`): metres below standing.
        arms_out (`bool`): arms forward for balance; otherwise they hang.
    """
    body = stage.body
    share = depth / body.stand
    middle = Place(*stage.between_feet(), stage.yaw)
    x, z = stage.ahead(middle, -0.34 * share)
    stage.move(start, end, x=x, z=z, y=body.stand - depth, pitch=10 + 44 * share, bend=body.lean + 26.0 * share)
    stage.move(start, end, nod=-20.0 * share)
    for side in SIDES:
        stage.move(
            start, end, **{f"{side}_foot_splay": 26.0 * share, f"{side}_foot_pitch": max(0.0, 50 * (share - 0.42))}
        )
        if arms_out:
            stage.arm(start, end, side, swing=118.0 * min(1.0, 2 * share), spread=4.0, turn=10.0, elbow=16.0)
        else:
            stage.arm(start, end, side, swing=40.0, spread=12.0, turn=15.0, elbow=20.0)
