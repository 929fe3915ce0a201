"""What a folder of MotionPrefer holds, counted while it is written."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .parts import PARTS, part_of
from .splits import SPLITS

_NAMED = 1_000  # models and judges of which the names are kept for the card


@dataclass
class WriteSummary:
    """What was written.

    Args:
        folder (`Path`): where.
        counts (`dict[str, Counter[str]]`): rows by part and split.
        degrees (`Counter[str]`): rows by degree of preference.
        models (`set[str]`): who made the motions.
        judges (`set[tuple[str, str]]`): who judged, with the version of the rules.
        prompts (`int`): how many prompts the pairs are of.
        files (`int`): Parquet files.
        num_bytes (`int`): their size on disk.
        digests (`dict[str, str]`): by part, what names and contents of its files come to.
    """

    folder: Path
    counts: dict[str, Counter[str]] = field(default_factory=dict)
    degrees: Counter[str] = field(default_factory=Counter)
    models: set[str] = field(default_factory=set)
    judges: set[tuple[str, str]] = field(default_factory=set)
    prompts: int = 0
    files: int = 0
    num_bytes: int = 0
    digests: dict[str, str] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Rows of all parts and splits."""
        return sum(count.total() for count in self.counts.values())

    def table(self) -> list[tuple[str, dict[str, int]]]:
        """Rows of the parts and splits that have any, in the order of the configuration "all".

        Returns:
            `list[tuple[str, dict[str, int]]]`: part, and rows by split.
        """
        return [
            (part, {split: self.counts[part][split] for split in SPLITS if self.counts[part][split]})
            for part in PARTS
            if part in self.counts
        ]

    def __str__(self) -> str:
        lines = [f"{self.folder}: {self.rows:,} pairs of {self.prompts:,} prompts in {self.files} files"]
        for part, count in self.table():
            lines.append(f"  {part}: {', '.join(f'{number:,} {split}' for split, number in count.items())}")
        return "\n".join(lines)

    def add(self, split: str, row: Mapping[str, Any]) -> None:
        """Count a row.

        Args:
            split (`str`): where it stands.
            row (`Mapping`): without faults.
        """
        self.counts.setdefault(part_of(row), Counter())[split] += 1
        self.degrees[row["degree"]] += 1
        if len(self.models) < _NAMED:
            self.models.update((row["chosen_model"], row["rejected_model"]))
        if len(self.judges) < _NAMED:
            self.judges.add((row["judge"], row["rules_version"]))
