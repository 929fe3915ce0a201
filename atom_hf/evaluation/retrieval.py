"""Do motions fit their texts? R-precision and MM-Dist, in the space of a text-motion evaluator.

r_precision(text, motion)           →  (0.494, 0.677, 0.769): share of texts that find their motion among 32
matching_distance(text, motion)     →  3.224: mean distance of a text from its motion
"""

from collections.abc import Iterator
from functools import cached_property

import numpy as np
from array_api_compat import array_namespace

from ..motion.arrays import Array, take
from .embeddings import as_double, check_pairs, squared_distances, without_offset

BATCH_SIZE = 32  # candidates of the published protocol
_TIE = 1e-12  # of the squares: nearer than rounding can tell apart
_ROWS = 512  # of the distance matrix at a time


def r_precision(
    text: Array,
    motion: Array,
    batch_size: int = BATCH_SIZE,
    top_k: int = 3,
    seed: int = 0,
    order: np.ndarray | None = None,
) -> tuple[float, ...]:
    """R-precision as published: how often a text's own motion is among the `k` nearest ones of its batch.

    Higher is better; chance is `k / batch_size`. Formula: Guo et al., "Generating Diverse and Natural 3D Human Motions
    from Text", CVPR 2022; the last incomplete batch is dropped.

    It can mislead: the number depends on what else is in a batch, and on its size, so only equal sizes compare. Clips
    whose captions mean the same count as wrong. The evaluator was trained on the real motions, and systems that were
    tuned with its help are overrated. Motions at the same distance share the credit, as if their order were drawn, so
    a system that always makes the same motion gets chance.

    Args:
        text (`Array`): embeddings `[N, D]`, unitless, numpy or torch.
        motion (`Array`): embeddings `[N, D]`, unitless; row i belongs to row i of `text`.
        batch_size (`int`, *optional*, defaults to 32): motions that a text chooses from.
        top_k (`int`, *optional*, defaults to 3): the largest `k`.
        seed (`int`, *optional*, defaults to 0): of the permutation that makes the batches.
        order (`np.ndarray`, *optional*): `[N]`, a permutation of the clips, instead of one made from `seed`.

    Returns:
        `tuple[float, ...]`: shares from 0 to 1 for `k` = 1 to `top_k`.

    Raises:
        TypeError: if the embeddings are no floating-point arrays of one library.
        ValueError: if shapes do not fit, a value is not finite, there are fewer clips than a batch has, or `order` is
            no permutation.
    """
    text, motion = without_offset(*_pairs(text, motion))
    kept = batches(text.shape[0], batch_size, seed, order)
    _check_top_k(top_k, batch_size)
    shape = (-1, batch_size, text.shape[-1])
    xp = array_namespace(text)
    squares = squared_distances(*(xp.reshape(take(array, kept, 0), shape) for array in (text, motion)))
    diagonal = np.arange(batch_size)
    closer, tied = _rivals(squares, squares[:, diagonal, diagonal], _TIE * _scale(text, motion))
    return _shares(xp.sum(closer, axis=-1), xp.sum(tied, axis=-1), top_k)


def batch_free_r_precision(
    text: Array, motion: Array, pool_size: int | None = BATCH_SIZE, top_k: int = 3
) -> tuple[float, ...]:
    """R-precision without batches: what `r_precision` gives on average over all ways to make the batches.

    Every text is compared with all motions once. With `c` motions closer than its own among the `N - 1` others, the
    chance that fewer than `k` of them are among `pool_size - 1` drawn others is a hypergeometric sum. So there is no
    noise of shuffling, no clip is dropped, and the scale is the published one. Higher is better; it can mislead like
    `r_precision`.

    Args:
        text (`Array`): embeddings `[N, D]`, unitless, numpy or torch.
        motion (`Array`): embeddings `[N, D]`, unitless; row i belongs to row i of `text`.
        pool_size (`int`, *optional*, defaults to 32): motions that a text chooses from; `None` for all, which is much
            harder, and the usual choice in retrieval research.
        top_k (`int`, *optional*, defaults to 3): the largest `k`.

    Returns:
        `tuple[float, ...]`: shares from 0 to 1 for `k` = 1 to `top_k`.

    Raises:
        TypeError: if the embeddings are no floating-point arrays of one library.
        ValueError: if shapes do not fit, a value is not finite, or there are fewer clips than the pool has.
    """
    return FixedPairs(text, motion).batch_free_r_precision(pool_size, top_k)


