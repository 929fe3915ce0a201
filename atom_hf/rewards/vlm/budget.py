"""Money: what a call may cost at most is set aside before it is made, and what it did cost is booked after it.

budget = Budget(5.0)
held = budget.reserve(0.02)      # None where it does not fit
budget.settle(held, paid=0.004)  # 0.016 is free again
"""

import json
import math
import re
import threading
from functools import cache
from importlib.resources import files
from numbers import Real
from pathlib import Path
from typing import Any

from ...events.prompt_costs import Prices, read_prices

BATCH = 0.5  # what a batch costs, of the price
_SNAPSHOT = re.compile(r"-\d{4}-\d{2}-\d{2}$")  # gpt-4o-2024-11-20 costs what gpt-4o costs
_ROUNDING = 1e-9  # dollars


class Price:
    """What tokens of a model cost.

    Args:
        input (`float`): dollars for a million tokens sent.
        output (`float`): dollars for a million tokens received.

    Raises:
        ValueError: if one of them is no number from 0 on.
    """

    def __init__(self, input: float, output: float) -> None:
        self.input, self.output = float(input), float(output)
        if not (0 <= self.input < math.inf and 0 <= self.output < math.inf):
            raise ValueError(f"A price is a number of dollars from 0 on, got {input!r} and {output!r}.")

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
        given: Any = dollars
        if isinstance(given, bool) or not isinstance(given, Real) or not 0 < float(given) < math.inf:
            raise ValueError(f"A budget is an amount of dollars above zero, got {dollars!r}.")
        self.dollars = float(dollars)
        self.spent = 0.0
        self.held = 0.0
        self._factor = 1.0
        self._books: dict[str, float] = {}  # store → what other processes spent, as far as it is counted
        self._lock = threading.Lock()

    def reserve(self, dollars: float) -> float | None:
        """Set aside what a call may cost.

        Args:
            dollars (`float`): the most it may cost. Where an earlier call cost more than was set aside for it, more is
                set aside from then on.

        Returns:
            `float` or `None`: dollars set aside; None where they are not there.

        Raises:
            ValueError: if it is no amount.
        """
        if not 0 <= dollars < math.inf:
            raise ValueError(f"What a call may cost is an amount of dollars from zero on, got {dollars!r}.")
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

    def shortage(self, dollars: float) -> str:
        """Why a call cannot be made, in words.

        Args:
            dollars (`float`): the most it may cost.

        Returns:
            `str`: what is left, what the call may cost, and what would do.
        """
        with self._lock:
            most, left = dollars * self._factor, max(0.0, self.dollars - self.spent)
            enough = math.ceil((self.spent + most) * 1e4) / 1e4
            return (
                f"the budget of ${self.dollars:g} is used up but for ${left:.4f} (${self.spent:.4f} spent), and the "
                f"next call may cost up to ${most:.4f}; a budget of ${enough:.4f} would allow that one"
            )

    def settle(self, held: float, paid: float) -> None:
        """Book what a call did cost.

        Args:
            held (`float`): dollars that `reserve` set aside for it.
            paid (`float`): dollars that it cost.

        Raises:
            ValueError: if one of them is no number.
        """
        if not (math.isfinite(held) and math.isfinite(paid)):
            raise ValueError(f"What a call cost is an amount of dollars, got {paid!r} of {held!r} set aside.")
        with self._lock:
            self.held = max(0.0, self.held - held)
            self.spent += paid
            if paid > held > 0:
                self._factor *= paid / held

    def carry_over(self, book: str, dollars: float, elsewhere: float = 0.0) -> None:
        """Count what was spent before, as a store remembers it, and from then on what other processes spend of it.

        Args:
            book (`str`): which store, such as its path.
            dollars (`float`): what was spent; it counts at the first time.
            elsewhere (`float`, *optional*, defaults to 0.0): what of it other processes spent; what is more of that
                than at the time before counts at every time.
        """
        with self._lock:
            known = self._books.get(book)
            self.spent += dollars if known is None else max(0.0, elsewhere - known)
            self._books[book] = elsewhere if known is None else max(known, elsewhere)

    def correct(self, book: str, dollars: float) -> None:
        """Count less, or more, for a call of another process that was carried over at the most it could cost.

        Args:
            book (`str`): the store it is in.
            dollars (`float`): what it did cost, less what was counted.
        """
        with self._lock:
            self.spent += dollars
            if book in self._books:
                self._books[book] += dollars
