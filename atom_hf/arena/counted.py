"""The votes that count: not taken back, and of people who have neither withdrawn nor been blocked."""

from collections.abc import Collection
from typing import NamedTuple

from .store import Store

# Labellers who have withdrawn or been blocked.
LEFT_OUT = """
SELECT labeller FROM consents AS c WHERE given = 0
  AND number = (SELECT max(number) FROM consents WHERE labeller = c.labeller)
UNION SELECT labeller FROM blocks AS b WHERE blocked = 1
  AND number = (SELECT max(number) FROM blocks WHERE labeller = b.labeller)
"""


class CountedVote(NamedTuple):
    """A vote with what it is about.

    Args:
        number (`int`): in the order in which they came.
        pair (`int`): which pair.
        prompt_id (`str`): of the pair.
        labeller (`str`): pseudonym.
        kind (`str`): `"normal"`, `"repeat"`, `"gold"` or `"training"`.
        one_first (`bool`): whether motion one was the first.
        choice (`str`): `"one"`, `"two"`, `"tie"` or `"skipped"`.
        degree (`str`, *optional*): of preference.
        reason (`str`, *optional*): why it was skipped.
        questions (`str`): answers in JSON, by motion.
        note (`str`): anything else.
        at (`float`): seconds since 1970.
        seconds (`float`, *optional*): how long it took.
        expected (`str`, *optional*): the known answer.
        systems (`tuple[str, str]`): who made motions one and two.
    """

    number: int
    pair: int
    prompt_id: str
    labeller: str
    kind: str
    one_first: bool
    choice: str
    degree: str | None
    reason: str | None
    questions: str
    note: str
    at: float
    seconds: float | None
    expected: str | None
    systems: tuple[str, str]

    @property
    def first(self) -> bool | None:
        """Whether the motion shown first was chosen; None for a tie or a skipped pair."""
        return (self.choice == "one") == self.one_first if self.choice in ("one", "two") else None


def counted_votes(
    store: Store, kinds: Collection[str] = ("normal", "repeat", "gold", "training"), without: Collection[str] = ()
) -> list[CountedVote]:
    """Votes that count, in the order in which they came.

    Args:
        store ([`Store`]): the store.
        kinds (`Collection[str]`, *optional*): which ones, all by default.
        without (`Collection[str]`, *optional*): labellers that are left out.

    Returns:
        `list[CountedVote]`: votes.
    """
    rows = store.read(
        "SELECT number, pair, pairs.prompt_id, labeller, live.kind, one_first, choice, degree, reason, questions, "
        "note, at, seconds, expected, a.system, b.system FROM live JOIN pairs ON pairs.id = pair "
        "JOIN motions AS a ON a.id = one JOIN motions AS b ON b.id = two "
        f"WHERE live.kind IN ({', '.join('?' * len(kinds))}) AND labeller NOT IN ({LEFT_OUT}) ORDER BY number",
        tuple(kinds),
    )
    left_out = set(without)
    return [
        CountedVote._make((*row[:5], bool(row[5]), *row[6:14], row[14:])) for row in rows if row[3] not in left_out
    ]
