"""Changes of posture: bow, sit_down, stand_up and lie_down.

A stage's posture says where a body is: "stand", "seat" (an invisible chair), "floor" (sitting), or "lie".
"""

from math import cos, radians, sin

from ..scenario import Event
from .legs import squat_pose
from .locomotion import swing_foot
from .pose import SIDES
from .stage import Place, Stage, sign

_FAR_APART = 0.25  # metres that one foot is ahead of the other, too much to sit down on the floor
SEAT = 0.45  # height of the invisible chair, metres


def bow(stage: Stage, event: Event) -> None:
    """The trunk bent forward from the hips and up again; seated, from the waist."""
    body = stage.body
    amount = stage.between(48, 82) * min(body.amplitude, 1.1)
    seated = stage.posture != "stand"
    before = {name: stage.value(name) for name in ("x", "z", "y", "pitch", "bend", "nod")}
    for _ in range(event.count):
        start = stage.now
        down = start + stage.seconds(0.7)
        held = down + stage.seconds(0.22)
        up = held + stage.seconds(0.75)
        hips = 0.35 * amount if seated else 0.62 * amount
        x, z = stage.ahead(stage.place, 0.0 if seated else -0.11 * amount / 60)
        drop = 0.0 if seated else 0.02
        stage.move(start, down, pitch=before["pitch"] + hips, bend=before["bend"] + amount - hips, x=x, z=z)
        stage.move(start, down, y=before["y"] - drop, nod=12.0)
        stage.move(held, up, **before)
        if seated:  # the arms stay above the legs
            for side in SIDES:
                rest = stage.arm_rest()
                stage.arm(start, down, side, **{**rest, "swing": rest["swing"] + 0.7 * amount})
            stage.rest_arms(held, up)
        else:
            hang = stage.chance(0.6)
            for side in SIDES:
                arms = {"swing": amount * (0.8 if hang else 0.15), "spread": 4.0, "turn": 20.0, "elbow": 14.0}
                stage.arm(start, down, side, **arms)
            stage.rest_arms(held, up)
        stage.now = up
        stage.mark(start, up)


def sit_down(stage: Stage, event: Event) -> None:
    """Down to an invisible chair, now and then to the floor."""
    start = stage.now
    if stage.chance(0.25):
        _to_floor(stage)
    else:
        _to_seat(stage)
    stage.mark(start, stage.now)
    stage.wait(0.45)


def _to_seat(stage: Stage) -> None:
    body, start = stage.body, stage.now
    stage.posture = "seat"
    end = start + stage.seconds(1.15)
    lean = start + 0.55 * (end - start)
    middle = Place(*stage.between_feet(), stage.yaw)
    x, z = stage.ahead(middle, -0.42 * body.leg / 0.82)
    stage.move(start, end, x=x, z=z)
    stage.move(start, end, y=SEAT + 0.5 * body.hip_drop)
    stage.move(start, lean, pitch=24.0, bend=body.lean + 24.0, nod=-4.0)
    stage.key(end, pitch=-4.0, bend=body.lean + 6.0, nod=2.0)
    for side in SIDES:
        stage.arm(start, lean, side, swing=46.0, spread=10.0, turn=10.0, elbow=24.0)
        stage.arm(None, end + 0.1, side, **stage.arm_rest())
        stage.move(start, end, **{f"{side}_foot_splay": 8.0})
    stage.now = end


def _to_floor(stage: Stage) -> None:
    """Sit on the floor with the knees up."""
    body = stage.body
    if stage.posture == "stand":
        start = stage.now
        if _stagger(stage) > _FAR_APART:
            _close_up(stage)
        low = start + stage.seconds(0.75)
        squat_pose(stage, start, low, 0.58 * body.stand, arms_out=False)
        stage.now = low
    stage.posture = "floor"
    start = stage.now
    end = start + stage.seconds(0.7)
    middle = Place(*stage.between_feet(), stage.yaw)
    back = 0.46 * body.leg / 0.82 + min(0.5 * _stagger(stage), 0.12)  # not onto the foot that is behind
    x, z = stage.ahead(middle, -back)
    stage.move(start, end, x=x, z=z, y=body.hip_drop + 0.035, pitch=-12.0, bend=body.lean + 20.0, nod=-4.0)
    for side in SIDES:
        stage.move(start, end, **{f"{side}_foot_splay": 8.0, f"{side}_foot_pitch": 0.0})
        stage.arm(start, end + 0.1, side, **stage.arm_rest())
    stage.now = end


