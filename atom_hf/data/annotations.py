"""Raw annotations: what was asked, what models made of it, and what judges and people said; four folders of JSON.

prompts/00000.jsonl     {"prompt_id": "p00007", "prompt": "a man jumps twice", "task": "frequency", "scenario": {…}}
candidates/00000.jsonl  {"prompt_id": "p00007", "sample": 4, "codes": [5, …], "model": "motiongpt_tiny", "seed": 0}
verdicts/00000.jsonl    {"prompt_id": "p00007", "sample": 4, "score": 5.0, "judge": "kinematic-1", …}
votes/00000.jsonl       {"prompt_id": "p00007", "first": 4, "second": 1, "choice": "first", "degree": "better", …}

Files of one name belong together: all that is said of a prompt stands in them, so that a folder of any size is read
piece by piece. Verdicts and votes may be absent.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from ..motion.codes import NUM_CODES
from .annotation_records import Annotated, Candidate, Vote
from .degrees import SKIPPED, read_degree
from .faults import AnnotationError, OnFault, raise_or_tell
from .json_lines import read_lines
from .schema import HUMAN, TASKS
from .splits import SPLITS
from .values import is_scenario

PARTS = ("prompts", "candidates", "verdicts", "votes")
VOTES = ("first", "second", SKIPPED)


class _Unknown(AnnotationError):
    """A row that speaks of a prompt, or of a candidate of it, that is not there."""

    def __init__(self, path: Path, problem: str, row: int, what: "_What") -> None:
        super().__init__(path, problem, row)
        self.what = what


_What: TypeAlias = tuple[str, int | None]  # prompt_id, and sample where it is about a candidate
_AddRow: TypeAlias = Callable[[Path, int, Mapping[str, Any]], None]


def pieces(folder: str | Path, on_fault: OnFault | None = None) -> list[str]:
    """Names of the pieces of a folder of annotations, sorted.

    Args:
        folder (`str` or `Path`): with `prompts/*.jsonl` and `candidates/*.jsonl`.
        on_fault (`Callable`, *optional*): gets each file for which the prompts are missing, instead of an exception.

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
        for lost in sorted(names[part] - names["prompts"]):
            error = AnnotationError(
                folder / part / f"{lost}.jsonl", f"expected prompts/{lost}.jsonl beside it, but it is not there."
            )
            raise_or_tell(error, on_fault)
    return sorted(names["prompts"])


def read_annotations(
    folder: str | Path,
    names: Iterable[str] | None = None,
    num_codes: int = NUM_CODES,
    on_fault: OnFault | None = None,
) -> Iterator[Annotated]:
    """Prompts with their candidates, verdicts and votes, one piece in memory at a time.

    Args:
        folder (`str` or `Path`): with `prompts/*.jsonl` and `candidates/*.jsonl`; see the module.
        names (`Iterable[str]`, *optional*): pieces to read, all by default.
        num_codes (`int`, *optional*, defaults to 512): size of the codebook.
        on_fault (`Callable`, *optional*): gets each fault as an [`AnnotationError`], instead of it being raised; the
            row is left out then, and so is what later rows say of it.

    Yields:
        [`Annotated`]: in the order of the files.

    Raises:
        AnnotationError: if a file is broken, or speaks of a prompt or a candidate that is not there.
    """
    folder = Path(folder)
    seen: dict[str, str] = {}
    for name in pieces(folder, on_fault) if names is None else names:
        prompts: dict[str, Annotated] = {}
        add_row: dict[str, _AddRow] = {
            "prompts": partial(_add_prompt, prompts, seen),
            "candidates": partial(_add_candidate, prompts, num_codes),
            "verdicts": partial(_add_verdict, prompts, set()),
            "votes": partial(_add_vote, prompts),
        }
        lost: set[_What] = set()
        for part in PARTS:
            path = folder / part / f"{name}.jsonl"
            if path.exists() or part in ("prompts", "candidates"):
                _add_rows(path, add_row[part], lost, on_fault)
            if part == "candidates" and not path.exists():
                break  # verdicts and votes are all about candidates: one fault says enough
        yield from prompts.values()


def read_prompts(folder: str | Path, name: str) -> Iterator[tuple[int, Annotated]]:
    """Prompts of one piece alone, without what was made or said of them.

    Args:
        folder (`str` or `Path`): with `prompts/*.jsonl`.
        name (`str`): of the piece.

    Yields:
        `tuple[int, Annotated]`: row, counted from 1, and prompt.

    Raises:
        AnnotationError: if the file is broken.
    """
    path = Path(folder) / "prompts" / f"{name}.jsonl"
    for row, record in read_lines(path):
        yield row, _prompt(path, row, record)


def _add_rows(path: Path, add: _AddRow, lost: set[_What], on_fault: OnFault | None) -> None:
    """Hand every row of a file to `add`. What it refuses is lost, and later rows about it are no faults of theirs."""
    for row, record in read_lines(path, on_fault):
        try:
            add(path, row, record)
        except AnnotationError as error:
            if on_fault is None:
                raise
            if not isinstance(error, _Unknown):
                name, sample = record.get("prompt_id"), record.get("sample")
                lost.add((str(name), sample if isinstance(sample, int) else None))
                on_fault(error)
            elif lost.isdisjoint([error.what, (error.what[0], None)]):
                on_fault(error)


