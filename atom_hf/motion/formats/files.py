"""What all formats share: errors that name file and place, writing whole files or none, guarded reading of arrays."""

import io
import math
import os
import re
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import IO

import numpy as np

# Larger files than these are no single motion: four hours at 60 fps are 0.9 million frames.
MAX_FRAMES = 1_000_000
MAX_BYTES = 2**29
PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # zipfile unpacks the others without bound
# What zipfile is seen to raise on broken and hostile archives.
ZIP_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
)
_PIECE = 2**20


class MotionFormatError(ValueError):
    """A motion file that cannot be read; the message names the file, the line where there is one, and what was
    expected.

    Args:
        path (`str` or `Path`): the file.
        problem (`str`): what was expected, what came, and what to try.
        line (`int`, *optional*): number of the line, counted from 1.
    """

    def __init__(self, path: str | Path, problem: str, line: int | None = None) -> None:
        where = f"{path}, line {line}" if line is not None else str(path)
        super().__init__(f"{where}: {problem}")


class MotionFileNotFoundError(MotionFormatError, FileNotFoundError):
    """A motion file that is not there; the message names files of similar names in the same folder.

    Args:
        path (`str` or `Path`): the file.
        problem (`str`): what was expected, what came, and what to try.
        line (`int`, *optional*): number of the line, counted from 1; of no use here.
    """


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside `path`, and rename it to `path` when the block ends well; otherwise remove it.

    Args:
        path (`str` or `Path`): the file that is to appear, whole or not at all. Missing folders are made.

    Yields:
        `Path`: where to write; it has the suffix of `path`.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)  # mkstemp makes files that only their owner can read
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def read_text(path: str | Path) -> str:
    """Text of a file, as UTF-8 with undecodable bytes replaced.

    Args:
        path (`str` or `Path`): the file.

    Returns:
        `str`: its text.

    Raises:
        MotionFormatError: if the file is absent, a folder, or larger than `MAX_BYTES`.
    """
    path = _existing(path)
    return path.read_bytes().decode("utf-8-sig", errors="replace")  # without the mark some editors prepend


def split_lines(text: str) -> list[str]:
    """Lines as editors count them; a caption may have other separators in it, such as U+2028.

    Args:
        text (`str`): of a file.

    Returns:
        `list[str]`: without their ends.
    """
    return re.split(r"\r\n|\n|\r", text)


def read_npy(path: str | Path) -> np.ndarray:
    """A numeric `.npy` array; the header's claim is compared with the file's size before anything is allocated.

    Args:
        path (`str` or `Path`): the file.

    Returns:
        `np.ndarray`: the array as stored.

    Raises:
        MotionFormatError: if the file is absent, broken, holds objects, or claims more data than it has.
    """
    path = _existing(path)
    with path.open("rb") as file:
        return read_array(file, path, path.stat().st_size)


def read_npz(path: str | Path, names: tuple[str, ...], required: tuple[str, ...] = ()) -> dict[str, np.ndarray]:
    """The named arrays of an `.npz` archive; others are not touched. Nothing is unpickled or written to disk.

    Args:
        path (`str` or `Path`): the file.
        names (`tuple[str, ...]`): arrays that are wanted; those absent from the file are absent from the result.
        required (`tuple[str, ...]`, *optional*): those of them that must be there.

    Returns:
        `dict[str, np.ndarray]`: name to array.

    Raises:
        MotionFormatError: if the file is absent, no archive, lacks a required array (the message lists what it has),
            or a wanted array is broken, holds objects, or all of them together would unpack to more than `MAX_BYTES`.
    """
    path = _existing(path)
    arrays: dict[str, np.ndarray] = {}
    try:
        with _SmallReads(path) as file, zipfile.ZipFile(file) as archive:
            members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            missing = [name for name in required if name not in members]
            if missing:
                has = ", ".join(repr(name[:40]) for name in list(members)[:20]) or "nothing"
                raise MotionFormatError(
                    path, f"expected the array{'s' * (len(missing) > 1)} {', '.join(missing)}; it has {has}."
                )
            for name in [name for name in names if name in members]:
                where = f"{path}, array {name!r}"
                member = members[name]
                if member.compress_type not in PACKINGS:
                    raise MotionFormatError(
                        where, "expected plain or deflated data, as NumPy writes; save the file again."
                    )
                with archive.open(member) as stream:
                    left = MAX_BYTES - sum(array.nbytes for array in arrays.values())
                    arrays[name] = read_array(stream, where, member.file_size, left)
    except MotionFormatError:
        raise
    except ZIP_ERRORS as error:
        raise MotionFormatError(
            path, f"expected an .npz archive of arrays, but it cannot be read ({error})."
        ) from error
    return arrays


