"""`Arena`: the one place that a user interface talks to; it knows of no user interface.

arena = Arena("arena", admin_secret="…")
arena.add_pairs([PairItem("a man waves", Clip(one, "base"), Clip(two, "aligned"))])
session = arena.sign_in("ann")
arena.consent(session)
ballot = arena.next_ballot(session)
arena.vote(session, ballot.id, Answer("first", "better"), token="drawn by the page")
"""

import os
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from .admin import Admin
from .answers import Answer
from .ballot import Ballot, ballot_for, next_ballot
from .campaign import PairItem, add_pairs
from .export import Exported, export_votes
from .limits import Limits
from .people import ADMIN, People, Session, load_secret
from .quality import Agreements, LabellerQuality, agreement, quality_of
from .queue import recount
from .results import Comparison, Standing, compare, standings
from .settings import Settings
from .storage import check_storage
from .store import Store
from .voting import Acknowledgement, undo, vote

STORE = "votes.sqlite"


class Progress(NamedTuple):
    """How far a labeller is.

    Args:
        votes (`int`): that count, without those of the training round.
        training_left (`int`): pairs of the training round that are to come.
        available (`int`): pairs that still need votes and that this labeller has not seen. It stays the same after a
            check, so a page shows it roughly.
    """

    votes: int
    training_left: int
    available: int


