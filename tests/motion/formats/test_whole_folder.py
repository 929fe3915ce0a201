import pytest

from atom_hf.motion.formats.whole_folder import refuse_used, whole_folder


def anything(folder):
    """No objection to whatever stands there."""


def test_it_replaces_what_was_there(tmp_path):
    folder = tmp_path / "new" / "data"
    with whole_folder(folder, refuse_used) as unfinished:
        (unfinished / "a").write_text("1")
        assert not folder.exists()
    (folder / ".git").mkdir()
    with whole_folder(folder, anything, keep=(".git", ".cache")) as unfinished:
        (unfinished / "b").write_text("2")
    assert sorted(path.name for path in folder.iterdir()) == [".git", "b"]
    assert [path.name for path in folder.parent.iterdir()] == ["data"]


def test_it_stays_as_it_was_when_something_fails(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    with pytest.raises(KeyboardInterrupt), whole_folder(folder, refuse_used) as unfinished:
        (unfinished / "a").write_text("1")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == [folder] and list(folder.iterdir()) == []


def test_it_looks_again_before_it_replaces(tmp_path):
    folder = tmp_path / "data"
    with (
        pytest.raises(FileExistsError, match="expected a new or an empty folder, but it holds files"),
        whole_folder(folder, refuse_used),
    ):
        folder.mkdir()
        (folder / "theirs").write_text("1")
    assert (folder / "theirs").exists() and list(tmp_path.iterdir()) == [folder]
    with pytest.raises(FileExistsError, match="but it is a file"), whole_folder(folder / "theirs", refuse_used):
        pass
