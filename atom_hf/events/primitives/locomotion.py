"""Getting about on foot, step by step: walk, step and turn."""

from typing import NamedTuple

from ..scenario import Event
from .pose import SIDES
from .stage import Place, Stage, other, sign

_CROSSING = 0.19  # metres in front of the other, where a foot is put that crosses it
_ARM_SWING = {"forward": 22.0, "backward": 15.0, "left": 6.0, "right": 6.0}  # degrees
_ANGLES = {"forward": 0.0, "left": 90.0, "backward": 180.0, "right": -90.0}


class Stride(NamedTuple):
    """One step to be made: which foot, where to, where the pelvis and its heading are then, and a point on the way."""

    side: str
    target: Place
    pelvis: tuple[float, float]
    yaw: float
    via: tuple[float, float] | None = None


def swing_foot(
    stage: Stage,
    side: str,
    start: float,
    end: float,
    target: Place,
    *,
    lift: float = 0.07,
    push: float = 35.0,
    strike: float = -12.0,
    roll: float = 0.12,
    via: tuple[float, float] | None = None,
) -> None:
    """Lift a foot at `start` and put it down at `end`.

    Args:
        stage ([`Stage`]): where it happens.
        side (`str`): which foot.
        start (`float`): seconds; the heel rises before.
        end (`float`): seconds; the sole is flat after.
        target ([`Place`]): where to.
        lift (`float`): height on the way, metres.
        push (`float`): pitch of the foot when it leaves the floor, degrees.
        strike (`float`): pitch at touch-down; negative lands on the heel.
        roll (`float`): seconds before `start` in which the heel rises, and after `end` in which the sole comes down.
        via (`tuple[float, float]`, *optional*): where the foot is half-way in time, x and z.
    """
    foot = f"{side}_foot_"
    span = end - start
    stage.hold(start, foot + "x", foot + "z", foot + "yaw")
    if via is not None:
        stage.key(start + 0.5 * span, **{foot + "x": via[0], foot + "z": via[1]})
    stage.key(end, **{foot + "x": target.x, foot + "z": target.z, foot + "yaw": target.yaw})
    stage.hold(start, foot + "lift")
    stage.key(start + 0.4 * span, **{foot + "lift": lift})
    stage.key(start + 0.82 * span, **{foot + "lift": 0.3 * lift})
    stage.key(end, **{foot + "lift": 0.0})
    stage.move(start - 1.5 * roll, start, **{foot + "pitch": push})
    stage.key(start + 0.25 * span, **{foot + "pitch": 1.25 * push})
    stage.key(end - 0.08 * span, **{foot + "pitch": strike})
    stage.key(end + roll, **{foot + "pitch": 0.0})


def _course(stage: Stage, count: int, length: float, direction: str, first: str, close: bool) -> list[Stride]:
    """Strides straight on: the last one brings the feet together if asked for."""
    place = stage.place
    travel = Place(place.x, place.z, place.yaw + _ANGLES[direction])
    sideways = direction in ("left", "right")
    where = dict.fromkeys(SIDES, 0.0)  # metres along the course
    strides = []
    side = first
    for i in range(count):
        ahead = where[other(side)]
        if i % 2 == 1 if sideways else close and i == count - 1:
            reach = ahead
        else:
            reach = ahead + length * stage.between(0.94, 1.06) * (
                0.75 if i == 0 and count > 1 and not sideways else 1.0
            )
        where[side] = reach
        middle = (where["left"] + where["right"]) / 2
        target, via = Place(*stage.ahead(travel, reach), place.yaw), None
        if sideways and first != direction:  # the first foot passes in front of the other, which passes behind it
            standing = stage.home(other(side), Place(*stage.ahead(travel, ahead), place.yaw))
            if side == first:
                target = Place(*stage.ahead(target, _CROSSING), place.yaw)
            elif i:
                standing = Place(*stage.ahead(standing, _CROSSING), place.yaw)
            way = 0.24 if side == first else -0.34
            via = stage.ahead(Place(standing.x, standing.z, place.yaw), way)
        target = stage.home(side, target)
        strides.append(Stride(side, target, stage.ahead(travel, middle), place.yaw, via))
        side = other(side)
    return strides


