"""What a language model is asked for prompts, and what is taken from its reply.

'{"prompts": [{"text": "A person jumps twice.", "events": [{"action": "jump", "count": 2, ...}]}]}' → [Prompt(...)]
"""

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from .actions import ACTIONS
from .grammar_prompts import Prompt, why_not_sensible
from .scenario import Event, Scenario

LONGEST_PROMPT = 300  # characters
_SIDES = ("left", "right", "both")
_DIRECTIONS = ("forward", "backward", "left", "right", "up", "around")


class Rejected(NamedTuple):
    """An item of a reply that is no prompt.

    Args:
        text (`str`): its text, or what stood in its place.
        reason (`str`): why it was left out.
    """

    text: str
    reason: str


def instruction(name: str) -> str:
    """The text of an instruction.

    Args:
        name (`str`): name of a file in `instructions/`, such as `"temporal"`.

    Returns:
        `str`: its text.
    """
    return files(__package__).joinpath("instructions", f"{name}.txt").read_text(encoding="utf-8")


def table() -> str:
    """The table of actions as a language model reads it, a line an action.

    Returns:
        `str`: such as `- jump ("jump", "leap"): one count is a flight ...; count 1 to 6; direction up, forward, ...`.
    """
    lines = []
    for action in ACTIONS.values():
        words = ", ".join(f'"{verb.base}"' for verb in action.verbs)
        parts = [
            f"one count is {action.unit}",
            f"count 1 to {action.max_count}" if action.max_count > 1 else "count 1",
        ]
        parts += [f"side {', '.join(action.sides)}"] if action.sides else []
        parts += [f"direction {', '.join(action.directions)}"] if action.directions else []
        lines.append(f"- {action.name} ({words}): {'; '.join(parts)}")
    return "\n".join(lines)


def messages(task: str, n: int, featured: Sequence[str], examples: Sequence[str] = ()) -> list[dict[str, str]]:
    """The messages of one request.

    Args:
        task (`str`): what the prompts test.
        n (`int`): how many are asked for.
        featured (`Sequence[str]`): actions of which each shall occur.
        examples (`Sequence[str]`, *optional*): captions that show the style.

    Returns:
        `list[dict[str, str]]`: a system and a user message.
    """
    ask = instruction(task).replace("{n}", str(n)).replace("{featured}", ", ".join(featured))
    if examples:
        ask += "\n" + instruction("examples").replace("{examples}", "\n".join(f"- {caption}" for caption in examples))
    return [
        {"role": "system", "content": instruction("system").replace("{table}", table())},
        {"role": "user", "content": ask},
    ]


def schema() -> dict[str, Any]:
    """JSON schema of a reply, strict: everything is required, nothing else is allowed.

    Returns:
        `dict[str, Any]`: the schema that pydantic gives for the reply.
    """
    return reply_model().model_json_schema()


@cache
def reply_model() -> Any:
    """The reply as a pydantic model, which is made here because pydantic is optional.

    Returns:
        `type`: a subclass of `pydantic.BaseModel` with a list `prompts`.
    """
    from typing import Literal

    from pydantic import ConfigDict, create_model

    sides: Any = Literal[_SIDES] | None
    directions: Any = Literal[_DIRECTIONS] | None
    actions: Any = Literal[tuple(ACTIONS)]
    strict = ConfigDict(extra="forbid", strict=True)
    event = create_model(
        "Event",
        __config__=strict,
        action=(actions, ...),
        count=(int, ...),
        side=(sides, ...),
        direction=(directions, ...),
    )
    item = create_model("Item", __config__=strict, text=(str, ...), events=(list[event], ...))  # type: ignore[valid-type]
    return create_model("Reply", __config__=strict, prompts=(list[item], ...))  # type: ignore[valid-type]


def read_reply(text: str, task: str) -> tuple[list[Prompt], list[Rejected]]:
    """Prompts of a reply; an item that does not fit is left out with its reason, the others stay.

    Args:
        text (`str`): the reply: JSON, or JSON in a code fence.
        task (`str`): task that was asked for.

    Returns:
        `tuple[list[Prompt], list[Rejected]]`: what is good, and what is not.

    Raises:
        ValueError: if it is no JSON object with a list `prompts`; the text says what is wrong.
    """
    fenced = re.fullmatch(r"\s*```(?:json)?\s*\n(.*)\n\s*```\s*", text, flags=re.DOTALL)
    try:
        data = json.loads(fenced[1] if fenced else text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"it is no JSON ({error}).") from None
    if not isinstance(data, Mapping) or not isinstance(data.get("prompts"), list):
        raise ValueError('it has no list "prompts".')
    good: list[Prompt] = []
    bad: list[Rejected] = []
    for entry in data["prompts"]:
        try:
            good.append(_prompt(entry, task))
        except (TypeError, ValueError) as error:
            said = entry.get("text") if isinstance(entry, Mapping) else entry
            bad.append(Rejected(str(said)[:LONGEST_PROMPT], str(error)))
    if bad and not good and all(reason.reason.startswith("Not of the form") for reason in bad):
        raise ValueError(f"no item has the form asked for ({bad[0].reason}).")
    return good, bad


def _prompt(entry: Any, task: str) -> Prompt:
    """One item against the form, the table, the body, the task, and its own words."""
    from pydantic import ValidationError

    if isinstance(entry, Mapping) and isinstance(entry.get("events"), list):
        silent = {"count": 1, "side": None, "direction": None}  # what a server without a schema leaves out
        entry = {**entry, "events": [silent | e if isinstance(e, dict) else e for e in entry["events"]]}
    try:
        item = reply_model().model_validate({"prompts": [entry]}).prompts[0]
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"][2:])
        raise ValueError(f"Not of the form asked for: {place or 'item'}: {first['msg']}") from None
    text = " ".join(item.text.split())
    if not 1 <= len(text) <= LONGEST_PROMPT or not text.isprintable():
        raise ValueError(f"The text has 1 to {LONGEST_PROMPT} printable characters, got {len(text)}.")
    scenario = Scenario(tuple(Event(e.action, e.count, e.side, e.direction) for e in item.events), task)
    if (reason := why_not_sensible(scenario)) is not None:
        raise ValueError(f"No body does this in one clip: {reason}.")
    if task == "frequency" and all(event.count == 1 for event in scenario.events):
        raise ValueError("A frequency prompt counts something, this has no count above 1.")
    if task == "temporal" and len(scenario.events) < 2:
        raise ValueError("A temporal prompt has at least two events, this has one.")
    try:
        said = Scenario.parse(text, task)
    except ValueError:
        return Prompt(text, scenario)  # richer words than the parser knows: the events stand
    if said != scenario:
        raise ValueError(f"The text says {said.to_json()}, the events say {scenario.to_json()}.")
    return Prompt(text, scenario)
