"""How well a system shows the events that were asked for, with intervals, and whether another system does it better.

report = event_scores(KinematicJudge(), items)      # several motions for each prompt
report.tasks["temporal"]  →  TaskScore(value=0.71, low=0.66, high=0.76, items=800, prompts=200)
compare_systems(raws_a, raws_b, prompts)["temporal"].p  →  0.003

Motions of one prompt resemble each other, so prompts are what is drawn again, never single motions.
"""

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Literal, NamedTuple

import numpy as np

DRAWS = 10_000
EXACT_BELOW = 14  # pairs: up to there all 2ⁿ signs are tried

_CELLS = 4_000_000  # of one chunk of draws


class Interval(NamedTuple):
    """A mean with its interval.

    Args:
        value (`float`): the mean.
        low (`float`, *optional*): lower end; None where there are fewer than two independent values.
        high (`float`, *optional*): upper end.
    """

    value: float
    low: float | None
    high: float | None


class TaskScore(NamedTuple):
    """The mean score of one task; higher is better.

    Args:
        value (`float`): mean of the prompts' means, so that every prompt counts the same; 0 to 1 for raw scores, 1 to
            5 for `"score"`.
        low (`float`, *optional*): lower end of the interval over prompts; None below two prompts.
        high (`float`, *optional*): upper end.
        items (`int`): motions that were scored.
        prompts (`int`): prompts with at least one scored motion.
    """

    value: float
    low: float | None
    high: float | None
    items: int
    prompts: int


@dataclass(frozen=True)
class EventScoreReport:
    """Mean scores of a system on a set of prompts.

    The interval says how much the mean would vary with other prompts of the same kind. It says nothing about the
    judge: one that is wrong is wrong with a narrow interval. Nor does it cover unscored items, which are left out: a
    system whose broken motions cannot be judged looks better than it is, so read `unscored_share` first.

    Args:
        tasks (`dict[str, TaskScore]`): one for each kind of score that occurs.
        items (`int`): motions that were judged, or tried.
        unscored (`int`): those without a score.
        causes (`dict[str, int]`): why, most frequent first.
        confidence (`float`): of the intervals, 0 to 1.
    """

    tasks: dict[str, TaskScore]
    items: int
    unscored: int
    causes: dict[str, int]
    confidence: float

    @property
    def unscored_share(self) -> float:
        """Share of the motions without a score, 0 to 1; lower is better."""
        return self.unscored / self.items


class PairedComparison(NamedTuple):
    """Two systems on the same prompts.

    Args:
        delta (`float`): mean of B minus mean of A over the prompts that both have scores for; above 0, B is better.
        low (`float`, *optional*): lower end of the interval of the delta; None below two prompts.
        high (`float`, *optional*): upper end.
        p (`float`): two-sided, how often a difference as large appears if A and B are exchangeable on each prompt. A
            small one says that there is a difference, not that it matters; and of twenty comparisons one is below
            0.05 by chance.
        mean_a (`float`): mean of A on these prompts.
        mean_b (`float`): mean of B on these prompts.
        prompts (`int`): prompts in common.
        left_out (`int`): prompts that lack a score of A or of B.
    """

    delta: float
    low: float | None
    high: float | None
    p: float
    mean_a: float
    mean_b: float
    prompts: int
    left_out: int


