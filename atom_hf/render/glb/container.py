"""The container of a GLB file: arrays become accessors of one binary chunk, the rest is one JSON object.

    12 bytes "glTF", 2, size | size, "JSON", {...} | size, "BIN", arrays

Written here and not with a library: it is a header, two chunks and a table of offsets, and a library's classes for all
of glTF take longer to fill than the arrays.
"""

import json
import struct
from typing import Any

import numpy as np

VERTICES, TRIANGLES = 34962, 34963  # what a part of the binary chunk is for: ARRAY_BUFFER, ELEMENT_ARRAY_BUFFER

_COMPONENTS = {"u1": 5121, "u2": 5123, "u4": 5125, "f4": 5126}
_KINDS = {(): "SCALAR", (2,): "VEC2", (3,): "VEC3", (4,): "VEC4", (4, 4): "MAT4"}


class Container:
    """A glTF document that is being put together; `document` is its JSON object, to be filled by the caller.

    Args:
        generator (`str`): what wrote the file.
    """

    def __init__(self, generator: str) -> None:
        self.document: dict[str, Any] = {"asset": {"version": "2.0", "generator": generator}}
        self._views: list[dict[str, Any]] = []
        self._accessors: list[dict[str, Any]] = []
        self._pieces: list[bytes] = []
        self._size = 0

    def array(
        self, values: np.ndarray, *, target: int | None = None, bounds: bool = False, normalized: bool = False
    ) -> int:
        """Store numbers.

        Args:
            values (`np.ndarray`): `[n]`, `[n, 2]`, `[n, 3]`, `[n, 4]`, or matrices `[n, 4, 4]`; float32, or unsigned
                integers of 8, 16 or 32 bits.
            target (`int`, *optional*): `VERTICES` or `TRIANGLES`; neither for animations and matrices.
            bounds (`bool`, *optional*, defaults to `False`): say minimum and maximum, which positions and times need.
            normalized (`bool`, *optional*, defaults to `False`): integers stand for 0 to 1.

        Returns:
            `int`: number of the accessor.
        """
        kind = _KINDS[values.shape[1:]]
        if kind == "MAT4":
            values = values.swapaxes(-1, -2)  # columns come first in the file
        values = np.ascontiguousarray(values)
        accessor = {
            "bufferView": self.data(values.tobytes(), target),
            "componentType": _COMPONENTS[values.dtype.str[1:]],
            "count": len(values),
            "type": kind,
        }
        if normalized:
            accessor["normalized"] = True
        if bounds:  # float32 as JSON in all its digits: readers compare them exactly
            accessor["min"], accessor["max"] = (
                np.atleast_1d(edge).astype(np.float64).tolist() for edge in (values.min(axis=0), values.max(axis=0))
            )
        self._accessors.append(accessor)
        return len(self._accessors) - 1

    def data(self, data: bytes, target: int | None = None) -> int:
        """Store bytes, such as an image.

        Args:
            data (`bytes`): what to store.
            target (`int`, *optional*): `VERTICES` or `TRIANGLES`.

        Returns:
            `int`: number of the buffer view.
        """
        view = {"buffer": 0, "byteOffset": self._size, "byteLength": len(data)}
        if target is not None:
            view["target"] = target
        self._views.append(view)
        padded = data + b"\0" * (-len(data) % 4)
        self._pieces.append(padded)
        self._size += len(padded)
        return len(self._views) - 1

    def finish(self) -> bytes:
        """The whole file.

        Returns:
            `bytes`: GLB, version 2.

        Raises:
            ValueError: if it is larger than the format can say, 4 GB.
        """
        document = self.document | {
            "accessors": self._accessors,
            "bufferViews": self._views,
            "buffers": [{"byteLength": self._size}],
        }
        text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8")
        text += b" " * (-len(text) % 4)
        size = 12 + 8 + len(text) + 8 + self._size
        if size >= 2**32:
            raise ValueError(f"A GLB file has at most 4 GB, but this one would have {size} bytes; cut the motion.")
        head = struct.pack("<4sII", b"glTF", 2, size) + struct.pack("<I4s", len(text), b"JSON")
        return b"".join([head, text, struct.pack("<I4s", self._size, b"BIN\0"), *self._pieces])
