"""One process at a time asks for a store; others may read it meanwhile.

lock = OneWriter(Path("verdicts.sqlite"))
lock.take()        # True; another process gets ValueError: "… is in use by another process (pid 4711) …"
lock.give_back()

The lock is one of SQLite's own, on a file beside the store, so that the system frees it however a process ends.
"""

import itertools
import os
import secrets
import sqlite3
from pathlib import Path

_PATIENCE = 0.2  # seconds; two who come at the same time meet for an instant
_ROUNDS = 5
_numbers = itertools.count()
_process: tuple[int, str] = (0, "")


def process_name() -> str:
    """A name for this process, with which the ids of its calls begin.

    Returns:
        `str`: 20 characters, unique in all stores; another one in a forked process.
    """
    global _process
    if _process[0] != os.getpid():
        _process = (os.getpid(), secrets.token_hex(10))
    return _process[1]


def new_call() -> str:
    """An id for a call.

    Returns:
        `str`: unique in all stores.
    """
    return f"{process_name()}{next(_numbers):x}"


class OneWriter:
    """A lock that the runs of one store object share, and nobody else.

    Args:
        store (`Path`): the store; the lock is a file beside it.
    """

    def __init__(self, store: Path) -> None:
        self.store, self.path = store, store.with_name(f"{store.name}.lock")
        self._runs = 0
        self._db: sqlite3.Connection | None = None

    def take(self) -> bool:
        """Be the one, or one run more of it.

        Returns:
            `bool`: True for the first run, so that others may have written before.

        Raises:
            ValueError: if another process is the one, or another store object of this one; or there can be no lock.
        """
        if self._db is None:
            self._db = self._locked()
        self._runs += 1
        return self._runs == 1

    def give_back(self) -> None:
        """A run is over; with the last one others may write."""
        self._runs -= 1
        if self._runs == 0 and self._db is not None:
            self._db.close()
            self._db = None

    def _locked(self) -> sqlite3.Connection:
        try:
            db = sqlite3.connect(self.path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
        except sqlite3.Error as error:
            raise ValueError(f"{self.path} cannot be made, so {self.store} cannot be used ({error}).") from None
        owner = 0
        try:
            for _ in range(_ROUNDS):
                db.execute(f"PRAGMA user_version={os.getpid()}")  # for those who come later
                db.execute("BEGIN IMMEDIATE")  # held until the end; it keeps out writers, and readers see who it is
                owner = _owner(db)
                if owner == os.getpid():
                    return db
                db.execute("ROLLBACK")  # somebody wrote his number between our two steps
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_BUSY:
                db.close()
                raise ValueError(f"{self.path} cannot be locked, so {self.store} cannot be used ({error}).") from None
            owner = _owner(db)
        db.close()
        raise ValueError(self._words(owner))

    def _words(self, owner: int) -> str:
        if owner == os.getpid():
            return (
                f"{self.store} is in use by another judge of this process. Give both the same object, "
                "store=Store(path), or wait for the other one."
            )
        return (
            f"{self.store} is in use by another process (pid {owner}), and of two at once both would pay for the "
            "same questions. Wait for that one, or give each process a store of its own and merge them afterwards: "
            "Store(path).merge(others)."
        )


def _owner(db: sqlite3.Connection) -> int:
    try:
        return int(db.execute("PRAGMA user_version").fetchone()[0])
    except sqlite3.Error:
        return 0
