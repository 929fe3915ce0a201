"""Wins, ties and losses of blind comparisons, with the win rate's interval.

outcome_chart("Blind votes", {"aligned against base": Outcome(58, 10, 28, interval=(0.55, 0.74))})
"""

from collections.abc import Mapping
from typing import NamedTuple

from ..markup import tag, text_width
from ..tables import Column, Row, Table, Value
from .axes import Scale
from .bars import whisker
from .chart import WIDTH, Chart, colour, drawing, label, nothing_to_draw, rule

_THICK = 20.0
_EDGE = 16.0
_KINDS = ("wins", "ties", "losses")


class Outcome(NamedTuple):
    """What came of comparing two systems.

    Args:
        wins (`int`): of the first one.
        ties (`int`): undecided; half a win each.
        losses (`int`): of the first one.
        interval (`tuple[float, float]`, *optional*): ends of the win rate's interval, from 0 to 1.
    """

    wins: int
    ties: int
    losses: int
    interval: tuple[float, float] | None = None

    @property
    def total(self) -> int:
        """Number of comparisons."""
        return self.wins + self.ties + self.losses

    @property
    def win_rate(self) -> float:
        """Share of wins, with ties as half a win each; NaN if there is no comparison."""
        return (self.wins + self.ties / 2) / self.total if self.total else float("nan")


def outcome_chart(title: str, outcomes: Mapping[str, Outcome]) -> Chart:
    """A bar a comparison, cut into wins, ties and losses, with the win rate and its interval below.

    Args:
        title (`str`): what the chart shows.
        outcomes (`Mapping[str, Outcome]`): what is compared → its [`Outcome`].

    Returns:
        [`Chart`]: the picture and its numbers.

    Raises:
        ValueError: if a count is below zero.
    """
    for name, outcome in outcomes.items():
        if min(outcome[:3]) < 0:
            raise ValueError(f"Expected counts of zero or more for {name!r}, got {outcome[:3]}.")
    if not any(outcome.total for outcome in outcomes.values()):
        return nothing_to_draw(title, "comparison")
    scale = Scale(0.0, 1.0, _EDGE, WIDTH - _EDGE, [0.0, 0.25, 0.5, 0.75, 1.0])
    parts, y = _key(), 28.0
    top, bars = y, []
    for name, outcome in outcomes.items():
        said = _said(outcome)
        bars.append(label(name, _EDGE, y + 14, WIDTH - 44 - text_width(said, 12)))
        bars.append(label(said, WIDTH - _EDGE, y + 14, WIDTH, "end", font_size=12))
        y += 20
        bars += _bar(outcome, scale, y)
        y += _THICK + 26
    for tick in scale.ticks:
        x = scale(tick)
        parts.append(rule(x, top, x, y - 6, 0.16))
        parts.append(tag("text", f"{tick:.0%}", x=x, y=y + 9, text_anchor="middle", font_size=12, opacity=0.8))
    x = scale(0.5)
    halfway = rule(x, top + 20, x, y - 6, 0.9, "3 3")
    data = Table(title, [*(Column(kind, digits=0) for kind in _KINDS), Column("win rate")], _rows(outcomes))
    description = f"Wins, ties and losses of {', '.join(outcomes)}, and win rates with intervals."
    notes = ("Dot: wins, ties as half a win; a rate of decided pairs leaves ties out. Dashed: 50 %, no preference.",)
    return Chart(title, drawing(title, description, y + 16, [*parts, *bars, halfway]), data, notes)


def _rows(outcomes: Mapping[str, Outcome]) -> list[Row]:
    return [
        Row(name, [*map(float, found[:3]), Value(found.win_rate, found.interval)]) for name, found in outcomes.items()
    ]


def _said(outcome: Outcome) -> str:
    if not outcome.total:
        return "no comparison"
    text = f"{outcome.win_rate:.0%}"
    if outcome.interval:
        text += f" [{outcome.interval[0]:.0%}, {outcome.interval[1]:.0%}]"
    return f"{text}, n = {outcome.total}"


def _paint(kind: int) -> dict[str, str]:
    """Wins and losses in the first two colours, ties grey."""
    return {"fill": "#9aa3ab", "class_": "tie"} if kind == 1 else colour(kind // 2)


def _key() -> list[str]:
    parts = []
    for i, kind in enumerate(_KINDS):
        parts.append(tag("rect", x=_EDGE + 84 * i, y=3, width=12, height=12, rx=2, **_paint(i)))
        parts.append(tag("text", kind, x=_EDGE + 18 + 84 * i, y=14))
    return parts


def _bar(outcome: Outcome, scale: Scale, y: float) -> list[str]:
    parts, done = [], 0
    for i, count in enumerate(outcome[:3]):
        if not count:
            continue
        left, right = scale(done / outcome.total), scale((done + count) / outcome.total)
        done += count
        parts.append(tag("rect", x=left, y=y, width=right - left, height=_THICK, **_paint(i)))
        if right - left > text_width(str(count), 12) + 6:
            middle = (left + right) / 2
            kind = "on-tie" if i == 1 else "on-mark"
            fill = "#000" if i == 1 else "#fff"
            text = tag(
                "text", str(count), x=middle, y=y + 14.5, text_anchor="middle", font_size=12, fill=fill, class_=kind
            )
            parts.append(text)
    if outcome.total:
        height = y + _THICK + 9
        if outcome.interval:
            parts += whisker(scale(outcome.interval[0]), scale(outcome.interval[1]), height)
        parts.append(tag("circle", cx=scale(outcome.win_rate), cy=height, r=4.2))
    return parts
