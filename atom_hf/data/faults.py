"""What is wrong with preference data: one thing where it is found, and a list of all of them with what to do.

AnnotationError("annotations/votes/00000.jsonl", "expected …", row=3)     raised, or handed to a caller's `on_fault`
Fault("votes/00000.jsonl", 3, "expected …", "Mend or delete these lines")  the same in the list of a Validation
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import NamedTuple, TypeAlias

from .escaping import terminal_text

_LONGEST = 400  # letters of a problem; a broken value may be a whole motion


class AnnotationError(ValueError):
    """Annotations that cannot be used; the message names file and row, what was expected, and what came.

    Args:
        path (`str` or `Path`): the file.
        problem (`str`): what is wrong.
        row (`int`, *optional*): number of the row, counted from 1.
    """

    def __init__(self, path: str | Path, problem: str, row: int | None = None) -> None:
        super().__init__(f"{path}{f', row {row}' if row is not None else ''}: {problem}")
        self.path, self.problem, self.row = Path(path), problem, row


OnFault: TypeAlias = Callable[[AnnotationError], object]  # gets a fault instead of it being raised


def raise_or_tell(error: AnnotationError, on_fault: OnFault | None, cause: Exception | None = None) -> None:
    """Raise a fault, unless somebody wants to be told of it.

    Args:
        error ([`AnnotationError`]): the fault.
        on_fault (`Callable`, *optional*): gets it.
        cause (`Exception`, *optional*): what it was noticed by.

    Raises:
        AnnotationError: the fault, without `on_fault`.
    """
    if on_fault is None:
        raise error from cause
    on_fault(error)


class Fault(NamedTuple):
    """One thing that is wrong.

    Args:
        file (`str`): path inside the folder.
        row (`int`, *optional*): number of the row, counted from 1.
        problem (`str`): what was expected, and what came.
        cure (`str`): what to do; many faults have the same one.
    """

    file: str
    row: int | None
    problem: str
    cure: str


@dataclass
class Validation:
    """What was found in a folder.

    Args:
        folder (`Path`): the folder.
        kind (`str`): `"MotionPrefer"`, `"annotations"`, `"InstructMotion"` or `"AToM"`.
        faults (`list[Fault]`): all of them, by file and row.
        counts (`dict[str, int]`): how much was looked at, such as files, rows and prompts.
    """

    folder: Path
    kind: str
    faults: list[Fault] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults

    def add(self, file: str, row: int | None, problem: str, cure: str) -> None:
        """Note a fault.

        Args:
            file (`str`): path inside the folder.
            row (`int`, *optional*): number of the row, counted from 1.
            problem (`str`): what was expected, and what came.
            cure (`str`): what to do.
        """
        problem = " ".join(problem.split())
        if len(problem) > _LONGEST:
            problem = f"{problem[:_LONGEST].rstrip()} …"
        self.faults.append(Fault(file, row, problem, cure))

    def report(self, limit: int | None = None) -> str:
        """The faults for people, file by file, then what to do.

        Args:
            limit (`int`, *optional*): most faults that are listed; the others are counted.

        Returns:
            `str`: lines of text.

        Raises:
            ValueError: if the limit is below 0.
        """
        if limit is not None and limit < 0:
            raise ValueError(f"limit is a number of faults, at least 0, got {limit}.")
        counts = ", ".join(f"{count:,} {name}" for name, count in self.counts.items())
        lines = [f"{self.folder}: {self.kind}, {counts}"]
        if self.ok:
            return f"{lines[0]}\nNo faults.\n"
        shown = self.faults if limit is None else self.faults[:limit]
        for file, faults in groupby(shown, key=lambda fault: fault.file):
            rows = [(f"row {row:,}" if row is not None else "", problem) for _, row, problem, _ in faults]
            width = max(len(row) for row, _ in rows)
            lines += ["", terminal_text(file)]
            lines += [f"  {row:<{width}}{'  ' * bool(width)}{terminal_text(text)}" for row, text in rows]
        files = len({fault.file for fault in self.faults})
        lines += ["", f"{_many(len(self.faults), 'fault')} in {_many(files, 'file')}"]
        if len(shown) < len(self.faults):
            lines[-1] += f"; {_many(len(shown), 'is', 'are')} listed, --limit {len(self.faults)} lists all"
        cures = dict.fromkeys(fault.cure for fault in self.faults)
        return "\n".join([*lines, "", "What to do", *(f"  - {cure}" for cure in cures)]) + "\n"

    def __str__(self) -> str:
        return self.report()


def _many(count: int, one: str, several: str | None = None) -> str:
    return f"{count:,} {one if count == 1 else several or f'{one}s'}"
