"""Every fault of a folder of preference data, with file, row and cure: MotionPrefer's Parquet, and what it is made of.

validation = validate_folder("motionprefer")
validation.ok        →  False
validation.faults    →  [Fault("data/human/train-00000-of-00001.parquet", 17, "margin: expected 2 for 'better', …", …)]
print(validation)    →  the same for people
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from ..motion.codes import NUM_CODES
from .annotations import PARTS, AnnotationError, read_annotations
from .splits import split_of_prompt
from .uniqueness import OneSplit

MOTIONPREFER = "MotionPrefer"
ANNOTATIONS = "annotations"
INSTRUCTMOTION = "InstructMotion"
ATOM = "AToM"
LABELS = "preference_labels.jsonl"  # what a folder of InstructMotion has
_KEPT = (".git", ".cache", ".ipynb_checkpoints", ".DS_Store", ".gitattributes", ".gitignore", ".nfs")
_UNFINISHED = (".incomplete", ".partial", ".part", ".tmp", ".lock")
_LONGEST = 400  # letters of a problem; a broken value may be a whole motion

SPLITS_CURE = (
    "Keep all pairs of a prompt in one split, as split_of_prompt does; a test on prompts that were trained on says "
    "nothing."
)
_REMOVE = "Delete what a stopped run left behind, after a look whether a run is still at work on the folder."
_LINKS = "Put the files themselves into the folder, so that it means the same wherever it is copied."
_LINES = "Mend or delete these lines, or delete the file and run the step that wrote it again."
_ARCHIVE = "Fetch the archive again; if it is so by itself, atom-hf data import leaves such rows out and counts them."


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
        """
        counts = ", ".join(f"{count:,} {name}" for name, count in self.counts.items())
        lines = [f"{self.folder}: {self.kind}, {counts}"]
        if self.ok:
            return f"{lines[0]}\nNo faults.\n"
        shown = self.faults if limit is None else self.faults[: max(limit, 0)]
        for file, faults in groupby(shown, key=lambda fault: fault.file):
            rows = [(f"row {row:,}" if row is not None else "", problem) for _, row, problem, _ in faults]
            width = max(len(row) for row, _ in rows)
            lines += ["", _plain(file), *(f"  {row:<{width}}{'  ' * bool(width)}{_plain(text)}" for row, text in rows)]
        files = len({fault.file for fault in self.faults})
        lines += ["", f"{_many(len(self.faults), 'fault')} in {_many(files, 'file')}"]
        if len(shown) < len(self.faults):
            lines[-1] += f"; {_many(len(shown), 'is', 'are')} listed, --limit {len(self.faults)} lists all"
        cures = dict.fromkeys(fault.cure for fault in self.faults)
        return "\n".join([*lines, "", "What to do", *(f"  - {cure}" for cure in cures)]) + "\n"

    def __str__(self) -> str:
        return self.report()


def validate_folder(folder: str | Path, num_codes: int = NUM_CODES) -> Validation:
    """Look for every fault of a folder of preference data; nothing is changed.

    Parquet is read a few rows at a time, whatever the size of the files. What grows with them are 16 bytes a row, a
    record a prompt, and the faults.

    Args:
        folder (`str` or `Path`): MotionPrefer's Parquet, raw annotations, or the files of InstructMotion or AToM; see
            `kind_of`.
        num_codes (`int`, *optional*, defaults to 512): size of the codebook.

    Returns:
        [`Validation`]: kind, counts, and faults.

    Raises:
        FileNotFoundError: if there is no such folder.
        NotADirectoryError: if it is a file.
        ValueError: if it is none of these kinds.
        ImportError: if the folder holds Parquet and `datasets` is not installed.
    """
    folder = Path(folder)
    validation = Validation(folder, kind_of(folder))
    files = sorted(_files(folder, validation))
    if validation.kind == MOTIONPREFER:
        from .validate_parquet import check_parquet

        check_parquet(folder, files, num_codes, validation)
    elif validation.kind == ANNOTATIONS:
        _check_annotations(folder, num_codes, validation)
    else:
        _check_labels(folder, num_codes, validation)
    validation.faults.sort(key=lambda fault: (fault.file, fault.row or 0))
    return validation


