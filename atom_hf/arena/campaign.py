"""What is labelled: prompts with two motions each, kept whole in the store, so that files are no longer needed.

PairItem("a man jumps twice", Clip(motion, "base", seed=0), Clip(other, "aligned", seed=0), task="frequency")
PairItem("a man waves", good, bad, expected="one")                           a gold question
PairItem("a man waves", good, bad, expected="one", training=True, lesson="The second one only lifts the arm.")
"""

import hashlib
import json
import secrets
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..data.schema import TASKS
from ..data.values import is_scenario
from ..motion import Motion
from .clips import pack
from .errors import ArenaError
from .queue import priority
from .settings import Settings
from .store import Store
from .text import typed

EXPECTED = ("one", "two", "tie")
_LONGEST_PROMPT, _LONGEST_NAME = 1000, 200


class Clip(NamedTuple):
    """A motion and who made it.

    Args:
        motion ([`Motion`]): joints at any frame rate; its codes are kept, too.
        system (`str`): which model made it; no labeller sees it before the vote.
        seed (`int`, *optional*): of the noise.
    """

    motion: Motion
    system: str
    seed: int | None = None


@dataclass(frozen=True, eq=False)
class PairItem:
    """Two motions to compare.

    Args:
        prompt (`str`): what the person does.
        one ([`Clip`]): a motion; sides are drawn for every ballot anew.
        two ([`Clip`]): another one, by the same or another system.
        task (`str`, *optional*, defaults to `"overall"`): one of `TASKS`; it says what is asked besides.
        scenario (`str`, *optional*): events in JSON.
        prompt_id (`str`, *optional*): name of the prompt; made from prompt and task otherwise.
        expected (`str`, *optional*): `"one"`, `"two"` or `"tie"`, where the answer is known: a gold question.
        training (`bool`, *optional*, defaults to `False`): shown in the training round, with the answer afterwards.
        lesson (`str`, *optional*): what a labeller can learn from a training pair.
    """

    prompt: str
    one: Clip
    two: Clip
    task: str = "overall"
    scenario: str | None = None
    prompt_id: str | None = None
    expected: str | None = None
    training: bool = False
    lesson: str = ""


class _Motion(NamedTuple):
    system: str
    seed: int | None
    frames: int
    joints: bytes
    codes: bytes | None
    digest: str


class _Pair(NamedTuple):
    prompt_id: str
    prompt: str
    task: str
    scenario: str | None
    one: _Motion
    two: _Motion
    kind: str
    expected: str | None
    lesson: str


def add_pairs(store: Store, items: Iterable[PairItem], settings: Settings) -> int:
    """Put pairs into the store: all or, if one of them has a fault, none. Those that are there already stay as they
    are.

    Args:
        store ([`Store`]): the store.
        items (`Iterable[PairItem]`): pairs.
        settings ([`Settings`]): how many votes they are to get.

    Returns:
        `int`: pairs that are new.

    Raises:
        ArenaError: if a pair has a fault; its number is named.
        StoreError: if they cannot be saved.
    """
    prepared = []
    for number, item in enumerate(items, 1):
        try:
            prepared.append(_prepared(item))
        except ValueError as error:
            raise ArenaError(f"Pair {number}: {error} Nothing was added.") from error
    with store.write() as db:
        return sum(_add(db, pair, settings) for pair in prepared)


def _prepared(item: PairItem) -> _Pair:
    if not isinstance(item, PairItem):
        raise TypeError(f"Expected pairs as PairItem, got {type(item).__name__}.")
    prompt = typed(item.prompt, "a prompt", _LONGEST_PROMPT)
    if item.task not in TASKS:
        raise ArenaError(f"Expected a task, one of {', '.join(TASKS)}, got {item.task!r}.")
    if item.scenario is not None and not is_scenario(item.scenario):
        raise ArenaError(f"Expected a scenario, a JSON object with events, got {str(item.scenario)[:80]!r}.")
    if item.expected not in (None, *EXPECTED):
        raise ArenaError(f"Expected the right answer as one of {', '.join(EXPECTED)}, got {item.expected!r}.")
    if item.training and item.expected is None:
        raise ArenaError("Expected the right answer of a training pair; set expected.")
    kind = "training" if item.training else "gold" if item.expected else "normal"
    name = item.prompt_id or f"p{hashlib.sha256(f'{item.task}|{prompt}'.encode()).hexdigest()[:12]}"
    one, two = _packed(item.one), _packed(item.two)
    if one.joints == two.joints:
        raise ArenaError("The two motions are the same; expected two that differ.")
    lesson = typed(item.lesson, "a lesson", _LONGEST_PROMPT, empty=True)
    return _Pair(
        typed(name, "a prompt_id", _LONGEST_NAME),
        prompt,
        item.task,
        item.scenario,
        one,
        two,
        kind,
        item.expected,
        lesson,
    )


def _packed(clip: Clip) -> _Motion:
    frames, joints = pack(clip.motion)
    codes = None if clip.motion.codes is None else np.asarray(clip.motion.codes, "<i4").tobytes()
    system = typed(clip.system, "a system's name", _LONGEST_NAME)
    if clip.seed is not None and (isinstance(clip.seed, bool) or not -(2**63) <= int(clip.seed) < 2**63):
        raise ArenaError(f"Expected a seed of at most 64 bits, got {clip.seed}.")
    seed = None if clip.seed is None else int(clip.seed)
    digest = hashlib.sha256(json.dumps([system, seed]).encode() + joints + (codes or b"")).hexdigest()
    return _Motion(system, seed, frames, joints, codes, digest)


def _add(db: sqlite3.Connection, pair: _Pair, settings: Settings) -> int:
    db.execute(
        "INSERT OR IGNORE INTO prompts VALUES (?, ?, ?, ?)", (pair.prompt_id, pair.prompt, pair.task, pair.scenario)
    )
    there = db.execute("SELECT prompt, task FROM prompts WHERE id = ?", (pair.prompt_id,)).fetchone()
    if there != (pair.prompt, pair.task):
        raise ArenaError(
            f"The prompt_id {pair.prompt_id!r} belongs to {there[0]!r} ({there[1]}) already, got {pair.prompt!r} "
            f"({pair.task}). Nothing was added."
        )
    one, two = (_motion_id(db, pair.prompt_id, motion) for motion in (pair.one, pair.two))
    expected = pair.expected
    if one > two:
        one, two = two, one
        expected = {"one": "two", "two": "one"}.get(expected or "", expected)
    added = db.execute(
        "INSERT OR IGNORE INTO pairs (prompt_id, one, two, kind, expected, lesson) VALUES (?, ?, ?, ?, ?, ?)",
        (pair.prompt_id, one, two, pair.kind, expected, pair.lesson),
    )
    if not added.rowcount:
        return 0
    if pair.kind == "normal":
        db.execute(
            "INSERT INTO tallies (pair, priority, shuffle) VALUES (?, ?, ?)",
            (added.lastrowid, priority(0, 0, 0, 0, 0, settings), secrets.randbits(32)),
        )
    return 1


def _motion_id(db: sqlite3.Connection, prompt: str, motion: _Motion) -> int:
    found = db.execute("SELECT id FROM motions WHERE prompt_id = ? AND digest = ?", (prompt, motion.digest)).fetchone()
    if found:
        return int(found[0])
    (sample,) = db.execute("SELECT count(*) FROM motions WHERE prompt_id = ?", (prompt,)).fetchone()
    added = db.execute(
        "INSERT INTO motions (prompt_id, sample, system, seed, frames, joints, codes, digest) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (prompt, sample, *motion),
    )
    assert added.lastrowid is not None
    return added.lastrowid
