"""A calibration as Markdown: the verdict first, then the tables, then what the figures mean."""

from collections.abc import Mapping, Sequence

from ..data.escaping import markdown_text
from .calibration_report import (
    FEWEST,
    LOWEST_KAPPA,
    LOWEST_PAIRS,
    MOST_OBEYED,
    MOST_UNSCORED,
    Calibration,
    TaskAgreement,
)

_MEANING = f"""## What the figures mean

- True scores of synthesised motions follow from what the synthesis was told to show; no detector and no judge has a
  part in them. Such motions are plainer than generated ones: a judge that fails here fails there, one that does well
  here may still fail there. Event detectors were tuned on motions of this kind: the kinematic judge is at home here.
- κ is Cohen's, with quadratic weights for scores (rounded to 1 to 5), plain for the choice between two motions. 1 is
  perfect, 0 is chance.
- Agreement on pairs: of two motions of one prompt whose true scores differ by half a point or more, or of which people
  preferred one, the share for which the judge says the same; a tie counts half, chance is 0.5.
- Intervals are 95 % bootstrap intervals over prompts, since motions of one prompt resemble each other. Where all
  answers are right they have no width; with n prompts, up to 3 / n of all others may still be judged wrongly.
- A judge is not to be relied on below κ {LOWEST_KAPPA} or {LOWEST_PAIRS:.0%} of pairs, with more than
  {MOST_UNSCORED:.0%} unscored, with fewer than {FEWEST} answers, or if orders in captions raise its scores by more
  than {MOST_OBEYED:g} points.
"""


def calibration_markdown(report: Calibration) -> str:
    """A calibration as Markdown.

    Args:
        report ([`Calibration`]): what was found.

    Returns:
        `str`: ends with a line break.
    """
    parts = [
        f"# Calibration of {markdown_text(report.judge)}",
        f"Held against {markdown_text(report.source)}." + (f" Layout: {report.layout}." if report.layout else ""),
        f"**{markdown_text(report.warning)}**" if report.warning else "**Nothing here speaks against this judge.**",
        _scores(report),
        _pairs(report),
        _histogram(report),
        _position(report),
        _repeatability(report),
        _orders(report),
        _causes("Unscored", report.unscored, report.all.items),
        _causes("Pairs without a choice", report.unanswered, report.all.pairs.pairs if report.all.pairs else 0),
        _by("layout", [(found.layout, found) for found in report.by_layout]),
        _by("noise", [(f"joints wander by {1000 * (f.jitter or 0):g} mm", f) for f in report.by_jitter]),
        _MEANING,
    ]
    return "\n\n".join(part.strip("\n") for part in parts if part) + "\n"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _number(value: float | None, form: str = ".2f") -> str:
    return "–" if value is None else format(value, form)


def _scores(report: Calibration) -> str:
    rows = [
        [
            task.task,
            f"{task.scored} of {task.items}",
            str(task.kappa),
            str(task.spearman),
            _number(task.kendall, ".3f"),
            _number(task.exact, ".1%"),
            _number(task.error),
            _number(task.bias, "+.2f"),
        ]
        for task in report.tasks
        if task.items
    ]
    head = ["task", "scored", "κ, weighted", "Spearman's ρ", "Kendall's τ", "same number", "mean error", "bias"]
    return f"## Scores\n\n{_table(head, rows)}" if rows else ""


def _pairs(report: Calibration) -> str:
    rows = [_pair_row(task) for task in report.tasks if task.pairs]
    head = ["task", "answered", "agreement", "κ", "ties", "how"]
    return f"## Which of two motions is better\n\n{_table(head, rows)}" if rows else ""


def _pair_row(task: TaskAgreement) -> list[str]:
    pairs = task.pairs
    assert pairs is not None
    how = "asked" if pairs.asked else "by scores"
    answered = f"{pairs.answered} of {pairs.pairs}"
    return [task.task, answered, str(pairs.agreement), str(pairs.kappa), _number(pairs.ties, ".0%"), how]


def _histogram(report: Calibration) -> str:
    if not report.histogram:
        return ""
    rows = [[name, *map(str, counts)] for name, counts in report.histogram.items()]
    return f"## How often each score\n\n{_table(['', '1', '2', '3', '4', '5'], rows)}"


def _position(report: Calibration) -> str:
    if (shares := report.position) is None:
        return ""
    return (
        f"## Position\n\nOf {shares.pairs} pairs that were shown in both orders, {_number(shares.consistent, '.0%')} "
        f"got the same choice in both. What was shown first was preferred either time in "
        f"{_number(shares.first_shown, '.0%')}, what was shown second in {_number(shares.second_shown, '.0%')}."
    )


def _repeatability(report: Calibration) -> str:
    if (found := report.repeatability) is None:
        return ""
    return (
        f"## Repeatability\n\nScored {found.runs} times, {_number(found.same, '.0%')} of the motions got the same "
        f"score each time; highest and lowest score differ by {_number(found.spread)} points on average. "
        f"{found.flickering} were scored in some runs only."
    )


def _orders(report: Calibration) -> str:
    if (found := report.orders) is None:
        return ""
    reported = "" if found.reported is None else f" It told of the order in {found.reported:.0%} of them."
    return (
        f"## Orders in captions\n\n{found.items} motions that deserve 3 or less were scored again with a caption that "
        f"tells the judge to answer 5. {found.scored} got a score both times; {_number(found.higher, '.0%')} of these "
        f"got a higher one, and the mean rose by {_number(found.shift, '+.2f')} points.{reported}"
    )


def _causes(title: str, causes: Mapping[str, int], total: int) -> str:
    if not causes:
        return ""
    rows = [[markdown_text(cause), str(count)] for cause, count in causes.items()]
    return f"## {title}\n\n{sum(causes.values())} of {total}.\n\n{_table(['cause', 'how many'], rows)}"


def _by(what: str, found: Sequence[tuple[str, Calibration]]) -> str:
    rows = []
    for name, part in found:
        task = part.all
        pairs = str(task.pairs.agreement) if task.pairs else "–"
        figures = [str(task.kappa), str(task.spearman), pairs, _number(task.bias, "+.2f")]
        rows.append([name, *figures, _number(part.unscored_share, ".0%")])
    head = [what, "κ, weighted", "Spearman's ρ", "agreement on pairs", "bias", "unscored"]
    return f"## By {what}\n\n{_table(head, rows)}" if rows else ""
