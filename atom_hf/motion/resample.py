"""Changing the frame rate of a clip without changing the body: directions are interpolated, bone lengths kept."""

import numpy as np
from array_api_compat import array_namespace

from .arrays import Array, constant, take
from .checks import check_fps, check_joints
from .kinematics import bones_of, joints_of


def resample_joints(joints: Array, fps: float, target_fps: float) -> Array:
    """Joint positions at another frame rate.

    The root's path and the directions of the bones follow cubic (Catmull-Rom) curves through the given frames; lengths
    of bones are interpolated linearly, so a body of constant proportions keeps them exactly. The first frame stays,
    the clip keeps its duration up to one frame, and where old and new frames coincide the pose is the old one.
    Downsampling takes the curve's values without a low-pass filter, as HumanML3D does.

    Args:
        joints (`Array`): positions `[..., T, 22, 3]` in metres, numpy or torch.
        fps (`float`): frames per second of the joints.
        target_fps (`float`): frames per second that are wanted.

    Returns:
        `Array`: positions `[..., S, 22, 3]` in metres, S = floor((T - 1) * target_fps / fps) + 1.

    Raises:
        TypeError: if the joints are no floating-point array or a rate is no number.
        ValueError: if the shape is another one, a value is not finite, or a rate is not above zero.
    """
    check_joints(joints)
    fps, target_fps = check_fps(fps), check_fps(target_fps)
    if fps == target_fps:
        return joints
    xp = array_namespace(joints)
    frames = joints.shape[-3]
    times = np.arange(int((frames - 1) * target_fps / fps + 1e-9) + 1) * (fps / target_fps)
    bones = bones_of(joints)
    lengths = xp.linalg.vector_norm(bones, axis=-1, keepdims=True)
    directions = _interpolate(bones / (lengths + 1e-12), times, cubic=True)
    directions = directions / (xp.linalg.vector_norm(directions, axis=-1, keepdims=True) + 1e-12)
    bones = directions * _interpolate(lengths, times, cubic=False)
    return joints_of(_interpolate(joints[..., :1, :], times, cubic=True)[..., 0, :], bones)


def bone_length_deviation(joints: Array) -> Array:
    """How much the bones of a clip change their length: standard deviation over time relative to the mean.

    Args:
        joints (`Array`): positions `[..., T, 22, 3]` in metres, numpy or torch.

    Returns:
        `Array`: `[..., 21]`, unitless, for joints 1 to 21 and the bone that leads to each; 0 for a rigid body.

    Raises:
        TypeError: if the joints are no floating-point array.
        ValueError: if the shape is another one or a value is not finite.
    """
    check_joints(joints)
    xp = array_namespace(joints)
    lengths = xp.linalg.vector_norm(bones_of(joints), axis=-1)
    mean = xp.mean(lengths, axis=-2, keepdims=True)
    return xp.sqrt(xp.mean((lengths - mean) ** 2, axis=-2)) / (mean[..., 0, :] + 1e-12)


def _interpolate(x: Array, times: np.ndarray, cubic: bool) -> Array:
    """Values of `x [..., T, J, C]` at fractional frames `times [S]`."""
    last = x.shape[-3] - 1
    start = np.clip(np.floor(times + 1e-9).astype(np.int64), 0, max(last - 1, 0))
    part = constant(times - start, x)[:, None, None]

    def frame(shift: int) -> Array:
        return take(x, np.clip(start + shift, 0, last), axis=-3)

    here, after = frame(0), frame(1)
    if not cubic:
        return here + (after - here) * part
    # The end frames have no neighbour: the curve is continued straight there.
    at_start, at_end = (constant(edge, x)[:, None, None] for edge in (start == 0, start + 2 > last))
    before = at_start * (2 * here - after) + (1 - at_start) * frame(-1)
    beyond = at_end * (2 * after - here) + (1 - at_end) * frame(2)
    rise, fall = (after - before) / 2, (beyond - here) / 2
    difference = after - here
    return here + part * (rise + part * (3 * difference - 2 * rise - fall + part * (rise + fall - 2 * difference)))
