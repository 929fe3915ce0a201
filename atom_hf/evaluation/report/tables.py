"""Tables of metrics: one object, written as HTML, Markdown or LaTeX.

table = Table("Retrieval", [Column("FID", "lower"), Column("R@3", "higher")], [Row("base", [Value(0.52, 0.01), 0.78])])
table.markdown()    # | | FID ↓ | R@3 ↑ |
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from ...data.escaping import terminal_text
from .markup import html_text, latex_text, markdown_text

Direction = Literal["higher", "lower", "reference"]
_ARROWS: dict[Direction, tuple[str, str]] = {
    "higher": ("↑", "higher is better"),
    "lower": ("↓", "lower is better"),
    "reference": ("→", "closer to the reference is better"),
}
_BEST_NOTE = "Bold: better than every other system, and its interval overlaps no other's."


class Value(NamedTuple):
    """A number that may have an interval.

    Args:
        value (`float`): the number; NaN counts as not measured.
        interval (`float` or `tuple[float, float]`, *optional*): half of its width, or its two ends.
    """

    value: float
    interval: float | tuple[float, float] | None = None

    @property
    def ends(self) -> tuple[float, float] | None:
        """Lower and upper end of the interval, `None` if there is none."""
        if self.interval is None:
            return None
        if isinstance(self.interval, tuple):
            low, high = map(float, self.interval)
        else:
            low, high = self.value - self.interval, self.value + self.interval
        return (low, high) if math.isfinite(low) and math.isfinite(high) and low <= high else None


Cell = Value | float | str | None


class Column(NamedTuple):
    """A column of a table.

    Args:
        name (`str`): its heading.
        direction (`str`, *optional*): "higher" or "lower" if that is better, "reference" if what is closer to the row
            marked as reference is; no value is marked as the best without it.
        digits (`int`, *optional*, defaults to 3): decimals of its numbers.
    """

    name: str
    direction: Direction | None = None
    digits: int = 3


class Row(NamedTuple):
    """A row of a table.

    Args:
        name (`str`): its heading, mostly a system.
        cells (`Sequence`): one a column: a [`Value`], a number, text, or `None` for what was not measured.
        reference (`bool`, *optional*, defaults to `False`): real motion and the like, which take no part in the
            contest.
    """

    name: str
    cells: Sequence[Cell]
    reference: bool = False


@dataclass(frozen=True)
class Table:
    """Rows of numbers with intervals.

    A value is marked as the best of its column only if its interval overlaps that of no other row; without intervals
    nothing is marked, since nobody can tell.

    Args:
        caption (`str`): what the table shows.
        columns (`Sequence[Column]`): its columns.
        rows (`Sequence[Row]`): its rows.
        notes (`Sequence[str]`, *optional*): lines below it, such as what the intervals are.
        corner (`str`, *optional*, defaults to ""): heading of the rows' names.

    Raises:
        ValueError: if a row has another number of cells than there are columns, or a direction is unknown.
    """

    caption: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    notes: Sequence[str] = ()
    corner: str = ""

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row.cells) != len(self.columns):
                raise ValueError(
                    f"Expected {len(self.columns)} cells in row {row.name!r}, one a column, got {len(row.cells)}."
                )
        for column in self.columns:
            if column.direction not in (None, *_ARROWS):
                raise ValueError(
                    f"Expected a direction from {', '.join(_ARROWS)} or None for column {column.name!r}, "
                    f"got {column.direction!r}."
                )

    def best(self) -> list[int | None]:
        """The row to mark in each column.

        Returns:
            `list[int | None]`: number of the row, or `None` where no value is clearly the best.
        """
        return [self._best(number, column) for number, column in enumerate(self.columns)]

    def _best(self, number: int, column: Column) -> int | None:
        distance = _distance(column.direction, [row.cells[number] for row in self.rows if row.reference])
        cells = {i: row.cells[number] for i, row in enumerate(self.rows) if not row.reference}
        contest = {i: value for i, cell in cells.items() if (value := _measured(cell))}
        if distance is None or len(contest) < 2:
            return None
        spans = {i: distance(*ends) for i, value in contest.items() if (ends := value.ends)}
        if len(spans) < len(contest):
            return None
        first, *others = sorted(spans, key=lambda i: spans[i][1])
        return first if all(spans[first][1] < spans[other][0] for other in others) else None

    @property
    def footnotes(self) -> list[str]:
        """The notes, and what bold means where something is bold."""
        return [*self.notes, *([_BEST_NOTE] if any(row is not None for row in self.best()) else [])]

    def html(self) -> str:
        """The table as HTML.

        Returns:
            `str`: a `<table>` with caption and headings, and its notes.
        """
        corner = f'<th scope="col">{html_text(self.corner)}</th>' if self.corner else "<td></td>"
        firsts = self.rows[0].cells if self.rows else [None] * len(self.columns)
        heads = "".join(
            f'<th scope="col" dir="auto"{_kind(first)}>{_html_head(column)}</th>'
            for column, first in zip(self.columns, firsts, strict=True)
        )
        body = "\n".join(
            f'<tr{" class=reference" if row.reference else ""}><th scope="row" dir="auto">{html_text(row.name)}</th>'
            + "".join(f'<td dir="auto"{_kind(cell)}>{text}</td>' for cell, text in zip(row.cells, cells, strict=True))
            + "</tr>"
            for row, cells in self._written(html_text, "<strong>{}</strong>")
        )
        notes = "".join(f'<p class="note" dir="auto">{html_text(note)}</p>' for note in self.footnotes)
        return (
            f'<div class="scroll" role="region" tabindex="0" aria-label="{html_text(self.caption)}"><table>\n'
            f'<caption dir="auto">{html_text(self.caption)}</caption>\n'
            f"<thead><tr>{corner}{heads}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>\n{notes}"
        )

    def markdown(self) -> str:
        """The table as Markdown.

        Returns:
            `str`: caption, a pipe table, and its notes.
        """
        heads = [f"{markdown_text(column.name)} {_arrow(column)}".strip() for column in self.columns]
        lines = [f"**{markdown_text(self.caption)}**", "", _pipes([markdown_text(self.corner), *heads])]
        lines.append(_pipes(["---", *["---:"] * len(self.columns)]))
        for row, cells in self._written(markdown_text, "**{}**"):
            name = markdown_text(row.name)
            lines.append(_pipes([f"*{name}*" if row.reference else name, *cells]))
        return "\n".join([*lines, *(f"\n{markdown_text(note)}" for note in self.footnotes)]) + "\n"

    def text(self) -> str:
        """The table for a terminal, its columns aligned.

        Returns:
            `str`: caption, table, and its notes.
        """
        heads = [f"{terminal_text(column.name)} {_arrow(column)}".strip() for column in self.columns]
        lines = [[terminal_text(self.corner), *heads]]
        lines += [[terminal_text(row.name), *cells] for row, cells in self._written(terminal_text, "{}*")]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        aligned = [
            "  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]).rstrip() for line in lines
        ]
        notes = [f"\n{terminal_text(note).replace('Bold:', '*', 1)}" for note in self.footnotes]
        return "\n".join([terminal_text(self.caption), "", *aligned, *notes]) + "\n"

    def latex(self) -> str:
        """The table as LaTeX, for the package booktabs.

        Returns:
            `str`: a `table` environment with caption and notes.
        """
        heads = [f"{latex_text(column.name)} {latex_text(_arrow(column))}".strip() for column in self.columns]
        lines = [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{latex_text(self.caption)}}}",
            rf"\begin{{tabular}}{{l{'r' * len(self.columns)}}}",
            r"\toprule",
            " & ".join([latex_text(self.corner), *heads]) + r" \\",
            r"\midrule",
        ]
        for row, cells in self._written(latex_text, r"\textbf{{{}}}"):
            name = latex_text(row.name)
            lines.append(" & ".join([rf"\emph{{{name}}}" if row.reference else name, *cells]) + r" \\")
        lines += [r"\bottomrule", r"\end{tabular}"]
        lines += [rf"\par\smallskip\footnotesize {latex_text(note)}" for note in self.footnotes]
        return "\n".join([*lines, r"\end{table}"]) + "\n"

    def _written(self, escaped: Callable[[str], str], bold: str) -> list[tuple[Row, list[str]]]:
        best = self.best()
        written = []
        for i, row in enumerate(self.rows):
            cells = [
                escaped(cell_text(cell, column.digits)) for cell, column in zip(row.cells, self.columns, strict=True)
            ]
            written.append((row, [bold.format(text) if best[j] == i else text for j, text in enumerate(cells)]))
        return written


def cell_text(cell: Cell, digits: int = 3) -> str:
    """A cell as people read it.

    Args:
        cell (`Value`, `float`, `str` or `None`): what it holds.
        digits (`int`, *optional*, defaults to 3): decimals.

    Returns:
        `str`: such as "0.512 ± 0.013" or "0.61 [0.52, 0.69]"; "–" for what was not measured.
    """
    if isinstance(cell, str):
        return cell
    value = _measured(cell)
    if value is None:
        return "–"
    ends = value.ends
    if ends is None:
        return _digits(value.value, digits)
    below, above = value.value - ends[0], ends[1] - value.value
    if isinstance(value.interval, tuple) and abs(above - below) > 0.5 * 10**-digits:
        return f"{_digits(value.value, digits)} [{_digits(ends[0], digits)}, {_digits(ends[1], digits)}]"
    return f"{_digits(value.value, digits)} ± {_digits((above + below) / 2, digits)}"


def _digits(value: float, digits: int) -> str:
    if value and (abs(value) >= 1e7 or abs(value) < 0.5 * 10**-digits):
        return f"{value:.{max(digits - 1, 0)}e}".replace("-", "−")
    return f"{value:.{digits}f}".replace("-", "−")


def _measured(cell: Cell) -> Value | None:
    if cell is None or isinstance(cell, str):
        return None
    value = cell if isinstance(cell, Value) else Value(float(cell))
    return value if math.isfinite(value.value) else None


def _distance(
    direction: Direction | None, references: list[Cell]
) -> Callable[[float, float], tuple[float, float]] | None:
    """A function that turns an interval into one of which the lower is the better."""
    if direction == "lower":
        return lambda low, high: (low, high)
    if direction == "higher":
        return lambda low, high: (-high, -low)
    centres = [value.value for cell in references if (value := _measured(cell))]
    if direction is None or not centres:
        return None
    centre = centres[0]
    return lambda low, high: (max(low - centre, centre - high, 0.0), max(high - centre, centre - low))


def _arrow(column: Column) -> str:
    return _ARROWS[column.direction][0] if column.direction else ""


def _html_head(column: Column) -> str:
    if column.direction is None:
        return html_text(column.name)
    arrow, meaning = _ARROWS[column.direction]
    said = f'<span aria-hidden="true" title="{meaning}">{arrow}</span><span class="said">({meaning})</span>'
    return f"{html_text(column.name)}&nbsp;{said}"


def _kind(cell: Cell) -> str:
    return ' class="words"' if isinstance(cell, str) else ""


def _pipes(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
