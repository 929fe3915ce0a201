"""Checks of arrays that users hand in; every message says what was expected, what came, and where."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from array_api_compat import array_namespace, is_array_api_obj

from .arrays import Array
from .layout import FEATURE_DIM
from .skeleton import JOINT_NAMES, NUM_JOINTS, PARENTS


def check_floats(array: Array, what: str) -> None:
    """Raise unless `array` is a numpy array or torch tensor of floating-point numbers.

    Args:
        array (`Array`): any shape, any unit.
        what (`str`): its name in the message.

    Raises:
        TypeError: if it is something else.
    """
    if not is_array_api_obj(array):
        hint = f" A Motion holds them: motion.{'to_features()' if what == 'features' else what}."
        hint = hint if hasattr(array, "joints") else ""
        raise TypeError(f"Expected {what} as a numpy array or a torch tensor, got {type(array).__name__}.{hint}")
    xp = array_namespace(array)
    if not xp.isdtype(array.dtype, "real floating"):
        raise TypeError(
            f"Expected {what} as floating-point numbers, got {array.dtype}; convert them to float32 first."
        )


def check_joints(joints: Array, min_frames: int = 1) -> None:
    """Raise unless `joints` are finite positions of the 22 joints.

    Args:
        joints (`Array`): expected `[..., T, 22, 3]` in metres.
        min_frames (`int`, *optional*, defaults to 1): frames that are needed.

    Raises:
        TypeError: if they are no floating-point array.
        ValueError: if the shape is another one, frames are missing, or a value is NaN or infinite (its place is
            named).
    """
    check_floats(joints, "joints")
    shape = tuple(joints.shape)
    if len(shape) < 3 or shape[-1] != 3 or shape[-2] != NUM_JOINTS:
        hint = ""
        if len(shape) >= 2 and shape[-1] == 3 and shape[-2] > NUM_JOINTS:
            hint = f" Of SMPL joints, the first {NUM_JOINTS} are the body: joints[..., :{NUM_JOINTS}, :]."
        elif shape and shape[-1] == FEATURE_DIM:
            hint = " These look like HumanML3D features: use features_to_joints first."
        raise ValueError(f"Expected joints of shape [..., T, {NUM_JOINTS}, 3], got {list(shape)}.{hint}")
    if shape[-3] < min_frames:
        raise ValueError(f"Expected at least {min_frames} frames, got {shape[-3]}.")
    xp = array_namespace(joints)
    if not bool(xp.all(xp.isfinite(joints))):
        *clip, frame, joint, _ = _first_place(~xp.isfinite(joints))
        where = f"clip {clip[-1]}, " if clip else ""
        raise ValueError(
            f"Joints must be finite, but {where}frame {frame}, joint {joint} ({JOINT_NAMES[joint]}) is NaN or "
            "infinite. Remove such frames or interpolate them."
        )


def check_bones(lengths: Array, bones: Sequence[int] | np.ndarray, clips: Sequence[int] | None = None) -> None:
    """Raise if a bone has no length.

    Args:
        lengths (`Array`): lengths of bones `[N, B, T]` in metres.
        bones (`Sequence[int]` or `np.ndarray`): joint at the end of each of the N bones.
        clips (`Sequence[int]`, *optional*): number of each of the B clips in what the user gave; left out for a single
            clip.

    Raises:
        ValueError: naming the clip, frame and joints of the first such bone.
    """
    xp = array_namespace(lengths)
    if bool(xp.all(lengths > 1e-8)):
        return
    row, clip, frame = _first_place(lengths <= 1e-8)
    joint = bones[row]
    where = f"frame {frame}" if clips is None else f"clip {clips[clip]}, frame {frame}"
    raise ValueError(
        f"The bone from {JOINT_NAMES[PARENTS[joint]]} to {JOINT_NAMES[joint]} has no length in {where}: both joints "
        "are in one place, so its direction is unknown. Joints missing from the source must be filled in first."
    )


def check_features(features: Array) -> None:
    """Raise unless `features` are finite HumanML3D features.

    Args:
        features (`Array`): expected `[..., T, 263]`; metres, radians, 20 fps, not normalised.

    Raises:
        TypeError: if they are no floating-point array.
        ValueError: if the shape is another one or a value is NaN or infinite (its place is named).
    """
    check_floats(features, "features")
    shape = tuple(features.shape)
    if len(shape) < 2 or shape[-1] != FEATURE_DIM:
        hint = (
            " 251 is KIT-ML's layout of 21 joints, which this package does not read." if shape[-1:] == (251,) else ""
        )
        raise ValueError(f"Expected features of shape [..., T, {FEATURE_DIM}], got {list(shape)}.{hint}")
    if shape[-2] == 0:
        raise ValueError("Expected at least 1 frame of features, got 0.")
    xp = array_namespace(features)
    if not bool(xp.all(xp.isfinite(features))):
        *clip, frame, dim = _first_place(~xp.isfinite(features))
        where = f"clip {clip[-1]}, " if clip else ""
        raise ValueError(f"Features must be finite, but {where}frame {frame}, dimension {dim} holds NaN or infinity.")


def check_lengths(lengths: Sequence[int] | Array | None, clips: int, frames: int, minimum: int) -> np.ndarray:
    """Lengths of padded clips as integers.

    Args:
        lengths (`Sequence[int]` or `Array`, *optional*): frames of each clip `[B]`; None means all of them.
        clips (`int`): number of clips B.
        frames (`int`): frames of the padded array.
        minimum (`int`): fewest frames a clip may have.

    Returns:
        `np.ndarray`: lengths `[B]`, int64, in frames.

    Raises:
        ValueError: if their number is not B or one of them is not from `minimum` to `frames`.
    """
    if lengths is None:
        return np.full(clips, frames)
    numbers = np.array([int(n) for n in lengths], dtype=np.int64)
    if numbers.shape != (clips,) or (numbers < minimum).any() or (numbers > frames).any():
        raise ValueError(f"Expected {clips} lengths from {minimum} to {frames} frames, got {numbers.tolist()}.")
    return numbers


def check_fps(fps: Any) -> float:
    """A frame rate as a float.

    Args:
        fps (`float`): frames per second.

    Returns:
        `float`: the same.

    Raises:
        TypeError: if it is no number.
        ValueError: if it is not a finite number above zero.
    """
    if isinstance(fps, bool) or not isinstance(fps, (int, float, np.integer, np.floating)):
        raise TypeError(f"fps (frames per second) is a number, got {type(fps).__name__}.")
    value = float(fps)
    if not (np.isfinite(value) and value > 0):
        raise ValueError(f"fps (frames per second) is a finite number above zero, got {value}.")
    return value


def _first_place(mask: Array) -> list[int]:
    xp = array_namespace(mask)
    return [int(index[0]) for index in xp.nonzero(mask)]
