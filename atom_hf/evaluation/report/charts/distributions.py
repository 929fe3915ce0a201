"""Distributions of scores: a violin a system, with median and quartiles, and the single scores where they are few.

distribution_chart("Event scores", {"base": [0.1, 0.5, 0.4], "aligned": [0.6, 0.9, 0.7]})
"""

from collections.abc import Mapping, Sequence

import numpy as np

from ..markup import number, tag, text_width
from ..tables import Column, Row, Table
from .axes import Scale, finite, linear_scale
from .chart import WIDTH, Chart, colour, drawing, label, nothing_to_draw, rule

_HALF = 19.0  # height of half a violin
_FEW = 40  # scores that are drawn one by one
_POINTS = 81


def distribution_chart(
    title: str, systems: Mapping[str, Sequence[float | None]], *, x_label: str = "score", digits: int = 2
) -> Chart:
    """How the scores of each system are spread.

    Args:
        title (`str`): what the chart shows.
        systems (`Mapping[str, Sequence[float]]`): name → its scores; NaN and `None` count as unscored.
        x_label (`str`, *optional*, defaults to "score"): what the numbers are, with their unit.
        digits (`int`, *optional*, defaults to 2): decimals of the medians.

    Returns:
        [`Chart`]: the picture, and a table of quartiles.
    """
    scores: dict[str, np.ndarray] = {name: np.sort(np.array(finite(values))) for name, values in systems.items()}
    every = np.concatenate([np.empty(0), *scores.values()])
    if not len(every):
        return nothing_to_draw(title, "score")
    scale = linear_scale(float(every.min()), float(every.max()), 14.0, WIDTH - 14.0)
    parts, y, violins = [], 4.0, []
    for i, (name, values) in enumerate(scores.items()):
        said = _said(values, len(systems[name]), digits)
        violins.append(label(name, 14, y + 13, WIDTH - 44 - text_width(said, 12)))
        violins.append(label(said, WIDTH - 14, y + 13, WIDTH, "end", font_size=12))
        y += 22 + _HALF
        violins += _violin(values, scale, y, i)
        y += _HALF + 8
    for tick, text in zip(scale.ticks, scale.labels(), strict=True):
        parts.append(rule(scale(tick), 0, scale(tick), y, 0.16))
        parts.append(tag("text", text, x=scale(tick), y=y + 15, text_anchor="middle", font_size=12, opacity=0.8))
    parts.append(label(x_label, WIDTH / 2, y + 33, WIDTH - 28, "middle"))
    description = f"Distributions of {x_label} for {', '.join(scores)}."
    notes = ("Bar: from the lower to the upper quartile; ring: median.",)
    return Chart(title, drawing(title, description, y + 40, parts + violins), _table(title, scores, digits), notes)


def _said(values: np.ndarray, count: int, digits: int) -> str:
    unscored = f" ({count - len(values)} unscored)" if count > len(values) else ""
    median = f"median {np.median(values):.{digits}f}, " if len(values) else ""
    return f"{median}n = {len(values)}{unscored}".replace("-", "−")


def _table(title: str, scores: Mapping[str, np.ndarray], digits: int) -> Table:
    columns = [Column("n", digits=0)]
    columns += [
        Column(name, digits=digits) for name in ("least", "lower quartile", "median", "upper quartile", "most")
    ]
    rows = []
    for name, values in scores.items():
        spread = np.percentile(values, [0, 25, 50, 75, 100]).tolist() if len(values) else [None] * 5
        rows.append(Row(name, [float(len(values)), *spread]))
    return Table(title, columns, rows)


def _violin(values: np.ndarray, scale: Scale, y: float, series: int) -> list[str]:
    if not len(values):
        return []
    parts = []
    if len(values) > 2 and values[-1] > values[0]:
        places, density = _density(values)
        heights = density / density.max() * _HALF
        upper = [(scale(x), y - h) for x, h in zip(places, heights, strict=True)]
        lower = [(scale(x), y + h) for x, h in zip(places[::-1], heights[::-1], strict=True)]
        outline = " ".join(f"{number(x)},{number(place)}" for x, place in upper + lower)
        parts.append(tag("polygon", points=outline, fill_opacity=0.28, **colour(series)))
    if len(values) <= _FEW:
        # a fixed, even scatter: neighbours in value do not hide each other
        offsets = (np.arange(len(values)) * 0.618034 % 1 - 0.5) * _HALF
        parts += [
            tag("circle", cx=scale(x), cy=y + dy, r=2.2, fill_opacity=0.75, **colour(series))
            for x, dy in zip(values.tolist(), offsets.tolist(), strict=True)
        ]
    low, median, high = (scale(x) for x in np.percentile(values, [25, 50, 75]).tolist())
    parts.append(tag("rect", x=low, y=y - 3.5, width=max(high - low, 1.0), height=7, rx=2, **colour(series)))
    parts.append(tag("circle", cx=median, cy=y, r=4.2, fill="#fff", class_="hole"))
    return [*parts, tag("circle", cx=median, cy=y, r=4.2, fill="none", stroke_width=2, **colour(series, "stroke"))]


def _density(values: np.ndarray) -> tuple[list[float], np.ndarray]:
    """Gaussian kernel density between the least and the greatest score, Silverman's width."""
    quartiles = np.percentile(values, [25, 75])
    spread = min(float(values.std()), float(quartiles[1] - quartiles[0]) / 1.34) or float(values.std())
    width = max(0.9 * spread * len(values) ** -0.2, float(values[-1] - values[0]) / 100)
    places = np.linspace(values[0], values[-1], _POINTS)
    density = np.zeros(_POINTS)
    for chunk in np.array_split(values, -(-len(values) // 4096)):
        density += np.exp(-0.5 * ((places[:, None] - chunk) / width) ** 2).sum(1)
    return places.tolist(), density
