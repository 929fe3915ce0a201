"""A line that says how far it is: rate, cost so far, cost to come.

judge: 40%|████      | 4000/10000 [00:21<00:31, 190.2motion/s, $7.81 so far, $11.72 to come]
"""

import time
from types import TracebackType
from typing import Any

from tqdm.auto import tqdm

_EVERY = 0.5  # seconds between two looks at the cost
_LONG = 8  # items from which on a run is shown where nobody said whether to


class Progress:
    """A progress bar with money, for `with`.

    Args:
        total (`int`): how many items there are.
        unit (`str`): what they are.
        shown (`bool`, *optional*): without it a bar is shown on a terminal, for more than a few items.
        priced (`bool`, *optional*, defaults to `True`): whether the model has a price.
    """

    def __init__(self, total: int, unit: str, shown: bool | None = None, priced: bool = True) -> None:
        hidden = not shown if shown is not None else (None if total >= _LONG else True)
        self._bar: Any = tqdm(total=total, unit=unit, desc="judge", disable=hidden)
        self._priced = priced
        self._looked = 0.0
        self._asked = 0

    def __enter__(self) -> "Progress":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.close()

    def step(self, spent: float, asked: bool) -> None:
        """One item more is done.

        Args:
            spent (`float`): dollars of this run so far.
            asked (`bool`): whether it was asked for; an answer that was at hand cost nothing and says nothing about
                the cost to come.
        """
        self._asked += asked
        bar = self._bar
        if not bar.disable and self._priced:
            now = time.monotonic()
            if now - self._looked >= _EVERY or bar.n + 1 == bar.total:
                self._looked = now
                to_come = spent / self._asked * (bar.total - bar.n - 1) if self._asked else 0.0
                bar.set_postfix_str(f"${spent:.2f} so far, ${to_come:.2f} to come", refresh=False)
        bar.update()
