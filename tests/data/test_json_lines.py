"""JSON Lines: whatever is broken is named with its row, and nothing is half written."""

import os

import pytest

from atom_hf.data.faults import AnnotationError
from atom_hf.data.json_lines import read_lines, write_lines


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b'{"a": 1}\n{"a": ', "row 2: expected a JSON object, but .* The line has no end: the file is cut off"),
        (b'{"a": 1}\n\n[1]\n', r"row 3: expected a JSON object, got '\[1\]'"),
        (b'{"a": "\xff"}\n', "expected text in UTF-8"),
        (b'{"a": "\\ud83d"}\n', "row 1: expected a JSON object, but .*surrogates not allowed"),
        (b'{"a": ' + b"9" * 5000 + b"}\n", "row 1: expected a JSON object, but Exceeds the limit"),
        (b'{"a": ' + b"[" * 100_000 + b"\n", "row 1: expected a JSON object"),
    ],
)
def test_lines_that_are_none(tmp_path, data, text):
    (tmp_path / "x.jsonl").write_bytes(data)
    with pytest.raises(AnnotationError, match=text):
        list(read_lines(tmp_path / "x.jsonl"))


def test_what_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "x.jsonl")  # opening it would wait for ever
    with pytest.raises(AnnotationError, match=r"x\.jsonl: expected a JSON Lines file, but it is a pipe"):
        list(read_lines(tmp_path / "x.jsonl"))
    with pytest.raises(AnnotationError, match="expected a JSON Lines file, but it is a folder"):
        list(read_lines(tmp_path))


def test_whole_characters_are_read(tmp_path):
    (tmp_path / "x.jsonl").write_bytes(b'{"a": "\\ud83d\\ude00 \\u00e9"}\n\n')
    assert list(read_lines(tmp_path / "x.jsonl")) == [(1, {"a": "😀 é"})]


def test_faults_may_be_handed_on(tmp_path):
    (tmp_path / "x.jsonl").write_text('{"a": 1}\n[2]\n{"a": 3}\n{')
    faults = []
    assert list(read_lines(tmp_path / "x.jsonl", faults.append)) == [(1, {"a": 1}), (3, {"a": 3})]
    assert [fault.row for fault in faults] == [2, 4]
    assert list(read_lines(tmp_path / "y.jsonl", faults.append)) == []
    assert (faults[-1].path, faults[-1].row) == (tmp_path / "y.jsonl", None)


def test_nothing_half_written(tmp_path):
    def lines():
        yield {"a": 1}
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_lines(tmp_path / "x" / "00000.jsonl", lines())
    assert list((tmp_path / "x").iterdir()) == []
