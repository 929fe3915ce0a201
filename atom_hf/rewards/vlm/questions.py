"""One question to a vision judge: its messages, the key under which the answer is kept, and what it will cost.

question = point_question(settings, rules, "a person jumps twice", pictures, vote=0, item="9f0c…")
question.key  →  "c0ffee…", a digest of the very messages, pictures and all, of the model and its parameters
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from .pictures import Picture, picture_tokens
from .replies import PAIR_SCHEMA, POINT_SCHEMA, read_pair, read_point
from .rules import Rules, pair_messages, point_messages

CHARACTERS = 4  # of a token of English, roughly
OVERHEAD = 32  # tokens that a server adds to the messages, at most
_SCHEMA_BYTES = max(len(json.dumps(schema)) for schema in (POINT_SCHEMA, PAIR_SCHEMA))

Messages = list[dict[str, Any]]


@dataclass(frozen=True)
class Settings:
    """What a question depends on but for its rules, prompt and pictures.

    Args:
        model (`str`): name of the model.
        layout (`str`): name of the pictures' layout.
        detail (`str`): how closely the model looks at pictures.
        temperature (`float`, *optional*): unitless; None leaves it to the server.
        max_tokens (`int`): the longest reply.
        structured (`bool`): whether replies are held to a schema where the server has that.
    """

    model: str
    layout: str
    detail: str
    temperature: float | None
    max_tokens: int
    structured: bool

    def to_json(self) -> str:
        """All but model and layout, in a fixed order."""
        names = ("detail", "temperature", "max_tokens", "structured")
        return json.dumps({name: getattr(self, name) for name in names})


@dataclass(frozen=True)
class Question:
    """A question, ready to be asked.

    Args:
        key (`str`): digest of all that the answer depends on.
        messages (`Callable[[bool], list]`): the messages, with a schema beside them (True) or with its form in words.
        schema (`dict`): the JSON schema of the answer.
        read (`Callable[[str], Any]`): reads the answer; raises `Unreadable`.
        picture_tokens (`int`): tokens of its pictures.
        facts (`dict`): what a store writes down of it.
    """

    key: str
    messages: Callable[[bool], Messages]
    schema: dict[str, Any]
    read: Callable[[str], Any]
    picture_tokens: int
    facts: dict[str, Any]

    def most_tokens(self, messages: Messages) -> int:
        """Tokens that are sent at most: a token of text has one byte at least.

        Args:
            messages (`list[dict]`): to be sent.

        Returns:
            `int`: tokens.
        """
        return _text_bytes(messages) + _SCHEMA_BYTES + self.picture_tokens + OVERHEAD

    def expected_tokens(self, messages: Messages) -> int:
        """Tokens that will be sent, about.

        Args:
            messages (`list[dict]`): to be sent.

        Returns:
            `int`: tokens, at four characters each.
        """
        return (_text_bytes(messages) + _SCHEMA_BYTES) // CHARACTERS + self.picture_tokens


def point_question(
    settings: Settings, rules: Rules, prompt: str, pictures: Sequence[Picture], *, vote: int, item: str
) -> Question:
    """Ask for the score of one motion.

    Args:
        settings ([`Settings`]): model and parameters.
        rules ([`Rules`]): what to judge.
        prompt (`str`): what was asked for.
        pictures (`Sequence[Picture]`): of the motion.
        vote (`int`): which of several votes; each is asked for by itself.
        item (`str`): digest of what is judged, for estimates.

    Returns:
        [`Question`]: to be asked.
    """

    def messages(structured: bool) -> Messages:
        return point_messages(rules, prompt, pictures, detail=settings.detail, structured=structured)

    return _question("point", settings, rules, prompt, [pictures], messages, vote, item)


def pair_question(
    settings: Settings,
    rules: Rules,
    prompt: str,
    first: Sequence[Picture],
    second: Sequence[Picture],
    *,
    vote: int,
    item: str,
) -> Question:
    """Ask which of two motions is better.

    Args:
        settings ([`Settings`]): model and parameters.
        rules ([`Rules`]): what to judge.
        prompt (`str`): what was asked for.
        first (`Sequence[Picture]`): of the motion that is shown first.
        second (`Sequence[Picture]`): of the other.
        vote (`int`): which of several votes.
        item (`str`): digest of what is judged, for estimates.

    Returns:
        [`Question`]: to be asked.
    """

    def messages(structured: bool) -> Messages:
        return pair_messages(rules, prompt, first, second, detail=settings.detail, structured=structured)

    return _question("pair", settings, rules, prompt, [first, second], messages, vote, item)


def _question(
    kind: str,
    settings: Settings,
    rules: Rules,
    prompt: str,
    motions: Sequence[Sequence[Picture]],
    messages: Callable[[bool], Messages],
    vote: int,
    item: str,
) -> Question:
    chat = messages(settings.structured)
    facts = {
        "kind": kind,
        "task": rules.task,
        "rules": rules.version,
        "model": settings.model,
        "settings": settings.to_json(),
        "prompt": prompt,
        "vote": str(vote),
        "layout": settings.layout,
        "pictures": "|".join(" ".join(_digest(each.data) for each in pictures) for pictures in motions),
        "item": item,
    }
    known = [facts[name] for name in ("kind", "task", "rules", "model", "settings", "prompt", "vote", "pictures")]
    key = _digest(json.dumps([*known, _without_pictures(chat)]).encode())
    schema, read = (POINT_SCHEMA, read_point) if kind == "point" else (PAIR_SCHEMA, read_pair)
    tokens = sum(
        picture_tokens(each.width, each.height, detail=settings.detail, model=settings.model)
        for pictures in motions
        for each in pictures
    )
    return Question(key, _remembering(messages, settings.structured, chat), schema, read, tokens, facts)


def _remembering(messages: Callable[[bool], Messages], structured: bool, chat: Messages) -> Callable[[bool], Messages]:
    """Messages that were made for the key need not be made again."""
    return lambda wanted: chat if wanted == structured else messages(wanted)


def _without_pictures(messages: Messages) -> list[Any]:
    """The words of the messages, since pictures are in the key by their own digests."""
    return [[message["role"], [part.get("text", "picture") for part in _parts(message)]] for message in messages]


def _text_bytes(messages: Messages) -> int:
    return sum(len(part.get("text", "").encode()) for message in messages for part in _parts(message))


def _parts(message: dict[str, Any]) -> list[dict[str, Any]]:
    content = message["content"]
    return [{"text": content}] if isinstance(content, str) else content


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
