"""How torch describes a tensor in a pickle, and the names it uses for that; all of it claims, none of it believed.

_rebuild_tensor_v2(storage, 0, (2, 3), (3, 1), False, OrderedDict())
    →  TensorClaim(Storage("0", float32, 6), float32, offset=0, shape=(2, 3), strides=(3, 1))
"""

from typing import Any, NamedTuple

import torch

_MAX_DIMENSIONS = 32


class Placeholder(NamedTuple):
    """Something that is not needed, or not to be trusted; its name serves messages only."""

    name: str


class Storage(NamedTuple):
    """A run of numbers in the file; without a dtype, of bytes."""

    key: str
    dtype: torch.dtype | None
    numel: int

    @property
    def itemsize(self) -> int:
        """Bytes of one of its numbers."""
        return self.dtype.itemsize if self.dtype is not None else 1


class TensorClaim(NamedTuple):
    """A view of a storage, as a file claims it: offset and strides in elements, not yet compared with anything."""

    storage: Storage
    dtype: torch.dtype
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class Known(NamedTuple):
    """A name of the list below; no object of Python stands behind it."""

    module: str
    name: str


class TupleOfTuples(tuple[Any, ...]):
    """A tuple with tuples in it, such as the arguments of a tensor; deeper ones describe nothing that is needed."""

    __slots__ = ()


ORDERED_DICT = Known("collections", "OrderedDict")
TENSOR_V2, TENSOR_V3, PARAMETER, PARAMETER_WITH_STATE = (
    Known("torch._utils", f"_rebuild_{name}")
    for name in ("tensor_v2", "tensor_v3", "parameter", "parameter_with_state")
)
_DTYPES = {
    Known("torch", str(dtype).removeprefix("torch.")): dtype
    for dtype in vars(torch).values()
    if isinstance(dtype, torch.dtype)
}
STORAGES: dict[Known, torch.dtype | None] = {
    Known("torch", "DoubleStorage"): torch.float64,
    Known("torch", "FloatStorage"): torch.float32,
    Known("torch", "HalfStorage"): torch.float16,
    Known("torch", "BFloat16Storage"): torch.bfloat16,
    Known("torch", "LongStorage"): torch.int64,
    Known("torch", "IntStorage"): torch.int32,
    Known("torch", "ShortStorage"): torch.int16,
    Known("torch", "CharStorage"): torch.int8,
    Known("torch", "ByteStorage"): torch.uint8,
    Known("torch", "BoolStorage"): torch.bool,
    Known("torch", "ComplexFloatStorage"): torch.complex64,
    Known("torch", "ComplexDoubleStorage"): torch.complex128,
    Known("torch", "UntypedStorage"): None,
    Known("torch.storage", "UntypedStorage"): None,
}
KNOWN_NAMES = {
    ORDERED_DICT, TENSOR_V2, TENSOR_V3, PARAMETER, PARAMETER_WITH_STATE, *_DTYPES, *STORAGES,
}  # fmt: skip


def claimed_tensor(arguments: Any, with_dtype: bool) -> TensorClaim | None:
    """The tensor of a call of torch, if its arguments are possible ones.

    Args:
        arguments (`Any`): hopefully (storage, offset, shape, strides, requires_grad, hooks, [dtype], [metadata]).
        with_dtype (`bool`): whether dtype is among them.

    Returns:
        `TensorClaim` or `None`: the claim.
    """
    if type(arguments) is not TupleOfTuples or len(arguments) < 6 + with_dtype:
        return None
    storage, offset, shape, strides = arguments[:4]
    metadata = arguments[6 + with_dtype :]
    if type(storage) is not Storage or metadata not in ((), (None,), ({},)):
        return None  # metadata says that the values are to be negated or conjugated
    dtype = _DTYPES.get(arguments[6]) if with_dtype and type(arguments[6]) is Known else storage.dtype
    if dtype is None or type(shape) is not tuple or type(strides) is not tuple or len(shape) != len(strides):
        return None
    numbers = (offset, *shape, *strides)
    if len(shape) > _MAX_DIMENSIONS or not all(type(n) is int and n >= 0 for n in numbers):
        return None
    return TensorClaim(storage, dtype, offset, shape, strides)