def event_scores(
    judge: Any,
    items: Sequence[Any],
    *,
    batch_size: int = 64,
    own_task_only: bool = False,
    confidence: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
) -> EventScoreReport:
    """Judge motions and average what the judge says.

    Args:
        judge (`Any`): has `score(items)`, which returns one verdict an item, with `score`, `raw` and `cause`; any
            `Judge` does.
        items (`Sequence`): what the judge takes, with `motion`, `prompt` and `scenario`; motions of one prompt may
            stand anywhere.
        batch_size (`int`, *optional*, defaults to 64): items handed to the judge at once.
        own_task_only (`bool`, *optional*, defaults to `False`): count integrity, temporal and frequency only on
            prompts whose scenario was written for that task.
        confidence (`float`, *optional*, defaults to 0.95): of the intervals.
        draws (`int`, *optional*, defaults to 10000): of the bootstrap.
        seed (`int`, *optional*, defaults to 0): the same seed gives the same intervals.

    Returns:
        [`EventScoreReport`]: a mean for each raw score of the judge and for its score.

    Raises:
        ValueError: if there are no items, the judge gives another number of verdicts, or nothing could be scored.
    """
    if batch_size < 1:
        raise ValueError(f"Expected batch_size of at least 1, got {batch_size}.")
    raws: list[dict[str, float] | None] = []
    causes: Counter[str] = Counter()
    for start in range(0, len(items), batch_size):
        batch = items[start : start + batch_size]
        verdicts = list(judge.score(batch))
        if len(verdicts) != len(batch):
            raise ValueError(f"The judge gave {len(verdicts)} verdicts for {len(batch)} items; expected one each.")
        for item, verdict in zip(batch, verdicts, strict=True):
            if verdict.score is None:
                causes[verdict.cause or "no cause given"] += 1
                raws.append(None)
                continue
            task = getattr(item.scenario, "task", None) if own_task_only else None
            raw = {name: value for name, value in verdict.raw.items() if not task or _belongs(name, task)}
            raws.append({**raw, "score": verdict.score})
    if raws and not any(raws):
        cause, count = causes.most_common(1)[0]
        raise ValueError(f"The judge scored none of {len(raws)} items; the most frequent cause ({count}): {cause}")
    prompts = [item.prompt for item in items]
    report = summarize_scores(raws, prompts, confidence=confidence, draws=draws, seed=seed)
    return EventScoreReport(report.tasks, report.items, report.unscored, dict(causes.most_common()), confidence)


def _belongs(name: str, task: str) -> bool:
    return name == task or name not in ("integrity", "temporal", "frequency")


def summarize_scores(
    raws: Sequence[Mapping[str, float] | None],
    prompts: Sequence[Hashable],
    *,
    confidence: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
) -> EventScoreReport:
    """Means and intervals of scores that are there already.

    Args:
        raws (`Sequence[Mapping[str, float]]`): for each motion its scores by task, or None where it is unscored; a
            motion may lack single tasks.
        prompts (`Sequence[Hashable]`): the prompt of each motion, or its id.
        confidence (`float`, *optional*, defaults to 0.95): of the intervals.
        draws (`int`, *optional*, defaults to 10000): of the bootstrap.
        seed (`int`, *optional*, defaults to 0): the same seed gives the same intervals.

    Returns:
        [`EventScoreReport`]: without causes, which only the judge knows.

    Raises:
        ValueError: if lengths differ, there is nothing, nothing is scored, or a score is not finite.
    """
    means, counts = _prompt_means(raws, prompts)
    if not means:
        raise ValueError(f"None of the {len(raws)} items has a score, so there is no mean; see the verdicts' causes.")
    tasks = {}
    for task, by_prompt in means.items():
        interval = bootstrap_mean(list(by_prompt.values()), confidence=confidence, draws=draws, seed=seed)
        tasks[task] = TaskScore(*interval, items=counts[task], prompts=len(by_prompt))
    return EventScoreReport(tasks, len(raws), sum(raw is None for raw in raws), {}, confidence)


