"""Many pieces of work, a bounded number of them at once, results in order.

await each(10_000, 32, judge_one)   →  [judge_one(0)'s, judge_one(1)'s, …]
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def each(total: int, at_once: int, one: Callable[[int], Awaitable[T]]) -> list[T]:
    """Do `one(0)` to `one(total - 1)`; the next begins when one is done, so memory does not grow with the number.

    Args:
        total (`int`): how many.
        at_once (`int`): how many at the same time.
        one (`Callable`): does the piece of that number.

    Returns:
        `list`: what each gave, in order.
    """
    results: dict[int, T] = {}
    numbers = iter(range(total))

    async def worker() -> None:
        for number in numbers:
            results[number] = await one(number)

    async with asyncio.TaskGroup() as group:
        for _ in range(min(at_once, total)):
            group.create_task(worker())
    return [results[number] for number in range(total)]
