"""What every judge of motions takes and gives, whether it looks at joints, at pictures, or is a person.

verdict = judge.score([JudgeItem(motion, "a person jumps twice", scenario)])[0]
verdict.score  →  5.0, or None with verdict.cause where the judge could not judge
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from ..events import Scenario
from ..motion import Motion

LOWEST, HIGHEST = 1.0, 5.0  # the scale of all judges: 1 nothing of what was asked for, 5 all of it


@dataclass(frozen=True)
class JudgeItem:
    """One motion to judge.

    Args:
        motion ([`Motion`]): what was generated, joints `[T, 22, 3]` in metres.
        prompt (`str`): what was asked for, as the generator read it.
        scenario ([`Scenario`], *optional*): the same as data, where it is known; judges may parse the prompt
            otherwise.
    """

    motion: Motion
    prompt: str
    scenario: Scenario | None = None


@dataclass(frozen=True)
class Verdict:
    """A score with its reasons, or no score with the cause; never a made-up number.

    Args:
        score (`float`, *optional*): from 1 to 5, unitless; None where the judge could not judge.
        reason (`str`, *optional*): why this score, for a person to read.
        cause (`str`, *optional*): why there is no score; given exactly where the score is None.
        raw (`Mapping[str, float]`, *optional*): what the score was made from, such as `{"integrity": 0.5}`.
        judge (`str`, *optional*): which judge, with its version.
        reply (`str`, *optional*): what a judge that answers in text said, as it came.

    Raises:
        ValueError: if the score is outside of 1 to 5, or there are both score and cause, or neither.
    """

    score: float | None
    reason: str = ""
    cause: str | None = None
    raw: Mapping[str, float] = field(default_factory=dict)
    judge: str = ""
    reply: str = ""

    def __post_init__(self) -> None:
        if (self.score is None) != (self.cause is not None):
            raise ValueError(
                f"A verdict has a score, or a cause why there is none, got score {self.score}, cause {self.cause!r}."
            )
        if self.score is not None and not LOWEST <= self.score <= HIGHEST:  # NaN compares false
            raise ValueError(f"A score is from {LOWEST:g} to {HIGHEST:g}, got {self.score}.")

    @classmethod
    def unscored(cls, cause: str, judge: str = "", reply: str = "") -> "Verdict":
        """A verdict without a score.

        Args:
            cause (`str`): why the judge could not judge.
            judge (`str`, *optional*): which judge, with its version.
            reply (`str`, *optional*): what it said, as it came.

        Returns:
            [`Verdict`]: with score None.
        """
        return cls(None, cause=cause, judge=judge, reply=reply)


@runtime_checkable
class Judge(Protocol):
    """Anything that scores motions against prompts."""

    @property
    def name(self) -> str:
        """Which judge, with its version; an attribute will do."""
        ...

    def score(self, items: Sequence[JudgeItem]) -> list[Verdict]:
        """Judge motions.

        Args:
            items (`Sequence[JudgeItem]`): motions with their prompts.

        Returns:
            `list[Verdict]`: one for each item, in order; an item that cannot be judged does not stop the others.
        """
        ...
