"""What becomes of a row that cannot be used: it raises, or it is left out, counted by cause, and told of.

report = ImportReport()
rows = list(read_instructmotion(folder, report=report, on_fault="skip"))
print(report)    →   3526 pairs of 3001 of 3001 prompts …
                       left out: 2 with a token file that is not there
                       preference_labels.jsonl, row 17: expected sample_1's codes at tokens/17_token.npy, but …
"""

import hashlib
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..faults import AnnotationError, OnFault
from ..pairs import PairReport
from ..splits import words_of
from ..uniqueness import Unique

MAX_MESSAGES = 20
_WAYS = ("raise", "skip")


@dataclass
class ImportReport(PairReport):
    """A report that keeps the first messages, too.

    Args:
        messages (`list[str]`): what was wrong with the first rows that were left out.
    """

    messages: list[str] = field(default_factory=list)

    def add(self, other: PairReport) -> None:
        """Count what another report counted.

        Args:
            other ([`PairReport`]): of other prompts.
        """
        super().add(other)
        self.messages += getattr(other, "messages", [])[: MAX_MESSAGES - len(self.messages)]

    def __str__(self) -> str:
        return "\n".join([super().__str__(), *(f"  {message}" for message in self.messages)])


class RowFault(Exception):
    """Why a row cannot be used.

    Args:
        cause (`str`): what is counted, such as `"with an unknown degree"`.
        problem (`str`): what was expected, what came, and what to do.
    """

    def __init__(self, cause: str, problem: str) -> None:
        super().__init__(problem)
        self.cause, self.problem = cause, problem


class RowMaker:
    """Makes rows of records, whatever the records are, and keeps the account.

    Args:
        report ([`PairReport`], *optional*): counts what is made and left out.
        on_fault (`str` or `Callable`): `"raise"`, `"skip"`, or what gets each fault as an [`AnnotationError`]; its row
            is left out then, as with `"skip"`.

    Raises:
        ValueError: if `on_fault` is something else.
    """

    def __init__(self, report: PairReport | None, on_fault: str | OnFault) -> None:
        if not callable(on_fault) and on_fault not in _WAYS:
            raise ValueError(f"on_fault is one of {', '.join(map(repr, _WAYS))}, got {on_fault!r}.")
        self.told = report is not None
        self.report = ImportReport() if report is None else report
        self.on_fault = on_fault
        self.left_out = 0
        self._ids, self._prompts = Unique(), Unique()

    def rows(
        self, where: str | Path, records: Iterable[tuple[int, Any]], make: Callable[[Any], Mapping[str, Any]]
    ) -> Iterator[dict[str, Any]]:
        """Rows of the records of one file.

        Args:
            where (`str` or `Path`): the file, for messages.
            records (`Iterable[tuple[int, Any]]`): number of the row, and the record or a [`RowFault`].
            make (`Callable`): a record's row; may raise [`RowFault`] or, from `pair_row`, `ValueError`.

        Yields:
            `dict[str, Any]`: rows of the dataset.

        Raises:
            AnnotationError: at the first fault (a [`RowFault`] or another), unless faults are skipped.
        """
        for number, record in records:
            try:
                if isinstance(record, RowFault):
                    raise record
                row = dict(make(record))
                if not self._ids.is_new(row["id"]):
                    raise RowFault(
                        "with an id that comes twice",
                        f"expected an id of its own for each pair, but {row['id']!r} came before; delete one of them "
                        "or rename it.",
                    )
            except (RowFault, ValueError, TypeError, KeyError, OverflowError) as error:
                self._leave_out(where, number, error)
                continue
            self._count(row)
            yield row

    def close(self) -> None:
        """Say what was left out, where nobody handed in a report to look at."""
        if self.left_out and not self.told:
            warnings.warn(f"{self.left_out} rows were left out. {self.report}", stacklevel=3)

    def _count(self, row: Mapping[str, Any]) -> None:
        new = self._prompts.is_new(row["prompt_id"])
        self.report.prompts += new  # of a row that cannot be used, nobody knows the prompt
        self.report.paired += new
        self.report.pairs += 1
        self.report.degrees[row["degree"]] += 1

    def _leave_out(self, where: str | Path, number: int, error: Exception) -> None:
        cause = error.cause if isinstance(error, RowFault) else "with values that make no pair"
        if self.on_fault == "raise":
            raise AnnotationError(where, f'{error} on_fault="skip" leaves such rows out and counts them.', number)
        fault = AnnotationError(where, str(error), number)
        if callable(self.on_fault):
            self.on_fault(fault)
        self.left_out += 1
        self.report.left_out[cause] += 1
        if isinstance(self.report, ImportReport) and len(self.report.messages) < MAX_MESSAGES:
            self.report.messages.append(str(fault))


def prompt_id_of(prompt: str) -> str:
    """A name for a prompt by its words: one for all its spellings, in every file and for ever.

    Args:
        prompt (`str`): what the person does; case, punctuation and blanks make no difference.

    Returns:
        `str`: such as `"p-3f9a0c517be2d846"`.
    """
    words = words_of(prompt) or prompt
    return f"p-{hashlib.sha256(words.encode()).hexdigest()[:16]}"


def text_of(value: Any, what: str) -> str:
    """A text that is there, and that every file can hold.

    Args:
        value (`Any`): what a record has.
        what (`str`): its name, for the message.

    Returns:
        `str`: without blanks around it.

    Raises:
        RowFault: if it is no text, empty, or has halves of surrogate pairs.
    """
    if not isinstance(value, str) or not value.strip():
        raise RowFault(f"without a usable {what}", f"expected {what} to be text, got {str(value)[:60]!r}.")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise RowFault(f"without a usable {what}", f"expected {what} in Unicode, but {error}.") from error
    return value.strip()


def seed_of(value: Any) -> int | None:
    """A seed, where there is one.

    Args:
        value (`Any`): an integer, an integer as text, or None.

    Returns:
        `int` or `None`: the seed.

    Raises:
        RowFault: if it is no integer of 64 bits.
    """
    if isinstance(value, str) and len(value) < 20 and value.strip().removeprefix("-").isdecimal():
        value = int(value)
    if value is None or (type(value) is int and -(2**63) <= value < 2**63):
        return value
    raise RowFault("with a seed that is none", f"expected an integer of 64 bits as seed, got {str(value)[:60]!r}.")