def _existing(path: str | Path) -> Path:
    path = Path(path)
    if path.is_dir():
        raise MotionFormatError(path, "expected a file, but it is a folder.")
    if not path.is_file():
        names = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
        close = get_close_matches(path.name, names, n=1)
        hint = f" Did you mean {close[0]}?" if close else ""
        raise MotionFileNotFoundError(path, f"expected a file, but there is no such file.{hint}")
    if path.stat().st_size > MAX_BYTES:
        raise MotionFormatError(path, f"expected at most {MAX_BYTES} bytes for a motion, got {path.stat().st_size}.")
    return path


def read_array(file: IO[bytes], where: str | Path, size: int, limit: int = MAX_BYTES) -> np.ndarray:
    """One array in NumPy's format from a stream.

    Args:
        file (`IO[bytes]`): stands at the start of the array.
        where (`str` or `Path`): what is read, for messages.
        size (`int`): bytes that the stream claims to have.
        limit (`int`, *optional*, defaults to 512 MiB): most bytes of data.

    Returns:
        `np.ndarray`: the array as stored.

    Raises:
        MotionFormatError: if it is broken, holds objects, or claims more data than it may.
    """
    try:
        version = np.lib.format.read_magic(file)
        if version != (1, 0):  # later ones serve long lists of field names, and have headers of up to 4 GB
            raise ValueError(f"version {version} of the format is not in use for numbers")
        shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(file)
    except Exception as error:  # the header is a Python literal, and broken ones fail in a dozen ways
        raise MotionFormatError(
            where, f"expected an array in NumPy's format, but its header is broken ({error})."
        ) from error
    if dtype.hasobject or dtype.kind not in "fiubU" or dtype.itemsize == 0:
        raise MotionFormatError(
            where, f"expected numbers, got values of type {dtype}. Files with Python objects can run code, so they "
            "are never read; save plain numeric arrays."
        )  # fmt: skip
    claimed = math.prod(shape) * dtype.itemsize
    if not 0 <= claimed <= min(limit, size) or any(not 0 <= n <= MAX_BYTES for n in shape) or len(shape) > 8:
        raise MotionFormatError(
            where, f"its header claims shape {str(shape)[:80]} of {dtype}, but the file has {size} bytes and the "
            f"limit is {limit}; it is truncated or hostile."
        )  # fmt: skip
    data = bytearray()
    try:
        while len(data) < claimed and (piece := file.read(min(_PIECE, claimed - len(data)))):
            data += piece
    except ZIP_ERRORS as error:
        raise MotionFormatError(where, f"its data cannot be read ({error}).") from error
    if len(data) < claimed:
        raise MotionFormatError(
            where, f"expected {claimed} bytes of data for shape {shape}, got {len(data)}; it is truncated."
        )
    array = np.frombuffer(data, dtype)
    array = array.reshape(shape[::-1]).T if fortran_order else array.reshape(shape)
    return array.astype(dtype.newbyteorder("="), copy=False)


class _SmallReads(io.FileIO):
    """A file that is read in small pieces only, since `zipfile` takes a whole directory at once, however long it
    claims to be."""

    def read(self, size: int | None = -1) -> bytes:
        rest = os.fstat(self.fileno()).st_size - self.tell()
        if min(rest, rest if size is None or size < 0 else size) > _PIECE:
            raise zipfile.BadZipFile(f"its directory is longer than {_PIECE} bytes")
        return super().read(size)
