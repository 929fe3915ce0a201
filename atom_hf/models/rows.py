"""Motions as people hand them in, one or several, and rows of numbers as models take them.

as_list([5, 7])  →  [[5, 7]]        as_list([[5, 7], [9]])  →  [[5, 7], [9]]
pad([[5, 7], [9]], 0, "left")       →  [[5, 7], [0, 9]]
"""

from typing import Any, NamedTuple

import numpy as np

from ..motion import Motion, MotionStats
from ..motion.checks import check_features
from ..motion.layout import FEATURE_DIM


def as_list(motions: Any) -> list[Any]:
    """One motion or several, as a list.

    Args:
        motions ([`Motion`], array or list): a [`Motion`] or a row of numbers is one, a matrix or a list several.

    Returns:
        `list`: the motions.
    """
    if isinstance(motions, Motion) or getattr(motions, "ndim", 2) < 2:
        return [motions]
    first = motions[0] if len(motions) else 0
    return [motions] if isinstance(first, int | np.integer) or getattr(first, "ndim", 1) == 0 else list(motions)


def codes_of(motion: Any) -> np.ndarray:
    """Codes of one motion.

    Args:
        motion ([`Motion`], array or list): a motion that has codes, or `[n]` codes.

    Returns:
        `np.ndarray`: `[n]`, 4 frames each.

    Raises:
        ValueError: if a [`Motion`] has none.
    """
    if not isinstance(motion, Motion):
        return as_numpy(motion)
    if motion.codes is None:
        raise ValueError(
            f"Expected a motion with codes, got {motion!r}; model.encode_motion([motion]) gives its codes."
        )
    return motion.codes


def as_numpy(values: Any) -> np.ndarray:
    """Numbers as an array of numpy.

    Args:
        values (array or list): numbers, numpy or torch on any device, any shape and unit.

    Returns:
        `np.ndarray`: the same numbers.
    """
    return np.asarray(values.detach().cpu() if hasattr(values, "detach") else values)


def pad(rows: list[list[int]], value: int, side: str) -> list[list[int]]:
    """Rows as long as the longest.

    Args:
        rows (`list[list[int]]`): at least one.
        value (`int`): what is added.
        side (`str`): `"left"` or `"right"`: where it is added.

    Returns:
        `list[list[int]]`: rows of one length.

    Raises:
        ValueError: if there is no such side.
    """
    if side not in ("left", "right"):
        raise ValueError(f"Expected padding_side 'left' or 'right', got {side!r}.")
    width = max(map(len, rows))
    fills = [[value] * (width - len(row)) for row in rows]
    return [some + row if side == "left" else row + some for some, row in zip(fills, rows, strict=True)]


class NormalizedFeatures(NamedTuple):
    """Several motions as a VQ-VAE takes them.

    Args:
        features (`np.ndarray`): `[B, T, 263]`, float32, unitless, zeros behind the end of shorter motions.
        lengths (`list[int]`): `[B]`, frames.
    """

    features: np.ndarray
    lengths: list[int]


def normalized(motions: Any, stats: MotionStats) -> NormalizedFeatures:
    """Features of motions, normalised, in one array.

    Args:
        motions ([`Motion`], array or list): features `[T, 263]` of a motion in metres and radians, a [`Motion`], or
            several.
        stats ([`MotionStats`]): mean and deviation that the model was trained with.

    Returns:
        [`NormalizedFeatures`]: the array, and the frames of each motion.

    Raises:
        TypeError: if something is no floating-point array.
        ValueError: if a shape is another one, a value is not finite, or there is no motion.
    """
    many = isinstance(motions, list | tuple) or getattr(motions, "ndim", 0) == 3
    clips = []
    for motion in motions if many else [motions]:
        clip = as_numpy(motion.to_features() if isinstance(motion, Motion) else motion)
        check_features(clip)
        if clip.ndim != 2:
            raise ValueError(f"Expected features [T, {FEATURE_DIM}] of one clip, got shape {list(clip.shape)}.")
        clips.append(np.asarray(stats.normalize(clip), dtype=np.float32))
    if not clips:
        raise ValueError("Expected at least one clip of features, got an empty list.")
    lengths = [len(clip) for clip in clips]
    padded = np.zeros((len(clips), max(lengths), FEATURE_DIM), dtype=np.float32)
    for row, clip in zip(padded, clips, strict=True):
        row[: len(clip)] = clip
    return NormalizedFeatures(padded, lengths)
