"""Agreement of raters: worked examples of the literature, and what maintained libraries say of the same ratings."""

import numpy as np
import pytest

from atom_hf.evaluation.agreement import Agreement, cohen_kappa, fleiss_kappa, krippendorff_alpha

# Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability": four observers, twelve units, missing data.
KRIPPENDORFF = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
    [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
]
# Fleiss (1971) as it is usually printed: 10 subjects, 14 raters, 5 categories.
FLEISS = [
    [0, 0, 0, 0, 14],
    [0, 2, 6, 4, 2],
    [0, 0, 3, 5, 6],
    [0, 3, 9, 2, 0],
    [2, 2, 8, 1, 1],
    [7, 7, 0, 0, 0],
    [3, 2, 6, 3, 0],
    [2, 5, 3, 2, 2],
    [6, 5, 2, 1, 0],
    [0, 2, 2, 3, 7],
]
FIRST = [int(c) for c in "543221111545345443352541253144511513123331111434244235552454"]
SECOND = [int(c) for c in "554231122544345534353531353154421423113432112523344145553353"]
# Four raters, - where one gave none.
FOUR = [
    "335151435254514512413445333513",
    "3-4152-3-143-23-1-5-445544---2",
    "33515143-25-514-1-4-34-5-33513",
    "--415-3--1434234--51--554-25-2",
]


def items(rows):
    return [list(item) for item in zip(*rows, strict=True)]


def test_cohen_by_hand():
    """20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no: observed 0.7, expected 0.5."""
    first = ["yes"] * 25 + ["no"] * 25
    second = ["yes"] * 20 + ["no"] * 5 + ["yes"] * 10 + ["no"] * 15
    found = cohen_kappa(first, second)
    assert isinstance(found, Agreement) and found.cause is None
    assert found.value == pytest.approx(0.4) and found.observed == 0.7
    assert (found.items, found.raters) == (50, 2)
    # Fleiss, Cohen & Everitt (1969): a standard error of 0.1285 here, so about 0.148 to 0.652
    assert found.low == pytest.approx(0.148, abs=0.02) and found.high == pytest.approx(0.652, abs=0.02)


@pytest.mark.parametrize(
    ("weights", "expected"),
    [(None, 0.372822299651568), ("linear", 0.6896551724137931), ("quadratic", 0.8772504091653)],
)
def test_cohen_as_scikit_learn(weights, expected):
    """scikit-learn 1.9.1, cohen_kappa_score."""
    found = cohen_kappa(FIRST, SECOND, weights=weights)
    assert found.value == pytest.approx(expected, abs=1e-12)
    assert found.low < expected < found.high
    assert cohen_kappa(SECOND, FIRST, weights=weights).value == pytest.approx(expected, abs=1e-12)


def test_weights_need_an_order():
    degrees = ["much", "better", "slightly", "unsure"]
    a, b = ["much", "unsure", "better", "slightly"], ["much", "slightly", "better", "unsure"]
    numbers = cohen_kappa([degrees.index(x) for x in a], [degrees.index(x) for x in b], weights="linear").value
    assert cohen_kappa(a, b, weights="linear", categories=degrees).value == pytest.approx(numbers)
    with pytest.raises(ValueError, match=r"order of 'much' .* categories="):
        cohen_kappa(a, b, weights="linear")
    with pytest.raises(ValueError, match="got 'unsure'"):
        cohen_kappa(a, b, categories=degrees[:3])


def test_a_category_nobody_used_keeps_its_place():
    """Ratings 1, 2, 4: places off observed 4/4, expected 22/16 on the scale 1 to 4; without 3, 2/4 and 14/16."""
    a, b = [1, 2, 4, 4], [1, 4, 4, 2]
    assert cohen_kappa(a, b, weights="linear", categories=[1, 2, 3, 4]).value == pytest.approx(1 - 16 / 22)
    assert cohen_kappa(a, b, weights="linear").value == pytest.approx(1 - 8 / 14)


def test_missing_ratings_are_left_out():
    found = cohen_kappa([*FIRST, None, 2, None], [*SECOND, 1, None, None])
    assert found.value == cohen_kappa(FIRST, SECOND).value and found.items == 60


def test_fleiss_as_printed():
    ratings = [[category for category, n in enumerate(row) for _ in range(n)] for row in FLEISS]
    found = fleiss_kappa(ratings)
    assert found.value == pytest.approx(0.20993070442195522, abs=1e-12)  # statsmodels 0.15.0; printed as 0.210
    assert found.observed == pytest.approx(0.378, abs=5e-4)
    assert (found.items, found.raters) == (10, 14) and found.low < 0.21 < found.high


@pytest.mark.parametrize(
    ("level", "expected"),
    [("nominal", 0.743421052631579), ("ordinal", 0.8153875037548814), ("interval", 0.849107142857)],
)
def test_alpha_as_printed(level, expected):
    """Krippendorff prints 0.743, 0.815 and 0.849; the last digits are of `krippendorff` 0.9.0."""
    found = krippendorff_alpha(items(KRIPPENDORFF), level=level)
    assert found.value == pytest.approx(expected, abs=1e-11)
    assert (found.items, found.raters) == (11, 4)  # the last unit has one rating only
    assert found.low < expected < found.high


