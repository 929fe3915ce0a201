"""What systems are asked for: prompts with their ids, and their scenarios where they are known.

grammar_cases(200, seed=0)[0]  →  Case(id="000", prompt="A man squats twice.", scenario=Scenario(…))
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ...events import GrammarPromptWriter, Scenario
from ...motion.formats.files import read_text, split_lines


class Case(NamedTuple):
    """One thing that is asked for.

    Args:
        id (`str`): name of the case, the same in every system that answers it.
        prompt (`str`): what the person is to do.
        scenario ([`Scenario`], *optional*): the same as data, where it is known; judges may parse the prompt
            otherwise.
        text (`Any`, *optional*): the prompt as an evaluator takes it, such as a [`Caption`] with tokens; the prompt by
            default.
    """

    id: str
    prompt: str
    scenario: Scenario | None = None
    text: Any = None


def grammar_cases(count: int, seed: int = 0) -> list[Case]:
    """Prompts of the grammar's test split: they combine actions as no training prompt does.

    Args:
        count (`int`): how many.
        seed (`int`, *optional*, defaults to 0): the same seed writes the same prompts.

    Returns:
        `list[Case]`: with their scenarios.

    Raises:
        ValueError: if the count is below 1, or so many different texts are not found.
    """
    if count < 1:
        raise ValueError(f"Expected at least 1 prompt, got {count}.")
    found = GrammarPromptWriter(seed=seed, split="test").write(count)
    return [Case(_number(i, count), prompt.text, prompt.scenario) for i, prompt in enumerate(found)]


def read_cases(path: str | Path) -> list[Case]:
    """Prompts from a text file, a sentence a line, or from JSON lines with `prompt` and, where known, `scenario`.

    Args:
        path (`str` or `Path`): the file; JSON lines if it ends in .jsonl.

    Returns:
        `list[Case]`: in the order of the file; scenarios as given, or as the sentence is understood.

    Raises:
        ValueError: if the file is absent or empty, a line is broken, or a prompt is there twice.
    """
    path = Path(path)
    lines = [(i, line.strip()) for i, line in enumerate(split_lines(read_text(path)), 1) if line.strip()]
    if not lines:
        raise ValueError(f"{path}: expected prompts, one a line, but the file is empty.")
    seen: dict[str, int] = {}
    cases = []
    for place, (line, written) in enumerate(lines):
        prompt, scenario = _json_prompt(path, line, written) if path.suffix == ".jsonl" else (written, None)
        if prompt in seen:
            raise ValueError(f"{path}, line {line}: the prompt {prompt[:60]!r} is in line {seen[prompt]} already.")
        seen[prompt] = line
        cases.append(Case(_number(place, len(lines)), prompt, scenario or understood(prompt)))
    return cases


def _json_prompt(path: Path, line: int, written: str) -> tuple[str, Scenario | None]:
    try:
        row = json.loads(written)
        prompt, scenario = row["prompt"], row.get("scenario")
        if not isinstance(prompt, str) or not prompt.strip():
            raise TypeError("the prompt is no text")
        check_text(prompt)
        if scenario is None:
            return prompt.strip(), None
        return prompt.strip(), Scenario.from_json(scenario if isinstance(scenario, str) else json.dumps(scenario))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ValueError(
            f'{path}, line {line}: expected {{"prompt": "a person jumps"}}, with a scenario or without; got '
            f"{written[:60]!r} ({error})."
        ) from None


def understood(prompt: str) -> Scenario | None:
    """What a sentence asks for.

    Args:
        prompt (`str`): any sentence.

    Returns:
        [`Scenario`] or `None`: None where it is not in the words of the grammar.
    """
    try:
        return Scenario.parse(prompt)
    except ValueError:
        return None


def check_cases(cases: Iterable[Case], where: str) -> None:
    """Raise where cases cannot be told apart.

    Args:
        cases (`Iterable[Case]`): of one system.
        where (`str`): its name, for messages.

    Raises:
        ValueError: if an id is there twice, or a prompt is empty.
    """
    seen: set[str] = set()
    for case in cases:
        if case.id in seen:
            raise ValueError(f"{where}: the id {case.id!r} is there twice; every clip needs a name of its own.")
        if not case.prompt.strip():
            raise ValueError(f"{where}: the clip {case.id!r} has an empty caption.")
        seen.add(case.id)


def named(names: Sequence[str], most: int = 5) -> str:
    """A list of names for a message.

    Args:
        names (`Sequence[str]`): any number of them.
        most (`int`, *optional*, defaults to 5): how many are written out.

    Returns:
        `str`: such as `"a, b, … (12 in all)"`.
    """
    rest = f", … ({len(names)} in all)" if len(names) > most else ""
    return ", ".join(names[:most]) + rest


def plural(count: int, what: str) -> str:
    """A number of things.

    Args:
        count (`int`): how many.
        what (`str`): the thing, which takes an s.

    Returns:
        `str`: such as `"1 clip"` or `"2 clips"`.
    """
    return f"{count} {what}{'' if count == 1 else 's'}"


def check_text(text: str) -> None:
    """Raise where a text cannot be written into any file.

    Args:
        text (`str`): of JSON, which can hold halves of characters.

    Raises:
        ValueError: if it holds half of a character; says where.
    """
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(f"half of a character (a lone surrogate) at place {error.start} of {text[:40]!a}") from None


def _number(place: int, count: int) -> str:
    return f"{place:0{len(str(count - 1))}d}"
