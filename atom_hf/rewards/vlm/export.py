"""What a store knows, as a Parquet file: a row for each reply, with question, score and cost.

export_parquet(Store("verdicts.sqlite"), "verdicts.parquet")   →  12000
"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .replies import Unreadable, read_pair, read_point
from .store import QUESTION, Store

_ROWS = 5000  # at once
_REPLIES = ("good", "no score", "truncated", "unreadable", "refused", "filtered")
_CALL = ("key", "step", "batch", "ended", "outcome", "reply", "cause", "input_tokens", "output_tokens", "dollars")


def export_parquet(store: Store, path: str | Path) -> int:
    """Write all replies of a store.

    Args:
        store ([`Store`]): of a vision judge.
        path (`str` or `Path`): the file; an old one is replaced once the new one is whole.

    Returns:
        `int`: number of rows: one a reply, refusals and unreadable ones too, in order of time.

    Raises:
        ImportError: if `pyarrow` is missing; `pip install "atom_hf[train]"` brings it.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise ImportError(f'Parquet needs pyarrow: pip install "atom_hf[train]" ({error}).') from None
    texts = ("key", *QUESTION, "batch", "outcome", "cause", "reply", "choice", "reason")
    numbers = {"score": "float32", "confidence": "float32", "dollars": "float64"}
    whole = {"step": "int8", "input_tokens": "int32", "output_tokens": "int32"}
    schema = pyarrow.schema(
        [(name, pyarrow.string()) for name in texts]
        + [(name, pyarrow.type_for_alias(kind)) for name, kind in (numbers | whole).items()]
        + [("at", pyarrow.timestamp("ms", "UTC"))]
    )
    target, count = Path(path), 0
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with pyarrow.parquet.ParquetWriter(unfinished, schema, compression="zstd") as writer:
            for rows in _pages(store):
                writer.write_table(pyarrow.Table.from_pylist(rows, schema))
                count += len(rows)
        os.replace(unfinished, target)
    finally:
        unfinished.unlink(missing_ok=True)
    return count


def _pages(store: Store) -> Iterator[list[dict[str, Any]]]:
    columns = ", ".join((*(f"calls.{name}" for name in _CALL), *QUESTION, "calls.rowid"))
    marks = ", ".join("?" * len(_REPLIES))
    last = 0
    while True:
        found = store.rows(
            f"SELECT {columns} FROM calls JOIN questions USING (key) WHERE outcome IN ({marks}) AND calls.rowid > ? "
            "ORDER BY calls.rowid LIMIT ?",
            (*_REPLIES, last, _ROWS),
        )
        if not found:
            return
        last = found[-1][-1]
        yield [_row(dict(zip((*_CALL, *QUESTION), values, strict=False))) for values in found]


def _row(row: dict[str, Any]) -> dict[str, Any]:
    row["at"] = datetime.fromtimestamp(row.pop("ended"), UTC)
    if row["outcome"] == "good":
        try:
            reply: Any = read_point(row["reply"]) if row["kind"] == "point" else read_pair(row["reply"])
        except Unreadable:  # it was good by the rules of an older version
            return row
        row |= {name: getattr(reply, name, None) for name in ("score", "choice", "confidence", "reason")}
    return row
