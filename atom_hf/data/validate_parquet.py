"""What is wrong with MotionPrefer's Parquet: names and columns of files, every row, and what only shows across files.

data/frequency/train-00000-of-00002.parquet  →  part "frequency", split "train", shard 0 of 2
"""

import glob
import json
import re
from array import array
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .parts import PARTS, part_of
from .schema import COLUMNS, faults, features, prompt_of
from .splits import SPLITS
from .uniqueness import OneSplit, Unique
from .validate import SPLITS_CURE, Validation

BATCH = 1000  # rows in memory at once
_SHARD = re.compile(r"data/(?P<part>[^/]+)/(?P<split>[^/]+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.parquet")
_SPELLED = "data/<part>/<split>-00000-of-00001.parquet"

_REBUILD = "Write the folder again with write_motionprefer: it makes the shards and a README.md that fits them."
_FETCH = "Fetch or make the file again; it is damaged, or cut off."
_COLUMNS = "Write the rows with write_motionprefer, which gives them the columns of atom_hf.data.schema."
_ROWS = "Mend these rows, or leave them out, and write the folder again; atom_hf.data.schema.pair_row makes good ones."
_IDS = "Give each pair an id of its own; if a file was copied in twice, delete one."


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
        raise ValueError(f"{path}: expected Parquet, but it cannot be read ({_first_line(error)}).") from error


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
    _check_readme(folder, paths, validation)


def require_datasets() -> Any:
    try:
        import datasets as _  # noqa: F401
        import pyarrow.parquet
    except ImportError as error:
        raise ImportError(
            'Parquet needs datasets, which is not installed; try: pip install "atom_hf[train]"'
        ) from error
    return pyarrow.parquet


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


def _check_names(files: Sequence[str], validation: Validation) -> None:
    shards: dict[tuple[str, str, int], list[str]] = {}
    for file in files:
        shard = shard_of(file)
        if shard is None:
            known = f"part one of {', '.join(PARTS)}, split one of {', '.join(SPLITS)}"
            validation.add(file, None, f"expected a name like {_SPELLED}, {known}.", _REBUILD)
        else:
            shards.setdefault((shard.part, shard.split, shard.shards), []).append(file)
    counts: dict[tuple[str, str], int] = {}
    for (part, split, count), present in shards.items():
        name = f"data/{part}/{split}"
        if (other := counts.setdefault((part, split), count)) != count:
            problem = f"expected shards of one run, got some of {other} and some of {count}."
            validation.add(present[0], None, problem, _REBUILD)
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
        validation.add(file, None, f"{problem} ({_first_line(error)}).", _FETCH)
        return False
    wrong = wrong_columns(schema)
    if extra := [name for name in schema.names if name not in COLUMNS]:
        validation.add(file, None, f"columns that do not belong: {', '.join(extra)}.", _COLUMNS)
    for problem in wrong:
        validation.add(file, None, f"{problem}.", _COLUMNS)
    return not wrong


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


def _check_rows(
    path: Path, file: str, number: int, num_codes: int, across: "_AcrossFiles", validation: Validation
) -> None:
    shard = shard_of(file)
    row = 0
    try:
        for batch in read_batches(path, list(COLUMNS)):
            for record in batch.to_pylist():
                row += 1
                problems = faults(record, num_codes) or [*_misplaced(record, shard), *_scenario_faults(record)]
                for problem in problems:
                    validation.add(file, row, problem, _ROWS)
                across.see(record, number, row, shard.split if shard else None)
    except ValueError as error:
        problem = str(error).removeprefix(f"{path}: ")
        validation.add(file, None, f"from row {row + 1:,} on: {problem}", _FETCH)
    validation.counts["rows"] += row


def _misplaced(row: Mapping[str, Any], shard: Shard | None) -> Iterator[str]:
    if shard is not None and (part := part_of(row)) != shard.part:
        who = f"task {row['task']!r}, judge {row['judge']!r}"
        yield f"expected rows of {shard.part!r} in this file, got one of {part!r} ({who})"


def _scenario_faults(row: Mapping[str, Any]) -> Iterator[str]:
    try:
        fine = row["scenario"] is None or isinstance(json.loads(row["scenario"]), dict)
    except (ValueError, RecursionError):
        fine = False
    if not fine:
        yield f"scenario: expected a JSON object with events, or null, got {row['scenario'][:80]!r}"


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


def _check_readme(folder: Path, files: Sequence[str], validation: Validation) -> None:
    if not (folder / "README.md").is_file():
        problem = "expected a README.md whose YAML says which files load_dataset takes, but there is none."
        validation.add("README.md", None, problem, _REBUILD)
        return
    try:
        loaded = dict.fromkeys(files, 0)
        for config, split, pattern in _patterns(folder / "README.md"):
            found = [file for file in _matching(folder, pattern) if file in loaded]
            if not found:
                problem = f"config {config!r}, split {split!r}: {pattern!r} is no file of the folder."
                validation.add("README.md", None, problem, _REBUILD)
            for file in found:
                loaded[file] += 1
                shard = shard_of(file)
                if shard is not None and shard.split != split:
                    problem = f"config {config!r}: expected files of the split {split!r}, got {file}."
                    validation.add("README.md", None, problem, _REBUILD)
        for file in [file for file, count in loaded.items() if not count]:
            validation.add("README.md", None, f"no config loads {file}.", _REBUILD)
    except ValueError as error:
        validation.add("README.md", None, str(error), _REBUILD)


def _patterns(path: Path) -> list[tuple[str, str, str]]:
    """Config, split and pattern of each entry of `data_files`."""
    import yaml

    try:
        header = re.match(r"\ufeff?---\s*\n(.*?)^---\s*$", path.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
        card = yaml.safe_load(header[1]) if header else None
    except (UnicodeDecodeError, RecursionError, yaml.YAMLError) as error:
        raise ValueError(
            f"expected YAML between two lines of ---, but it cannot be read ({_first_line(error)})."
        ) from error
    configs = card.get("configs") if isinstance(card, dict) else None
    if not isinstance(configs, list) or not configs:
        raise ValueError(
            "expected YAML between two lines of ---, with configs: a list with config_name and data_files."
        )
    found = []
    for config in configs:
        entries = config.get("data_files") if isinstance(config, dict) else None
        entries = entries if isinstance(entries, list) else [entries]
        for entry in entries:
            entry = {"split": "train", "path": entry} if isinstance(entry, str) else entry
            paths = entry.get("path") if isinstance(entry, dict) else None
            paths = [paths] if isinstance(paths, str) else paths
            if not isinstance(paths, list) or not all(isinstance(name, str) for name in paths):
                raise ValueError(f"expected a config with config_name and data_files (split, path), got {config}.")
            found += [
                (str(config.get("config_name", "default")), str(entry.get("split", "train")), name) for name in paths
            ]
    return found


def _matching(folder: Path, pattern: str) -> list[str]:
    if pattern.startswith("/") or ".." in pattern.split("/") or "://" in pattern:
        return []  # it leaves the folder
    return sorted(Path(name).as_posix() for name in glob.glob(pattern, root_dir=folder, recursive=True))
