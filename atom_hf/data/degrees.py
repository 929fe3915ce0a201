"""Degrees of preference, as labellers gave them in "Exploring Text-to-Motion Generation with Human Preference".

degree_of_gap(1.2)     →  "better"
MARGINS["better"]      →  2.0
"""

from difflib import get_close_matches

SKIPPED = "skipped"
UNSURE = "negligibly better/unsure"
DEGREES = ("much better", "better", "slightly better", UNSURE, SKIPPED)  # from the strongest down
# What a reward model's scores should differ by at least; the paper's margins. A skipped pair teaches nothing.
MARGINS = {"much better": 3.0, "better": 2.0, "slightly better": 1.0, UNSURE: 0.0, SKIPPED: 0.0}
# How often a label of that degree is taken to be wrong, in the same paper.
LABEL_SMOOTHING = {"much better": 0.0, "better": 0.2, "slightly better": 0.3, UNSURE: 0.5, SKIPPED: 0.5}
# The smallest gap of two scores, on the scale from 1 to 5, for each degree; half a point is one event of eight.
GAPS = {"much better": 2.0, "better": 1.0, "slightly better": 0.5, UNSURE: 0.0}
# Scores are sums of fractions, and stored in single precision: 4.1 - 3.6 is 0.49999999999999956, and what is stored of
# 3.8 - 1.8 is 1.9999999. A gap that misses a limit by no more than that has reached it.
TOLERANCE = 1e-6


def degree_of_gap(gap: float) -> str:
    """The degree of preference that two scores stand for; rounding of the scores makes no difference.

    Args:
        gap (`float`): the winner's score less the loser's, on the judges' scale from 1 to 5; at least 0.

    Returns:
        `str`: one of the first four of `DEGREES`.

    Raises:
        ValueError: if the gap is negative or no number.
    """
    for degree, smallest in GAPS.items():
        if gap >= max(smallest - TOLERANCE, 0.0):
            return degree
    raise ValueError(f"A gap between scores is a number of at least 0, got {gap}.")


def read_degree(text: object) -> str:
    """A degree as people write it, such as `"Much better"`, in the form of `DEGREES`.

    Args:
        text (`str`): a degree in any case; blanks around it do not matter.

    Returns:
        `str`: one of `DEGREES`.

    Raises:
        ValueError: if there is no such degree; the message lists all.
    """
    plain = " ".join(text.casefold().split()) if isinstance(text, str) else ""
    if plain in DEGREES:
        return plain
    close = get_close_matches(plain, DEGREES, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise ValueError(f"The degree of preference is one of {', '.join(map(repr, DEGREES))}, got {text!r}.{hint}")
