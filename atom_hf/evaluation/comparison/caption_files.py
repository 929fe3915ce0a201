"""Captions of a folder of motions: `walk.txt` beside `walk.npy`, or one file for all of them.

captions.csv        name,caption,fps
                    walk,a person walks,30
captions.jsonl      {"name": "walk", "caption": "a person walks"}

The frame rate is optional; it is for `.npy` files, which hold none.
"""

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ...motion import Caption
from ...motion.formats.files import read_text, split_lines
from ...motion.formats.humanml3d import captions_beside
from .cases import check_text

_FILES = ("captions.jsonl", "captions.csv")
_EXPECTED = "expected a name and a caption, and fps where it is known"


class Listed(NamedTuple):
    """What a file of captions says about a clip.

    Args:
        caption (`str`): what the person does; empty where it says nothing, which readers refuse.
        fps (`float`, *optional*): frames per second.
    """

    caption: str
    fps: float | None = None


def listed_captions(folder: Path) -> dict[str, Listed] | None:
    """What `captions.jsonl` or `captions.csv` of a folder says.

    Args:
        folder (`Path`): the folder.

    Returns:
        `dict[str, Listed]` or `None`: by name of the clip, without its suffix; None if there is no such file.

    Raises:
        ValueError: if there are both, a line is broken, or a name is there twice.
    """
    there = [folder / name for name in _FILES if (folder / name).is_file()]
    if len(there) > 1:
        raise ValueError(f"{folder} has {' and '.join(_FILES)}; keep the one that holds.")
    if not there:
        return None
    path, found = there[0], dict[str, Listed]()
    for line, row in _json_rows(path) if path.suffix == ".jsonl" else _csv_rows(path):
        name, listed = _listed(path, line, row)
        if name in found:
            raise ValueError(f"{path}, line {line}: the name {name!r} is there twice; every clip has one caption.")
        found[name] = listed
    return found


def caption_beside(path: Path) -> Caption | None:
    """The first caption in the text file beside a motion file.

    Args:
        path (`Path`): the motion file.

    Returns:
        [`Caption`] or `None`: None where there is none.

    Raises:
        ValueError: if the file is in HumanML3D's form and broken.
    """
    found = captions_beside(path)
    return found[0] if found else None


def _listed(path: Path, line: int, row: Mapping[str, Any]) -> tuple[str, Listed]:
    name, caption, fps = row.get("name"), row.get("caption"), row.get("fps")
    if not isinstance(name, str) or not name.strip() or not isinstance(caption, str | None):
        raise ValueError(f"{path}, line {line}: {_EXPECTED}; got {dict(row)!s:.80}.")
    try:
        rate = None if fps in (None, "") else float(fps)
    except (TypeError, ValueError):
        raise ValueError(f"{path}, line {line}: expected fps as a number, got {fps!r:.40}.") from None
    except OverflowError:
        rate = math.inf
    if rate is not None and not 0 < rate < math.inf:
        raise ValueError(f"{path}, line {line}: expected fps above 0, got {rate:g}; leave it empty if unknown.")
    for text in (name, caption or ""):
        try:
            check_text(text)
        except ValueError as error:
            raise ValueError(f"{path}, line {line}: {error}.") from None
    return Path(name.strip()).with_suffix("").as_posix() if _has_suffix(name) else name.strip(), Listed(
        " ".join((caption or "").split()), rate
    )


def _has_suffix(name: str) -> bool:
    return Path(name.strip()).suffix.lower() in (".npy", ".bvh", ".npz", ".amc")


def _json_rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for line, written in enumerate(split_lines(read_text(path)), 1):
        if not written.strip():
            continue
        try:
            row = json.loads(written)
        except RecursionError:
            raise ValueError(f"{path}, line {line}: it is nested too deeply; {_EXPECTED}.") from None
        except ValueError as error:
            raise ValueError(f"{path}, line {line}: expected a JSON object, got {written[:60]!r} ({error}).") from None
        if not isinstance(row, dict):
            raise ValueError(f'{path}, line {line}: expected {{"name": …, "caption": …}}, got {written[:60]!r}.')
        yield line, row


def _csv_rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    rows = csv.DictReader(io.StringIO(read_text(path), newline=""), restkey="more")
    try:
        yield from _csv_fields(path, rows)
    except csv.Error as error:
        line = rows.reader.line_num
        raise ValueError(f"{path}, line {line}: this is no CSV file with a name and a caption ({error}).") from None


def _csv_fields(path: Path, rows: "csv.DictReader[str]") -> Iterator[tuple[int, Mapping[str, Any]]]:
    if not {"name", "caption"} <= set(rows.fieldnames or ()):
        raise ValueError(f"{path}: expected the header name,caption or name,caption,fps, got {rows.fieldnames}.")
    for row in rows:
        if "more" in row:
            raise ValueError(
                f"{path}, line {rows.line_num}: it has more fields than the header; put a caption with commas in "
                "quotes."
            )
        yield rows.line_num, row
