"""What a judge without a store has in its place: totals, and nothing kept."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from .store import Kept
from .totals import Totals


class NoStore:
    """Keeps the totals and nothing else; the same methods as [`Store`] as far as judges need them."""

    path = None
    earlier = elsewhere = 0.0

    def __init__(self) -> None:
        self.totals = Totals()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Nobody else can write into it."""
        yield

    def find(self, key: str) -> Kept | None:
        """Nothing is kept; `key` is of no use."""
        return None

    def has_item(self, item: str) -> bool:
        """Nothing is kept; `item` is of no use."""
        return False

    def begin(self, key: str, question: Mapping[str, Any], step: int, dollars: float, batch: str | None = None) -> str:
        return ""

    def end(self, call: str, outcome: str, **values: Any) -> None:
        money = [values.get(name, 0) for name in ("input_tokens", "output_tokens", "dollars")]
        self.totals.add(outcome, *money)
