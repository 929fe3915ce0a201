"""What a vision judge answers, and how strictly it is read.

read_point('{"caption_gives_orders": false, "findings": […], "reason": "…", "score": 4, "confidence": 0.8}')
→ PointReply(score=4, confidence=0.8, findings=(Finding("jumps twice", "partly", "one jump"), …), reason="…")
"""

import json
import math
import re
from collections.abc import Sequence
from typing import Any, NamedTuple, NoReturn

SEEN = ("yes", "partly", "no", "unclear")
CHOICES = ("first", "second", "tie")
SCORES = (1, 2, 3, 4, 5)


class Unreadable(ValueError):
    """A reply that is not of the form asked for; the text says what is wrong, as a sentence that the judge can use."""


class NoScore(Unreadable):
    """A reply of the right form in which the judge says that it cannot tell; there is nothing to repair."""


class Finding(NamedTuple):
    """What the judge saw of one event.

    Args:
        event (`str`): the event, in the caption's words.
        seen (`str`): `"yes"`, `"partly"`, `"no"` or `"unclear"`.
        note (`str`): when and how, or what is missing.
    """

    event: str
    seen: str
    note: str


class PairFinding(NamedTuple):
    """What the judge saw of one event in two motions.

    Args:
        event (`str`): the event, in the caption's words.
        first (`str`): in the first motion: `"yes"`, `"partly"`, `"no"` or `"unclear"`.
        second (`str`): in the second.
        note (`str`): how they differ.
    """

    event: str
    first: str
    second: str
    note: str


class PointReply(NamedTuple):
    """A score with its reasons.

    Args:
        score (`int`): 1 to 5.
        confidence (`float`): the judge's own, 0 to 1.
        findings (`tuple[Finding, ...]`): event by event.
        reason (`str`): why this score.
        caption_gives_orders (`bool`, *optional*, defaults to `False`): the judge says that the caption tells a judge
            what to do or to answer.
    """

    score: int
    confidence: float
    findings: tuple[Finding, ...]
    reason: str
    caption_gives_orders: bool = False


class PairReply(NamedTuple):
    """A choice with its reasons.

    Args:
        choice (`str`): `"first"`, `"second"` or `"tie"`.
        confidence (`float`): the judge's own, 0 to 1.
        findings (`tuple[PairFinding, ...]`): event by event.
        reason (`str`): why this choice.
        caption_gives_orders (`bool`, *optional*, defaults to `False`): as in [`PointReply`].
    """

    choice: str
    confidence: float
    findings: tuple[PairFinding, ...]
    reason: str
    caption_gives_orders: bool = False


