"""A vote: checked, committed to the disk, and only then acknowledged; the same token gives the same acknowledgement.

vote(store, labeller, ballot_id, Answer("first", "better"), token, settings, now)   →  Acknowledgement(…)
undo(store, labeller, token, settings, now)         a new row that takes the last vote back, and the ballot once more
"""

import json
import sqlite3
from datetime import UTC, datetime
from typing import Any, NamedTuple

from .answers import Answer, check_questions, is_right, of_motions, of_sides
from .ballot import Ballot, ballot_of, serve
from .errors import AnswerError, BallotError
from .queue import Next, tally
from .settings import Settings
from .store import Store
from .text import typed

_VOTE = "ballot, labeller, choice, degree, reason, questions, note, seconds, at, kind, one_first, pair"
_LONGEST_TOKEN = 100
_NOT_YOURS = "This comparison is not yours, or is gone; please go on with the next one."


class Feedback(NamedTuple):
    """What a labeller is told after a vote of the training round.

    Args:
        right (`bool`): whether the answer was the expected one.
        expected (`str`): `"first"`, `"second"` or `"tie"`.
        lesson (`str`): what can be learnt from it; as typed, so the page has to escape it.
    """

    right: bool
    expected: str
    lesson: str


class Acknowledgement(NamedTuple):
    """A vote that is on the disk.

    Args:
        ballot_id (`str`): what was voted on.
        token (`str`): of the vote.
        at (`str`): when it was taken, ISO 8601 in UTC.
        feedback ([`Feedback`], *optional*): in the training round.
        systems (`tuple[str, str]`, *optional*): who made the first and the second motion, where the campaign reveals
            it.
    """

    ballot_id: str
    token: str
    at: str
    feedback: Feedback | None = None
    systems: tuple[str, str] | None = None


def vote(
    store: Store, labeller: str, ballot_id: str, answer: Answer, token: str, settings: Settings, now: float
) -> Acknowledgement:
    """Take a vote.

    Args:
        store ([`Store`]): the store.
        labeller (`str`): who votes.
        ballot_id (`str`): of a ballot of this labeller.
        answer ([`Answer`]): what is said.
        token (`str`): drawn by the page for this vote, so that it can be sent again.
        settings ([`Settings`]): of the campaign.
        now (`float`): seconds since 1970.

    Returns:
        [`Acknowledgement`]: the vote is on the disk.

    Raises:
        AnswerError: if the answer does not fit the ballot, or the token is none.
        BallotError: if the ballot is not this labeller's, or voted on already, or the token belongs to another vote.
        StoreError: if nothing could be saved.
    """
    token = _token(token)
    if not isinstance(ballot_id, str) or not ballot_id.isascii():
        raise BallotError(_NOT_YOURS)
    with store.write() as db:
        ballot = db.execute(
            "SELECT pair, presentation, attempt, ballots.kind, one_first, leased, done, task FROM ballots "
            "JOIN pairs ON pairs.id = pair JOIN prompts ON prompts.id = prompt_id "
            "WHERE ballots.id = ? AND labeller = ?",
            (ballot_id, labeller),
        ).fetchone()
        if ballot is None:
            raise BallotError(_NOT_YOURS)
        pair, presentation, attempt, kind, one_first, leased, done, task = ballot
        check_questions(answer, task)
        said = _as_stored(answer, bool(one_first))
        before = db.execute(f"SELECT {_VOTE} FROM votes WHERE token = ?", (token,)).fetchone()
        if before is not None:
            if before[:7] != (ballot_id, labeller, *said):
                raise BallotError("This token belongs to another vote; nothing was saved. Please vote once more.")
        elif done:
            raise BallotError("This comparison was voted on already; please go on with the next one.")
        else:
            db.execute(
                "INSERT INTO votes (ballot, labeller, choice, degree, reason, questions, note, seconds, at, kind, "
                "one_first, pair, presentation, attempt, token) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (ballot_id, labeller, *said, answer.seconds, now, kind, one_first, pair, presentation, attempt, token),
            )
            db.execute("UPDATE ballots SET done = 1, leased = 0 WHERE id = ?", (ballot_id,))
            if kind == "normal":
                tally(db, pair, settings, waiting=-leased, **{said[0]: 1})
    return _acknowledged(store, token, settings)


