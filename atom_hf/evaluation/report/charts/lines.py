"""Lines over steps: training curves.

line_chart("Loss", {"train": ([0, 10, 20], [0.69, 0.52, 0.41])}, x_label="step", y_label="loss", smooth=0.6)
"""

import math
from collections.abc import Mapping, Sequence

from ..markup import number, tag, text_width
from ..tables import Column, Row, Table
from .axes import Scale, finite, linear_scale, log_scale
from .chart import DASHES, WIDTH, Chart, colour, drawing, label, legend, nothing_to_draw, rule

_PLOT = 210.0  # height
_COLUMNS = 400  # places along x; of what falls into one, the least and the greatest are drawn
_ROWS = 24  # of the table
Points = list[tuple[float, float]]


def line_chart(
    title: str,
    series: Mapping[str, tuple[Sequence[float], Sequence[float | None]]],
    *,
    x_label: str = "step",
    y_label: str = "",
    smooth: float = 0.0,
    log_y: bool = False,
) -> Chart:
    """A line a series.

    Args:
        title (`str`): what the chart shows.
        series (`Mapping[str, tuple]`): name → places along x, and a number for each; where that is NaN or `None` the
            line has a gap.
        x_label (`str`, *optional*, defaults to "step"): what runs along x.
        y_label (`str`, *optional*, defaults to ""): what the numbers are, with their unit.
        smooth (`float`, *optional*, defaults to 0.0): weight of the past in an exponential mean, from 0 to below 1;
            the raw line stays behind it, faint.
        log_y (`bool`, *optional*, defaults to `False`): logarithmic numbers; what is not above zero becomes a gap.

    Returns:
        [`Chart`]: the picture, and a table of some of its points.

    Raises:
        ValueError: if a series has not as many numbers as places, or `smooth` is out of range.
    """
    if not 0 <= smooth < 1:
        raise ValueError(f"Expected smooth from 0 to below 1, got {smooth}.")
    lines: dict[str, Points] = {}
    for name, (xs, ys) in series.items():
        if len(xs) != len(ys):
            raise ValueError(f"Expected as many numbers as places for {name!r}, got {len(ys)} and {len(xs)}.")
        pairs = [(float(x), math.nan if y is None else float(y)) for x, y in zip(xs, ys, strict=True)]
        points = sorted((pair for pair in pairs if math.isfinite(pair[0])), key=lambda pair: pair[0])
        lines[name] = [(x, y if math.isfinite(y) and (y > 0 or not log_y) else math.nan) for x, y in points]
    xs_shown = [x for points in lines.values() for x, y in points if not math.isnan(y)]
    ys_shown = [y for points in lines.values() for y in finite(y for _, y in points)]
    if not ys_shown:
        return nothing_to_draw(title, "number above zero" if log_y else "number")

    parts, top = legend(list(lines), 0.0, dashed=True)
    top += 32 if y_label else 8
    ends = (min(ys_shown), max(ys_shown), top + _PLOT, top)
    y_scale = log_scale(*ends) if log_y else linear_scale(*ends)
    left = 14 + max(text_width(text, 12) for text in y_scale.labels())
    x_scale = _x_scale(min(xs_shown), max(xs_shown), left)
    parts += _frame(x_scale, y_scale, x_label, y_label)
    for i, points in enumerate(lines.values()):
        parts += _line(points, x_scale, y_scale, i, smooth)
    notes = _notes(series, lines, smooth, log_y)
    described = f" of {y_label}" if y_label else ""
    description = f"Line chart{described} over {x_label} for {', '.join(lines)}."
    return Chart(title, drawing(title, description, top + _PLOT + 44, parts), _table(title, lines, x_label), notes)


def smoothed(points: Points, weight: float) -> Points:
    """Exponential mean along a line, without the pull towards zero at its beginning.

    Args:
        points (`list[tuple[float, float]]`): x and y; gaps have NaN, and are stepped over.
        weight (`float`): of the past, from 0 to below 1.

    Returns:
        `list[tuple[float, float]]`: as many points.
    """
    mean, mass, result = 0.0, 0.0, []
    for x, y in points:
        if math.isnan(y):
            result.append((x, y))
            continue
        mean, mass = weight * mean + (1 - weight) * y, weight * mass + (1 - weight)
        result.append((x, mean / mass))
    return result


def thinned(points: Points, x_scale: Scale) -> Points:
    """What can be seen of a long line: of the points that share a place, the least and the greatest.

    Args:
        points (`list[tuple[float, float]]`): x and y, in order; gaps have NaN.
        x_scale ([`Scale`]): where they are drawn.

    Returns:
        `list[tuple[float, float]]`: the same, or fewer.
    """
    if len(points) <= 2 * _COLUMNS:
        return points
    columns: dict[int, Points] = {}
    span = (x_scale.high - x_scale.low) or 1.0
    for point in points:
        columns.setdefault(int((point[0] - x_scale.low) / span * _COLUMNS), []).append(point)
    kept: Points = []
    for column in columns.values():
        known = [point for point in column if not math.isnan(point[1])]
        extremes = {min(known, key=lambda p: p[1]), max(known, key=lambda p: p[1])} if known else {column[0]}
        kept += sorted(extremes)
    return kept


