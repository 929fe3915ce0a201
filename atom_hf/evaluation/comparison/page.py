"""A comparison as a page: tables, radar, distributions, win rates, and motions side by side.

comparison_page(comparison).write("report.html")
"""

import math
from collections.abc import Sequence

from ..event_track import event_track
from ..report import (
    Chart,
    Clip,
    ClipGroup,
    Outcome,
    Report,
    Table,
    bar_chart,
    distribution_chart,
    outcome_chart,
    pick_cases,
    radar_chart,
)
from ..report.tables import Value
from .against import overall, prompt_scores
from .result import TASKS, Comparison, Judged, SystemResult
from .tables import (
    caption,
    evaluator_tables,
    events_table,
    overview,
    pairwise_table,
    physics_tables,
    systems_table,
    tests_table,
    validity_table,
)

_MOST_CONTENDERS = 3  # of which cases are shown
_MOST_COLUMNS = 4  # motions side by side


def comparison_page(
    comparison: Comparison, title: str = "Evaluation", *, lead: str = "", training: Sequence[Chart] = ()
) -> Report:
    """The page; its viewers are filled when it is written.

    Args:
        comparison ([`Comparison`]): what was found.
        title (`str`, *optional*, defaults to `"Evaluation"`): heading.
        lead (`str`, *optional*, defaults to `""`): what it says first.
        training (`Sequence[Chart]`, *optional*): curves of a training that made one of the systems.

    Returns:
        [`Report`]: the page.
    """
    names = [result.name for result in comparison.results]
    page = Report(f"{title}: {', '.join(names)}", caption(comparison))
    page.add_text(lead)
    if comparison.notes:
        page.add_text("\n\n".join(comparison.notes), note=True)
    page.add_heading("Overview")
    page.add_table(overview(comparison))
    page.add_table(systems_table(comparison))
    axes, shown = _axes(comparison)
    charts = [radar_chart("Systems at a glance; further out is better", axes, shown)] if len(axes) > 2 else []
    charts += _score_bars(comparison)
    if charts:
        page.add_chart(*charts)
    _add(page, "Events", [events_table(comparison), tests_table(comparison)])
    _add(page, "Wins and losses", [pairwise_table(comparison)])
    _add_score_charts(page, comparison)
    if training:
        page.add_heading("Training")
        page.add_chart(*training)
    _add(page, "Evaluator", evaluator_tables(comparison))
    page.add_heading("Physics and validity")
    for table in physics_tables(comparison):
        page.add_table(table)
    page.add_table(validity_table(comparison))
    _add_cases(page, comparison)
    return page


def _add(page: Report, heading: str, tables: Sequence[Table | None]) -> None:
    there = [table for table in tables if table is not None]
    if there:
        page.add_heading(heading)
    for table in there:
        page.add_table(table)


def _axes(comparison: Comparison) -> tuple[list[str], dict[str, list[float | Value | None]]]:
    """Shares from 0 to 1 of which more is better."""
    names = [
        task for task in ("integrity", "temporal", "frequency") if any(task in r.events for r in comparison.results)
    ]
    measured = ["R@3", "precision", "recall"] if comparison.protocol is not None else []
    shown: dict[str, list[float | Value | None]] = {}
    for result in comparison.results:
        values: list[float | Value | None] = [
            result.events[name].value if name in result.events else None for name in names
        ]
        if measured:
            metric = result.metrics.get("R@3")
            values += [None if metric is None else metric.mean]
            values += [None, None] if result.spread is None else list(result.spread)
        skating = result.physics.get("skating_ratio")
        shown[result.name] = [*values, None if skating is None else 1 - skating.value]
    return [*names, *measured, "no skating"], shown


def _score_bars(comparison: Comparison) -> list[Chart]:
    scored = {result.name: result for result in comparison.results if result.events}
    tasks = [task for task in TASKS if any(task in result.events for result in scored.values())]
    if not tasks:
        return []
    bars = {name: [_value(result, task) for task in tasks] for name, result in scored.items()}
    label = "mean over prompts, 0 to 1"
    return [bar_chart("Event scores with 95 % intervals", tasks, bars, x_label=label, digits=2)]


