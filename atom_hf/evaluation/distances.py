"""How far apart are two sets of motions? FID, KID, precision and recall, in the space of an evaluator.

frechet_distance(frechet_statistics(real), frechet_statistics(generated))  →  0.178
kernel_distance(real, generated)   →  KernelDistance(value=0.0021, standard_error=0.0001)
precision_recall(real, generated)  →  PrecisionRecall(precision=0.74, recall=0.61)
"""

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from array_api_compat import array_namespace

from ..motion.arrays import Array, take
from .embeddings import as_double, check_pairs, squared_distances, without_offset

_ROWS = 1024  # of a distance matrix at a time
_WELL = 1e-10  # ratio of eigenvalues down to which their square roots keep eleven digits of the largest one


@dataclass(frozen=True)
class FrechetStatistics:
    """Mean and covariance of a set of embeddings: all that FID looks at.

    Args:
        mean (`Array`): `[D]`, unitless, double precision.
        covariance (`Array`): `[D, D]`, unitless, double precision, divided by `count - 1`.
        count (`int`): how many embeddings they were made from.
    """

    mean: Array
    covariance: Array
    count: int

    @cached_property
    def root(self) -> Array:
        """`[D, r]`, unitless: a matrix R with R Rᵀ equal to the covariance; `r` is at most `count - 1`."""
        xp = array_namespace(self.covariance)
        values, vectors = xp.linalg.eigh((self.covariance + self.covariance.T) / 2)
        # What is behind the rank is rounding, whose square root would be 1e-8 and not 1e-16 of the largest one.
        rank = min(self.covariance.shape[0], self.count - 1)
        return vectors[:, -rank:] * xp.sqrt(xp.clip(values[-rank:], 0.0))


class KernelDistance(NamedTuple):
    """What `kernel_distance` finds.

    Args:
        value (`float`): mean over the subsets, unitless, in the units of the published KID (not times 1,000).
        standard_error (`float`): of that mean, as if the subsets did not overlap.
    """

    value: float
    standard_error: float


class PrecisionRecall(NamedTuple):
    """What `precision_recall` finds.

    Args:
        precision (`float`): share of generated motions that lie among the real ones, 0 to 1.
        recall (`float`): share of real motions that lie among the generated ones, 0 to 1.
    """

    precision: float
    recall: float


def frechet_statistics(motion: Array) -> FrechetStatistics:
    """Mean and covariance of embeddings, for `frechet_distance`.

    Args:
        motion (`Array`): embeddings `[N, D]`, unitless, numpy or torch; N >= 2.

    Returns:
        [`FrechetStatistics`]: in double precision.

    Raises:
        TypeError: if the embeddings are no floating-point array.
        ValueError: if the shape is another one, a value is not finite, or there is one embedding only.
    """
    motion = as_double(motion, "motion embeddings")
    count = motion.shape[0]
    if count < 2:
        raise ValueError("FID needs at least 2 motions for a covariance, got 1.")
    xp = array_namespace(motion)
    mean = xp.mean(motion, axis=0)
    centred = motion - mean
    return FrechetStatistics(mean, centred.T @ centred / (count - 1), count)


