"""Words that people type: kept as they are, but for what moves or hides text."""

import pytest

from atom_hf.arena import AnswerError
from atom_hf.arena.text import typed


def test_kept_as_they_are():
    for text in ("Ann", "O'Brien <b>", "渡辺", "עברית", "🙂", "a & b; DROP TABLE votes;--", "{{7*7}}"):
        assert typed(text, "a name", 60) == text
    assert typed("  a \t b\n", "a name", 60) == "a b"
    assert typed("a\nb", "a note", 60, lines=True) == "a\nb"
    assert typed("e\u0301", "a name", 60) == "é"
    assert typed(" ", "a note", 60, empty=True) == ""


@pytest.mark.parametrize("hidden", [*"\x00\x08\x1b\x7f\x85\u202e\u2066\u200b\u200f\ufeff\u00ad\ud800\uffff"])
def test_what_hides(hidden):
    with pytest.raises(AnswerError, match=rf"invisible characters, got U\+{ord(hidden):04X}; please type it again"):
        typed(f"a{hidden}b", "a name", 60)


def test_lengths_and_kinds():
    with pytest.raises(AnswerError, match="Expected a name of at most 5 letters, got 6; please shorten it"):
        typed("abcdef", "a name", 5)
    with pytest.raises(AnswerError, match="got 10000000"):
        typed("\u0301" * 10_000_000, "a name", 5)
    with pytest.raises(AnswerError, match="Expected a name, got nothing"):
        typed(" \t", "a name", 5)
    for bad in (None, 7, b"ann", ["ann"]):
        with pytest.raises(AnswerError, match="Expected a name as text, got"):
            typed(bad, "a name", 5)
