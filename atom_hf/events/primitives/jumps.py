"""Leaving the floor: jump and hop."""

import numpy as np

from ..scenario import Event
from .pose import SIDES
from .stage import GRAVITY, Place, Stage, other, sign

_ANGLES = {"up": 0.0, "forward": 0.0, "left": 90.0, "backward": 180.0, "right": -90.0}


def jump(stage: Stage, event: Event) -> None:
    """Jumps with both feet: crouch, take-off, flight, landing; the landing of one is the crouch of the next."""
    body = stage.body
    direction = event.direction or "up"
    far = {"up": 0.0, "forward": 0.75, "backward": 0.54}.get(direction, 0.52) * body.amplitude
    height = stage.between(0.16, 0.28) * body.amplitude / stage.pace
    for i in range(event.count):
        start = stage.now
        rise = height * stage.between(0.9, 1.1)
        depth = body.stand - (0.22 + 0.5 * rise) * stage.between(0.9, 1.1)
        place = stage.place
        travel = Place(place.x, place.z, place.yaw + _ANGLES[direction])
        down = stage.seconds(0.38 if i == 0 else 0.12)
        _crouch(stage, start, start + down, depth, travel, 0.06 if far else 0.0)
        land = _flight(stage, start + down, rise, far, travel, SIDES)
        absorb = stage.seconds(0.2)
        again = i < event.count - 1
        bottom = depth if again else body.stand - 0.15 - 0.25 * rise
        stage.key(land + absorb, y=bottom)
        stage.now = land + absorb
        stage.move(land - 0.1, stage.now, bend=body.lean + 18.0, pitch=16.0, nod=-6.0)
        for side in SIDES:
            stage.arm(None, stage.now, side, swing=-18.0 if again else 14.0, spread=20.0, turn=15.0, elbow=30.0)
        if not again:
            rise_time = stage.seconds(0.38)
            stage.upright(stage.now, stage.now + rise_time)
            stage.rest_arms(stage.now, stage.now + rise_time + 0.15)
            stage.now += rise_time
        stage.mark(start, stage.now, None, direction)


def _crouch(stage: Stage, start: float, end: float, depth: float, travel: Place, lead: float) -> None:
    """Bend hips, knees and ankles, arms drawn back."""
    body = stage.body
    middle = Place(*stage.between_feet(), travel.yaw)
    x, z = stage.ahead(middle, lead)
    back = stage.ahead(Place(x, z, stage.yaw), -0.05)
    stage.move(start, end, x=back[0], z=back[1], y=depth, pitch=20.0, bend=body.lean + 22.0, nod=-10.0)
    for side in SIDES:
        stage.arm(start, end, side, swing=-42.0 * body.amplitude, spread=14.0, turn=8.0, elbow=18.0)


def _flight(
    stage: Stage, start: float, rise: float, far: float, travel: Place, sides: tuple[str, ...], arms: float = 118.0
) -> float:
    """Push off at `start` with these feet, fly `far` metres and land; returns when."""
    body = stage.body
    speed = float(np.sqrt(2 * GRAVITY * rise))
    span = 2 * speed / GRAVITY
    high = body.stand + 0.035
    depth = stage.value("y")
    push = 1.7 * (high - depth) / speed
    off, land = start + push, start + push + span
    origin = Place(*stage.between_feet(), travel.yaw)
    lead = min(0.16, 0.3 * far)  # the pelvis is ahead of the feet at take-off and behind them at landing
    drift = max(far - 2 * lead, 0.0) / span
    heading = np.radians(travel.yaw)
    slopes = {"x": drift * float(np.sin(heading)), "z": drift * float(np.cos(heading))}
    for time, ahead in ((off, lead), (land, far - lead)):
        x, z = stage.ahead(origin, ahead)
        stage.key(time, slope=slopes["x"], x=x)
        stage.key(time, slope=slopes["z"], z=z)
    stage.kink(off, speed, 0.0, y=high)
    stage.kink(land, 0.0, -speed, y=high)
    stage.fly(off, span)
    backward = far > 0 and abs((travel.yaw - stage.yaw + 180) % 360 - 180) > 120
    stage.move(start, off, pitch=-4.0 if backward else 4.0, bend=body.lean - 4.0, nod=2.0)
    for side in sides:
        foot = f"{side}_foot_"
        target = stage.home(side, Place(*stage.ahead(origin, far), stage.yaw))
        if len(sides) == 1:
            here = stage.foot(side)
            x, z = stage.ahead(Place(here.x, here.z, travel.yaw), far)
            target = Place(x, z, here.yaw)
        stage.move(off, land, **{foot + "x": target.x, foot + "z": target.z, foot + "yaw": target.yaw})
        stage.move(start + 0.35 * push, off, **{foot + "pitch": 48.0})
        stage.key(off + 0.35 * span, **{foot + "pitch": 52.0})
        stage.key(land, **{foot + "pitch": 22.0})
        stage.key(land + 0.08, **{foot + "pitch": 0.0})
        stage.hold(off, foot + "lift")
        stage.key(off + 0.25 * span, **{foot + "lift": -0.012})
        stage.key(off + 0.7 * span, **{foot + "lift": 0.07 + 0.1 * far})
        stage.key(land, **{foot + "lift": 0.0})
    if arms:
        for side in SIDES:
            top = arms * min(body.amplitude, 1.1)
            stage.arm(start, off + 0.2 * span, side, swing=top, spread=14.0, turn=10.0, elbow=35.0)
    return land


