"""Motion codes (integers from the VQ-VAE) as the text a language model reads and writes, exactly as MotionGPT does.

codes_to_text([5, 7, 300])  →  "<motion_id_512><motion_id_5><motion_id_7><motion_id_300><motion_id_513>"
text_to_codes("…")          →  ParsedCodes(codes=array([5, 7, 300]), complete=True, …)
"""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

NUM_CODES = 512
START, END, MASK = NUM_CODES, NUM_CODES + 1, NUM_CODES + 2  # 512 opens a motion, 513 closes it, 514 masks
NUM_MOTION_TOKENS = NUM_CODES + 3
PLACEHOLDER = "<Motion_Placeholder>"
_TOKEN = re.compile(r"<motion_id_[0-9]+>")


class ParsedCodes(NamedTuple):
    """What `text_to_codes` finds in a model's text.

    Args:
        codes (`np.ndarray`): `[n]`, int64, n >= 1, 4 frames each. A text without a motion gives the single code 0, as
            in MotionGPT.
        complete (`bool`): whether there was a start, then an end, with at least one code between them.
        malformed (`tuple[str, ...]`): parts of the motion that were no plain motion tokens, as they stood, or all
            motion tokens of a text without a motion; `codes`
            holds what MotionGPT reads from them, which often is nothing.
        text (`str`): the text with its motion replaced by `<Motion_Placeholder>`.
    """

    codes: np.ndarray
    complete: bool
    malformed: tuple[str, ...]
    text: str


def motion_token(code: int) -> str:
    """The token of one code.

    Args:
        code (`int`): 0 to 511 for motion, 512 start, 513 end, 514 mask (unitless).

    Returns:
        `str`: such as `"<motion_id_7>"`.
    """
    return f"<motion_id_{code}>"


def codes_to_text(codes: Sequence[int] | Any, num_codes: int = NUM_CODES) -> str:
    """Motion text of codes: start token, one token a code, end token.

    Args:
        codes (`Sequence[int]` or array): `[n]` integers from 0 to `num_codes - 1`, 4 frames each; numpy or torch too.
        num_codes (`int`, *optional*, defaults to 512): size of the codebook; start and end are the two numbers after
            it.

    Returns:
        `str`: such as `"<motion_id_512><motion_id_7><motion_id_513>"`.

    Raises:
        TypeError: if the codes are no integers.
        ValueError: if they are not one row, or one lies outside of the codebook.
    """
    array = np.asarray(codes)
    if array.ndim != 1:
        raise ValueError(f"Expected codes of one motion, shape (n,), got shape {array.shape}.")
    if array.size and array.dtype.kind not in "iu":
        raise TypeError(f"Expected integer codes, got {array.dtype}.")
    outside = [int(code) for code in array if not 0 <= code < num_codes]
    if outside:
        raise ValueError(f"Expected codes from 0 to {num_codes - 1}, got {outside[:5]}.")
    return "".join(map(motion_token, [num_codes, *map(int, array), num_codes + 1]))


def text_to_codes(text: str, num_codes: int = NUM_CODES, clamp: bool = True) -> ParsedCodes:
    """Codes of the first motion in a model's output; never raises, and says what it could not read.

    The motion stands between the first start token and the first end token. As in MotionGPT, tokens are told apart by
    `><`, so text between two tokens swallows its neighbour, and a text without a motion (or with the end before the
    start) counts as the single code 0. Where MotionGPT fails (an unreadable number, such as `<unk>`), the piece is
    left out; it is reported in `malformed`.

    Args:
        text (`str`): what the model wrote.
        num_codes (`int`, *optional*, defaults to 512): size of the codebook.
        clamp (`bool`, *optional*, defaults to `True`): bring codes into 0 to `num_codes - 1`, as MotionGPT does in
            evaluation, so that a VQ-VAE can decode them; otherwise special codes such as the mask (514) stay.

    Returns:
        [`ParsedCodes`]: codes `[n]` (4 frames each), whether the motion was complete, and what was malformed.
    """
    start, end = motion_token(num_codes), motion_token(num_codes + 1)
    begin, stop = text.find(start), text.find(end)
    nothing = np.zeros(1, dtype=np.int64)
    if begin < 0 or stop < begin:  # no motion; tokens that stand around are reported
        return ParsedCodes(nothing, False, tuple(_TOKEN.findall(text)), text)
    body = text[begin + len(start) : stop]
    pieces = f"{start}{body}{end}".split("><")
    codes: list[int] = []
    alone = len(pieces) == 1  # no two tokens side by side: MotionGPT finds nothing in it
    malformed = [body if alone else pieces[0][len(start) :]]  # what the start swallowed, and below what the end did
    for piece in pieces[1:-1]:
        number = piece.rpartition("_")[2].replace(">", "").strip()
        # MotionGPT also takes signs and digits of other scripts, but no vocabulary holds such a token.
        if number.isascii() and number.isdecimal() and len(number) < 10:
            codes.append(int(number))
        if not codes or piece != motion_token(codes[-1])[1:-1]:
            malformed.append(piece)
    malformed.append("" if alone else pieces[-1][: -len(end)])
    array = np.array(codes, dtype=np.int64) if codes else nothing
    if clamp:
        array = np.clip(array, 0, num_codes - 1)
    return ParsedCodes(
        array, bool(codes), tuple(filter(None, malformed)), text.replace(f"{start}{body}{end}", PLACEHOLDER)
    )