def compare_systems(
    raws_a: Sequence[Mapping[str, float] | None],
    raws_b: Sequence[Mapping[str, float] | None],
    prompts_a: Sequence[Hashable],
    prompts_b: Sequence[Hashable] | None = None,
    *,
    confidence: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
) -> dict[str, PairedComparison]:
    """Compare two systems on the prompts that both have scores for, one task at a time.

    Each prompt gives one difference of means, however many motions there are. The interval is a bootstrap over
    prompts, p a permutation test that flips the signs of the differences (all of them tried up to 14 prompts).

    Args:
        raws_a (`Sequence[Mapping[str, float]]`): scores of A's motions by task; None where unscored.
        raws_b (`Sequence[Mapping[str, float]]`): scores of B's motions.
        prompts_a (`Sequence[Hashable]`): the prompt of each of A's motions.
        prompts_b (`Sequence[Hashable]`, *optional*): the prompt of each of B's motions, defaults to `prompts_a`.
        confidence (`float`, *optional*, defaults to 0.95): of the intervals.
        draws (`int`, *optional*, defaults to 10000): of bootstrap and permutation test.
        seed (`int`, *optional*, defaults to 0): the same seed gives the same numbers.

    Returns:
        `dict[str, PairedComparison]`: one for each task that both have, B minus A.

    Raises:
        ValueError: if lengths differ, there is nothing, a score is not finite, or no prompt has scores of both.
    """
    a, _ = _prompt_means(raws_a, prompts_a)
    b, _ = _prompt_means(raws_b, prompts_a if prompts_b is None else prompts_b)
    found = {}
    for task in (name for name in a if name in b):
        common = [prompt for prompt in a[task] if prompt in b[task]]
        if not common:
            continue
        first, second = (np.array([side[task][prompt] for prompt in common]) for side in (a, b))
        delta = bootstrap_mean(second - first, confidence=confidence, draws=draws, seed=seed)
        p = sign_flip_test(second - first, draws=draws, seed=seed)
        left_out = len(a[task].keys() | b[task].keys()) - len(common)
        found[task] = PairedComparison(*delta, p, float(first.mean()), float(second.mean()), len(common), left_out)
    if not found:
        raise ValueError("No prompt has scores of both systems for the same task; compare them on the same prompts.")
    return found


def bootstrap_mean(
    values: Sequence[float] | np.ndarray,
    clusters: Sequence[Hashable] | None = None,
    *,
    confidence: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
    method: Literal["percentile", "bca"] = "percentile",
) -> Interval:
    """The mean of values with a bootstrap interval (Efron & Tibshirani 1993).

    Below about twenty clusters the interval is too narrow, and with scores near 0 or 1 `"bca"` (bias-corrected and
    accelerated) keeps its promise better than percentiles.

    Args:
        values (`Sequence[float]`): `[n]`, any unit.
        clusters (`Sequence[Hashable]`, *optional*): what each value belongs to; whole clusters are drawn, and the mean
            is that of the clusters' means. Each value is its own cluster by default.
        confidence (`float`, *optional*, defaults to 0.95): share of such intervals that hold the true mean.
        draws (`int`, *optional*, defaults to 10000): more make the ends steadier, not the interval narrower.
        seed (`int`, *optional*, defaults to 0): the same seed gives the same interval.
        method (`str`, *optional*, defaults to `"percentile"`): or `"bca"`.

    Returns:
        [`Interval`]: in the unit of the values; without ends below two clusters.

    Raises:
        ValueError: if there are no values, one is not finite, lengths differ, or an option is out of range.
    """
    if not 0 < confidence < 1 or draws < 1 or method not in ("percentile", "bca"):
        raise ValueError(
            "Expected confidence between 0 and 1, at least one draw and method 'percentile' or 'bca', got "
            f"{confidence}, {draws}, {method!r}."
        )
    numbers = _finite(values)
    if clusters is not None:
        if len(clusters) != len(numbers):
            raise ValueError(f"Expected a cluster for each of {len(numbers)} values, got {len(clusters)}.")
        order = {name: i for i, name in enumerate(dict.fromkeys(clusters))}
        index = np.array([order[name] for name in clusters])
        numbers = np.bincount(index, weights=numbers) / np.bincount(index)
    value, size = float(numbers.mean()), len(numbers)
    if size < 2:
        return Interval(value, None, None)
    means = np.concatenate([w @ numbers for w in resampling_counts(size, draws, seed)]) / size
    tails = np.array([(1 - confidence) / 2, (1 + confidence) / 2])
    if method == "bca":
        tails = _corrected(tails, means, numbers)
    low, high = np.quantile(means, tails)
    return Interval(value, float(low), float(high))


