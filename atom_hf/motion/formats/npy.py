"""`.npy` arrays as text-to-motion code passes them around: joints `[T, 22, 3]` or HumanML3D features `[T, 263]`."""

import warnings
from pathlib import Path

import numpy as np

from ..checks import check_fps
from ..layout import FEATURE_DIM, FPS
from ..motion import Motion
from ..skeleton import NUM_JOINTS
from .files import MotionFormatError, read_npy, replacing


def read_npy_motion(path: str | Path, fps: float = FPS) -> Motion:
    """The motion in a `.npy` file; joints and features are told apart by the array's shape.

    Args:
        path (`str` or `Path`): a file with joints `[T, 22, 3]` in metres, Y up, or features `[T, 263]` that are not
            normalised.
        fps (`float`, *optional*, defaults to 20.0): frames per second of joints; features always have 20.

    Returns:
        [`Motion`]: the motion; with its features if the file held features.

    Raises:
        MotionFormatError: if the file is absent, broken, hostile, or holds something else.
        TypeError: if fps is no number.
        ValueError: if fps is not above zero.
    """
    fps = check_fps(fps)
    array = read_npy(path)
    if array.dtype.kind not in "fiu":
        raise MotionFormatError(path, f"expected floating-point numbers, got {array.dtype}.")
    array = array if array.dtype in (np.float32, np.float64) else array.astype(np.float32)
    try:
        if array.ndim == 3 and array.shape[1:] == (NUM_JOINTS, 3):
            return Motion(array, fps)
        if array.ndim == 2 and array.shape[1] == FEATURE_DIM:
            if fps != FPS:
                raise ValueError(f"HumanML3D features have {FPS:g} fps, but {fps:g} were asked for; leave fps out.")
            return Motion.from_features(array)
    except ValueError as error:
        raise MotionFormatError(path, str(error)) from error
    raise MotionFormatError(
        path, f"expected joints [T, {NUM_JOINTS}, 3] or features [T, {FEATURE_DIM}], got shape {list(array.shape)}."
    )


def write_npy_motion(motion: Motion, path: str | Path) -> None:
    """Write the joints of a motion, `[T, 22, 3]` in metres.

    Such a file does not hold the frame rate, and everybody takes it for 20 fps; so another rate gets a warning.

    Args:
        motion ([`Motion`]): the motion.
        path (`str` or `Path`): the `.npy` file.
    """
    if motion.fps != FPS:
        warnings.warn(
            f"{path} will not say that it has {motion.fps:g} fps, and readers take .npy files for {FPS:g}; write "
            f"motion.resample({FPS:g}), or read it with load_motion(path, fps={motion.fps:g}).",
            stacklevel=3,
        )
    with replacing(path) as temporary:
        np.save(temporary, motion.joints)
