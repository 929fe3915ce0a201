"""How well a system shows the events that were asked for, with intervals, and whether another system does it better.

report = event_scores(KinematicJudge(), items)      # several motions for each prompt
report.tasks["temporal"]  →  TaskScore(value=0.71, low=0.66, high=0.76, items=800, prompts=200)
compare_systems(raws_a, raws_b, prompts)["temporal"].p  →  0.003

Motions of one prompt resemble each other, so prompts are what is drawn again, never single motions.
"""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from .bootstrap import DRAWS, bootstrap_mean, sign_flip_test


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