def _corrected(tails: np.ndarray, means: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Percentiles of BCa: shifted by the bias of the draws' median and by the skewness of the values."""
    away = numbers.mean() - numbers  # minus the jackknife's, up to a factor that cancels
    spread = float((away**2).sum())
    if spread == 0:
        return tails
    normal, mean = NormalDist(), numbers.mean()
    near = np.isclose(means, mean, rtol=1e-12, atol=1e-15)
    below = float((((means < mean) & ~near) + 0.5 * near).mean())
    bias = normal.inv_cdf(min(max(below, 0.5 / len(means)), 1 - 0.5 / len(means)))
    acceleration = -float((away**3).sum()) / (6 * spread**1.5)
    shifted = [bias + normal.inv_cdf(float(tail)) for tail in tails]
    return np.array([normal.cdf(bias + z / (1 - acceleration * z)) for z in shifted])


def sign_flip_test(differences: Sequence[float] | np.ndarray, *, draws: int = DRAWS, seed: int = 0) -> float:
    """Whether paired differences are centred on zero: the permutation test that flips their signs (Fisher 1935).

    Args:
        differences (`Sequence[float]`): `[n]`, one for each independent pair, any unit.
        draws (`int`, *optional*, defaults to 10000): random signs beyond 14 pairs; p is then never below
            1 / (draws + 1).
        seed (`int`, *optional*, defaults to 0): the same seed gives the same p.

    Returns:
        `float`: two-sided p, above 0 and up to 1; 1 where all differences are 0. With n pairs it cannot fall below
            2 / 2ⁿ.

    Raises:
        ValueError: if there are no differences or one is not finite.
    """
    numbers = _finite(differences)
    numbers = numbers[numbers != 0]  # they add nothing under either sign
    size = len(numbers)
    if size == 0:
        return 1.0
    observed = abs(float(numbers.sum())) * (1 - 1e-12)  # sums in another order differ in the last digits
    if size <= EXACT_BELOW:
        bits = np.arange(2**size)[:, None] >> np.arange(size) & 1
        return float((np.abs((2 * bits - 1) @ numbers) >= observed).mean())
    rng, extreme, left = np.random.default_rng(seed), 0, draws
    while left > 0:
        rows = min(left, max(1, _CELLS // size))
        signs = rng.integers(0, 2, size=(rows, size), dtype=np.int8).astype(np.float64)
        extreme += int((np.abs(2 * (signs @ numbers) - numbers.sum()) >= observed).sum())
        left -= rows
    return (extreme + 1) / (draws + 1)


def resampling_counts(size: int, draws: int, seed: int) -> Iterator[np.ndarray]:
    """How often each of n things is drawn in each draw of a bootstrap, in chunks that fit the memory.

    Args:
        size (`int`): number n of things that are drawn, with replacement.
        draws (`int`): draws in all.
        seed (`int`): the same seed gives the same draws.

    Yields:
        `np.ndarray`: `[chunk, n]`, unitless counts as float64; each row adds up to n.
    """
    rng = np.random.default_rng(seed)
    rows = max(1, _CELLS // size)
    for start in range(0, draws, rows):
        chunk = min(rows, draws - start)
        index = rng.integers(0, size, size=(chunk, size)) + size * np.arange(chunk)[:, None]
        yield np.bincount(index.ravel(), minlength=chunk * size).reshape(chunk, size).astype(np.float64)


def _prompt_means(
    raws: Sequence[Mapping[str, float] | None], prompts: Sequence[Hashable]
) -> tuple[dict[str, dict[Hashable, float]], Counter[str]]:
    """For each task the mean of every prompt that has scores, and how many motions were scored."""
    if not len(raws) or len(raws) != len(prompts):
        raise ValueError(f"Expected at least one item and a prompt for each, got {len(raws)} and {len(prompts)}.")
    values: dict[str, dict[Hashable, list[float]]] = {}
    counts: Counter[str] = Counter()
    for index, (raw, prompt) in enumerate(zip(raws, prompts, strict=True)):
        for task, value in (raw or {}).items():
            if not np.isfinite(value):
                raise ValueError(f"Item {index} has {task} {value}; a motion without a score is None, not a number.")
            values.setdefault(task, {}).setdefault(prompt, []).append(float(value))
            counts[task] += 1
    return {task: {p: sum(v) / len(v) for p, v in found.items()} for task, found in values.items()}, counts


def _finite(values: Sequence[float] | np.ndarray) -> np.ndarray:
    numbers = np.asarray(values, dtype=np.float64)
    if numbers.ndim != 1 or not numbers.size or not np.isfinite(numbers).all():
        raise ValueError(f"Expected a row of finite numbers, [n], got {numbers.size} in shape {list(numbers.shape)}.")
    return numbers
