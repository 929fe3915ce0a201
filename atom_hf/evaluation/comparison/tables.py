"""Tables of a comparison: one for each kind of measure, and an overview.

overview(comparison).markdown()  →  | | R@3 ↑ | FID ↓ | … | overall ↑ | … |
"""

from collections.abc import Sequence

from ..bootstrap import Interval
from ..event_scores import TaskScore
from ..protocol_result import MetricSummary
from ..published import METRICS
from ..report import Column, Row, Table, Value
from ..report.tables import Cell, Direction
from .result import TASKS, Comparison, SystemResult
from .validity import several_outputs

_ARROWS = {"R@1": "↑", "R@2": "↑", "R@3": "↑", "MM-Dist": "↓", "MModality": "↑", "FID": "↓", "Diversity": "→"}
# field of Physics → heading, direction, decimals
_FEET: dict[str, tuple[str, Direction | None, int]] = {
    "skating_ratio": ("skating", "lower", 3),
    "slide_speed": ("sliding, cm/s", "lower", 1),
    "contact_share": ("contact", "reference", 2),
    "penetration": ("penetration, mm", "lower", 1),
    "floating": ("floating, mm", "reference", 1),
}
_BODY: dict[str, tuple[str, Direction | None, int]] = {
    "unsupported": ("unsupported", "lower", 3),
    "jerk": ("jerk, m/s³", "reference", 0),
    "limb_drift": ("limb drift, %", "lower", 2),
}
_BOOTSTRAP = "95 % bootstrap intervals over prompts."
_SEVERAL = "Wilson's 95 % interval; bootstrap over prompts where several outputs answer one."


def overview(comparison: Comparison) -> Table:
    """The most telling number of each kind.

    Args:
        comparison ([`Comparison`]): what was found.

    Returns:
        [`Table`]: a row a system.
    """
    measured = comparison.protocol is not None
    judged = any(result.events for result in comparison.results)
    columns = [Column(f"{name} {_ARROWS[name]}") for name in ("R@3", "FID") if measured]
    columns += [Column(name, "higher", 2) for name in TASKS if judged]
    columns += [Column("skating ↓"), Column("valid ↑")]
    rows = []
    for result in comparison.results:
        cells: list[Cell] = [_metric(result, name) for name in ("R@3", "FID") if measured]
        cells += [_interval(result.events.get(task), 2) for task in TASKS if judged]
        skating = result.physics.get("skating_ratio")
        cells += [None if skating is None else skating.value, result.valid.share.value]
        rows.append(Row(result.name, cells, result.reference))
    return Table("All systems", columns, rows, [caption(comparison)], "system")


def all_tables(comparison: Comparison) -> list[Table]:
    """Every table, the overview first.

    Args:
        comparison ([`Comparison`]): what was found.

    Returns:
        `list[Table]`: those that there are numbers for.
    """
    tables = [
        systems_table(comparison),
        overview(comparison),
        events_table(comparison),
        tests_table(comparison),
        pairwise_table(comparison),
        *evaluator_tables(comparison),
        *physics_tables(comparison),
        validity_table(comparison),
    ]
    return [table for table in tables if table is not None]


def caption(comparison: Comparison) -> str:
    """What the numbers were made with, in a line that every table can carry.

    Args:
        comparison ([`Comparison`]): what was found.

    Returns:
        `str`: evaluator, judge, data, seed.
    """
    made = comparison.made_with
    evaluator = made["evaluator"]
    parts = [f"evaluator {evaluator['name']} ({evaluator['fingerprint'][:12]})" if evaluator else "no evaluator"]
    parts.append(f"judge {made['judge']}" if made["judge"] else "no judge")
    parts.append(f"{made['prompts']['count']} prompts ({made['prompts']['sha256'][:12]})")
    parts.append(f"seed {made['seed']}")
    text = f"Made with {', '.join(parts)}."
    return text if comparison.comparable or not evaluator else f"{text} Not comparable with published numbers."


