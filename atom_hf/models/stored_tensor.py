"""Numbers that lie plainly in a file, and how they become a tensor: `(dtype, shape, strides, first byte)`."""

import io
import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO, NamedTuple

import torch

from .checkpoint_error import CheckpointError

MAX_TENSORS = 20_000  # of one file; MotionGPT's, with its optimizer's state, has about a thousand
MEMORY_FACTOR = 8  # tied weights are stored once and read several times; T5 names its embedding up to four times
_PIECE = 2**22
_DTYPES = (
    torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.bool,
    torch.int64, torch.int32, torch.int16, torch.int8, torch.uint64, torch.uint32, torch.uint16, torch.uint8,
)  # fmt: skip


class StoredTensor(NamedTuple):
    """A tensor in a file: strides in elements, and the first element's byte counted from the start of the file."""

    dtype: torch.dtype
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    start: int

    @property
    def extent(self) -> int:
        """Elements from the first to the last in the file, those between that belong to others included."""
        if 0 in self.shape:
            return 0
        return 1 + sum((n - 1) * stride for n, stride in zip(self.shape, self.strides, strict=True))

    @property
    def nbytes(self) -> int:
        """Bytes that reading it takes: of the tensor itself or of its extent, whichever is more."""
        return max(math.prod(self.shape), self.extent) * self.dtype.itemsize


def contiguous_strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Strides, in elements, of a tensor without gaps.

    Args:
        shape (`tuple[int, ...]`): its shape.

    Returns:
        `tuple[int, ...]`: as many strides.
    """
    strides = [1]
    for n in shape[:0:-1]:
        strides.append(strides[-1] * max(n, 1))
    return tuple(strides[::-1][-len(shape) :]) if shape else ()


def check_claims(
    tensors: Mapping[str, StoredTensor], file_bytes: int, expected_bytes: int | None, path: str | Path
) -> None:
    """Refuse what would take far more memory than the file can justify, before any of it is read.

    Args:
        tensors (`Mapping[str, StoredTensor]`): name to place of all that will be read.
        file_bytes (`int`): size of the file.
        expected_bytes (`int`, *optional*): bytes that the tensors may take at most; `None` for eight times the file.
        path (`str` or `Path`): the file, for messages.

    Raises:
        CheckpointError: if a tensor ends behind the file, is of a type that is no weight's, or all of them together
            are too large.
    """
    for name, tensor in tensors.items():
        if tensor.dtype not in _DTYPES:
            raise CheckpointError(
                path, f"weight {name[:80]!r} is of type {tensor.dtype}; expected floats, integers or booleans. "
                "Convert it and save the file again."
            )  # fmt: skip
        if math.prod(max(n, 1) for n in tensor.shape) >= 2**62:
            raise CheckpointError(path, f"weight {name[:80]!r} has a shape that does not exist.")
        if tensor.start + tensor.extent * tensor.dtype.itemsize > file_bytes:
            raise CheckpointError(path, f"weight {name[:80]!r} ends behind the end of the file. Download it again.")
    total = sum(tensor.nbytes for tensor in tensors.values())
    limit = MEMORY_FACTOR * file_bytes
    if total > limit:
        raise CheckpointError(
            path, f"its weights claim {total} bytes of memory, but the file has {file_bytes}; it is broken or hostile."
        )
    if expected_bytes is not None and total > expected_bytes:
        raise CheckpointError(
            path, f"expected weights of at most {expected_bytes} bytes, got {total}; it is of another model."
        )


def read_tensor(file: IO[bytes], stored: StoredTensor, byteorder: str, path: str | Path) -> torch.Tensor:
    """One tensor of a file, contiguous, in memory of its own.

    Args:
        file (`IO[bytes]`): the file, opened for reading without a buffer of its own or with one.
        stored (`StoredTensor`): where it is; checked by `check_claims`.
        byteorder (`str`): `"little"` or `"big"`, of the file.
        path (`str` or `Path`): the file, for messages.

    Returns:
        `torch.Tensor`: the numbers, with NaN and all.

    Raises:
        CheckpointError: if the file ends too early.
    """
    raw = torch.empty(stored.extent, dtype=stored.dtype)
    view = memoryview(raw.view(torch.uint8).numpy().data)
    file.seek(stored.start, io.SEEK_SET)
    done = 0
    while done < len(view) and (count := file.readinto(view[done:])):  # type: ignore[attr-defined]
        done += count
    if done < len(view):
        raise CheckpointError(path, f"it ends after {stored.start + done} bytes; it is truncated. Download it again.")
    if byteorder != sys.byteorder and stored.dtype.itemsize > 1:
        raw = raw.view(torch.uint8).view(-1, stored.dtype.itemsize).flip(1).reshape(-1).view(stored.dtype)
    return raw.as_strided(stored.shape, stored.strides).contiguous().view(stored.shape)


def check_values(tensor: torch.Tensor, name: str, path: str | Path) -> torch.Tensor:
    """The tensor if all of its numbers are finite; booleans are made zero or one.

    Args:
        tensor (`torch.Tensor`): a contiguous tensor.
        name (`str`): its name, for messages.
        path (`str` or `Path`): the file, for messages.

    Returns:
        `torch.Tensor`: the same tensor, or for booleans a sound copy.

    Raises:
        CheckpointError: if there is a NaN or an infinity.
    """
    if tensor.dtype == torch.bool:
        return tensor.view(torch.uint8) != 0
    if tensor.dtype.is_floating_point:
        wide = torch.promote_types(tensor.dtype, torch.float32)
        for piece in tensor.reshape(-1).split(_PIECE):
            # A sum with a NaN or an infinity in it is never finite, and ten times as fast; large ones may overflow.
            if not piece.sum(dtype=wide).isfinite() and not piece.isfinite().all():
                raise CheckpointError(
                    path, f"weight {name[:80]!r} has values that are NaN or infinite; its training went wrong. Take "
                    "an earlier checkpoint."
                )  # fmt: skip
    return tensor
