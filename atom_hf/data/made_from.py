"""What a dataset was made from, in a file beside it: whether it is there already, and still what it would be.

outputs/motionprefer/dataset.json   {"settings": {"rule": {…}}, "annotations": "5f0c…", "dataset": "91ab…"}
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..motion.formats.files import replacing
from .annotations import PARTS, pieces

_PIECE = 2**20  # bytes in memory at once


def digest_of(paths: Iterable[str | Path], root: str | Path | None = None) -> str:
    """What names and contents of files come to: another text as soon as one is changed, added, renamed or removed.

    Args:
        paths (`Iterable[str | Path]`): the files, in any order.
        root (`str` or `Path`, *optional*): a folder around them, whose own place makes no difference; without it only
            the contents count.

    Returns:
        `str`: 64 hexadecimal digits of SHA-256.
    """
    whole = hashlib.sha256()
    for path in sorted(map(Path, paths)):
        content = hashlib.sha256()
        with path.open("rb") as file:
            while data := file.read(_PIECE):
                content.update(data)
        name = "" if root is None else path.relative_to(root).as_posix()
        whole.update(f"{name}\0{content.hexdigest()}\n".encode(errors="surrogatepass"))
    return whole.hexdigest()


class MadeFrom:
    """The note that says what a dataset was made from; it is written when all is done.

    Args:
        folder (`str` or `Path`): the dataset; the note is the file beside it, with `.json` to its name.
        annotations (`str` or `Path`): what it is made from.
        settings (`Mapping`): what else it depends on; plain data.
    """

    def __init__(self, folder: str | Path, annotations: str | Path, settings: Mapping[str, Any]) -> None:
        self.folder = Path(folder)
        self.note = self.folder.with_name(f"{self.folder.name}.json")
        said = [Path(annotations, part, f"{name}.jsonl") for part in PARTS for name in pieces(annotations)]
        self._made_from = {  # before the work: what changes while it goes on is for the next time
            "settings": json.loads(json.dumps(settings)),
            "annotations": digest_of([path for path in said if path.exists()], annotations),
        }

    def is_current(self) -> bool:
        """Whether the dataset is there as it was written, and would be made of the same annotations and settings."""
        try:
            before = json.loads(self.note.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        return bool(before == self._facts())

    def write(self) -> None:
        """Note what the dataset was made from."""
        with replacing(self.note) as unfinished:
            unfinished.write_text(json.dumps(self._facts(), indent=2) + "\n", encoding="utf-8")

    def _facts(self) -> dict[str, Any]:
        made = [*self.folder.glob("README.md"), *self.folder.glob("data/*/*")]
        return {**self._made_from, "dataset": digest_of(made, self.folder)}