def systems_table(comparison: Comparison) -> Table:
    """What was compared.

    Args:
        comparison ([`Comparison`]): what was found.

    Returns:
        [`Table`]: where each system's motions come from, and their hash.
    """
    rows = []
    for result in comparison.results:
        system = result.system
        rest = [f"{key} {value}" for key, value in system.made_with.items() if key not in ("kind", "what", "sha256")]
        what = ", ".join(
            [str(system.made_with.get("what", "–")), *(text for text in rest if not text.endswith("None"))]
        )
        cells: list[Cell] = [what, float(len(system.firsts)), float(len(system.clips)), system.fingerprint[:12]]
        rows.append(Row(result.name, cells, result.reference))
    columns = [Column("made with"), Column("prompts", digits=0), Column("motions", digits=0), Column("data SHA-256")]
    return Table("Systems", columns, rows, (), "system")


def evaluator_tables(comparison: Comparison) -> list[Table]:
    """Measures in the space of the evaluator: of texts with their motions, and of sets of motions.

    Nothing is bold: intervals of motions that are fixed hold the noise of shuffling only, so that any difference would
    look sure.

    Args:
        comparison ([`Comparison`]): what was found.

    Returns:
        `list[Table]`: two of them; none without an evaluator.
    """
    if comparison.protocol is None:
        return []
    results, protocol = comparison.results, comparison.protocol.protocol
    shown = [name for name in METRICS if any(name in result.metrics for result in results)]
    texts = [name for name in shown if name not in ("FID", "Diversity")]
    notes = [comparison.protocol.caption()]
    if "MModality" in shown:
        notes.append(
            f"MModality of {protocol['mm_samples']} motions a text; it grows with their number, as a motion may meet "
            "itself."
        )
    rows = [Row(each.name, [_metric(each, name) for name in texts], each.reference) for each in results]
    paired = Table("Texts and motions", [Column(f"{name} {_ARROWS[name]}") for name in texts], rows, notes, "system")
    rows = []
    for each in results:
        cells: list[Cell] = [_metric(each, "FID"), None if each.kernel is None else round(1000 * each.kernel.value, 3)]
        cells += [_metric(each, "Diversity"), *([None, None] if each.spread is None else each.spread)]
        rows.append(Row(each.name, cells, each.reference))
    names = ("FID ↓", "1,000 KID ↓", "Diversity →", "precision ↑", "recall ↑")
    notes = [f"{comparison.protocol.caption()} KID, precision and recall are of one set of motions, without interval."]
    return [paired, Table("Sets of motions", [Column(name) for name in names], rows, notes, "system")]


def events_table(comparison: Comparison) -> Table | None:
    """Scores of the judge.

    Args:
        comparison ([`Comparison`]): what was found.

    Returns:
        [`Table`] or `None`: None where nothing was scored.
    """
    tasks = _tasks(comparison.results)
    if not tasks:
        return None
    columns = [*(Column(task, "higher") for task in tasks), Column("scored", digits=0), Column("unscored", digits=0)]
    rows = []
    for result in comparison.results:
        scored = sum(each.raw is not None for each in result.judged)
        cells: list[Cell] = [_interval(result.events.get(task), 3) for task in tasks]
        rows.append(Row(result.name, [*cells, float(scored), float(len(result.judged) - scored)], result.reference))
    notes = [f"Judge {comparison.made_with['judge']}, 0 to 1; {_BOOTSTRAP} What is unscored is in no mean."]
    return Table("Event scores", columns, rows, notes, "system")


def tests_table(comparison: Comparison) -> Table | None:
    """Paired tests.

    Args:
        comparison ([`Comparison`]): what was found.

    Returns:
        [`Table`] or `None`: None without tests.
    """
    if not comparison.tests:
        return None
    rows = []
    for test in comparison.tests:
        paired = test.paired
        cells: list[Cell] = [
            test.task, paired.mean_b, paired.mean_a, _interval(Interval(*paired[:3]), 3), p_text(paired.p),
            float(paired.prompts),
        ]  # fmt: skip
        rows.append(Row(f"{test.system} against {test.against}", cells))
    columns = [Column("score"), Column("mean"), Column("against"), Column("difference"), Column("p")]
    notes = [
        f"On the prompts that both have scores for; {_BOOTSTRAP} p of a sign-flip test, not corrected for the number "
        "of tests."
    ]
    return Table("Differences", [*columns, Column("prompts", digits=0)], rows, notes, "systems")


