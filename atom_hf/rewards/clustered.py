"""Agreement of two rows with intervals over prompts: rank correlations, weighted κ, shares.

over_prompts(spearman_of(judged, true), prompts)   →  Estimate(value=0.81, low=0.74, high=0.87)

A statistic takes counts `[D, n]`, how often each row counts in each of D draws, and gives `[D]`, NaN where it is not
defined. So all draws of the bootstrap are worked out at once.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np

from ..evaluation.bootstrap import resampling_counts
from .calibration_report import Estimate

Statistic = Callable[[np.ndarray], np.ndarray]
_UNDEFINED_ALLOWED = 0.05  # share of the draws beyond which an interval would be one of the others only


def over_prompts(statistic: Statistic, prompts: Sequence[str], draws: int = 1000, seed: int = 0) -> Estimate:
    """A statistic with an interval from drawing whole prompts again.

    Args:
        statistic (`Callable`): of rows; see the module.
        prompts (`Sequence[str]`): what each row belongs to, `[n]`.
        draws (`int`, *optional*, defaults to 1000): of the bootstrap.
        seed (`int`, *optional*, defaults to 0): the same seed gives the same interval.

    Returns:
        [`Estimate`]: 95 % interval; without a value where it is not defined, without ends below two prompts.
    """
    if not len(prompts):
        return Estimate(None)
    value = float(statistic(np.ones((1, len(prompts))))[0])
    order = {name: i for i, name in enumerate(dict.fromkeys(prompts))}
    index = np.array([order[name] for name in prompts])
    if np.isnan(value) or len(order) < 2:
        return Estimate(None if np.isnan(value) else value)
    drawn = np.concatenate([statistic(counts[:, index]) for counts in resampling_counts(len(order), draws, seed)])
    defined = drawn[~np.isnan(drawn)]
    if len(defined) < (1 - _UNDEFINED_ALLOWED) * draws:
        return Estimate(value)
    low, high = np.quantile(defined, [0.025, 0.975])
    return Estimate(value, float(low), float(high))


def spearman_of(a: Sequence[float] | np.ndarray, b: Sequence[float] | np.ndarray) -> Statistic:
    """Spearman's ρ: Pearson's correlation of ranks, where equal numbers share their mean rank.

    Args:
        a (`Sequence[float]`): `[n]`, any unit.
        b (`Sequence[float]`): `[n]`, in the same order.

    Returns:
        `Callable`: a statistic from -1 to 1; NaN where all numbers of a row are equal.
    """
    rows = [np.unique(row, return_inverse=True)[1] for row in _finite(a, b)]

    def statistic(counts: np.ndarray) -> np.ndarray:
        total = counts.sum(axis=1, keepdims=True)
        centred = []
        for row in rows:
            held = counts @ np.eye(row.max() + 1)[row]  # how often each number is there, [D, U]
            rank = (np.cumsum(held, axis=1) - held / 2)[:, row]
            centred.append(rank - (counts * rank).sum(axis=1, keepdims=True) / total)
        x, y = centred
        return _ratio((counts * x * y).sum(axis=1), np.sqrt((counts * x**2).sum(axis=1) * (counts * y**2).sum(axis=1)))

    return statistic


def kappa_of(a: Sequence[int], b: Sequence[int], size: int, *, quadratic: bool) -> Statistic:
    """Cohen's κ; see `cohen_kappa`, whose intervals take rows for independent.

    Args:
        a (`Sequence[int]`): category of each row by one rater, from 0, `[n]`.
        b (`Sequence[int]`): by the other.
        size (`int`): number of categories.
        quadratic (`bool`): whether disagreements count by the square of their distance, otherwise all the same.

    Returns:
        `Callable`: a statistic up to 1; NaN where both use one and the same category only.
    """
    cells = np.eye(size * size)[np.asarray(a, dtype=np.int64) * size + np.asarray(b, dtype=np.int64)]
    distance = np.abs(np.arange(size)[:, None] - np.arange(size))
    cost = distance**2.0 if quadratic else (distance > 0).astype(np.float64)

    def statistic(counts: np.ndarray) -> np.ndarray:
        tables = (counts @ cells).reshape(-1, size, size)
        expected = np.einsum("di,dj,ij->d", tables.sum(axis=2), tables.sum(axis=1), cost)
        found = np.einsum("dij,ij->d", tables, cost) * tables.sum(axis=(1, 2))
        return 1 - _ratio(found, expected)

    return statistic


def share_of(values: Sequence[float] | np.ndarray, counting: Sequence[bool] | np.ndarray) -> Statistic:
    """Mean of the values that count.

    Args:
        values (`Sequence[float]`): `[n]`.
        counting (`Sequence[bool]`): which of them count, `[n]`.

    Returns:
        `Callable`: a statistic in the unit of the values; NaN where none counts.
    """
    counted = np.asarray(counting, dtype=np.float64)
    worth = np.asarray(values, dtype=np.float64) * counted
    return lambda counts: _ratio(counts @ worth, counts @ counted)


def kendall(a: Sequence[float] | np.ndarray, b: Sequence[float] | np.ndarray) -> float | None:
    """Kendall's τ-b: pairs in the same order less pairs in the other order, corrected for ties (Kendall 1945).

    Args:
        a (`Sequence[float]`): `[n]`, any unit; time grows with n².
        b (`Sequence[float]`): `[n]`, in the same order.

    Returns:
        `float | None`: -1 to 1; None where all numbers of a row are equal, or there are fewer than two.
    """
    x, y = _finite(a, b)
    product = untied_x = untied_y = 0
    for i in range(len(x) - 1):
        signs_x, signs_y = np.sign(x[i + 1 :] - x[i]), np.sign(y[i + 1 :] - y[i])
        product += int((signs_x * signs_y).sum())
        untied_x += int(np.abs(signs_x).sum())
        untied_y += int(np.abs(signs_y).sum())
    return product / math.sqrt(untied_x * untied_y) if untied_x and untied_y else None


def _ratio(over: np.ndarray, under: np.ndarray) -> np.ndarray:
    defined = under > 1e-9
    return np.where(defined, over / np.where(defined, under, 1.0), np.nan)


def _finite(a: Sequence[float] | np.ndarray, b: Sequence[float] | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if x.ndim != 1 or x.shape != y.shape or not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError(f"Expected two rows of finite numbers, [n], got shapes {list(x.shape)} and {list(y.shape)}.")
    return x, y
