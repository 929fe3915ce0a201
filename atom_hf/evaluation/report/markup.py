"""Text that goes into HTML, SVG, Markdown and LaTeX: escaped, whatever a caption or a name holds.

tag("text", "a < b", x=3, text_anchor="end")   →   <text x="3" text-anchor="end">a &lt; b</text>
"""

import unicodedata
from html import escape

from ...data.escaping import FORBIDDEN
from ...data.escaping import markdown_text as markdown_text  # all escapes come from here

_LATEX = {
    "\\": r"\textbackslash{}",
    **{letter: "\\" + letter for letter in "#$%&_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "`": r"\textasciigrave{}",
    "–": "--",
    "—": "---",
    "−": "$-$",
    "±": r"$\pm$",
    "×": r"$\times$",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "→": r"$\rightarrow$",
    "…": r"\dots{}",
}


def html_text(text: str) -> str:
    """Text for HTML and SVG, between tags as well as in quoted attributes.

    Args:
        text (`str`): anything.

    Returns:
        `str`: escaped; characters that no document may hold, and those that turn text around, are shown as �.
    """
    return escape(FORBIDDEN.sub("\ufffd", str(text))).replace("`", "&#96;")


def latex_text(text: str) -> str:
    """Text for LaTeX.

    Args:
        text (`str`): anything.

    Returns:
        `str`: one line, escaped.
    """
    line = " ".join(FORBIDDEN.sub("?", str(text)).split())
    return "".join(_LATEX.get(letter, letter) for letter in line)


def tag(name: str, text: str | None = None, /, **attributes: str | float | None) -> str:
    """An element that holds escaped text, or nothing.

    Args:
        name (`str`): of the element.
        text (`str`, *optional*): what it holds; without it the element closes itself, as SVG's do.
        attributes (`str` or `float`, *optional*): `text_anchor` is written text-anchor, `class_` class; numbers with
            two decimals at most; `None` is left out.

    Returns:
        `str`: markup.
    """
    opened = name + "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html_text(value) if isinstance(value, str) else number(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return f"<{opened}/>" if text is None else f"<{opened}>{html_text(text)}</{name}>"


def number(value: float) -> str:
    """A coordinate with two decimals at most.

    Args:
        value (`float`): finite.

    Returns:
        `str`: without trailing zeros.
    """
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def text_width(text: str, size: float) -> float:
    """About the width of a line in a sans-serif font; rather too much than too little.

    Args:
        text (`str`): one line.
        size (`float`): of the font.

    Returns:
        `float`: in the units of `size`.
    """
    return size * sum(map(_letter_width, text))


def _letter_width(letter: str) -> float:
    if unicodedata.combining(letter) or unicodedata.category(letter) in ("Cf", "Mn", "Me"):
        return 0.0
    if unicodedata.east_asian_width(letter) in "WF":
        return 1.05
    if letter in "iljtfrI.,:;'|!()[] ":
        return 0.36
    return 0.9 if letter in "mwMW@%—…" else 0.7 if letter.isupper() else 0.58


def shorten(text: str, width: float, size: float) -> str:
    """One line that fits.

    Args:
        text (`str`): any text; white space is joined.
        width (`float`): room for it, in the units of `size`.
        size (`float`): of the font.

    Returns:
        `str`: the text, or as much of it as fits and an ellipsis.
    """
    line = " ".join(str(text).split())
    if text_width(line, size) <= width:
        return line
    while line and text_width(line + "…", size) > width:
        line = line[:-1]
    return line.rstrip() + "…"
