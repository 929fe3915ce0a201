"""Money: what a call may cost at most is set aside before it is made, and what it did cost is booked after it.

budget = Budget(5.0)
held = budget.reserve(0.02)      # None where it does not fit
budget.settle(held, paid=0.004)  # 0.016 is free again
"""

import json
import re
import threading
from functools import cache
from importlib.resources import files
from pathlib import Path

from ...events.prompt_costs import Prices, read_prices

BATCH = 0.5  # what a batch costs, of the price
_SNAPSHOT = re.compile(r"-\d{4}-\d{2}-\d{2}$")  # gpt-4o-2024-11-20 costs what gpt-4o costs
_ROUNDING = 1e-9  # dollars


class Price:
    """What tokens of a model cost.

    Args:
        input (`float`): dollars for a million tokens sent.
        output (`float`): dollars for a million tokens received.
    """

    def __init__(self, input: float, output: float) -> None:
        self.input, self.output = float(input), float(output)

    def of(self, input_tokens: float, output_tokens: float) -> float:
        """The price of a call.

        Args:
            input_tokens (`float`): tokens sent.
            output_tokens (`float`): tokens received.

        Returns:
            `float`: dollars.
        """
        return (input_tokens * self.input + output_tokens * self.output) / 1e6


def find_price(model: str, prices: str | Path | Prices | None = None) -> Price | None:
    """The price of a model, from a table of one's own or from the package's.

    Args:
        model (`str`): name of the model; a snapshot with a date costs what its model costs where it has no price of
            its own.
        prices (`str`, `Path` or mapping, *optional*): JSON table, model → dollars for a million `input` and `output`
            tokens; its models come before those of the package.

    Returns:
        [`Price`] or `None`: None where neither table has the model.

    Raises:
        ValueError: if the table has another form.
    """
    table = {**_published()["models"], **read_prices(prices)}
    for name in (model, _SNAPSHOT.sub("", model)):
        if name in table:
            return Price(table[name]["input"], table[name]["output"])
    return None


def prices_as_of() -> str:
    """When the prices of the package were looked up.

    Returns:
        `str`: year and month, such as `"2026-03"`.
    """
    return str(_published()["as of"])


@cache
def _published() -> dict:
    return json.loads(files(__package__).joinpath("prices.json").read_text(encoding="utf-8"))


class Budget:
    """An amount that spending never passes, shared by as many judges and threads as one likes.

    A call whose reply never came may have been paid for all the same, so what was set aside for it stays spent.

    Args:
        dollars (`float`): the most that may be spent, above zero.

    Raises:
        ValueError: if it is no number above zero.
    """

    def __init__(self, dollars: float) -> None:
        if not 0 < dollars < float("inf"):
            raise ValueError(f"A budget is an amount of dollars above zero, got {dollars!r}.")
        self.dollars = float(dollars)
        self.spent = 0.0
        self.held = 0.0
        self._factor = 1.0
        self._books: set[str] = set()
        self._lock = threading.Lock()

    def reserve(self, dollars: float) -> float | None:
        """Set aside what a call may cost.

        Args:
            dollars (`float`): the most it may cost. Where an earlier call cost more than was set aside for it, more is
                set aside from then on.

        Returns:
            `float` or `None`: dollars set aside; None where they are not there.
        """
        with self._lock:
            amount = dollars * self._factor
            if self.spent + self.held + amount > self.dollars + _ROUNDING:
                return None
            self.held += amount
            return amount

    def is_used_up(self, dollars: float) -> bool:
        """Whether a call cannot be made even if all that is set aside now came back.

        Args:
            dollars (`float`): the most it may cost.

        Returns:
            `bool`: True if waiting cannot help.
        """
        with self._lock:
            return self.spent + dollars * self._factor > self.dollars + _ROUNDING

    def settle(self, held: float, paid: float) -> None:
        """Book what a call did cost.

        Args:
            held (`float`): dollars that `reserve` set aside for it.
            paid (`float`): dollars that it cost.
        """
        with self._lock:
            self.held = max(0.0, self.held - held)
            self.spent += paid
            if paid > held > 0:
                self._factor *= paid / held

    def carry_over(self, book: str, dollars: float) -> None:
        """Count what was spent before, as a store remembers it; a store counts once.

        Args:
            book (`str`): which store, such as its path.
            dollars (`float`): what was spent.
        """
        with self._lock:
            if book not in self._books:
                self._books.add(book)
                self.spent += dollars
