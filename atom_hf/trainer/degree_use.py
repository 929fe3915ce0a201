"""What a degree of preference does to the loss of a pair.

degree_columns({"degree": ["much better", "slightly better"]}, "label_smoothing")  →  {"label_smoothing": [0.0, 0.3]}
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ..data.degrees import LABEL_SMOOTHING, MARGINS

DEGREE_USES = ("none", "label_smoothing", "margin", "weight")


def degree_columns(batch: Mapping[str, Sequence[Any]], use: str) -> dict[str, list[float]]:
    """The column that a use of degrees adds.

    Label smoothing is that of "Exploring Text-to-Motion Generation with Human Preference": the chance that a label of
    that degree is wrong. A weight is what such a label is worth, 1 − 2ε: 1 for much better, 0 for unsure. A margin is
    what a reward model's scores should differ by.

    Args:
        batch (`Mapping[str, Sequence]`): with `degree`; `margin` in it is taken as it is.
        use (`str`): one of `DEGREE_USES`.

    Returns:
        `dict[str, list[float]]`: one column, named as its use; empty for `"none"`.

    Raises:
        ValueError: if there is no such use.
    """
    if use not in DEGREE_USES:
        raise ValueError(f"Expected degree_use among {', '.join(DEGREE_USES)}, got {use!r}.")
    if use == "none":
        return {}
    if use == "margin" and "margin" in batch:
        return {"margin": [float(margin) for margin in batch["margin"]]}
    degrees = batch["degree"]
    if use == "margin":
        return {"margin": [MARGINS[degree] for degree in degrees]}
    smoothing = [LABEL_SMOOTHING[degree] for degree in degrees]
    return {use: smoothing if use == "label_smoothing" else [1 - 2 * each for each in smoothing]}
