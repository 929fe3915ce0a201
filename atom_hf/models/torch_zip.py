"""The archive that `torch.save` writes since torch 1.6, checked before any of it is used.

    model.pt  =  model/data.pkl  the description, a pickle
                 model/data/0 …  the storages, numbers and nothing else, never compressed
                 model/byteorder, model/version and a few more

It is a zip file, and zip files can lie in many ways: about sizes and places, with a name twice or outside the folder,
with members that unpack to a thousand times their size. Whatever torch would not write is refused.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import IO, NamedTuple

from .checkpoint_error import CheckpointError
from .inert_pickle import MAX_BYTES, Description, read_inert
from .stored_tensor import MAX_TENSORS
from .tensor_claims import Storage

_MAX_DIRECTORY = 256 * MAX_TENSORS
_PIECE = 2**20
_END = struct.Struct("<4s4H2IH")
_END_64 = struct.Struct("<4sQ2H2I4Q")
_LOCATOR_64 = struct.Struct("<4sIQI")
_LOCAL = struct.Struct("<4s5H3I2H")
_AGAIN = "Download or save it again."


class Span(NamedTuple):
    """Where bytes lie in the file, and their checksum if it was written."""

    start: int
    size: int
    crc: int | None


class TorchZip:
    """The members of an archive of `torch.save`, by their names without the folder.

    Args:
        file (`IO[bytes]`): the file, opened for reading.
        path (`Path`): its name, for messages.

    Raises:
        CheckpointError: if the archive has anything that torch does not write.
    """

    def __init__(self, file: IO[bytes], path: Path) -> None:
        self._file, self._path = file, path
        self._size = file.seek(0, io.SEEK_END)
        entries, directory = self._find_directory()
        with zipfile.ZipFile(file) as archive:
            infos = archive.infolist()
        if len(infos) != entries or any(info.header_offset >= directory for info in infos):
            raise CheckpointError(path, f"its list of members contradicts itself. {_AGAIN}")
        if any(info.orig_filename.endswith("/constants.pkl") for info in infos):
            raise CheckpointError(
                path, "expected weights, but it is a TorchScript program. Ask for the file of its state_dict."
            )
        self._members = self._named(infos, directory)
        if "data.pkl" not in self._members:
            names = ", ".join(repr(name[:40]) for name in list(self._members)[:10]) or "nothing"
            raise CheckpointError(path, f"expected an archive of torch.save, with data.pkl in it; it has {names}.")
        order = self._read("byteorder") if "byteorder" in self._members else b"little"
        if order not in (b"little", b"big"):
            raise CheckpointError(path, f"expected the byte order little or big, got {order[:20]!r}. {_AGAIN}")
        self.byteorder = order.decode()

    def describe(self) -> Description:
        """What data.pkl says, nothing of it believed yet."""
        content = self._read("data.pkl")
        stream = io.BytesIO(content)
        description = read_inert(stream)
        if stream.tell() != len(content):
            raise CheckpointError(self._path, f"its description goes on after its end. {_AGAIN}")
        return description

    def locate(self, storage: Storage) -> Span:
        """The bytes of a storage.

        Raises:
            CheckpointError: if there are none, or not as many as the storage claims.
        """
        span = self._members.get(f"data/{storage.key}")
        claimed = storage.numel * storage.itemsize
        if span is None or span.size != claimed:
            raise CheckpointError(
                self._path, f"its weights claim {claimed} bytes of {f'data/{storage.key[:40]}'!r}, but there are "
                f"{span.size if span is not None else 'none'}. {_AGAIN}"
            )  # fmt: skip
        return span

    def verify(self, storages: Iterable[Storage]) -> None:
        """Compare storages with their checksums, in small pieces.

        Raises:
            CheckpointError: if one is damaged.
        """
        for storage in storages:
            span = self.locate(storage)
            if span.crc is not None and self._checksum(span) != span.crc:
                raise CheckpointError(self._path, f"data/{storage.key} is damaged: its checksum differs. {_AGAIN}")

    def _find_directory(self) -> tuple[int, int]:
        """Number of members, and where their list starts; it has to reach to the very end, without a comment."""
        tail_length = min(self._size, _END.size + _LOCATOR_64.size + _END_64.size)
        self._file.seek(self._size - tail_length)
        tail = self._file.read(tail_length)
        if len(tail) < _END.size or not tail[-_END.size :].startswith(b"PK\5\6"):
            raise CheckpointError(self._path, f"it starts like an archive of torch.save but is cut off. {_AGAIN}")
        *_, entries, length, start, comment = _END.unpack(tail[-_END.size :])
        end = self._size - _END.size
        locator = tail[-_END.size - _LOCATOR_64.size : -_END.size]
        if locator.startswith(b"PK\6\7"):
            end = self._size - tail_length
            signature, size, *_, entries, length, start = _END_64.unpack(tail[: _END_64.size])
            if signature != b"PK\6\6" or size != _END_64.size - 12 or _LOCATOR_64.unpack(locator)[2] != end:
                raise CheckpointError(self._path, f"the end of its list of members is broken. {_AGAIN}")
        if comment or start + length != end:
            raise CheckpointError(self._path, f"its list of members is not where it claims to be. {_AGAIN}")
        if entries > MAX_TENSORS or length > _MAX_DIRECTORY:
            raise CheckpointError(
                self._path, f"expected at most {MAX_TENSORS} members with {_MAX_DIRECTORY} bytes of names, got "
                f"{entries} with {length}; no checkpoint is like that."
            )  # fmt: skip
        return entries, start

    def _named(self, infos: list[zipfile.ZipInfo], directory: int) -> dict[str, Span]:
        """Names to bytes, which may not overlap each other or the list of members."""
        members: dict[str, Span] = {}
        seen: set[str] = set()
        infos = sorted(infos, key=lambda info: info.header_offset)
        root = infos[0].orig_filename.partition("/")[0] if infos else ""
        ends = [info.header_offset for info in infos[1:]] + [directory]
        for info, end in zip(infos, ends, strict=True):
            name = info.orig_filename
            folder, _, rest = name.partition("/")
            if folder != root or not _is_harmless(name) or name.lower() in seen:
                raise CheckpointError(
                    self._path, f"it has a member {name[:80]!r}, a name that torch.save does not write "
                    "(each once, in one folder, without `..`); it is broken or hostile."
                )  # fmt: skip
            if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1 or info.compress_size != info.file_size:
                raise CheckpointError(
                    self._path, f"its member {name[:80]!r} is compressed or encrypted, and torch.save writes plain "
                    "members only. Unpack what you trust and save it with torch.save."
                )  # fmt: skip
            seen.add(name.lower())
            members[rest] = Span(self._data_start(info, end), info.file_size, info.CRC or None)
        return members

    def _data_start(self, info: zipfile.ZipInfo, end: int) -> int:
        """Where a member's bytes start, behind its own header; `end` is where they have to end at the latest."""
        self._file.seek(info.header_offset)
        header = self._file.read(_LOCAL.size)
        signature, _, flags, method, *_, name_length, extra_length = _LOCAL.unpack(header)
        name = self._file.read(name_length)
        start = info.header_offset + _LOCAL.size + name_length + extra_length
        same = signature == b"PK\3\4" and method == 0 and not flags & 1 and name == info.orig_filename.encode()
        if not same or start + info.file_size > end:
            raise CheckpointError(
                self._path, f"its member {info.orig_filename[:80]!r} is not where its list says. {_AGAIN}"
            )
        return start

    def _read(self, name: str) -> bytes:
        span = self._members[name]
        if span.size > MAX_BYTES:
            raise CheckpointError(
                self._path, f"expected at most {MAX_BYTES} bytes of {name}, got {span.size}; no weights need that."
            )
        self._file.seek(span.start)
        content = self._file.read(span.size)
        if span.crc is not None and zlib.crc32(content) != span.crc:
            raise CheckpointError(self._path, f"{name} is damaged: its checksum differs. {_AGAIN}")
        return content

    def _checksum(self, span: Span) -> int:
        self._file.seek(span.start)
        checksum, left = 0, span.size
        while left and (piece := self._file.read(min(_PIECE, left))):
            checksum = zlib.crc32(piece, checksum)
            left -= len(piece)
        return checksum


def _is_harmless(name: str) -> bool:
    parts = name.split("/")
    plain = name.isascii() and name.isprintable() and not set(name) & set('\\:*?"<>|')
    return plain and len(parts) > 1 and not {"", ".", ".."} & set(parts)