def hop(stage: Stage, event: Event) -> None:
    """Hops on one foot, the other held up behind."""
    body = stage.body
    side = event.side or body.handedness
    free = other(side)
    direction = event.direction
    far = stage.between(0.25, 0.38) if direction == "forward" else 0.0
    rise = stage.between(0.07, 0.11) * body.amplitude
    begin = stage.now
    ready = begin + stage.seconds(0.45)
    _stand_on(stage, side, begin, ready)
    stage.now = ready
    for i in range(event.count):
        start = stage.now
        place = Place(*_above(stage, side), stage.yaw)
        depth = body.stand - 0.13
        down = start + stage.seconds(0.22 if i == 0 else 0.08)
        stage.move(start, down, x=place.x, z=place.z, y=depth, bend=body.lean + 8.0, pitch=8.0)
        for arm in SIDES:
            stage.arm(start, down, arm, swing=-12.0, spread=26.0, turn=20.0, elbow=45.0)
        land = _hop_flight(stage, side, free, down, rise * stage.between(0.9, 1.1), far, place)
        stage.now = land + stage.seconds(0.16)
        stage.key(stage.now, y=depth)
        stage.move(land, stage.now, bend=body.lean + 8.0, pitch=8.0)
        stage.mark(start, stage.now, side, direction)
    down = stage.now + stage.seconds(0.4)
    home = stage.home(free, _mirrored_home(stage, side))
    _put_down(stage, free, stage.now, down, home)
    stage.upright(stage.now, down)
    stage.rest_arms(stage.now, down + 0.2)
    stage.now = down


def _above(stage: Stage, side: str) -> tuple[float, float]:
    """Where the pelvis balances above one foot, x and z."""
    foot = stage.foot(side)
    return stage.ahead(Place(foot.x, foot.z, stage.yaw), 0.05, -sign(side) * 0.025)


def _mirrored_home(stage: Stage, side: str) -> Place:
    """The place whose home of one foot is where this foot stands."""
    foot = stage.foot(side)
    x, z = stage.ahead(Place(foot.x, foot.z, stage.yaw), 0.035, -sign(side) * stage.body.stance)
    return Place(x, z, stage.yaw)


def _stand_on(stage: Stage, side: str, start: float, end: float) -> None:
    """Shift the weight onto one foot and lift the other behind."""
    x, z = _above(stage, side)
    stage.move(start, end, x=x, z=z, lean_side=sign(side) * 4.0, roll=sign(side) * 3.0)
    free = other(side)
    foot = f"{free}_foot_"
    home = stage.home(free, _mirrored_home(stage, side))
    lift_x, lift_z = stage.ahead(Place(home.x, home.z, stage.yaw), -0.16, -sign(free) * 0.02)
    lifted = start + 0.3 * (end - start)
    stage.move(lifted, end, **{foot + "x": lift_x, foot + "z": lift_z, foot + "lift": 0.24, foot + "yaw": home.yaw})
    stage.move(start, end, **{foot + "pitch": 50.0})


def _put_down(stage: Stage, side: str, start: float, end: float, home: Place) -> None:
    """Put a lifted foot down."""
    foot = f"{side}_foot_"
    stage.move(start, end, **{foot + "x": home.x, foot + "z": home.z, foot + "yaw": home.yaw, foot + "lift": 0.0})
    stage.move(start, end + 0.06, **{foot + "pitch": 0.0})


def _hop_flight(stage: Stage, side: str, free: str, start: float, rise: float, far: float, place: Place) -> float:
    """One flight on one foot; returns when it lands."""
    body = stage.body
    speed = float(np.sqrt(2 * GRAVITY * rise))
    span = 2 * speed / GRAVITY
    high = body.stand + 0.01
    push = 1.7 * (high - stage.value("y")) / speed
    off, land = start + push, start + push + span
    heading = np.radians(place.yaw)
    slope = 0.8 * far / span
    for time, ahead in ((off, 0.1 * far), (land, 0.9 * far)):
        x, z = stage.ahead(place, ahead)
        stage.key(time, slope=slope * float(np.sin(heading)), x=x)
        stage.key(time, slope=slope * float(np.cos(heading)), z=z)
    x, z = stage.ahead(place, far)
    stage.key(land + 0.15, x=x, z=z)
    stage.kink(off, speed, 0.0, y=high)
    stage.kink(land, 0.0, -speed, y=high)
    stage.fly(off, span)
    for foot_side in (side, free):
        foot = f"{foot_side}_foot_"
        here = stage.foot(foot_side)
        x, z = stage.ahead(Place(here.x, here.z, place.yaw), far)
        before, after = (off, land) if foot_side == side else (start, land + 0.1)
        stage.move(before, after, **{foot + "x": x, foot + "z": z})
    foot = f"{side}_foot_"
    stage.move(start + 0.35 * push, off, **{foot + "pitch": 40.0})
    stage.key(land, **{foot + "pitch": 18.0})
    stage.key(land + 0.07, **{foot + "pitch": 0.0})
    stage.move(off, off + 0.6 * span, **{foot + "lift": 0.045})
    stage.key(land, **{foot + "lift": 0.0})
    stage.move(start, off, bend=body.lean, pitch=3.0)
    for arm in SIDES:
        stage.arm(start, off + 0.4 * span, arm, swing=16.0, spread=26.0, turn=20.0, elbow=56.0)
    return land
