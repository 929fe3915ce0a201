"""How far raters agree beyond chance: Cohen's κ, Fleiss' κ and Krippendorff's α, with bootstrap intervals.

cohen_kappa(person, judge, weights="quadratic")     →  Agreement(value=0.71, low=0.60, high=0.80, observed=0.64, …)
krippendorff_alpha([["A", "A", None], ["B", "A", "B"]])     # one row an item, one column a rater, None where missing

1 is perfect agreement, 0 what chance gives, below 0 worse than chance. All of them fall when one category dominates,
even if raters hardly ever differ (Feinstein & Cicchetti 1990): read `observed` beside them.
"""

# Written here because no library fits: `krippendorff` is under the GPL; scikit-learn and statsmodels bring 200 MB for
# two formulas and give NaN where only one category occurs. The tests hold ours against all three.

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from .bootstrap import DRAWS, resampling_counts

Rating = Hashable  # a category, or a number; None is a missing one
Level = Literal["nominal", "ordinal", "interval"]

_UNDEFINED_ALLOWED = 0.05  # share of bootstrap draws, beyond which an interval would be one of the others only


@dataclass(frozen=True)
class Agreement:
    """Chance-corrected agreement of raters.

    Args:
        value (`float`, *optional*): 1 perfect, 0 as chance; higher is better. None where it is not defined, with
            `cause`.
        low (`float`, *optional*): lower end of the bootstrap interval over items; None where there is none.
        high (`float`, *optional*): upper end. At the value 1 both ends are 1, however few the items.
        observed (`float`): share of the pairs of ratings of an item that are equal, 0 to 1, not corrected for chance.
        items (`int`): items with at least two ratings; the others say nothing about agreement.
        raters (`int`): columns, or ratings an item for Fleiss' κ.
        cause (`str`, *optional*): why there is no value or no interval.
    """

    value: float | None
    low: float | None
    high: float | None
    observed: float
    items: int
    raters: int
    cause: str | None = None


def cohen_kappa(
    first: Sequence[Rating],
    second: Sequence[Rating],
    *,
    weights: Literal["linear", "quadratic"] | None = None,
    categories: Sequence[Rating] | None = None,
    confidence: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
) -> Agreement:
    """Agreement of two raters (Cohen 1960; weighted: Cohen 1968).

    Each rater has an own share of every category, so a judge that is biased towards one loses little; use
    Krippendorff's α where bias should count. With weights, near misses count less than far ones; such a κ grows
    with the range that the items span, so compare it on the same items only.

    Args:
        first (`Sequence[Rating]`): one rating an item, None where missing; such items are left out.
        second (`Sequence[Rating]`): the other rater's, in the same order.
        weights (`str`, *optional*): `"linear"` or `"quadratic"` in the distance of categories; None counts every
            disagreement the same.
        categories (`Sequence[Rating]`, *optional*): all categories in order; needed for weights unless the ratings are
            numbers. Name them where some may not occur, since distances are counted in places of this list.
        confidence (`float`, *optional*, defaults to 0.95): of the interval.
        draws (`int`, *optional*, defaults to 10000): of the bootstrap over items.
        seed (`int`, *optional*, defaults to 0): the same seed gives the same interval.

    Returns:
        [`Agreement`]: without a value if both raters only use one and the same category.

    Raises:
        ValueError: if lengths differ, no item has both ratings, or a rating or option is unknown.
    """
    if len(first) != len(second):
        raise ValueError(f"Expected two ratings for every item, got {len(first)} and {len(second)}.")
    if weights not in (None, "linear", "quadratic"):
        raise ValueError(f"Expected weights None, 'linear' or 'quadratic', got {weights!r}.")
    rows = [[a, b] for a, b in zip(first, second, strict=True) if a is not None and b is not None]
    if not rows:
        raise ValueError("No item has a rating of both raters, so there is nothing to compare.")
    index = _category_index(rows, categories, ordered=weights is not None)
    size = len(index)
    table = np.zeros((size, size))
    for a, b in rows:
        table[index[a], index[b]] += 1
    distance = np.abs(np.arange(size)[:, None] - np.arange(size)).astype(np.float64)
    cost = np.where(distance > 0, 1.0, 0.0) if weights is None else distance ** (1 if weights == "linear" else 2)
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(len(rows), table.ravel() / len(rows), size=draws).reshape(draws, size, size)
    return _agreement(
        _kappas(table[None], cost)[0],
        _kappas(drawn, cost),
        observed=float(np.trace(table)) / len(rows),
        items=len(rows),
        raters=2,
        confidence=confidence,
    )


def _kappas(tables: np.ndarray, cost: np.ndarray) -> np.ndarray:
    """κ of confusion tables `[D, C, C]`; NaN where chance alone agrees."""
    expected = np.einsum("di,dj,ij->d", tables.sum(axis=2), tables.sum(axis=1), cost)
    found = np.einsum("dij,ij->d", tables, cost) * tables[0].sum()
    return _one_minus(found, expected)


