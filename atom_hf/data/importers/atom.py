"""Labels of "AToM: Aligning Text-to-Motion Model at Event-Level with GPT-4Vision Reward" as rows of the dataset.

integrity/preference_labels.jsonl, integrity/tokens/…     InstructMotion's layout once for each task,
temporal.zip                                              or an archive of it,
general_preference/…                                      or the three tasks in one

Archives are read where they are: nothing is unpacked to disk.
"""

import io
import os
import stat
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any

import numpy as np

from ...motion import MotionFormatError
from ...motion.codes import NUM_CODES
from ...motion.formats.files import PACKINGS, ZIP_ERRORS, read_array
from ..faults import AnnotationError, OnFault
from ..pairs import PairReport
from ..schema import TASKS
from .faults import RowFault, RowMaker
from .instructmotion import FolderFiles
from .labels import BROKEN, LABELS, MAX_TOKEN_BYTES, MISSING, LabelForm, not_there, rows_of_labels

MAX_LABEL_BYTES = 2**30
MAX_RATIO = 200  # labels repeat themselves, and shrink to a tenth; a bomb shrinks to a thousandth
_DIRECTORY = 2**26  # bytes of an archive's table of contents: half a million files


def read_atom(
    path: str | Path,
    *,
    report: PairReport | None = None,
    on_fault: str | OnFault = "raise",
    num_codes: int = NUM_CODES,
    model: str = "MotionGPT",
    judge: str = "gpt-4v",
    task: str | None = None,
    degree: str | None = None,
) -> Iterator[dict[str, Any]]:
    """Rows of AToM's preference data, one at a time.

    Args:
        path (`str` or `Path`): a folder or a `.zip` archive with `preference_labels.jsonl` and `tokens/`; or with
            folders or archives of that form, one for each task. The name of a folder or an archive tells its task if
            it has integrity, temporal or frequency in it; general or overall stands for all of them. A row's own
            `task` goes before.
        report ([`PairReport`], *optional*): counts what is read and left out; an [`ImportReport`] keeps the first
            messages, too. Without one, a warning says what was left out.
        on_fault (`str` or `Callable`, *optional*, defaults to `"raise"`): `"skip"` leaves out rows that cannot be
            used; so does a function, which gets each fault as an [`AnnotationError`].
        num_codes (`int`, *optional*, defaults to 512): size of the codebook.
        model (`str`, *optional*, defaults to `"MotionGPT"`): who made the motions, where a sample has no `from`.
        judge (`str`, *optional*, defaults to `"gpt-4v"`): who judged, where a row has no `judge` of its own. Where
            it is `"human"`, votes are kept.
        task (`str`, *optional*): the task of all files, whatever their names.
        degree (`str`, *optional*): degree of preference of rows that have none.

    Returns:
        `Iterator[dict]`: rows of the dataset.

    Raises:
        AnnotationError: if there are no labels, an archive is broken or hostile or, unless faults are skipped, at the
            first row that cannot be used; see `read_instructmotion`.
        ValueError: if `on_fault` or `task` is unknown.
    """
    if task not in (None, *TASKS):
        raise ValueError(f"task is one of {', '.join(TASKS)}, got {task!r}.")
    form = LabelForm("atom", task, judge, model, num_codes, degree)
    return _read(Path(path), form, RowMaker(report, on_fault))


def read_task(name: str) -> str | None:
    """The task that a folder or an archive is named after.

    Args:
        name (`str`): such as `"Integrity"`, `"temporal_order"` or `"general_preference"`.

    Returns:
        `str` or `None`: one of `TASKS`; None if the name has none of them in it, or several.
    """
    plain = name.casefold()
    found = [task for task in TASKS if task in plain] or ["overall"] * ("general" in plain)
    return found[0] if len(found) == 1 else None


def _read(path: Path, form: LabelForm, maker: RowMaker) -> Iterator[dict[str, Any]]:
    found = False
    for place in _places(path):
        if place.suffix.lower() == ".zip":
            with _opened(place) as archive:
                for files in _archived(place, archive):
                    found = True
                    names = [*reversed(files.base.parts), place.stem, path.name]
                    yield from rows_of_labels(files, _named(form, names), maker)
        else:
            found = True
            names = [*reversed(place.relative_to(path).parts), path.name]
            yield from rows_of_labels(FolderFiles(place, path), _named(form, names), maker)
    if not found:
        has = sorted(item.name for item in path.iterdir())[:8] if path.is_dir() else [path.name]
        raise AnnotationError(
            path, f"expected {LABELS}, or folders or .zip archives that hold it, got {', '.join(has) or 'nothing'}."
        )
    maker.close()


def _places(path: Path) -> list[Path]:
    """Folders with labels, and archives; not deeper than two folders."""
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise AnnotationError(path, "expected a folder or a .zip archive, but there is none of this name.")
    root = path.resolve()
    labels = {place.parent for depth in ("", "*/", "*/*/") for place in path.glob(f"{depth}{LABELS}")}
    archives = [place for depth in ("", "*/") for place in path.glob(f"{depth}*.[zZ][iI][pP]")]
    for place in (*labels, *archives):
        if not place.resolve().is_relative_to(root) and root.parent.name != "snapshots":
            raise AnnotationError(place, "is a link that leaves the folder; put the files themselves there.")
    return sorted([*labels, *archives])


