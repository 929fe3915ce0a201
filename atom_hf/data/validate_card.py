"""What is wrong with the card of a MotionPrefer folder: its YAML says which Parquet files `load_dataset` takes.

configs: [{config_name: temporal, data_files: [{split: train, path: ["data/temporal/train-*"]}]}]
"""

import glob
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from .faults import Validation
from .parquet_files import first_line, shard_of

REBUILD = "Write the folder again with write_motionprefer: it makes the shards and a README.md that fits them."


def check_card(folder: Path, files: Sequence[str], validation: Validation) -> None:
    """Check that the card says of every Parquet file where it belongs.

    Args:
        folder (`Path`): the folder.
        files (`Sequence[str]`): paths of its Parquet files inside it.
        validation ([`Validation`]): gets the faults.
    """
    if not (folder / "README.md").is_file():
        problem = "expected a README.md whose YAML says which files load_dataset takes, but there is none."
        validation.add("README.md", None, problem, REBUILD)
        return
    try:
        loaded = dict.fromkeys(files, 0)
        configs = _configs(folder / "README.md")
        for name, count in Counter(config for config, _ in configs).items():
            if name and count > 1:
                problem = f"expected one config of each name, got {count} of {name!r}."
                validation.add("README.md", None, problem, REBUILD)
        for config, split, pattern in (entry for name, of in configs for entry in _patterns(name, of)):
            found = [file for file in _matching(folder, pattern) if file in loaded]
            if not found:
                problem = f"config {config!r}, split {split!r}: {pattern!r} is no file of the folder."
                validation.add("README.md", None, problem, REBUILD)
            for file in found:
                loaded[file] += 1
                shard = shard_of(file)
                if shard is not None and shard.split != split:
                    problem = f"config {config!r}: expected files of the split {split!r}, got {file}."
                    validation.add("README.md", None, problem, REBUILD)
        for file in [file for file, count in loaded.items() if not count]:
            validation.add("README.md", None, f"no config loads {file}.", REBUILD)
    except ValueError as error:
        validation.add("README.md", None, str(error), REBUILD)


def _configs(path: Path) -> list[tuple[str, Any]]:
    """Name and mapping of each entry of `configs`."""
    import yaml

    try:
        header = re.match(r"\ufeff?---\s*\n(.*?)^---\s*$", path.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
        card = yaml.safe_load(header[1]) if header else None
    except (UnicodeDecodeError, RecursionError, yaml.YAMLError) as error:
        raise ValueError(
            f"expected YAML between two lines of ---, but it cannot be read ({first_line(error)})."
        ) from error
    configs = card.get("configs") if isinstance(card, dict) else None
    if not isinstance(configs, list) or not configs:
        raise ValueError(
            "expected YAML between two lines of ---, with configs: a list with config_name and data_files."
        )
    return [
        (str(config.get("config_name", "default")) if isinstance(config, dict) else "", config) for config in configs
    ]


def _patterns(name: str, config: Any) -> Iterator[tuple[str, str, str]]:
    """Config, split and pattern of each entry of `data_files`."""
    entries = config.get("data_files") if isinstance(config, dict) else None
    for given in entries if isinstance(entries, list) else [entries]:
        entry = given if isinstance(given, dict) else {"path": given}
        paths = entry.get("path")
        paths = [paths] if isinstance(paths, str) else paths
        if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
            raise ValueError(f"expected a config with config_name and data_files (split, path), got {config}.")
        yield from ((name, str(entry.get("split", "train")), path) for path in paths)


def _matching(folder: Path, pattern: str) -> list[str]:
    if pattern.startswith("/") or ".." in pattern.split("/") or "://" in pattern:
        return []  # it leaves the folder
    return sorted(Path(name).as_posix() for name in glob.glob(pattern, root_dir=folder, recursive=True))
