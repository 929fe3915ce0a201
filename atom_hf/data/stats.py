"""What a folder of preference data holds, in numbers, and pairs that show it.

stats = dataset_stats("motionprefer")
stats.degrees      →  Counter({"better": 312, "much better": 208, …})
print(stats)       →  tables for people
"""

import hashlib
import heapq
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any

from ..motion.layout import FPS
from .build import rows_of
from .degrees import DEGREES, SKIPPED
from .pairs import PairReport
from .parquet_files import read_batches, shard_of
from .parts import PARTS, part_of
from .schema import TASKS
from .validate import MOTIONPREFER, kind_of

FRAMES_PER_CODE = 4
_MOTIONS = ("chosen", "rejected")
_COLUMNS = (
    *("prompt_id", "task", "scenario", "degree", "judge"),
    *(f"{motion}_{name}" for motion in _MOTIONS for name in ("codes", "score", "model")),
)
_NAMES = 10_000  # names of models, judges or actions that are told apart
_OTHERS = "(others)"


@dataclass
class Stats:
    """Counts of a folder of preference data.

    Args:
        folder (`Path`): the folder.
        kind (`str`): what it is; see `kind_of`.
        parts (`dict[str, Counter[str]]`): pairs by part and split.
        tasks, degrees, judges, actions (`Counter[str]`): pairs; by action, those whose scenario has it.
        models (`Counter[str]`): motions by who made them.
        wins (`Counter[str]`): those of them that were chosen, where the pair was not skipped.
        compared (`Counter[str]`): motions of pairs that were not skipped, by who made them.
        scores (`dict[str, Counter[float | None]]`): chosen and rejected motions by score, to the next half point;
            None without a score.
        lengths (`dict[str, Counter[int]]`): chosen and rejected motions by number of codes, 4 frames each at 20 fps.
        pairs_per_prompt (`Counter[int]`): prompts by their number of pairs.
        left_out (`PairReport`, *optional*): of pairs that were made from annotations.
    """

    folder: Path
    kind: str
    parts: dict[str, Counter[str]] = field(default_factory=dict)
    tasks: Counter[str] = field(default_factory=Counter)
    degrees: Counter[str] = field(default_factory=Counter)
    judges: Counter[str] = field(default_factory=Counter)
    actions: Counter[str] = field(default_factory=Counter)
    models: Counter[str] = field(default_factory=Counter)
    wins: Counter[str] = field(default_factory=Counter)
    compared: Counter[str] = field(default_factory=Counter)
    scores: dict[str, Counter[float | None]] = field(default_factory=lambda: {name: Counter() for name in _MOTIONS})
    lengths: dict[str, Counter[int]] = field(default_factory=lambda: {name: Counter() for name in _MOTIONS})
    pairs_per_prompt: Counter[int] = field(default_factory=Counter)
    left_out: PairReport | None = None

    @property
    def pairs(self) -> int:
        """Pairs, skipped ones included."""
        return sum(counts.total() for counts in self.parts.values())

    @property
    def prompts(self) -> int:
        """Prompts with at least one pair."""
        return self.pairs_per_prompt.total()

    @property
    def skipped(self) -> float:
        """Share of pairs that people skipped, from 0 to 1."""
        return self.degrees[SKIPPED] / self.pairs if self.pairs else 0.0

    def seconds(self, motion: str) -> dict[str, float]:
        """How long motions are.

        Args:
            motion (`str`): `"chosen"` or `"rejected"`.

        Returns:
            `dict[str, float]`: `min`, `median`, `mean` and `max`, seconds; empty if there are none.
        """
        counts = self.lengths[motion]
        if not counts:
            return {}
        lengths, half, seen = sorted(counts), (counts.total() + 1) // 2, 0
        for median in lengths:
            seen += counts[median]
            if seen >= half:
                break
        mean = sum(length * count for length, count in counts.items()) / counts.total()
        values = {"min": lengths[0], "median": median, "mean": mean, "max": lengths[-1]}
        return {name: value * FRAMES_PER_CODE / FPS for name, value in values.items()}

    def to_dict(self) -> dict[str, Any]:
        """The counts as plain data, for JSON.

        Returns:
            `dict[str, Any]`: the largest counts first; lengths in seconds.
        """
        by_name = {name: dict(getattr(self, name).most_common()) for name in ("tasks", "degrees", "judges", "actions")}
        return {
            "folder": str(self.folder),
            "kind": self.kind,
            "pairs": self.pairs,
            "prompts": self.prompts,
            "skipped": self.skipped,
            "parts": {part: dict(counts) for part, counts in self.parts.items()},
            **by_name,
            "models": {
                name: {"motions": count, "chosen": self.wins[name], "compared": self.compared[name]}
                for name, count in self.models.most_common()
            },
            "scores": {
                motion: {"none" if score is None else f"{score:.1f}": count for score, count in _by_score(counts)}
                for motion, counts in self.scores.items()
            },
            "seconds": {motion: self.seconds(motion) for motion in _MOTIONS},
            "pairs_per_prompt": {str(pairs): count for pairs, count in sorted(self.pairs_per_prompt.items())},
            "left_out": None if self.left_out is None else self.left_out.to_dict(),
        }

    def __str__(self) -> str:
        from .stats_tables import tables_of

        return tables_of(self)