def matching_distance(text: Array, motion: Array, order: np.ndarray | None = None) -> float:
    """MM-Dist: the mean distance between the embeddings of a text and of its motion.

    Lower is better. Formula: Guo et al., CVPR 2022, who call it matching score in their code. Unitless, in the space
    of the evaluator, so only numbers of one evaluator and one embedding protocol compare. It can mislead: a system
    that makes average motions is close to many texts.

    Args:
        text (`Array`): embeddings `[N, D]`, unitless, numpy or torch.
        motion (`Array`): embeddings `[N, D]`, unitless; row i belongs to row i of `text`.
        order (`np.ndarray`, *optional*): `[n]`, clips that count, such as those of whole batches; all by default.

    Returns:
        `float`: unitless.

    Raises:
        TypeError: if the embeddings are no floating-point arrays of one library.
        ValueError: if shapes do not fit, or a value is not finite.
    """
    distances = _own_distances(*_pairs(text, motion))
    return float((distances if order is None else take(distances, order, 0)).mean())


class FixedPairs:
    """Texts and motions that are compared under one order after the other: all distances are looked at once.

    The numbers are those of the functions of this module. `r_precision` keeps a byte for each pair of clips.

    Args:
        text (`Array`): embeddings `[N, D]`, unitless, numpy or torch.
        motion (`Array`): embeddings `[N, D]`, unitless; row i belongs to row i of `text`.

    Raises:
        TypeError: if the embeddings are no floating-point arrays of one library.
        ValueError: if shapes do not fit, or a value is not finite.
    """

    def __init__(self, text: Array, motion: Array) -> None:
        text, motion = _pairs(text, motion)
        self.distances = _own_distances(text, motion)
        self.text, self.motion = without_offset(text, motion)

    @cached_property
    def _order(self) -> np.ndarray:
        return np.concatenate(list(self._blocks()))

    def _blocks(self) -> Iterator[np.ndarray]:
        """`[n, N]`: for some texts 2 where a motion is closer than their own, 1 where as close, 0 where farther."""
        tolerance = _TIE * _scale(self.text, self.motion)
        xp = array_namespace(self.text)
        for start in range(0, self.text.shape[0], _ROWS):
            squares = squared_distances(self.text[start : start + _ROWS], self.motion)
            rows = np.arange(squares.shape[0])
            closer, tied = _rivals(squares, squares[rows, rows + start], tolerance)
            block = 2 * xp.astype(closer, xp.int8) + xp.astype(tied, xp.int8)
            yield block if isinstance(block, np.ndarray) else block.cpu().numpy()

    def r_precision(self, order: np.ndarray, batch_size: int = BATCH_SIZE, top_k: int = 3) -> tuple[float, ...]:
        """As the function `r_precision`; unitless.

        Args:
            order (`np.ndarray`): `[N]`, a permutation of the clips.
            batch_size (`int`, *optional*, defaults to 32): motions that a text chooses from.
            top_k (`int`, *optional*, defaults to 3): the largest `k`.

        Returns:
            `tuple[float, ...]`: shares from 0 to 1 for `k` = 1 to `top_k`.
        """
        kept = batches(self.text.shape[0], batch_size, order=order).reshape(-1, batch_size)
        _check_top_k(top_k, batch_size)
        found = self._order[kept[:, :, None], kept[:, None, :]]
        return _shares((found == 2).sum(-1), (found == 1).sum(-1), top_k)

    def batch_free_r_precision(self, pool_size: int | None = BATCH_SIZE, top_k: int = 3) -> tuple[float, ...]:
        """As the function `batch_free_r_precision`.

        Args:
            pool_size (`int`, *optional*, defaults to 32): motions that a text chooses from; `None` for all.
            top_k (`int`, *optional*, defaults to 3): the largest `k`.

        Returns:
            `tuple[float, ...]`: shares from 0 to 1 for `k` = 1 to `top_k`.
        """
        count = self.text.shape[0]
        pool_size = count if pool_size is None else pool_size
        _check_size(count, pool_size)
        _check_top_k(top_k, pool_size)
        counts = [((block == 2).sum(-1), (block == 1).sum(-1)) for block in self._blocks()]
        closer, tied = (np.concatenate(parts) for parts in zip(*counts, strict=True))
        # The own motion stands anywhere among the tied ones: the mean of the chance over these places.
        sums = np.cumsum(np.pad(_chances(count, pool_size, top_k), ((0, 0), (1, 0))), axis=1)
        return tuple(float(x) for x in ((sums[:, closer + tied] - sums[:, closer]) / tied).mean(axis=1))

    def matching_distance(self, order: np.ndarray | None = None) -> float:
        """As the function `matching_distance`.

        Args:
            order (`np.ndarray`, *optional*): `[n]`, clips that count; all by default.

        Returns:
            `float`: unitless.
        """
        return float((self.distances if order is None else take(self.distances, order, 0)).mean())


