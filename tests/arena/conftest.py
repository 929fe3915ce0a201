"""Arenas in a temporary folder, with a clock that tests set."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from atom_hf.arena import Arena
from tests.arena.parts import PLAIN, pairs


class Clock:
    """Seconds since 1970, as the test has them."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make(tmp_path: Path, clock: Clock) -> Iterator[Callable[..., Arena]]:
    """Makes arenas without checks and limits, unless settings say otherwise; a number of pairs, or pairs."""
    made = []

    def arena(items: Any = 6, name: str = "arena", admin_secret: str | None = "open sesame", **settings: Any) -> Arena:
        options = replace(PLAIN, **settings) if settings or not (tmp_path / name).exists() else None
        made.append(Arena(tmp_path / name, options, admin_secret=admin_secret, clock=clock))
        if items:
            made[-1].add_pairs(pairs(items) if isinstance(items, int) else items)
        return made[-1]

    yield arena
    for one in made:
        one.close()
