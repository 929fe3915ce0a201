"""Sides are drawn evenly, and answers about sides turn back into outcomes."""

import pytest

from atom_hf.evaluation.blinding import blind_pairs, unblind


def test_blind_pairs():
    sides = blind_pairs(100, seed=3)
    assert sum(sides) == 50 and sides == blind_pairs(100, seed=3) != blind_pairs(100, seed=4)
    assert sum(blind_pairs(7)) in (3, 4) and blind_pairs(0) == []
    assert {blind_pairs(1, seed=seed)[0] for seed in range(20)} == {True, False}


def test_unblind():
    answers = ["first", "second", "tie", None, "first", "second"]
    assert unblind(answers, [True, True, True, True, False, False]) == ["win", "loss", "tie", None, "loss", "win"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: blind_pairs(-1), "from 0, got -1"),
        (lambda: unblind(["first"], []), "each of 0 pairs, got 1"),
        (lambda: unblind(["left"], [True]), "got 'left'"),
    ],
)
def test_mistakes_are_explained(call, message):
    with pytest.raises(ValueError, match=message):
        call()