def batches(count: int, batch_size: int = BATCH_SIZE, seed: int = 0, order: np.ndarray | None = None) -> np.ndarray:
    """Which clips form the batches of the published protocol; the last incomplete batch is dropped. Indices, unitless.

    Args:
        count (`int`): clips.
        batch_size (`int`, *optional*, defaults to 32): clips in a batch.
        seed (`int`, *optional*, defaults to 0): of the permutation.
        order (`np.ndarray`, *optional*): `[count]`, a permutation instead of that of the seed.

    Returns:
        `np.ndarray`: `[n]`, batch after batch; `n` is a multiple of `batch_size`.

    Raises:
        ValueError: if there are fewer clips than a batch has, or `order` is no permutation.
    """
    _check_size(count, batch_size)
    if order is None:
        order = np.random.default_rng(seed).permutation(count)
    order = np.asarray(order)
    if order.shape != (count,) or not np.array_equal(np.sort(order), np.arange(count)):
        raise ValueError(f"Expected order as a permutation of the {count} clips, got {order.size} indices.")
    return order[: count // batch_size * batch_size]


def _pairs(text: Array, motion: Array) -> tuple[Array, Array]:
    text, motion = as_double(text, "text embeddings"), as_double(motion, "motion embeddings")
    check_pairs(text, motion, "text embeddings", "motion embeddings")
    return text, motion


def _check_size(count: int, size: int) -> None:
    if size < 2:
        raise ValueError(f"Expected at least 2 motions to choose from, got {size}.")
    if count < size:
        raise ValueError(
            f"R-precision needs at least one batch of {size} clips, got {count}. Evaluate more clips, or take smaller "
            "batches, whose numbers don't compare with published ones."
        )


def _check_top_k(top_k: int, size: int) -> None:
    if not 1 <= top_k <= size:
        raise ValueError(f"Expected top_k from 1 to the {size} motions to choose from, got {top_k}.")


def _scale(text: Array, motion: Array) -> float:
    """The largest sum of squares that a squared distance is the difference of."""
    xp = array_namespace(text)
    return sum(float(xp.max(xp.vecdot(array, array))) for array in (text, motion))


def _rivals(squares: Array, own: Array, tolerance: float) -> tuple[Array, Array]:
    """Which motions are closer to a text than its own, and which are as close, its own included."""
    difference = squares - own[..., None]
    closer = difference < -tolerance
    return closer, (difference <= tolerance) & ~closer


def _shares(closer: Array, tied: Array, top_k: int) -> tuple[float, ...]:
    """R-precision from the numbers of closer motions, and of those as close, which share the credit."""
    xp = array_namespace(closer)
    closer, tied = xp.astype(closer, xp.float64), xp.astype(tied, xp.float64)
    return tuple(float(xp.mean(xp.clip((k - closer) / tied, 0.0, 1.0))) for k in range(1, top_k + 1))


def _own_distances(text: Array, motion: Array) -> Array:
    xp = array_namespace(text)
    difference = text - motion
    return xp.sqrt(xp.vecdot(difference, difference))


def _chances(count: int, pool_size: int, top_k: int) -> np.ndarray:
    """`[top_k, count]`: the chance that fewer than k of c closer motions are drawn, for c from 0 to count - 1."""
    log_factorial = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, count + 1)))])

    def log_choose(n: np.ndarray | int, k: int) -> np.ndarray:
        possible = (np.asarray(n) >= k) & (k >= 0)
        n = np.where(possible, n, max(k, 0))
        return np.where(possible, log_factorial[n] - log_factorial[max(k, 0)] - log_factorial[n - max(k, 0)], -np.inf)

    drawn, closer = pool_size - 1, np.arange(count)
    terms = [
        np.exp(log_choose(closer, j) + log_choose(count - 1 - closer, drawn - j) - log_choose(count - 1, drawn))
        for j in range(top_k)
    ]
    return np.minimum(np.cumsum(terms, axis=0), 1.0)
