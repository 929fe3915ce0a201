"""Which pair comes next: training first, then pairs with few votes or with votes that disagree, and checks among them.

priority(one=1, two=1, tie=0, skipped=0, waiting=0, settings)    →  2.0, less than that of a pair with three votes

Gold questions and swapped repeats come after a number of votes that is drawn anew each time, so that nobody can count
them out. A pair that somebody is looking at counts as voted on for a while, so that two people get different ones.
"""

import secrets
import sqlite3
from collections import Counter, defaultdict
from typing import NamedTuple

from .counted import LEFT_OUT
from .settings import Settings

_RANDOM = secrets.SystemRandom()
_CANDIDATES = 8
_CHOICES = ("one", "two", "tie", "skipped")


class Next(NamedTuple):
    """What is shown next.

    Args:
        pair (`int`): which pair.
        kind (`str`): `"training"`, `"gold"`, `"repeat"` or `"normal"`; no labeller sees it.
        one_first (`bool`): side of motion one.
        presentation (`int`): 0, or 1 for a repeat.
    """

    pair: int
    kind: str
    one_first: bool
    presentation: int = 0


def priority(one: int, two: int, tie: int, skipped: int, waiting: int, settings: Settings) -> float | None:
    """When a pair's turn is.

    Args:
        one (`int`): votes for motion one.
        two (`int`): votes for motion two.
        tie (`int`): votes for neither.
        skipped (`int`): people who skipped it.
        waiting (`int`): people who are looking at it.
        settings ([`Settings`]): how many votes it is to get.

    Returns:
        `float` or `None`: the lower, the sooner; None if it has enough votes.
    """
    votes = one + two + tie + skipped
    wanted = settings.votes_per_pair
    if wanted is None or votes + waiting < wanted:
        return float(votes + waiting)
    # All have their votes; where no answer leads by two, another one helps.
    first, second = sorted((one, two, tie, skipped), reverse=True)[:2]
    if first - second < 2 and first != votes and votes + waiting < settings.most_votes:
        return votes + waiting + (first - second) / 2
    return None


def draw_next(db: sqlite3.Connection, labeller: str, settings: Settings) -> Next | None:
    """The next pair of a labeller; never one that he or she has seen, but for repeats.

    Args:
        db (`sqlite3.Connection`): inside a transaction.
        labeller (`str`): for whom.
        settings ([`Settings`]): of the campaign.

    Returns:
        [`Next`] or `None`: None if there is nothing left for this labeller.
    """
    seen = "EXISTS (SELECT 1 FROM ballots WHERE labeller = ? AND pair = pairs.id)"
    trained = _count(db, labeller, "= 'training'")
    if trained < settings.training:
        if found := _one_of(
            db, f"SELECT id FROM pairs WHERE kind = 'training' AND NOT {seen} ORDER BY id LIMIT 1", labeller
        ):
            return Next(found, "training", _coin())
    done = _count(db, labeller, "!= 'training'")
    gold_due, repeat_due = db.execute(
        "SELECT gold_due, repeat_due FROM labellers WHERE id = ?", (labeller,)
    ).fetchone()
    if settings.gold_every and done >= gold_due:
        sql = f"SELECT id FROM pairs WHERE kind = 'gold' AND NOT {seen} ORDER BY random() LIMIT 1"
        if found := _one_of(db, sql, labeller):
            db.execute("UPDATE labellers SET gold_due = ? WHERE id = ?", (done + gap(settings.gold_every), labeller))
            return Next(found, "gold", _coin())
    if settings.repeat_every and done >= repeat_due and (repeat := _repeat(db, labeller, settings)):
        db.execute("UPDATE labellers SET repeat_due = ? WHERE id = ?", (done + gap(settings.repeat_every), labeller))
        return repeat
    return _normal(db, labeller)