def frechet_distance(real: FrechetStatistics, generated: FrechetStatistics) -> float:
    """FID: the Fréchet distance between two sets of embeddings, each seen as a Gaussian.

    `|m₁ - m₂|² + tr(C₁) + tr(C₂) - 2 tr((C₁ C₂)^½)`; lower is better, 0 for equal means and covariances. Formula:
    Heusel et al., "GANs Trained by a Two Time-Scale Update Rule", NeurIPS 2017. Unitless, in the squared space of the
    evaluator. The last trace is the sum of singular values of R₁ᵀ R₂ with C = R Rᵀ, which stays real and exact where
    the usual matrix square root fails.

    It can mislead: it is biased upwards for few motions, so compare equal numbers of them only. It sees neither texts
    nor single motions: memorised training motions score perfectly, and so do right motions for wrong texts. Tails that
    are not Gaussian are invisible to it.

    Args:
        real ([`FrechetStatistics`]): of real motions.
        generated ([`FrechetStatistics`]): of generated ones, made with the same evaluator.

    Returns:
        `float`: not negative, unitless.

    Raises:
        TypeError: if one is of numpy and the other one of torch.
        ValueError: if the evaluators' dimensions differ.
    """
    check_pairs(real.mean, generated.mean, "real statistics", "generated statistics")
    dims = real.mean.shape[-1]
    for name, count in (("real", real.count), ("generated", generated.count)):
        if count <= dims:
            warnings.warn(
                f"FID from {count} {name} motions in {dims} dimensions: their covariance has no full rank, and the "
                f"distance comes out far too high. Take more than {dims} motions, or kernel_distance, which has no "
                "such bias.",
                stacklevel=2,
            )
    xp = array_namespace(real.mean)
    shift = xp.sum((real.mean - generated.mean) ** 2)
    spread = xp.linalg.trace(real.covariance) + xp.linalg.trace(generated.covariance)
    return max(0.0, float(shift + spread - 2 * _shared_spread(real, generated)))


