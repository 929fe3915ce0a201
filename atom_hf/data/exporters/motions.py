"""Motions as files: one for each that differs, named after its codes, and decoded in batches.

motion_name([5, 7, 300])    →  "m9864e8346ce3b043"
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...motion.formats.files import replacing
from ...motion.layout import FEATURE_DIM

Decode = Callable[[list[list[int]]], Sequence[Any]]


def motion_name(codes: Sequence[int]) -> str:
    """A name for a motion, the same for the same codes.

    Args:
        codes (`Sequence[int]`): `[n]` integers, 4 frames each.

    Returns:
        `str`: such as `"m9864e8346ce3b043"`.
    """
    return f"m{hashlib.sha256(np.asarray(codes, '<i4').tobytes()).hexdigest()[:16]}"


def save_array(path: Path, array: np.ndarray) -> None:
    """Write a `.npy` file, whole or not at all.

    Args:
        path (`Path`): the file; folders are made.
        array (`np.ndarray`): of any shape, codes or frames.
    """
    with replacing(path) as unfinished:
        np.save(unfinished, array, allow_pickle=False)


class FeatureWriter:
    """Decodes motions in batches and writes their features, each motion once.

    Args:
        folder (`Path`): where `<name>.npy` goes, features `[T, 263]`, float32.
        decode (`Callable`): takes lists of codes and gives features `[T, 263]` of each, not normalised, 20 fps; arrays
            of numpy or torch.
        batch_size (`int`): motions that are decoded at once.

    Raises:
        ValueError: if the batch size is below 1.
    """

    def __init__(self, folder: Path, decode: Decode, batch_size: int) -> None:
        if batch_size < 1:
            raise ValueError(f"A batch has at least one motion, got batch_size={batch_size}.")
        self.folder, self._decode, self._batch_size = folder, decode, batch_size
        self._waiting: dict[str, list[int]] = {}

    def add(self, codes: Sequence[int]) -> str:
        """Take a motion, unless it is there already.

        Args:
            codes (`Sequence[int]`): `[n]`, 4 frames each.

        Returns:
            `str`: name of the motion.
        """
        name = motion_name(codes)
        if name not in self._waiting and not (self.folder / f"{name}.npy").exists():
            self._waiting[name] = list(codes)
            if len(self._waiting) >= self._batch_size:
                self.flush()
        return name

    def flush(self) -> None:
        """Decode and write what is waiting.

        Raises:
            ValueError: if `decode` gives something else than features of each motion.
        """
        if not self._waiting:
            return
        decoded = list(self._decode(list(self._waiting.values())))
        if len(decoded) != len(self._waiting):
            raise ValueError(f"Expected features of {len(self._waiting)} motions from decode, got {len(decoded)}.")
        arrays = [_features(array, name) for name, array in zip(self._waiting, decoded, strict=True)]
        for name, array in zip(self._waiting, arrays, strict=True):
            save_array(self.folder / f"{name}.npy", array)
        self._waiting.clear()


def _features(array: Any, name: str) -> np.ndarray:
    array = array.detach().cpu().numpy() if hasattr(array, "detach") else np.asarray(array)
    if array.ndim != 2 or array.shape[1] != FEATURE_DIM or not len(array) or array.dtype.kind != "f":
        raise ValueError(
            f"Expected features [T, {FEATURE_DIM}] of motion {name} from decode, got {array.dtype} of shape "
            f"{array.shape}."
        )
    if not np.isfinite(array).all():
        raise ValueError(f"Expected finite features of motion {name} from decode, got NaN or infinity.")
    return array.astype(np.float32)


def row_motion(row: Mapping[str, Any], side: str) -> list[int]:
    """Codes of one motion of a row.

    Args:
        row (`Mapping`): of the dataset.
        side (`str`): `"chosen"` or `"rejected"`.

    Returns:
        `list[int]`: `[n]`, 4 frames each.
    """
    return [int(code) for code in row[f"{side}_codes"]]
