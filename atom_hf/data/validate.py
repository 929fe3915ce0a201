"""Every fault of a folder of preference data, with file, row and cure: MotionPrefer's Parquet, and what it is made of.

validation = validate_folder("motionprefer")
validation.ok        →  False
validation.faults    →  [Fault("data/human/train-00000-of-00001.parquet", 17, "margin: expected 2 for 'better', …", …)]
print(validation)    →  the same for people
"""

import os
from collections.abc import Iterator
from pathlib import Path

from ..motion.codes import NUM_CODES
from .annotations import PARTS, read_annotations
from .faults import AnnotationError, OnFault, Validation
from .importers import ImportReport, read_atom, read_instructmotion
from .importers.labels import LABELS
from .parquet_files import require_datasets
from .splits import split_of_prompt
from .uniqueness import SPLITS_CURE, OneSplit
from .validate_parquet import check_parquet

MOTIONPREFER = "MotionPrefer"
ANNOTATIONS = "annotations"
INSTRUCTMOTION = "InstructMotion"
ATOM = "AToM"
_KEPT = (".git", ".cache", ".ipynb_checkpoints", ".DS_Store", ".gitattributes", ".gitignore", ".nfs")
_UNFINISHED = (".incomplete", ".partial", ".part", ".tmp", ".lock")

_REMOVE = "Delete what a stopped run left behind, after a look whether a run is still at work on the folder."
_LINKS = "Put the files themselves into the folder, so that it means the same wherever it is copied."
_LINES = "Mend or delete these lines, or delete the file and run the step that wrote it again."
_ARCHIVE = "Fetch the archive again; if it is so by itself, atom-hf data import leaves such rows out and counts them."


def validate_folder(folder: str | Path, num_codes: int | None = None) -> Validation:
    """Look for every fault of a folder of preference data; nothing is changed.

    Parquet is read a few rows at a time, whatever the size of the files. What grows with them are 16 bytes a row, a
    record a prompt, and the faults.

    Args:
        folder (`str` or `Path`): MotionPrefer's Parquet, raw annotations, or the files of InstructMotion or AToM; see
            `kind_of`.
        num_codes (`int`, *optional*): size of the codebook; what MotionPrefer's files say, or 512, by default.

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
    if num_codes is None:
        num_codes = _stored_num_codes(folder) if validation.kind == MOTIONPREFER else NUM_CODES
    if validation.kind == MOTIONPREFER:
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
            elif path.suffix == ".parquet" and not path.is_dir():
                validation.add(file, None, "expected a file, got a pipe, a socket or a device.", _LINKS)
        folders[:] = [name for name in folders if name not in _KEPT]


def _stored_num_codes(folder: Path) -> int:
    require_datasets()
    from .folder import num_codes_of  # which needs pyarrow

    return num_codes_of(folder)


def _check_annotations(folder: Path, num_codes: int, validation: Validation) -> None:
    add = _adder(folder, validation, _LINES)
    counts = dict.fromkeys(("prompts", "candidates", "verdicts", "votes"), 0)
    splits = OneSplit()
    try:
        for prompt in read_annotations(folder, num_codes=num_codes, on_fault=add):
            split = prompt.split or split_of_prompt(prompt.prompt)
            if problem := splits.fault(prompt.prompt_id, prompt.prompt, split):
                validation.add("prompts", None, problem, SPLITS_CURE)
            counts["prompts"] += 1
            counts["candidates"] += len(prompt.candidates)
            counts["verdicts"] += sum(candidate.judged for candidate in prompt.candidates.values())
            counts["votes"] += len(prompt.votes)
    except AnnotationError as error:  # without any prompts there is nothing to go on with
        add(error)
    validation.counts.update(counts)


def _check_labels(folder: Path, num_codes: int, validation: Validation) -> None:
    read = read_instructmotion if validation.kind == INSTRUCTMOTION else read_atom
    add = _adder(folder, validation, _ARCHIVE)
    report = ImportReport()
    try:
        for _ in read(folder, report=report, on_fault=add, num_codes=num_codes):
            pass
    except AnnotationError as error:  # an archive that cannot be read at all
        add(error)
    validation.counts.update(pairs=report.pairs, prompts=report.prompts)


def _adder(folder: Path, validation: Validation, cure: str) -> OnFault:
    """What notes the faults of readers, with paths inside the folder."""

    def add(error: AnnotationError) -> None:
        path = error.path.relative_to(folder) if error.path.is_relative_to(folder) else error.path
        file = path.as_posix().removeprefix(f"{folder.as_posix()}: ")  # of what lies in an archive
        validation.add(file if path.parts else folder.name, error.row, error.problem, cure)

    return add
