"""How often somebody may ask: token buckets by labeller and by address, in the memory of one server.

limits = Limits(per_minute=40, burst=20)
limits.take("labeller 5f0c…")      →  TooFast once 20 came at once, with the seconds to wait
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from .errors import TooFast

_MOST_KEYS = 50_000  # those that were used longest ago are forgotten, and begin with a full bucket again


class Limits:
    """A bucket for each key: it holds `burst` requests, and fills again at a steady rate.

    Args:
        per_minute (`float`, *optional*): requests a minute over longer times; None is no limit.
        burst (`int`): requests at once.
        clock (`Callable`, *optional*): gives seconds.

    Raises:
        ValueError: if a number is not above 0.
    """

    def __init__(self, per_minute: float | None, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        if burst < 1 or (per_minute is not None and per_minute <= 0):
            raise ValueError(f"Expected a rate and a burst above 0, got {per_minute} and {burst}.")
        self.per_second = None if per_minute is None else per_minute / 60
        self.burst, self._clock = burst, clock
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # requests left, and when that was

    def take(self, key: str | None) -> None:
        """Count a request.

        Args:
            key (`str`, *optional*): whose it is; nobody's are not counted.

        Raises:
            TooFast: if the bucket is empty.
        """
        if key is None or self.per_second is None:
            return
        with self._lock:
            now = self._clock()
            left, then = self._buckets.pop(key, (float(self.burst), now))
            left = min(self.burst, left + (now - then) * self.per_second)
            self._buckets[key] = (left - 1 if left >= 1 else left, now)
            if len(self._buckets) > _MOST_KEYS:
                self._buckets.popitem(last=False)
        if left < 1:
            wait = (1 - left) / self.per_second
            raise TooFast(f"That was too fast; please try again in {max(1, round(wait))} s.", wait)
