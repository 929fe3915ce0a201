"""What tests of the arena share: pairs of walks, settings without checks and limits, and a vote on what comes next."""

import zlib
from collections.abc import Iterator
from itertools import count
from typing import Any

import numpy as np

from atom_hf.arena import Acknowledgement, Answer, Arena, Clip, PairItem, Session, Settings
from atom_hf.motion import Motion
from examples.make_walk import walking

PLAIN = Settings(
    votes_per_pair=None, training=0, gold_every=0, repeat_every=0, votes_per_minute=None, requests_per_minute=None
)
_TOKENS = count()
_WALK = walking(frames=40)


def motion(name: str, codes: bool = True) -> Motion:
    """A walk of a person who is a little taller or smaller, another one for each name."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    joints = _WALK * np.float32(rng.uniform(0.9, 1.1))
    return Motion(joints.astype(np.float32), codes=rng.integers(0, 512, 9) if codes else None)


def pair(name: str, systems: tuple[str, str] = ("base", "aligned"), codes: bool = True, **options: Any) -> PairItem:
    """A pair for a prompt."""
    one, two = (Clip(motion(f"{name}/{system}", codes), system, seed) for seed, system in enumerate(systems))
    return PairItem(name, one, two, **options)


def pairs(number: int, **options: Any) -> Iterator[PairItem]:
    """So many pairs."""
    return (pair(f"a person takes {i} steps", **options) for i in range(number))


def token() -> str:
    """A new token."""
    return f"token {next(_TOKENS):06}"


def vote(arena: Arena, session: Session, choice: str = "first", **answer: Any) -> Acknowledgement:
    """Vote on the next ballot."""
    ballot = arena.next_ballot(session)
    assert ballot is not None, "nothing is left"
    if choice in ("first", "second"):
        answer.setdefault("degree", "better")
    return arena.vote(session, ballot.id, Answer(choice, **answer), token())


def sign_in(arena: Arena, name: str = "ann") -> Session:
    """Sign somebody in, with consent."""
    session = arena.sign_in(name)
    arena.consent(session)
    return session


def rows(arena: Arena, sql: str) -> list[tuple[Any, ...]]:
    """What is in the store."""
    return arena._store.read(sql)
