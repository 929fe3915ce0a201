"""The store: votes are only added, what is broken or too new is refused, a transaction is whole or nothing."""

import sqlite3
import threading

import pytest

from atom_hf.arena import StoreError
from atom_hf.arena.store import Store
from tests.arena.parts import rows, sign_in, vote


def test_what_is_written_stays(make):
    arena = make()
    ann = sign_in(arena)
    vote(arena, ann)
    vote(arena, ann)
    arena.undo(ann)
    for table, column in (("votes", "degree"), ("retractions", "at"), ("consents", "given"), ("settings", "value")):
        for sql in (f"UPDATE {table} SET {column} = 1", f"DELETE FROM {table}"):
            with pytest.raises(sqlite3.IntegrityError, match=f"{table} are only added to"):
                with arena._store.write() as db:
                    db.execute(sql)
    assert rows(arena, "SELECT count(*), count(degree) FROM votes") == [(2, 2)]


def test_the_store_itself_takes_one_live_vote_a_pair_and_labeller(make):
    arena = make()
    vote(arena, sign_in(arena))
    columns = "pair, labeller, presentation, kind, one_first, choice, degree, reason, questions, note, at, seconds"
    with arena._store.write() as db:
        db.execute(
            "INSERT INTO ballots (id, pair, labeller, presentation, attempt, kind, one_first, served, leased) "
            "SELECT 'another', pair, labeller, presentation, 1, kind, one_first, served, 0 FROM ballots"
        )
    with pytest.raises(sqlite3.IntegrityError, match="this labeller has voted on this pair"):
        with arena._store.write() as db:
            db.execute(
                f"INSERT INTO votes (ballot, attempt, token, {columns}) "
                f"SELECT 'another', 1, 'new', {columns} FROM votes"
            )


def test_votes_wait_for_the_disk(make):
    arena = make()
    ann = sign_in(arena)
    said: list[str] = []
    arena._store._writer.set_trace_callback(said.append)
    vote(arena, ann)
    commits = [i for i, sql in enumerate(said) if sql == "COMMIT"]
    modes = [[sql for sql in said[:end] if sql.startswith("PRAGMA synchronous")][-1] for end in commits]
    assert modes == ["PRAGMA synchronous=NORMAL", "PRAGMA synchronous=FULL"]  # the ballot, and the vote
    assert rows(arena, "PRAGMA journal_mode") == [("wal",)]


def test_readers_change_nothing(make):
    with pytest.raises(StoreError, match=r"cannot be read .*readonly"):
        make()._store.read("DELETE FROM tallies")


def test_a_transaction_is_whole_or_nothing(make):
    store = make()._store
    with pytest.raises(RuntimeError):
        with store.write() as db:
            db.execute("DELETE FROM tallies")
            raise RuntimeError
    assert store.read("SELECT count(*) FROM tallies") == [(6,)]


def test_readers_do_not_wait_for_writers(make):
    store = make()._store
    found = []
    with store.write() as db:
        db.execute("DELETE FROM tallies")
        thread = threading.Thread(target=lambda: found.append(store.read("SELECT count(*) FROM tallies")))
        thread.start()
        thread.join(timeout=10)
    assert found == [[(6,)]]


def test_newer_version(make, tmp_path):
    arena = make()
    arena.close()
    with sqlite3.connect(arena.folder / "votes.sqlite") as db:
        db.execute("PRAGMA user_version=9")
    db.close()
    with pytest.raises(StoreError, match=r"written by a newer version \(format 9, and this one knows 1\); update"):
        make(0)


def test_a_database_of_something_else(tmp_path):
    with sqlite3.connect(tmp_path / "other.sqlite") as db:
        db.execute("CREATE TABLE mine (value)")
    db.close()
    with pytest.raises(StoreError, match="is a database of something else; choose another folder"):
        Store(tmp_path / "other.sqlite")


@pytest.mark.parametrize("damage", ["text", "header", "middle"])
def test_damaged(make, damage):
    arena = make(30)
    vote(arena, sign_in(arena))
    arena.close()
    path = arena.folder / "votes.sqlite"
    data = bytearray(path.read_bytes())
    if damage == "text":
        data = bytearray(b"no database at all" * 300)
    elif damage == "header":
        data[16:100] = b"\xff" * 84
    else:
        for page in range(2, 40, 3):
            data[page * 4096 : page * 4096 + 200] = b"\xff" * 200
    path.write_bytes(data)
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    with pytest.raises(StoreError, match=r"votes.sqlite is damaged .*put a copy of it in its place, or move it away"):
        make(0)
    assert path.read_bytes() == bytes(data)  # left as it is, for whoever mends it


def test_closed(make):
    arena = make()
    ann = sign_in(arena)
    arena.close()
    arena.close()
    with pytest.raises(StoreError, match="The arena is closed; nothing was saved"):
        arena.next_ballot(ann)
