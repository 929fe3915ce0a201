"""How many of a model's outputs are motions at all, before anything is said about how good they are.

valid_share([joints, None, torn])  →  ValidShare(share=0.33, valid=(True, False, False), causes={"nothing": 1, …})
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..motion.arrays import Array, numpy_double
from ..motion.checks import check_fps
from ..motion.layout import FPS
from ..motion.skeleton import JOINT_NAMES

FASTEST_JOINT = 25.0  # metres per second: more than the hand of a pitcher


class ValidShare(NamedTuple):
    """How many of a model's outputs are motions at all.

    Args:
        share (`float`): share of valid ones, 0 to 1; higher is better, and below 1 every other mean is one over the
            survivors only.
        valid (`tuple[bool, ...]`): one for each output.
        causes (`dict[str, int]`): how often each cause made an output invalid.
    """

    share: float
    valid: tuple[bool, ...]
    causes: dict[str, int]


def valid_share(clips: Sequence[Array | None], fps: float = FPS, *, min_frames: int = 2) -> ValidShare:
    """How many of a model's outputs are motions: there at all, long enough, finite, and with no joint that teleports.

    Args:
        clips (`Sequence[Array]`): joints `[T, 22, 3]` in metres; None where there was nothing to decode.
        fps (`float`, *optional*, defaults to 20.0): frames per second.
        min_frames (`int`, *optional*, defaults to 2): what a motion has at least.

    Returns:
        [`ValidShare`]: the share, which ones, and the causes of the others: `"nothing"`, `"too short"`,
            `"not finite"`, `"too fast"` (a joint above 25 m/s).

    Raises:
        TypeError: if fps is no number.
        ValueError: if there are no clips, or one is no `[T, 22, 3]`.
    """
    fps = check_fps(fps)
    if not len(clips):
        raise ValueError("Expected at least one output of the model, got none.")
    causes = [_cause(clip, fps, min_frames) for clip in clips]
    valid = tuple(cause is None for cause in causes)
    return ValidShare(sum(valid) / len(valid), valid, dict(Counter(cause for cause in causes if cause)))


def _cause(clip: Array | None, fps: float, min_frames: int) -> str | None:
    if clip is None:
        return "nothing"
    joints = numpy_double(clip)
    if joints.ndim != 3 or joints.shape[1:] != (len(JOINT_NAMES), 3):
        raise ValueError(f"Expected joints of shape [T, 22, 3], got {list(joints.shape)}.")
    if len(joints) < min_frames:
        return "too short"
    if not np.isfinite(joints).all():
        return "not finite"
    fastest = np.linalg.norm(np.diff(joints, axis=0), axis=-1).max(initial=0.0) * fps
    return "too fast" if fastest > FASTEST_JOINT else None
