"""How much the choice of a judge depends on which of two motions it is shown first."""

from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True)
class PositionBias:
    """How much a judge's choice depends on the order, over pairs that were answered in both orders.

    Args:
        pairs (`int`): how many votes in both orders there were.
        consistent (`float`, *optional*): share of them with the same choice in both orders.
        first_shown (`float`, *optional*): share with a preference for what was shown first, either time.
        second_shown (`float`, *optional*): share with a preference for what was shown second, either time.
    """

    pairs: int
    consistent: float | None
    first_shown: float | None
    second_shown: float | None


def bias_of_counts(counts: Counter[tuple[str, str]]) -> PositionBias:
    """The same from counts of the choices in both orders.

    Args:
        counts (`Counter`): (choice with the first motion shown first, choice with it shown second) → how often.

    Returns:
        [`PositionBias`]: shares from 0 to 1, unitless; None without any pair.
    """
    total = counts.total()
    if not total:
        return PositionBias(0, None, None, None)
    same = sum(count for (a, b), count in counts.items() if a == b)
    # Shown first both times: the first motion, then the second one.
    return PositionBias(total, same / total, counts["first", "second"] / total, counts["second", "first"] / total)
