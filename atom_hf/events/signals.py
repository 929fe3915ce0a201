"""Quantities over time that detectors read: positions in the body's frame, heights, speeds, heading, trunk, contacts.

signals = measure(joints)            # lengths in body heights, times in frames of 20 fps
signals.clearance[:, 0]  →  how far the left foot is above where it rests, per frame
"""

from dataclasses import dataclass

import numpy as np

from ..motion.checks import check_fps, check_joints
from ..motion.layout import FPS
from ..motion.resample import resample_joints
from ..motion.skeleton import JOINT_NAMES
from .parameters import Parameters
from .series import rate_of, smooth

SIDES = ("left", "right")
STATURE = 1.21  # body height over the sum of thigh, shank and spine up to the neck, of an adult
_JOINT = {name: index for index, name in enumerate(JOINT_NAMES)}
_CHAIN = ("pelvis", "spine1", "spine2", "spine3", "neck")


@dataclass(frozen=True, eq=False)
class Signals:
    """One clip at 20 fps, seen from the body. Lengths in body heights (bh), speeds in bh/s, angles in degrees.

    Args:
        local (`np.ndarray`): joints `[T, 22, 3]` around the pelvis: to the left, height above the floor, forward.
        world (`np.ndarray`): joints `[T, 22, 3]` in the world's axes.
        velocity (`np.ndarray`): of the joints, `[T, 22, 3]`, world axes.
        heading (`np.ndarray`): `[T]`, degrees, unwrapped, of hips and shoulders; grows while turning left.
        toes (`np.ndarray`): `[T]`, degrees, unwrapped: the mean direction in which the feet point.
        tilt (`np.ndarray`): `[T]`, degrees of the trunk from upright.
        lean (`np.ndarray`): `[T]`, degrees of the trunk from upright, forward only.
        clearance (`np.ndarray`): `[T, 2]`, left and right foot above where they rest.
        reach (`np.ndarray`): `[T, 2]`, distance from shoulder to wrist as a share of the arm's length.
        rise (`np.ndarray`): `[T]`, pelvis above the floor as a share of its height in standing.
        height (`float`): body height in metres.
    """

    local: np.ndarray
    world: np.ndarray
    velocity: np.ndarray
    heading: np.ndarray
    toes: np.ndarray
    tilt: np.ndarray
    lean: np.ndarray
    clearance: np.ndarray
    reach: np.ndarray
    rise: np.ndarray
    height: float

    def __len__(self) -> int:
        return len(self.local)

    def at(self, name: str) -> np.ndarray:
        """A joint in the body's frame, `[T, 3]`: to the left, above the floor, forward."""
        return self.local[:, _JOINT[name]]

    def place(self, name: str) -> np.ndarray:
        """A joint in the world's axes, `[T, 3]`."""
        return self.world[:, _JOINT[name]]

    def speed_of(self, name: str) -> np.ndarray:
        """Velocity of a joint, `[T, 3]`, world axes."""
        return self.velocity[:, _JOINT[name]]


def measure(joints: np.ndarray, fps: float = FPS, parameters: Parameters | None = None) -> Signals:
    """Everything that detectors read, from joints.

    Args:
        joints (`np.ndarray`): positions `[T, 22, 3]` in metres, Y up.
        fps (`float`, *optional*, defaults to 20.0): frames per second of the joints.
        parameters ([`Parameters`], *optional*): thresholds.

    Returns:
        [`Signals`]: at 20 fps, whatever the given rate.

    Raises:
        TypeError: if the joints are no floating-point array.
        ValueError: if there are fewer than 2 frames, a value is not finite, or the body is no person in metres.
    """
    p = parameters or Parameters()
    check_joints(joints, min_frames=2)
    if joints.ndim != 3:
        raise ValueError(f"Expected one clip, joints [T, 22, 3], got shape {list(joints.shape)}; detect clip by clip.")
    if float(np.abs(joints).max()) > p.max_distance:
        raise ValueError(
            f"Expected positions in metres within {p.max_distance:g} m of the origin, got "
            f"{float(np.abs(joints).max()):.3g}. Convert the units, or leave out broken motion."
        )
    joints = np.asarray(joints, dtype=np.float32)
    if check_fps(fps) != FPS:
        joints = resample_joints(joints, fps, FPS)
        if len(joints) < 2:
            raise ValueError(f"Expected at least {1 / FPS:g} seconds of motion, got less at {fps:g} fps.")
    world = smooth(joints, p.smooth_joints)
    height = body_height(world)
    if not p.min_height <= height <= p.max_height:
        raise ValueError(
            f"Expected a body height from {p.min_height:g} to {p.max_height:g} m, but the bones say {height:.3g} m. "
            "Joints are in metres; divide centimetres by 100."
        )
    world = world / height
    velocity = rate_of(world)
    across = world[:, 1] - world[:, 2] + world[:, 16] - world[:, 17]
    left = smooth(across[:, [0, 2]], p.smooth_heading)
    left = left / np.maximum(np.linalg.norm(left, axis=-1, keepdims=True), 1e-9)
    forward = np.stack([-left[:, 1], left[:, 0]], axis=-1)

    floor = _floor(world, p.floor_window)
    around = world - world[:, :1]
    local = np.stack(
        [
            around[..., 0] * left[:, None, 0] + around[..., 2] * left[:, None, 1],
            world[..., 1] - floor[:, None],
            around[..., 0] * forward[:, None, 0] + around[..., 2] * forward[:, None, 1],
        ],
        axis=-1,
    )
    clearance = _clearance(local[..., 1])
    trunk = world[:, _JOINT["neck"]] - world[:, 0]
    trunk = trunk / np.maximum(np.linalg.norm(trunk, axis=-1, keepdims=True), 1e-9)
    ahead = trunk[:, 0] * forward[:, 0] + trunk[:, 2] * forward[:, 1]
    return Signals(
        local=local,
        world=world,
        velocity=velocity,
        heading=np.degrees(np.unwrap(np.arctan2(forward[:, 0], forward[:, 1]))),
        toes=_toes(world, clearance < p.contact_clearance, p.smooth_heading),
        tilt=np.degrees(np.arccos(np.clip(trunk[:, 1], -1, 1))),
        lean=np.degrees(np.arctan2(ahead, np.maximum(trunk[:, 1], 1e-3))),
        clearance=clearance,
        reach=_reach(world),
        rise=_rise(local[:, 0, 1], clearance.min(axis=1) < p.contact_clearance, _leg(world), p.standing),
        height=height,
    )


