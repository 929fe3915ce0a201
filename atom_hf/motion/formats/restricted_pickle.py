"""Arrays out of the pickles in which body models are published, without running what a pickle asks for.

    read_pickled_arrays("SMPL_NEUTRAL.pkl", ("v_template", "shapedirs"))  →  {"v_template": [6890, 3], ...}

A pickle is a program that may call any function by its name. Here every name on a short list gets a class of this
module, which keeps what it is given and does nothing; any other name is refused. Arrays are built afterwards, from
bytes and a checked shape, so NumPy, SciPy and chumpy (whose objects the official files hold) never run on its word.
"""

import io
import math
import pickle
import pickletools
import re
from pathlib import Path
from typing import Any

import numpy as np

from .files import MotionFormatError

_MAX_BYTES = 2**30  # the largest model, SMPL-X with all its blend shapes, has half of this
_MAX_OPCODES = 1_000_000
_MAX_TUPLES = 10_000  # a tuple in a tuple in a tuple ... crashes Python when it is hashed


class _Inert:
    """What a class or function of a pickle becomes: calling it keeps the arguments, and its state is kept too."""

    arguments: tuple[Any, ...]
    state: Any

    def __new__(cls, *arguments: Any) -> "_Inert":
        self = super().__new__(cls)
        self.arguments, self.state = arguments, None
        return self

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _NdArray(_Inert):
    """`numpy.ndarray`; its state is (version, shape, dtype, whether in Fortran order, bytes)."""


class _FromBuffer(_Inert):
    """`numpy._core.numeric._frombuffer`, called with (bytes, dtype, shape, order)."""


class _DType(_Inert):
    """`numpy.dtype`, called with (code, align, copy); its state starts with (version, byte order)."""


class _Encode(_Inert):
    """`_codecs.encode`, called with (text, codec): how Python 3 writes bytes for Python 2."""


class _Bytes(_Inert):
    """`bytes`, called without arguments: how Python 3 writes empty bytes for Python 2."""


class _SparseColumns(_Inert):
    """`scipy.sparse.csc_matrix`; its state has data, indices, indptr and _shape."""


class _Chumpy(_Inert):
    """`chumpy.ch.Ch`; its state has the array as x."""


class _ChumpySelect(_Inert):
    """`chumpy.reordering.Select`; its state has an array a, and idxs into it, to be brought to preferred_shape."""


class _Reconstruct(_Inert):
    """`_reconstruct(class, ...)` of NumPy and copyreg: an object of the class, without arguments."""

    def __new__(cls, *arguments: Any) -> _Inert:  # type: ignore[misc]
        if not arguments or not isinstance(arguments[0], type) or not issubclass(arguments[0], _Inert):
            raise pickle.UnpicklingError("it makes an object of something that is no class")
        return _Inert.__new__(arguments[0])


_NAMES: dict[tuple[str, str], type[_Inert]] = {
    ("numpy", "ndarray"): _NdArray,
    ("numpy", "dtype"): _DType,
    ("_codecs", "encode"): _Encode,
    ("copy_reg", "_reconstructor"): _Reconstruct,
    ("copyreg", "_reconstructor"): _Reconstruct,
    ("scipy.sparse.csc", "csc_matrix"): _SparseColumns,
    ("scipy.sparse._csc", "csc_matrix"): _SparseColumns,
    ("chumpy.ch", "Ch"): _Chumpy,
    ("chumpy.reordering", "Select"): _ChumpySelect,
}
for _module in ("builtins", "__builtin__"):
    _NAMES[_module, "bytes"] = _Bytes
    _NAMES[_module, "object"] = _NAMES[_module, "set"] = _Inert
for _core in ("numpy.core", "numpy._core"):
    _NAMES[f"{_core}.multiarray", "_reconstruct"] = _Reconstruct
    _NAMES[f"{_core}.multiarray", "scalar"] = _Inert
    _NAMES[f"{_core}.numeric", "_frombuffer"] = _FromBuffer


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> type[_Inert]:
        """The stand-in for a name; chumpy has many classes, and those that are not needed may stay unread."""
        if (module, name) not in _NAMES and module.split(".")[0] != "chumpy":
            raise pickle.UnpicklingError(f"it asks for {f'{module}.{name}'[:100]}, which is no part of a body model")
        return _NAMES.get((module, name), _Inert)


