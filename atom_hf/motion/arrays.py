"""Numpy and torch alike: constants and indices in the library, device and precision of an array at hand."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device, is_torch_array

Array = Any  # a numpy.ndarray or a torch.Tensor; functions return what they were given


def constant(values: Any, like: Array) -> Array:
    """Numbers as an array like another one.

    Args:
        values (`Array` or nested `Sequence[float]`): any shape, any unit; an array may be of either library.
        like (`Array`): whose library, dtype and device to take.

    Returns:
        `Array`: the numbers in their shape and unit.
    """
    if isinstance(like, np.ndarray):
        return np.asarray(values, dtype=like.dtype)
    if not is_torch_array(values):
        values = np.array(values)  # a copy: torch complains of tables that may not be written to
    return array_namespace(like).asarray(values, dtype=like.dtype, device=device(like))


def take(array: Array, indices: Sequence[int] | np.ndarray, axis: int) -> Array:
    """Elements along an axis.

    Args:
        array (`Array`): any shape, any unit.
        indices (`Sequence[int]` or `np.ndarray`): which elements, `[n]`, not negative.
        axis (`int`): along which axis.

    Returns:
        `Array`: as many elements along the axis as there are indices.
    """
    if isinstance(array, np.ndarray):
        return array.take(indices, axis)
    xp = array_namespace(array)
    return xp.take(array, xp.asarray(np.array(indices), device=device(array)), axis=axis)
