"""How fast to ask: so many calls at once, fewer when the server says 429, so many a minute.

async with pace.turn(tokens=1800) as turn:
    ...                          # the call; turn.used(1650) or turn.too_fast() after it
"""

import asyncio
import time
from collections import deque
from types import TracebackType

from .checks import check_limit

_SHRINK = 0.8  # of the calls at once, at each episode of 429


class Pace:
    """Lets calls through, at most `concurrency` at once and at most so many requests and tokens a minute.

    A 429 shrinks the number at once to 80 %; further ones to calls that were already under way then are of the same
    episode and change nothing. Good calls bring it back, by one a round. Errors of the server's own say nothing about
    pace. Belongs to one event loop.

    Args:
        concurrency (`int`): the most calls at once.
        requests_per_minute (`float`, *optional*): the most calls that start in a minute.
        tokens_per_minute (`float`, *optional*): the most tokens in a minute, sent and received.

    Raises:
        ValueError: if a number is not above zero.
    """

    def __init__(
        self,
        concurrency: int,
        requests_per_minute: float | None = None,
        tokens_per_minute: float | None = None,
    ) -> None:
        numbers = {
            "concurrency": concurrency,
            "requests_per_minute": requests_per_minute,
            "tokens_per_minute": tokens_per_minute,
        }
        for name, number in numbers.items():
            check_limit(name, number)
        self.bound, self.tokens_per_minute = concurrency, tokens_per_minute
        self.limit = float(concurrency)
        self.in_flight = 0
        self.episodes = 0
        self._requests = _Meter(requests_per_minute)
        self._tokens = _Meter(tokens_per_minute)
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._good = 0
        self._shrunk = -1.0

    def turn(self, tokens: int = 0, again: bool = False) -> "Turn":
        """A place among the calls at once, for `async with`.

        Args:
            tokens (`int`, *optional*, defaults to 0): how many tokens the call will take, sent and received.
            again (`bool`, *optional*, defaults to `False`): whether it was tried before; such calls go first, since
                their deadline is running.

        Returns:
            [`Turn`]: enters when the call may be made.
        """
        return Turn(self, tokens, again)

    async def _enter(self, tokens: int, again: bool) -> None:
        if (self._waiting and not again) or self.in_flight >= int(self.limit):
            place = asyncio.get_running_loop().create_future()
            (self._waiting.appendleft if again else self._waiting.append)(place)
            try:
                await place
            except asyncio.CancelledError:
                if place.done() and not place.cancelled():  # the place was given to us, and nobody else knows
                    self._leave()
                else:
                    self._waiting.remove(place)
                raise
        else:
            self.in_flight += 1
        try:
            delay = max(self._requests.delay(1), self._tokens.delay(tokens))
            if delay > 0:
                await asyncio.sleep(delay)
        except BaseException:
            self._leave()
            raise

    def _leave(self) -> None:
        self.in_flight -= 1
        self._admit()

    def _admit(self) -> None:
        while self._waiting and self.in_flight < int(self.limit):
            place = self._waiting.popleft()
            if not place.done():
                self.in_flight += 1
                place.set_result(None)

    def _too_fast(self, started: float) -> None:
        self._good = 0
        if started > self._shrunk:
            self._shrunk = time.monotonic()
            self.episodes += 1
            self.limit = max(1.0, self.limit * _SHRINK)

    def _went_well(self) -> None:
        self._good += 1
        if self.limit < self.bound and self._good >= self.limit:
            self._good = 0
            self.limit = min(float(self.bound), self.limit + 1)
            self._admit()


class Turn:
    """One call's place, see [`Pace.turn`].

    Args:
        pace ([`Pace`]): among whose calls.
        tokens (`int`): how many the call will take.
        again (`bool`): whether it was tried before.
    """

    def __init__(self, pace: Pace, tokens: int, again: bool) -> None:
        self._pace, self._reserved, self._again, self._started = pace, tokens, again, 0.0

    async def __aenter__(self) -> "Turn":
        await self._pace._enter(self._reserved, self._again)
        self._started = time.monotonic()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pace._leave()

    def used(self, tokens: int) -> None:
        """The call went well.

        Args:
            tokens (`int`): how many tokens it took, sent and received.
        """
        self._pace._tokens.give_back(self._reserved - tokens)
        self._pace._went_well()

    def too_fast(self) -> None:
        """The server said 429."""
        self._pace._too_fast(self._started)


class _Meter:
    """Spreads units evenly: each puts off the next by its share of a minute."""

    def __init__(self, per_minute: float | None) -> None:
        self._seconds = 60.0 / per_minute if per_minute else 0.0
        self._next = 0.0

    def delay(self, units: float) -> float:
        if not self._seconds:
            return 0.0
        now = time.monotonic()
        start = max(now, self._next)
        self._next = start + units * self._seconds
        return start - now

    def give_back(self, units: float) -> None:
        self._next -= units * self._seconds
