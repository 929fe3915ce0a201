"""The header of a `.safetensors` file, checked before any number is read.

8 bytes  length of the header
header   {"codebook": {"dtype": "F32", "shape": [512, 512], "data_offsets": [0, 1048576]}, "__metadata__": {…}}
data     the numbers of one tensor after the other, little-endian, without gaps
"""

import io
import json
import math
from pathlib import Path
from typing import IO, Any

import torch

from .checkpoint_error import CheckpointError
from .stored_tensor import MAX_TENSORS, StoredTensor, contiguous_strides

_MAX_HEADER = 256 * MAX_TENSORS
_MAX_DIMENSIONS = 32
_DTYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U64": torch.uint64,
    "U32": torch.uint32,
    "U16": torch.uint16,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}


def read_safetensors_header(file: IO[bytes], path: Path) -> dict[str, StoredTensor]:
    """The tensors of a file, after checking that they fill it exactly, each once and without overlap.

    Args:
        file (`IO[bytes]`): the file, opened for reading.
        path (`Path`): its name, for messages.

    Returns:
        `dict[str, StoredTensor]`: name to place, in the order of the header.

    Raises:
        CheckpointError: if the header is broken, or contradicts the file's size or itself.
    """
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    length = int.from_bytes(file.read(8), "little")
    if size < 8 or length > size - 8:
        raise CheckpointError(
            path, f"its header claims {length} bytes, but the file has {size}; it is truncated or no safetensors file."
            " Download it again."
        )  # fmt: skip
    if length > _MAX_HEADER:
        raise CheckpointError(path, f"expected a header of at most {_MAX_HEADER} bytes, got {length}.")
    try:
        header = json.loads(file.read(length).decode(), object_pairs_hook=_without_duplicates)
    except (ValueError, RecursionError) as error:
        raise CheckpointError(path, f"its header is broken ({str(error)[:200]}). Download it again.") from error
    if not isinstance(header, dict):
        raise CheckpointError(path, f"expected a dictionary of tensors as header, got a {type(header).__name__}.")
    header.pop("__metadata__", None)
    if len(header) > MAX_TENSORS:
        raise CheckpointError(path, f"expected at most {MAX_TENSORS} tensors, got {len(header)}.")
    entries: dict[str, StoredTensor] = {}
    spans: list[tuple[int, int]] = []
    for name, claim in header.items():
        dtype, shape, begin, end = _claim(claim, name, path)
        entries[name] = StoredTensor(dtype, shape, contiguous_strides(shape), 8 + length + begin)
        spans.append((begin, end))
    place = 0
    for begin, end in sorted(spans):
        if begin != place:
            raise CheckpointError(path, f"its tensors overlap or leave gaps at byte {begin}. Download it again.")
        place = end
    if place != size - 8 - length:
        raise CheckpointError(
            path, f"its tensors claim {place} bytes, but the file has {size - 8 - length}. Download it again."
        )
    return entries


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("a name occurs twice")
    return content


def _claim(claim: Any, name: str, path: Path) -> tuple[torch.dtype, tuple[int, ...], int, int]:
    """dtype, shape and span of an entry, whose shape has to agree with its span."""
    match claim:
        case {"dtype": str(code), "shape": list(shape), "data_offsets": [int(begin), int(end)]}:
            pass
        case _:
            raise CheckpointError(path, f"the entry {name[:80]!r} of its header is not that of a tensor.")
    if code not in _DTYPES:
        raise CheckpointError(
            path,
            f"tensor {name[:80]!r} is of type {code[:20]!r}; expected one of {', '.join(_DTYPES)}. Save it as one.",
        )
    if len(shape) > _MAX_DIMENSIONS or not all(type(n) is int and 0 <= n < 2**48 for n in shape):
        raise CheckpointError(path, f"tensor {name[:80]!r} has a shape that does not exist.")
    claimed = math.prod(shape) * _DTYPES[code].itemsize
    if not 0 <= begin <= end or end - begin != claimed:
        raise CheckpointError(
            path, f"tensor {name[:80]!r} of shape {str(shape)[:80]} in {code} takes {claimed} bytes, but its header "
            f"gives it {str(end - begin)[:40]}. Download it again."
        )  # fmt: skip
    return _DTYPES[code], tuple(shape), begin, end
