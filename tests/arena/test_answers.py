"""Answers: what is missing, unknown or contradictory is said; nothing else is kept."""

import pytest

from atom_hf.arena import Answer, AnswerError
from atom_hf.arena.answers import check_questions, of_motions, of_sides
from atom_hf.data.degrees import DEGREES


def test_good_answers():
    for degree in DEGREES[:-1]:
        assert Answer("first", degree.upper()).degree == degree
    assert Answer("tie").degree is None
    assert Answer("tie", "skipped").degree is None  # as some forms send it
    assert Answer("skipped", reason="both implausible").reason == "both implausible"
    said = {
        "choice": "second",
        "degree": "Slightly better",
        "questions": {"events": "both"},
        "note": " a\nb ",
        "seconds": 3,
    }
    answer = Answer.read(said)
    assert answer == Answer("second", "slightly better", None, {"events": "both"}, "a\nb", 3)


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"choice": "left", "degree": "better"}, r"Expected a choice, one of first, second, tie, skipped, got 'left'"),
        ({"choice": ["first"]}, r"Expected a choice, one of .* got \['first'\]"),
        ({"choice": None}, "Expected a choice"),
        ({"choice": "first"}, "Expected how much better it is. The degree of preference is one of"),
        ({"choice": "first", "degree": "betterer"}, "Did you mean 'better'"),
        ({"choice": "first", "degree": "skipped"}, "Expected how much better it is, one of much better, better"),
        ({"choice": "first", "degree": 7}, "Expected how much better it is"),
        ({"choice": "tie", "degree": "better"}, "Expected no degree with the choice 'tie', got 'better'"),
        ({"choice": "skipped"}, "Expected why it is skipped, one of both implausible, .*got None"),
        ({"choice": "skipped", "reason": "bored"}, "Expected why it is skipped"),
        ({"choice": "skipped", "reason": ["other"]}, "Expected why it is skipped"),
        ({"choice": "tie", "reason": "other"}, "Expected a reason only where a pair is skipped"),
        ({"choice": "tie", "note": "x" * 501}, "Expected a note of at most 500 letters, got 501"),
        ({"choice": "tie", "note": "a\u202eb"}, r"without control or invisible characters, got U\+202E"),
        ({"choice": "tie", "note": "a\x00b"}, r"got U\+0000"),
        ({"choice": "tie", "note": 5}, "Expected a note as text, got int"),
        ({"choice": "tie", "questions": ["events"]}, "Expected answers by question"),
        ({"choice": "tie", "questions": dict.fromkeys(map(str, range(9)), "both")}, "Expected answers by question"),
        ({"choice": "tie", "seconds": -1}, "Expected seconds of at least 0, got -1"),
        ({"choice": "tie", "seconds": float("nan")}, "Expected seconds"),
        ({"choice": "tie", "seconds": True}, "Expected seconds"),
        ({"choice": "tie", "admin": True}, "Expected an answer with choice, degree, reason"),
        ({}, "Expected an answer with"),
        ("first", "Expected an answer with"),
        (None, "Expected an answer with"),
    ],
)
def test_bad_answers(record, message):
    with pytest.raises(AnswerError, match=message) as error:
        Answer.read(record)
    assert len(str(error.value)) < 500


def test_questions_of_a_task():
    check_questions(Answer("tie", questions={"events": "neither", "order": "unsure"}), "temporal")
    with pytest.raises(AnswerError, match="Expected answers to events, got 'order'"):
        check_questions(Answer("tie", questions={"order": "both"}), "integrity")
    with pytest.raises(
        AnswerError, match=r"Expected one of first, second, both, neither, unsure for 'events', got 'no'"
    ):
        check_questions(Answer("tie", questions={"events": "no"}), "integrity")
    with pytest.raises(AnswerError, match="for 'events'"):
        check_questions(Answer("tie", questions={"events": ["both"]}), "integrity")


def test_sides_and_motions():
    for one_first in (True, False):
        for said in ("first", "second", "tie", "skipped", "both", "neither", "unsure"):
            assert of_sides(of_motions(said, one_first), one_first) == said
    assert of_motions("first", True) == of_motions("second", False) == "one"
    assert of_motions("second", True) == of_motions("first", False) == "two"
