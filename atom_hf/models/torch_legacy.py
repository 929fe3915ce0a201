"""The file that `torch.save` wrote before torch 1.6: five pickles one after the other, then the numbers.

magic number · version · {"little_endian": True, …} · description · names of storages · (count, numbers) each
"""

import io
import pickletools
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from .checkpoint_error import CheckpointError
from .inert_pickle import MAX_BYTES, Description, read_inert
from .stored_tensor import MAX_TENSORS
from .tensor_claims import Storage
from .torch_zip import Span

_MAGIC = b"\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."  # behind two bytes, which name the protocol of the pickle
_PROTOCOL = 1001


def is_torch_legacy(head: bytes) -> bool:
    """Whether a file that starts with these bytes is of this kind.

    Args:
        head (`bytes`): the first 16 bytes or more.

    Returns:
        `bool`: true if so.
    """
    return head[:1] == b"\x80" and head[2:].startswith(_MAGIC)


class TorchLegacy:
    """The parts of such a file; the same questions can be asked as of a `TorchZip`.

    Args:
        file (`IO[bytes]`): the file, opened for reading.
        path (`Path`): its name, for messages.

    Raises:
        CheckpointError: if a part is broken or missing.
    """

    byteorder = "little"  # whatever machine wrote it

    def __init__(self, file: IO[bytes], path: Path) -> None:
        self._path = path
        size = file.seek(0, io.SEEK_END)
        file.seek(0)
        stream = io.BytesIO(file.read(MAX_BYTES))
        stream.seek(2 + len(_MAGIC))
        version = read_inert(stream).root
        if version != _PROTOCOL:
            raise CheckpointError(
                path, f"expected version {_PROTOCOL} of torch's old format, got {str(version)[:20]}."
            )
        read_inert(stream)
        self._description = read_inert(stream)._replace(plain=False)  # torch would read all of the file into memory
        keys = []
        for count, (_, argument, _) in enumerate(pickletools.genops(stream)):
            if isinstance(argument, str):
                keys.append(argument)
            if count > 8 * MAX_TENSORS:
                raise CheckpointError(path, "its list of storages is far longer than a checkpoint's.")
        self._spans: dict[str, Span] = {}
        place = stream.tell()
        for key in keys:
            storage = self._description.storages.get(key)
            file.seek(place)
            count = int.from_bytes(file.read(8), "little")
            if storage is None or key in self._spans or storage.numel != count:
                raise CheckpointError(path, f"its list of storages contradicts its weights at {key[:40]!r}.")
            span = Span(place + 8, count * storage.itemsize, None)
            place = span.start + span.size
            if place > size:
                raise CheckpointError(path, f"expected {place} bytes or more, got {size}. Download it again.")
            self._spans[key] = span

    def describe(self) -> Description:
        """What its description says, nothing of it believed yet."""
        return self._description

    def locate(self, storage: Storage) -> Span:
        """The bytes of a storage.

        Raises:
            CheckpointError: if there are none.
        """
        if storage.key not in self._spans:
            raise CheckpointError(self._path, f"it has no storage {storage.key[:40]!r}. Download it again.")
        return self._spans[storage.key]

    def verify(self, storages: Iterable[Storage]) -> None:
        """Nothing, since this format has no checksums."""
