"""How far a judge can be trusted: its scores and choices against known faults, or against people's votes.

report = calibrate(KinematicJudge(), calibration_items(240))
report.all.kappa      →  Estimate(value=0.93, low=0.89, high=0.96)
report.warning        →  None, or a sentence for the dataset that the judge makes
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from .calibration_items import CalibrationItem, CalibrationPair, calibration_pairs
from .calibration_orders import obeyed_orders, ordered, with_orders
from .calibration_report import Calibration, ObeyedOrders, PairAgreement, Repeatability, TaskAgreement
from .clustered import kappa_of, kendall, over_prompts, share_of, spearman_of
from .judge import Judge, JudgeItem, Verdict
from .position_bias import PositionBias

DRAWS = 1000
_SCALE = (1, 2, 3, 4, 5)
_TASKS = ("integrity", "temporal", "frequency", "overall")
_CHOICES = ("first", "second", "tie")
_LONGEST_CAUSE = 100  # characters
_TIE = 1e-6  # points; scores are sums of fractions
L = TypeVar("L")


def calibrate(
    judge: Judge,
    items: Sequence[CalibrationItem],
    *,
    repeats: int = 1,
    compare: bool = True,
    pairs_per_prompt: int = 2,
    orders: int = 0,
    source: str = "synthesised motions",
    draws: int = DRAWS,
    seed: int = 0,
) -> Calibration:
    """Hold a judge against motions whose scores are known.

    Args:
        judge ([`Judge`]): who is held against them. With a task of its own it is held against the true scores of that
            task, otherwise against those of the task that each prompt was written for.
        items (`Sequence[CalibrationItem]`): of `calibration_items`.
        repeats (`int`, *optional*, defaults to 1): score everything so many times. A judge with a store answers from
            it, so give one without.
        compare (`bool`, *optional*, defaults to `True`): have a judge that can (`judge.compare`) choose between two
            motions of a prompt; otherwise its scores decide, for all pairs.
        pairs_per_prompt (`int`, *optional*, defaults to 2): pairs that are compared; each is asked in both orders.
        orders (`int`, *optional*, defaults to 0): score up to so many faulty motions once more, with a caption that
            tells the judge to answer 5; nothing should change.
        source (`str`, *optional*): what the report says it was held against.
        draws (`int`, *optional*, defaults to 1000): of the bootstrap over prompts.
        seed (`int`, *optional*, defaults to 0): of pairs, sides and bootstrap.

    Returns:
        [`Calibration`]: agreement by task, and what speaks against the judge.

    Raises:
        ValueError: if there are no items, a number is below 1, or the judge gives another number of verdicts.
    """
    if not items or min(repeats, pairs_per_prompt, draws) < 1 or orders < 0:
        raise ValueError(
            f"Expected items and numbers of at least 1, got {len(items)} items, {repeats=}, {pairs_per_prompt=}, "
            f"{draws=}; orders from 0, got {orders}."
        )
    own = getattr(judge, "task", None)
    runs = [_score(judge, [item.item for item in items]) for _ in range(repeats)]
    scores = [verdict.score for verdict in runs[0]]
    asked = compare and hasattr(judge, "compare")
    pairs = calibration_pairs(items, task=own, per_prompt=pairs_per_prompt if asked else None, seed=seed)
    of_item = {id(item.item): score for item, score in zip(items, scores, strict=True)}
    choices, position, unanswered = _choose(judge, pairs, of_item, asked)

    truths = [item.truth[own or item.task] for item in items]
    prompts = [item.prompt_id for item in items]
    scored = [
        _scored_task(name, _of(mask, scores), _of(mask, truths), _of(mask, prompts), draws, seed)
        for name, mask in _by_task([own or item.task for item in items])
    ]
    paired = dict(_paired_tasks(pairs, choices, asked, draws, seed))
    return Calibration(
        judge=judge.name,
        source=source,
        tasks=tuple(replace(task, pairs=paired.get(task.task, paired.get("all"))) for task in scored),
        histogram={"judge": _histogram(scores), "truth": _histogram(truths)},
        unscored=_causes(verdict.cause for verdict in runs[0] if verdict.score is None),
        unanswered=unanswered,
        position=position,
        repeatability=_repeatability(runs) if repeats > 1 else None,
        orders=_orders(judge, items, runs[0], orders) if orders else None,
    )


def calibrate_layouts(
    make_judge: Callable[[L], Judge],
    layouts: Sequence[L],
    items: Sequence[CalibrationItem],
    **options: Any,
) -> Calibration:
    """Hold a judge that looks at pictures against motions whose scores are known, once for each layout.

    Args:
        make_judge (`Callable`): takes a layout and gives the judge that uses it.
        layouts (`Sequence`): layouts with a `name`, such as [`PictureLayout`] with several numbers of frames or
            strides.
        items (`Sequence[CalibrationItem]`): of `calibration_items`.
        options (`Any`): for `calibrate`.

    Returns:
        [`Calibration`]: of the first layout, with all of them in `by_layout`.

    Raises:
        ValueError: if there is no layout, or as `calibrate` says.
    """
    if not layouts:
        raise ValueError("Expected at least one layout to calibrate, got none.")
    found = [
        replace(calibrate(make_judge(layout), items, **options), layout=str(getattr(layout, "name", layout)))
        for layout in layouts
    ]
    return replace(found[0], by_layout=tuple(found)) if len(found) > 1 else found[0]


def calibrate_votes(
    judge: Judge,
    pairs: Sequence[CalibrationPair],
    *,
    compare: bool = True,
    source: str = "people's votes",
    draws: int = DRAWS,
    seed: int = 0,
) -> Calibration:
    """Hold a judge against pairs of motions that people voted on.

    Args:
        judge ([`Judge`]): who is held against them.
        pairs (`Sequence[CalibrationPair]`): of `voted_pairs`.
        compare (`bool`, *optional*, defaults to `True`): have a judge that can compare the two; otherwise its scores
            decide.
        source (`str`, *optional*): what the report says it was held against.
        draws (`int`, *optional*, defaults to 1000): of the bootstrap over prompts.
        seed (`int`, *optional*, defaults to 0): of the bootstrap.

    Returns:
        [`Calibration`]: with agreement on pairs only.

    Raises:
        ValueError: if there are no pairs, or the judge gives another number of answers.
    """
    if not pairs:
        raise ValueError("Expected pairs that people voted on, got none.")
    asked = compare and hasattr(judge, "compare")
    unscored: dict[str, int] = {}
    of_item: dict[int, float | None] = {}
    if not asked:
        single = {id(item): item for pair in pairs for item in (pair.first, pair.second)}
        verdicts = _score(judge, list(single.values()))
        of_item = {name: verdict.score for name, verdict in zip(single, verdicts, strict=True)}
        unscored = _causes(verdict.cause for verdict in verdicts if verdict.score is None)
    choices, position, unanswered = _choose(judge, pairs, of_item, asked)
    tasks = tuple(
        TaskAgreement(name, pairs=found) for name, found in _paired_tasks(pairs, choices, asked, draws, seed)
    )
    return Calibration(judge.name, source, tasks, unscored=unscored, unanswered=unanswered, position=position)


def _orders(judge: Judge, items: Sequence[CalibrationItem], plain: Sequence[Verdict], most: int) -> ObeyedOrders:
    chosen = with_orders(items, most, getattr(judge, "task", None))
    return obeyed_orders([plain[i] for i in chosen], _score(judge, ordered([items[i] for i in chosen])))


def _score(judge: Judge, items: Sequence[JudgeItem]) -> list[Verdict]:
    verdicts = list(judge.score(items))
    if len(verdicts) != len(items):
        raise ValueError(f"The judge gave {len(verdicts)} verdicts for {len(items)} items; expected one each.")
    return verdicts


def _choose(
    judge: Any, pairs: Sequence[CalibrationPair], scores: Mapping[int, float | None], asked: bool
) -> tuple[list[str | None], PositionBias | None, dict[str, int]]:
    """A choice for each pair, by comparing or by scores; with the position bias and causes of a comparison."""
    if not asked:
        return [_by_scores(scores[id(pair.first)], scores[id(pair.second)]) for pair in pairs], None, {}
    from .vlm.preference import position_bias

    preferences = list(judge.compare([(pair.first, pair.second) for pair in pairs]))
    if len(preferences) != len(pairs):
        raise ValueError(f"The judge gave {len(preferences)} choices for {len(pairs)} pairs; expected one each.")
    causes = _causes(preference.cause for preference in preferences if preference.choice is None)
    return [preference.choice for preference in preferences], position_bias(preferences), causes


def _by_scores(first: float | None, second: float | None) -> str | None:
    if first is None or second is None:
        return None
    return "tie" if abs(first - second) <= _TIE else "first" if first > second else "second"


def _by_task(tasks: Sequence[str]) -> list[tuple[str, np.ndarray]]:
    """Each task with the rows that belong to it, and all rows where there are several tasks."""
    names = sorted(set(tasks), key=lambda name: (_TASKS.index(name) if name in _TASKS else len(_TASKS), name))
    found = [(name, np.array([task == name for task in tasks])) for name in names]
    return found if len(names) == 1 else [*found, ("all", np.ones(len(tasks), dtype=bool))]


def _of(mask: np.ndarray, row: Sequence[Any]) -> list[Any]:
    return [value for value, belongs in zip(row, mask, strict=True) if belongs]


def _scored_task(
    name: str, scores: list[float | None], truths: list[float], prompts: list[str], draws: int, seed: int
) -> TaskAgreement:
    there = np.array([score is not None for score in scores])
    said, true = (np.array(_of(there, row), dtype=np.float64) for row in (scores, truths))
    if not len(said):
        return TaskAgreement(name, len(scores))
    said_whole, true_whole = ([_whole(number) - 1 for number in row] for row in (said, true))
    clusters = _of(there, prompts)
    return TaskAgreement(
        name,
        len(scores),
        len(said),
        spearman=over_prompts(spearman_of(said, true), clusters, draws, seed),
        kendall=kendall(said, true),
        kappa=over_prompts(kappa_of(said_whole, true_whole, len(_SCALE), quadratic=True), clusters, draws, seed),
        exact=float(np.equal(said_whole, true_whole).mean()),
        error=float(np.abs(said - true).mean()),
        bias=float((said - true).mean()),
    )


def _paired_tasks(
    pairs: Sequence[CalibrationPair], choices: Sequence[str | None], asked: bool, draws: int, seed: int
) -> Iterable[tuple[str, PairAgreement]]:
    for name, mask in _by_task([pair.task for pair in pairs]) if pairs else ():
        yield name, _paired_task(_of(mask, pairs), _of(mask, choices), asked, draws, seed)


def _paired_task(
    pairs: list[CalibrationPair], choices: list[str | None], asked: bool, draws: int, seed: int
) -> PairAgreement:
    there = np.array([choice is not None for choice in choices], dtype=bool)
    said, answered = _of(there, choices), _of(there, pairs)
    prompts, better = [pair.prompt_id for pair in answered], [pair.better for pair in answered]
    right = [_credit(choice, truth) for choice, truth in zip(said, better, strict=True)]
    said_places, better_places = ([_CHOICES.index(choice) for choice in row] for row in (said, better))
    return PairAgreement(
        asked=asked,
        pairs=len(pairs),
        answered=len(said),
        agreement=over_prompts(share_of(right, [truth != "tie" for truth in better]), prompts, draws, seed),
        ties=said.count("tie") / len(said) if said else None,
        kappa=over_prompts(kappa_of(said_places, better_places, len(_CHOICES), quadratic=False), prompts, draws, seed),
    )


def _credit(choice: str, better: str) -> float:
    return 0.5 if choice == "tie" else float(choice == better)


def _whole(score: float) -> int:
    return math.floor(score + 0.5)


def _histogram(scores: Iterable[float | None]) -> tuple[int, ...]:
    counts = Counter(_whole(score) for score in scores if score is not None)
    return tuple(counts[number] for number in _SCALE)


def _causes(causes: Iterable[str | None]) -> dict[str, int]:
    """How often each cause; what follows a colon is about one item, or is somebody's words."""
    short = (" ".join((cause or "no cause given").partition(":")[0].split())[:_LONGEST_CAUSE] for cause in causes)
    return dict(Counter(short).most_common())


def _repeatability(runs: Sequence[Sequence[Verdict]]) -> Repeatability:
    rows = [[verdict.score for verdict in verdicts] for verdicts in zip(*runs, strict=True)]
    complete = [[score for score in row if score is not None] for row in rows if None not in row]
    spreads = [max(row) - min(row) for row in complete]
    return Repeatability(
        runs=len(runs),
        same=sum(spread <= _TIE for spread in spreads) / len(spreads) if spreads else None,
        spread=sum(spreads) / len(spreads) if spreads else None,
        flickering=sum(0 < row.count(None) < len(row) for row in rows),
    )