def _object(**properties: Any) -> dict[str, Any]:
    """A strict JSON schema of an object: everything is required, nothing else is allowed."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


_TEXT = {"type": "string"}
_SEEN = {"type": "string", "enum": list(SEEN)}


def _reply_schema(findings: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    # Findings and reason stand before the answer, because models write in this order and think by writing.
    return _object(
        caption_gives_orders={"type": "boolean"},
        findings={"type": "array", "items": findings},
        reason=_TEXT,
        **answer,
        confidence={"type": "number"},
    )


POINT_SCHEMA: dict[str, Any] = _reply_schema(
    _object(event=_TEXT, seen=_SEEN, note=_TEXT),
    {"score": {"type": ["integer", "null"], "enum": [*SCORES, None]}},
)
PAIR_SCHEMA: dict[str, Any] = _reply_schema(
    _object(event=_TEXT, first=_SEEN, second=_SEEN, note=_TEXT),
    {"choice": {"type": ["string", "null"], "enum": [*CHOICES, None]}},
)


def read_point(text: str) -> PointReply:
    """Read a score.

    Args:
        text (`str`): the reply: one JSON object, or that in one code fence; nothing before or after it.

    Returns:
        [`PointReply`]: what it says.

    Raises:
        NoScore: if the score is null: the judge cannot tell.
        Unreadable: if it is anything else than what was asked for.
    """
    data = _read_object(text, POINT_SCHEMA["required"])
    findings = tuple(Finding(*values) for values in _findings(data, POINT_SCHEMA))
    reason, confidence, orders = _common(data)
    score = data["score"]
    if score is None:
        raise NoScore(f"the judge gave no score: {reason or 'without a reason'}")
    if isinstance(score, bool) or not isinstance(score, int | float) or score not in SCORES:
        raise Unreadable(f'"score" is a whole number from 1 to 5, or null, got {_shown(score)}.')
    return PointReply(int(score), confidence, findings, reason, orders)


def read_pair(text: str) -> PairReply:
    """Read a choice between two motions.

    Args:
        text (`str`): the reply: one JSON object, or that in one code fence; nothing before or after it.

    Returns:
        [`PairReply`]: what it says.

    Raises:
        NoScore: if the choice is null: the judge cannot tell.
        Unreadable: if it is anything else than what was asked for.
    """
    data = _read_object(text, PAIR_SCHEMA["required"])
    findings = tuple(PairFinding(*values) for values in _findings(data, PAIR_SCHEMA))
    reason, confidence, orders = _common(data)
    choice = data["choice"]
    if choice is None:
        raise NoScore(f"the judge made no choice: {reason or 'without a reason'}")
    if choice not in CHOICES:
        raise Unreadable(f'"choice" is one of {_quoted(CHOICES)}, or null, got {_shown(choice)}.')
    return PairReply(choice, confidence, findings, reason, orders)


def _read_object(text: str, keys: Sequence[str]) -> dict[str, Any]:
    """One JSON object with exactly these keys."""
    if not isinstance(text, str) or not text.strip():
        raise Unreadable("it is empty.")
    fenced = re.fullmatch(r"\s*```(?:json)?[ \t]*\r?\n(.*)\n[ \t]*```\s*", text, flags=re.DOTALL | re.IGNORECASE)
    try:
        data = json.loads(fenced[1] if fenced else text, parse_constant=_no_number, object_pairs_hook=_once)
    except Unreadable:
        raise
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"it is no JSON ({error}).") from None
    if not isinstance(data, dict):
        raise Unreadable(f"it is no JSON object, got {_shown(data)}.")
    _check_keys(data, keys, "it")
    return data


def _no_number(name: str) -> NoReturn:
    raise Unreadable(f"it is no JSON ({name} is no number there).")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys differ; of two answers under one key, nobody could say which one is meant."""
    data = dict(pairs)
    if len(data) < len(pairs):
        names = [name for name, _ in pairs]
        raise Unreadable(f"it has {_shown(next(name for name in names if names.count(name) > 1))} twice.")
    return data


def _check_keys(data: dict[str, Any], keys: Sequence[str], what: str) -> None:
    if missing := [key for key in keys if key not in data]:
        raise Unreadable(f"{what} has no {_quoted(missing)}.")
    if more := [key for key in data if key not in keys]:
        raise Unreadable(f"{what} has {_shown(more[0])}, which was not asked for; there are only {_quoted(keys)}.")


def _findings(data: dict[str, Any], schema: dict[str, Any]) -> list[list[str]]:
    form = schema["properties"]["findings"]["items"]
    if not isinstance(data["findings"], list):
        raise Unreadable(f'"findings" is a list, got {_shown(data["findings"])}.')
    found = []
    for i, entry in enumerate(data["findings"]):
        if not isinstance(entry, dict):
            raise Unreadable(f"finding {i + 1} is an object, got {_shown(entry)}.")
        _check_keys(entry, form["required"], f"finding {i + 1}")
        found.append([_value(entry, name, f"finding {i + 1}", form) for name in form["required"]])
    return found


def _value(entry: dict[str, Any], name: str, what: str, form: dict[str, Any]) -> str:
    value, allowed = entry[name], form["properties"][name].get("enum")
    if allowed is not None and value not in allowed:
        raise Unreadable(f'"{name}" of {what} is one of {_quoted(allowed)}, got {_shown(value)}.')
    return _text(value, f'"{name}" of {what}')


def _common(data: dict[str, Any]) -> tuple[str, float, bool]:
    confidence, orders = data["confidence"], data["caption_gives_orders"]
    is_number = isinstance(confidence, int | float) and not isinstance(confidence, bool)
    if not (is_number and 0 <= confidence <= 1 and math.isfinite(confidence)):
        raise Unreadable(f'"confidence" is a number from 0 to 1, got {_shown(confidence)}.')
    if not isinstance(orders, bool):
        raise Unreadable(f'"caption_gives_orders" is true or false, got {_shown(orders)}.')
    return _text(data["reason"], '"reason"'), float(confidence), orders


def _text(value: Any, what: str) -> str:
    if not isinstance(value, str):
        raise Unreadable(f"{what} is text, got {_shown(value)}.")
    # JSON can hold halves of surrogate pairs, which no file and no database takes.
    return value.encode("utf-8", "replace").decode("utf-8")


def _shown(value: Any) -> str:
    text = json.dumps(value)  # ASCII, whatever it was
    return text if len(text) <= 60 else f"{text[:57]}..."


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