def read_pickled_arrays(path: str | Path, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """The named arrays of a pickled dictionary; nothing that the pickle names is imported or called.

    Args:
        path (`str` or `Path`): a `.pkl` file, as SMPL, SMPL-H and SMPL-X come: of Python 2 or 3, with or without
            chumpy objects and sparse matrices.
        names (`tuple[str, ...]`): arrays that are wanted, all of which must be there.

    Returns:
        `dict[str, np.ndarray]`: name to array of numbers; sparse matrices become dense ones.

    Raises:
        MotionFormatError: if the file is absent, too large, broken, asks for anything but arrays, or lacks an array.
    """
    path = Path(path)
    if not path.is_file():
        raise MotionFormatError(path, "expected a file, but there is none.")
    if path.stat().st_size > _MAX_BYTES:
        raise MotionFormatError(path, f"expected at most {_MAX_BYTES} bytes, got {path.stat().st_size}.")
    data = path.read_bytes()
    try:
        _check_opcodes(data)
        content = _Unpickler(io.BytesIO(data), encoding="latin1").load()
        del data
        if not isinstance(content, dict):
            raise pickle.UnpicklingError("it holds something else")
        missing = [name for name in names if name not in content]
        if missing:
            has = ", ".join(repr(name[:40]) for name in list(content)[:30] if isinstance(name, str))
            raise pickle.UnpicklingError(f"it has no {', '.join(missing)}; it has {has or 'nothing'}")
        return {name: _to_array(content[name], name) for name in names}
    except Exception as error:  # broken pickles are known to raise anything
        raise MotionFormatError(path, f"expected a pickled dictionary of arrays, but {error}.") from error


def _check_opcodes(data: bytes) -> None:
    """Refuse what would exhaust memory or crash the interpreter before any object is made."""
    tuples = 0
    for count, (opcode, argument, _) in enumerate(pickletools.genops(data)):
        tuples += opcode.name.startswith("TUPLE")
        put = opcode.name in ("PUT", "BINPUT", "LONG_BINPUT")  # the memo is a table as long as the largest index
        if count > _MAX_OPCODES or tuples > _MAX_TUPLES or (put and not 0 <= (argument or 0) <= _MAX_OPCODES):
            raise pickle.UnpicklingError("it is far more complicated than a body model; it is broken or hostile")


def _to_array(value: Any, name: str) -> np.ndarray:
    """The array that a stand-in (and what it refers to) describes."""
    state: Any = getattr(value, "state", None)
    if isinstance(value, _NdArray):
        _, shape, dtype, fortran, content = state[:5]
        return _build(shape, dtype, bool(fortran), content, name)
    if isinstance(value, _FromBuffer):
        content, dtype, shape, order = value.arguments[:4]
        return _build(shape, dtype, order == "F", content, name)
    if isinstance(value, _Chumpy):
        return _to_array(_leaf(state["x"], name), name)
    if isinstance(value, _ChumpySelect):
        source = _to_array(_leaf(state["a"], name), name)
        indices = _to_array(_leaf(state["idxs"], name), name)
        return source.reshape(-1)[indices].reshape(_check_shape(state["preferred_shape"], name))
    if isinstance(value, _SparseColumns):
        return _dense(state, name)
    raise pickle.UnpicklingError(f"{name} is no array of numbers")


def _leaf(value: Any, name: str) -> Any:
    """What a chumpy object refers to: an array, or an object that has one. Deeper chains do not occur."""
    if isinstance(value, _Chumpy) and isinstance(value.state, dict) and "x" in value.state:
        value = value.state["x"]
    if isinstance(value, (_Chumpy, _ChumpySelect)):
        raise pickle.UnpicklingError(f"{name} is a formula and no array; save it with chumpy removed")
    return value


def _build(shape: Any, dtype: Any, fortran: bool, content: Any, name: str) -> np.ndarray:
    shape = _check_shape(shape, name)
    if isinstance(content, _Encode):
        text, codec = content.arguments
        if codec != "latin1":
            raise pickle.UnpicklingError(f"{name} is written in {codec!r}, not in latin1")
        content = text
    if isinstance(content, _Bytes) and not content.arguments:
        content = b""
    raw = content.encode("latin1") if isinstance(content, str) else content
    code = dtype.arguments[0] if isinstance(dtype, _DType) and dtype.arguments else None
    if not isinstance(code, str) or not re.fullmatch("f[248]|[iu][1248]|b1", code):
        raise pickle.UnpicklingError(f"{name} has values that are no plain numbers")
    kind = np.dtype(code)
    if dtype.state and dtype.state[1] == ">":
        kind = kind.newbyteorder(">")
    if not isinstance(raw, (bytes, bytearray)) or len(raw) != math.prod(shape) * kind.itemsize:
        raise pickle.UnpicklingError(f"{name} has shape {shape} of {kind}, but not as many bytes")
    array = np.frombuffer(raw, kind).reshape(shape, order="F" if fortran else "C")
    return array.astype(kind.newbyteorder("="))


def _check_shape(shape: Any, name: str) -> tuple[int, ...]:
    shape = tuple(shape)
    if len(shape) > 8 or not all(isinstance(n, int) and 0 <= n <= _MAX_BYTES for n in shape):
        raise pickle.UnpicklingError(f"{name} has a shape that does not exist")
    return shape


def _dense(state: dict[str, Any], name: str) -> np.ndarray:
    """A sparse matrix by columns: the rows and values of column c are at indptr[c] to indptr[c + 1]."""
    shape = _check_shape(state["_shape"], name)
    values, rows, starts = (_to_array(state[key], name) for key in ("data", "indices", "indptr"))
    counts = starts[1:].astype(np.int64) - starts[:-1].astype(np.int64)
    fits = len(shape) == 2 and math.prod(shape) * 8 <= _MAX_BYTES and starts.shape == (shape[1] + 1,)
    if not fits or starts[0] != 0 or (counts < 0).any() or rows.shape != values.shape or starts[-1] != len(rows):
        raise pickle.UnpicklingError(f"{name} is a broken sparse matrix")
    if len(rows) and not 0 <= rows.min() <= rows.max() < shape[0]:
        raise pickle.UnpicklingError(f"{name} is a sparse matrix with rows that do not exist")
    dense = np.zeros(shape)
    np.add.at(dense, (rows, np.repeat(np.arange(shape[1]), counts)), values)
    return dense
