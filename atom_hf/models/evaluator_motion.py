"""Motions as the text-motion evaluator reads them: features of whole groups of four frames.

[Motion, features [170, 263]]  →  [features [T, 263], features [168, 263]]
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..motion import Motion
from ..motion.checks import check_features, check_lengths
from ..motion.layout import FEATURE_DIM
from .evaluator_networks import FRAMES_PER_STEP


def as_clips(motions: Any, lengths: Sequence[int] | Tensor | None = None) -> list[Tensor]:
    """Features of clips, checked and cut to whole groups of four frames.

    Args:
        motions (`Sequence` or `Array`): a list of [`Motion`] or features `[T, 263]`, or padded features
            `[B, T, 263]`; metres and radians at 20 fps.
        lengths (`Sequence[int]`, *optional*): `[B]`, frames of each clip of padded features.

    Returns:
        `list[Tensor]`: `[T_i, 263]`, float32, on the CPU.

    Raises:
        TypeError: if something is no motion.
        ValueError: if a clip has another width, NaN or fewer than 4 frames, or there are none.
    """
    if isinstance(motions, Motion):
        raise TypeError("Expected a list of motions, got a single one; put it into [ ].")
    if isinstance(motions, Tensor | np.ndarray):
        if motions.ndim != 3:
            raise ValueError(f"Expected padded features [B, T, {FEATURE_DIM}], got shape {list(motions.shape)}.")
        counts = check_lengths(lengths, len(motions), motions.shape[1], 0)
        motions = [clip[:count] for clip, count in zip(motions, counts, strict=True)]
    elif lengths is not None:
        raise ValueError(
            "lengths belong to padded features [B, T, 263]; clips of a list have their own. Leave them out."
        )
    elif not isinstance(motions, Sequence):
        raise TypeError(f"Expected a list of motions or features [B, T, {FEATURE_DIM}], got {type(motions).__name__}.")
    if not len(motions):
        raise ValueError("Expected at least one motion, got an empty list.")
    return [_as_clip(motion, number) for number, motion in enumerate(motions)]


def _as_clip(motion: Any, number: int) -> Tensor:
    features = motion.to_features() if isinstance(motion, Motion) else motion
    if not isinstance(features, Tensor | np.ndarray):
        raise TypeError(
            f"Expected motion {number} as a Motion or features [T, {FEATURE_DIM}], got {type(motion).__name__}."
        )
    clip = torch.as_tensor(np.asarray(features) if isinstance(features, np.ndarray) else features.detach().cpu())
    if clip.ndim != 2 or len(clip) < FRAMES_PER_STEP:
        raise ValueError(
            f"Expected motion {number} as features [T, {FEATURE_DIM}] of at least {FRAMES_PER_STEP} frames, got shape "
            f"{list(clip.shape)}."
        )
    try:
        check_features(clip)
    except (TypeError, ValueError) as error:
        raise type(error)(f"Motion {number}: {error}") from error
    return clip[: len(clip) // FRAMES_PER_STEP * FRAMES_PER_STEP].float()
