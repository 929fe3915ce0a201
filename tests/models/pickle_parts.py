"""Pickles and archives written opcode by opcode, as no writer of good will writes them."""

import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def number(value: int) -> bytes:
    content = value.to_bytes(9, "little", signed=True)
    return b"\x8a\x09" + content


def numbers(values: tuple[int, ...]) -> bytes:
    return b"(" + b"".join(map(number, values)) + b"t"


def name(module: str, attribute: str) -> bytes:
    return f"c{module}\n{attribute}\n".encode()


def storage(key: str = "0", numel: int = 6, kind: str = "FloatStorage") -> bytes:
    return b"(" + text("storage") + name("torch", kind) + text(key) + text("cpu") + number(numel) + b"tQ"


def tensor(
    shape: tuple[int, ...] = (2, 3),
    strides: tuple[int, ...] = (3, 1),
    offset: int = 0,
    stored: bytes | None = None,
    rest: bytes = b"",
) -> bytes:
    arguments = (storage() if stored is None else stored) + number(offset) + numbers(shape) + numbers(strides)
    hooks = name("collections", "OrderedDict") + b")R"
    return name("torch._utils", "_rebuild_tensor_v2") + b"(" + arguments + b"\x89" + hooks + rest + b"tR"


def dictionary(entries: Mapping[str, bytes]) -> bytes:
    return b"}(" + b"".join(text(key) + value for key, value in entries.items()) + b"u"


def pickled(value: bytes) -> bytes:
    return b"\x80\x02" + value + b"."


SIX = np.arange(6, dtype="<f4").tobytes()


def write_archive(
    path: Path, content: bytes, storages: Mapping[str, bytes] | None = None, more: Mapping[str, bytes] | None = None
) -> Path:
    """An archive as torch.save writes it, with this as data.pkl; other members by their names with the folder."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", content)
        for key, numbers in ({"0": SIX} if storages is None else storages).items():
            archive.writestr(f"archive/data/{key}", numbers)
        for member, data in (more or {}).items():
            archive.writestr(member, data)
    return path