@pytest.mark.parametrize(
    ("level", "expected"),
    [("nominal", 0.457031660881455), ("ordinal", 0.875664364658157), ("interval", 0.893265512892)],
)
def test_alpha_with_many_gaps(level, expected):
    ratings = items([[None if c == "-" else int(c) for c in row] for row in FOUR])
    assert krippendorff_alpha(ratings, level=level).value == pytest.approx(expected, abs=1e-11)


def test_alpha_of_numbers_far_from_zero():
    ratings = items([[None if x is None else x + 1e6 for x in row] for row in KRIPPENDORFF])
    assert krippendorff_alpha(ratings, level="interval").value == pytest.approx(0.849107142857, abs=1e-9)


def test_alpha_of_named_ranks():
    names = {1: "poor", 2: "fair", 3: "good", 4: "better", 5: "best", None: None}
    ratings = [[names[rating] for rating in row] for row in items(KRIPPENDORFF)]
    order = list(names.values())[:5]
    found = krippendorff_alpha(ratings, level="ordinal", categories=order)
    assert found == krippendorff_alpha(items(KRIPPENDORFF), level="ordinal")
    with pytest.raises(ValueError, match=r"order of 'poor'"):
        krippendorff_alpha(ratings, level="ordinal")
    with pytest.raises(ValueError, match="use level='ordinal'"):
        krippendorff_alpha(ratings, level="interval", categories=order)


def test_perfect_and_opposite():
    for found in (
        cohen_kappa([1, 2, 1, 2], [1, 2, 1, 2]),
        fleiss_kappa([[1, 1], [2, 2], [1, 1], [2, 2]]),
        krippendorff_alpha([[1, 1], [2, 2], [1, 1], [2, 2]]),
    ):
        assert found.value == 1 and found.observed == 1
    assert cohen_kappa([1, 2, 1, 2], [2, 1, 2, 1]).value == pytest.approx(-1)
    assert krippendorff_alpha([[1, 2], [2, 1]] * 20).value == pytest.approx(-1, abs=0.03)


def test_one_category_has_no_value_and_says_so():
    for found in (
        cohen_kappa(["A"] * 5, ["A"] * 5),
        cohen_kappa([3] * 5, [3] * 5, weights="quadratic", categories=[1, 2, 3]),
        fleiss_kappa([["A", "A", "A"]] * 5),
        *(krippendorff_alpha([[2, 2, None]] * 5, level=level) for level in ("nominal", "ordinal", "interval")),
    ):
        assert found.value is None and found.low is None and found.high is None and found.observed == 1
        assert "Only one category occurs" in found.cause


def test_a_rare_category_leaves_no_interval():
    """One disagreement in 40: more than a third of the resamples never see the second category."""
    found = krippendorff_alpha([["A", "A"]] * 39 + [["A", "B"]])
    assert found.value == pytest.approx(0, abs=0.02) and found.observed == 39 / 40
    assert found.low is None and "No interval" in found.cause


def test_intervals_hold_what_they_promise():
    """Data of which κ is known: a rater copies the other with probability 0.6, so κ = 0.6."""
    rng, inside = np.random.default_rng(1), 0
    for trial in range(100):
        first = rng.integers(0, 3, 150)
        second = np.where(rng.random(150) < 0.6, first, rng.integers(0, 3, 150))
        found = krippendorff_alpha(np.stack([first, second], axis=1).tolist(), draws=400, seed=trial)
        inside += found.low <= 0.6 <= found.high
    assert 88 <= inside <= 99


def test_the_same_seed_gives_the_same_interval():
    ratings = items(KRIPPENDORFF)
    assert krippendorff_alpha(ratings, seed=3) == krippendorff_alpha(ratings, seed=3)
    assert krippendorff_alpha(ratings, seed=3).low != krippendorff_alpha(ratings, seed=4, draws=50).low
    wide, narrow = (fleiss_kappa([[1, 1], [1, 2], [2, 2]] * 9, confidence=c) for c in (0.99, 0.5))
    assert wide.low < narrow.low < narrow.high < wide.high


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: cohen_kappa([1, 2], [1]), "two ratings for every item, got 2 and 1"),
        (lambda: cohen_kappa([1, None], [None, 2]), "No item has a rating of both"),
        (lambda: cohen_kappa([], []), "No item"),
        (lambda: cohen_kappa([1], [2], weights="cubic"), "got 'cubic'"),
        (lambda: cohen_kappa([float("nan")], [1.0]), "NaN; write None"),
        (lambda: fleiss_kappa([]), "at least one item"),
        (lambda: fleiss_kappa([[1], [2]]), r"two or more, for every item, got \[1\]"),
        (lambda: fleiss_kappa([[1, 2], [1, 2, 2]]), r"got \[2, 3\]; krippendorff_alpha takes"),
        (lambda: fleiss_kappa([[1, None]]), "some of them missing"),
        (lambda: krippendorff_alpha([[1], [2]]), "at least two raters, .* got rows of 1"),
        (lambda: krippendorff_alpha([[1, 2], [1]]), "rows of 1, 2"),
        (lambda: krippendorff_alpha([[1, None], [None, 2]]), "No item was rated by two raters"),
        (lambda: krippendorff_alpha([[1, 2]], level="ratio"), "got 'ratio'"),
        (lambda: krippendorff_alpha([[1, 2], [2, 2]], confidence=95), "between 0 and 1, got 95"),
    ],
)
def test_mistakes_are_explained(call, message):
    with pytest.raises(ValueError, match=message):
        call()