def _named(form: LabelForm, names: Sequence[str]) -> LabelForm:
    """With the task of the first name that tells one, and with it in the ids."""
    task = form.task or next(filter(None, map(read_task, names)), None)
    return LabelForm(f"{form.prefix}/{task or 'overall'}", task, form.judge, form.model, form.num_codes, form.degree)


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with _Bounded(path) as file, zipfile.ZipFile(file) as archive:
            yield archive
    except AnnotationError:
        raise
    except ZIP_ERRORS as error:
        raise AnnotationError(path, f"expected a .zip archive, but it cannot be read ({error}).") from error


class _Bounded(io.FileIO):
    """A file that is not read in pieces larger than a table of contents may be, whatever the archive claims."""

    def read(self, size: int | None = -1) -> bytes:
        rest = os.fstat(self.fileno()).st_size - self.tell()
        if min(rest, rest if size is None or size < 0 else size) > _DIRECTORY:
            raise zipfile.BadZipFile(f"its table of contents is longer than {_DIRECTORY} bytes")
        return super().read(size)


def _archived(path: Path, archive: zipfile.ZipFile) -> list["ArchiveFiles"]:
    """One for each file of labels in the archive; names are checked before anything is read."""
    members: dict[str, zipfile.ZipInfo] = {}
    for member in archive.infolist():
        name = member.filename.replace("\\", "/")
        parts = PurePosixPath(name).parts
        if name.startswith("/") or ".." in parts or (parts and ":" in parts[0]):
            raise AnnotationError(path, f"holds {name[:80]!r}, a path that leaves the archive; it is hostile.")
        if name in members:
            raise AnnotationError(path, f"holds {name[:80]!r} twice, so that it is open which one counts.")
        if parts[:1] != ("__MACOSX",):
            members[name] = member
    bases = sorted(PurePosixPath(name).parent for name in members if PurePosixPath(name).name == LABELS)
    return [ArchiveFiles(path, archive, members, base) for base in bases]


class ArchiveFiles:
    """Labels and tokens in an archive.

    Args:
        path (`Path`): the archive, for messages.
        archive (`zipfile.ZipFile`): open.
        members (`dict[str, zipfile.ZipInfo]`): what it holds.
        base (`PurePosixPath`): the folder in it that holds the labels.
    """

    def __init__(
        self, path: Path, archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo], base: PurePosixPath
    ) -> None:
        self.path, self.base = path, base
        self.where = f"{path}: {base / LABELS}"
        self._archive, self._members = archive, members

    def open_labels(self) -> IO[bytes]:
        """The labels.

        Returns:
            `IO[bytes]`: a stream of lines.

        Raises:
            AnnotationError: if they are no plain file, or claim to unpack to too much.
        """
        member = self._members[str(self.base / LABELS)]
        size, packed = member.file_size, max(member.compress_size, 1)
        if problem := _unusual(member):
            raise AnnotationError(self.where, problem)
        if size > MAX_LABEL_BYTES or (size > 2**20 and size / packed > MAX_RATIO):
            raise AnnotationError(
                self.where,
                f"unpacks from {packed} to {size} bytes; expected at most {MAX_LABEL_BYTES}, and {MAX_RATIO} times as "
                "many. If the archive is to be trusted, unpack it and pass the folder.",
            )
        return self._archive.open(member)

    def read_tokens(self, places: Sequence[PurePosixPath]) -> np.ndarray:
        """The array at the first of some places that is there.

        Args:
            places (`Sequence[PurePosixPath]`): below the folder that holds the labels.

        Returns:
            `np.ndarray`: of any shape; codes.

        Raises:
            RowFault: if there is no such file, or it is too large or broken.
        """
        for place in places:
            member = self._members.get(str(self.base / place))
            if member is None:
                continue
            where = f"{self.path}: {member.filename}"
            if problem := _unusual(member):
                raise RowFault(BROKEN, f"{where}: {problem}")
            if member.file_size > MAX_TOKEN_BYTES:
                raise RowFault(
                    BROKEN, f"{where}: expected at most {MAX_TOKEN_BYTES} bytes of codes, got {member.file_size}."
                )
            try:
                data = self._archive.read(member)  # to its end, so that its checksum is compared
                return read_array(io.BytesIO(data), where, len(data))
            except MotionFormatError as error:
                raise RowFault(BROKEN, str(error)) from error
            except ZIP_ERRORS as error:
                raise RowFault(BROKEN, f"{where}: its data cannot be read ({error}).") from error
        raise RowFault(MISSING, not_there(places))


def _unusual(member: zipfile.ZipInfo) -> str | None:
    """Why a member is not read, if it is not."""
    if stat.S_ISLNK(member.external_attr >> 16):
        return "is a link; expected a file."
    if member.flag_bits & 1:
        return "is encrypted; unpack the archive and pass the folder."
    if member.compress_type not in PACKINGS:
        return "is packed in an unusual way; unpack the archive and pass the folder."
    return None
