"""Sentences to begin with, by task: what the small model of the package shows well, or gets wrong at times."""

from typing import NamedTuple


class Examples(NamedTuple):
    """Sentences of one task.

    Args:
        task (`str`): `"integrity"`, `"temporal"` or `"frequency"`.
        title (`str`): what a visitor reads.
        prompts (`tuple[str, ...]`): sentences, at most one of them above about 50 letters.
    """

    task: str
    title: str
    prompts: tuple[str, ...]


EXAMPLES = (
    Examples(
        "integrity",
        "Integrity: is it there?",
        (
            "a person kicks with the left leg",
            "a person walks backward",
            "a person squats",
            "a person raises the right arm",
        ),
    ),
    Examples(
        "temporal",
        "Order: one after the other?",
        (
            "a person sits down, then stands up",
            "a person squats, then jumps forward",
            "a person kicks with the right leg before sitting down",
        ),
    ),
    Examples(
        "frequency",
        "Count: as often as asked for?",
        (
            "a person squats twice",
            "a person bows twice",
            "a person kicks three times with the right leg",
            "a person walks forward, then jumps twice",
        ),
    ),
)
OPENING = EXAMPLES[-1].prompts[-1]  # what the page plays when it opens