def undo(store: Store, labeller: str, token: str, settings: Settings, now: float) -> Ballot:
    """Take the last vote back, and show its ballot once more, under another id.

    Args:
        store ([`Store`]): the store.
        labeller (`str`): who voted.
        token (`str`): drawn by the page for this undo; sent again, nothing more is taken back.
        settings ([`Settings`]): of the campaign.
        now (`float`): seconds since 1970.

    Returns:
        [`Ballot`]: with the sides it had.

    Raises:
        BallotError: if there is no vote to take back.
        StoreError: if nothing could be saved.
    """
    token = _token(token)
    with store.write() as db:
        before = db.execute(
            "SELECT retractions.ballot, labeller FROM retractions JOIN votes ON number = vote "
            "WHERE retractions.token = ?", (token,),
        ).fetchone()  # fmt: skip
        if before is None:
            name = _retract(db, labeller, token, settings, now)
        elif before[1] != labeller:
            raise BallotError("This token belongs to another vote; nothing was taken back. Please try once more.")
        else:
            name = before[0]
    return ballot_of(store, name, settings)


def _retract(db: sqlite3.Connection, labeller: str, token: str, settings: Settings, now: float) -> str:
    if settings.reveal:
        raise BallotError("Votes are final here, as names are shown after each of them.")
    (back,) = db.execute(
        "SELECT count(*) FROM ballots JOIN retractions ON ballots.id = retractions.ballot "
        "WHERE labeller = ? AND done = 0", (labeller,),
    ).fetchone()  # fmt: skip
    last = db.execute(
        "SELECT number, pair, kind, one_first, presentation, choice FROM live WHERE labeller = ? "
        "ORDER BY number DESC LIMIT 1", (labeller,),
    ).fetchone()  # fmt: skip
    if last is None or last[2] == "training":
        raise BallotError("There is no vote to take back.")
    if back >= settings.undo_depth:
        raise BallotError(
            f"At most {settings.undo_depth} votes can be taken back in a row; please vote on these first."
        )
    number, pair, kind, one_first, presentation, choice = last
    name = serve(db, labeller, Next(pair, kind, bool(one_first), presentation), settings, now)
    db.execute("INSERT INTO retractions VALUES (?, ?, ?, ?)", (number, name, token, now))
    if kind == "normal":
        tally(db, pair, settings, **{choice: -1})
    return name


def _as_stored(answer: Answer, one_first: bool) -> tuple[str, str | None, str | None, str, str]:
    questions = {name: of_motions(said, one_first) for name, said in sorted(answer.questions.items())}
    return of_motions(answer.choice, one_first), answer.degree, answer.reason, json.dumps(questions), answer.note


def _acknowledged(store: Store, token: str, settings: Settings) -> Acknowledgement:
    (row,) = store.read(
        "SELECT votes.ballot, at, votes.kind, one_first, choice, degree, expected, lesson, a.system, b.system "
        "FROM votes JOIN pairs ON pairs.id = pair JOIN motions AS a ON a.id = one JOIN motions AS b ON b.id = two "
        "WHERE token = ?",
        (token,),
    )
    ballot, at, kind, one_first, choice, degree, expected, lesson, *systems = row
    feedback = None
    if kind == "training":
        feedback = Feedback(is_right(choice, degree, expected), of_sides(expected, bool(one_first)), lesson)
    shown: Any = tuple(systems if one_first else systems[::-1]) if settings.reveal else None
    return Acknowledgement(ballot, token, when(at), feedback, shown)


def when(at: float) -> str:
    """A time as it is told.

    Args:
        at (`float`): seconds since 1970.

    Returns:
        `str`: ISO 8601 in UTC, to the millisecond.
    """
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")


def _token(token: object) -> str:
    text = typed(token, "a token", _LONGEST_TOKEN)
    if len(text) < 8:
        raise AnswerError("Expected a token of 8 letters or more, drawn anew for every vote.")
    return text
