"""Places that can be written to, and locks that one run holds."""

import os
import signal
import subprocess
import sys

import pytest

from atom_hf.data.places import BusyError, RunLock, check_place


def test_good_places(tmp_path):
    check_place(tmp_path)
    check_place(tmp_path / "a" / "b" / "c.jsonl")
    assert list(tmp_path.iterdir()) == []


def test_bad_places(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError, match=r"file/a/b: expected a place to write, but .*/file is a file"):
        check_place(tmp_path / "file" / "a" / "b")
    monkeypatch.setattr("os.access", lambda path, mode: path != tmp_path / "read-only")
    (tmp_path / "read-only").mkdir()
    for name in ("read-only", "read-only/a"):
        with pytest.raises(PermissionError, match=rf"{name}: expected .*/read-only is read-only for you; choose"):
            check_place(tmp_path / name)
    check_place(tmp_path / "a")


posix = pytest.mark.skipif(os.name != "posix", reason="locks are those of POSIX")


@posix
def test_alone_or_shared(tmp_path):
    one, two = RunLock(tmp_path / "x" / ".lock"), RunLock(tmp_path / "x" / ".lock")
    one.hold()
    for shared in (False, True):
        with pytest.raises(BusyError, match=f"{tmp_path}/x: another run is at work on it"):
            two.hold(shared)
        assert one.held and not two.held
    one.hold(shared=True)
    two.hold(shared=True)
    one.release()
    with pytest.raises(BusyError):
        one.hold()
    two.release()
    one.hold()


@posix
def test_a_block_leaves_no_file(tmp_path):
    lock = RunLock(tmp_path / ".lock", of="the folder")
    with pytest.raises(RuntimeError), lock.alone() as held:
        assert held
        with pytest.raises(BusyError, match="the folder: another run"), RunLock(lock.path, of="the folder").alone():
            pass
        raise RuntimeError
    assert list(tmp_path.iterdir()) == [] and not lock.held


@posix
def test_a_removed_file_is_no_lock(tmp_path, monkeypatch):
    """Who opened the file before its holder removed it must not hold what nobody else can see."""
    first, second = RunLock(tmp_path / ".lock"), RunLock(tmp_path / ".lock")
    first.hold()
    opened = os.open

    def late(path, *rest):
        number = opened(path, *rest)
        monkeypatch.setattr("os.open", opened)
        first.path.unlink()
        first.release()
        return number

    monkeypatch.setattr("os.open", late)
    second.hold()
    assert second.path.exists()
    with pytest.raises(BusyError):
        first.hold()


@posix
def test_it_goes_with_its_process(tmp_path):
    code = "import sys, time; from atom_hf.data.places import RunLock; lock = RunLock(sys.argv[1]); lock.hold()"
    code += "; print('held', flush=True); time.sleep(60)"
    other = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "l")], stdout=subprocess.PIPE, text=True)
    assert other.stdout.readline() == "held\n"
    lock = RunLock(tmp_path / "l")
    with pytest.raises(BusyError):
        lock.hold()
    other.send_signal(signal.SIGKILL)
    other.communicate()
    lock.hold()
    assert lock.held