def _add_score_charts(page: Report, comparison: Comparison) -> None:
    scores = {each.name: list(prompt_scores(each).values()) for each in comparison.results if each.events}
    if not scores:
        return
    outcomes = {}
    for pair in comparison.pairwise:
        found, score = pair.win_rate, pair.score
        ends = None if score is None or score.low is None or score.high is None else (score.low, score.high)
        outcomes[f"{pair.system} against {pair.against}"] = Outcome(found.wins, found.ties, found.losses, ends)
    charts = [distribution_chart("Overall event scores of single prompts", scores, x_label="score, 0 to 1")]
    if outcomes:
        charts.append(outcome_chart("Prompts won, tied and lost; with bootstrap intervals", outcomes))
    page.add_chart(*charts)


def _value(result: SystemResult, task: str) -> Value | None:
    score = result.events.get(task)
    if score is None:
        return None
    return Value(score.value, None if score.low is None or score.high is None else (score.low, score.high))


def _add_cases(page: Report, comparison: Comparison) -> None:
    """Best, median and worst cases: of one system by its score, of several by what they win against the first."""
    systems = [result for result in comparison.results if not result.reference]
    first, *others = systems
    page.add_heading("Motions")
    base = prompt_scores(first)
    shown = False
    contenders = [other for other in others if set(prompt_scores(other)) & set(base)][:_MOST_CONTENDERS]
    for other in contenders:
        gains = {p: score - base[p] for p, score in prompt_scores(other).items() if p in base}
        kinds = ("largest gains", "median differences", "largest losses")
        heading = f"{other.name} against {first.name}: "
        shown |= _add_kinds(page, comparison, gains, other, heading, kinds, 2 if len(contenders) == 1 else 1)
    if not contenders:
        for result in systems[:_MOST_CONTENDERS]:
            shown |= _add_kinds(
                page, comparison, prompt_scores(result), result, f"{result.name}: ", ("best", "median", "worst"), 2
            )
    if not shown:
        page.add_text("Without scores of a judge, the first cases are shown.")
        asked = [clip.prompt for clip in first.system.firsts[:3]]
        page.add_clips([_group(comparison, prompt, None) for prompt in asked])


def _add_kinds(
    page: Report,
    comparison: Comparison,
    scores: dict[str, float],
    result: SystemResult,
    heading: str,
    kinds: tuple[str, str, str],
    each: int,
) -> bool:
    prompts = list(scores)
    cases = pick_cases([scores[prompt] for prompt in prompts], each)
    for kind, places in zip(kinds, cases, strict=True):
        if places:
            page.add_heading(f"{heading}{kind}", 3)
            page.add_clips([_group(comparison, prompts[place], result) for place in places])
    return bool(prompts)


def _group(comparison: Comparison, prompt: str, result: SystemResult | None) -> ClipGroup:
    """The motions of all systems for a prompt: real motion and the first system, then the one that it is about."""
    order = [each for each in comparison.results if each.reference]
    order += [next(each for each in comparison.results if not each.reference)]
    order += [result] if result is not None else []
    order += list(comparison.results)
    clips: list[Clip] = []
    used: set[str] = set()
    for each in order:
        if each.name not in used and len(clips) < _MOST_COLUMNS:
            used.add(each.name)
            clips += _shown(each, prompt)
    return ClipGroup(prompt, clips)


def _shown(result: SystemResult, prompt: str) -> list[Clip]:
    """Of the motions for a prompt the one nearest to their mean score, which is what the case was chosen by."""
    judged: Sequence[Judged | None] = result.judged or [None] * len(result.system.clips)
    pairs = [pair for pair in zip(result.system.clips, judged, strict=True) if pair[0].prompt == prompt]
    if not pairs:
        return []
    scores = [None if each is None or each.raw is None else overall(each.raw) for _, each in pairs]
    known = [score for score in scores if score is not None]
    place, lines = 0, [f"{pairs[0][0].motion.duration:.1f} s"]
    if known:
        mean = sum(known) / len(known)
        # of two that are as near the better one, so that a gain can be seen
        order = [(math.inf, 0.0) if score is None else (round(abs(score - mean), 6), -score) for score in scores]
        place = order.index(min(order))
        of = f", mean of {len(known)} motions {mean:.2f}" if len(known) > 1 else ""
        lines = [f"overall {scores[place]:.2f}{of}"]
    each = pairs[place][1]
    clip = pairs[place][0]
    said = [*lines, *([each.reason] if each is not None else [])]
    return [Clip(result.name, clip.motion, said, event_track(clip.motion, clip.case.scenario))]
