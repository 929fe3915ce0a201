"""Token buckets: so many at once, so many a minute, and each key for itself."""

import pytest

from atom_hf.arena import TooFast
from atom_hf.arena import limits as module
from atom_hf.arena.limits import Limits


def test_burst_and_rate(clock):
    limits = Limits(60, 3, clock)
    for _ in range(3):
        limits.take("ann")
    with pytest.raises(TooFast, match="too fast; please try again in 1 s") as error:
        limits.take("ann")
    assert error.value.retry_after == pytest.approx(1)
    limits.take("bob")
    limits.take(None)
    clock.now += 0.9
    with pytest.raises(TooFast):
        limits.take("ann")
    clock.now += 0.2
    limits.take("ann")
    clock.now += 1000
    for _ in range(3):  # no more than the burst
        limits.take("ann")
    with pytest.raises(TooFast):
        limits.take("ann")


def test_no_limit(clock):
    limits = Limits(None, 1, clock)
    for _ in range(100):
        limits.take("ann")


def test_memory_is_bounded(clock, monkeypatch):
    monkeypatch.setattr(module, "_MOST_KEYS", 10)
    limits = Limits(60, 1, clock)
    for i in range(100):
        limits.take(f"address {i}")
    assert len(limits._buckets) == 10


@pytest.mark.parametrize(("rate", "burst"), [(0, 1), (-1, 1), (1, 0)])
def test_bad_numbers(rate, burst):
    with pytest.raises(ValueError, match="Expected a rate and a burst above 0"):
        Limits(rate, burst)


def test_votes_of_a_labeller_are_limited(make):
    from tests.arena.parts import sign_in, vote

    arena = make(60, votes_per_minute=40.0)
    ann = sign_in(arena)
    with pytest.raises(TooFast, match="please try again in"):
        for _ in range(40):
            vote(arena, ann)
    assert 20 <= arena.progress(ann).votes <= 22
    vote(arena, sign_in(arena, "bob"))


def test_requests_of_an_address_are_limited(make):
    arena = make(requests_per_minute=10.0)
    with pytest.raises(TooFast):
        for i in range(40):
            arena.sign_in(f"name {i}", address="203.0.113.7")
    arena.sign_in("somebody", address="203.0.113.8")
