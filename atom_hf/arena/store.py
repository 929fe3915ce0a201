"""The arena's SQLite file: committed to the disk before anything is acknowledged, several servers at once.

store = Store("arena/votes.sqlite")
with store.write() as db: db.execute("INSERT …")       all of the block or nothing
store.read("SELECT count(*) FROM live")                never waits for writers
"""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .errors import StoreError
from .schema import TABLES, VERSION

_WAIT = 60.0  # seconds for another server's commit
_BYTES_OF_PAGE = 4096
_BYTES_OF_LOG = 16 * 2**20  # that stay on the disk after a large campaign was added


class Store:
    """A store on a local disk, in WAL mode.

    There is one connection for writing, behind a lock, and one for reading in each thread.

    Args:
        path (`str` or `Path`): the file; made where there is none. Its folder must be there.
        max_bytes (`int`, *optional*): most bytes of the file.

    Raises:
        StoreError: if it is damaged, of a newer version, something else, or cannot be written.
    """

    def __init__(self, path: str | Path, max_bytes: int | None = None) -> None:
        self.path = Path(path).absolute()
        self._lock = threading.RLock()
        self._readers = threading.local()
        self._closed = False
        try:
            self._writer = self._connect()
        except sqlite3.Error as error:
            raise StoreError(self._why_not_opened(error)) from None
        try:
            self._open()
            self.limit(max_bytes)
        except sqlite3.DatabaseError as error:
            self._writer.close()
            raise StoreError(self._why_not_opened(error)) from None
        except BaseException:
            self._writer.close()
            raise

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self.path, timeout=_WAIT, isolation_level=None, check_same_thread=False)

    def _open(self) -> None:
        db = self._writer
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if version > VERSION:
            raise StoreError(
                f"{self.path} was written by a newer version (format {version}, and this one knows {VERSION}); "
                "update atom_hf."
            )
        (found,) = db.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise sqlite3.DatabaseError(found)
        if (mode := db.execute("PRAGMA journal_mode=WAL").fetchone()[0]) != "wal":
            raise StoreError(
                f"{self.path}: expected a disk on which SQLite can use its WAL mode, got {mode!r}; use a local disk."
            )
        db.execute("PRAGMA foreign_keys=ON")
        db.execute(f"PRAGMA journal_size_limit={_BYTES_OF_LOG}")
        if version == VERSION:
            return
        with self.write() as db:  # two servers may start at once
            if db.execute("PRAGMA user_version").fetchone()[0] == 0:
                if db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                    raise StoreError(f"{self.path} is a database of something else; choose another folder.")
                for statement in _statements(TABLES):
                    db.execute(statement)
                db.execute(f"PRAGMA user_version={VERSION}")

    def _why_not_opened(self, error: sqlite3.Error) -> str:
        text = str(error)
        if any(word in text for word in ("malformed", "not a database", "corrupt", "***", "Tree", "Page")):
            return (
                f"{self.path} is damaged ({text.splitlines()[0]}). Stop all servers and put a copy of it in its "
                "place, or move it away with its -wal and -shm files to begin anew."
            )
        return f"{self.path} cannot be opened ({text}); choose a folder that can be written."

    def limit(self, max_bytes: int | None) -> None:
        """Set how large the file may become; it never becomes smaller by that.

        Args:
            max_bytes (`int`, *optional*): most bytes; None is no limit.
        """
        pages = 2**31 if max_bytes is None else max(1, max_bytes // _BYTES_OF_PAGE)
        self._writer.execute(f"PRAGMA max_page_count={min(pages, 2**30)}")

    @contextmanager
    def write(self, durable: bool = True) -> Iterator[sqlite3.Connection]:
        """A transaction: on the disk when the block has ended well, and otherwise as if it had not been.

        Args:
            durable (`bool`, *optional*, defaults to `True`): False does not wait for the disk. A killed process loses
                nothing by that; where the power fails, what was not followed by a durable one may be gone.

        Yields:
            `sqlite3.Connection`: to change the store with.

        Raises:
            StoreError: if the disk is full or broken, or another server holds the store for too long.
        """
        with self._lock:
            self._check_open()
            db = self._writer
            try:
                db.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
                db.execute("BEGIN IMMEDIATE")
                yield db
                db.execute("COMMIT")
            except sqlite3.IntegrityError:  # for the caller to put into words
                raise
            except sqlite3.DatabaseError as error:
                raise StoreError(_why_not_saved(error)) from error
            finally:
                if db.in_transaction:
                    db.execute("ROLLBACK")

    def read(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Rows of a query.

        Args:
            sql (`str`): the query; it can change nothing.
            values (`Sequence`, *optional*): for its question marks.

        Returns:
            `list[tuple]`: rows.

        Raises:
            StoreError: if the store cannot be read.
        """
        self._check_open()
        try:
            reader = getattr(self._readers, "own", None)
            if reader is None:
                reader = self._readers.own = _Reader(self._connect())
            return list(reader.db.execute(sql, values))
        except sqlite3.DatabaseError as error:
            raise StoreError(f"The store cannot be read ({error}); please try again.") from error

    def close(self) -> None:
        """Close the file; everything is in it already."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._readers = threading.local()  # their connections go with them, those in use a little later
                self._writer.close()

    def _check_open(self) -> None:
        if self._closed:
            raise StoreError("The arena is closed; nothing was saved. Please try again when it is back.")


class _Reader:
    """A thread's connection, which is closed when the thread has ended."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db
        db.execute("PRAGMA query_only=ON")

    def __del__(self) -> None:
        self.db.close()


def _why_not_saved(error: sqlite3.Error) -> str:
    text = str(error)
    if "full" in text:
        return "The disk is full, so nothing was saved. Please tell whoever runs this arena; your place is kept."
    if "locked" in text or "busy" in text:
        return "The store is busy, so nothing was saved. Please try again."
    return f"The store cannot be written ({text}), so nothing was saved. Please tell whoever runs this arena."


def _statements(script: str) -> Iterator[str]:
    """Statements of a script one by one, as `executescript` would commit in between."""
    whole = ""
    for line in script.splitlines(keepends=True):
        whole += line
        if sqlite3.complete_statement(whole):
            yield whole
            whole = ""
