"""Where verdicts of `atom-hf annotate` go: JSON lines, Parquet, or a folder of annotations."""

import json
import shutil
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..data.json_lines import write_lines
from ..motion.formats.files import replacing


def write_verdicts(path: Path, records: Sequence[Mapping[str, Any]], made_with: Mapping[str, Any]) -> None:
    """Write a file of verdicts.

    Args:
        path (`Path`): .jsonl or .parquet.
        records (`Sequence[Mapping]`): a verdict each.
        made_with (`Mapping`): who judged, for those who read a table.

    Raises:
        ImportError: if a table is asked for and `pyarrow` is missing.
    """
    if path.suffix.lower() == ".jsonl":
        write_lines(path, records)
    else:
        write_parquet(path, records, made_with)


def write_annotations(
    folder: Path,
    source: Path,
    pieces: Sequence[str],
    records: Sequence[Mapping[str, Any]],
    made_with: Mapping[str, Any],
) -> None:
    """Write a folder of annotations: prompts, candidates and votes of another one, with new verdicts.

    Args:
        folder (`Path`): the folder; verdicts in it are replaced.
        source (`Path`): the other one.
        pieces (`Sequence[str]`): for each verdict, in which piece its prompt is.
        records (`Sequence[Mapping]`): a verdict each.
        made_with (`Mapping`): who judged; it goes into `judge.json`.
    """
    by_piece: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for piece, record in zip(pieces, records, strict=True):
        by_piece[piece].append({key: value for key, value in record.items() if key not in ("prompt", "task")})
    for part in ("prompts", "candidates", "votes"):
        for file in sorted((source / part).glob("[!.]*.jsonl")):
            with replacing(folder / part / file.name) as unfinished:
                shutil.copyfile(file, unfinished)
    for piece, verdicts in by_piece.items():
        write_lines(folder / "verdicts" / f"{piece}.jsonl", verdicts)
    with replacing(folder / "judge.json") as unfinished:
        unfinished.write_text(json.dumps(made_with, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def write_parquet(path: Path, records: Sequence[Mapping[str, Any]], made_with: Mapping[str, Any]) -> None:
    """Verdicts as a table, with who judged in the file's metadata, under `atom_hf`.

    Args:
        path (`Path`): the file.
        records (`Sequence[Mapping]`): a verdict each; `raw` becomes text in JSON.
        made_with (`Mapping`): plain data.

    Raises:
        ImportError: if `pyarrow` is missing; `pip install "atom_hf[train]"` brings it.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise ImportError(f'Parquet needs pyarrow: pip install "atom_hf[train]" ({error}).') from None
    kinds = {"sample": pyarrow.int32(), "score": pyarrow.float32()}
    names = [*(key for key in records[0] if key != "reply"), "reply"]
    fields = [(name, kinds.get(name, pyarrow.string())) for name in names]
    rows = [{**record, "raw": json.dumps(record["raw"])} for record in records]
    table = pyarrow.Table.from_pylist(rows, pyarrow.schema(fields))
    table = table.replace_schema_metadata({"atom_hf": json.dumps(made_with, ensure_ascii=False)})
    with replacing(path) as unfinished:
        pyarrow.parquet.write_table(table, unfinished, compression="zstd")
