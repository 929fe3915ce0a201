"""What a number was made from, as a SHA-256 hash: arrays by type, shape and values, files by their bytes."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from array_api_compat import is_torch_array

_PIECE = 2**20


def fingerprint_arrays(arrays: Iterable[Any]) -> str:
    """Hash of arrays, the same for numpy and torch, and for any device.

    Args:
        arrays (`Iterable[Any]`): numpy arrays or torch tensors of any shape and unit, or texts, in an order that
            counts. `None` stands for one that is not there.

    Returns:
        `str`: 64 hexadecimal digits.

    Raises:
        TypeError: if one is neither an array nor a text.
    """
    digest = hashlib.sha256()
    for array in arrays:
        if is_torch_array(array):
            array = array.detach().cpu()
            array = (array.float() if array.dtype.itemsize == 2 and array.is_floating_point() else array).numpy()
        if array is None or isinstance(array, str):
            digest.update(f"{type(array).__name__} {len(array or '')} {array}\0".encode())
        elif isinstance(array, np.ndarray) and not array.dtype.hasobject:
            plain = np.ascontiguousarray(array.astype(array.dtype.newbyteorder("<"), copy=False))
            digest.update(f"{plain.dtype.str} {array.shape}\0".encode())
            digest.update(plain.data.cast("B") if plain.size else b"")
        else:
            raise TypeError(f"Expected numpy arrays, torch tensors or texts to hash, got {type(array).__name__}.")
    return digest.hexdigest()


def fingerprint_files(paths: Iterable[str | Path]) -> str:
    """Hash of the contents of files, whatever their names; for an evaluator's weights or stored statistics.

    Args:
        paths (`Iterable[str | Path]`): files, in an order that counts.

    Returns:
        `str`: 64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for path in paths:
        digest.update(f"{Path(path).stat().st_size}\0".encode())
        with Path(path).open("rb") as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
    return digest.hexdigest()
