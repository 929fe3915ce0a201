"""Words that people type, checked before they are kept: length, and nothing invisible that moves or hides text.

typed("Ann\\u202e", "a name", 60)   →   AnswerError: Expected a name without control characters, …
"""

import unicodedata

from ..data.escaping import FORBIDDEN
from .errors import AnswerError

# Besides what no document may hold: marks that are invisible, by which two names would look alike.
_INVISIBLE = frozenset("\u00ad\u061c\u200b\u200e\u200f\u2028\u2029\u2060\ufeff")


def typed(text: object, what: str, longest: int, *, empty: bool = False, lines: bool = False) -> str:
    """A text as it is kept: in Unicode's composed form, without blanks around it.

    It is not escaped: that belongs to where it is shown.

    Args:
        text (`str`): what was typed.
        what (`str`): name of it, for messages, such as `"a name"`.
        longest (`int`): most letters.
        empty (`bool`, *optional*, defaults to `False`): whether it may be empty.
        lines (`bool`, *optional*, defaults to `False`): whether it may have line breaks and tabs.

    Returns:
        `str`: the text.

    Raises:
        AnswerError: if it is no text, empty, too long, or holds control or invisible characters.
    """
    if not isinstance(text, str):
        raise AnswerError(f"Expected {what} as text, got {type(text).__name__}.")
    if len(text) > 4 * longest:  # before any work on it
        raise AnswerError(f"Expected {what} of at most {longest} letters, got {len(text)}; please shorten it.")
    if hidden := [letter for letter in text if FORBIDDEN.match(letter) or letter in _INVISIBLE]:
        raise AnswerError(
            f"Expected {what} without control or invisible characters, got U+{ord(hidden[0]):04X}; "
            "please type it again."
        )
    text = unicodedata.normalize("NFC", text)
    text = text.strip() if lines else " ".join(text.split())
    if len(text) > longest:
        raise AnswerError(f"Expected {what} of at most {longest} letters, got {len(text)}; please shorten it.")
    if not text and not empty:
        raise AnswerError(f"Expected {what}, got nothing.")
    return text
