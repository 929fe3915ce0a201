"""What a campaign is like: how many votes a pair gets, which checks are mixed in, what labellers agree to.

Settings(votes_per_pair=5, gold_every=8)      kept in the store, so that the next start has them again
"""

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from typing import Any

ACCESS = ("names", "codes", "hub")
CONSENT = (
    "I compare short motions of a human figure. My answers, the time they take and a pseudonym instead of my name are "
    "stored and may be published under the licence below. I can stop at any time and withdraw my answers from later "
    "exports."
)


@dataclass(frozen=True)
class Settings:
    """Settings of an arena.

    Args:
        title (`str`, *optional*): what labellers are asked.
        consent (`str`, *optional*): what they agree to before they begin; a new text is asked again.
        license (`str`, *optional*, defaults to `"cc-by-4.0"`): licence of the votes.
        access (`str`, *optional*, defaults to `"names"`): `"names"`, anybody takes a name and gets a code for it;
            `"codes"`, invited people only; `"hub"`, whoever the server has signed in with Hugging Face.
        questions (`bool`, *optional*, defaults to `True`): ask what is right of a task besides which is better.
        votes_per_pair (`int`, *optional*, defaults to 3): votes that each pair is to get; None is without end.
        most_votes (`int`, *optional*, defaults to 7): votes where people disagree.
        training (`int`, *optional*, defaults to 3): most pairs of the training round.
        gold_every (`int`, *optional*, defaults to 10): votes between two gold questions, on average; 0 is none.
        repeat_every (`int`, *optional*, defaults to 20): votes between two swapped repeats, on average; 0 is none.
        repeat_gap (`int`, *optional*, defaults to 10): fewest votes between a pair and its repeat.
        lease (`float`, *optional*, defaults to 900.0): seconds for which a pair that is shown counts as voted on.
        undo_depth (`int`, *optional*, defaults to 5): votes that can be taken back in a row.
        reveal (`bool`, *optional*, defaults to `False`): tell who made the motions after each vote. Votes are final
            then, and there are no repeats.
        min_gold (`float`, *optional*, defaults to 0.7): share of gold questions below which a labeller is flagged.
        min_consistent (`float`, *optional*, defaults to 0.6): share of equal answers to repeats, likewise.
        min_checks (`int`, *optional*, defaults to 5): gold questions or repeats from which on flags are given.
        votes_per_minute (`float`, *optional*, defaults to 40.0): of a labeller, over longer times; None is no limit.
        requests_per_minute (`float`, *optional*, defaults to 600.0): of an address; several people may share one.
        max_bytes (`int`, *optional*): most bytes of the store; None is as much as the disk has.

    Raises:
        TypeError: if a value is of another kind.
        ValueError: if a value is out of range.
    """

    title: str = "Which motion fits the text better?"
    consent: str = CONSENT
    license: str = "cc-by-4.0"
    access: str = "names"
    questions: bool = True
    votes_per_pair: int | None = 3
    most_votes: int = 7
    training: int = 3
    gold_every: int = 10
    repeat_every: int = 20
    repeat_gap: int = 10
    lease: float = 900.0
    undo_depth: int = 5
    reveal: bool = False
    min_gold: float = 0.7
    min_consistent: float = 0.6
    min_checks: int = 5
    votes_per_minute: float | None = 40.0
    requests_per_minute: float | None = 600.0
    max_bytes: int | None = None

    def __post_init__(self) -> None:
        for name in ("title", "consent", "license", "access"):
            if not isinstance(getattr(self, name), str) or not getattr(self, name).strip():
                raise TypeError(f"{name} is text, got {getattr(self, name)!r}.")
        if self.access not in ACCESS:
            raise ValueError(f"access is one of {', '.join(ACCESS)}, got {self.access!r}.")
        least = {
            "votes_per_pair": 1,
            "most_votes": 1,
            "repeat_gap": 1,
            "min_checks": 1,
            "max_bytes": 2**16,
            "lease": 1,
        }
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(field.default, str | bool) or (value is None and "None" in str(field.type)):
                continue
            whole = "int" in str(field.type)
            if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
                raise TypeError(f"{field.name} is {'an integer' if whole else 'a number'}, got {value!r}.")
            if not value >= least.get(field.name, 0):
                raise ValueError(f"{field.name} is at least {least.get(field.name, 0)}, got {value}.")
        if self.votes_per_pair is not None and self.most_votes < self.votes_per_pair:
            raise ValueError(f"most_votes is at least votes_per_pair, {self.votes_per_pair}, got {self.most_votes}.")
        if self.reveal and self.repeat_every:
            raise ValueError("A repeat is only blind where names stay hidden: set repeat_every=0, or reveal=False.")

    @property
    def consent_version(self) -> str:
        """Changes with the text that labellers agree to, and with the licence."""
        return hashlib.sha256(f"{self.consent}\0{self.license}".encode()).hexdigest()[:12]

    def to_json(self) -> str:
        """The settings as they are kept.

        Returns:
            `str`: JSON.
        """
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "Settings":
        """Read them back; what this version does not know is passed over.

        Args:
            text (`str`): JSON.

        Returns:
            [`Settings`]: with defaults for what is missing.
        """
        record: dict[str, Any] = json.loads(text)
        return cls(**{field.name: record[field.name] for field in fields(cls) if field.name in record})
