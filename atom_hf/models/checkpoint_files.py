"""Weights out of checkpoint files from strangers, without running, importing or believing anything they say.

    read_tensors("motiongpt_s3_h3d.tar")  →  {"vae.encoder.model.0.weight": [512, 263, 3], ...}

What a file is, its content says and not its suffix: an archive of `torch.save` (`.pt`, `.pth`, `.bin`, `.ckpt`, and
MotionGPT's `.tar`), torch's format before 1.6, or safetensors. Every claim of it is compared with its size first; then
`torch.load(weights_only=True)` reads what is made of dicts and tensors only. Files that name classes too, as those of
Lightning do, are read by `inert_pickle`, which drops the classes.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import IO, Any, NamedTuple

import torch

from .checkpoint_error import CheckpointError
from .safetensors_header import read_safetensors_header
from .stored_tensor import MAX_TENSORS, StoredTensor, check_claims, check_values, read_tensor
from .tensor_claims import Placeholder, TensorClaim
from .torch_legacy import TorchLegacy, is_torch_legacy
from .torch_zip import TorchZip

__all__ = ["CheckpointError", "read_tensors", "tensor_shapes"]

_ENVELOPES = ("state_dict", "model_state_dict", "model", "module")
_MAX_ENVELOPES = 4
_PREFIXES = ("_forward_module.", "module.")
_EXPECTED = "expected a checkpoint (a file of torch.save, or safetensors)"


def read_tensors(
    path: str | Path, *, expected_bytes: int | None = None, keep: Callable[[str], bool] | None = None
) -> dict[str, torch.Tensor]:
    """The state dict of a checkpoint file, by name.

    The dictionary is looked for at the top and under `state_dict`, `model_state_dict`, `model` and `module`; where
    there are several state dicts beside each other instead, their names are put in front (`text_encoder.gru.weight`).
    `module.` and `_forward_module.` are taken off if all names have them. What is no tensor is left out. Memory taken
    is at most eight times the file's size, plus about 200 MB to describe it; without tied weights it is the weights
    that are kept.

    Args:
        path (`str` or `Path`): the file.
        expected_bytes (`int`, *optional*): bytes that the kept weights may take at most, where that is known.
        keep (`Callable[[str], bool]`, *optional*): whether a weight of this name is wanted; others are never read.

    Returns:
        `dict[str, torch.Tensor]`: name to tensor on the CPU, in the file's order; contiguous, without gradient, in
        memory of its own, of floats, integers or booleans, and finite.

    Raises:
        CheckpointError: if the file is absent, no checkpoint, broken or hostile, or has weights that are no numbers.
    """
    path = Path(path)
    with _opened(path) as file:
        with _one_error(path):
            contents = _look_into(file, path)
        names = [name for name in contents.entries if keep is None or keep(name)]
        with _one_error(path):
            stored = {name: contents.place(name, path) for name in names}
            check_claims(stored, os.fstat(file.fileno()).st_size, expected_bytes, path)
            tensors = contents.read_with_torch(stored, path)
            if tensors is None:
                tensors = (read_tensor(file, place, contents.byteorder, path) for place in stored.values())
            return {name: check_values(tensor, name, path) for name, tensor in zip(stored, tensors, strict=True)}


def tensor_shapes(path: str | Path) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the weights that `read_tensors` would give, as the file claims them, without reading any.

    Args:
        path (`str` or `Path`): the file.

    Returns:
        `dict[str, tuple[int, ...]]`: name to shape, in the file's order.

    Raises:
        CheckpointError: if the file is absent, no checkpoint, broken or hostile.
    """
    path = Path(path)
    with _opened(path) as file, _one_error(path):
        contents = _look_into(file, path)
        return {name: contents.place(name, path).shape for name in contents.entries}


class _Contents(NamedTuple):
    """Names of a file and what stands behind them, and the archive they are in unless it is safetensors."""

    entries: dict[str, Any]  # of StoredTensor, TensorClaim and Placeholder
    archive: TorchZip | TorchLegacy | None
    plain: bool

    @property
    def byteorder(self) -> str:
        return self.archive.byteorder if self.archive is not None else "little"

    def place(self, name: str, path: Path) -> StoredTensor:
        """Where a tensor is in the file, after comparing its claim with the bytes of its storage."""
        entry = self.entries[name]
        if isinstance(entry, StoredTensor):
            return entry
        if self.archive is None or not isinstance(entry, TensorClaim):
            raise CheckpointError(
                path, f"weight {name[:80]!r} is no plain dense tensor, it asks for {entry.name[:80]}. Convert it and "
                "save the file again."
            )  # fmt: skip
        span = self.archive.locate(entry.storage)
        itemsize = entry.dtype.itemsize
        stored = StoredTensor(entry.dtype, entry.shape, entry.strides, span.start + entry.offset * itemsize)
        if (entry.offset + stored.extent) * itemsize > span.size:
            raise CheckpointError(
                path, f"weight {name[:80]!r} claims more than the {span.size} bytes of its storage; it is broken or "
                "hostile."
            )  # fmt: skip
        return stored

    def read_with_torch(self, stored: dict[str, StoredTensor], path: Path) -> Iterator[torch.Tensor] | None:
        """Tensors read by torch's own loader, or None for a file that it should not or does not read."""
        if self.archive is None:
            return None
        self.archive.verify({claim.storage: None for claim in (self.entries[name] for name in stored)})
        if not self.plain:
            return None
        try:
            content = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
            loaded = _named_tensors(content, torch.Tensor)
            for name, place in stored.items():
                if (loaded[name].dtype, tuple(loaded[name].shape)) != (place.dtype, place.shape):
                    return None
        except Exception:  # its messages tell people to switch the protection off, so none of them gets through
            return None
        return (loaded[name].detach().clone(memory_format=torch.contiguous_format) for name in stored)


