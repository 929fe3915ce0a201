"""Win rates: what is counted, what is left out, and judges with a bias."""

import random

import pytest

from atom_hf.evaluation.blinding import blind_pairs
from atom_hf.evaluation.proportion import wilson_interval
from atom_hf.evaluation.win_rate import (
    WinRate,
    compare_pairwise,
    outcomes_from_scores,
    win_rate,
    win_rate_markdown,
    win_rate_table,
)


def test_counts():
    found = win_rate(["win", "win", "tie", "loss", None, "win"])
    assert found == WinRate(wins=3, ties=1, losses=1, unscored=1)
    assert found.judged == 5 and found.rate == 0.75 and found.score == 0.7
    assert found.shares == (0.6, 0.2, 0.2)
    assert found.interval == wilson_interval(3, 4)


def test_unscored_is_no_number():
    assert win_rate(["win", None]).rate == 1 and win_rate(["loss", None]).score == 0
    nothing = win_rate([None, None])
    assert nothing.unscored == 2 and nothing.p == 1
    assert nothing.rate is None and nothing.score is None and nothing.shares is None and nothing.interval is None
    ties = win_rate(["tie"])
    assert ties.rate is None and ties.score == 0.5 and ties.interval is None and ties.p == 1


def better(first, second):
    """A judge of numbers without a bias."""
    return "tie" if first == second else "first" if first > second else "second"


def test_a_fair_judge():
    found = compare_pairwise(better, [3, 1, 2, 5], [1, 3, 2, 4])
    assert found.outcomes == ["win", "loss", "tie", "win"]
    assert found.win_rate == WinRate(2, 1, 1)
    assert found.position.rate == 0.5 and found.position.inconsistent == 0 and found.position.ties == 2


def test_a_judge_that_always_takes_the_first():
    found = compare_pairwise(lambda first, second: "first", range(10), range(10))
    assert found.outcomes == ["tie"] * 10 and found.win_rate.rate is None
    assert found.position == (20, 0, 0, 10) and found.position.rate == 1 and found.position.p < 1e-5


def test_half_an_answer_is_inconsistent():
    """For A when shown first, a tie otherwise."""
    found = compare_pairwise(lambda first, second: "first" if first == "a" else "tie", ["a"], ["b"])
    assert found.outcomes == ["tie"] and found.position.inconsistent == 1


def test_a_judge_that_cannot_judge():
    found = compare_pairwise(lambda first, second: None if first == 7 else better(first, second), [7, 9], [8, 8])
    assert found.outcomes == [None, "win"] and found.win_rate.unscored == 1
    assert found.position == (2, 1, 0, 0)  # the answer that came counts for the bias, not for the outcome


def test_asked_once():
    seen = []

    def judge(first, second):
        seen.append((first, second))
        return better(first, second)

    a, b = list(range(100, 140)), list(range(40))
    found = compare_pairwise(judge, a, b, both_orders=False, seed=5)
    assert found.win_rate == WinRate(40, 0, 0) and len(seen) == 40
    assert [first >= 100 for first, _ in seen] == blind_pairs(40, seed=5)
    assert found.position.inconsistent is None and found.position.rate == 0.5


def test_a_biased_judge_is_corrected():
    """It takes the first in two cases of three, whatever is shown; asked twice, equal systems stay equal."""
    rng = random.Random(0)
    found = compare_pairwise(
        lambda first, second: "first" if rng.random() < 2 / 3 else "second", range(600), range(600)
    )
    low, high = found.win_rate.interval
    assert low < 0.5 < high and found.position.rate == pytest.approx(2 / 3, abs=0.05)
    assert found.position.inconsistent > 250


def test_outcomes_from_scores():
    a, b = [5.0, 3.0, 2.0, None, 4.0, 1.0], [3.0, 3.0, 4.0, 3.0, None, 1.5]
    assert outcomes_from_scores(a, b) == ["win", "tie", "loss", None, None, "loss"]
    assert outcomes_from_scores(a, b, tie_margin=0.5) == ["win", "tie", "loss", None, None, "tie"]
    assert outcomes_from_scores(a, b, tie_margin=2) == ["tie", "tie", "tie", None, None, "tie"]


def test_table_over_temperatures():
    table = win_rate_table({1.0: ["win", "loss", None], 0.4: ["win", "win", "tie", "win"], 0.7: [None]})
    assert list(table) == [0.4, 0.7, 1.0] and table[0.4].wins == 3
    lines = win_rate_markdown(table).splitlines()
    assert lines[0].startswith("| temperature | win %")
    assert lines[2] == "| 0.4 | 75.0 | 25.0 | 0.0 | 1.00 [0.44, 1.00] | 0.25 | 4 | 0 |"
    assert lines[3] == "| 0.7 | – | – | – | – | 1 | 0 | 1 |"
    assert len({line.count("|") for line in lines}) == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: win_rate(["win", "draw"]), "'win', 'tie', 'loss' or None, got 'draw'"),
        (lambda: WinRate(-1, 0, 0), "counts from 0"),
        (lambda: win_rate([], confidence=95), "between 0 and 1"),
        (lambda: compare_pairwise(better, [1], []), "got 1 and 0"),
        (lambda: compare_pairwise(lambda a, b: "A", [1], [1]), "'second', 'tie' or None, got 'A'"),
        (lambda: outcomes_from_scores([1.0], []), "got 1 and 0"),
        (lambda: outcomes_from_scores([float("nan")], [1.0]), "Pair 0 has a score that is NaN"),
        (lambda: outcomes_from_scores([1.0], [1.0], tie_margin=-1), "at least 0, got -1"),
    ],
)
def test_mistakes_are_explained(call, message):
    with pytest.raises(ValueError, match=message):
        call()
