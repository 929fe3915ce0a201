"""Columns of the metrics' tables: how `evaluate` stores embeddings and motions, and how they are read back.

`evaluate` writes whatever it is given into Arrow tables, row by row, so that batches of several processes can be put
together; arrays come back as lists.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import datasets
import numpy as np

from atom_hf.evaluation.embeddings import as_double
from atom_hf.motion import load_motion
from atom_hf.motion.layout import FPS

EMBEDDING = datasets.List(datasets.Value("float64"))  # [D], unitless
SAMPLES = datasets.List(EMBEDDING)  # [samples, D], of one text
MOTION_FORMS = (datasets.Value("string"), datasets.List(SAMPLES))  # a path, or joints [T, 22, 3]

_EXPECTED = "Expected each motion as a path or as joints [T, 22, 3]"

# All that any of the metrics takes. A combination of metrics hands everything to each of them, so each one leaves
# alone what belongs to the others, and still finds typing errors.
TAKEN = frozenset(
    "predictions references texts samples prompts batch_size seed top_k subsets subset_size neighbours times pairs "
    "fps floor judge scenarios own_task_only confidence weights level categories model "
    "tasks base_url budget store".split()
)


class Clip(NamedTuple):
    """One motion of a table.

    Args:
        joints (`np.ndarray`, *optional*): `[T, 22, 3]`, metres; None where nothing was generated.
        fps (`float`): frames per second.
    """

    joints: np.ndarray | None
    fps: float


class MotionColumn:
    """Chooses how `predictions` are stored, as paths or as joints; stands before `evaluate.Metric`.

    Overrides `_infer_feature_from_batch` and `_infer_feature_from_example`, which try one form after the other on the
    first row, and end in IndexError or KeyError where it is missing or neither.
    """

    features: list[Any]  # one for each of MOTION_FORMS

    def _infer_feature_from_batch(self, batch: Mapping[str, Any]) -> Any:
        return self.features[_form(batch["predictions"])]

    def _infer_feature_from_example(self, example: Mapping[str, Any]) -> Any:
        return self.features[_form([example["predictions"]])]


def _form(rows: Sequence[Any] | None) -> int:
    """Which of MOTION_FORMS the motions have; the first one that is there decides."""
    if rows is None or not len(rows):
        raise ValueError("Expected predictions with at least one motion, got none.")
    index, first = next(((i, row) for i, row in enumerate(rows) if row is not None), (0, None))
    if first is None or isinstance(first, str):
        return int(first is None)
    try:
        shape = list(np.shape(first))
    except ValueError:
        return 1  # frames that differ, which `clips` explains
    if len(shape) != 3:
        raise ValueError(f"{_EXPECTED}, but number {index} has shape {shape}. A single clip goes into a list.")
    return 1


def check_others(others: Mapping[str, Any]) -> None:
    """Raise if something was handed in that no metric takes.

    Args:
        others (`Mapping[str, Any]`): what a metric was given and does not take itself.

    Raises:
        TypeError: if one of them belongs to no metric.
    """
    if unknown := sorted(set(others) - TAKEN):
        raise TypeError(f"No metric takes {', '.join(unknown)}; what there is: {', '.join(sorted(TAKEN))}.")


def embeddings(rows: Sequence[Any], what: str, axes: int = 2) -> np.ndarray:
    """Rows of a table as one array.

    Args:
        rows (`Sequence`): `N` embeddings `[D]`, or `N` times several embeddings `[S, D]`.
        what (`str`): their name in messages.
        axes (`int`, *optional*, defaults to 2): 3 for several embeddings a row.

    Returns:
        `np.ndarray`: `[N, D]` or `[N, S, D]`, float64, unitless.

    Raises:
        ValueError: if they differ in size, one is missing, or a value is not finite.
    """
    if missing := [i for i, row in enumerate(rows) if row is None]:
        raise ValueError(f"Expected {what} for every row, but {len(missing)} lack them, first row {missing[0]}.")
    try:
        array = np.array(rows, dtype=np.float64)
    except ValueError:
        sizes = ", ".join(map(str, sorted({len(row) for row in rows})))
        samples = ", and as many samples for each text" if isinstance(rows[0][0], list) else ""
        raise ValueError(f"Expected {what} of one evaluator, all of one size{samples}, got sizes {sizes}.") from None
    return as_double(array, what, axes)


def clips(rows: Sequence[Any], fps: float = FPS) -> list[Clip]:
    """Motions of a table, from their files or as they are.

    Args:
        rows (`Sequence`): paths that [`load_motion`] reads, or joints `[T, 22, 3]` in metres; None or `""` where
            nothing was generated.
        fps (`float`, *optional*, defaults to 20.0): frames per second of joints and of `.npy` files with joints;
            other files know theirs.

    Returns:
        `list[Clip]`: one for each row.

    Raises:
        MotionFormatError: if a file cannot be read.
        ValueError: if joints have another shape.
    """
    return [_clip(row, index, fps) for index, row in enumerate(rows)]


def _clip(row: Any, index: int, fps: float) -> Clip:
    if row is None or row == "":
        return Clip(None, fps)
    if isinstance(row, str):
        motion = load_motion(row, **({"fps": fps} if Path(row).suffix.lower() == ".npy" else {}))
        return Clip(motion.joints, motion.fps)
    try:
        joints = np.asarray(row, dtype=np.float64)
    except ValueError:
        raise ValueError(f"{_EXPECTED}, but frames of number {index} differ in what they hold.") from None
    if joints.ndim != 3 or joints.shape[1:] != (22, 3):
        raise ValueError(f"{_EXPECTED}, but number {index} has shape {list(joints.shape)}.")
    return Clip(joints, fps)
