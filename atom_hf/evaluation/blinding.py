"""Blind comparisons: who is shown on which side, and what answers about sides say of a system.

sides = blind_pairs(2)                              →  [False, True]
unblind(["first", "first"], sides)                  →  ["loss", "win"], outcomes of A
"""

import random
from collections.abc import Sequence
from typing import Any, Literal

Outcome = Literal["win", "tie", "loss"] | None
Answer = Literal["first", "second", "tie"] | None

_AS_FIRST: dict[str | None, Outcome] = {"first": "win", "second": "loss", "tie": "tie", None: None}
_AS_SECOND: dict[str | None, Outcome] = {"first": "loss", "second": "win", "tie": "tie", None: None}


def blind_pairs(count: int, seed: int = 0) -> list[bool]:
    """On which side A is shown in each pair: half of them each, in random order.

    Args:
        count (`int`): number of pairs.
        seed (`int`, *optional*, defaults to 0): the same seed gives the same sides.

    Returns:
        `list[bool]`: True where A comes first, False where B does; with an odd count, chance decides the last one.

    Raises:
        ValueError: if the count is negative.
    """
    if count < 0:
        raise ValueError(f"Expected a number of pairs from 0, got {count}.")
    rng = random.Random(seed)
    sides = [True, False] * (count // 2) + [rng.random() < 0.5] * (count % 2)
    rng.shuffle(sides)
    return sides


def unblind(answers: Sequence[Answer], a_first: Sequence[bool]) -> list[Outcome]:
    """Outcomes of A from answers about sides.

    Args:
        answers (`Sequence[Answer]`): `"first"`, `"second"`, `"tie"`, or None where there is no answer.
        a_first (`Sequence[bool]`): of [`blind_pairs`].

    Returns:
        `list[Outcome]`: one for each pair.

    Raises:
        ValueError: if the numbers differ or an answer is something else.
    """
    if len(answers) != len(a_first):
        raise ValueError(f"Expected an answer for each of {len(a_first)} pairs, got {len(answers)}.")
    return [outcome_of(answer, first) for answer, first in zip(answers, a_first, strict=True)]


def outcome_of(answer: Any, a_first: bool) -> Outcome:
    """Outcome of A from one answer about sides.

    Args:
        answer (`Answer`): `"first"`, `"second"`, `"tie"`, or None where there is no answer.
        a_first (`bool`): whether A was shown first.

    Returns:
        `Outcome`: `"win"`, `"tie"`, `"loss"` or None.

    Raises:
        ValueError: if the answer is something else.
    """
    if answer not in ("first", "second", "tie", None):
        raise ValueError(f"Expected the judge to answer 'first', 'second', 'tie' or None, got {answer!r}.")
    return (_AS_FIRST if a_first else _AS_SECOND)[answer]
