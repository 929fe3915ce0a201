"""Where results go: whether anything can be written there, and whether another run is at work on them.

check_place("/mnt/cd/pairs")                 →  PermissionError: /mnt/cd/pairs: expected a place to write, but …
with RunLock(folder / ".lock").alone(): …    →  BusyError if another process does so now
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


class BusyError(OSError):
    """Another run is at work on the same files.

    Args:
        folder (`str` or `Path`): the files.
    """

    def __init__(self, folder: str | Path) -> None:
        super().__init__(f"{folder}: another run is at work on it; wait until it is done, or choose another folder.")


def check_place(path: str | Path) -> None:
    """See that a file or a folder can be made, before hours of work or the name of a temporary file say it.

    Args:
        path (`str` or `Path`): what is to be written; missing folders around it are no fault.

    Raises:
        NotADirectoryError: if something around it is a file.
        PermissionError: if it lies in a folder that cannot be written to.
    """
    path = Path(path)
    around = path.absolute().parent
    while not around.exists() and around != around.parent:
        around = around.parent
    if not around.is_dir():
        raise NotADirectoryError(f"{path}: expected a place to write, but {around} is a file; choose another place.")
    for place in (around, path):
        if place.is_dir() and not os.access(place, os.W_OK | os.X_OK):
            raise PermissionError(
                f"{path}: expected a place to write, but {place} is read-only for you; choose another place."
            )


class RunLock:
    """A lock on a file that goes when its process ends, however it ends. Without locks (Windows) it holds nothing.

    Args:
        path (`str` or `Path`): the file; it is empty. Folders around it are made.
        of (`str` or `Path`, *optional*): what it protects, for the message; the folder of the file by default.
    """

    def __init__(self, path: str | Path, of: str | Path | None = None) -> None:
        self.path = Path(path)
        self.of = self.path.parent if of is None else of
        self._file: int | None = None

    @property
    def held(self) -> bool:
        """Whether it is held, alone or with others."""
        return self._file is not None

    def hold(self, shared: bool = False) -> None:
        """Take the lock, or change the one that is held.

        Args:
            shared (`bool`, *optional*, defaults to `False`): with others that share it, instead of alone.

        Raises:
            BusyError: if another run holds it; nothing is held then.
        """
        if fcntl is None:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        while True:
            if self._file is None:
                self._file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o666)
            try:
                fcntl.flock(self._file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
            except BlockingIOError:
                self.release()
                raise BusyError(self.of) from None
            except OSError:  # a file system without locks
                self.release()
                return
            if self._is_there():
                return
            self.release()  # whoever held it before has removed the file; a new one is to be locked

    def release(self) -> None:
        """Let it go."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Hold the lock for a block, alone; then the file is removed.

        Yields:
            `bool`: whether it is held; it is not where there are no locks.

        Raises:
            BusyError: if another run holds it.
        """
        self.hold()
        try:
            yield self.held
        finally:
            if self.held:
                self.path.unlink(missing_ok=True)
            self.release()

    def _is_there(self) -> bool:
        try:
            return self._file is not None and os.path.samestat(os.fstat(self._file), self.path.stat())
        except FileNotFoundError:
            return False

    def __del__(self) -> None:
        if getattr(self, "_file", None) is not None:
            self.release()
