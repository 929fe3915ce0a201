"""What arms do: punch, wave, raise_arm, clap and throw, standing or seated."""

from ..scenario import Event
from .pose import SIDES
from .reach import reach
from .stage import Stage, other, sign


def _sides(stage: Stage, event: Event) -> tuple[str, ...]:
    side = event.side or stage.body.handedness
    return SIDES if side == "both" else (side,)


def punch(stage: Stage, event: Event) -> None:
    """Guard, then straight punches at chest height, the trunk turning with them."""
    body, sides = stage.body, _sides(stage, event)
    both = len(sides) == 2
    length = body.upper_arm + body.forearm
    guard = reach(body, 0.02, -0.04, 0.24, 12.0)
    begin = stage.now
    stage.now += stage.seconds(0.3)
    guarded = SIDES if stage.chance(0.7) or both else sides
    for side in guarded:
        stage.arm(begin, stage.now, side, **guard)
    twist = 0.0 if both else -sign(sides[0])
    stage.move(begin, stage.now, bend=body.lean + 6.0, twist=-8.0 * twist)
    height = stage.between(-0.16, -0.02)
    for i in range(event.count):
        start = begin if i == 0 else stage.now
        out = stage.now + stage.quick(0.2)
        held = out + stage.quick(0.04)
        back = held + stage.quick(0.27)
        target = reach(body, -0.1 if not both else -0.04, height, 0.97 * length, 25.0)
        for side in sides:
            stage.arm(stage.now, out, side, **target)
            stage.hold(held, *(f"{side}_arm_{name}" for name in target))
            stage.arm(None, back, side, **guard)
        stage.shift(stage.now, out, forward=0.045)
        stage.shift(held, back)
        stage.move(stage.now, out, twist=twist * 26.0, hip_twist=twist * 7.0, bend=body.lean + 9.0)
        stage.move(held, back, twist=-8.0 * twist, hip_twist=0.0, bend=body.lean + 6.0)
        stage.now = back
        stage.mark(start, back, event.side or sides[0])
    end = stage.now + stage.seconds(0.4)
    stage.rest_arms(stage.now, end)
    stage.move(stage.now, end, twist=0.0, hip_twist=0.0, bend=body.lean)
    stage.now += 0.6 * (end - stage.now)


def wave(stage: Stage, event: Event) -> None:
    """A hand raised and swung from side to side, then lowered."""
    body, sides = stage.body, _sides(stage, event)
    start = stage.now
    # The upper arm is about level and to the side, so that bending the elbow swings the hand in the frontal plane.
    spread, swing = stage.between(70, 96), stage.between(76, 98)
    middle, reachout = stage.between(70, 92), stage.between(22, 32) * min(body.amplitude, 1.1)
    swings = 2 + int(stage.between(0, 2.6) / stage.pace)
    up = start + stage.seconds(0.5)
    period = stage.seconds(0.46)
    for side in sides:  # two arms are never quite alike
        centre, size = middle + stage.between(-6, 6), reachout * stage.between(0.9, 1.1)
        time = up + stage.between(0.0, 0.06) * period
        angles = {"swing": swing + stage.between(-4, 4), "spread": spread + stage.between(-5, 5), "turn": 0.0}
        stage.arm(start + (time - up), time, side, **angles, elbow=centre - size)
        for _ in range(swings):
            stage.key(time + period / 2, **{f"{side}_arm_elbow": centre + size, f"{side}_arm_turn": 8.0})
            stage.key(time + period, **{f"{side}_arm_elbow": centre - size, f"{side}_arm_turn": -8.0})
            time += period
    away = 0.0 if len(sides) == 2 else -sign(sides[0])
    stage.shift(start, up, left=0.03 * away)
    stage.hold(start, "twist", "lean_side", "look")
    for i in range(2 * swings):
        sway = 1.0 if i % 2 else -1.0
        time = up + (i + 1) * period / 2
        stage.key(time, twist=2.0 * sway, lean_side=2.0 * away + 1.2 * sway, look=1.5 * sway)
    stage.now = up + swings * period
    down = stage.now + stage.seconds(0.5)
    stage.rest_arms(stage.now, down, sides)
    stage.shift(stage.now, down)
    stage.move(stage.now, down, twist=0.0, lean_side=0.0, look=0.0)
    stage.now = down
    stage.mark(start, down, event.side or sides[0])


