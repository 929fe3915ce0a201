"""What one value of a column may be, by the column's kind, whatever else stands in the row.

value_fault(7, "string", 512)         →  "expected text, got 7"
value_fault([5, 600], "codes", 512)   →  "expected codes from 0 to 511, got [600]"
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

_LARGEST = 3.4e38  # what single precision holds


def value_fault(value: Any, kind: str, num_codes: int) -> str | None:
    """What is wrong with a value, if anything is.

    Args:
        value (`Any`): of a column; not null.
        kind (`str`): of the column: `"string"`, `"float"`, `"integer"`, `"codes"`, `"messages"` or `"votes"`.
        num_codes (`int`): size of the codebook.

    Returns:
        `str` or `None`: what was expected and what came.
    """
    match kind:
        case "string":
            return None if isinstance(value, str) and _is_text(value) else f"expected text, got {shown(value)}"
        case "float":
            number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _LARGEST
            return None if number else f"expected a finite number, got {shown(value)}"
        case "integer":
            whole = isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63
            return None if whole else f"expected an integer of at most 64 bits, got {shown(value)}"
        case "codes":
            if not isinstance(value, Sequence) or isinstance(value, str) or not len(value):
                return f"expected codes of a motion, at least one, got {shown(value)}"
            if set(map(type, value)) == {int} and 0 <= min(value) and max(value) < num_codes:
                return None
            bad = [code for code in value if type(code) is not int or not 0 <= code < num_codes]
            return f"expected codes from 0 to {num_codes - 1}, got {shown(bad[:3])}"
        case "messages":
            return _fault_of_records(value, ("role", "content"), least=1)
        case _:
            return _fault_of_records(value, ("voter", "choice", "degree"), least=0)


def _fault_of_records(value: Any, names: tuple[str, ...], least: int) -> str | None:
    fine = isinstance(value, Sequence) and not isinstance(value, str) and len(value) >= least
    for record in value if fine else ():
        fine = fine and isinstance(record, Mapping) and record.keys() == set(names)
        fine = fine and all(isinstance(record[name], str) and _is_text(record[name]) for name in names)
    wanted = ", ".join(f'"{name}": text' for name in names)
    return None if fine else f"expected a list of {{{wanted}}}, got {shown(value)}"


def shown(value: Any) -> str:
    """A value in a message, whatever it is: in short, and also where Python refuses to write out a huge integer.

    Args:
        value (`Any`): anything.

    Returns:
        `str`: at most 80 letters.
    """
    try:
        return repr(value)[:80]
    except ValueError:
        return f"{'an integer' if isinstance(value, int) else 'a list'} that is too long to show"


def is_scenario(text: str) -> bool:
    """Whether a text is a scenario: a JSON object, with the events of a prompt.

    Args:
        text (`str`): any text.

    Returns:
        `bool`: whether it is one.
    """
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _is_text(value: str) -> bool:
    """Whether a string can be stored: half of a character, which JSON can spell as `"\\ud83d"`, cannot."""
    if value.isascii():
        return True
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
