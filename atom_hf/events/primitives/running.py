"""Running: steps with a flight between them."""

from typing import NamedTuple

from ..scenario import Event
from .locomotion import swing_foot
from .pose import SIDES
from .stage import GRAVITY, Place, Stage, other, sign

_LOW = 0.045  # metres that the pelvis of a runner is lower than that of somebody who stands
_SPRING = 0.035  # metres that it gives way in each contact


class _Course(NamedTuple):
    """When and where each foot comes down, feet alternating; the last one closes up beside the one before."""

    place: Place
    sides: list[str]
    landing: list[float]  # seconds
    where: list[float]  # metres ahead of the place
    contact: float  # seconds that a foot stays on the floor
    flight: float  # seconds between two contacts


def run(stage: Stage, event: Event) -> None:
    """A bout of steps with flights between them, from standing to standing."""
    body, begin = stage.body, stage.now
    course = _plan(stage)
    landing, last = course.landing, len(course.landing) - 1
    released = {course.sides[0]: begin + 0.1, course.sides[1]: landing[0] + 0.02}
    for i, (side, time) in enumerate(zip(course.sides, landing, strict=True)):
        target = stage.home(side, Place(*stage.ahead(course.place, course.where[i]), course.place.yaw))
        _swing(stage, side, released[side], time, target, calm=i in (0, last), starts=i == 1)
        released[side] = time + course.contact
        for arm in SIDES:
            swing = (-38.0 if arm == side else 30.0) * body.amplitude
            stage.arm(begin if i == 0 else None, time, arm, swing=swing, spread=12.0, turn=28.0, elbow=88.0)
        stage.hold(begin, "hip_twist", "twist")
        stage.key(time, hip_twist=-7.0 * sign(side), twist=15.0 * sign(side))
    stage.move(begin, landing[1], pitch=9.0, bend=body.lean + 6.0)
    _carry(stage, course)
    stage.move(landing[-2] - course.contact, landing[-2] + 0.15, pitch=0.0, bend=body.lean)
    stage.now = landing[-1]
    stage.upright(stage.now, stage.now + 0.35)
    stage.rest_arms(stage.now, stage.now + 0.45)
    stage.mark(begin, stage.now, None, event.direction or "forward")


def _plan(stage: Stage) -> _Course:
    """A run-up, full strides, a short one, and a last step that brings the feet together."""
    body = stage.body
    count = 6 + int(stage.between(0, 2.999) * min(1.0, 1.3 - 0.3 * stage.pace))
    contact = 0.25 / body.tempo / stage.pace
    flight = stage.between(0.13, 0.16)
    length = stage.between(0.95, 1.2) * body.amplitude * body.leg / 0.82
    where, landing = [0.5 * length], [stage.now + 0.38]
    for share in (0.8, *[1.0] * (count - 3), 0.75):
        where.append(where[-1] + share * length)
        landing.append(landing[-1] + contact + flight)
    where.append(where[-1])
    landing.append(landing[-1] + contact + 0.2)
    sides = [body.handedness if i % 2 == 0 else other(body.handedness) for i in range(count + 1)]
    return _Course(stage.place, sides, landing, where, contact, flight)


def _swing(stage: Stage, side: str, start: float, end: float, target: Place, calm: bool, starts: bool) -> None:
    """One foot through the air: calm in the first and the last step, otherwise with the heel thrown up behind."""
    if calm:
        swing_foot(stage, side, start, end, target, lift=0.09, push=30.0, strike=-4.0, roll=0.06)
        return
    here = stage.foot(side)
    trailing = (here.x + 0.4 * (target.x - here.x), here.z + 0.4 * (target.z - here.z))
    roll = 0.13 if starts else 0.06
    swing_foot(stage, side, start, end, target, lift=0.3, push=66.0, strike=-4.0, roll=roll, via=trailing)


def _carry(stage: Stage, course: _Course) -> None:
    """The pelvis of a runner: behind the foot at touch-down, springing through each contact, thrown between them."""
    last = len(course.landing) - 1
    low, speed = stage.body.stand - _LOW, GRAVITY * course.flight / 2
    stage.hold(course.landing[0] - 0.3, "x", "z", "y")
    for i, (time, reach) in enumerate(zip(course.landing, course.where, strict=True)):
        behind = 0.0 if i == last else 0.3 if i == last - 1 else 0.24
        x, z = stage.ahead(course.place, reach - behind)
        stage.key(time, x=x, z=z)
        if i == last:
            break
        if i == 0:
            stage.key(time, y=low)
        else:
            stage.kink(time, 0.0, -speed, y=low)
        stage.key(time + course.contact / 2, y=low - _SPRING)
        if i < last - 1:
            stage.kink(time + course.contact, speed, 0.0, y=low)
            stage.fly(time + course.contact, course.flight)
