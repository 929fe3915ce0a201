"""Shares of counted things: an interval that stays within 0 and 1, and whether a share could be half.

wilson_interval(42, 50)   →  (0.71, 0.92)
sign_test(9, 1)           →  0.021
"""

import math
from statistics import NormalDist


def wilson_interval(wins: int, decided: int, confidence: float = 0.95) -> tuple[float, float]:
    """Interval of a share (Wilson 1927): never outside of 0 to 1, and sound for few pairs and shares near the ends.

    Args:
        wins (`int`): how often.
        decided (`int`): out of how many, at least 1.
        confidence (`float`, *optional*, defaults to 0.95): share of such intervals that hold the true share.

    Returns:
        `tuple[float, float]`: lower and upper end, 0 to 1.

    Raises:
        ValueError: if the numbers are no such share.
    """
    if not (0 <= wins <= decided and decided >= 1 and 0 < confidence < 1):
        raise ValueError(f"Expected 0 <= wins <= decided, decided >= 1 and a confidence, got {wins}, {decided}.")
    z, share = NormalDist().inv_cdf((1 + confidence) / 2), wins / decided
    weight = 1 + z * z / decided
    centre = (share + z * z / (2 * decided)) / weight
    half = z / weight * math.sqrt(share * (1 - share) / decided + z * z / (4 * decided**2))
    return (0.0 if wins == 0 else centre - half), (1.0 if wins == decided else centre + half)


def sign_test(wins: int, losses: int) -> float:
    """Exact two-sided sign test: how often a fair coin is as far from half as this.

    Args:
        wins (`int`): of one side.
        losses (`int`): of the other.

    Returns:
        `float`: p, up to 1; 1 where there are none.
    """
    total, fewer = wins + losses, min(wins, losses)
    term = tail = 1  # whole numbers, so that nothing is rounded before the end
    for k in range(fewer):
        term = term * (total - k) // (k + 1)
        tail += term
    return min(1.0, 2 * tail / 2**total)
