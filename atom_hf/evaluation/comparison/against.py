"""Systems against each other on the prompts that they share: paired tests, wins and losses.

pairwise_outcome(base, aligned).win_rate.rate  →  0.64
"""

from collections.abc import Mapping, Sequence

from ..bootstrap import bootstrap_mean
from ..event_scores import compare_systems
from ..win_rate import outcomes_from_scores, win_rate
from .result import TASKS, Pairwise, SystemResult, Test

TIE_MARGIN = 0.02  # of the overall score, 0 to 1; half of what one wrong event of a dozen costs


def paired_tests(results: Sequence[SystemResult], seed: int = 0) -> list[Test]:
    """The systems against the first one of them, on the prompts that they have in common.

    Args:
        results (`Sequence[SystemResult]`): real motion takes part, but is never the first one.
        seed (`int`, *optional*, defaults to 0): of bootstraps and permutations.

    Returns:
        `list[Test]`: one for each system and task; none for systems without a prompt in common with the first one.
    """
    scored = [result for result in results if result.events]
    first = next((result for result in scored if not result.reference), None)
    found: list[Test] = []
    for result in scored:
        if first is None or result is first or not _common(first, result):
            continue
        a, b = ([each.raw for each in side.judged] for side in (first, result))
        prompts_a, prompts_b = ([clip.prompt for clip in side.system.clips] for side in (first, result))
        for task, paired in compare_systems(a, b, prompts_a, prompts_b, seed=seed).items():
            if task in TASKS:
                found.append(Test(result.name, first.name, task, paired))
    return found


def _common(a: SystemResult, b: SystemResult) -> set[str]:
    sides = (prompt_scores(a), prompt_scores(b))
    return set(sides[0]) & set(sides[1])


def prompt_scores(result: SystemResult, task: str = "overall") -> dict[str, float]:
    """Mean scores of a system by prompt.

    Args:
        result ([`SystemResult`]): of the system.
        task (`str`, *optional*, defaults to `"overall"`): which score; where the judge has none of this name, its
            `"score"`, brought from 1 to 5 to 0 to 1.

    Returns:
        `dict[str, float]`: prompt to score; prompts without a scored motion are left out.
    """
    values: dict[str, list[float]] = {}
    for clip, each in zip(result.system.clips, result.judged, strict=False):
        if each.raw is not None:
            values.setdefault(clip.prompt, []).append(overall(each.raw, task))
    return {prompt: sum(found) / len(found) for prompt, found in values.items()}


def overall(raw: Mapping[str, float], task: str = "overall") -> float:
    """One score of a motion.

    Args:
        raw (`Mapping[str, float]`): its scores by task, with `"score"` from 1 to 5.
        task (`str`, *optional*, defaults to `"overall"`): which of them.

    Returns:
        `float`: 0 to 1; of `"score"` where the judge has no other.
    """
    return raw.get(task, (raw["score"] - 1) / 4)


def pairwise_outcome(a: SystemResult, b: SystemResult, seed: int = 0) -> Pairwise | None:
    """Wins of the later system against the earlier one; of systems against real motion, which is no contender.

    Args:
        a ([`SystemResult`]): the earlier one.
        b ([`SystemResult`]): the later one.
        seed (`int`, *optional*, defaults to 0): of the bootstrap.

    Returns:
        [`Pairwise`] or `None`: None where they have no prompt in common.
    """
    system, against = (b, a) if not b.reference else (a, b)
    ours, theirs = prompt_scores(system), prompt_scores(against)
    asked = {clip.prompt for clip in system.system.clips} & {clip.prompt for clip in against.system.clips}
    if not asked:
        return None
    prompts = sorted(asked)
    outcomes = outcomes_from_scores([ours.get(p) for p in prompts], [theirs.get(p) for p in prompts], TIE_MARGIN)
    points = [{"win": 1.0, "tie": 0.5, "loss": 0.0}[outcome] for outcome in outcomes if outcome is not None]
    score = bootstrap_mean(points, seed=seed) if points else None
    return Pairwise(system.name, against.name, win_rate(outcomes), score)
