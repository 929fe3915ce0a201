"""Radar: several systems on several axes from 0 to 1.

radar_chart("Events", ["integrity", "order", "frequency"], {"base": [0.4, 0.5, 0.3], "aligned": [0.7, 0.6, 0.6]})
"""

import math
from collections.abc import Mapping, Sequence

from ..markup import number, tag
from ..tables import Column, Row, Table, Value
from .axes import finite
from .chart import DASHES, WIDTH, Chart, colour, drawing, label, legend, nothing_to_draw, rule

_RADIUS = 102.0
_RINGS = (0.25, 0.5, 0.75, 1.0)


def radar_chart(title: str, axes: Sequence[str], systems: Mapping[str, Sequence[float | Value | None]]) -> Chart:
    """A polygon a system.

    Args:
        title (`str`): what the chart shows.
        axes (`Sequence[str]`): names of the axes, three or more, clockwise from the top.
        systems (`Mapping[str, Sequence]`): name → a number from 0 to 1 for each axis; a [`Value`]'s interval stands in
            the table only. What is NaN or `None` leaves a gap.

    Returns:
        [`Chart`]: the picture and its numbers.

    Raises:
        ValueError: if there are fewer than three axes, a system has another number of values, or a value is not
            between 0 and 1.
    """
    if len(axes) < 3:
        raise ValueError(f"A radar needs three axes or more, got {len(axes)}; bar_chart shows fewer.")
    values: dict[str, list[float]] = {}
    for name, cells in systems.items():
        if len(cells) != len(axes):
            raise ValueError(f"Expected {len(axes)} values for {name!r}, one an axis, got {len(cells)}.")
        values[name] = [_plain(cell) for cell in cells]
        if any(not 0 <= value <= 1 for value in finite(values[name])):
            raise ValueError(f"Expected values from 0 to 1 for {name!r}, got {values[name]}.")
    if not any(finite(row) for row in values.values()):
        return nothing_to_draw(title, "value on any axis")

    parts, top = legend(list(values), 0.0, dashed=True)
    middle = top + 34 + _RADIUS
    parts += _frame(axes, middle)
    for i, row in enumerate(values.values()):
        parts += _polygon(row, middle, i)
    parts += _ring_labels(middle)
    gaps = any(len(finite(row)) < len(axes) for row in values.values())
    data = Table(title, [Column(axis) for axis in axes], [Row(name, list(cells)) for name, cells in systems.items()])
    description = f"Radar chart of {len(values)} systems on {len(axes)} axes from 0 to 1: {', '.join(axes)}."
    svg = drawing(title, description, middle + _RADIUS + 34, parts)
    return Chart(title, svg, data, ("A gap in a line: not measured on that axis.",) if gaps else ())


def _plain(cell: float | Value | None) -> float:
    value = cell.value if isinstance(cell, Value) else cell
    return math.nan if value is None else float(value)


def _point(i: int, count: int, value: float, middle: float) -> tuple[float, float]:
    angle = 2 * math.pi * i / count
    return WIDTH / 2 + _RADIUS * value * math.sin(angle), middle - _RADIUS * value * math.cos(angle)


def _frame(axes: Sequence[str], middle: float) -> list[str]:
    count, parts = len(axes), []
    for ring in _RINGS:
        corners = [_point(i, count, ring, middle) for i in range(count)]
        parts.append(tag("polygon", points=_points(corners), fill="none", stroke="currentColor", stroke_opacity=0.16))
    for i, axis in enumerate(axes):
        x, y = _point(i, count, 1.0, middle)
        parts.append(rule(WIDTH / 2, middle, x, y, 0.16))
        x, y = _point(i, count, 1.0 + 12 / _RADIUS, middle)
        if abs(x - WIDTH / 2) < 8:
            parts.append(label(axis, WIDTH / 2, y + (0 if y < middle else 10), WIDTH - 20, "middle"))
        else:
            right = x > WIDTH / 2
            parts.append(label(axis, x, y + 4, WIDTH - x - 2 if right else x - 2, "start" if right else "end"))
    return parts


def _ring_labels(middle: float) -> list[str]:
    x = WIDTH / 2 + 5
    return [label(f"{ring:g}", x, middle - _RADIUS * ring + 4, 40, font_size=10) for ring in (0.5, 1.0)]


def _polygon(values: Sequence[float], middle: float, series: int) -> list[str]:
    """Closed where all axes are measured, otherwise the sides between measured neighbours."""
    count = len(values)
    places = [None if math.isnan(value) else _point(i, count, value, middle) for i, value in enumerate(values)]
    known = [place for place in places if place]
    stroke = {"stroke_width": 2.5, "stroke_dasharray": DASHES[series % len(DASHES)], **colour(series, "stroke")}
    if len(known) == count:
        parts = [tag("polygon", points=_points(known), stroke="none", fill_opacity=0.08, **colour(series))]
        parts.append(tag("polygon", points=_points(known), fill="none", stroke_linejoin="round", **stroke))
    else:
        sides = [(places[i - 1], places[i]) for i in range(count)]
        parts = [
            tag("line", x1=a[0], y1=a[1], x2=b[0], y2=b[1], **stroke)
            for a, b in sides
            if a is not None and b is not None
        ]
    return parts + [tag("circle", cx=x, cy=y, r=3.2, **colour(series)) for x, y in known]


def _points(places: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{number(x)},{number(y)}" for x, y in places)
