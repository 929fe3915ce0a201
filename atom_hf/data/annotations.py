"""Raw annotations: what was asked, what models made of it, and what judges and people said; four folders of JSON.

prompts/00000.jsonl     {"prompt_id": "p00007", "prompt": "a man jumps twice", "task": "frequency", "scenario": {…}}
candidates/00000.jsonl  {"prompt_id": "p00007", "sample": 4, "codes": [5, …], "model": "motiongpt_tiny", "seed": 0}
verdicts/00000.jsonl    {"prompt_id": "p00007", "sample": 4, "score": 5.0, "judge": "kinematic-1", …}
votes/00000.jsonl       {"prompt_id": "p00007", "first": 4, "second": 1, "choice": "first", "degree": "better", …}

Files of one name belong together: all that is said of a prompt stands in them, so that a folder of any size is read
piece by piece. Verdicts and votes may be absent.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..motion.codes import NUM_CODES
from ..motion.formats.files import replacing
from .degrees import SKIPPED, read_degree
from .schema import TASKS
from .splits import SPLITS

PARTS = ("prompts", "candidates", "verdicts", "votes")
VOTES = ("first", "second", SKIPPED)


class AnnotationError(ValueError):
    """Annotations that cannot be used; the message names file and row, what was expected, and what came.

    Args:
        path (`str` or `Path`): the file.
        problem (`str`): what is wrong.
        row (`int`, *optional*): number of the row, counted from 1.
    """

    def __init__(self, path: str | Path, problem: str, row: int | None = None) -> None:
        super().__init__(f"{path}{f', row {row}' if row is not None else ''}: {problem}")


@dataclass(frozen=True)
class Candidate:
    """One motion that was made for a prompt.

    Args:
        sample (`int`): its number among the prompt's motions.
        codes (`tuple[int, ...]`): `[n]`, 4 frames each at 20 fps.
        model (`str`, *optional*): who made it.
        seed (`int`, *optional*): of the noise.
        score (`float`, *optional*): from 1 to 5; None where there is no verdict, or one without a score.
        cause (`str`, *optional*): why there is no score.
        judge (`str`, *optional*): who judged.
        rules_version (`str`, *optional*): which rules the judge followed.
    """

    sample: int
    codes: tuple[int, ...]
    model: str = ""
    seed: int | None = None
    score: float | None = None
    cause: str | None = None
    judge: str = ""
    rules_version: str = ""

    def as_motion(self) -> dict[str, Any]:
        """What `pair_row` takes.

        Returns:
            `dict[str, Any]`: sample, codes, model, seed and score.
        """
        return {name: getattr(self, name) for name in ("sample", "codes", "model", "seed", "score")}


@dataclass(frozen=True)
class Vote:
    """What one person said about two motions of a prompt.

    Args:
        first (`int`): sample of one motion.
        second (`int`): sample of the other.
        choice (`str`): `"first"`, `"second"` or `"skipped"`.
        degree (`str`): one of `DEGREES`.
        voter (`str`, *optional*): who; names should come hashed.
    """

    first: int
    second: int
    choice: str
    degree: str
    voter: str = ""


@dataclass
class Annotated:
    """A prompt with all that was made and said of it.

    Args:
        prompt_id (`str`): its name.
        prompt (`str`): what the person does.
        task (`str`, *optional*, defaults to `"overall"`): what is judged.
        scenario (`str`, *optional*): events in JSON.
        split (`str`, *optional*): where the prompt belongs, if that was decided before.
        candidates (`dict[int, Candidate]`): motions by sample.
        votes (`list[Vote]`): in the order in which they came.
    """

    prompt_id: str
    prompt: str
    task: str = "overall"
    scenario: str | None = None
    split: str | None = None
    candidates: dict[int, Candidate] = field(default_factory=dict)
    votes: list[Vote] = field(default_factory=list)


def pieces(folder: str | Path) -> list[str]:
    """Names of the pieces of a folder of annotations, sorted.

    Args:
        folder (`str` or `Path`): with `prompts/*.jsonl` and `candidates/*.jsonl`.

    Returns:
        `list[str]`: such as `["00000", "00001"]`.

    Raises:
        AnnotationError: if there are no prompts, or candidates, verdicts or votes for which the prompts are missing.
    """
    folder = Path(folder)
    names = {  # a file that begins with a dot is what a stopped run left unfinished
        part: {path.stem for path in (folder / part).glob("*.jsonl") if not path.name.startswith(".")}
        for part in PARTS
    }
    if not names["prompts"]:
        raise AnnotationError(
            folder, "expected annotations, prompts/*.jsonl and candidates/*.jsonl, but there are no prompts."
        )
    for part in PARTS[1:]:
        if lost := sorted(names[part] - names["prompts"]):
            raise AnnotationError(
                folder / part / f"{lost[0]}.jsonl", f"expected prompts/{lost[0]}.jsonl beside it, but it is not there."
            )
    return sorted(names["prompts"])


def read_annotations(
    folder: str | Path, names: Iterable[str] | None = None, num_codes: int = NUM_CODES
) -> Iterator[Annotated]:
    """Prompts with their candidates, verdicts and votes, one piece in memory at a time.

    Args:
        folder (`str` or `Path`): with `prompts/*.jsonl` and `candidates/*.jsonl`; see the module.
        names (`Iterable[str]`, *optional*): pieces to read, all by default.
        num_codes (`int`, *optional*, defaults to 512): size of the codebook.

    Yields:
        [`Annotated`]: in the order of the files.

    Raises:
        AnnotationError: if a file is broken, or speaks of a prompt or a candidate that is not there.
    """
    folder = Path(folder)
    seen: dict[str, str] = {}
    for name in pieces(folder) if names is None else names:
        path = folder / "prompts" / f"{name}.jsonl"
        prompts: dict[str, Annotated] = {}
        for row, record in read_lines(path):
            prompt = _prompt(path, row, record)
            if prompt.prompt_id in seen:
                raise AnnotationError(
                    path, f"the id {prompt.prompt_id!r} stands in {seen[prompt.prompt_id]} too.", row
                )
            seen[prompt.prompt_id] = f"{path.name}, row {row}"
            prompts[prompt.prompt_id] = prompt
        _add_candidates(folder / "candidates" / f"{name}.jsonl", prompts, num_codes)
        for part, add in (("verdicts", _add_verdicts), ("votes", _add_votes)):
            if (path := folder / part / f"{name}.jsonl").exists():
                add(path, prompts)
        yield from prompts.values()


def read_lines(path: str | Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Objects of a JSON Lines file with their rows, counted from 1; blank lines are passed over.

    Args:
        path (`str` or `Path`): the file.

    Yields:
        `tuple[int, dict]`: row and object.

    Raises:
        AnnotationError: if the file is absent or a line is no JSON object.
    """
    try:
        with Path(path).open(encoding="utf-8") as file:
            for row, line in enumerate(file, 1):
                if not line.strip():
                    continue
                try:
                    record = json.loads(line)
                except (json.JSONDecodeError, RecursionError) as error:
                    cut = "" if line.endswith("\n") else " The line has no end: the file is cut off."
                    raise AnnotationError(path, f"expected a JSON object, but {error}.{cut}", row) from error
                if not isinstance(record, dict):
                    raise AnnotationError(path, f"expected a JSON object, got {line.strip()[:60]!r}.", row)
                yield row, record
    except FileNotFoundError as error:
        raise AnnotationError(path, "expected a JSON Lines file, but there is none of this name.") from error
    except UnicodeDecodeError as error:
        raise AnnotationError(path, f"expected text in UTF-8, but {error}.") from error


