"""Several alignments of one base in a table: ablations, and what they differ by.

alignment_table("Loss", {"IPO": [metrics of seed 0, seed 1], "hinge": [metrics]}).markdown()
"""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from ..event_scores import PairedComparison, compare_systems
from ..report.tables import Cell, Column, Row, Table, Value
from .tables import p_text

_TASKS = ("integrity", "temporal", "frequency")
Metrics = Mapping[str, Any]


def alignment_table(title: str, arms: Mapping[str, Sequence[Metrics]]) -> Table:
    """A row an alignment; the last columns compare it with the first one.

    Where an alignment was trained with several seeds, its score of a prompt is the mean over them, and the spread of
    its overall score over seeds stands in a column of its own.

    Args:
        title (`str`): what the alignments differ by.
        arms (`Mapping[str, Sequence]`): name to the content of metrics.json, once a seed, all for the same prompts and
            base.

    Returns:
        [`Table`]: the base's row first.

    Raises:
        ValueError: if there is nothing, an alignment has no overall score, or prompts differ.
    """
    everything = [metrics for found in arms.values() for metrics in found]
    if not everything:
        raise ValueError("Expected at least one alignment, got none.")
    for name, found in arms.items():
        if not found:
            raise ValueError(f"{name}: expected the metrics of at least one training, got none.")
        if any("overall" not in metrics["events"] for metrics in found):
            raise ValueError(f"{name}: no judge scored base and aligned model, so there is nothing to compare.")
    # Temperature tables have a base for each arm; then every arm is compared with its own.
    one_base = all(_scores(m)["base"] == _scores(everything[0])["base"] for m in everything)
    if any(_scores(m)["prompts"] != _scores(everything[0])["prompts"] for m in everything):
        raise ValueError("The alignments were evaluated on different prompts; no table can compare them.")
    seeds = max(len(found) for found in arms.values())
    first = next(iter(arms.values()))
    rows = [_base_row(everything[0], seeds)] if one_base else []
    rows += [_row(name, found, None if found is first else first, seeds) for name, found in arms.items()]
    columns = [Column("overall"), Column("Δ to the base"), Column("p")]
    columns += [Column("over seeds, sd")] if seeds > 1 else []
    columns += [Column(f"Δ {task}") for task in _TASKS]
    columns += [Column("R@3"), Column("FID"), Column("Diversity kept, %", digits=0)]
    columns += [Column("MModality kept, %", digits=0), Column("valid, %", digits=1), Column("KL a token")]
    columns += [Column("Δ to the first row" if not one_base else "Δ to the first alignment"), Column("p ")]
    prompts = len(_scores(everything[0])["prompts"])
    notes = [
        f"Means over {prompts} held-out prompts with 95 % bootstrap intervals over prompts; p of paired sign-flip "
        "tests, not corrected for their number."
    ]
    return Table(title, columns, rows, notes, "alignment")


def _row(name: str, found: Sequence[Metrics], first: Sequence[Metrics] | None, seeds: int) -> Row:
    base, mine = _mean_scores(found, "base"), _mean_scores(found, "aligned")
    gain = _paired(base, mine)
    overall = [m["events"]["overall"]["aligned"] for m in found]
    cells: list[Cell] = [gain.mean_b, _delta(gain), p_text(gain.p)]
    cells += [statistics.stdev(overall) if len(overall) > 1 else None] if seeds > 1 else []
    cells += [_mean([m["events"][task]["delta"] for m in found if task in m["events"]]) for task in _TASKS]
    for metric in ("R@3", "FID"):
        cells.append(_mean([m["evaluator"][metric]["aligned"] for m in found if metric in m["evaluator"]]))
    for metric in ("Diversity", "MModality"):
        cells.append(_mean([100 * m["variety"][metric] for m in found if metric in m["variety"]]))
    cells.append(_mean([100 * m["valid"]["aligned"] for m in found]))
    cells.append(_mean([m["kl"]["per_token"] for m in found if m["kl"] is not None]))
    if first is None:
        return Row(name, [*cells, None, None])
    apart = _paired(_mean_scores(first, "aligned"), mine)
    return Row(name, [*cells, _delta(apart), p_text(apart.p)])


def _base_row(metrics: Metrics, seeds: int) -> Row:
    cells: list[Cell] = [metrics["events"]["overall"]["base"], None, None, *([None] if seeds > 1 else []), *[None] * 3]
    cells += [metrics["evaluator"].get(metric, {}).get("base") for metric in ("R@3", "FID")]
    cells += [100.0 if metric in metrics["variety"] else None for metric in ("Diversity", "MModality")]
    return Row("base model", [*cells, 100 * metrics["valid"]["base"], None, None, None], reference=True)


def _scores(metrics: Metrics) -> Mapping[str, list[Any]]:
    scores: Mapping[str, list[Any]] = metrics["overall_by_prompt"]
    return scores


def _mean_scores(found: Sequence[Metrics], side: str) -> dict[str, float]:
    """Score by prompt, mean over seeds; prompts that lack a score of a seed are left out."""
    columns = zip(*(_scores(metrics)[side] for metrics in found), strict=True)
    pairs = zip(_scores(found[0])["prompts"], columns, strict=True)
    return {prompt: sum(values) / len(values) for prompt, values in pairs if None not in values}


def _paired(a: Mapping[str, float], b: Mapping[str, float]) -> PairedComparison:
    both = [prompt for prompt in a if prompt in b]
    first, second = ([{"overall": scores[prompt]} for prompt in both] for scores in (a, b))
    return compare_systems(first, second, both)["overall"]


def _delta(found: PairedComparison) -> Value:
    ends = None if found.low is None or found.high is None else (found.low, found.high)
    return Value(found.delta, ends)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]  # null is what could not be measured
    return sum(known) / len(known) if known else None