def _value(path: Path, row: int, record: Mapping[str, Any], name: str, kind: type, default: Any = ...) -> Any:
    value = record.get(name, default)
    if value is ...:
        raise AnnotationError(
            path, f"expected {name!r}, but the row has {', '.join(map(repr, record)) or 'nothing'}.", row
        )
    if kind is int and type(value) is int and not -(2**63) <= value < 2**63:
        raise AnnotationError(path, f"expected {name!r} to be an integer of at most 64 bits, got {value}.", row)
    if value is default or (isinstance(value, kind) and not isinstance(value, bool)):
        return value
    words = {str: "text", int: "an integer", float: "a number", list: "a list"}[kind]
    if kind is float and isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53:
        return float(value)
    raise AnnotationError(path, f"expected {name!r} to be {words}, got {value!r}.", row)


def _prompt(path: Path, row: int, record: Mapping[str, Any]) -> Annotated:
    scenario = record.get("scenario")
    if scenario is not None and not isinstance(scenario, str):
        scenario = json.dumps(scenario, ensure_ascii=False)
    prompt = Annotated(
        _value(path, row, record, "prompt_id", str),
        _value(path, row, record, "prompt", str),
        _value(path, row, record, "task", str, "overall"),
        scenario,
        _value(path, row, record, "split", str, None),
    )
    if not prompt.prompt_id.strip():
        raise AnnotationError(path, f"expected a name in 'prompt_id', got {prompt.prompt_id!r}.", row)
    if not prompt.prompt.strip():
        raise AnnotationError(path, "expected a prompt, got an empty one.", row)
    if scenario is not None and not is_scenario(scenario):
        problem = f"expected a scenario, a JSON object with events, or null, got {scenario[:80]!r}."
        raise AnnotationError(path, problem, row)
    if prompt.task not in TASKS:
        raise AnnotationError(path, f"expected a task, one of {', '.join(TASKS)}, got {prompt.task!r}.", row)
    if prompt.split not in (None, *SPLITS):
        raise AnnotationError(path, f"expected a split, one of {', '.join(SPLITS)}, got {prompt.split!r}.", row)
    return prompt


def _add_prompt(
    prompts: dict[str, Annotated], seen: dict[str, str], path: Path, row: int, record: Mapping[str, Any]
) -> None:
    prompt = _prompt(path, row, record)
    if prompt.prompt_id in seen:
        raise AnnotationError(path, f"the id {prompt.prompt_id!r} stands in {seen[prompt.prompt_id]} too.", row)
    seen[prompt.prompt_id] = f"{path.name}, row {row}"
    prompts[prompt.prompt_id] = prompt


def _add_candidate(
    prompts: Mapping[str, Annotated], num_codes: int, path: Path, row: int, record: Mapping[str, Any]
) -> None:
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


def _add_verdict(
    prompts: Mapping[str, Annotated], judged: set[_What], path: Path, row: int, record: Mapping[str, Any]
) -> None:
    prompt = _known(path, row, record, prompts)
    sample = _sample(path, row, record, "sample", prompt)
    score = _value(path, row, record, "score", float, None)
    if (prompt.prompt_id, sample) in judged:
        raise AnnotationError(path, f"sample {sample} of {prompt.prompt_id!r} has two verdicts.", row)
    if score is not None and not 1 <= score <= 5:
        raise AnnotationError(path, f"expected a score from 1 to 5, or null, got {score}.", row)
    judge = _value(path, row, record, "judge", str, "")
    if judge == HUMAN:
        problem = f"expected the name of a judge, got {HUMAN!r}: people compare two motions; put that into votes/."
        raise AnnotationError(path, problem, row)
    judged.add((prompt.prompt_id, sample))
    prompt.candidates[sample] = replace(
        prompt.candidates[sample],
        score=score,
        cause=_value(path, row, record, "cause", str, None),
        judge=judge,
        rules_version=_value(path, row, record, "rules_version", str, ""),
    )


def _add_vote(prompts: Mapping[str, Annotated], path: Path, row: int, record: Mapping[str, Any]) -> None:
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
    if degree == SKIPPED and choice != SKIPPED:
        problem = f"expected a degree of preference beside the choice {choice!r}, got {degree!r}."
        raise AnnotationError(path, problem, row)
    prompt.votes.append(Vote(first, second, choice, degree, _value(path, row, record, "voter", str, "")))


def _known(path: Path, row: int, record: Mapping[str, Any], prompts: Mapping[str, Annotated]) -> Annotated:
    name = _value(path, row, record, "prompt_id", str)
    if name not in prompts:
        raise _Unknown(path, f"there is no prompt {name!r} in prompts/{path.name}.", row, (name, None))
    return prompts[name]


def _sample(path: Path, row: int, record: Mapping[str, Any], name: str, prompt: Annotated) -> int:
    sample: int = _value(path, row, record, name, int)
    if sample not in prompt.candidates:
        problem = f"{prompt.prompt_id!r} has no candidate with sample {sample}."
        raise _Unknown(path, problem, row, (prompt.prompt_id, sample))
    return sample