def pairwise_table(comparison: Comparison) -> Table | None:
    """Blind comparisons.

    Args:
        comparison ([`Comparison`]): what was found.

    Returns:
        [`Table`] or `None`: None without any.
    """
    if not comparison.pairwise:
        return None
    rows = []
    for pair in comparison.pairwise:
        found = pair.win_rate
        rate = None if found.rate is None else Value(found.rate, found.interval)
        counts: list[Cell] = [float(n) for n in (found.wins, found.ties, found.losses, found.unscored)]
        rows.append(Row(f"{pair.system} against {pair.against}", [*counts, rate, p_text(found.p)]))
    names = ("wins", "ties", "losses", "unscored")
    columns = [*(Column(name, digits=0) for name in names), Column("win rate"), Column("p")]
    margin = comparison.made_with["tie_margin"]
    notes = [
        f"By overall scores of the judge, which sees one motion at a time and no name; means of a prompt that differ "
        f"by up to {margin:g} are a tie. Win rate among wins and losses, with Wilson's 95 % interval; p of an exact "
        "sign test."
    ]
    return Table("Win, tie, loss", columns, rows, notes, "systems")


def physics_tables(comparison: Comparison) -> list[Table]:
    """Physical plausibility.

    Args:
        comparison ([`Comparison`]): what was found.

    Returns:
        `list[Table]`: of feet and floor, and of the body.
    """
    note = f"Of 22 joints at 20 fps, floor at y = 0; {_BOOTSTRAP} A body that stands still has perfect numbers."
    tables = []
    for name, kinds in (("Feet and floor", _FEET), ("Body", _BODY)):
        rows = []
        for each in comparison.results:
            cells = [_interval(each.physics.get(kind), digits) for kind, (_, _, digits) in kinds.items()]
            rows.append(Row(each.name, cells, each.reference))
        tables.append(Table(name, [Column(*column) for column in kinds.values()], rows, [note], "system"))
    return tables


def validity_table(comparison: Comparison) -> Table:
    """How much of the output is motion.

    Args:
        comparison ([`Comparison`]): what was found.

    Returns:
        [`Table`]: shares and causes.
    """
    columns = [Column("outputs", digits=0), Column("valid share", "higher"), Column("causes of the rest")]
    rows, clustered = [], False
    for result in comparison.results:
        valid, clustered = result.valid, clustered or several_outputs(result.system)
        causes = ", ".join(f"{cause} {count}" for cause, count in valid.causes.items()) or "–"
        cells: list[Cell] = [float(valid.outputs), _interval(valid.share, 3), causes]
        rows.append(Row(result.name, cells, result.reference))
    return Table("Valid output", columns, rows, [_SEVERAL if clustered else "Wilson's 95 % interval."], "system")


def _tasks(results: Sequence[SystemResult]) -> list[str]:
    found = dict.fromkeys(task for result in results for task in result.events)
    tasks = [task for task in TASKS if task in found]
    return tasks or list(found)


def _metric(result: SystemResult, name: str) -> Cell:
    metric: MetricSummary | None = result.metrics.get(name)
    if metric is None:
        return None
    # Where nothing varies there is nothing to say about it: ± 0.000 would look like certainty.
    return Value(metric.mean, metric.interval) if metric.interval >= 0.0005 else round(metric.mean, 3)


def _interval(found: Interval | TaskScore | None, digits: int) -> Cell:
    """Rounded as the column is, since what is closer to 0 than that would be written with an exponent."""
    if found is None:
        return None
    if found.low is None or found.high is None:
        return round(found.value, digits)
    return Value(round(found.value, digits), (round(found.low, digits), round(found.high, digits)))


def p_text(p: float) -> str:
    """A p value for people.

    Args:
        p (`float`): 0 to 1.

    Returns:
        `str`: three decimals, or that it is smaller than those can say.
    """
    return "< 0.001" if p < 0.001 else f"{p:.3f}"
