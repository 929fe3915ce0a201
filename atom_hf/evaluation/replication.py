"""One replication: all metrics of one row under one seed.

replicate(test_set, reference, Protocol.published(), seed=3)  →  Replication(values={"R@1": 0.41, …}, …)
"""

import warnings
from typing import NamedTuple

import numpy as np

from ..motion.arrays import take
from .distances import FrechetStatistics, frechet_distance, frechet_statistics
from .diversity import diversity, multimodality
from .fingerprint import fingerprint_arrays
from .protocol_settings import Protocol
from .published import EVALUATOR, METRICS
from .replication_folder import Replication
from .retrieval import FixedPairs, batches, matching_distance, r_precision
from .test_set import Ready, TestSet

_DIMENSIONS = 512  # of the original evaluator
_MOST = 20_000  # clips of which all pairs are kept, 400 MB


class Reference:
    """Statistics of the real motions that FID compares with, made when they are first needed.

    Args:
        real ([`TestSet`]): the real motions.
        seed (`int`): with which they are drawn, if they are.
        evaluator (`str`): name of what embedded them.
    """

    def __init__(self, real: TestSet, seed: int, evaluator: str) -> None:
        self.real, self.seed, self.evaluator = real, seed, evaluator
        self._made: tuple[FrechetStatistics, str] | None = None

    def statistics(self) -> tuple[FrechetStatistics, str]:
        """Mean and covariance with their hash.

        Returns:
            `tuple[FrechetStatistics, str]`: the statistics, and their SHA-256.

        Raises:
            ValueError: if they cannot be of the evaluator that is named.
        """
        if self._made is None:
            motion = self.real.ready(self.seed).motion
            if self.evaluator == EVALUATOR and motion.shape[1] != _DIMENSIONS:
                raise ValueError(
                    f"The evaluator {EVALUATOR!r} makes embeddings of {_DIMENSIONS} numbers, got {motion.shape[1]}. "
                    "Name yours otherwise, so that nobody takes its numbers for comparable ones."
                )
            made = frechet_statistics(motion)
            self._made = made, fingerprint_arrays([made.mean, made.covariance])
        return self._made


class Constants(NamedTuple):
    """What is known about motions before anything is shuffled or drawn.

    Args:
        values (`dict[str, float]`): metric to value, unitless.
        pairs ([`FixedPairs`], *optional*): distances of texts and motions, where they are needed more than once.
    """

    values: dict[str, float]
    pairs: FixedPairs | None


def replicate(
    test_set: TestSet, reference: Reference, protocol: Protocol, seed: int, constants: Constants | None
) -> tuple[Replication, Constants]:
    """One replication of a row.

    Args:
        test_set ([`TestSet`]): the row.
        reference ([`Reference`]): what FID compares with.
        protocol ([`Protocol`]): batches and draws.
        seed (`int`): of shuffling, draws, and of what is regenerated.
        constants ([`Constants`], *optional*): from an earlier replication of the same row.

    Returns:
        `tuple[Replication, Constants]`: what was found, and what later replications need not compute.

    Raises:
        TypeError: if there is something else than embeddings.
        ValueError: if there are too few of them, shapes do not fit, or values are not finite.
    """
    ready = test_set.ready(seed)
    _check_sizes(test_set.name, ready, protocol)
    statistics, digest = reference.statistics()
    if ready.motion.shape[1] != statistics.mean.shape[0]:
        raise ValueError(
            f"{test_set.name}: expected embeddings of {statistics.mean.shape[0]} numbers as those of the real "
            f"motions, got {ready.motion.shape[1]}; all rows have to be of one evaluator."
        )
    if constants is None or test_set.regenerated:
        constants = _constants(test_set, ready, reference, protocol)
    values = constants.values | _drawn(ready, constants.pairs, protocol, np.random.default_rng(seed))
    return Replication({m: values[m] for m in METRICS if m in values}, ready.excluded, digest), constants


def _constants(test_set: TestSet, ready: Ready, reference: Reference, protocol: Protocol) -> Constants:
    if ready.excluded:
        warnings.warn(
            f"{test_set.name}: {len(ready.excluded)} clips are left out, as their embeddings are not finite: "
            f"{', '.join(ready.excluded[:5])}.",
            stacklevel=4,
        )
    statistics, _ = reference.statistics()
    same = not test_set.regenerated and test_set is reference.real
    values = {"FID": frechet_distance(statistics, statistics if same else frechet_statistics(ready.motion))}
    if protocol.batch_free:
        pairs = FixedPairs(ready.text, ready.motion)
        values |= dict(zip(METRICS, pairs.batch_free_r_precision(protocol.batch_size), strict=False))
        return Constants(values | {"MM-Dist": pairs.matching_distance()}, None)
    again = not test_set.regenerated and protocol.replications > 1 and len(ready.motion) <= _MOST
    return Constants(values, FixedPairs(ready.text, ready.motion) if again else None)


def _drawn(ready: Ready, pairs: FixedPairs | None, protocol: Protocol, rng: np.random.Generator) -> dict[str, float]:
    """Values that shuffling and draws decide."""
    count = ready.motion.shape[0]
    values: dict[str, float] = {}
    order = rng.permutation(count)
    draws = [rng.choice(count, protocol.diversity_times, replace=False) for _ in range(2)]
    if not protocol.batch_free:
        kept = batches(count, protocol.batch_size, order=order)
        if pairs is not None:
            shares, distance = pairs.r_precision(order, protocol.batch_size), pairs.matching_distance(kept)
        else:
            shares = r_precision(ready.text, ready.motion, protocol.batch_size, order=order)
            distance = matching_distance(ready.text, ready.motion, kept)
        values |= dict(zip(METRICS, shares, strict=False)) | {"MM-Dist": distance}
    values["Diversity"] = diversity(ready.motion, draws=(draws[0], draws[1]))
    if ready.samples is not None:
        texts = rng.choice(ready.samples.shape[0], protocol.mm_texts, replace=False)
        places = [rng.choice(protocol.mm_samples, protocol.mm_pairs, replace=False) for _ in range(2)]
        values["MModality"] = multimodality(take(ready.samples, texts, 0), draws=(places[0], places[1]))
    return values


def _check_sizes(name: str, ready: Ready, protocol: Protocol) -> None:
    count = ready.motion.shape[0]
    for least, field in ((protocol.batch_size, "batch_size"), (protocol.diversity_times, "diversity_times")):
        if count < least:
            raise ValueError(
                f"{name}: the protocol needs at least {least} clips ({field}), got {count}. Evaluate more, or say "
                f"Protocol({field}=…), which makes numbers that are not comparable."
            )
    if ready.samples is not None:
        texts, samples = ready.samples.shape[:2]
        if texts < protocol.mm_texts or samples < protocol.mm_samples:
            raise ValueError(
                f"{name}: MModality needs {protocol.mm_texts} texts with {protocol.mm_samples} motions each, got "
                f"{texts} with {samples}. Generate more, or say Protocol(mm_texts=…, mm_samples=…)."
            )
