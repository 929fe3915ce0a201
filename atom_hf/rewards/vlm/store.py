"""Everything a judge asked and was told, in one SQLite file: no call is paid twice, and what was spent stays known.

questions  key → what was asked: task, rules, model, prompt, digests of the pictures
calls      one row a request: opened before it is sent, closed with the reply, its tokens and dollars

A run that was killed goes on where it stopped: closed calls are answers; calls that were open may have been paid.
"""

import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from ...data.file_systems import network_file_system
from .one_writer import OneWriter, new_call, process_name
from .totals import Totals

FORMAT = 1
QUESTION = ("kind", "task", "rules", "model", "settings", "prompt", "vote", "layout", "pictures", "item")
# What is kept as the answer to a question. A refusal is none: another day the answer may be another.
KEPT = ("good", "no score", "truncated", "unreadable")
_TABLES = f"""
CREATE TABLE IF NOT EXISTS questions (key TEXT PRIMARY KEY, {", ".join(f"{name} TEXT" for name in QUESTION)});
CREATE INDEX IF NOT EXISTS questions_item ON questions (item);
CREATE TABLE IF NOT EXISTS calls (
    id TEXT PRIMARY KEY, key TEXT, step INTEGER, batch TEXT, started REAL, ended REAL, outcome TEXT, reply TEXT,
    cause TEXT, input_tokens INTEGER DEFAULT 0, output_tokens INTEGER DEFAULT 0, dollars REAL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS calls_key ON calls (key);
CREATE TABLE IF NOT EXISTS batches (
    id TEXT PRIMARY KEY, server_id TEXT, status TEXT, created REAL, requests INTEGER, detail TEXT
);
"""


class Kept(NamedTuple):
    """The reply to a call.

    Args:
        outcome (`str`): `"good"`, `"no score"`, `"truncated"`, `"unreadable"`, `"refused"` or `"filtered"`.
        reply (`str`): the text, as it came but for keys.
        cause (`str`): why there is no score in it; empty for a good one.
        step (`int`): 0 for the first reply, 1 for that to the repair request.
    """

    outcome: str
    reply: str
    cause: str
    step: int