def fleiss_kappa(
    ratings: Sequence[Sequence[Rating]],
    *,
    confidence: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
) -> Agreement:
    """Agreement of several raters who rate every item the same number of times (Fleiss 1971).

    Who gave a rating plays no part, so different items may have different raters. For two raters it is Scott's π, not
    Cohen's κ.

    Args:
        ratings (`Sequence[Sequence[Rating]]`): one row an item, n >= 2 ratings each, none missing.
        confidence (`float`, *optional*, defaults to 0.95): of the interval.
        draws (`int`, *optional*, defaults to 10000): of the bootstrap over items.
        seed (`int`, *optional*, defaults to 0): the same seed gives the same interval.

    Returns:
        [`Agreement`]: without a value if only one category occurs.

    Raises:
        ValueError: if there are no items, or an item has fewer than two ratings or another number than the rest.
    """
    rows = _rows(ratings)
    sizes = {len(row) for row in rows}
    if len(sizes) > 1 or min(sizes) < 2 or any(rating is None for row in rows for rating in row):
        raise ValueError(
            f"Fleiss' κ needs the same number of ratings, two or more, for every item, got {sorted(sizes)}"
            f"{', some of them missing' if any(None in row for row in rows) else ''}; krippendorff_alpha takes items "
            "with any number of them."
        )
    counts, raters = _counts(rows, _category_index(rows, None, ordered=False)), sizes.pop()
    equal = ((counts**2).sum(axis=1) - raters) / (raters * (raters - 1))

    def kappas(drawn: np.ndarray) -> np.ndarray:
        shares = drawn @ counts / (len(rows) * raters)
        return _one_minus(1 - drawn @ equal / len(rows), 1 - (shares**2).sum(axis=1))

    return _agreement(
        *_resampled(kappas, len(rows), draws, seed),
        observed=float(equal.mean()),
        items=len(rows),
        raters=raters,
        confidence=confidence,
    )


def krippendorff_alpha(
    ratings: Sequence[Sequence[Rating]],
    *,
    level: Level = "nominal",
    categories: Sequence[Rating] | None = None,
    confidence: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
) -> Agreement:
    """Agreement of any number of raters, of whom each may have rated some of the items only (Krippendorff 2011).

    Krippendorff relies on data from 0.80 and draws tentative conclusions from 0.667. The interval resamples items (his
    own procedure resamples pairs of ratings and is narrower).

    Args:
        ratings (`Sequence[Sequence[Rating]]`): one row an item, one column a rater, None where missing.
        level (`str`, *optional*, defaults to `"nominal"`): `"nominal"`, categories without order; `"ordinal"`, ranks;
            `"interval"`, numbers whose differences mean something.
        categories (`Sequence[Rating]`, *optional*): all categories in order, for ordinal ratings that are no numbers.
        confidence (`float`, *optional*, defaults to 0.95): of the interval.
        draws (`int`, *optional*, defaults to 10000): of the bootstrap over items.
        seed (`int`, *optional*, defaults to 0): the same seed gives the same interval.

    Returns:
        [`Agreement`]: without a value if only one category occurs.

    Raises:
        ValueError: if there are fewer than two raters, rows differ in length, no item has two ratings, or a rating or
            option is unknown.
    """
    if level not in ("nominal", "ordinal", "interval"):
        raise ValueError(f"Expected level 'nominal', 'ordinal' or 'interval', got {level!r}.")
    rows = _rows(ratings)
    raters = {len(row) for row in rows}
    if len(raters) > 1 or min(raters) < 2:
        raise ValueError(
            f"Expected a row an item with a column for each of at least two raters, None where one gave no rating, "
            f"got rows of {', '.join(map(str, sorted(raters)))}."
        )
    paired = [[r for r in row if r is not None] for row in rows]
    paired = [row for row in paired if len(row) > 1]
    if not paired:
        raise ValueError("No item was rated by two raters, so there is nothing to compare; let raters share items.")
    index = _category_index(paired, categories, ordered=level != "nominal")
    counts = _counts(paired, index)
    places = _numbers(index) if level == "interval" else None
    size = counts.sum(axis=1)
    same = ((counts**2).sum(axis=1) - size).sum() / (size * (size - 1)).sum()

    def alphas(drawn: np.ndarray) -> np.ndarray:
        return _alphas(drawn, counts, places, ordinal=level == "ordinal")

    return _agreement(
        *_resampled(alphas, len(paired), draws, seed),
        observed=float(same),
        items=len(paired),
        raters=raters.pop(),
        confidence=confidence,
    )