def _x_scale(low: float, high: float, left: float) -> Scale:
    """Round ticks, but no room to the left or right of the data."""
    scale = linear_scale(low, high, left, WIDTH - 12)
    if low == high:
        return scale
    ticks = [tick for tick in scale.ticks if low - 1e-9 * (high - low) <= tick <= high + 1e-9 * (high - low)]
    return Scale(low, high, left, WIDTH - 12, ticks) if len(ticks) > 1 else scale


def _frame(x_scale: Scale, y_scale: Scale, x_label: str, y_label: str) -> list[str]:
    left, right, bottom = x_scale.start, x_scale.end, y_scale.start
    parts = [label(y_label, 2, y_scale.end - 16, WIDTH - 4)] if y_label else []
    for tick, text in zip(y_scale.ticks, y_scale.labels(), strict=True):
        y = y_scale(tick)
        parts.append(rule(left, y, right, y))
        parts.append(tag("text", text, x=left - 6, y=y + 4, text_anchor="end", font_size=12, opacity=0.8))
    free = 0.0
    for tick, text in zip(x_scale.ticks, x_scale.labels(), strict=True):
        half = text_width(text, 12) / 2
        x = min(x_scale(tick), WIDTH - half)
        if x - half < free:
            continue  # it would touch the one before
        free = x + half + 8
        parts.append(rule(x_scale(tick), bottom, x_scale(tick), bottom + 4, 0.6))
        parts.append(tag("text", text, x=x, y=bottom + 18, text_anchor="middle", font_size=12, opacity=0.8))
    parts.append(rule(left, bottom, right, bottom, 0.6))
    return [*parts, label(x_label, (left + right) / 2, bottom + 36, right - left, "middle")]


def _line(points: Points, x_scale: Scale, y_scale: Scale, series: int, smooth: float) -> list[str]:
    dash = DASHES[series % len(DASHES)]
    if not smooth:
        return _drawn(thinned(points, x_scale), x_scale, y_scale, series, 1.0, dash)
    raw = _drawn(thinned(points, x_scale), x_scale, y_scale, series, 0.28, None)
    return raw + _drawn(thinned(smoothed(points, smooth), x_scale), x_scale, y_scale, series, 1.0, dash)


def _drawn(points: Points, x_scale: Scale, y_scale: Scale, series: int, opacity: float, dash: str | None) -> list[str]:
    pieces: list[Points] = [[]]
    for x, y in points:
        if math.isnan(y):
            pieces.append([])
        else:
            pieces[-1].append((x_scale(x), y_scale(y)))
    parts = [
        tag("circle", cx=piece[0][0], cy=piece[0][1], r=2.6, fill_opacity=opacity, **colour(series))
        for piece in pieces
        if len(piece) == 1  # a line of one point cannot be seen
    ]
    path = "".join("M" + "L".join(f"{number(x)} {number(y)}" for x, y in piece) for piece in pieces if len(piece) > 1)
    stroke = {"stroke_width": 2.0 if opacity == 1 else 1.2, "stroke_opacity": opacity, "stroke_dasharray": dash}
    line = tag("path", d=path, fill="none", stroke_linejoin="round", **stroke, **colour(series, "stroke"))
    return [*parts, line] if path else parts


def _notes(
    series: Mapping[str, tuple[Sequence[float], Sequence[float | None]]],
    lines: Mapping[str, Points],
    smooth: float,
    log_y: bool,
) -> tuple[str, ...]:
    notes = [f"Strong: exponential mean with weight {smooth:g} on the past; faint: raw."] if smooth else []
    gaps = any(math.isnan(y) for points in lines.values() for _, y in points)
    dropped = sum(y is not None and y <= 0 for _, ys in series.values() for y in ys) if log_y else 0
    if dropped:
        notes.append(f"{dropped} numbers of zero or less have no place on a logarithmic scale.")
    elif gaps:
        notes.append("A gap in a line: no number there.")
    empty = [name for name, points in lines.items() if not finite(y for _, y in points)]
    return (*notes, *(f"{name}: no number." for name in empty))


def _table(title: str, lines: Mapping[str, Points], x_label: str) -> Table:
    """Evenly chosen points; all of them where they are few."""
    places = sorted({x for points in lines.values() for x, _ in points})
    if len(places) > _ROWS:
        places = [places[round(i * (len(places) - 1) / (_ROWS - 1))] for i in range(_ROWS)]
    known = {name: dict(points) for name, points in lines.items()}
    rows = [Row(f"{x:g}", [points.get(x) for points in known.values()]) for x in places]
    every = {x for points in lines.values() for x, _ in points}
    notes = [f"{len(places)} of {len(every)} places."] if len(places) < len(every) else []
    return Table(title, [Column(name, digits=4) for name in lines], rows, notes, corner=x_label)
