"""Whether a dataset would be made again just so: every file that it depends on counts, and its own."""

import pytest

from atom_hf.data.json_lines import write_lines
from atom_hf.data.made_from import MadeFrom, digest_of
from tests.data.made_annotations import write_annotations


@pytest.fixture
def folder(tmp_path):
    write_annotations(tmp_path / "annotations")
    dataset = tmp_path / "dataset"
    for name in ("README.md", "data/temporal/train-00000-of-00001.parquet"):
        (dataset / name).parent.mkdir(parents=True, exist_ok=True)
        (dataset / name).write_text(f"a {name}")
    made_from(tmp_path).write()
    return tmp_path


def made_from(folder, **settings):
    return MadeFrom(folder / "dataset", folder / "annotations", {"min_gap": 0.5} | settings)


def test_as_it_was(folder):
    assert made_from(folder).is_current()
    assert (folder / "dataset.json").exists()
    (folder / "annotations" / "prompts" / ".00000-x.jsonl").write_text("unfinished")
    (folder / "annotations" / "settings.json").write_text("{}")
    assert made_from(folder).is_current()


def test_other_settings(folder):
    assert not made_from(folder, min_gap=0.6).is_current()


@pytest.mark.parametrize("text", ["", "[]", "{"])
def test_a_broken_note(folder, text):
    (folder / "dataset.json").write_text(text)
    assert not made_from(folder).is_current()
    (folder / "dataset.json").unlink()
    assert not made_from(folder).is_current()


@pytest.mark.parametrize(
    "name",
    [
        "annotations/votes/00000.jsonl",
        "annotations/verdicts/00001.jsonl",
        "dataset/README.md",
        "dataset/data/temporal/train-00000-of-00001.parquet",
    ],
)
@pytest.mark.parametrize("change", ["edit", "delete"])
def test_changed_files(folder, name, change):
    if change == "delete":
        (folder / name).unlink()
    else:  # of the same length
        text = (folder / name).read_text(encoding="utf-8")
        (folder / name).write_text(text.replace("a", "e", 1), encoding="utf-8")
    assert not made_from(folder).is_current()


def test_added_files(folder):
    write_lines(folder / "annotations" / "votes" / "00002.jsonl", [{"more": 1}])
    assert not made_from(folder).is_current()


def test_what_changes_meanwhile_is_for_the_next_time(folder):
    note = made_from(folder)
    (folder / "annotations" / "votes" / "00000.jsonl").write_text("")
    note.write()
    assert not made_from(folder).is_current()


def test_digest(tmp_path):
    for name, text in (("a/1", "x"), ("a/2", "y"), ("b/1", "y"), ("b/2", "x")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    digests = [digest_of((tmp_path / name).iterdir(), tmp_path / name) for name in "ab"]
    assert digests[0] != digests[1] and len(digests[0]) == 64
    (tmp_path / "b" / "1").write_text("x")
    (tmp_path / "b" / "2").write_text("y")
    assert digest_of(sorted((tmp_path / "b").iterdir(), reverse=True), tmp_path / "b") == digests[0]
