"""Counts of preference data as aligned tables for the terminal.

degree                     pairs
  much better                208   34.0 %  ██████████
  better                     312   51.0 %  ███████████████
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from .escaping import terminal_text
from .splits import SPLITS

if TYPE_CHECKING:
    from .stats import Stats

_SHOWN = 20  # rows of a table; the others are counted
_BAR = 40  # letters of a bar that stands for all
_NAME = 40  # letters of a name


def tables_of(stats: "Stats") -> str:
    """All counts, table by table.

    Args:
        stats ([`Stats`]): of a folder.

    Returns:
        `str`: lines of text.
    """
    per_prompt = ""
    if stats.prompts:
        least, most = min(stats.pairs_per_prompt), max(stats.pairs_per_prompt)
        spread = f"{least} to {most}, " * (least != most)
        per_prompt = f" ({spread}{stats.pairs / stats.prompts:.1f} a prompt on average)"
    blocks = [
        [
            f"{stats.folder}: {stats.kind}",
            f"{stats.pairs:,} pairs of {stats.prompts:,} prompts{per_prompt}, {stats.skipped:.1%} skipped",
        ],
        _parts(stats),
        _shares("task", "pairs", stats.tasks),
        _shares("degree", "pairs", stats.degrees),
        _shares("action", "pairs", stats.actions, stats.pairs),
        _shares("judge", "pairs", stats.judges),
        _models(stats),
        _scores(stats),
        _lengths(stats),
        _left_out(stats),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows in columns: the first one on the left, numbers on the right.

    Args:
        headers (`Sequence[str]`): one a column; the first names the table.
        rows (`Sequence[Sequence[str]]`): cells; of long tables the first 20 are shown.

    Returns:
        `list[str]`: lines, without blanks at their ends.
    """
    cells = [list(headers), *(["  " + _short(row[0]), *row[1:]] for row in rows[:_SHOWN])]
    widths = [max(len(row[i]) for row in cells) for i in range(len(headers))]
    widths = [max(width, 8) for width in widths]  # so that tables under each other look alike
    widths[0] = max(widths[0], 26)
    lines = [
        f"{row[0]:<{widths[0]}}"
        + "".join(f"  {cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True))
        for row in cells
    ]
    if len(rows) > _SHOWN:
        lines.append(f"  … and {len(rows) - _SHOWN:,} more; --json has all")
    return [line.rstrip() for line in lines]


def _parts(stats: "Stats") -> list[str]:
    splits = [*SPLITS, *sorted({split for counts in stats.parts.values() for split in counts} - set(SPLITS))]
    total: Counter[str] = Counter()
    rows = []
    for part, counts in stats.parts.items():
        total.update(counts)
        rows.append([part, *(f"{counts[split]:,}" for split in splits), f"{counts.total():,}"])
    if len(rows) > 1:
        rows.append(["all", *(f"{total[split]:,}" for split in splits), f"{total.total():,}"])
    return table(["pairs", *splits, "all"], rows) if rows else []


def _shares(title: str, unit: str, counts: Mapping[str, int], whole: int | None = None) -> list[str]:
    whole = whole or sum(counts.values())
    items = sorted(counts.items(), key=lambda item: -item[1]) if title in ("action", "judge") else list(counts.items())
    rows = [[name, f"{count:,}", f"{count / whole:.1%}"] for name, count in items]
    bars = ["", *("█" * max(1, round(count / whole * _BAR)) for _, count in items)]
    lines = table([title, unit, "share"], rows) if rows else []
    return [f"{line}  {bar}".rstrip() for line, bar in zip(lines, bars, strict=False)] + lines[len(bars) :]


def _models(stats: "Stats") -> list[str]:
    rows = []
    for name, count in stats.models.most_common():
        compared = stats.compared[name]
        rows.append([name, f"{count:,}", f"{stats.wins[name] / compared:.1%}" if compared else "-"])
    return table(["model", "motions", "chosen"], rows) if rows else []


def _scores(stats: "Stats") -> list[str]:
    chosen, rejected = (stats.scores[motion] for motion in ("chosen", "rejected"))
    scores = sorted({*chosen, *rejected} - {None}, key=lambda score: score or 0.0)
    rows = [[f"{score:.1f}", f"{chosen[score]:,}", f"{rejected[score]:,}"] for score in scores]
    if chosen[None] or rejected[None]:
        rows.append(["none", f"{chosen[None]:,}", f"{rejected[None]:,}"])
    return table(["score", "chosen", "rejected"], rows) if rows else []


def _lengths(stats: "Stats") -> list[str]:
    rows = []
    for motion in ("chosen", "rejected"):
        if seconds := stats.seconds(motion):
            rows.append([motion, *(f"{seconds[name]:.1f}" for name in ("min", "median", "mean", "max"))])
    return table(["seconds", "min", "median", "mean", "max"], rows) if rows else []


def _left_out(stats: "Stats") -> list[str]:
    if stats.left_out is None:
        return []
    couples = [[cause, f"{count:,}"] for cause, count in stats.left_out.left_out.most_common()]
    motions = [[cause, f"{count:,}"] for cause, count in stats.left_out.unscored.most_common()]
    lines = table(["left out", "couples"], couples) if couples else []
    return lines + ([""] if lines and motions else []) + (table(["unscored", "motions"], motions) if motions else [])


def _short(name: str) -> str:
    name = terminal_text(name)
    return name if len(name) <= _NAME else f"{name[: _NAME - 1]}…"