def raise_arm(stage: Stage, event: Event) -> None:
    """Arms raised above the head, to the front or to the side, and lowered again."""
    body, sides = stage.body, _sides(stage, event)
    sideways = stage.chance(0.35)
    top = stage.between(150, 172)
    for _ in range(event.count):
        start = stage.now
        up = start + stage.seconds(0.62)
        held = up + stage.seconds(stage.between(0.12, 0.5))
        down = held + stage.seconds(0.6)
        for side in sides:
            if sideways:
                raised = {
                    "swing": 4.0,
                    "spread": top - stage.between(3, 9),
                    "turn": 0.0,
                    "elbow": stage.between(8, 16),
                }
            else:
                raised = {
                    "swing": top - stage.between(0, 6),
                    "spread": stage.between(4, 16),
                    "turn": 5.0,
                    "elbow": stage.between(8, 20),
                }
            stage.arm(start, up, side, **raised)
            stage.hold(held, *(f"{side}_arm_{name}" for name in raised))
            stage.arm(None, down, side, **stage.arm_rest())
        if len(sides) == 1:
            away = -sign(sides[0])
            stage.shift(start, up, left=0.03 * away)
            stage.shift(held, down)
            stage.move(start, up, lean_side=4.0 * away, look=-4.0 * away, twist=5.0 * away)
            stage.move(held, down, lean_side=0.0, look=0.0, twist=0.0)
        else:
            stage.move(start, up, bend=stage.value("bend") - 6.0, nod=-6.0)
            stage.move(held, down, bend=body.lean if stage.posture == "stand" else stage.value("bend") + 6.0, nod=2.0)
        stage.now = down
        stage.mark(start, down, event.side or sides[0])


def clap(stage: Stage, event: Event) -> None:
    """Hands brought together in front of the chest, again and again."""
    body = stage.body
    width = float(abs(body.offsets[13, 0]) + abs(body.offsets[16, 0]))  # from the middle to a shoulder
    low, ahead = stage.between(-0.26, -0.12), stage.between(0.28, 0.34)
    apart = stage.between(0.13, 0.2) * body.amplitude
    closed = reach(body, 0.035 - width, low, ahead, 28.0)
    opened = reach(body, apart - width, low - 0.02, ahead - 0.03, 34.0)
    begin = stage.now
    ready = begin + stage.seconds(0.45)
    for side in SIDES:
        stage.arm(begin, ready, side, **opened)
    lean = stage.value("bend")
    stage.move(begin, ready, nod=6.0)
    stage.now = ready
    for i in range(event.count):
        start = begin if i == 0 else stage.now
        shut = stage.now + stage.seconds(0.18)
        opening = shut + stage.seconds(0.22)
        stage.move(stage.now, shut, bend=lean + 4.0, nod=9.0)
        stage.key(opening, bend=lean, nod=6.0)
        for side in SIDES:
            stage.arm(None, shut, side, **closed)
            stage.arm(None, opening, side, **opened)
        stage.now = opening
        stage.mark(start, opening)
    end = stage.now + stage.seconds(0.45)
    stage.rest_arms(stage.now, end)
    stage.move(stage.now, end, nod=2.0)
    stage.now += 0.6 * (end - stage.now)


def throw(stage: Stage, event: Event) -> None:
    """A hand drawn back beside the head and swung forward past it, the trunk turning with it."""
    body = stage.body
    side = event.side or body.handedness
    turn = sign(side)
    standing = stage.posture == "stand"
    end_pose = (38.0, -16.0, 10.0, 22.0) if standing else (44.0, 24.0, 10.0, 50.0)  # across, or beside the thighs
    follow = dict(zip(("swing", "spread", "turn", "elbow"), end_pose, strict=True))
    for _ in range(event.count):
        start = stage.now
        back = start + stage.seconds(0.5)
        ready = back + stage.seconds(0.1)
        out = ready + stage.quick(0.25)
        through = out + stage.quick(0.22)
        stage.arm(start, back, side, swing=78.0, spread=92.0, turn=-22.0, elbow=95.0)
        stage.hold(ready, *(f"{side}_arm_{name}" for name in ("swing", "spread", "turn", "elbow")))
        stage.arm(None, ready + 0.55 * (out - ready), side, swing=112.0, spread=58.0, turn=-12.0, elbow=88.0)
        stage.arm(None, out, side, swing=98.0, spread=10.0, turn=0.0, elbow=14.0)
        stage.arm(None, through, side, **follow)
        if standing:  # the other arm points ahead and goes back; seated, it stays on the knee
            stage.arm(start, back, other(side), swing=48.0, spread=22.0, turn=10.0, elbow=40.0)
            stage.arm(ready, through, other(side), swing=-14.0, spread=26.0, turn=10.0, elbow=45.0)
        stage.move(start, back, twist=turn * 30.0, hip_twist=turn * 8.0, bend=stage.value("bend") - 8.0)
        stage.move(ready, through, twist=-turn * 24.0, hip_twist=-turn * 6.0, bend=stage.value("bend") + 24.0)
        end = through + stage.seconds(0.45)
        stage.rest_arms(through, end)
        stage.move(through, end, twist=0.0, hip_twist=0.0, bend=stage.value("bend") - 16.0)
        stage.now = end
        stage.mark(start, end, side)
