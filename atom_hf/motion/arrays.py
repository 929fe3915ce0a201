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


def at_least_float32(array: Array) -> Array:
    """Half precision, in which sums over hundreds of frames lose centimetres, as float32; other arrays as they are.

    Args:
        array (`Array`): floating-point numbers of any shape and unit.

    Returns:
        `Array`: float32 or float64.
    """
    xp = array_namespace(array)
    return xp.astype(array, xp.float32) if array.dtype.itemsize < 4 else array


def numpy_double(array: Array) -> np.ndarray:
    """An array as numpy has it, wherever it lies, in double precision.

    Third differences of float32 numbers at 100 m from the origin are noise.

    Args:
        array (`Array`): any shape, any unit; sequences of numbers do as well.

    Returns:
        `np.ndarray`: float64, of the same shape.
    """
    if is_torch_array(array):
        array = array.detach().cpu().double()  # numpy has no bfloat16
    return np.asarray(array, dtype=np.float64)


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
