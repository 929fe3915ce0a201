"""Bars with their intervals, side by side for several systems.

bar_chart("Event scores", ["integrity", "order"], {"base": [Value(0.4, 0.05), 0.5], "aligned": [0.7, 0.6]})
"""

from collections.abc import Mapping, Sequence

from ..markup import tag, text_width
from ..tables import Column, Row, Table, Value, cell_text
from .axes import Scale, finite, linear_scale
from .chart import WIDTH, Chart, colour, drawing, label, legend, nothing_to_draw, rule

_THICK, _PITCH = 14.0, 18.0
_PLOT_END = WIDTH - 126  # to the right of it, the numbers


def bar_chart(
    title: str,
    categories: Sequence[str],
    systems: Mapping[str, Sequence[float | Value | None]],
    *,
    x_label: str = "",
    digits: int = 3,
) -> Chart:
    """A group of bars a category, a bar a system, from zero on.

    Args:
        title (`str`): what the chart shows.
        categories (`Sequence[str]`): names of the groups, from top to bottom.
        systems (`Mapping[str, Sequence]`): name → a number, or a [`Value`] with its interval, for each category; what
            is NaN or `None` has no bar.
        x_label (`str`, *optional*, defaults to ""): what the numbers are, with their unit.
        digits (`int`, *optional*, defaults to 3): decimals beside the bars.

    Returns:
        [`Chart`]: the picture and its numbers.

    Raises:
        ValueError: if a system has another number of values than there are categories.
    """
    rows: dict[str, list[Value]] = {}
    for name, cells in systems.items():
        if len(cells) != len(categories):
            raise ValueError(f"Expected {len(categories)} values for {name!r}, one a category, got {len(cells)}.")
        rows[name] = [_value(cell) for cell in cells]
    values = [value for row in rows.values() for value in row if finite([value.value])]
    if not values:
        return nothing_to_draw(title, "value")
    ends = [end for value in values for end in (value.value, *(value.ends or ()))]
    scale = linear_scale(min(0.0, *ends), max(0.0, *ends), 6.0, _PLOT_END)

    parts, y = legend(list(rows), 0.0)
    top, bars = y, []
    for i, category in enumerate(categories):
        bars.append(label(category, 6.0, y + 14, WIDTH - 12))
        y += 20
        for series, row in enumerate(rows.values()):
            bars += _bar(row[i], scale, y, series, digits)
            y += _PITCH
        y += 8
    parts += _frame(scale, top, y, x_label) + bars
    data = Table(
        title,
        [Column(name, digits=digits) for name in rows],
        [Row(category, [row[i] for row in rows.values()]) for i, category in enumerate(categories)],
    )
    description = f"Bar chart of {', '.join(rows)} for {', '.join(categories)}" + (f"; {x_label}." if x_label else ".")
    notes = ("Lines across the ends of bars: intervals.",) if any(value.ends for value in values) else ()
    return Chart(title, drawing(title, description, y + (38 if x_label else 22), parts), data, notes)


def _value(cell: float | Value | None) -> Value:
    return cell if isinstance(cell, Value) else Value(float("nan") if cell is None else float(cell))


def _bar(value: Value, scale: Scale, y: float, series: int, digits: int) -> list[str]:
    said = cell_text(value, digits)
    if text_width(said, 12) > WIDTH - _PLOT_END - 4:
        said = cell_text(value.value, digits)  # the interval is drawn anyway
    text = tag("text", said, x=WIDTH, y=y + 11.5, text_anchor="end", font_size=12)
    if not finite([value.value]):
        return [text]
    zero, end = scale(0.0), scale(value.value)
    parts = [tag("rect", x=min(zero, end), y=y, width=abs(end - zero), height=_THICK, rx=1.5, **colour(series))]
    if value.ends:
        parts += whisker(scale(value.ends[0]), scale(value.ends[1]), y + _THICK / 2)
    return [*parts, text]


def whisker(x1: float, x2: float, y: float) -> list[str]:
    """The line of an interval with a stop at each end, edged so that it is seen on a bar of any colour.

    Args:
        x1, x2 (`float`): its ends.
        y (`float`): its height.

    Returns:
        `list[str]`: markup.
    """
    line = f"M{x1:.2f} {y - 4:.2f}v8m0 -4H{x2:.2f}m0 -4v8"
    return [
        tag("path", d=line, fill="none", stroke="#fff", stroke_width=4, class_="edge"),
        tag("path", d=line, fill="none", stroke="currentColor", stroke_width=1.6),
    ]


def _frame(scale: Scale, top: float, bottom: float, x_label: str) -> list[str]:
    parts = []
    for tick, text in zip(scale.ticks, scale.labels(), strict=True):
        x = scale(tick)
        parts.append(rule(x, top, x, bottom, 0.6 if tick == 0 else 0.16))
        anchor = "start" if x < 10 else "middle"
        parts.append(tag("text", text, x=max(x, 2.0), y=bottom + 15, text_anchor=anchor, font_size=12, opacity=0.8))
    if x_label:
        parts.append(label(x_label, (6 + _PLOT_END) / 2, bottom + 33, _PLOT_END, "middle"))
    return parts
