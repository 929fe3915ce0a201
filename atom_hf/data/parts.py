"""The parts of the dataset: one for each task that judges score, and one for what people voted on.

part_of(row)               →  "frequency", or "human" whatever the task
parts_of_config("all")     →  ("integrity", "temporal", "frequency", "overall", "human")
"""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from .schema import CONFIGS, HUMAN, TASKS

PARTS = (*TASKS, HUMAN)  # in the order in which the configuration "all" has them


def part_of(row: Mapping[str, Any]) -> str:
    """The part that a row belongs to.

    Args:
        row (`Mapping`): with `judge` and `task`.

    Returns:
        `str`: one of `PARTS`.
    """
    return HUMAN if row["judge"] == HUMAN else str(row["task"])


def parts_of_config(name: str) -> tuple[str, ...]:
    """The parts that a configuration of the dataset holds.

    Args:
        name (`str`): one of `CONFIGS`.

    Returns:
        `tuple[str, ...]`: some of `PARTS`, in their order.

    Raises:
        ValueError: if there is no such configuration.
    """
    if name not in CONFIGS:
        close = get_close_matches(name, CONFIGS, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise ValueError(f"Expected a configuration, one of {', '.join(CONFIGS)}, got {name!r}.{hint}")
    return PARTS if name == "all" else (name,)
