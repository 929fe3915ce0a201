"""Intervals and tests of shares against numbers of the literature and of SciPy."""

import pytest

from atom_hf.evaluation.proportion import sign_test, wilson_interval


@pytest.mark.parametrize(
    ("wins", "decided", "low", "high"),
    # SciPy 1.17, binomtest(...).proportion_ci(method="wilson"); 42 of 50 is InstructMotion's agreement of labellers
    [
        (42, 50, 0.7148578393696501, 0.916625793219666),
        (0, 10, 0.0, 0.27753279986288926),
        (10, 10, 0.7224672001371109, 1.0),
    ],
)
def test_wilson(wins, decided, low, high):
    assert wilson_interval(wins, decided) == (pytest.approx(low, abs=1e-12), pytest.approx(high, abs=1e-12))


def test_wilson_by_confidence():
    wide, narrow = wilson_interval(6, 10, 0.99), wilson_interval(6, 10, 0.5)
    assert wide[0] < narrow[0] < 0.6 < narrow[1] < wide[1]


@pytest.mark.parametrize(
    ("wins", "losses", "p"),
    [
        (8, 1, 20 / 512),  # 2 (1 + 9) / 2⁹
        (1, 8, 20 / 512),
        (5, 5, 1.0),
        (0, 0, 1.0),
        (6, 0, 2 / 64),
        (700, 620, 0.02963642932538485),  # SciPy 1.17, binomtest
    ],
)
def test_sign_test(wins, losses, p):
    assert sign_test(wins, losses) == pytest.approx(p, rel=1e-12)


def test_sign_test_of_many():
    assert sign_test(10_000, 10_000) == 1 and 0 < sign_test(10_500, 9_500) < 1e-11


def test_mistakes_are_explained():
    with pytest.raises(ValueError, match="decided >= 1"):
        wilson_interval(0, 0)