def body_height(joints: np.ndarray) -> float:
    """Body height in metres from the lengths of thighs, shanks and spine, whatever the pose.

    Args:
        joints (`np.ndarray`): positions `[T, 22, 3]` in metres.

    Returns:
        `float`: metres.
    """
    return STATURE * (_leg(joints) + _length(joints, _CHAIN))


def _leg(joints: np.ndarray) -> float:
    sides = (_length(joints, (f"{side}_hip", f"{side}_knee", f"{side}_ankle")) for side in SIDES)
    return sum(sides) / 2


def _length(joints: np.ndarray, chain: tuple[str, ...]) -> float:
    index = [_JOINT[name] for name in chain]
    bones = np.diff(joints[::4, index], axis=1)  # every fifth of a second is enough
    return float(np.sqrt((bones * bones).sum(axis=-1)).mean(axis=0).sum())


def _floor(world: np.ndarray, window: float) -> np.ndarray:
    """Height of the floor `[T]`: the lowest joint nearby in time, so that stairs and slopes do not look like jumps."""
    radius = round(window * FPS)
    lowest = np.pad(world[..., 1].min(axis=1), radius, mode="edge")
    lowest = np.lib.stride_tricks.sliding_window_view(lowest, 2 * radius + 1).min(axis=-1)
    return smooth(lowest, window / 3)


def _clearance(heights: np.ndarray) -> np.ndarray:
    """Feet above where they rest, `[T, 2]`: the lower of heel and toes, each against its own resting height."""
    feet = heights[:, [7, 10, 8, 11]]
    rest = np.quantile(feet, 0.1, axis=0)
    rest = np.minimum(rest, np.tile(rest.reshape(2, 2).min(axis=0), 2) + 0.01)  # a foot held up all the time
    above = feet - rest
    return np.minimum(above[:, ::2], above[:, 1::2])


def _toes(world: np.ndarray, grounded: np.ndarray, seconds: float) -> np.ndarray:
    """Direction of the feet `[T]` in degrees; a foot in the air, which may point anywhere, hardly counts."""
    feet = (world[:, [10, 11]] - world[:, [7, 8]])[..., [0, 2]]
    feet = feet / np.maximum(np.linalg.norm(feet, axis=-1, keepdims=True), 1e-9)
    both = smooth((feet * np.where(grounded, 1.0, 0.1)[..., None]).sum(axis=1), seconds)
    return np.degrees(np.unwrap(np.arctan2(both[:, 0], both[:, 1])))


def _rise(pelvis: np.ndarray, grounded: np.ndarray, leg: float, standing: tuple[float, float]) -> np.ndarray:
    """Pelvis over its height in standing, which is about a leg and where the skeleton has its joints decides."""
    highest = float(np.quantile(pelvis[grounded], 0.9)) if grounded.any() else leg
    return pelvis / float(np.clip(highest, standing[0] * leg, standing[1] * leg))


def _reach(world: np.ndarray) -> np.ndarray:
    columns = []
    for side in SIDES:
        arm = _length(world, (f"{side}_shoulder", f"{side}_elbow", f"{side}_wrist"))
        stretch = world[:, _JOINT[f"{side}_wrist"]] - world[:, _JOINT[f"{side}_shoulder"]]
        columns.append(np.linalg.norm(stretch, axis=-1) / max(arm, 1e-9))
    return np.stack(columns, axis=-1)
