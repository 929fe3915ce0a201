"""How different are motions from each other? Diversity of a whole set, and MModality of one text's motions.

diversity(motion)       →  9.463: mean distance between motions drawn from the whole set
multimodality(samples)  →  3.495: mean distance between motions made for the same text
"""

import numpy as np
from array_api_compat import array_namespace

from ..motion.arrays import Array, take
from .embeddings import as_double

DIVERSITY_TIMES = 300  # of the published protocol
PAIRS = 10


def diversity(
    motion: Array,
    times: int = DIVERSITY_TIMES,
    seed: int = 0,
    draws: tuple[np.ndarray, np.ndarray] | None = None,
) -> float:
    """Diversity: the mean distance between two draws of motions from the whole set, each without replacement.

    Best close to the value of real motions, neither higher nor lower. Formula: Guo et al., "Action2Motion", ACM MM
    2020, with 300 pairs as in HumanML3D's evaluation. Unitless, in the space of the evaluator. It can mislead: broken
    motions are far from everything and raise it; it says nothing about texts; and as the draws are independent, a
    motion may meet itself, as in the published code.

    Args:
        motion (`Array`): embeddings `[N, D]`, unitless, numpy or torch.
        times (`int`, *optional*, defaults to 300): pairs.
        seed (`int`, *optional*, defaults to 0): of the draws.
        draws (`tuple[np.ndarray, np.ndarray]`, *optional*): indices `[times]` of both draws, instead of drawn ones.

    Returns:
        `float`: unitless.

    Raises:
        TypeError: if the embeddings are no floating-point array.
        ValueError: if the shape is another one, a value is not finite, or there are fewer motions than `times`.
    """
    motion = as_double(motion, "motion embeddings")
    first, second = draws or _two_draws(motion.shape[0], times, seed, "Diversity", "motions")
    distances = array_namespace(motion).linalg.vector_norm(take(motion, first, 0) - take(motion, second, 0), axis=-1)
    return float(distances.mean())


def multimodality(
    samples: Array,
    pairs: int = PAIRS,
    seed: int = 0,
    draws: tuple[np.ndarray, np.ndarray] | None = None,
) -> float:
    """MModality: the mean distance between motions that were made for the same text.

    Higher means more variety for a text; the field reads this as better, as long as R-precision holds. Formula: Guo et
    al., "Action2Motion", ACM MM 2020, as in HumanML3D's evaluation: 100 texts, 30 motions each, 10 pairs, the same
    places for every text. Unitless, in the space of the evaluator. It can mislead: motions that ignore the text score
    highest, so read it beside R-precision only; preference training is expected to lower it.

    Args:
        samples (`Array`): embeddings `[texts, samples, D]`, unitless, numpy or torch.
        pairs (`int`, *optional*, defaults to 10): pairs a text.
        seed (`int`, *optional*, defaults to 0): of the draws.
        draws (`tuple[np.ndarray, np.ndarray]`, *optional*): indices `[pairs]` of both draws, instead of drawn ones.

    Returns:
        `float`: unitless.

    Raises:
        TypeError: if the embeddings are no floating-point array.
        ValueError: if the shape is another one, a value is not finite, or there are fewer samples than `pairs`.
    """
    samples = as_double(samples, "embeddings of several samples a text", axes=3)
    first, second = draws or _two_draws(samples.shape[1], pairs, seed, "MModality", "samples a text")
    difference = take(samples, first, 1) - take(samples, second, 1)
    return float(array_namespace(samples).linalg.vector_norm(difference, axis=-1).mean())


def _two_draws(count: int, times: int, seed: int, metric: str, what: str) -> tuple[np.ndarray, np.ndarray]:
    if not 1 <= times <= count:
        raise ValueError(
            f"{metric} draws {times} of the {what} without replacement, but there are {count}. Evaluate more, or draw "
            "fewer; other numbers of draws than the published ones are noisier, but have the same expectation."
        )
    rng = np.random.default_rng(seed)
    return rng.choice(count, times, replace=False), rng.choice(count, times, replace=False)
