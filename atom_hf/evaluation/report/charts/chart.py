"""What all charts share: the result, colours that colour-blind readers can tell apart, the frame, and the legend.

Charts are 420 units wide, so that their letters stay readable on a phone. Marks carry a light theme's colour as an
attribute, and a class (`s0`, `s1`, …) by which a page gives them others in the dark.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ..markup import html_text, shorten, tag, text_width
from ..tables import Table

WIDTH = 420.0
FONT = 13.0
# In light and dark. Contrast above 3 : 1 with the page, and to be told apart with every kind of colour blindness.
COLOURS = ("#0072b2", "#c8500a", "#004f3a", "#a259ff", "#6b4300", "#3a2a63")
DARK_COLOURS = ("#56b4e9", "#ff9152", "#0f8f6b", "#f2b6e0", "#f0e06a", "#8a7bff")
DASHES = (None, "7 3", "2 3", "9 3 2 3", "1 4", "12 4")


@dataclass(frozen=True)
class Chart:
    """A chart and the numbers it is made of.

    Args:
        title (`str`): what it shows.
        svg (`str`): the picture, an `<svg>` element; empty if there was nothing to draw.
        data (`Table`, *optional*): its numbers, the alternative in text.
        notes (`tuple[str, ...]`, *optional*): what a reader must know, such as why there is no picture.
    """

    title: str
    svg: str
    data: Table | None = None
    notes: tuple[str, ...] = field(default=())


def nothing_to_draw(title: str, missing: str) -> Chart:
    """What a chart without data becomes.

    Args:
        title (`str`): of the chart.
        missing (`str`): what there is none of.

    Returns:
        [`Chart`]: a note instead of a picture.
    """
    return Chart(title, "", None, (f"No chart: there is no {missing}.",))


def drawing(title: str, description: str, height: float, parts: Iterable[str]) -> str:
    """Put parts into an `<svg>` element.

    Args:
        title (`str`): what the picture shows.
        description (`str`): its content in a sentence.
        height (`float`): of the picture; its width is `WIDTH`.
        parts (`Iterable[str]`): markup.

    Returns:
        `str`: an `<svg>` element whose accessible name is the title.
    """
    inside = "\n".join([tag("title", title), tag("desc", description), *parts])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {height:g}" role="img" '
        f'aria-label="{html_text(f"{title}. {description}")}" font-family="system-ui, sans-serif" '
        f'font-size="{FONT:g}" fill="currentColor">\n{inside}\n</svg>'
    )


def colour(number: int, attribute: str = "fill") -> dict[str, str]:
    """Attributes that give a mark the colour of a series.

    Args:
        number (`int`): of the series.
        attribute (`str`, *optional*, defaults to "fill"): "fill" or "stroke".

    Returns:
        `dict[str, str]`: attribute and class, for `tag`.
    """
    number %= len(COLOURS)
    return {attribute: COLOURS[number], "class_": f"{attribute[0]}{number}"}


def label(text: str, x: float, y: float, room: float, anchor: str = "start", **attributes: str | float) -> str:
    """A line of text that fits; where it is cut off, its whole is shown under the pointer.

    Args:
        text (`str`): the text.
        x (`float`): where it starts, ends or has its middle, as `anchor` says.
        y (`float`): its baseline.
        room (`float`): its greatest width.
        anchor (`str`, *optional*, defaults to "start"): "start", "middle" or "end".
        attributes (`str` or `float`, *optional*): of the element.

    Returns:
        `str`: a `<text>` element.
    """
    size = float(attributes.get("font_size", FONT))
    short = shorten(text, room, size)
    # edged in the colour of the page, so that lines of the frame do not run through letters
    edged: dict[str, str | float] = {"stroke": "#fff", "stroke_width": 3, "paint_order": "stroke", "class_": "edge"}
    place: dict[str, str | float | None] = {"x": x, "y": y, "text_anchor": None if anchor == "start" else anchor}
    element = tag("text", short, **place, **edged, **attributes)
    if short != " ".join(str(text).split()):
        element = element.removesuffix("</text>") + tag("title", text) + "</text>"
    return element


def rule(x1: float, y1: float, x2: float, y2: float, opacity: float = 0.18, dash: str | None = None) -> str:
    """A thin line of the frame.

    Args:
        x1, y1, x2, y2 (`float`): its ends.
        opacity (`float`, *optional*, defaults to 0.18): how strong it is.
        dash (`str`, *optional*): pattern of dashes.

    Returns:
        `str`: a `<line>` element.
    """
    return tag(
        "line", x1=x1, y1=y1, x2=x2, y2=y2, stroke="currentColor", stroke_opacity=opacity, stroke_dasharray=dash
    )


def legend(names: Sequence[str], top: float, *, dashed: bool = False) -> tuple[list[str], float]:
    """Names of the series with their colours, in as many rows as they need.

    Args:
        names (`Sequence[str]`): in order; a single one needs no legend.
        top (`float`): where it begins.
        dashed (`bool`, *optional*, defaults to `False`): show lines with the patterns of `DASHES`, not squares.

    Returns:
        `tuple[list[str], float]`: markup, and where it ends.
    """
    if len(names) < 2:
        return [], top
    parts, x, y, key = [], 4.0, top, 26.0 if dashed else 14.0
    for i, name in enumerate(names):
        short = shorten(name, WIDTH - key - 16, FONT)
        width = key + 6 + text_width(short, FONT) + 14
        if x > 4 and x + width > WIDTH:
            x, y = 4.0, y + 20
        if dashed:
            line = {"stroke_width": 2.5, "stroke_dasharray": DASHES[i % len(DASHES)], **colour(i, "stroke")}
            parts.append(tag("line", x1=x, y1=y + 9, x2=x + key, y2=y + 9, **line))
        else:
            parts.append(tag("rect", x=x, y=y + 3, width=12, height=12, rx=2, **colour(i)))
        parts.append(label(name, x + key + 6, y + 14, WIDTH - key - 16))
        x += width
    return parts, y + 26
