"""Votes of the page, kept in an arena's store: exported, counted and pushed like those of the preference arena.

ballots = Ballots("votes")
ballots.vote("a visitor's key", comparison, take=0, choice="A is much better")      on the disk when it returns

The arena decides itself what its labellers see next; here a visitor has made the pair, so its ballot is opened for it.
"""

import secrets
import threading
from pathlib import Path

from ...arena import Answer, Arena, ArenaError, Clip, PairItem, Settings
from .comparison import Comparison

_NOTE = "text-to-motion page; the verdict of the kinematic judge was shown"
CHOICES = {
    "A is much better": Answer("first", "much better", note=_NOTE),
    "A is slightly better": Answer("first", "slightly better", note=_NOTE),
    "No difference": Answer("tie", note=_NOTE),
    "B is slightly better": Answer("second", "slightly better", note=_NOTE),
    "B is much better": Answer("second", "much better", note=_NOTE),
}
CONSENT = (
    "I voted on two motions that I had made from a sentence of mine. The sentence, both motions and my vote are kept "
    "without my name and may be published under the licence below."
)
_PROVIDER = "text-to-motion page"


class VoteError(ValueError):
    """A vote that was not taken; the message is for the visitor."""


class Ballots:
    """The store of votes.

    Args:
        folder (`str` or `Path`): of an arena; made where there is none.

    Raises:
        StoreError: if votes could not be kept there.
    """

    def __init__(self, folder: str | Path) -> None:
        new = not Path(folder).is_dir()
        # Who votes made the pair and is told the names: no training, no checks, and nothing is taken back.
        settings = Settings(
            title="Which of the two motions that you made is better?",
            consent=CONSENT,
            access="hub",
            questions=False,
            votes_per_pair=None,
            training=0,
            gold_every=0,
            repeat_every=0,
            reveal=True,
        )
        self.arena = Arena(folder, settings if new else None)
        self.warnings = self.arena.warnings
        self._lock = threading.Lock()

    @property
    def license(self) -> str:
        """Under which votes may be published."""
        return self.arena.settings.license

    def vote(
        self, visitor: str, comparison: Comparison, take: int, choice: str, *, address: str | None = None
    ) -> None:
        """Take a vote: when this returns, pair and vote are on the disk.

        Args:
            visitor (`str`): key of the visit; only a keyed hash of it is kept.
            comparison ([`Comparison`]): two systems, still blind.
            take (`int`): which motions.
            choice (`str`): one of `CHOICES`.
            address (`str`, *optional*): from where, to limit requests.

        Raises:
            VoteError: if it cannot be taken; nothing was saved, or only the pair.
            StoreError: if nothing could be saved.
        """
        if choice not in CHOICES:
            raise VoteError(f"Expected one of {', '.join(CHOICES)}, got {ascii(choice)[:40]}.")
        if len(comparison.sides) != 2:
            raise VoteError("There is nothing to compare: this page shows one model.")
        if take in comparison.open:
            raise VoteError(
                "These names are known already, so the vote would not be blind. Take another one, or generate anew."
            )
        item = _pair(comparison, take)
        try:
            with self._lock:
                self.arena.add_pairs([item])
                session = self.arena.sign_in_verified(visitor, _PROVIDER, address=address)
                if not session.consented:
                    self.arena.consent(session)  # the page says beside its buttons what a vote agrees to
                ballot = self.arena.ballot_for(session, item)
                self.arena.vote(session, ballot.id, CHOICES[choice], secrets.token_urlsafe(18))
        except ArenaError as error:
            raise VoteError(f"Your vote was not taken: {error}") from error

    def close(self) -> None:
        """Close the store."""
        self.arena.close()


def _pair(comparison: Comparison, take: int) -> PairItem:
    generation = comparison.generation
    scenario, seed = generation.scenario, generation.request.seed
    first, second = (
        Clip(comparison.take(side, take).motion, comparison.system(side, take).name, seed) for side in comparison.sides
    )
    return PairItem(
        generation.request.prompt,
        first,
        second,
        task="overall" if scenario is None else scenario.task,
        scenario=None if scenario is None else scenario.to_json(),
    )