def _close_up(stage: Stage) -> None:
    """Bring the foot that is behind beside the other while the body goes down."""
    angle = radians(stage.yaw)
    ahead = {side: stage.foot(side).x * sin(angle) + stage.foot(side).z * cos(angle) for side in SIDES}
    behind, front = sorted(SIDES, key=ahead.__getitem__)
    foot = stage.foot(front)
    x, z = stage.ahead(Place(foot.x, foot.z, stage.yaw), 0.035, -sign(front) * stage.body.stance)
    target = stage.home(behind, Place(x, z, stage.yaw))
    swing_foot(stage, behind, stage.now, stage.now + stage.seconds(0.45), target, lift=0.05, push=20.0, strike=0.0)


def _stagger(stage: Stage) -> float:
    """How far one foot stands in front of the other, metres."""
    angle = radians(stage.yaw)
    left, right = stage.foot("left"), stage.foot("right")
    return abs((left.x - right.x) * sin(angle) + (left.z - right.z) * cos(angle))


def lie_down(stage: Stage, event: Event) -> None:
    """To the floor, onto the back or onto a side."""
    start = stage.now
    if stage.posture == "seat":
        _slide_off(stage)
    elif stage.posture == "stand":
        _to_floor(stage)
    _recline(stage)
    stage.mark(start, stage.now)
    stage.wait(0.5)


def _slide_off(stage: Stage) -> None:
    """From the chair to the floor in front of it: the feet go ahead, the pelvis comes down behind them."""
    place = stage.place
    start = stage.now
    far = Place(*stage.ahead(place, 0.42 * stage.body.leg / 0.82 + 0.22), place.yaw)
    for i, side in enumerate(SIDES):
        lift = start + 0.25 * i
        swing_foot(stage, side, lift, lift + 0.3, stage.home(side, far), push=8.0, strike=-6.0, roll=0.04)
    stage.now = start + 0.45
    _to_floor(stage)


def _recline(stage: Stage) -> None:
    """From sitting on the floor to lying: the trunk rolls down while the legs stretch out."""
    body, start = stage.body, stage.now
    end = start + stage.seconds(1.1)
    aside = stage.chance(0.3)
    place = stage.place
    stretch = 0.0 if aside else stage.between(0.0, 1.0)  # from knees up to straight legs
    reach = body.leg * (0.62 + 0.33 * stretch)
    middle = start + 0.5 * (end - start)
    stage.move(start, middle, pitch=-42.0, bend=body.lean + 34.0, nod=10.0)
    stage.key(end, pitch=-88.0, bend=0.0, nod=0.0)
    stage.move(start, end, y=0.092)
    for side in SIDES:
        foot = f"{side}_foot_"
        target = stage.ahead(place, reach, sign(side) * (0.1 + 0.04 * stretch))
        lag = 0.08 if side == "left" else 0.0
        rise = {foot + "lift": 0.05}
        stage.move(start + lag, middle + lag, **rise)
        stage.key(end, **{foot + "lift": 0.0})
        stage.move(start + lag, end, **{foot + "x": target[0], foot + "z": target[1]})
        stage.move(middle, end, **{foot + "pitch": -40.0 * stretch, foot + "splay": 6.0})
        stage.arm(start, middle, side, swing=20.0, spread=26.0, turn=20.0, elbow=40.0)
        stage.arm(None, end, side, swing=4.0, spread=24.0, turn=10.0, elbow=14.0)
    stage.now, stage.posture = end, "lie"
    if aside:
        _roll_over(stage)