def _go(stage: Stage, strides: list[Stride], pace: float, direction: str, vigour: float) -> list[float]:
    """Make strides one after the other; returns when each foot came down (the first number: when the first rose)."""
    body = stage.body
    times = [stage.now]
    forward = direction == "forward"
    lift = {"forward": 0.055, "backward": 0.05}.get(direction, 0.07)
    push, strike = (44.0 * vigour, -14.0) if forward else (16.0, 8.0 if direction == "backward" else 4.0)
    for stride in strides:
        step = pace * stage.between(0.97, 1.03)
        start, end = times[-1], times[-1] + step
        lifted = start + (0.0 if len(times) == 1 else 0.16 * step)
        gentle = 0.5 if len(times) == 1 else 1.0
        swing_foot(
            stage,
            stride.side,
            lifted,
            end,
            stride.target,
            lift=lift,
            push=push * gentle,
            strike=strike,
            roll=0.2 * step,
            via=stride.via,
        )
        _shift(stage, stride, start, end, vigour)
        if direction in _ARM_SWING:
            swing = _ARM_SWING[direction] * vigour * body.amplitude * stage.between(0.8, 1.1)
            for side in SIDES:
                # The arm goes against the leg: back with the leg that is put in front.
                against = side == stride.side if forward else side != stride.side
                angles = {**stage.arm_rest(), "swing": -swing if against else swing + 4}
                angles["elbow"] += 0 if against else 0.4 * swing
                stage.arm(start if len(times) == 1 else None, end, side, **angles)
        times.append(end)
    stage.now = times[-1]
    stage.upright(stage.now, stage.now + 0.3)
    stage.rest_arms(stage.now, stage.now + 0.4)
    return times


def _shift(stage: Stage, stride: Stride, start: float, end: float, vigour: float) -> None:
    """Carry the pelvis over the standing foot and on, hips and shoulders turning against each other."""
    middle = (start + end) / 2
    old = stage.place
    centre = ((old.x + stride.pelvis[0]) / 2, (old.z + stride.pelvis[1]) / 2)
    towards = sign(other(stride.side)) * 0.024
    x, z = stage.ahead(Place(*centre, (old.yaw + stride.yaw) / 2), 0.0, towards)
    stage.hold(start, "x", "z", "yaw", "hip_twist", "twist", "roll", "y")
    stage.key(middle, x=x, z=z, y=stage.body.stand + 0.01, roll=3.0 * sign(stride.side))
    turn = -sign(stride.side) * 5.0 * vigour
    stage.key(end, x=stride.pelvis[0], z=stride.pelvis[1], yaw=stride.yaw, roll=0.0)
    stage.key(end, hip_twist=turn, twist=-2.0 * turn, y=stage.body.stand - 0.012 * vigour)


def walk(stage: Stage, event: Event) -> None:
    """A bout of at least four steps that ends with the feet together."""
    direction = event.direction or "forward"
    length = {"forward": 0.66, "backward": 0.48}.get(direction, 0.4) * stage.body.leg / 0.82 * stage.body.amplitude
    count = 4 + int(stage.between(0, 4.999) * min(1.0, 1.3 - 0.3 * stage.pace))
    if direction in ("left", "right"):
        first, count = direction, count + count % 2
    else:
        first = stage.body.handedness if stage.chance(0.6) else other(stage.body.handedness)
    strides = _course(stage, count, length, direction, first, close=True)
    start = stage.now
    pace = stage.seconds({"forward": 0.51, "backward": 0.53}.get(direction, 0.46))
    _go(stage, strides, pace, direction, vigour=1.0)
    stage.mark(start, stage.now, None, direction)


def step(stage: Stage, event: Event) -> None:
    """Single steps, feet alternating; from the second on, the last one brings the feet together."""
    direction = event.direction or "forward"
    first = event.side or (direction if direction in ("left", "right") else stage.body.handedness)
    length = {"forward": 0.55, "backward": 0.4}.get(direction, 0.38) * stage.body.amplitude
    strides = _course(stage, event.count, length, direction, first, close=event.count > 1)
    times = _go(stage, strides, stage.seconds(0.6), direction, vigour=0.7)
    for stride, start, end in zip(strides, times, times[1:], strict=False):
        stage.mark(start, end, stride.side, direction)


def turn(stage: Stage, event: Event) -> None:
    """Small steps on the spot, the foot on the inner side first."""
    direction = event.direction or ("left" if stage.chance(0.5) else "right")
    for _ in range(event.count):
        if direction == "around":
            towards = "left" if stage.chance(0.5) else "right"
            angle, count = 180.0 + stage.between(-8, 8), 6
        else:
            towards, count = direction, 4
            angle = 90.0 + stage.between(-8, 8)
        start = stage.now
        place = stage.place
        strides = []
        heading = dict.fromkeys(SIDES, 0.0)
        share = angle / (count / 2 - 0.35)
        for i in range(count):
            side = towards if i % 2 == 0 else other(towards)
            lead = share * (i // 2 + 0.65) if i % 2 == 0 else share * (i // 2 + 0.75)
            heading[side] = angle if i >= count - 2 else min(lead, angle)
            yaw = place.yaw + sign(towards) * (heading["left"] + heading["right"]) / 2
            home = stage.home(side, Place(place.x, place.z, place.yaw + sign(towards) * heading[side]))
            strides.append(Stride(side, home, (place.x, place.z), yaw))
        stage.move(start, start + 0.3, look=sign(towards) * 18.0)
        _go(stage, strides, stage.seconds(0.4), "turn", vigour=0.3)
        stage.mark(start, stage.now, None, direction)
        stage.wait(0.2)