def kernel_distance(
    real: Array,
    generated: Array,
    subsets: int = 100,
    subset_size: int = 1000,
    seed: int = 0,
    draws: Sequence[tuple[np.ndarray, np.ndarray]] | None = None,
) -> KernelDistance:
    """KID: the squared maximum mean discrepancy of two sets of embeddings, with the kernel `(x·y / D + 1)³`.

    Lower is better; the expectation for equal distributions is 0 whatever the number of motions, so single values may
    be negative. Formula: Bińkowski et al., "Demystifying MMD GANs", ICLR 2018, unbiased estimator, mean over random
    subsets. Unitless. It can mislead like FID, and its size is set by the norm of the embeddings, so it compares
    within one evaluator only. Subsets overlap, so the standard error tells the noise of drawing subsets, and too
    little about the noise of having other motions.

    Args:
        real (`Array`): embeddings `[N, D]`, unitless, numpy or torch.
        generated (`Array`): embeddings `[M, D]`, unitless, of the same evaluator.
        subsets (`int`, *optional*, defaults to 100): how many subsets.
        subset_size (`int`, *optional*, defaults to 1000): motions in each; at most half of N and of M are taken, so
            that subsets differ.
        seed (`int`, *optional*, defaults to 0): of the subsets.
        draws (`Sequence[tuple[np.ndarray, np.ndarray]]`, *optional*): indices `[n]` of real and `[n]` of generated
            motions for each subset, instead of drawn ones.

    Returns:
        [`KernelDistance`]: mean and standard error.

    Raises:
        TypeError: if the embeddings are no floating-point arrays of one library.
        ValueError: if shapes do not fit, a value is not finite, or a subset has fewer than two motions.
    """
    real, generated = _two_sets(real, generated)
    if draws is None:
        rng = np.random.default_rng(seed)
        n, m = real.shape[0], generated.shape[0]
        size = min(subset_size, n // 2, m // 2)
        draws = [(rng.choice(n, size, replace=False), rng.choice(m, size, replace=False)) for _ in range(subsets)]
    if not draws or any(len(indices) < 2 for pair in draws for indices in pair):
        raise ValueError(
            "KID needs at least one subset, and at least 2 real and 2 generated motions in each, so at least 4 of "
            f"each in all; got {real.shape[0]} and {generated.shape[0]}."
        )
    values = [_unbiased_mmd(take(real, first, 0), take(generated, second, 0)) for first, second in draws]
    error = float(np.std(values, ddof=1)) / math.sqrt(len(values)) if len(values) > 1 else math.nan
    return KernelDistance(float(np.mean(values)), error)


def precision_recall(real: Array, generated: Array, neighbours: int = 3) -> PrecisionRecall:
    """Improved precision and recall: quality and coverage as two numbers.

    A set's region is the union of balls around its members, each as wide as the distance to its k-th nearest
    neighbour. Precision is the share of generated motions in the region of the real ones, recall the share of real
    motions in the region of the generated ones; higher is better for both. Formula: Kynkäänniemi et al., "Improved
    Precision and Recall Metric for Assessing Generative Models", NeurIPS 2019. They can mislead: both rise with `k`
    and with the number of motions, so compare equal ones only; one far-off real motion makes a large ball in which bad
    motions count as good.

    Args:
        real (`Array`): embeddings `[N, D]`, unitless, numpy or torch.
        generated (`Array`): embeddings `[M, D]`, unitless, of the same evaluator.
        neighbours (`int`, *optional*, defaults to 3): k; a motion is no neighbour of itself.

    Returns:
        [`PrecisionRecall`]: shares from 0 to 1.

    Raises:
        TypeError: if the embeddings are no floating-point arrays of one library.
        ValueError: if shapes do not fit, a value is not finite, or a set has no more than `neighbours` motions.
    """
    real, generated = without_offset(*_two_sets(real, generated))
    fewest = min(real.shape[0], generated.shape[0])
    if not 1 <= neighbours < fewest:
        raise ValueError(f"Expected neighbours from 1 to {fewest - 1} for {fewest} motions, got {neighbours}.")
    return PrecisionRecall(
        _share_inside(generated, real, _radii(real, neighbours)),
        _share_inside(real, generated, _radii(generated, neighbours)),
    )


def _shared_spread(real: FrechetStatistics, generated: FrechetStatistics) -> Array:
    """The trace of the square root of the product of the covariances."""
    xp = array_namespace(real.covariance)
    if min(real.count, generated.count) > real.mean.shape[0]:
        squares = xp.linalg.eigvalsh(real.root.T @ generated.covariance @ real.root)
        if bool(squares[0] > _WELL * squares[-1]):
            return xp.sum(xp.sqrt(squares))
    # Squares of singular values that are small beside the largest one have lost their digits, but they themselves not.
    return xp.sum(xp.linalg.svdvals(real.root.T @ generated.root))


def _two_sets(real: Array, generated: Array) -> tuple[Array, Array]:
    real, generated = as_double(real, "real embeddings"), as_double(generated, "generated embeddings")
    check_pairs(real, generated, "real embeddings", "generated embeddings", rows=False)
    return real, generated


def _unbiased_mmd(first: Array, second: Array) -> float:
    """Without the kernel of a motion with itself, which would count as likeness of a set with itself."""
    xp = array_namespace(first)
    n, m, dims = first.shape[0], second.shape[0], first.shape[1]

    def within(members: Array, count: int) -> float:
        kernel = (members @ members.T / dims + 1) ** 3
        return float(xp.sum(kernel) - xp.linalg.trace(kernel)) / (count * (count - 1))

    across = float(xp.mean((first @ second.T / dims + 1) ** 3))
    return within(first, n) + within(second, m) - 2 * across


def _radii(members: Array, neighbours: int) -> Array:
    """Squared distance of each member to its k-th neighbour, `[N]`."""
    xp = array_namespace(members)
    parts = []
    for start in range(0, members.shape[0], _ROWS):
        squares = squared_distances(members[start : start + _ROWS], members)
        rows = np.arange(squares.shape[0])
        squares[rows, rows + start] = math.inf  # twins are neighbours, the motion itself is none
        parts.append(xp.sort(squares, axis=-1)[:, neighbours - 1])
    return xp.concat(parts)


def _share_inside(points: Array, members: Array, radii: Array) -> float:
    """Share of points that lie in the ball of some member."""
    xp = array_namespace(points)
    inside = 0
    for start in range(0, points.shape[0], _ROWS):
        squares = squared_distances(points[start : start + _ROWS], members)
        inside += int(xp.sum(xp.astype(xp.any(squares <= radii, axis=-1), xp.int64)))
    return inside / points.shape[0]
