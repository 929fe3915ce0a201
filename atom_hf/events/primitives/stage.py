"""The stage on which primitives act: a clock, keys of every channel, the posture of the body, and what has happened.

    stage.move(stage.now, stage.now + 0.4, bend=50)     # bend the trunk within 0.4 s, from whatever it was
    stage.mark(start, stage.now)                        # one repetition has happened

A primitive starts from the present value of each channel, so that actions run into each other without a jump.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .body import Body
from .curves import Key, evaluate
from .pose import CHANNELS, SIDES, pose_joints

FPS = 20.0
GRAVITY = 9.81  # metres per second squared

# Slow sway of a living body: amplitude of each channel in metres or degrees.
_SWAY = {
    "x": 0.006,
    "z": 0.006,
    "roll": 0.6,
    "bend": 1.3,
    "lean_side": 0.9,
    "twist": 1.8,
    "nod": 2.5,
    "look": 4.5,
    "tilt": 1.4,
    **{
        f"{side}_arm_{name}": size
        for side in SIDES
        for name, size in (("swing", 2.4), ("spread", 1.2), ("elbow", 3.0))
    },
}
# Arms at rest of somebody who sits on a chair, or on the floor.
_LAP = {
    "seat": {"swing": 24.0, "spread": 8.0, "turn": 22.0, "elbow": 50.0},
    "floor": {"swing": 52.0, "spread": 12.0, "turn": 25.0, "elbow": 34.0},
}

_SWAY_ROWS = np.array([CHANNELS.index(name) for name in _SWAY])
_SWAY_SIZES = np.array(list(_SWAY.values()))[:, None]


class Mark(NamedTuple):
    """One repetition of an event, in seconds; `event` is -1 for what no event asked for."""

    event: int
    action: str
    start: float
    end: float
    side: str | None
    direction: str | None


class Place(NamedTuple):
    """A point of the floor and a heading: metres and degrees."""

    x: float
    z: float
    yaw: float


def other(side: str) -> str:
    """The other side of the body."""
    return "right" if side == "left" else "left"


def sign(side: str) -> float:
    """1 for left and -1 for right: the direction of X, and of a positive yaw."""
    return 1.0 if side == "left" else -1.0


@dataclass
class Stage:
    """A body over time.

    Args:
        body ([`Body`]): who moves.
        rng (`np.random.Generator`): source of chance.
        pace (`float`, *optional*, defaults to 1.0): above 1 where a clip must be shorter.
        pause (`float`, *optional*, defaults to 1.0): factor of the idle time between actions.
    """

    body: Body
    rng: np.random.Generator
    pace: float = 1.0
    pause: float = 1.0

    def __post_init__(self) -> None:
        self.now = 0.0
        self.posture = "stand"  # or "seat", "floor", "lie"
        self.event, self.action = -1, ""
        self.marks: list[Mark] = []
        self.flights: list[tuple[float, float]] = []
        self._keys: dict[str, list[Key]] = {name: [Key(0.0, 0.0)] for name in CHANNELS}
        self._random = self.rng.random(512).tolist()  # drawn at once: single draws are slow
        self._drawn = 0
        rest = {"y": self.body.stand, "bend": self.body.lean, "pitch": 2.0, "nod": 2.0}
        for side in SIDES:
            x, z, yaw = self.home(side, Place(0.0, 0.0, 0.0))
            rest |= {f"{side}_foot_x": x, f"{side}_foot_z": z, f"{side}_foot_yaw": yaw}
            rest |= {f"{side}_arm_{name}": value for name, value in self.arm_rest().items()}
        for name, value in rest.items():
            self._keys[name] = [Key(0.0, value)]

    # --- chance and time -----------------------------------------------------------------------------------------

    def between(self, low: float, high: float) -> float:
        """A number at random between two."""
        self._drawn = (self._drawn + 1) % len(self._random)
        return low + (high - low) * self._random[self._drawn]

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return self.between(0.0, 1.0) < probability

    def seconds(self, nominal: float) -> float:
        """How long this body takes for what lasts `nominal` seconds on the whole, a little different every time."""
        return nominal * self.between(0.92, 1.08) / (self.body.tempo * self.pace)

    def quick(self, nominal: float) -> float:
        """Seconds of what is fast already, a kick or a throw: a tight clip does not make it faster."""
        return nominal * self.between(0.95, 1.05) / min(self.body.tempo, 1.1)

    def wait(self, nominal: float) -> None:
        """Stand, or sit, idle."""
        self.now += self.pause * nominal

    def mark(self, start: float, end: float, side: str | None = None, direction: str | None = None) -> None:
        """Note one repetition of the present event."""
        self.marks.append(Mark(self.event, self.action, start, end, side, direction))

    # --- keys ----------------------------------------------------------------------------------------------------

    def value(self, channel: str) -> float:
        """Where a channel is, or will come to rest."""
        return self._keys[channel][-1].value

    def at(self, channel: str, time: float) -> float:
        """Where a channel is at a time, about."""
        keys = self._keys[channel]
        if time >= keys[-1].time:
            return keys[-1].value
        index = len(keys) - 1
        while index > 0 and keys[index - 1].time > time:
            index -= 1
        if index == 0:
            return keys[0].value
        before, after = keys[index - 1], keys[index]
        u = (time - before.time) / max(after.time - before.time, 1e-6)
        return before.value + (after.value - before.value) * u * u * (3 - 2 * u)

    def key(self, time: float, slope: float | None = None, **values: float) -> None:
        """Let channels have values at a time; what they were to do later is forgotten."""
        for name, value in values.items():
            keys = self._keys[name]
            while len(keys) > 1 and keys[-1].time > time - (1e-9 if slope is not None else 0.02):
                keys.pop()
            keys.append(Key(time, value, slope))

    def hold(self, time: float, *channels: str) -> None:
        """Let channels stay as they are until a time, from which they move."""
        time = max(time, 0.02)
        for name in channels:
            keys = self._keys[name]
            if time > keys[-1].time + 0.02:
                keys.append(Key(time, keys[-1].value))
            elif time < keys[-1].time - 0.02:
                self.key(time, **{name: self.at(name, time)})

    def move(self, start: float, end: float, **values: float) -> None:
        """Bring channels from where they are at `start` to values at `end`."""
        self.hold(start, *values)
        self.key(end, **values)

    def kink(self, time: float, before: float | None, after: float | None, **values: float) -> None:
        """Values at a time with one slope before and another after it, units per second."""
        self.key(time, slope=before, **values)
        for name, value in values.items():
            self._keys[name].append(Key(time, value, after))

    def fly(self, start: float, duration: float) -> None:
        """Leave the floor for a time: the whole body takes the path of a thrown stone."""
        self.flights.append((start, duration))

    def restart(self) -> None:
        """Forget how the body came to where it is: the clip begins now, with the pelvis above the origin."""
        x, z = self.value("x"), self.value("z")
        moved = {"x": x, "z": z} | {f"{side}_foot_{name}": v for side in SIDES for name, v in (("x", x), ("z", z))}
        self._keys = {name: [Key(0.0, keys[-1].value - moved.get(name, 0.0))] for name, keys in self._keys.items()}
        self.now, self.marks, self.flights = 0.0, [], []

    # --- the body's places ---------------------------------------------------------------------------------------

    @property
    def yaw(self) -> float:
        """Heading at the end of what is planned, degrees to the left of +Z."""
        return self.value("yaw")

    @property
    def place(self) -> Place:
        """Where the pelvis is at the end of what is planned."""
        return Place(self.value("x"), self.value("z"), self.yaw)

    def ahead(self, place: Place, forward: float, left: float = 0.0) -> tuple[float, float]:
        """The point so many metres ahead and to the left of a place."""
        angle = np.radians(place.yaw)
        sine, cosine = float(np.sin(angle)), float(np.cos(angle))
        return place.x + forward * sine + left * cosine, place.z + forward * cosine - left * sine

    def home(self, side: str, place: Place) -> Place:
        """Where a foot stands when the pelvis is above a place."""
        x, z = self.ahead(place, -0.035, sign(side) * self.body.stance)
        return Place(x, z, place.yaw + sign(side) * self.body.toe_out)

    def foot(self, side: str) -> Place:
        """Where a foot is, or is going to be."""
        return Place(*(self.value(f"{side}_foot_{name}") for name in ("x", "z", "yaw")))

    def between_feet(self) -> tuple[float, float]:
        """Where the pelvis is at ease above both feet, x and z."""
        left, right = self.foot("left"), self.foot("right")
        return self.ahead(Place((left.x + right.x) / 2, (left.z + right.z) / 2, self.yaw), 0.035)

    def arm_rest(self) -> dict[str, float]:
        """Angles of an arm at rest: hanging, or with the hand on the knee."""
        if self.posture in _LAP:
            return dict(_LAP[self.posture])
        return {"swing": -2.0, "spread": self.body.arm_spread, "turn": 10.0, "elbow": self.body.elbow}

    def arm(self, start: float | None, end: float, side: str, **angles: float) -> None:
        """Bring an arm from where it is at `start` (or from its last key) to angles at `end`."""
        values = {f"{side}_arm_{name}": value for name, value in angles.items()}
        if start is None:
            self.key(end, **values)
        else:
            self.move(start, end, **values)

    def rest_arms(self, start: float, end: float, sides: tuple[str, ...] = SIDES) -> None:
        """Bring arms to rest."""
        for side in sides:
            self.arm(start, end, side, **self.arm_rest())

    def shift(self, start: float, end: float, left: float = 0.0, forward: float = 0.0) -> None:
        """Standing, carry the weight so many metres to the left and forward of the middle of both feet."""
        if self.posture == "stand":
            x, z = self.ahead(Place(*self.between_feet(), self.yaw), forward, left)
            self.move(start, end, x=x, z=z)

    def upright(self, start: float, end: float) -> None:
        """Come to stand at ease above the feet, trunk and head up."""
        x, z = self.between_feet()
        trunk = dict.fromkeys(("roll", "hip_twist", "lean_side", "twist", "look", "tilt"), 0.0)
        self.move(start, end, x=x, z=z, y=self.body.stand, pitch=2.0, bend=self.body.lean, nod=2.0, **trunk)

    # --- the result ----------------------------------------------------------------------------------------------

    def joints(self, frames: int) -> np.ndarray:
        """Joints `[frames, 22, 3]` of what was keyed, metres, float32."""
        series = evaluate(list(self._keys.values()), frames, FPS)
        time = np.arange(frames) / FPS
        phase = self.rng.random((len(_SWAY), 2, 1)) * 2 * np.pi
        rate = 2 * np.pi * self.rng.uniform((0.15, 0.35), (0.3, 0.6), (len(_SWAY), 2))[..., None]
        sway = (np.sin(rate * time + phase) * np.array([[0.65], [0.35]])).sum(1)
        series[_SWAY_ROWS] += _SWAY_SIZES * sway
        air = np.zeros(frames)
        for start, duration in self.flights:
            t = time - start
            air += np.where((t > 0) & (t < duration), GRAVITY / 2 * t * (duration - t), 0.0)
        joints = pose_joints(self.body, dict(zip(CHANNELS, series, strict=True)), air)
        return joints.astype(np.float32)
