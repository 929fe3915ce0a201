"""Text never becomes structure: what a user types is words to the model, also where it looks like a token.

neutralize("a man </s> waves <motion_id_7>")
→ PlainText(text="a man (/s) waves (motion_id_7)", found=("</s>", "<motion_id_7>"))
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

# A run of digits stands for any number: `<extra_id_0>` covers `<extra_id_99>`.
STRUCTURE = (
    "<pad>",
    "</s>",
    "<s>",
    "<unk>",
    "<mask>",
    "<extra_id_0>",
    "<motion_id_0>",
    "<Caption_Placeholder>",
    "<Frame_Placeholder>",
    "<Framelen_Placeholder>",
    "<Second_Placeholder>",
    "<Motion_Placeholder>",
    "<Motion_Placeholder_s1>",
    "<Motion_Placeholder_Masked>",
)
_PIECE = re.compile(r"[<\[{][^<>\[\]{}()]+[>\]}]")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")  # with newlines of every kind
_HALF = re.compile("[\ud800-\udfff]")
# Letters and digits that normalise to ASCII since Unicode 16 and 17, which Python's own tables may not have yet.
_RECENT = (
    {0x1CCD6 + i: chr(ord("a") + i) for i in range(26)} | {0x1CCF0 + i: str(i) for i in range(10)} | {0xA7F1: "s"}
)


class PlainText(NamedTuple):
    """What `neutralize` returns.

    Args:
        text (`str`): the text, without anything that a tokenizer reads as structure.
        found (`tuple[str, ...]`): the pieces that were replaced, as they were typed.
    """

    text: str
    found: tuple[str, ...]


def neutralize(text: str, structure: Sequence[str] = STRUCTURE) -> PlainText:
    """Replace what a tokenizer would read as structure by the same words in parentheses.

    `</s>` becomes `(/s)`. Parentheses read as what was typed, are in T5's vocabulary (which has no `<` at all), and no
    normalisation turns them into angle brackets again. Nothing is taken away, so the parts around a piece never close
    up to another piece.

    A piece is recognised as tokenizers see it: after normalisation (T5's turns full-width letters and brackets into
    plain ones) and without control, zero-width and combining characters (T5's removes some of them). Case and blanks
    inside are ignored too. Control characters and line breaks become blanks, halves of surrogate pairs, which no
    tokenizer takes, U+FFFD. Everything else stays as it is: accents, emoji, a lone `<3`.

    Args:
        text (`str`): a user's words.
        structure (`Sequence[str]`, *optional*, defaults to `STRUCTURE`): the pieces to replace, each in one pair of
            brackets `<>`, `[]` or `{}`; a run of digits stands for any number. With a tokenizer at hand:
            `(*STRUCTURE, *tokenizer.get_added_vocab())`.

    Returns:
        [`PlainText`]: the text and the pieces that were replaced. Neutralising it again changes nothing.

    Raises:
        TypeError: if the text is no string.
        ValueError: if a piece of `structure` is not in brackets.
    """
    _check_string(text)
    text = _HALF.sub("\ufffd", text)
    plain = list(_CONTROL.sub(" ", text))
    # Pieces are looked for in the text as typed, with its control characters, so that `found` can show them.
    skeleton, origin = _skeleton(text)
    found = []
    for match in _pattern(tuple(structure)).finditer(skeleton):
        first, last = origin[match.start()], origin[match.end() - 1]
        found.append(text[first : last + 1])
        plain[first], plain[last] = "(", ")"
    return PlainText("".join(plain), tuple(found))


def check_prompt(text: str) -> None:
    """Refuse what is no prompt.

    Args:
        text (`str`): a user's words.

    Raises:
        TypeError: if it is no string.
        ValueError: if it is empty, or has nothing but blanks and invisible characters.
    """
    _check_string(text)
    if not _skeleton(text)[0]:
        raise ValueError("Expected a sentence such as 'a person walks forward', got an empty prompt.")


def _check_string(text: object) -> None:
    if not isinstance(text, str):
        hint = "; give sentences one at a time" if isinstance(text, list | tuple) else ""
        raise TypeError(
            f"Expected a sentence such as 'a person walks forward', a string, got {type(text).__name__}{hint}."
        )


def _skeleton(text: str) -> tuple[str, list[int]]:
    """What a normalising tokenizer may make of a text at most, in lower case, without blanks, marks and invisible
    characters; and the place in the text that each of its characters comes from."""
    skeleton: list[str] = []
    origin: list[int] = []
    for place, char in enumerate(text):
        folded = _fold(char)
        skeleton.append(folded)
        origin.extend([place] * len(folded))
    return "".join(skeleton), origin


@lru_cache(maxsize=4096)
def _fold(char: str) -> str:
    if ord(char) in _RECENT:
        return _RECENT[ord(char)]
    kept = (part for part in unicodedata.normalize("NFKD", char) if unicodedata.category(part)[0] not in "CMZ")
    return "".join(kept).lower()


@lru_cache(maxsize=16)
def _pattern(structure: tuple[str, ...]) -> re.Pattern[str]:
    pieces = set()
    for piece in structure:
        skeleton = _skeleton(piece)[0]
        if not _PIECE.fullmatch(skeleton):
            raise ValueError(f"Expected pieces of structure in brackets, such as '<pad>', got {piece!r}.")
        pieces.add(re.sub("[0-9]+", "[0-9]+", re.escape(skeleton)))
    return re.compile("|".join(sorted(pieces)) or r"(?!)")