def gap(every: int) -> int:
    """How many votes lie before the next check.

    Args:
        every (`int`): on average; 0 is none.

    Returns:
        `int`: up to a third more or less.
    """
    return every + _RANDOM.randint(-(every // 3), every // 3)


def end_leases(db: sqlite3.Connection, now: float, settings: Settings) -> None:
    """Stop counting pairs as voted on that were shown too long ago. They can still be voted on.

    Args:
        db (`sqlite3.Connection`): inside a transaction.
        now (`float`): seconds since 1970.
        settings ([`Settings`]): of the campaign.
    """
    over = db.execute("SELECT number, pair FROM ballots WHERE leased = 1 AND served < ?", (now - settings.lease,))
    for number, pair in over.fetchall():
        db.execute("UPDATE ballots SET leased = 0 WHERE number = ?", (number,))
        tally(db, pair, settings, waiting=-1)


def tally(db: sqlite3.Connection, pair: int, settings: Settings, **changes: int) -> None:
    """Count what happened to a pair; checks are not counted.

    Args:
        db (`sqlite3.Connection`): inside a transaction.
        pair (`int`): which pair.
        settings ([`Settings`]): of the campaign.
        changes (`int`): of `one`, `two`, `tie`, `skipped` and `waiting`.
    """
    row = db.execute("SELECT one, two, tie, skipped, waiting FROM tallies WHERE pair = ?", (pair,)).fetchone()
    if row is None:
        return
    counts = dict(zip((*_CHOICES, "waiting"), row, strict=True))
    for name, change in changes.items():
        counts[name] += change
    counts["waiting"] = max(0, counts["waiting"])
    db.execute(
        "UPDATE tallies SET one = :one, two = :two, tie = :tie, skipped = :skipped, waiting = :waiting, "
        "priority = :priority WHERE pair = :pair",
        {**counts, "priority": priority(**counts, settings=settings), "pair": pair},
    )


def recount(db: sqlite3.Connection, settings: Settings) -> None:
    """Count the votes on all pairs again, and whose turn it is: after new settings, or where votes no longer count.

    Args:
        db (`sqlite3.Connection`): inside a transaction.
        settings ([`Settings`]): of the campaign.
    """
    votes: dict[int, Counter[str]] = defaultdict(Counter)
    counted = f"SELECT pair, choice FROM live WHERE kind = 'normal' AND labeller NOT IN ({LEFT_OUT})"
    for pair, choice in db.execute(counted):
        votes[pair][choice] += 1
    before = db.execute("SELECT pair, one, two, tie, skipped FROM tallies").fetchall()
    for pair, *counts in before:
        now = [votes[pair][choice] for choice in _CHOICES]
        tally(db, pair, settings, **{name: new - old for name, new, old in zip(_CHOICES, now, counts, strict=True)})


def _count(db: sqlite3.Connection, labeller: str, kind: str) -> int:
    sql = f"SELECT count(*) FROM ballots WHERE labeller = ? AND done = 1 AND kind {kind}"
    return int(db.execute(sql, (labeller,)).fetchone()[0])


def _one_of(db: sqlite3.Connection, sql: str, labeller: str) -> int | None:
    found = db.execute(sql, (labeller,)).fetchone()
    return int(found[0]) if found else None


def _repeat(db: sqlite3.Connection, labeller: str, settings: Settings) -> Next | None:
    """A pair this labeller decided on some votes ago, with sides swapped."""
    votes = db.execute(
        "SELECT pair, one_first, presentation, choice, kind FROM live WHERE labeller = ? AND kind != 'training' "
        "ORDER BY number",
        (labeller,),
    ).fetchall()
    repeated = {pair for pair, _, presentation, _, _ in votes if presentation}
    possible = [
        Next(pair, "repeat", not one_first, 1)
        for pair, one_first, _, choice, kind in votes[: max(0, len(votes) - settings.repeat_gap)]
        if kind == "normal" and choice != "skipped" and pair not in repeated
    ]
    return _RANDOM.choice(possible) if possible else None


def _normal(db: sqlite3.Connection, labeller: str) -> Next | None:
    rows = db.execute(
        "SELECT pair, priority FROM tallies WHERE priority IS NOT NULL AND NOT EXISTS "
        "(SELECT 1 FROM ballots WHERE labeller = ? AND ballots.pair = tallies.pair) "
        "ORDER BY priority, shuffle LIMIT ?",
        (labeller, _CANDIDATES),
    ).fetchall()
    if not rows:
        return None
    first = [pair for pair, turn in rows if turn == rows[0][1]]
    return Next(_RANDOM.choice(first), "normal", _coin())


def _coin() -> bool:
    return bool(secrets.randbits(1))