class Store:
    """A SQLite file on a local disk, in WAL mode. Judges of one process may share one; several processes may not.

    Each worker of a large job writes a store of its own, and `merge` puts them together. Anybody may read meanwhile.

    Args:
        path (`str` or `Path`): the file; made where there is none, with its folder.

    Raises:
        ValueError: if it lies on a network file system, where WAL corrupts, cannot be opened, is damaged, or is no
            such store.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).absolute()
        if kind := network_file_system(self.path):
            raise ValueError(
                f"{self.path} is on a network file system ({kind}), where SQLite's WAL mode loses data. Use a path on "
                "a local disk, one a worker, and merge them afterwards."
            )
        if self.path.is_dir():
            raise ValueError(f"{self.path} is a folder; expected a file for a judge's store, such as verdicts.sqlite.")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._lock, self._one_writer = threading.RLock(), OneWriter(self.path)
        self._open_calls: dict[str, float] = {}
        self.elsewhere = 0.0  # dollars that other processes spent, as far as it is known
        try:
            self._db = sqlite3.connect(self.path, timeout=30, isolation_level=None, check_same_thread=False)
        except sqlite3.Error as error:
            raise ValueError(f"{self.path} cannot be opened as a judge's store: {error}.") from None
        try:
            self._open()
            self.totals = self._count()
        except sqlite3.Error as error:
            self._db.close()
            raise ValueError(_what_is_wrong(self.path, error)) from None
        self.earlier = self.totals.dollars + self.totals.uncertain  # dollars, before this was opened

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Be the only process that asks for this store, for `with`; inside of it again is no matter.

        Raises:
            ValueError: if another process is, or another store object of this one.
        """
        with self._lock:
            begins = self._one_writer.take()
        try:
            with self._lock:
                if begins and self._version() != self._counted:
                    self.totals = self._count()
            yield
        finally:
            with self._lock:
                self._one_writer.give_back()

    def _version(self) -> int:
        """A number that changes when others write."""
        return int(self._db.execute("PRAGMA data_version").fetchone()[0])

    def _open(self) -> None:
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version not in (0, FORMAT):
            raise sqlite3.DatabaseError(f"its format is {version}, expected {FORMAT}")
        if version == 0 and self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            raise sqlite3.DatabaseError("it is a database of something else")
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")  # a killed process loses nothing
        self._db.executescript(f"{_TABLES} PRAGMA user_version={FORMAT};")

    def _count(self) -> Totals:
        totals, elsewhere = Totals(), 0.0
        self._counted = self._version()
        sums = "count(*), sum(input_tokens), sum(output_tokens), sum(dollars)"
        name = process_name()
        for outcome, own, calls, read, written, dollars in self._db.execute(
            f"SELECT outcome, substr(id, 1, {len(name)}) = ? AS own, {sums} FROM calls GROUP BY outcome, own", (name,)
        ):
            totals.add(outcome, read, written, dollars, calls)
            elsewhere += 0.0 if own else dollars
        self.elsewhere = elsewhere
        return totals

    def find(self, key: str) -> Kept | None:
        """The reply that is kept for a question.

        Args:
            key (`str`): of the question.

        Returns:
            [`Kept`] or `None`: None if it is to be asked. An unreadable first reply comes as such, for its repair.
        """
        marks = ", ".join("?" * len(KEPT))
        with self._lock:
            row = self._db.execute(
                f"SELECT outcome, reply, cause, step FROM calls WHERE key = ? AND outcome IN ({marks}) "
                "ORDER BY step DESC, outcome = 'good' DESC, ended LIMIT 1",
                (key, *KEPT),
            ).fetchone()
        return Kept(*row) if row else None

    def has_item(self, item: str) -> bool:
        """Whether something like this was asked and answered; an estimate, since pictures are not looked at.

        Args:
            item (`str`): digest of motion, prompt and settings.

        Returns:
            `bool`: True if so.
        """
        with self._lock:
            row = self._db.execute(
                "SELECT 1 FROM questions JOIN calls USING (key) WHERE item = ? AND outcome IN "
                f"({', '.join('?' * len(KEPT))}) LIMIT 1",
                (item, *KEPT),
            ).fetchone()
        return row is not None

    def begin(self, key: str, question: Mapping[str, Any], step: int, dollars: float, batch: str | None = None) -> str:
        """Write down that a call is about to be made.

        Args:
            key (`str`): of the question.
            question (`Mapping[str, Any]`): the columns `QUESTION`.
            step (`int`): 0, or 1 for a repair.
            dollars (`float`): the most it may cost.
            batch (`str`, *optional*): id of the batch it is part of.

        Returns:
            `str`: id of the call.
        """
        call = new_call()
        with self._lock, self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute(
                f"INSERT OR IGNORE INTO questions VALUES (?, {', '.join('?' * len(QUESTION))})",
                (key, *(question[name] for name in QUESTION)),
            )
            self._db.execute(
                "INSERT INTO calls (id, key, step, batch, started, outcome, dollars) "
                "VALUES (?, ?, ?, ?, ?, 'open', ?)",
                (call, key, step, batch, time.time(), dollars),
            )
            self._open_calls[call] = dollars
            self.totals.add("open", 0, 0, dollars)
        return call

    def end(
        self,
        call: str,
        outcome: str,
        *,
        reply: str = "",
        cause: str = "",
        input_tokens: int = 0,
        output_tokens: int = 0,
        dollars: float = 0.0,
    ) -> None:
        """Write down what came of a call.

        Args:
            call (`str`): its id.
            outcome (`str`): one of [`Kept`]'s, `"failed"` (an error, not paid) or `"lost"` (no reply, perhaps paid).
            reply (`str`, *optional*): text of the reply.
            cause (`str`, *optional*): why there is no score in it.
            input_tokens (`int`, *optional*, defaults to 0): tokens sent.
            output_tokens (`int`, *optional*, defaults to 0): tokens received.
            dollars (`float`, *optional*, defaults to 0.0): its price, or for a lost one the most it can be.
        """
        with self._lock:
            most = self._open_calls.pop(call, None)
            if most is None:  # another run began it
                most = self._db.execute("SELECT dollars FROM calls WHERE id = ?", (call,)).fetchone()[0]
            self._db.execute(
                "UPDATE calls SET ended = ?, outcome = ?, reply = ?, cause = ?, input_tokens = ?, output_tokens = ?, "
                "dollars = ? WHERE id = ?",
                (time.time(), outcome, reply, cause, input_tokens, output_tokens, dollars, call),
            )
            self.totals.add("open", 0, 0, -most, calls=-1)
            self.totals.add(outcome, input_tokens, output_tokens, dollars)

    def forget(self, outcome: str) -> int:
        """Have questions asked again whose replies came to nothing; what they cost stays counted.

        Args:
            outcome (`str`): `"unreadable"`, `"truncated"` or `"no score"`.

        Returns:
            `int`: how many replies are forgotten.

        Raises:
            ValueError: if it is another outcome.
        """
        if outcome not in KEPT[1:]:
            raise ValueError(f"What can be forgotten is one of {', '.join(KEPT[1:])}, got {outcome!r}.")
        with self.writing(), self._lock:
            changed = self._db.execute("UPDATE calls SET outcome = 'forgotten' WHERE outcome = ?", (outcome,)).rowcount
            self.totals = self._count()
        return changed

    def merge(self, others: Iterable[str | Path]) -> int:
        """Take in what other stores have, such as those of the workers of a job.

        Args:
            others (`Iterable[str | Path]`): their files; merged once more they change nothing.

        Returns:
            `int`: how many calls are new.

        Raises:
            FileNotFoundError: if there is none.
            ValueError: if it is no such store, or another process is asking for this one.
        """
        new = 0
        for path in map(Path, others):
            if not path.is_file():
                raise FileNotFoundError(f"Expected a store of a vision judge, but there is no file {path}.")
            Store(path).close()  # says what is wrong with it
            with self.writing(), self._lock:
                self._db.execute("ATTACH ? AS other", (str(path.absolute()),))
                try:
                    with self._db:
                        self._db.execute("BEGIN IMMEDIATE")
                        self._db.execute("INSERT OR IGNORE INTO questions SELECT * FROM other.questions")
                        new += self._db.execute("INSERT OR IGNORE INTO calls SELECT * FROM other.calls").rowcount
                        # A call that was open when the store was merged before may have been closed since.
                        self._db.execute(
                            "INSERT OR REPLACE INTO calls SELECT theirs.* FROM other.calls AS theirs "
                            "JOIN calls AS ours USING (id) WHERE ours.outcome = 'open' AND theirs.outcome != 'open'"
                        )
                        self._db.execute("INSERT OR IGNORE INTO batches SELECT * FROM other.batches")
                finally:
                    self._db.execute("DETACH other")
                self.totals = self._count()
        return new

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Ask the database itself, or change it.

        Args:
            sql (`str`): a statement.
            values (`Sequence`, *optional*): for its question marks.

        Returns:
            `list[tuple]`: rows, if it gives any.
        """
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def close(self) -> None:
        """Close the file; everything is in it already."""
        with self._lock:
            self._db.close()


def _what_is_wrong(path: Path, error: sqlite3.Error) -> str:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_NOTADB) & 0xFF
    if code == sqlite3.SQLITE_CORRUPT:
        return (
            f"{path} is damaged ({error}). Move it and its -wal and -shm files away; `sqlite3 {path.name} .recover` "
            "saves what can be read."
        )
    if isinstance(error, sqlite3.OperationalError):  # the disk or its permissions, not what is in the file
        return f"{path} cannot be opened as a judge's store: {error}."
    return f"{path} is no store of a vision judge: {error}."
