"""A zip of motions from somebody: looked at in memory, entry by entry, and refused whole where anything is odd.

read_zip(data)   →  Upload(motions={"base/wave.npy": Motion(…), …}, prompts=[{"name": "wave", "prompt": "…"}])
"""

import io
import json
import stat
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from ..motion import Motion, MotionFormatError, load_motion
from ..motion.formats.files import PACKINGS, ZIP_ERRORS
from .errors import UploadError

PROMPTS = "prompts.jsonl"
SUFFIXES = (".bvh", ".npy", ".npz")
_IGNORED = ("__MACOSX/", ".DS_Store", "Thumbs.db")  # what systems add by themselves
_ARCHIVE = (b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf", b"Rar!", b"(\xb5/\xfd")


@dataclass(frozen=True)
class ZipLimits:
    """What an archive may be.

    Args:
        archive (`int`, *optional*, defaults to 64 MiB): bytes of it.
        entries (`int`, *optional*, defaults to 2000): files in it.
        file (`int`, *optional*, defaults to 16 MiB): bytes of a file, unpacked.
        total (`int`, *optional*, defaults to 256 MiB): bytes of all files, unpacked.
        ratio (`float`, *optional*, defaults to 60.0): unpacked to packed; motions as text come to about 8.
    """

    archive: int = 64 * 2**20
    entries: int = 2000
    file: int = 16 * 2**20
    total: int = 256 * 2**20
    ratio: float = 60.0


class Upload(NamedTuple):
    """What was in an archive.

    Args:
        motions (`dict[str, Motion]`): by path inside of it.
        prompts (`list[dict]`): lines of `prompts.jsonl`; empty without one.
    """

    motions: dict[str, Motion]
    prompts: list[dict[str, Any]]


def read_zip(data: bytes, limits: ZipLimits | None = None) -> Upload:
    """Read motions and prompts from an archive. Nothing is unpacked under a name of its own.

    Args:
        data (`bytes`): the archive.
        limits ([`ZipLimits`], *optional*): what it may be.

    Returns:
        [`Upload`]: motions by path, and prompts.

    Raises:
        UploadError: if something is broken, hostile, too large or of an unknown kind; nothing was kept.
    """
    limits = limits or ZipLimits()
    if len(data) > limits.archive:
        raise UploadError(f"Expected at most {_size(limits.archive)}, got {_size(len(data))}; send it in parts.")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = _checked(archive.infolist(), limits)
            contents = {path: _content(archive, entry, limits) for path, entry in entries.items()}
    except UploadError:
        raise
    except (*ZIP_ERRORS, zipfile.LargeZipFile, UnicodeError, MemoryError, OverflowError) as error:
        raise UploadError(f"Expected a zip archive of motions, but it cannot be read ({_line(error)}).") from None
    prompts = [path for path in contents if path.endswith(PROMPTS)]
    if len(prompts) > 1:
        raise UploadError(f"Expected one {PROMPTS}, got {len(prompts)}.")
    lines = _lines(contents.pop(prompts[0])) if prompts else []
    if not contents:
        raise UploadError(f"Expected motions ({', '.join(SUFFIXES)}) in the archive, got none.")
    root = str(PurePosixPath(prompts[0]).parent) if prompts else "."
    inside = "" if root == "." else f"{root}/"
    with tempfile.TemporaryDirectory(prefix="upload-") as folder:
        motions = {
            path.removeprefix(inside): _motion(path, content, Path(folder)) for path, content in contents.items()
        }
    return Upload(motions, lines)


def _checked(entries: list[zipfile.ZipInfo], limits: ZipLimits) -> dict[str, zipfile.ZipInfo]:
    if len(entries) > limits.entries:
        raise UploadError(f"Expected at most {limits.entries} files, got {len(entries)}; send them in parts.")
    files: dict[str, zipfile.ZipInfo] = {}
    total, end = 0, 0
    for entry in sorted(entries, key=lambda entry: entry.header_offset):
        name = entry.orig_filename  # zipfile cuts names at NUL and turns backslashes round
        path = PurePosixPath(name)
        if (
            not name
            or not name.isprintable()
            or "\\" in name
            or ":" in name
            or len(name) > 300
            or path.is_absolute()
            or ".." in path.parts
            or name != entry.filename
        ):
            raise UploadError(f"Expected plain paths inside the archive, got {name[:80]!a}.")
        mode = entry.external_attr >> 16
        if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise UploadError(f"Expected files, but {name} is a link or a device.")
        if entry.header_offset < end:
            raise UploadError(f"{name} lies over another file of the archive; pack it anew.")
        end = entry.header_offset + 30 + entry.compress_size
        if entry.is_dir():
            if entry.file_size:
                raise UploadError(f"Expected a folder without content, got {name} of {_size(entry.file_size)}.")
            continue
        if name.startswith(_IGNORED[0]) or path.name in _IGNORED:
            continue
        total += entry.file_size
        _check_entry(entry, name, total, limits)
        key = str(path)
        if key.casefold() in {other.casefold() for other in files} if len(files) < 50 else key in files:
            raise UploadError(f"{name} is in the archive twice.")
        files[key] = entry
    return files


def _check_entry(entry: zipfile.ZipInfo, name: str, total: int, limits: ZipLimits) -> None:
    if entry.flag_bits & 1:
        raise UploadError(f"{name} is encrypted; pack it without a password.")
    if entry.compress_type not in PACKINGS:
        raise UploadError(f"{name} is packed in an unusual way; use plain zip (deflate).")
    if entry.file_size > limits.file:
        raise UploadError(f"{name} has {_size(entry.file_size)} unpacked; expected at most {_size(limits.file)}.")
    if total > limits.total:
        raise UploadError(f"Expected at most {_size(limits.total)} unpacked, got more; send it in parts.")
    if entry.file_size > 2**16 and entry.file_size > limits.ratio * max(1, entry.compress_size):
        raise UploadError(
            f"{name} unpacks to {entry.file_size / max(1, entry.compress_size):.0f} times its size; expected at most "
            f"{limits.ratio:.0f} times."
        )
    if not name.casefold().endswith(SUFFIXES) and PurePosixPath(name).name != PROMPTS:
        raise UploadError(f"Expected {', '.join(SUFFIXES)} and {PROMPTS}, got {name!a}; take it out.")


def _content(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, limits: ZipLimits) -> bytes:
    with archive.open(entry) as stream:
        content = stream.read(min(entry.file_size, limits.file) + 1)
    name = entry.filename.casefold()
    if len(content) != entry.file_size:
        raise UploadError(f"{entry.filename} is not as long as the archive says; pack it anew.")
    if name.endswith(".npz"):
        _check_arrays(entry.filename, content, limits)
    elif content.startswith(_ARCHIVE):
        raise UploadError(f"{entry.filename} is an archive itself; take the motions out of it.")
    return content


def _check_arrays(name: str, content: bytes, limits: ZipLimits) -> None:
    """An .npz is an archive, too: of arrays, and nothing else."""
    with zipfile.ZipFile(io.BytesIO(content)) as arrays:
        inside = arrays.infolist()
        if len(inside) > 100 or any(not array.filename.endswith(".npy") for array in inside):
            raise UploadError(f"Expected arrays in {name}, got something else; save the motion again.")
        if sum(array.file_size for array in inside) > 4 * limits.file:
            raise UploadError(f"{name} unpacks to more than {_size(4 * limits.file)}; cut the motion.")


def _motion(path: str, content: bytes, folder: Path) -> Motion:
    """Through the guarded readers, which take files: under a name of ours, and gone at once."""
    file = folder / f"motion{PurePosixPath(path).suffix.lower()}"
    try:
        file.write_bytes(content)
        return load_motion(file)
    except (MotionFormatError, ValueError) as error:
        problem = str(error).replace(f"{file}", path)
        raise UploadError(f"{problem} Nothing was kept.") from None
    finally:
        file.unlink(missing_ok=True)


def _lines(content: bytes) -> list[dict[str, Any]]:
    records = []
    try:
        for line in content.decode("utf-8-sig").splitlines():
            if line.strip():
                records.append(json.loads(line))
    except (ValueError, RecursionError) as error:
        raise UploadError(f"{PROMPTS}: expected a JSON object a line, but {_line(error)}.") from None
    if not all(isinstance(record, dict) for record in records):
        raise UploadError(f"{PROMPTS}: expected a JSON object a line, got something else.")
    return records


def _size(count: int) -> str:
    return f"{count / 2**20:.1f} MB"


def _line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200] or type(error).__name__