def dataset_stats(folder: str | Path) -> Stats:
    """Count what a folder holds. Rows are read a few at a time; what grows with them is a number a prompt.

    Args:
        folder (`str` or `Path`): MotionPrefer's Parquet, or labels that pairs are made from with the usual
            [`PairRule`]: raw annotations, InstructMotion or AToM.

    Returns:
        [`Stats`]: the counts.

    Raises:
        FileNotFoundError: if there is no such folder.
        NotADirectoryError: if it is a file.
        ValueError: if it holds none of these, or a file is broken; `validate_folder` lists all that is wrong.
        ImportError: if the folder holds Parquet and `datasets` is not installed.
    """
    kind = kind_of(folder)
    report = None if kind == MOTIONPREFER else PairReport()
    stats = Stats(Path(folder), kind, left_out=report)
    prompts: Counter[int] = Counter()
    for split, row in read_rows(folder, _COLUMNS, report):
        prompts[hash(row["prompt_id"])] += 1
        _add(stats, split, row)
    stats.pairs_per_prompt.update(prompts.values())
    for counts, order in ((stats.tasks, TASKS), (stats.degrees, DEGREES)):
        known = {name: counts[name] for name in (*order, *counts) if counts[name]}
        counts.clear()
        counts.update(known)
    stats.parts = {part: stats.parts[part] for part in (*PARTS, *stats.parts) if part in stats.parts}
    return stats


def example_rows(folder: str | Path, count: int) -> list[dict[str, Any]]:
    """A few pairs, spread over tasks and degrees of preference; always the same ones of the same data.

    Args:
        folder (`str` or `Path`): as for [`dataset_stats`].
        count (`int`): how many, if there are as many.

    Returns:
        `list[dict]`: rows of the dataset.

    Raises:
        ValueError: if the count is negative, or the folder cannot be read; see [`dataset_stats`].
    """
    if count < 0:
        raise ValueError(f"A number of examples is at least 0, got {count}.")
    kept: dict[tuple[str, str], list[tuple[int, int, dict[str, Any]]]] = {}
    for number, (_, row) in enumerate(read_rows(folder) if count else ()):
        group = kept.setdefault((str(row["task"]), str(row["degree"])), [])
        digest = int.from_bytes(hashlib.sha256(str(row["id"]).encode()).digest()[:8], "big")
        heapq.heappush(group, (-digest, -number, row))
        if len(group) > count:
            heapq.heappop(group)
    order = {name: place for place, name in enumerate((*TASKS, *DEGREES))}
    groups = sorted(kept, key=lambda key: (order.get(key[1], 99), order.get(key[0], 99), key))
    columns = [sorted(kept[key], key=lambda item: item[:2], reverse=True) for key in groups]
    spread = [item[2] for items in zip_longest(*columns) for item in items if item is not None]
    return spread[:count]


def read_rows(
    folder: str | Path, columns: Sequence[str] | None = None, report: PairReport | None = None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Rows of the dataset with the split that each belongs to, from any folder of preference data.

    Args:
        folder (`str` or `Path`): as for [`dataset_stats`].
        columns (`Sequence[str]`, *optional*): those that are needed, which saves time on Parquet.
        report ([`PairReport`], *optional*): counts what is left out where pairs are made.

    Yields:
        `tuple[str, dict]`: split, `"?"` for Parquet whose name does not say it, and row.

    Raises:
        ValueError: if the folder cannot be read; see [`dataset_stats`].
    """
    folder = Path(folder)
    if kind_of(folder) != MOTIONPREFER:
        yield from rows_of(folder, report=report)
        return
    for path in sorted(folder.rglob("*.parquet")):
        file = path.relative_to(folder).as_posix()
        if any(name.startswith(".") for name in Path(file).parts):
            continue
        shard = shard_of(file)
        for batch in read_batches(path, columns):
            yield from (("?" if shard is None else shard.split, row) for row in batch.to_pylist())


def _add(stats: Stats, split: str, row: Mapping[str, Any]) -> None:
    stats.parts.setdefault(part_of(row), Counter())[split] += 1
    skipped = row["degree"] == SKIPPED
    for counts, name in ((stats.tasks, "task"), (stats.degrees, "degree"), (stats.judges, "judge")):
        _count(counts, row[name])
    for action in _actions(row["scenario"]):
        _count(stats.actions, action)
    for motion in _MOTIONS:
        score = row[f"{motion}_score"]
        half = round(score * 2) / 2 if score is not None and abs(score) < 100 else None
        stats.scores[motion][half] += 1
        stats.lengths[motion][len(row[f"{motion}_codes"] or ())] += 1
        name = _count(stats.models, row[f"{motion}_model"] or "(unknown)")
        if not skipped:
            stats.compared[name] += 1
            stats.wins[name] += motion == "chosen"


def _count(counts: Counter[str], name: Any) -> str:
    name = str(name)
    name = name if name in counts or len(counts) < _NAMES else _OTHERS
    counts[name] += 1
    return name


def _actions(scenario: str | None) -> set[str]:
    try:
        events = json.loads(scenario)["events"] if scenario else []
        return {str(event["action"]) for event in events if event.get("action")}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):  # `validate_folder` says what is wrong
        return set()


def _by_score(counts: Counter[float | None]) -> list[tuple[float | None, int]]:
    return sorted(counts.items(), key=lambda item: (item[0] is None, item[0] or 0.0))
