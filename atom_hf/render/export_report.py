"""What an export tells about itself: how far the joints in the file are from those of the motion."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..motion import Motion


class ExportReport(NamedTuple):
    """What was written, and how exact it is.

    Args:
        path (`Path`): the file, or the folder of a sequence.
        frames (`int`): number of frames.
        fps (`float`): frames per second.
        residual_mean (`float`): mean distance between the motion's joints and the file's, over frames and joints, mm.
            Rigs have bones of constant length, so it is what stretching bones and shearing hips leave over.
        residual_max (`float`): the largest of these distances, mm.
    """

    path: Path
    frames: int
    fps: float
    residual_mean: float
    residual_max: float

    @classmethod
    def of(cls, path: Path, motion: Motion, residual: np.ndarray | None = None) -> "ExportReport":
        """The report of a motion.

        Args:
            path (`Path`): what was written.
            motion ([`Motion`]): the motion.
            residual (`np.ndarray`, *optional*): distances `[T, J]` in metres; zero without it, for formats that keep
                joints as they are.

        Returns:
            [`ExportReport`]: in millimetres.
        """
        mean, worst = (0.0, 0.0) if residual is None else (float(residual.mean()), float(residual.max()))
        return cls(path, len(motion), motion.fps, 1000 * mean, 1000 * worst)