def _alphas(drawn: np.ndarray, counts: np.ndarray, places: np.ndarray | None, ordinal: bool) -> np.ndarray:
    """α of draws of items `[D, N]` with ratings `counts` `[N, C]`; NaN where only one category occurs.

    The distance of ordinal categories is that of their mean ranks among all ratings, so ordinal α is interval α with
    ranks for numbers; and all squared differences in an item add up to 2 (m Σ x² − (Σ x)²).
    """
    size = counts.sum(axis=1)  # ratings of each item, [N]
    weight = drawn / (size - 1)  # [D, N]
    totals = drawn @ counts  # [D, C]
    total = totals.sum(axis=1)
    if places is None and not ordinal:
        found = weight @ (size**2 - (counts**2).sum(axis=1))
        expected = total**2 - (totals**2).sum(axis=1)
    else:
        x = np.cumsum(totals, axis=1) - totals / 2 if places is None else np.tile(places, (len(totals), 1))  # [D, C]
        squares = ((weight * size) @ counts * x**2).sum(axis=1)
        found = 2 * (squares - (weight * (x @ counts.T) ** 2).sum(axis=1))
        expected = 2 * (total * (totals * x**2).sum(axis=1) - (totals * x).sum(axis=1) ** 2)
    expected = np.where((totals > 0).sum(axis=1) > 1, expected, 0.0)  # exactly, whatever was rounded
    return _one_minus(found * (total - 1), expected)


def _one_minus(found: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """1 − found / expected disagreement, NaN where none is to be expected."""
    defined = expected > 1e-12
    return np.where(defined, 1 - found / np.where(defined, expected, 1.0), np.nan)


def _resampled(
    statistic: Callable[[np.ndarray], np.ndarray], items: int, draws: int, seed: int
) -> tuple[float, np.ndarray]:
    """A statistic of all items, and of draws of them."""
    drawn = np.concatenate([statistic(counts) for counts in resampling_counts(items, draws, seed)])
    return statistic(np.ones((1, items)))[0], drawn


def _agreement(
    value: float, drawn: np.ndarray, *, observed: float, items: int, raters: int, confidence: float
) -> Agreement:
    if not 0 < confidence < 1:
        raise ValueError(f"Expected a confidence between 0 and 1, got {confidence}.")
    if np.isnan(value):
        cause = "Only one category occurs, so chance agrees as well as the raters: agreement beyond it is not defined."
        return Agreement(None, None, None, observed, items, raters, cause)
    defined = drawn[~np.isnan(drawn)]
    if len(defined) < (1 - _UNDEFINED_ALLOWED) * len(drawn) or items < 2:
        cause = f"No interval: many resamples of the {items} items hold one category only; collect more ratings."
        return Agreement(float(value), None, None, observed, items, raters, cause)
    low, high = np.quantile(defined, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Agreement(float(value), float(low), float(high), observed, items, raters)


def _rows(ratings: Sequence[Sequence[Rating]]) -> list[list[Rating]]:
    rows = [list(row) for row in ratings]
    if not rows:
        raise ValueError("Expected the ratings of at least one item, got none.")
    return rows


def _counts(rows: Sequence[Sequence[Rating]], index: dict[Rating, int]) -> np.ndarray:
    """Ratings of each item in each category, `[N, C]`."""
    counts = np.zeros((len(rows), len(index)))
    for i, row in enumerate(rows):
        for rating in row:
            counts[i, index[rating]] += 1
    return counts


def _category_index(
    rows: Sequence[Sequence[Rating]], categories: Sequence[Rating] | None, ordered: bool
) -> dict[Rating, int]:
    """The place of each category."""
    seen = list(dict.fromkeys(rating for row in rows for rating in row))
    if any(rating != rating for rating in seen):
        raise ValueError("A rating is NaN; write None where a rating is missing.")
    if categories is not None:
        index = {category: i for i, category in enumerate(categories)}
        if unknown := [rating for rating in seen if rating not in index]:
            raise ValueError(f"Expected ratings among {list(categories)}, got {unknown[0]!r}.")
        return index
    if ordered:
        _check_numbers(seen, "name the categories in order: categories=[…]")
        seen.sort(key=float)  # type: ignore[arg-type]
    return {category: i for i, category in enumerate(seen)}


def _numbers(index: dict[Rating, int]) -> np.ndarray:
    _check_numbers(list(index), "use level='ordinal'")
    values = np.array(list(index), dtype=np.float64)
    return values - values.mean()  # differences are all that counts, and small numbers lose no digits


def _check_numbers(ratings: Sequence[Rating], advice: str) -> None:
    for rating in ratings:
        if isinstance(rating, bool) or not isinstance(rating, (int, float, np.integer, np.floating)):
            raise ValueError(f"The order of {rating!r} and other ratings that are no numbers is unknown; {advice}.")