class Arena:
    """A campaign of comparisons in a folder. Threads may share it, and several servers on one machine the folder; a
    process that forks opens it anew.

    Args:
        folder (`str` or `Path`): where the store and the secret are; made where there is none.
        settings ([`Settings`], *optional*): from now on; those of the store by default, or the defaults.
        admin_secret (`str`, *optional*): opens [`Arena.admin`]; the environment's `ATOM_HF_ARENA_ADMIN` by default.
        pushed (`bool`, *optional*, defaults to `False`): whether votes go to the Hub on a schedule; see
            [`ScheduledPush`].
        clock (`Callable`, *optional*): gives seconds since 1970.

    Raises:
        StoreError: if votes could not be kept in the folder.
    """

    def __init__(
        self,
        folder: str | Path,
        settings: Settings | None = None,
        *,
        admin_secret: str | None = None,
        pushed: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.folder = Path(folder).absolute()
        self.warnings = check_storage(self.folder, pushed=pushed)
        self._clock = clock
        self._store = Store(self.folder / STORE)
        try:
            self.settings = self._settings(settings)
            secret = load_secret(self.folder)
        except BaseException:
            self._store.close()
            raise
        self._people = People(self._store, secret, admin_secret or os.environ.get(ADMIN))
        per_address = self.settings.requests_per_minute
        self._votes = Limits(self.settings.votes_per_minute or None, 20)
        self._requests = Limits(per_address or None, max(20, int(per_address or 0) // 2))
        self._known: tuple[Any, Agreements] | None = None
        self._known_lock = threading.Lock()

    def _settings(self, given: Settings | None) -> Settings:
        rows = self._store.read("SELECT value FROM settings ORDER BY number DESC LIMIT 1")
        stored = Settings.from_json(rows[0][0]) if rows else None
        settings = given or stored or Settings()
        if settings != stored:
            with self._store.write() as db:
                db.execute("INSERT INTO settings (at, value) VALUES (?, ?)", (self._clock(), settings.to_json()))
                if stored:
                    recount(db, settings)
        self._store.limit(settings.max_bytes)
        return settings

    def add_pairs(self, items: Iterable[PairItem]) -> int:
        """Add pairs to compare: all, or none if one has a fault. Those that are there already stay as they are.

        Args:
            items (`Iterable[PairItem]`): such as those of `pairs_from_folder`.

        Returns:
            `int`: pairs that are new.

        Raises:
            ArenaError: if a pair has a fault; its number is named.
            StoreError: if they cannot be saved.
        """
        return add_pairs(self._store, items, self.settings)

    def sign_in(self, name: str, code: str | None = None, *, address: str | None = None) -> Session:
        """Sign somebody in.

        Args:
            name (`str`): a name; only a keyed hash of it is kept.
            code (`str`, *optional*): the name's code; none for a name that is free.
            address (`str`, *optional*): from where, to limit requests.

        Returns:
            [`Session`]: with the code of the name if it was free.

        Raises:
            ArenaError: if the name or the code will not do, or there were many tries.
        """
        self._requests.take(address)
        return self._people.sign_in(name, code, self.settings, self._clock())

    def sign_in_verified(self, name: str, provider: str = "hub", *, address: str | None = None) -> Session:
        """Sign in somebody whom the server has signed in already, such as with Hugging Face.

        Args:
            name (`str`): user name there. The server must have it from the service, not from the page.
            provider (`str`, *optional*, defaults to `"hub"`): which service.
            address (`str`, *optional*): from where, to limit requests.

        Returns:
            [`Session`]: without a code.
        """
        self._requests.take(address)
        return self._people.sign_in_verified(name, provider, self.settings, self._clock())

    def consent(self, labeller: str | Session, given: bool = True) -> None:
        """Write down that somebody agrees to `settings.consent` and `settings.license`, or no longer does.

        Votes of people who have withdrawn are left out of exports and results from then on.

        Args:
            labeller (`str` or [`Session`]): key of the session.
            given (`bool`, *optional*, defaults to `True`): False withdraws.
        """
        name = self._people.require(labeller, self.settings, self._clock(), consent=False)
        self._people.consent(name, given, self.settings, self._clock())

    def next_ballot(self, labeller: str | Session, *, address: str | None = None) -> Ballot | None:
        """What is to be compared next; the same again until it is voted on.

        Args:
            labeller (`str` or [`Session`]): key of the session.
            address (`str`, *optional*): from where, to limit requests.

        Returns:
            [`Ballot`] or `None`: None if there is nothing left for this labeller.

        Raises:
            NotAllowed: if nobody is signed in, or consent is missing.
        """
        self._requests.take(address)
        now = self._clock()
        return next_ballot(self._store, self._people.require(labeller, self.settings, now), self.settings, now)

    def ballot_for(self, labeller: str | Session, item: PairItem) -> Ballot:
        """A ballot for a pair that somebody looks at already, with `item.one` as the first motion.

        Args:
            labeller (`str` or [`Session`]): key of the session.
            item ([`PairItem`]): a pair that was added.

        Returns:
            [`Ballot`]: for this pair.

        Raises:
            BallotError: if there is no such pair, or this labeller has voted on it.
            NotAllowed: if nobody is signed in, or consent is missing.
        """
        now = self._clock()
        name = self._people.require(labeller, self.settings, now)
        return ballot_for(self._store, name, item.one.motion, item.two.motion, self.settings, now)

    def vote(
        self,
        labeller: str | Session,
        ballot_id: str,
        answer: Answer | Mapping[str, Any],
        token: str,
        *,
        address: str | None = None,
    ) -> Acknowledgement:
        """Take a vote. When this returns, it is on the disk; the same call again gives the same acknowledgement.

        Args:
            labeller (`str` or [`Session`]): key of the session.
            ballot_id (`str`): of a ballot of this labeller.
            answer ([`Answer`] or `Mapping`): what is said; a mapping is read as one.
            token (`str`): 8 to 100 letters, drawn by the page for this vote, so that it can be sent again.
            address (`str`, *optional*): from where, to limit requests.

        Returns:
            [`Acknowledgement`]: with feedback in the training round.

        Raises:
            ArenaError: if nothing was saved because something is wrong with the vote; it says what.
            StoreError: if nothing was saved because of the store.
        """
        self._requests.take(address)
        now = self._clock()
        name = self._people.require(labeller, self.settings, now)
        answer = answer if isinstance(answer, Answer) else Answer.read(answer)
        self._votes.take(name)
        return vote(self._store, name, ballot_id, answer, token, self.settings, now)

    def undo(self, labeller: str | Session, token: str | None = None) -> Ballot:
        """Take the last vote back; its pair is shown once more.

        Args:
            labeller (`str` or [`Session`]): key of the session.
            token (`str`, *optional*): drawn by the page for this undo, so that a double click takes back one vote.

        Returns:
            [`Ballot`]: the same pair with the same sides, under another id.

        Raises:
            ArenaError: if there is no vote to take back.
            StoreError: if nothing was saved because of the store.
        """
        now = self._clock()
        name = self._people.require(labeller, self.settings, now)
        return undo(self._store, name, token or secrets.token_urlsafe(18), self.settings, now)

    def progress(self, labeller: str | Session) -> Progress:
        """How far somebody is.

        Args:
            labeller (`str` or [`Session`]): key of the session.

        Returns:
            [`Progress`]: counts.
        """
        name = self._people.require(labeller, self.settings, self._clock(), consent=False)
        seen = "EXISTS (SELECT 1 FROM ballots WHERE labeller = ?1 AND done = 1 AND ballots.pair = {}.{})"
        (row,) = self._store.read(
            "SELECT (SELECT count(*) FROM live WHERE labeller = ?1 AND kind != 'training'), "
            "(SELECT count(*) FROM live WHERE labeller = ?1 AND kind = 'training'), "
            f"(SELECT count(*) FROM pairs WHERE kind = 'training' AND NOT {seen.format('pairs', 'id')}), "
            f"(SELECT count(*) FROM tallies WHERE priority IS NOT NULL AND NOT {seen.format('tallies', 'pair')})",
            (name,),
        )
        votes, trained, training, available = row
        return Progress(votes, max(0, min(training, self.settings.training - trained)), available)

    def quality(self, labeller: str | Session) -> LabellerQuality:
        """How somebody's own votes compare with known answers, with themselves and with those of others.

        Args:
            labeller (`str` or [`Session`]): key of the session.

        Returns:
            [`LabellerQuality`]: of this labeller alone.
        """
        name = self._people.require(labeller, self.settings, self._clock(), consent=False)
        return quality_of(self._store, self.settings, name)

    def agreement(self) -> Agreements:
        """How far labellers agree, of all votes until now; worked out again once there are new ones.

        Returns:
            [`Agreements`]: with intervals.
        """
        state = self._store.read(
            "SELECT (SELECT max(number) FROM votes), (SELECT count(*) FROM retractions), "
            "(SELECT max(number) FROM consents), (SELECT max(number) FROM blocks)"
        )[0]
        with self._known_lock:
            if self._known is None or self._known[0] != state:
                self._known = (state, agreement(self._store))
            return self._known[1]

    def win_rates(self, a: str, b: str, *, without_flagged: bool = False) -> Comparison:
        """How often one system won against another; for whoever runs the arena, as it has their names.

        Args:
            a (`str`): a system.
            b (`str`): another one.
            without_flagged (`bool`, *optional*, defaults to `False`): leave out labellers below the thresholds.

        Returns:
            [`Comparison`]: what `atom_hf.evaluation` makes of the votes.

        Raises:
            ArenaError: if a system is unknown, or both are the same.
        """
        return compare(self._store, self.settings, a, b, without_flagged=without_flagged)

    def standings(self, *, without_flagged: bool = False) -> list[Standing]:
        """All couples of systems that were compared.

        Args:
            without_flagged (`bool`, *optional*, defaults to `False`): leave out labellers below the thresholds.

        Returns:
            `list[Standing]`: by name.
        """
        return standings(self._store, self.settings, without_flagged=without_flagged)

    def export(self, folder: str | Path, **options: Any) -> Exported:
        """Write the votes as files; see `export_votes`.

        Args:
            folder (`str` or `Path`): new or empty.
            options (`Any`): of `export_votes`.

        Returns:
            [`Exported`]: what was written.
        """
        return export_votes(self._store, self.settings, folder, **options)

    def admin(self, secret: str, *, address: str | None = None) -> Admin:
        """What only whoever runs the arena may do and see.

        Args:
            secret (`str`): what was typed.
            address (`str`, *optional*): from where, to limit guesses.

        Returns:
            [`Admin`]: good for this request or this page; it is not to leave the server.

        Raises:
            NotAllowed: if the secret is wrong, or none was set.
        """
        self._people.require_admin(secret, address)
        return Admin(self._store, self._people, self.settings, self._clock)

    def close(self) -> None:
        """Close the store; everything is in it already."""
        self._store.close()

    def __enter__(self) -> "Arena":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
