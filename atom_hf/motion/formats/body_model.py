"""Body models, the user's own SMPL, SMPL-H and SMPL-X files: their arrays, their tree of joints, their legs.

read_body_model("SMPL_NEUTRAL.pkl", ("v_template", "kintree_table"))  →  {"v_template": [6890, 3], ...}
"""

from pathlib import Path

import numpy as np

from ..skeleton import NUM_JOINTS, PARENTS
from .files import MotionFormatError, read_npz
from .restricted_pickle import read_pickled_arrays

_LEGS = [4, 5, 7, 8]  # knees and ankles: the ends of thighs and shins


def read_body_model(path: str | Path, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Arrays of a body model; a pickle is read without running what it asks for.

    Args:
        path (`str` or `Path`): the `.npz` or `.pkl` file.
        names (`tuple[str, ...]`): the arrays that are needed.

    Returns:
        `dict[str, np.ndarray]`: name to array, as stored; shapes and values are the caller's to check.

    Raises:
        MotionFormatError: if the file is absent, broken or hostile, lacks an array, or ends otherwise.
    """
    suffix = Path(path).suffix.lower()
    if suffix == ".pkl":
        return read_pickled_arrays(path, names)
    if suffix == ".npz":
        return read_npz(path, names, required=names)
    raise MotionFormatError(path, f"expected a body model ending in .npz or .pkl, got {suffix or 'no suffix'!r}.")


def check_tree(path: str | Path, tree: np.ndarray) -> None:
    """Raise unless the first 22 joints of a body model are ours.

    Args:
        path (`str` or `Path`): the file, for the message.
        tree (`np.ndarray`): its `kintree_table`, `[2, J]`: parents of the joints, then their numbers.

    Raises:
        MotionFormatError: if there are fewer joints, or they have other parents.
    """
    if tuple(tree[0, 1:NUM_JOINTS].tolist()) != PARENTS[1:]:
        raise MotionFormatError(
            path, "expected SMPL's tree of joints, but its first 22 joints hang together otherwise."
        )


def leg_length(offsets: np.ndarray) -> float:
    """Length of both legs, by which bodies of different size are compared.

    Args:
        offsets (`np.ndarray`): offset of each joint from its parent, `[22, 3]` in metres.

    Returns:
        `float`: thighs and shins of both sides together, metres.
    """
    return float(np.linalg.norm(offsets[_LEGS], axis=-1).sum())