def write_lines(path: str | Path, records: Iterable[Mapping[str, Any]]) -> None:
    """Write a JSON Lines file, whole or not at all.

    Args:
        path (`str` or `Path`): the file; folders are made.
        records (`Iterable[Mapping]`): one object a line.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as unfinished, unfinished.open("w", encoding="utf-8") as file:
        for record in records:
            file.write(json.dumps(record, ensure_ascii=False) + "\n")


def _value(path: Path, row: int, record: Mapping[str, Any], name: str, kind: type, default: Any = ...) -> Any:
    value = record.get(name, default)
    if value is ...:
        raise AnnotationError(
            path, f"expected {name!r}, but the row has {', '.join(map(repr, record)) or 'nothing'}.", row
        )
    if value is default or (isinstance(value, kind) and not isinstance(value, bool)):
        return value
    words = {str: "text", int: "an integer", float: "a number", list: "a list"}[kind]
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    raise AnnotationError(path, f"expected {name!r} to be {words}, got {value!r}.", row)


def _prompt(path: Path, row: int, record: Mapping[str, Any]) -> Annotated:
    scenario = record.get("scenario")
    prompt = Annotated(
        _value(path, row, record, "prompt_id", str),
        _value(path, row, record, "prompt", str),
        _value(path, row, record, "task", str, "overall"),
        scenario if scenario is None or isinstance(scenario, str) else json.dumps(scenario, ensure_ascii=False),
        _value(path, row, record, "split", str, None),
    )
    if not prompt.prompt.strip():
        raise AnnotationError(path, "expected a prompt, got an empty one.", row)
    if prompt.task not in TASKS:
        raise AnnotationError(path, f"expected a task, one of {', '.join(TASKS)}, got {prompt.task!r}.", row)
    if prompt.split not in (None, *SPLITS):
        raise AnnotationError(path, f"expected a split, one of {', '.join(SPLITS)}, got {prompt.split!r}.", row)
    return prompt


def _add_candidates(path: Path, prompts: Mapping[str, Annotated], num_codes: int) -> None:
    for row, record in read_lines(path):
        prompt = _known(path, row, record, prompts)
        sample = _value(path, row, record, "sample", int)
        codes = _value(path, row, record, "codes", list)
        bad = [code for code in codes if type(code) is not int or not 0 <= code < num_codes]
        if bad or not codes:
            got = f"got {bad[:3]}" if bad else "got none"
            raise AnnotationError(path, f"expected codes from 0 to {num_codes - 1}, {got}.", row)
        if sample in prompt.candidates:
            raise AnnotationError(path, f"{prompt.prompt_id!r} has two candidates with sample {sample}.", row)
        prompt.candidates[sample] = Candidate(
            sample,
            tuple(codes),
            _value(path, row, record, "model", str, ""),
            _value(path, row, record, "seed", int, None),
        )


def _add_verdicts(path: Path, prompts: Mapping[str, Annotated]) -> None:
    judged: set[tuple[str, int]] = set()
    for row, record in read_lines(path):
        prompt = _known(path, row, record, prompts)
        sample = _sample(path, row, record, "sample", prompt)
        score = _value(path, row, record, "score", float, None)
        if (prompt.prompt_id, sample) in judged:
            raise AnnotationError(path, f"sample {sample} of {prompt.prompt_id!r} has two verdicts.", row)
        if score is not None and not 1 <= score <= 5:
            raise AnnotationError(path, f"expected a score from 1 to 5, or null, got {score}.", row)
        judged.add((prompt.prompt_id, sample))
        prompt.candidates[sample] = replace(
            prompt.candidates[sample],
            score=score,
            cause=_value(path, row, record, "cause", str, None),
            judge=_value(path, row, record, "judge", str, ""),
            rules_version=_value(path, row, record, "rules_version", str, ""),
        )


def _add_votes(path: Path, prompts: Mapping[str, Annotated]) -> None:
    for row, record in read_lines(path):
        prompt = _known(path, row, record, prompts)
        first, second = (_sample(path, row, record, name, prompt) for name in ("first", "second"))
        choice = _value(path, row, record, "choice", str)
        if choice not in VOTES or first == second:
            raise AnnotationError(
                path, f"expected a choice ({', '.join(VOTES)}) between two samples, got {dict(record)}.", row
            )
        try:
            degree = SKIPPED if choice == SKIPPED else read_degree(record.get("degree"))
        except ValueError as error:
            raise AnnotationError(path, str(error), row) from error
        prompt.votes.append(Vote(first, second, choice, degree, _value(path, row, record, "voter", str, "")))


def _known(path: Path, row: int, record: Mapping[str, Any], prompts: Mapping[str, Annotated]) -> Annotated:
    name = _value(path, row, record, "prompt_id", str)
    if name not in prompts:
        raise AnnotationError(path, f"there is no prompt {name!r} in prompts/{path.name}.", row)
    return prompts[name]


def _sample(path: Path, row: int, record: Mapping[str, Any], name: str, prompt: Annotated) -> int:
    sample: int = _value(path, row, record, name, int)
    if sample not in prompt.candidates:
        raise AnnotationError(path, f"{prompt.prompt_id!r} has no candidate with sample {sample}.", row)
    return sample