def _roll_over(stage: Stage) -> None:
    """From the back onto a side, knees drawn up, the arms in front."""
    body, start = stage.body, stage.now
    end = start + stage.seconds(0.75)
    side = "left" if stage.chance(0.5) else "right"
    turn, place = sign(side), stage.place
    stage.move(start, end, hip_twist=88.0 * turn, y=0.172, lean_side=-9.0 * turn, bend=14.0, pitch=-86.0)
    for which in SIDES:
        foot, lower = f"{which}_foot_", which == side
        x, z = stage.ahead(place, 0.6 * body.leg, turn * (0.24 if lower else 0.3))
        stage.move(start, (start + end) / 2, **{foot + "lift": 0.05})
        stage.key(end, **{foot + "lift": 0.0 if lower else 0.14})
        away = {foot + "x": x, foot + "z": z}
        stage.move(start, end, **away, **{foot + "yaw": place.yaw + 40.0 * turn, foot + "pitch": 0.0})
        stage.arm(
            start, end, which, swing=64.0 if lower else 44.0, spread=-12.0 if lower else 4.0, turn=12.0, elbow=40.0
        )
    stage.now = end


def stand_up(stage: Stage, event: Event) -> None:
    """From the chair, the floor or lying to standing."""
    start = stage.now
    if stage.posture == "lie":
        _sit_up(stage)
    if stage.posture == "floor":
        _floor_to_squat(stage)
        _rise(stage, 0.75)
    else:
        _rise_from_seat(stage)
    stage.mark(start, stage.now)


def _sit_up(stage: Stage) -> None:
    """From the back to sitting on the floor, the feet drawn in."""
    body, start = stage.body, stage.now
    end = start + stage.seconds(0.95)
    middle = start + 0.5 * (end - start)
    stage.move(start, middle, pitch=-46.0, bend=body.lean + 40.0, nod=16.0, hip_twist=0.0, lean_side=0.0)
    stage.key(end, pitch=-8.0, bend=body.lean + 30.0, nod=-4.0)
    stage.move(start, end, y=body.hip_drop + 0.035)
    ahead = Place(*stage.ahead(stage.place, 0.46 * body.leg / 0.82), stage.yaw)
    for i, side in enumerate(SIDES):
        foot = f"{side}_foot_"
        home = stage.home(side, ahead)
        begin = start + 0.2 * i
        stage.move(begin, end, **{foot + "x": home.x, foot + "z": home.z, foot + "pitch": 0.0, foot + "yaw": home.yaw})
        stage.move(begin, (begin + end) / 2, **{foot + "lift": 0.06})
        stage.key(end, **{foot + "lift": 0.0})
        stage.arm(start, middle, side, swing=30.0, spread=20.0, turn=15.0, elbow=35.0)
        stage.arm(None, end, side, swing=60.0, spread=10.0, turn=20.0, elbow=25.0)
    stage.now, stage.posture = end, "floor"


def _floor_to_squat(stage: Stage) -> None:
    """From sitting on the floor over the feet, with a swing of the arms."""
    start = stage.now
    end = start + stage.seconds(0.6)
    squat_pose(stage, start, end, 0.6 * stage.body.stand, arms_out=True)
    stage.now = end


def _rise(stage: Stage, nominal: float) -> None:
    """From a squat to standing."""
    start = stage.now
    end = start + stage.seconds(nominal)
    stage.posture = "stand"
    stage.upright(start, end)
    stage.rest_arms(start, end + 0.1)
    for side in SIDES:
        stage.move(start, end, **{f"{side}_foot_pitch": 0.0, f"{side}_foot_splay": 0.0})
    stage.now = end


def _rise_from_seat(stage: Stage) -> None:
    """From the chair: lean forward over the feet, then up."""
    body, start = stage.body, stage.now
    lean = start + stage.seconds(0.42)
    end = lean + stage.seconds(0.75)
    place = stage.place
    x, z = stage.ahead(place, 0.1)
    stage.move(start, lean, x=x, z=z, pitch=26.0, bend=body.lean + 16.0, nod=-6.0)
    stage.move(start, lean, y=stage.value("y") + 0.01)
    for side in SIDES:
        stage.arm(start, lean, side, swing=38.0, spread=10.0, turn=15.0, elbow=30.0)
        stage.move(lean, end, **{f"{side}_foot_splay": 0.0})
    stage.posture = "stand"
    stage.upright(lean, end)
    stage.rest_arms(lean, end + 0.1)
    stage.now = end


def begin_low(stage: Stage) -> None:
    """Start a clip seated, on the floor or lying: the body is there before the first frame."""
    kind = stage.between(0.0, 1.0)
    if kind < 0.55:
        _to_seat(stage)
    else:
        _to_floor(stage)
        if kind > 0.8:
            _recline(stage)