def _look_into(file: IO[bytes], path: Path) -> _Contents:
    """Open a checkpoint by its content."""
    head = file.read(512)
    archive: TorchZip | TorchLegacy
    if head.startswith(b"PK\3\4"):
        archive = TorchZip(file, path)
    elif is_torch_legacy(head):
        archive = TorchLegacy(file, path)
    elif path.suffix == ".safetensors" or head[8:9] == b"{":
        return _Contents(dict(read_safetensors_header(file, path)), None, False)
    else:
        raise CheckpointError(path, f"{_EXPECTED}, got {_what_else(head)}")
    description = archive.describe()
    entries = _named_tensors(description.root, (TensorClaim, Placeholder))
    if not any(isinstance(entry, TensorClaim) for entry in entries.values()):
        raise CheckpointError(
            path, f"expected a state dict, names and tensors, but {_what_instead(description.root)}."
        )
    return _Contents(entries, archive, description.plain)


def _named_tensors(content: Any, kinds: type | tuple[type, ...]) -> dict[str, Any]:
    """Names and tensors of what a file holds, be they claims or read by torch; see `read_tensors` for the rules."""
    for _ in range(_MAX_ENVELOPES):
        inside = [content[name] for name in _ENVELOPES if isinstance(content, dict) and name in content]
        content = next((value for value in inside if isinstance(value, dict)), content)
    found = _tensors_of(content, kinds)
    if not found and isinstance(content, dict):
        for name, value in content.items():
            inner = {f"{name}.{key}": tensor for key, tensor in _tensors_of(value, kinds).items()}
            if twice := inner.keys() & found.keys():
                raise ValueError(f"it has two weights of the name {min(twice)[:80]!r}")
            found |= inner
            if len(found) > MAX_TENSORS:
                break  # one dictionary of many tensors may stand under many names
    if len(found) > MAX_TENSORS:
        raise ValueError(f"it has more than {MAX_TENSORS} tensors")
    while found and (prefix := next((p for p in _PREFIXES if all(n.startswith(p) for n in found)), None)):
        found = {name.removeprefix(prefix): tensor for name, tensor in found.items()}
    return found


def _tensors_of(content: Any, kinds: type | tuple[type, ...]) -> dict[str, Any]:
    """The tensors of one dictionary; of placeholders, those by which torch makes tensors of other kinds."""
    if not isinstance(content, dict):
        return {}
    found = {name: value for name, value in content.items() if isinstance(name, str) and isinstance(value, kinds)}
    if all(isinstance(value, Placeholder) for value in found.values()):
        return {}
    return {
        name: value
        for name, value in found.items()
        if not isinstance(value, Placeholder) or value.name.startswith("torch._")
    }


def _what_instead(root: Any) -> str:
    if isinstance(root, Placeholder) and "." in root.name:
        return f"it holds an object of {root.name}. Ask for its state_dict, saved with torch.save"
    if isinstance(root, TensorClaim):
        return "it holds a single tensor"
    names = ", ".join(repr(name[:40]) for name in list(root)[:20]) if isinstance(root, dict) else ""
    return f"it holds {names or 'nothing of that kind'}"


def _what_else(head: bytes) -> str:
    """What a file that is no checkpoint may be, and what to do about it."""
    if head[257:262] == b"ustar":
        return (
            "a tar archive. Unpack it if you trust it, and name the file in it; MotionGPT's own .tar is no tar "
            "archive, and is read as it was downloaded."
        )
    if head.startswith(b"version https://git-lfs"):
        return "the pointer of a file that Git LFS has not fetched. Run `git lfs pull`."
    if head.startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf", b"Rar!", b"\x28\xb5\x2f\xfd")):
        return "a compressed file. Unpack it, and name the file in it."
    if head.lstrip()[:1] == b"<":
        return "a web page. The download has failed; repeat it."
    if head.startswith(b"\x80"):
        return "a pickle that torch.save did not write. Ask for the weights in safetensors."
    return f"a file that starts with {head[:16]!r}. Download it again."


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """The file, unbuffered, after the plain mistakes are ruled out."""
    with _one_error(path):
        if path.is_dir():
            raise CheckpointError(path, f"{_EXPECTED}, but it is a folder. Name the file in it.")
        if not path.exists():
            names = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
            close = get_close_matches(path.name, names, n=1)
            hint = f"Did you mean {close[0]}?" if close else "Check the path."
            raise CheckpointError(path, f"{_EXPECTED}, but there is no such file. {hint}")
        if not path.is_file():
            raise CheckpointError(path, f"{_EXPECTED}, but it is no regular file.")
        if not path.stat().st_size:
            raise CheckpointError(path, f"{_EXPECTED}, but it is empty. Download it again.")
        file = path.open("rb", buffering=0)
    with file:
        yield file


@contextmanager
def _one_error(path: Path) -> Iterator[None]:
    """Turn whatever a broken file raises into the one error; interruptions pass."""
    try:
        yield
    except CheckpointError:
        raise
    except OSError as error:
        raise CheckpointError(path, f"{_EXPECTED}, but it cannot be read ({error.strerror}).") from error
    except ValueError as error:
        raise CheckpointError(path, f"{_EXPECTED}, but {str(error)[:300]}. Download it again.") from error
    except Exception as error:  # broken pickles and archives are known to raise anything
        raise CheckpointError(
            path, f"{_EXPECTED}, but it is broken ({type(error).__name__}: {str(error)[:200]}). Download it again."
        ) from error
