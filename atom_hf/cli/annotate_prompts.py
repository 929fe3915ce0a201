"""What motion files were made for, from a file: .jsonl or .csv with a row for each, or .txt with a line for each.

prompts.jsonl   {"name": "walk", "prompt": "a person walks", "task": "integrity"}
prompts.csv     name,prompt
prompts.txt     a person walks
"""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..events import Scenario
from ..motion.formats.files import read_text, split_lines

TASKS = ("integrity", "temporal", "frequency", "overall")


def read_prompts(
    path: Path, names: Sequence[str], column: str = "prompt"
) -> dict[str, tuple[str, str | None, Scenario | None]]:
    """Prompts of motion files by their names.

    Args:
        path (`Path`): .jsonl or .csv with `name` and the column, .txt with a line for each name, or one for all.
        names (`Sequence[str]`): of the files, sorted, without suffixes.
        column (`str`, *optional*, defaults to `"prompt"`): which has the prompt; `caption` will do as well.

    Returns:
        `dict[str, tuple]`: name → prompt, task and scenario, where they are known.

    Raises:
        ValueError: if the file is absent, no UTF-8 or of another form, or has a name twice.
    """
    suffix = path.suffix.lower()
    if suffix not in (".jsonl", ".csv", ".txt"):
        raise ValueError(f"--prompts {path}: expected .jsonl, .csv or .txt, got {suffix or 'a name without either'}.")
    text = _read(path)
    if suffix == ".txt":
        lines = [line.strip() for line in split_lines(text) if line.strip()]
        if len(lines) not in (1, len(names)):
            raise ValueError(
                f"{path}: expected a line for each of {len(names)} motions in order of their names, or one for all, "
                f"got {len(lines)}."
            )
        return {name: (line, None, None) for name, line in zip(names, lines * len(names), strict=False)}
    found: dict[str, tuple[str, str | None, Scenario | None]] = {}
    rows = _json_rows(path, text) if suffix == ".jsonl" else _csv_rows(path, text)
    for line, row in rows:
        name, prompt, task = row.get("name"), row.get(column, row.get("caption")), row.get("task") or None
        if not isinstance(name, str) or not isinstance(prompt, str) or not name.strip() or not prompt.strip():
            raise ValueError(f"{path}, line {line}: expected name and {column}, got {', '.join(map(str, row))}.")
        if task not in (None, *TASKS):
            raise ValueError(f"{path}, line {line}: expected a task, one of {', '.join(TASKS)}, got {task!r}.")
        key = name.strip() if name.strip() in names else Path(name.strip()).with_suffix("").as_posix()
        if key in found:
            raise ValueError(f"{path}, line {line}: the name {key!r} is there twice.")
        found[key] = (prompt.strip(), task, _scenario(row.get("scenario"), f"{path}, line {line}"))
    return found


def _read(path: Path) -> str:
    text = read_text(path)
    if "\ufffd" in text:  # it stands for bytes that are no UTF-8, unless it is in the file itself
        data = path.read_bytes()
        try:
            data.decode("utf-8")
        except UnicodeDecodeError as error:
            line = data[: error.start].count(b"\n") + 1
            found = f"the byte 0x{data[error.start]:02x}, as Latin-1 or Windows-1252 have it"
            if data.startswith((b"\xff\xfe", b"\xfe\xff")):
                found = "UTF-16"
            raise ValueError(f"{path}, line {line}: expected UTF-8, got {found}. Save the file as UTF-8.") from None
    return text


def _csv_rows(path: Path, text: str) -> list[tuple[int, dict[str, Any]]]:
    try:
        return list(enumerate(csv.DictReader(io.StringIO(text, newline="")), 2))
    except csv.Error as error:
        raise ValueError(f"{path}: expected a table of name and prompt, got none ({error}).") from None


def _json_rows(path: Path, text: str) -> list[tuple[int, dict[str, Any]]]:
    rows = []
    for line, written in enumerate(split_lines(text), 1):
        if written.strip():
            try:
                row = json.loads(written)
            except (ValueError, RecursionError):
                row = None
            if not isinstance(row, dict):
                raise ValueError(f"{path}, line {line}: expected a JSON object, got {written[:60]!r}.")
            rows.append((line, row))
    return rows


def _scenario(written: Any, where: str) -> Scenario | None:
    if not written:
        return None
    try:
        return Scenario.from_json(written if isinstance(written, str) else json.dumps(written))
    except (ValueError, TypeError) as error:
        raise ValueError(f"{where}: {error}") from None
