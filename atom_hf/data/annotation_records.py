"""What raw annotations hold, once they are read: a prompt with the motions made for it and what was said of them.

Annotated("p00007", "a man jumps twice", "frequency", candidates={4: Candidate(4, (5, …), score=5.0)}, votes=[…])
"""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Candidate:
    """One motion that was made for a prompt.

    Args:
        sample (`int`): its number among the prompt's motions.
        codes (`tuple[int, ...]`): `[n]`, 4 frames each at 20 fps.
        model (`str`, *optional*): who made it.
        seed (`int`, *optional*): of the noise.
        score (`float`, *optional*): from 1 to 5; None where there is no verdict, or one without a score.
        cause (`str`, *optional*): why there is no score.
        judge (`str`, *optional*): who judged.
        rules_version (`str`, *optional*): which rules the judge followed.
    """

    sample: int
    codes: tuple[int, ...]
    model: str = ""
    seed: int | None = None
    score: float | None = None
    cause: str | None = None
    judge: str = ""
    rules_version: str = ""

    @property
    def judged(self) -> bool:
        """Whether there is a verdict, with or without a score."""
        return bool(self.score is not None or self.cause or self.judge)

    def as_motion(self) -> dict[str, Any]:
        """What `pair_row` takes.

        Returns:
            `dict[str, Any]`: sample, codes, model, seed and score.
        """
        return {name: getattr(self, name) for name in ("sample", "codes", "model", "seed", "score")}


@dataclass(frozen=True)
class Vote:
    """What one person said about two motions of a prompt.

    Args:
        first (`int`): sample of one motion.
        second (`int`): sample of the other.
        choice (`str`): `"first"`, `"second"` or `"skipped"`.
        degree (`str`): one of `DEGREES`.
        voter (`str`, *optional*): who; names should come hashed.
    """

    first: int
    second: int
    choice: str
    degree: str
    voter: str = ""


@dataclass
class Annotated:
    """A prompt with all that was made and said of it.

    Args:
        prompt_id (`str`): its name.
        prompt (`str`): what the person does.
        task (`str`, *optional*, defaults to `"overall"`): what is judged.
        scenario (`str`, *optional*): events in JSON.
        split (`str`, *optional*): where the prompt belongs, if that was decided before.
        candidates (`dict[int, Candidate]`): motions by sample.
        votes (`list[Vote]`): in the order in which they came.
    """

    prompt_id: str
    prompt: str
    task: str = "overall"
    scenario: str | None = None
    split: str | None = None
    candidates: dict[int, Candidate] = field(default_factory=dict)
    votes: list[Vote] = field(default_factory=list)
