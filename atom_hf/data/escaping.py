"""Somebody's words stay words, whatever marks are in them: in Markdown, and on a terminal.

markdown_text("a_b | <i>")     →   a\\_b \\| &lt;i&gt;
terminal_text("\\x1b[2Jgone")   →   the same letters, and the screen stays as it is
"""

import re
from html import escape

# No document may hold the first ones. The last two ranges are invisible and turn the text that follows around, so that
# a name would read as another one.
FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff\u202a-\u202e\u2066-\u2069]"
)
_MARKS = re.compile(r"[\\`*_{}\[\]#|~$]|^[+-]")  # parentheses and ! do nothing where brackets are escaped


def markdown_text(text: str) -> str:
    """Text as Markdown that shows it, also in a cell of a table.

    Args:
        text (`str`): anything.

    Returns:
        `str`: one line, escaped; characters that no document may hold are shown as �.
    """
    line = " ".join(FORBIDDEN.sub("\ufffd", str(text)).split())
    return escape(_MARKS.sub(r"\\\g<0>", line), quote=False)


def terminal_text(text: str) -> str:
    """Text that cannot move the terminal's cursor or change its colours, whatever a file holds.

    Args:
        text (`str`): anything.

    Returns:
        `str`: printable; what is not stands there as Python writes it, such as `\\x1b`.
    """
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)