def kind_of(folder: str | Path) -> str:
    """What a folder holds.

    Args:
        folder (`str` or `Path`): any folder.

    Returns:
        `str`: `"MotionPrefer"` (Parquet files), `"annotations"` (`prompts/*.jsonl` …), `"InstructMotion"`
            (`preference_labels.jsonl`) or `"AToM"` (folders or `.zip` archives with such files).

    Raises:
        FileNotFoundError: if there is no such folder.
        NotADirectoryError: if it is a file, and no archive.
        ValueError: if it is none of these kinds; the message says what is in it.
    """
    folder = Path(folder)
    if not folder.exists():
        raise FileNotFoundError(f"{folder}: expected a folder of preference data, but there is no such folder.")
    if folder.is_file() and folder.suffix.lower() == ".zip":
        return ATOM
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder}: expected a folder of preference data, but it is a file.")
    if any(folder.glob("*.parquet")) or any(folder.glob("data/**/*.parquet")):
        return MOTIONPREFER
    if any((folder / part).is_dir() for part in PARTS):
        return ANNOTATIONS
    if (folder / LABELS).exists():
        return INSTRUCTMOTION
    if any(
        any(folder.glob(pattern)) for pattern in (f"*/{LABELS}", f"*/*/{LABELS}", "*.[zZ][iI][pP]", "*/*.[zZ][iI][pP]")
    ):
        return ATOM
    if any(folder.glob("*/*.parquet")):
        return MOTIONPREFER
    names = sorted(path.name + "/" * path.is_dir() for path in folder.iterdir())
    has = f"it has {', '.join(names[:8])}{' …' * (len(names) > 8)}" if names else "it is empty"
    raise ValueError(
        f"{folder}: expected MotionPrefer (data/*/*.parquet), raw annotations (prompts/*.jsonl), InstructMotion "
        f"({LABELS}) or AToM (*/{LABELS}), but {has}."
    )


def _files(folder: Path, validation: Validation) -> Iterator[str]:
    """Paths of the files inside the folder; leftovers and links that lead out of it are faults, and left out."""
    inside = [folder.resolve()]
    if folder.resolve().parent.name == "snapshots":  # the Hub's cache keeps the files in blobs, and links to them here
        inside.append(folder.resolve().parents[1] / "blobs")
    for root, folders, names in os.walk(folder):
        for name in [*folders, *names]:
            path = Path(root, name)
            file = path.relative_to(folder).as_posix()
            if path.is_symlink() and not any(path.resolve().is_relative_to(place) for place in inside):
                validation.add(
                    file, None, f"expected a file of the folder, got a link to {os.readlink(path)}.", _LINKS
                )
            elif not path.exists():
                validation.add(file, None, "expected a file, got a link to one that is not there.", _LINKS)
            elif path.is_file() and name not in _KEPT:
                hidden = name.startswith(".") and path.suffix in (".parquet", ".jsonl", ".json", ".md")
                if hidden or path.suffix in _UNFINISHED:
                    validation.add(
                        file, None, "expected finished files only, but this one was never finished.", _REMOVE
                    )
                else:
                    yield file
        folders[:] = [name for name in folders if name not in _KEPT]


def _check_annotations(folder: Path, num_codes: int, validation: Validation) -> None:
    def add(error: AnnotationError) -> None:
        path = error.path.relative_to(folder) if error.path.is_relative_to(folder) else error.path
        validation.add(path.as_posix(), error.row, error.problem, _LINES)

    counts = dict.fromkeys(("prompts", "candidates", "verdicts", "votes"), 0)
    splits = OneSplit()
    try:
        for prompt in read_annotations(folder, num_codes=num_codes, on_fault=add):
            split = prompt.split or split_of_prompt(prompt.prompt)
            if problem := splits.fault(prompt.prompt_id, prompt.prompt, split):
                validation.add("prompts", None, problem, SPLITS_CURE)
            counts["prompts"] += 1
            counts["candidates"] += len(prompt.candidates)
            counts["verdicts"] += sum(
                bool(c.score is not None or c.cause or c.judge) for c in prompt.candidates.values()
            )
            counts["votes"] += len(prompt.votes)
    except AnnotationError as error:
        add(error)
    validation.counts.update(counts)


def _check_labels(folder: Path, num_codes: int, validation: Validation) -> None:
    from .importers import ImportReport, read_atom, read_instructmotion

    read = read_instructmotion if validation.kind == INSTRUCTMOTION else read_atom
    report = ImportReport(messages=_Messages())
    try:
        for _ in read(folder, report=report, on_fault="skip", num_codes=num_codes):
            pass
    except AnnotationError as error:
        report.messages.append(str(error))
    for message in report.messages:
        where = re.match(
            r"(?P<file>.*?)(, row (?P<row>\d+))?: (?P<problem>(?!preference_labels).*)", message, re.DOTALL
        )
        assert where is not None
        file = where["file"].removeprefix(f"{folder}").lstrip("/\\: ") or folder.name
        validation.add(file, int(where["row"]) if where["row"] else None, where["problem"], _ARCHIVE)
    validation.counts.update(pairs=report.pairs, prompts=report.prompts)


class _Messages(list[str]):
    """All messages: a report only keeps the first ones, so this list never says that it is full."""

    def __len__(self) -> int:
        return 0


def _many(count: int, one: str, several: str | None = None) -> str:
    return f"{count:,} {one if count == 1 else several or f'{one}s'}"


def _plain(text: str) -> str:
    """Text that cannot move the terminal's cursor or change its colours, whatever a file holds."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)
