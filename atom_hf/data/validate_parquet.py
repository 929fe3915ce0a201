"""What is wrong with MotionPrefer's Parquet: names and columns of files, rows, and what only shows across files."""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .faults import Validation
from .parquet_files import Shard, first_line, read_batches, require_datasets, shard_of, wrong_columns
from .parts import PARTS, part_of
from .schema import COLUMNS, faults, prompt_of
from .splits import SPLITS
from .uniqueness import SPLITS_CURE, OneSplit, Unique
from .validate_card import REBUILD, check_card

_SPELLED = "data/<part>/<split>-00000-of-00001.parquet"

_FETCH = "Fetch or make the file again; it is damaged, or cut off."
_COLUMNS = "Write the rows with write_motionprefer, which gives them the columns of atom_hf.data.schema."
_ROWS = "Mend these rows, or leave them out, and write the folder again; atom_hf.data.schema.pair_row makes good ones."
_IDS = "Give each pair an id of its own; if a file was copied in twice, delete one."


def check_parquet(folder: Path, files: Sequence[str], num_codes: int, validation: Validation) -> None:
    """Check a MotionPrefer folder.

    Args:
        folder (`Path`): the folder.
        files (`Sequence[str]`): paths of its files inside it.
        num_codes (`int`): size of the codebook.
        validation ([`Validation`]): gets the faults and the counts.

    Raises:
        ImportError: if `datasets` is not installed.
    """
    require_datasets()
    paths = [file for file in files if file.endswith(".parquet")]
    validation.counts.update(files=len(paths), rows=0, prompts=0)
    _check_names(paths, validation)
    across = _AcrossFiles(paths, validation)
    for number, file in enumerate(paths):
        if _check_columns(folder / file, file, validation):
            _check_rows(folder / file, file, number, num_codes, across, validation)
    across.check_ids()
    validation.counts["prompts"] = across.prompt_count
    check_card(folder, paths, validation)


def _check_names(files: Sequence[str], validation: Validation) -> None:
    shards: dict[tuple[str, str, int], list[str]] = {}
    for file in files:
        shard = shard_of(file)
        if shard is None:
            known = f"part one of {', '.join(PARTS)}, split one of {', '.join(SPLITS)}"
            validation.add(file, None, f"expected a name like {_SPELLED}, {known}.", REBUILD)
        else:
            shards.setdefault((shard.part, shard.split, shard.shards), []).append(file)
    counts: dict[tuple[str, str], int] = {}
    for (part, split, count), present in shards.items():
        name = f"data/{part}/{split}"
        if (other := counts.setdefault((part, split), count)) != count:
            problem = f"expected shards of one run, got some of {other} and some of {count}."
            validation.add(present[0], None, problem, REBUILD)
        has = {f"{name}-{number:05d}-of-{count:05d}.parquet" for number in range(min(count, 100_000))}
        if lost := sorted(has - set(present)):
            problem = f"expected {count} shards of {part}/{split}, but {', '.join(lost[:3])} is not there."
            validation.add(present[0], None, problem, _FETCH)


def _check_columns(path: Path, file: str, validation: Validation) -> bool:
    """Whether the rows of a file can be checked."""
    import pyarrow

    try:
        schema = require_datasets().read_schema(path)
    except (pyarrow.ArrowException, OSError) as error:
        problem = f"expected a Parquet file, but its {path.stat().st_size:,} bytes cannot be read"
        validation.add(file, None, f"{problem} ({first_line(error)}).", _FETCH)
        return False
    wrong = wrong_columns(schema)
    if extra := [name for name in schema.names if name not in COLUMNS]:
        validation.add(file, None, f"columns that do not belong: {', '.join(extra)}.", _COLUMNS)
    for problem in wrong:
        validation.add(file, None, f"{problem}.", _COLUMNS)
    return not wrong


def _check_rows(
    path: Path, file: str, number: int, num_codes: int, across: "_AcrossFiles", validation: Validation
) -> None:
    shard = shard_of(file)
    row = 0
    try:
        for batch in read_batches(path, list(COLUMNS)):
            for record in batch.to_pylist():
                row += 1
                problems = faults(record, num_codes) or _misplaced(record, shard)
                for problem in problems:
                    validation.add(file, row, problem, _ROWS)
                across.see(record, number, row, shard.split if shard else None)
    except ValueError as error:
        problem = str(error).removeprefix(f"{path}: ")
        validation.add(file, None, f"from row {row + 1:,} on: {problem}", _FETCH)
    else:
        if not row:
            validation.add(file, None, "expected at least one row, got none.", REBUILD)
    validation.counts["rows"] += row


def _misplaced(row: Mapping[str, Any], shard: Shard | None) -> Iterator[str]:
    if shard is not None and (part := part_of(row)) != shard.part:
        who = f"task {row['task']!r}, judge {row['judge']!r}"
        yield f"expected rows of {shard.part!r} in this file, got one of {part!r} ({who})"


class _AcrossFiles:
    """What only shows when all rows are seen: ids that stand twice, and prompts in two splits."""

    def __init__(self, files: Sequence[str], validation: Validation) -> None:
        self.files, self.validation = files, validation
        self.ids, self.places = array("q"), array("q")  # hashes, and number of file and row
        self.prompts, self.prompt_count, self.splits = Unique(), 0, OneSplit()

    def see(self, row: Mapping[str, Any], number: int, place: int, split: str | None) -> None:
        """Note a row, and say if its prompt was seen in another split."""
        if isinstance(row["id"], str):
            self.ids.append(hash(row["id"]))
            self.places.append(number << 40 | place)
        if not isinstance(row["prompt_id"], str):
            return
        self.prompt_count += self.prompts.is_new(row["prompt_id"])
        try:
            text = prompt_of(row)
        except (ValueError, TypeError, KeyError):
            return
        if split is not None and (problem := self.splits.fault(row["prompt_id"], text, split)):
            self.validation.add(self.files[number], place, problem, SPLITS_CURE)

    def check_ids(self) -> None:
        """Say which ids stand twice."""
        ids, places = np.array(self.ids, np.int64), np.array(self.places, np.int64)
        order = np.argsort(ids, kind="stable")
        for i in np.flatnonzero(ids[order][1:] == ids[order][:-1]) + 1:
            (before, row_before), (number, row) = (divmod(int(places[order[j]]), 1 << 40) for j in (i - 1, i))
            problem = f"the id of this pair stands in {self.files[before]}, row {row_before:,}, too."
            self.validation.add(self.files[number], row, problem, _IDS)
