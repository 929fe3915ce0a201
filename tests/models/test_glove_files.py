"""Word vectors in T2M's three files; whatever a pickle asks for beside words and numbers is refused, unread."""

import pickle
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from atom_hf.models.checkpoint_error import CheckpointError
from atom_hf.models.glove_files import read_glove, read_plain_pickle
from atom_hf.motion import MotionFormatError
from tests.models.evaluator_parts import GLOVE_WORDS, save_glove

DATA, WORDS, INDEX = "our_vab_data.npy", "our_vab_words.pkl", "our_vab_idx.pkl"
TABLE = ["sos", "eos", "unk", "walk"]


@pytest.fixture
def folder(tmp_path) -> Path:
    return save_glove(tmp_path)


def write(folder: Path, words: object, index: object, protocol: int = 4) -> None:
    (folder / WORDS).write_bytes(pickle.dumps(words, protocol))
    (folder / INDEX).write_bytes(pickle.dumps(index, protocol))


def test_the_golden_vocabulary(folder):
    found = read_glove(folder)
    assert found.words == GLOVE_WORDS and len(found.words) == 13
    np.testing.assert_array_equal(found.vectors, np.load(folder / DATA))


def test_the_files_of_others(shared):
    """The golden ones, which another hand wrote, and the published words."""
    assert read_glove(shared / "golden" / "d_glove").words == GLOVE_WORDS
    words = read_plain_pickle(shared / "reference" / "t2m_glove" / WORDS)
    index = read_plain_pickle(shared / "reference" / "t2m_glove" / INDEX)
    assert len(words) == 4199 and words[:4] == ["sos", "eos", "unk", "a"] and index["kick"] == words.index("kick")


@pytest.mark.parametrize("protocol", range(6))
def test_vectors_follow_the_index_in_every_protocol(tmp_path, protocol):
    vectors = np.arange(8, dtype=np.float64).reshape(4, 2)
    np.save(tmp_path / DATA, vectors)
    write(tmp_path, TABLE, {"sos": 3, "eos": 0, "unk": 2, "walk": 1, "more": 900}, protocol)
    found = read_glove(tmp_path)
    assert found.words == TABLE and found.vectors.dtype == np.float32
    np.testing.assert_array_equal(found.vectors, vectors[[3, 0, 2, 1]])


@pytest.mark.parametrize("name", [DATA, WORDS, INDEX])
def test_missing_files(folder, name):
    (folder / name).unlink()
    with pytest.raises(CheckpointError, match=f"but {name} is not there. They come in glove.zip"):
        read_glove(folder)


class Hostile:
    """Makes a file where it is unpickled plainly."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


@pytest.mark.parametrize("name", [WORDS, INDEX])
@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_pickles_that_call(folder, name, protocol):
    (folder / name).write_bytes(pickle.dumps([*TABLE, Hostile(folder / "ran")], protocol))
    with pytest.raises(CheckpointError, match="which such a vocabulary has no need of; it may be hostile"):
        read_glove(folder)
    assert not (folder / "ran").exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no pickle",
        pickle.dumps(TABLE)[:-6],
        b"\x80\x04" + b"r\xff\xff\xff\x7f.",  # a memo of two billion places
        b"\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\x0f.",  # a string of 2^60 bytes
        b"]" * 30 + b".",
        pickle.dumps((1, 2)),
        pickle.dumps(3.5),
    ],
)
def test_broken_pickles(folder, content):
    (folder / WORDS).write_bytes(content)
    with pytest.raises(CheckpointError, match=r"our_vab_words.pkl: expected a (pickled vocabulary|list of words)"):
        read_glove(folder)


def test_a_pickle_that_is_too_large(folder, monkeypatch):
    monkeypatch.setattr("atom_hf.models.glove_files._MAX_BYTES", 50)
    with pytest.raises(CheckpointError, match="a vocabulary of at most 50 bytes, got 106"):
        read_glove(folder)


@pytest.mark.parametrize(
    ("words", "index", "text"),
    [
        ({"a": 1}, {}, "expected a list of words"),
        ([], {}, "expected a list of words"),
        (["sos", 3], {}, "expected a list of words"),
        (["sos", ""], {}, "expected a list of words"),
        (TABLE, ["sos"], "expected a dictionary of words and numbers"),
        (TABLE, {"sos": "0"}, "expected a dictionary of words and numbers"),
        (TABLE, {"sos": 0, "eos": 1, "unk": 2}, "the place of 'walk' among 13 vectors, but it has none"),
        (TABLE, {"sos": 0, "eos": 1, "unk": -1, "walk": 3}, "the place of 'unk' among 13 vectors"),
        (TABLE, {"sos": 0, "eos": 1, "unk": 2, "walk": 13}, "the place of 'walk' among 13 vectors"),
        (TABLE[1:], {word: i for i, word in enumerate(TABLE)}, "and sos, eos, unk among them"),
        ([*TABLE, "walk"], {word: i for i, word in enumerate(TABLE)}, "expected each word once"),
    ],
)
def test_vocabularies_that_are_none(folder, words, index, text):
    write(folder, words, index)
    with pytest.raises(CheckpointError, match=text):
        read_glove(folder)


def test_arrays_that_are_none(folder):
    for array in (np.zeros(13, np.float32), np.zeros((13, 4), np.int64), np.full((13, 4), np.nan)):
        np.save(folder / DATA, array)
        with pytest.raises(CheckpointError, match=r"expected finite vectors \[words, size\], got"):
            read_glove(folder)
    np.save(folder / DATA, np.array([Hostile(folder / "ran")]), allow_pickle=True)
    with pytest.raises(MotionFormatError, match="never read"):
        read_glove(folder)
    assert not (folder / "ran").exists()
