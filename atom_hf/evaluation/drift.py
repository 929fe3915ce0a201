"""Signs that a policy learns to please its reward instead of moving better: distance from the base, lost variety.

kl_estimate(policy_logps, ref_logps).per_token      →  0.04 nats
drift_warning(rewards, diversities)                 →  DriftWarning(step=600, …), or None

None of these numbers is good or bad by itself: training must move a policy somewhere. Together, reward up and variety
down, they say that a few motions win all the time.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from ..motion.arrays import Array, numpy_double


class KLEstimate(NamedTuple):
    """How far a policy has moved from its reference.

    Args:
        per_token (`float`): mean over all tokens, nats.
        per_sequence (`float`): mean over sequences of their sums, nats; grows with their length.
        standard_error (`float`, *optional*): of `per_sequence`, nats; None for a single sequence.
        tokens (`int`): tokens that count.
    """

    per_token: float
    per_sequence: float
    standard_error: float | None
    tokens: int


@dataclass(frozen=True)
class DriftWarning:
    """Reward rose while variety collapsed.

    Args:
        step (`int`): index into the histories from which on variety stayed below what is allowed.
        reward_change (`float`): last rewards minus first ones, in the unit of the rewards.
        diversity_change (`float`): relative change of diversity; -0.3 says that 30 % are gone.
        message (`str`): the same as a sentence, with what to try.
    """

    step: int
    reward_change: float
    diversity_change: float
    message: str


def kl_estimate(
    policy_logps: Array,
    ref_logps: Array,
    mask: Array | None = None,
    *,
    estimator: Literal["k1", "k3"] = "k3",
) -> KLEstimate:
    """KL divergence of the policy from its reference, estimated from tokens that the policy sampled (Schulman 2020).

    With r = ref − policy of a token's log-probabilities: k1 is −r, unbiased, but noisy and often negative; k3 is
    exp(r) − 1 − r, unbiased as well, never negative, and what GRPO subtracts. Both are right for samples of the policy
    at temperature 1 only. k3 explodes where the policy still samples what it made very unlikely; and neither sees
    motions that it never samples any more, so a collapse can have a small KL.

    Args:
        policy_logps (`Array`): log-probabilities of the sampled tokens, `[B, L]` or `[L]`, nats, numpy or torch.
        ref_logps (`Array`): the reference's, of the same shape, nats.
        mask (`Array`, *optional*): of the same shape, 1 for tokens that count, 0 for padding.
        estimator (`str`, *optional*, defaults to `"k3"`): or `"k1"`.

    Returns:
        [`KLEstimate`]: nats; 0 for the reference itself.

    Raises:
        ValueError: if shapes differ, a number that counts is not finite, no token counts, or the estimator is unknown.
    """
    if estimator not in ("k1", "k3"):
        raise ValueError(f"Expected estimator 'k1' or 'k3', got {estimator!r}.")
    policy, ref = (np.atleast_2d(numpy_double(array)) for array in (policy_logps, ref_logps))
    if policy.shape != ref.shape or policy.ndim != 2:
        raise ValueError(f"Expected two arrays [B, L] of one shape, got {list(policy.shape)} and {list(ref.shape)}.")
    counts = _counting(mask, policy.shape)
    ratio = np.where(counts, ref, 0.0) - np.where(counts, policy, 0.0)
    if not np.isfinite(ratio).all():
        raise ValueError("A log-probability that counts is not finite; leave padding out with a mask.")
    with np.errstate(over="ignore"):  # to infinity, which is what it is
        values = -ratio if estimator == "k1" else np.expm1(ratio) - ratio
    sums, tokens = values.sum(axis=1)[counts.any(axis=1)], int(counts.sum())
    error = float(sums.std(ddof=1) / np.sqrt(len(sums))) if len(sums) > 1 else None
    return KLEstimate(float(sums.sum() / tokens), float(sums.mean()), error, tokens)


def exact_kl(policy_log_probs: Array, ref_log_probs: Array, mask: Array | None = None) -> float:
    """KL divergence of the policy from its reference over the whole vocabulary, mean over tokens.

    Without the noise of [`kl_estimate`], but still along the given tokens only.

    Args:
        policy_log_probs (`Array`): log-probabilities of all tokens at each place, `[..., L, V]`, nats.
        ref_log_probs (`Array`): the reference's, of the same shape, nats.
        mask (`Array`, *optional*): `[..., L]`, 1 for tokens that count.

    Returns:
        `float`: nats a token, from 0; infinite where the reference excludes what the policy may sample.

    Raises:
        ValueError: if shapes differ, rows are no distributions, or no token counts.
    """
    policy, ref = _distributions(policy_log_probs), _distributions(ref_log_probs)
    if policy.shape != ref.shape:
        raise ValueError(f"Expected two arrays of one shape, got {list(policy.shape)} and {list(ref.shape)}.")
    counts, possible = _counting(mask, policy.shape[:-1]), policy > -np.inf
    with np.errstate(invalid="ignore"):
        terms = np.where(possible, np.exp(policy) * (policy - ref), 0.0)
    return max(0.0, float(terms.sum(axis=-1)[counts].mean()))


def token_entropy(log_probs: Array, mask: Array | None = None) -> float:
    """Mean entropy of the next token: how much a policy still leaves open.

    Falls when a policy becomes sure of itself, rightly or not; near 0 every sample is the same. Depends on the
    temperature that the log-probabilities were made with.

    Args:
        log_probs (`Array`): log-probabilities of all tokens at each place, `[..., L, V]`, nats.
        mask (`Array`, *optional*): `[..., L]`, 1 for tokens that count.

    Returns:
        `float`: nats, from 0 to log V.

    Raises:
        ValueError: if rows are no distributions, shapes differ, or no token counts.
    """
    rows = _distributions(log_probs)
    counts = _counting(mask, rows.shape[:-1])
    terms = np.where(rows > -np.inf, np.exp(rows) * np.where(rows > -np.inf, rows, 0.0), 0.0)
    return max(0.0, -float(terms.sum(axis=-1)[counts].mean()))


def unique_share(sequences: Sequence[Sequence[Hashable]]) -> float:
    """Share of different sequences among samples, such as codes of motions for one prompt.

    1 says little, since one different code makes a sequence different; far below 1 says that sampling repeats itself.
    Falls with the number of samples: compare equal numbers only.

    Args:
        sequences (`Sequence[Sequence]`): codes or ids, one sequence a sample, of any lengths.

    Returns:
        `float`: above 0 and up to 1; higher is more variety.

    Raises:
        ValueError: if there are none.
    """
    if not len(sequences):
        raise ValueError("Expected at least one sequence, got none.")
    return len({tuple(np.asarray(sequence).tolist()) for sequence in sequences}) / len(sequences)


def variety_ratio(value: float, base: float) -> float:
    """Diversity or MModality of a policy relative to that of the model it started from.

    1 is unchanged, 0.72 is what the published IPO model kept of MotionGPT's MModality (2.523 of 3.495). Above 1 is no
    merit: noise is varied, too. Both numbers must come from the same evaluator, prompts, temperature and sample sizes.

    Args:
        value (`float`): of the trained policy.
        base (`float`): of the base model, above 0.

    Returns:
        `float`: from 0.

    Raises:
        ValueError: if a number is not finite, the value is negative or the base is not above 0.
    """
    if not (np.isfinite(value) and np.isfinite(base) and value >= 0 and base > 0):
        raise ValueError(f"Expected a value from 0 and a base above 0, got {value} and {base}.")
    return value / base


def drift_warning(
    reward_history: Sequence[float],
    diversity_history: Sequence[float],
    *,
    base_diversity: float | None = None,
    max_drop: float = 0.2,
    min_gain: float = 0.0,
    window: int = 1,
) -> DriftWarning | None:
    """Tell when reward rises while diversity collapses: the sign of a policy that games its reward.

    Compares the mean of the last `window` evaluations with that of the first. Silence is no proof: a reward can be
    gamed with varied motions, which only another judge or people will see. A warning is none either: from a base whose
    variety was mistakes, losing some is the aim.

    Args:
        reward_history (`Sequence[float]`): mean reward at each evaluation, in order of time.
        diversity_history (`Sequence[float]`): diversity, MModality, entropy or share of unique samples at the same
            evaluations.
        base_diversity (`float`, *optional*): that of the model before training, defaults to the mean of the first
            `window`.
        max_drop (`float`, *optional*, defaults to 0.2): relative loss of diversity that is allowed.
        min_gain (`float`, *optional*, defaults to 0.0): reward must have risen by more than this, in its own unit.
        window (`int`, *optional*, defaults to 1): evaluations to average over, against noise.

    Returns:
        [`DriftWarning`] or `None`: None too while there are fewer than `window` + 1 evaluations.

    Raises:
        ValueError: if lengths differ, a number is not finite, or an option is out of range.
    """
    rewards, variety = (np.asarray(history, dtype=np.float64) for history in (reward_history, diversity_history))
    if rewards.ndim != 1 or rewards.shape != variety.shape:
        raise ValueError(f"Expected as many rewards as diversities, got {rewards.shape} and {variety.shape}.")
    if not (np.isfinite(rewards).all() and np.isfinite(variety).all()):
        raise ValueError("A reward or diversity is not finite; leave out evaluations that gave none.")
    if not 0 < max_drop < 1 or window < 1:
        raise ValueError(f"Expected max_drop between 0 and 1 and window of at least 1, got {max_drop}, {window}.")
    if len(rewards) <= window:
        return None
    base = float(variety[:window].mean()) if base_diversity is None else float(base_diversity)
    if not base > 0:
        raise ValueError(f"Expected a base diversity above 0, got {base}; there is no variety to lose.")
    gain = float(rewards[-window:].mean() - rewards[:window].mean())
    change = float(variety[-window:].mean()) / base - 1
    if gain <= min_gain or change >= -max_drop:
        return None
    allowed = np.flatnonzero(variety / base - 1 >= -max_drop)
    step = min(int(allowed[-1]) + 1 if len(allowed) else 0, len(variety) - 1)
    message = (
        f"Reward rose by {gain:.3g} while diversity fell by {-100 * change:.0f} % of the base's, which is below what "
        f"is allowed since evaluation {step}: the policy may be gaming its reward. Look at its motions, judge them "
        "with another judge, raise beta (or the KL coefficient), or take an earlier checkpoint."
    )
    return DriftWarning(step, gain, change, message)


def _counting(mask: Array | None, shape: tuple[int, ...]) -> np.ndarray:
    counts = np.ones(shape, dtype=bool) if mask is None else numpy_double(mask) > 0
    counts = counts.reshape(shape) if counts.size == np.prod(shape) else counts
    if counts.shape != shape:
        raise ValueError(f"Expected a mask of shape {list(shape)}, got {list(counts.shape)}.")
    if not counts.any():
        raise ValueError("No token counts, so there is no mean; the mask leaves everything out.")
    return counts


def _distributions(log_probs: Array) -> np.ndarray:
    rows = numpy_double(log_probs)
    if rows.ndim < 2 or np.isnan(rows).any() or not np.allclose(np.exp(rows).sum(axis=-1), 1, atol=1e-2):
        raise ValueError(
            f"Expected log-probabilities [..., L, V] that add up to 1 at each place, got shape {list(rows.shape)}; "
            "logits need log_softmax first."
        )
    return rows
