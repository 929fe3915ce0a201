"""What a labeller is shown: a text, two motions and questions, and nothing that tells who made them or why they come.

{"id": "h2XsW…", "prompt": "a man jumps twice", "task": "frequency", "questions": [{"name": "events", …}],
 "first": {"fps": 20.0, "joints_mm": [[[x, y, z], …], …]}, "second": {…}}

The id is drawn anew for every ballot. Gold questions, repeats and training pairs look like any other.
"""

import secrets
import sqlite3
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..motion import Motion
from .answers import QUESTIONS, Question
from .clips import pack, shown
from .errors import BallotError
from .queue import Next, draw_next, end_leases, tally
from .settings import Settings
from .store import Store


@dataclass(frozen=True, eq=False)
class Ballot:
    """One comparison.

    Args:
        id (`str`): random; what [`Arena.vote`] takes.
        prompt (`str`): what the person is to do; as typed, so the page has to escape it.
        task (`str`): what it is about.
        questions (`tuple[Question, ...]`): about both motions.
        first ([`Motion`]): joints `[T, 22, 3]` in metres at 20 fps; the left or upper one.
        second ([`Motion`]): likewise.
    """

    id: str
    prompt: str
    task: str
    questions: tuple[Question, ...]
    first: Motion
    second: Motion

    def to_dict(self) -> dict[str, Any]:
        """The ballot as plain data, for JSON.

        Returns:
            `dict[str, Any]`: joints as whole millimetres.
        """
        return {
            "id": self.id,
            "prompt": self.prompt,
            "task": self.task,
            "questions": [question._asdict() for question in self.questions],
            **{side: _plain(getattr(self, side)) for side in ("first", "second")},
        }


def next_ballot(store: Store, labeller: str, settings: Settings, now: float) -> Ballot | None:
    """What a labeller is shown next; the same again until it is voted on.

    Args:
        store ([`Store`]): the store.
        labeller (`str`): for whom.
        settings ([`Settings`]): of the campaign.
        now (`float`): seconds since 1970.

    Returns:
        [`Ballot`] or `None`: None if there is nothing left for this labeller.
    """
    with store.write(durable=False) as db:  # the vote that follows takes it to the disk
        end_leases(db, now, settings)
        open_ = db.execute(
            "SELECT number, id, pair, leased FROM ballots WHERE labeller = ? AND done = 0 "
            "ORDER BY number DESC LIMIT 1",
            (labeller,),
        ).fetchone()
        if open_ is None:
            drawn = draw_next(db, labeller, settings)
            if drawn is None:
                return None
            name = serve(db, labeller, drawn, settings, now)
        else:
            number, name, pair, leased = open_
            db.execute("UPDATE ballots SET served = ?, leased = 1 WHERE number = ?", (now, number))
            if not leased:
                tally(db, pair, settings, waiting=1)
    return ballot_of(store, name, settings)


def ballot_for(store: Store, labeller: str, first: Motion, second: Motion, settings: Settings, now: float) -> Ballot:
    """A ballot for two motions that somebody sees already.

    Args:
        store ([`Store`]): with the pair.
        labeller (`str`): who.
        first (`Motion`): shown first.
        second (`Motion`): shown second.
        settings ([`Settings`]): of the arena.
        now (`float`): seconds since 1970.

    Returns:
        [`Ballot`]: with these sides.

    Raises:
        BallotError: if there is no such pair, or this labeller has voted on it.
    """
    rows = store.read(
        "SELECT pairs.id, a.joints = ?1 FROM pairs "
        "JOIN motions AS a ON a.id = one JOIN motions AS b ON b.id = two "
        "WHERE (a.joints = ?1 AND b.joints = ?2) OR (a.joints = ?2 AND b.joints = ?1) ORDER BY pairs.id DESC",
        (pack(first)[1], pack(second)[1]),
    )
    if not rows:
        raise BallotError("These two motions are no pair of this arena; add_pairs makes one of them.")
    pair, one_first = rows[0]
    if store.read("SELECT 1 FROM live WHERE pair = ? AND labeller = ?", (pair, labeller)):
        raise BallotError("You have voted on these two motions already.")
    with store.write() as db:
        name = serve(db, labeller, Next(pair, "normal", bool(one_first)), settings, now)
    return ballot_of(store, name, settings)


def serve(db: sqlite3.Connection, labeller: str, drawn: Next, settings: Settings, now: float) -> str:
    """Write down that a labeller is shown a pair.

    Args:
        db (`sqlite3.Connection`): inside a transaction.
        labeller (`str`): to whom.
        drawn ([`Next`]): what is shown.
        settings ([`Settings`]): of the campaign.
        now (`float`): seconds since 1970.

    Returns:
        `str`: id of the ballot.
    """
    name = secrets.token_urlsafe(18)
    pair, kind, one_first, presentation = drawn
    (attempt,) = db.execute(
        "SELECT count(*) FROM ballots WHERE labeller = ? AND pair = ? AND presentation = ?",
        (labeller, pair, presentation),
    ).fetchone()
    db.execute(
        "INSERT INTO ballots (id, pair, labeller, presentation, attempt, kind, one_first, served, leased) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (name, pair, labeller, presentation, attempt, kind, one_first, now, kind == "normal"),
    )
    if kind == "normal":
        tally(db, pair, settings, waiting=1)
    return name


def ballot_of(store: Store, name: str, settings: Settings) -> Ballot:
    """A ballot by its id; whose it is was looked at before.

    Args:
        store ([`Store`]): the store.
        name (`str`): id.
        settings ([`Settings`]): of the campaign.

    Returns:
        [`Ballot`]: with motions as they are shown.

    Raises:
        BallotError: if there is none.
    """
    rows = store.read(
        "SELECT prompts.prompt, task, one_first, a.frames, a.joints, b.frames, b.joints FROM ballots "
        "JOIN pairs ON pairs.id = ballots.pair JOIN prompts ON prompts.id = pairs.prompt_id "
        "JOIN motions AS a ON a.id = one JOIN motions AS b ON b.id = two WHERE ballots.id = ?",
        (name,),
    )
    if not rows:
        raise BallotError("There is no such comparison; please go on with the next one.")
    prompt, task, one_first, frames_one, one, frames_two, two = rows[0]
    motions = [shown(frames_one, one), shown(frames_two, two)]
    first, second = motions if one_first else motions[::-1]
    return Ballot(name, prompt, task, QUESTIONS[task] if settings.questions else (), first, second)


def _plain(motion: Motion) -> dict[str, Any]:
    millimetres = np.rint(np.asarray(motion.joints, np.float64) * 1000).astype(int)
    return {"fps": motion.fps, "joints_mm": millimetres.tolist()}
