"""Where votes are kept: places that cannot keep them are refused before the first vote."""

import errno
import os
import sqlite3

import pytest

from atom_hf.arena import Arena, StoreError, storage
from atom_hf.arena.storage import check_storage


def test_good(tmp_path):
    assert check_storage(tmp_path / "new" / "arena", environment={}) == ()
    assert list((tmp_path / "new" / "arena").iterdir()) == []


def test_a_file_in_the_way(tmp_path):
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "file" / "arena"):
        with pytest.raises(
            StoreError, match=r"expected a folder in which votes can be kept, but .*Choose a folder on"
        ):
            Arena(place)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is read-only for root")
def test_read_only_for_real(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(StoreError, match="Permission denied"):
            Arena(tmp_path)
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES, errno.ENOSPC, errno.EIO])
def test_what_cannot_be_written_or_reach_the_disk(tmp_path, monkeypatch, code):
    def fail(*_):
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(StoreError, match=f"but {os.strerror(code)}. Choose a folder on a local disk"):
            Arena(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.open", fail)
        with pytest.raises(StoreError, match=f"but {os.strerror(code)}. Choose"):
            check_storage(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_no_wal(tmp_path, monkeypatch):
    class Memory(sqlite3.Connection):
        def execute(self, sql, *values):
            return super().execute(sql.replace("=WAL", "=DELETE"), *values)

    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *args, **options: connect(*args, factory=Memory, **options))
    with pytest.raises(StoreError, match=r"but SQLite cannot use its WAL mode there \(it uses 'delete'\)"):
        check_storage(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_space_without_storage(tmp_path, monkeypatch):
    space = {"SPACE_ID": "me/arena"}
    (warning,) = check_storage(tmp_path, environment=space)
    assert warning.startswith("This Space has no persistent storage") and warning.endswith(
        ", or push votes to a dataset."
    )
    (warning,) = check_storage(tmp_path, environment=space, pushed=True)
    assert warning.endswith("until then only what was pushed stays.")
    monkeypatch.setattr(storage, "_PERSISTENT", tmp_path)
    monkeypatch.setattr("pathlib.Path.is_mount", lambda path: path == tmp_path)
    assert check_storage(tmp_path / "arena", environment=space) == ()
    monkeypatch.setenv("SPACE_ID", "me/arena")
    monkeypatch.setattr(storage, "_PERSISTENT", tmp_path / "data")
    with Arena(tmp_path / "other") as arena:
        assert len(arena.warnings) == 1


def test_network_and_little_room(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(storage, "network_file_system", lambda folder: "nfs4")
        (warning,) = check_storage(tmp_path / "arena", environment={})
    assert "is on a network file system (nfs4). Let one machine alone use it" in warning
    assert check_storage(tmp_path / "local disk" / "arena", environment={}) == ()
    monkeypatch.setattr(storage, "_LITTLE", 2**62)
    assert "make room before votes are refused" in check_storage(tmp_path / "local disk", environment={})[0]
