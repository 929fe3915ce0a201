"""MotionPrefer's Parquet files: what their names say, whether their columns fit, and their rows a few at a time.

data/frequency/train-00000-of-00002.parquet  →  part "frequency", split "train", shard 0 of 2
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from .parts import PARTS
from .schema import COLUMNS, features
from .splits import SPLITS

BATCH = 1000  # rows in memory at once
_SHARD = re.compile(r"data/(?P<part>[^/]+)/(?P<split>[^/]+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.parquet")


class Shard(NamedTuple):
    """What the name of a Parquet file says.

    Args:
        part (`str`): a task, or `"human"`.
        split (`str`): `"train"` or `"test"`.
        number (`int`): counted from 0.
        shards (`int`): how many the part's split has.
    """

    part: str
    split: str
    number: int
    shards: int


def shard_of(file: str) -> Shard | None:
    """What the name of a file says.

    Args:
        file (`str`): path inside the folder, such as `"data/human/test-00000-of-00001.parquet"`.

    Returns:
        [`Shard`] or None, if the file has no place in a MotionPrefer folder.
    """
    match = _SHARD.fullmatch(file)
    if match is None or match["part"] not in PARTS or match["split"] not in SPLITS:
        return None
    return Shard(match["part"], match["split"], int(match["number"]), int(match["count"]))


def read_batches(path: str | Path, columns: Sequence[str] | None = None) -> Iterator[Any]:
    """A Parquet file, a few rows at a time.

    Args:
        path (`str` or `Path`): the file.
        columns (`Sequence[str]`, *optional*): those that are read, all by default.

    Yields:
        `pyarrow.RecordBatch`: of at most 1,000 rows.

    Raises:
        ImportError: if `datasets`, and with it pyarrow, is not installed.
        ValueError: if the file is no Parquet, damaged, or has not the columns of the dataset.
    """
    parquet = require_datasets()
    import pyarrow

    try:
        with parquet.ParquetFile(path) as file:
            if problems := wrong_columns(file.schema_arrow):
                raise ValueError(f"{path}: {'; '.join(problems)}.")
            yield from file.iter_batches(BATCH, columns=columns)
    except (pyarrow.ArrowException, OSError) as error:
        raise ValueError(f"{path}: expected Parquet, but it cannot be read ({first_line(error)}).") from error


def require_datasets() -> Any:
    """See that `datasets` is there, and with it pyarrow.

    Returns:
        `module`: `pyarrow.parquet`.

    Raises:
        ImportError: if it is not installed.
    """
    try:
        import datasets as _  # noqa: F401
        import pyarrow.parquet
    except ImportError as error:
        raise ImportError(
            'Parquet needs datasets, which is not installed; try: pip install "atom_hf[train]"'
        ) from error
    return pyarrow.parquet


def first_line(error: BaseException) -> str:
    """What an exception says, in short.

    Args:
        error (`BaseException`): of pyarrow or YAML, which like to say more.

    Returns:
        `str`: one line without a full stop; the name of the exception if it says nothing.
    """
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


def wrong_columns(schema: Any) -> list[str]:
    """What keeps the rows of a file from being read as rows of the dataset.

    Args:
        schema (`pyarrow.Schema`): of the file.

    Returns:
        `list[str]`: columns that are missing, stand there twice or are of another type; further ones do no harm.
    """
    expected, problems = features().arrow_schema, []
    if missing := [name for name in COLUMNS if name not in schema.names]:
        problems.append(f"columns missing: {', '.join(missing)}")
    if twice := [name for name in COLUMNS if schema.names.count(name) > 1]:
        problems.append(f"columns that stand there twice: {', '.join(twice)}")
    for name in COLUMNS:
        if schema.names.count(name) == 1 and _plain_type(schema.field(name).type) != expected.field(name).type:
            want, got = _words(expected.field(name).type), _words(schema.field(name).type)
            problems.append(f"{name}: expected {want}, got {got}")
    return problems


def _plain_type(kind: Any) -> Any:
    """The type without what makes no difference to who reads it: names of items, and whether null is allowed."""
    import pyarrow

    if pyarrow.types.is_list(kind):
        return pyarrow.list_(_plain_type(kind.value_type))
    if pyarrow.types.is_struct(kind):
        return pyarrow.struct({field.name: _plain_type(field.type) for field in kind})
    return kind


def _words(kind: Any) -> str:
    """A type in short: `list<int32>`, not `list<item: int32>`."""
    return re.sub(r"<(item|element|child 0, item): ", "<", str(kind))
