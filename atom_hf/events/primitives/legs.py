"""What legs do on the spot: kick and squat."""

import numpy as np

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


def _kick(stage: Stage, side: str, direction: str, first: bool) -> None:
    body, start = stage.body, stage.now
    standing = stage.foot(other(side))
    inward = -sign(side)
    # Where the pelvis balances, and from there the hip of the kicking leg.
    anchor = Place(standing.x, standing.z, stage.yaw)
    over = Place(*stage.ahead(anchor, 0.03, sign(side) * 0.035), stage.yaw)
    home_place = Place(*stage.ahead(anchor, 0.035, sign(side) * body.stance), stage.yaw)
    home = stage.home(side, home_place)
    shift = start + stage.seconds(0.3 if first else 0.14)
    drawn = shift + stage.quick(0.14)
    out = drawn + stage.quick(0.23)
    held = out + stage.quick(0.07)
    folded = held + stage.quick(0.2)
    down = folded + stage.seconds(0.25)
    crossing = direction != "forward" and direction != side
    angle = np.radians(_ANGLES[direction]) * (0.85 if crossing else 1.0)
    height = (0.62 if direction == "forward" else 0.5 if not crossing else 0.42) * body.amplitude
    reach = float(np.sqrt(max((0.95 * body.leg) ** 2 - (height - body.leg) ** 2, 0.04)))
    ahead, left = reach * float(np.cos(angle)), reach * float(np.sin(angle))

    def foot(start: float | None, end: float, ahead: float, left: float, lift: float, pitch: float) -> None:
        x, z = stage.ahead(over, ahead, sign(side) * 0.07 + left)
        values = {"x": x, "z": z, "lift": lift, "pitch": pitch}
        keyed = {f"{side}_foot_{name}": value for name, value in values.items()}
        if start is None:
            stage.key(end, **keyed)
        else:
            stage.move(start, end, **keyed)

    sine = float(np.sin(angle))
    foot(start + 0.45 * (shift - start), drawn, -0.32 if direction == "forward" else -0.08, -0.06 * sine, 0.2, 52.0)
    foot(None, drawn + 0.55 * (out - drawn), 0.42 * ahead, 0.42 * left, 0.5 * height, 30.0)
    foot(None, out, ahead, left, height, 8.0 if direction == "forward" else -8.0)
    foot(None, folded, 0.2 * ahead, 0.3 * left, 0.2, 30.0)
    stage.hold(folded, f"{side}_foot_yaw")
    stage.key(down, **{f"{side}_foot_{k}": v for k, v in (("x", home.x), ("z", home.z), ("lift", 0.0))})
    stage.key(down + 0.03, **{f"{side}_foot_pitch": 0.0})
    stage.key(down, **{f"{side}_foot_yaw": home.yaw})

    stage.move(start, shift, x=over.x, z=over.z, roll=0.0)
    back = 1.0 if direction == "forward" else 0.4
    tip = -sine * 14.0  # the trunk leans away from a kick to the side
    stage.move(shift, drawn, hip_twist=inward * -6.0 * back, pitch=8.0, bend=body.lean + 8.0)
    stage.move(drawn, out, hip_twist=inward * 10.0 * back, pitch=-9.0 * back, roll=0.6 * tip, lean_side=tip)
    stage.move(drawn, out, bend=body.lean + 10.0 * back, y=body.stand + 0.01)
    stage.arm(start, drawn, side, swing=26.0, spread=28.0, turn=15.0, elbow=42.0)
    stage.arm(drawn, out, side, swing=-28.0, spread=32.0, turn=10.0, elbow=30.0)
    stage.arm(start, drawn, other(side), swing=-22.0, spread=30.0, turn=10.0, elbow=35.0)
    stage.arm(drawn, out, other(side), swing=38.0, spread=34.0, turn=20.0, elbow=45.0)
    end = down + 0.15
    stage.upright(folded, end)
    stage.rest_arms(held, end + 0.1)
    stage.now = down + 0.05
    stage.mark(start, stage.now, side, direction)


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
