"""Labels of "Exploring Text-to-Motion Generation with Human Preference" (InstructMotion) as rows of the dataset.

preference_labels.jsonl    {"id": 7, "prompt": "a man waves", "sample_1": {"features": "features/a.npy", …}, …}
tokens/a_token.npy         codes, (1, T)

Where `chosen` has several entries, the last one is the verdict. Pairs that people skipped stay in the data.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import IO, Any

import numpy as np

from ...motion import MotionFormatError
from ...motion.codes import NUM_CODES
from ...motion.formats.files import read_npy
from ..faults import AnnotationError, OnFault
from ..pairs import PairReport
from ..schema import HUMAN
from .faults import RowFault, RowMaker
from .labels import BROKEN, LABELS, MAX_TOKEN_BYTES, MISSING, OUTSIDE, LabelFiles, LabelForm, not_there, rows_of_labels

PREFIX = "instructmotion"


def read_instructmotion(
    folder: str | Path,
    *,
    report: PairReport | None = None,
    on_fault: str | OnFault = "raise",
    num_codes: int = NUM_CODES,
    model: str = "MotionGPT",
) -> Iterator[dict[str, Any]]:
    """Rows of a folder of InstructMotion's labels, one at a time: people's, unless a row has a `judge` of its own.

    People's names are replaced by the first 12 digits of their SHA-256, so that votes of one person stay together;
    whoever knows a name can still find its votes.

    Args:
        folder (`str` or `Path`): holds `preference_labels.jsonl` and `tokens/`. Of the paths in the labels only the
            end counts (`features/x.npy`), as they often are those of another machine.
        report ([`PairReport`], *optional*): counts what is read and left out; an [`ImportReport`] keeps the first
            messages, too. Without one, a warning says what was left out.
        on_fault (`str` or `Callable`, *optional*, defaults to `"raise"`): `"skip"` leaves out rows that cannot be
            used; so does a function, which gets each fault as an [`AnnotationError`].
        num_codes (`int`, *optional*, defaults to 512): size of the codebook.
        model (`str`, *optional*, defaults to `"MotionGPT"`): who made the motions, where a sample has no `from`.

    Returns:
        `Iterator[dict]`: rows of the dataset.

    Raises:
        AnnotationError: if there are no labels or, unless faults are skipped, at the first row that cannot be used:
            broken JSON, a missing or odd token file, a path that leaves the folder, an unknown degree, codes out of
            range, two motions that are the same, an id that comes twice.
        ValueError: if `on_fault` is unknown.
    """
    form = LabelForm(PREFIX, "overall", HUMAN, model, num_codes)
    return _read(FolderFiles(folder), form, RowMaker(report, on_fault))


def _read(files: LabelFiles, form: LabelForm, maker: RowMaker) -> Iterator[dict[str, Any]]:
    yield from rows_of_labels(files, form, maker)
    maker.close()


class FolderFiles:
    """Labels and tokens in a folder. Links that lead out of it are not followed.

    Args:
        folder (`str` or `Path`): holds `preference_labels.jsonl`.
        inside (`str` or `Path`, *optional*): a folder around it that links may stay in.
    """

    def __init__(self, folder: str | Path, inside: str | Path | None = None) -> None:
        self.folder = Path(folder)
        self.where = str(self.folder / LABELS)
        root = Path(inside or folder).resolve()
        self._inside = [root]
        for parent in (root, *root.parents):  # the Hub's cache keeps the files in blobs, and links to them
            if parent.parent.name == "snapshots":
                self._inside.append(parent.parents[1] / "blobs")
                break

    def open_labels(self) -> IO[bytes]:
        """The labels.

        Returns:
            `IO[bytes]`: a stream of lines.

        Raises:
            AnnotationError: if there are none, or they are a link that leaves the folder.
        """
        path = self.folder / LABELS
        if not path.is_file():
            has = sorted(item.name for item in self.folder.iterdir())[:8] if self.folder.is_dir() else []
            raise AnnotationError(
                self.folder, f"expected a folder with {LABELS}, but it has {', '.join(has) or 'nothing'}."
            )
        if not self._holds(path):
            raise AnnotationError(path, "is a link that leaves the folder; put the file itself there.")
        return path.open("rb")

    def read_tokens(self, places: Sequence[PurePosixPath]) -> np.ndarray:
        """The array at the first of some places that is there.

        Args:
            places (`Sequence[PurePosixPath]`): inside the folder.

        Returns:
            `np.ndarray`: of any shape; codes.

        Raises:
            RowFault: if there is no such file, it leaves the folder, or it is too large or broken.
        """
        for place in places:
            path = self.folder / place
            try:
                if not self._holds(path):
                    raise RowFault(OUTSIDE, f"{path} is a link that leaves the folder; put the file itself there.")
                if path.is_file():
                    if (size := path.stat().st_size) > MAX_TOKEN_BYTES:
                        raise RowFault(
                            BROKEN, f"{path}: expected at most {MAX_TOKEN_BYTES} bytes of codes, got {size}."
                        )
                    return read_npy(path)
            except MotionFormatError as error:
                raise RowFault(BROKEN, str(error)) from error
            except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle
                raise RowFault(BROKEN, f"{path} cannot be read: {error}.") from error
        raise RowFault(MISSING, not_there(places))

    def _holds(self, path: Path) -> bool:
        real = path.resolve()
        return any(real.is_relative_to(folder) for folder in self._inside)
