"""What may be wrong with a row of preference data, in words: with its prompt, motions, degree and margin.

pair_fault({"prompt": [{"role": "user", "content": "a man jumps"}], "chosen": […], "rejected": […]}, num_codes=512)
→  None, or "chosen: not a whole motion: expected <motion_id_512> first and <motion_id_513> last, got …"
"""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..data.degrees import DEGREES
from ..motion.codes import motion_token

_TOKEN = re.compile(r"<motion_id_([0-9]+)>")
_TOKENS_ALONE = re.compile(r"(?:<motion_id_(?:0|[1-9][0-9]*)>)+")


def pair_fault(row: dict[str, Any], num_codes: int) -> str | None:
    """What is wrong with a pair.

    Args:
        row (`dict`): `prompt`, `chosen` and `rejected` as conversations.
        num_codes (`int`): of the model's codebook.

    Returns:
        `str` or `None`: None for a good one.
    """
    found = prompt_fault(row["prompt"])
    for side in ("chosen", "rejected"):
        found = found or completion_fault(row[side], num_codes, side)
    if found is None and content(row["chosen"]) == content(row["rejected"]):
        return "chosen and rejected are the same motion, so there is nothing to prefer."
    return found


def degree_fault(row: Mapping[str, Any]) -> str | None:
    """What is wrong with a row's degree of preference.

    Args:
        row (`Mapping`): with `degree`, or without that column.

    Returns:
        `str` or `None`: None for a good one, and where there is no such column.
    """
    if "degree" not in row or row["degree"] in DEGREES:
        return None
    return f"expected a degree among {', '.join(map(repr, DEGREES))}, got {row['degree']!r}."


def margin_fault(row: Mapping[str, Any]) -> str | None:
    """What is wrong with a row's margin.

    Args:
        row (`Mapping`): with `margin`, or without that column.

    Returns:
        `str` or `None`: None for a good one, and where there is no such column.
    """
    margin = row.get("margin", 0.0)
    if isinstance(margin, int | float) and abs(margin) <= float(np.finfo(np.float32).max):  # NaN is not
        return None
    return f"expected a margin that is a finite number, got {margin!r}."


def conversation_fault(messages: Any, column: str) -> str | None:
    """What is wrong with the form of a cell that should hold a conversation of one message.

    Args:
        messages (`Any`): the cell.
        column (`str`): its column, for the message.

    Returns:
        `str` or `None`: None for one with a role and text.
    """
    if not isinstance(messages, list | tuple) or not all(isinstance(each, Mapping) for each in messages):
        return f"{column}: expected text or a conversation, got {_shown(messages)}."
    if len(messages) != 1 or "role" not in messages[0]:
        return f"{column}: expected one message with role and content, got {_shown(messages)}."
    text = messages[0].get("content")
    parts = text if isinstance(text, list | tuple) else None
    if isinstance(text, str) or (parts and all(isinstance(part, Mapping) and _is_text(part) for part in parts)):
        return None
    return f"{column}: expected text as content, got {_shown(text)}."


def prompt_fault(prompt: Any) -> str | None:
    """What is wrong with a prompt.

    Args:
        prompt (`list`): a conversation.

    Returns:
        `str` or `None`: None for a good one.
    """
    if (found := conversation_fault(prompt, "prompt")) is not None:
        return found
    if prompt[0]["role"] != "user":
        return f"prompt: expected one message of the user, got {_shown(prompt)}."
    return None if content(prompt).strip() else "the prompt is empty."


def completion_fault(messages: Any, num_codes: int, column: str = "completion") -> str | None:
    """What is wrong with a completion, which is one whole motion that the assistant wrote.

    Args:
        messages (`list`): a conversation.
        num_codes (`int`): of the model's codebook.
        column (`str`, *optional*, defaults to `"completion"`): where it stands, for the message.

    Returns:
        `str` or `None`: None for a good one.
    """
    if (found := conversation_fault(messages, column)) is not None:
        return found
    if messages[0]["role"] != "assistant":
        return f"{column}: expected one message of the assistant, got {_shown(messages)}."
    found = motion_fault(content(messages), num_codes)
    return None if found is None else f"{column}: {found}"


def motion_fault(text: str, num_codes: int) -> str | None:
    """What is wrong with a motion: it is a start token, a code or more, an end token, and nothing around or between.

    Words beside it are no motion that the model could write: a head that writes motion alone gives them −10,000 each,
    and the preference would be about them.

    Args:
        text (`str`): of the assistant.
        num_codes (`int`): of the model's codebook.

    Returns:
        `str` or `None`: None for a good one.
    """
    start, end = motion_token(num_codes), motion_token(num_codes + 1)
    codes = [int(number) for number in _TOKEN.findall(text)]
    if not codes:
        return f"expected motion text such as {start}<motion_id_7>…{end}, got {text[:60]!r}."
    if max(codes) > num_codes + 2:
        return f"<motion_id_{max(codes)}> is no token of a model with {num_codes} codes; the data is of another one."
    wrong = "not a whole motion: expected"
    if _TOKENS_ALONE.fullmatch(text) is None:
        beside = re.sub(r"<motion_id_[0-9]+>", " ", text).strip() or text
        return (
            f"{wrong} {start}, codes and {end} with nothing around or between them, got {beside[:60]!r} beside them."
        )
    if codes[0] != num_codes or codes[-1] != num_codes + 1:
        return f"{wrong} {start} first and {end} last, got {_ends(text)!r}."
    if len(codes) < 3:
        return f"{wrong} codes between {start} and {end}, got none."
    if (inside := max(codes[1:-1])) >= num_codes:
        return f"{wrong} codes from 0 to {num_codes - 1} between {start} and {end}, got {motion_token(inside)}."
    return None


def content(messages: Any) -> str:
    """The text of a conversation of one message.

    Args:
        messages (`list`): one message.

    Returns:
        `str`: its text; of a message in parts, those of the parts together.
    """
    text = messages[-1]["content"] if messages else ""
    return text if isinstance(text, str) else "".join(part["text"] or "" for part in text)


def _is_text(part: Mapping[str, Any]) -> bool:
    """Whether a part of a message is text, or one of another kind, whose text is null."""
    return isinstance(part.get("text"), str) or ("text" in part and part["text"] is None)


def _ends(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:28]}…{text[-28:]}"


def _shown(value: Any) -> str:
    return f"{type(value).__name__} {str(value)[:80]}"
