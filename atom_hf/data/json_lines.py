"""JSON Lines files: read with the row of every fault, written whole or not at all.

{"prompt_id": "p00007", "prompt": "a man jumps twice"}     one object a line
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..motion.formats.files import replacing
from .faults import AnnotationError, OnFault, raise_or_tell


def read_lines(path: str | Path, on_fault: OnFault | None = None) -> Iterator[tuple[int, dict[str, Any]]]:
    """Objects of a JSON Lines file with their rows, counted from 1; blank lines are passed over.

    Args:
        path (`str` or `Path`): the file.
        on_fault (`Callable`, *optional*): gets each fault as an [`AnnotationError`], instead of it being raised; the
            line is left out then.

    Yields:
        `tuple[int, dict]`: row and object.

    Raises:
        AnnotationError: if the file is absent, or no file (a pipe would be waited for), or a line is no JSON object.
    """
    if Path(path).exists() and not Path(path).is_file():
        what = "a folder" if Path(path).is_dir() else "a pipe, a socket or a device"
        raise_or_tell(AnnotationError(path, f"expected a JSON Lines file, but it is {what}."), on_fault)
        return
    try:
        with Path(path).open(encoding="utf-8") as file:
            for row, line in enumerate(file, 1):
                if not line.strip():
                    continue
                try:
                    record = json.loads(line)
                    if "\\u" in line:  # half of a character, such as "\ud83d", is fine in JSON and nowhere else
                        json.dumps(record, ensure_ascii=False).encode()
                except (ValueError, RecursionError) as error:
                    cut = "" if line.endswith("\n") else " The line has no end: the file is cut off."
                    raise_or_tell(
                        AnnotationError(path, f"expected a JSON object, but {error}.{cut}", row), on_fault, error
                    )
                    continue
                if isinstance(record, dict):
                    yield row, record
                else:
                    problem = f"expected a JSON object, got {line.strip()[:60]!r}."
                    raise_or_tell(AnnotationError(path, problem, row), on_fault)
    except FileNotFoundError as error:
        problem = "expected a JSON Lines file, but there is none of this name."
        raise_or_tell(AnnotationError(path, problem), on_fault, error)
    except UnicodeDecodeError as error:
        raise_or_tell(AnnotationError(path, f"expected text in UTF-8, but {error}."), on_fault, error)


def write_lines(path: str | Path, records: Iterable[Mapping[str, Any]]) -> None:
    """Write a JSON Lines file, whole or not at all.

    Args:
        path (`str` or `Path`): the file; folders are made.
        records (`Iterable[Mapping]`): one object a line.
    """
    with replacing(path) as unfinished, unfinished.open("w", encoding="utf-8") as file:
        for record in records:
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
