"""Pace: how many calls at once, and how many a minute."""

import asyncio
import time

import pytest

from atom_hf.rewards.vlm.pace import Pace


def test_an_episode_of_429_shrinks_once_and_good_calls_bring_it_back():
    async def run():
        pace = Pace(10)
        turns = [pace.turn() for _ in range(10)]
        for turn in turns:
            await turn.__aenter__()
        for turn in turns:  # all were under way when the first one failed
            turn.too_fast()
            await turn.__aexit__(None, None, None)
        assert (pace.limit, pace.episodes) == (8.0, 1)
        async with pace.turn() as turn:
            turn.too_fast()
        assert pace.limit == pytest.approx(6.4) and pace.episodes == 2
        limits = []
        for _ in range(60):
            async with pace.turn() as turn:
                turn.used(0)
            limits.append(pace.limit)
        assert limits[5] == pytest.approx(6.4) and limits[6] == pytest.approx(7.4) and limits[-1] == 10
        for _ in range(30):
            async with pace.turn() as turn:
                turn.too_fast()
        assert pace.limit == 1.0  # never none

    asyncio.run(run())


def test_never_more_at_once_and_retries_first():
    async def run():
        pace, order = Pace(1), []

        async def call(name, again):
            async with pace.turn(again=again):
                assert pace.in_flight == 1
                order.append(name)
                await asyncio.sleep(0)

        await asyncio.gather(call("a", False), call("b", False), call("c", False), call("d", True))
        assert order == ["a", "d", "b", "c"] and pace.in_flight == 0

    asyncio.run(run())


def test_who_gives_up_waiting_leaves_no_hole():
    async def run():
        pace = Pace(1)
        async with pace.turn():
            waiting = [asyncio.create_task(pace.turn().__aenter__()) for _ in range(3)]
            await asyncio.sleep(0)
            waiting[0].cancel()
            await asyncio.sleep(0)
        waiting[1].cancel()  # it had its place already
        await asyncio.wait(waiting[:2])
        async with asyncio.timeout(1):
            turn = await waiting[2]
        assert pace.in_flight == 1
        await turn.__aexit__(None, None, None)
        assert pace.in_flight == 0

    asyncio.run(run())


def test_tokens_per_minute_counts_what_was_used():
    async def run(used):
        pace = Pace(1, tokens_per_minute=60_000)  # a thousand a second
        begin = time.monotonic()
        for _ in range(3):
            async with pace.turn(tokens=200) as turn:
                turn.used(used)
        return time.monotonic() - begin

    all_used = asyncio.run(run(200))
    assert all_used >= 0.4 and asyncio.run(run(50)) < all_used


@pytest.mark.parametrize("name", ["concurrency", "requests_per_minute", "tokens_per_minute"])
def test_bad_numbers(name):
    with pytest.raises(ValueError, match=f"{name} is above zero, got -1"):
        Pace(**{"concurrency": 1, name: -1})
