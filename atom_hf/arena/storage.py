"""Whether votes can be kept in a folder at all, looked at before the first one is asked for.

check_storage(Path("arena"))      →  ("This Space has no persistent storage: …",), or StoreError where nothing holds
"""

import os
import secrets
import sqlite3
from collections.abc import Mapping
from pathlib import Path

from ..data.file_systems import network_file_system
from .errors import StoreError

_PERSISTENT = Path("/data")  # where a Space has its persistent storage, if it has one
_LITTLE = 50 * 2**20


def check_storage(
    folder: Path, *, pushed: bool = False, environment: Mapping[str, str] | None = None
) -> tuple[str, ...]:
    """See that files in a folder can be written and reach the disk, and that SQLite's WAL mode works there.

    Args:
        folder (`Path`): where the store is to be; made where there is none.
        pushed (`bool`, *optional*, defaults to `False`): whether votes go to the Hub on a schedule.
        environment (`Mapping[str, str]`, *optional*): variables, those of the process by default.

    Returns:
        `tuple[str, ...]`: warnings, for whoever runs the arena to see.

    Raises:
        StoreError: if votes could not be kept there.
    """
    environment = os.environ if environment is None else environment
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder)
        _write_wal(folder)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(
            f"{folder}: expected a folder in which votes can be kept, but {_plain(error)}. Choose a folder on a local "
            "disk that can be written."
        ) from None
    warnings = []
    if kind := network_file_system(folder):
        warnings.append(
            f"{folder} is on a network file system ({kind}). Let one machine alone use it, or votes can be lost; a "
            "local disk is better."
        )
    if environment.get("SPACE_ID") and not (folder.resolve().is_relative_to(_PERSISTENT) and _PERSISTENT.is_mount()):
        warnings.append(
            "This Space has no persistent storage in which votes are kept: they are lost when it restarts. Add "
            f"storage and use a folder in {_PERSISTENT}"
            + ("; until then only what was pushed stays." if pushed else ", or push votes to a dataset.")
        )
    free = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize if hasattr(os, "statvfs") else _LITTLE
    if free < _LITTLE:
        warnings.append(f"{folder}: only {free / 2**20:.0f} MB are free; make room before votes are refused.")
    return tuple(warnings)


def _write(folder: Path) -> None:
    probe = folder / f".probe-{secrets.token_hex(8)}"
    said = secrets.token_bytes(64)
    try:
        with probe.open("xb") as file:
            file.write(said)
            file.flush()
            os.fsync(file.fileno())
        if probe.read_bytes() != said:
            raise OSError("what was written is not what is read back")
    finally:
        probe.unlink(missing_ok=True)
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)  # so that the names of new files are on the disk as well
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _write_wal(folder: Path) -> None:
    probe = folder / f".probe-{secrets.token_hex(8)}.sqlite"
    db = sqlite3.connect(probe, isolation_level=None)
    try:
        mode = db.execute("PRAGMA journal_mode=WAL").fetchone()[0]
        if mode != "wal":
            raise OSError(f"SQLite cannot use its WAL mode there (it uses {mode!r})")
        db.execute("CREATE TABLE probe (value)")
        other = sqlite3.connect(probe)
        try:
            other.execute("SELECT * FROM probe").fetchall()  # shared memory works
        finally:
            other.close()
    finally:
        db.close()
        for suffix in ("", "-wal", "-shm"):
            probe.with_name(probe.name + suffix).unlink(missing_ok=True)


def _plain(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
