"""Which of two motions a judge prefers, asked in both orders; and how much it looks at the order.

Preference(choice="first", orders=("first", "first"))    the same whichever was shown first
Preference(choice="tie", orders=("first", "second"))     whatever was shown first: no preference
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ..position_bias import PositionBias, bias_of_counts
from .replies import PairReply

SWAPPED = {"first": "second", "second": "first", "tie": "tie"}


@dataclass(frozen=True)
class Preference:
    """A choice between two motions with its reasons, or no choice with the cause.

    Args:
        choice (`str`, *optional*): `"first"`, `"second"` or `"tie"`; None where the judge could not choose.
        reason (`str`, *optional*): why, in the judge's words.
        cause (`str`, *optional*): why there is no choice; given exactly where there is none.
        confidence (`float`, *optional*): the judge's own, 0 to 1, mean over its replies.
        orders (`tuple[str, ...]`, *optional*): choices with the first motion shown first, then with it shown second,
            and so on for further votes; each says which motion, not which place.
        replies (`tuple[str, ...]`, *optional*): what it said, as it came, in that order.
        judge (`str`, *optional*): which judge, with its version.

    Raises:
        ValueError: if there are both choice and cause, or neither, or the choice is another word.
    """

    choice: str | None
    reason: str = ""
    cause: str | None = None
    confidence: float | None = None
    orders: tuple[str, ...] = ()
    replies: tuple[str, ...] = ()
    judge: str = ""

    def __post_init__(self) -> None:
        if (self.choice is None) != (self.cause is not None):
            raise ValueError(
                f"A preference has a choice, or a cause why there is none, got {self.choice!r}, cause {self.cause!r}."
            )
        if self.choice is not None and self.choice not in SWAPPED:
            raise ValueError(f"A choice is one of {', '.join(SWAPPED)}, got {self.choice!r}.")

    @property
    def consistent(self) -> bool:
        """Whether all orders gave the same choice."""
        return len(set(self.orders)) == 1

    def in_both_orders(self) -> list[tuple[str, str]]:
        """What was said of the pair, vote by vote.

        Returns:
            `list[tuple[str, str]]`: the choice with the first motion shown first, and with it shown second.
        """
        return list(zip(self.orders[::2], self.orders[1::2], strict=True))


def combine(replies: Sequence[PairReply], texts: Sequence[str] = (), judge: str = "") -> Preference:
    """One preference from replies in both orders.

    A motion is preferred in a vote where both orders say so, otherwise the vote is a tie; of several votes more than
    half decide.

    Args:
        replies (`Sequence[PairReply]`): in turn with the first motion shown first and shown second.
        texts (`Sequence[str]`, *optional*): the replies as they came.
        judge (`str`, *optional*): which judge.

    Returns:
        [`Preference`]: with a choice.
    """
    orders = tuple(reply.choice if i % 2 == 0 else SWAPPED[reply.choice] for i, reply in enumerate(replies))
    votes = [a if a == b else "tie" for a, b in zip(orders[::2], orders[1::2], strict=True)]
    choice, count = Counter(votes).most_common(1)[0]
    choice = choice if 2 * count > len(votes) else "tie"
    agreeing = [reply.reason for reply, said in zip(replies, orders, strict=True) if said == choice]
    reason = agreeing[0] if agreeing else "The choice changes with the order in which the motions are shown."
    confidence = sum(reply.confidence for reply in replies) / len(replies)
    return Preference(choice, reason, None, confidence, orders, tuple(texts), judge)


def position_bias(preferences: Sequence[Preference]) -> PositionBias:
    """The position bias of a judge.

    Args:
        preferences (`Sequence[Preference]`): its choices; those without a choice do not count.

    Returns:
        [`PositionBias`]: shares from 0 to 1, unitless; None without any pair.
    """
    counts = Counter(
        pair for preference in preferences if preference.choice is not None for pair in preference.in_both_orders()
    )
    return bias_of_counts(counts)
