"""What only whoever runs the arena may see and do; [`Arena.admin`] asks for a secret first."""

from collections.abc import Callable
from typing import NamedTuple

from .errors import ArenaError
from .people import People
from .quality import LabellerQuality, all_qualities
from .queue import recount
from .results import systems
from .settings import Settings
from .store import Store
from .text import typed


class Overview(NamedTuple):
    """What there is.

    Args:
        pairs (`dict[str, int]`): by kind: normal, gold, training.
        systems (`list[str]`): who made the motions.
        labellers (`int`): who have signed in at least once.
        votes (`dict[str, int]`): by kind, those that were taken back left out.
        retracted (`int`): votes that were taken back.
        unfinished (`int`): pairs that still need votes.
        skipped (`dict[str, int]`): skipped pairs by reason.
        bytes (`int`): size of the store.
    """

    pairs: dict[str, int]
    systems: list[str]
    labellers: int
    votes: dict[str, int]
    retracted: int
    unfinished: int
    skipped: dict[str, int]
    bytes: int


class Admin:
    """The page of whoever runs the arena.

    Args:
        store ([`Store`]): the store.
        people ([`People`]): who labels.
        settings ([`Settings`]): of the campaign.
        clock (`Callable`): gives seconds since 1970.
    """

    def __init__(self, store: Store, people: People, settings: Settings, clock: Callable[[], float]) -> None:
        self._store, self._people, self._settings, self._clock = store, people, settings, clock

    def overview(self) -> Overview:
        """What there is.

        Returns:
            [`Overview`]: counts.
        """
        one = self._store.read(
            "SELECT (SELECT count(*) FROM labellers), (SELECT count(*) FROM retractions), "
            "(SELECT count(*) FROM tallies WHERE priority IS NOT NULL)"
        )[0]
        counts = [
            dict(self._store.read(f"SELECT {what}, count(*) FROM {table} WHERE {what} IS NOT NULL GROUP BY {what}"))
            for what, table in (("kind", "pairs"), ("kind", "live"), ("reason", "live"))
        ]
        size = sum(path.stat().st_size for path in self._store.path.parent.glob(f"{self._store.path.name}*"))
        return Overview(counts[0], systems(self._store), one[0], counts[1], one[1], one[2], counts[2], size)

    def labellers(self) -> list[LabellerQuality]:
        """How good everybody's votes are.

        Returns:
            `list[LabellerQuality]`: most votes first.
        """
        return all_qualities(self._store, self._settings)

    def invite(self, name: str) -> str:
        """A code for a name; an older one is no longer good, and whoever is signed in by it is signed out.

        Args:
            name (`str`): a name.

        Returns:
            `str`: the code. It cannot be shown again.

        Raises:
            ArenaError: if it is no name.
        """
        return self._people.invite(name, self._settings, self._clock())

    def block(self, labeller: str, why: str, blocked: bool = True) -> None:
        """Keep a labeller from voting, and leave the votes out of exports and results; or the reverse.

        Args:
            labeller (`str`): pseudonym.
            why (`str`): for the record.
            blocked (`bool`, *optional*, defaults to `True`): False lets him or her vote again.

        Raises:
            ArenaError: if there is no such labeller.
        """
        why = typed(why, "a reason", 500)
        with self._store.write() as db:
            if not db.execute("SELECT 1 FROM labellers WHERE id = ?", (labeller,)).fetchone():
                raise ArenaError(f"Expected a labeller, got {labeller[:40]!r}.")
            db.execute(
                "INSERT INTO blocks (labeller, blocked, why, at) VALUES (?, ?, ?, ?)",
                (labeller, blocked, why, self._clock()),
            )
            recount(db, self._settings)
