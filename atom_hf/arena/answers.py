"""What a labeller says of two motions: which one, by how much, why not, and what is right of either.

Answer("first", "much better", questions={"order": "both"})        Answer("skipped", reason="both implausible")

A ballot speaks of the first and the second motion shown, the store of motions one and two of a pair, whatever their
sides were.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..data.degrees import DEGREES, SKIPPED, UNSURE, read_degree
from .errors import AnswerError
from .text import typed

CHOICES = ("first", "second", "tie", SKIPPED)
GIVEN_DEGREES = DEGREES[:-1]  # "skipped" is a choice here
REASONS = ("both implausible", "text unclear", "no difference visible", "motion does not play", "other")
EITHER = ("first", "second", "both", "neither", "unsure")  # what can be said to a question
LONGEST_NOTE = 500
_SIDES = {"first": ("one", "two"), "second": ("two", "one")}


class Question(NamedTuple):
    """A question about both motions; it may be left open.

    Args:
        name (`str`): under which it is kept.
        text (`str`): what labellers read.
        choices (`tuple[str, ...]`, *optional*, defaults to `EITHER`): what they can say.
    """

    name: str
    text: str
    choices: tuple[str, ...] = EITHER


EVENTS = Question("events", "Which motion shows everything the text says?")
ORDER = Question("order", "Which motion shows it in the right order?")
COUNT = Question("count", "Which motion shows it as often as the text says?")
QUESTIONS: dict[str, tuple[Question, ...]] = {
    "integrity": (EVENTS,),
    "temporal": (EVENTS, ORDER),
    "frequency": (EVENTS, COUNT),
    "overall": (EVENTS, ORDER, COUNT),
}


@dataclass(frozen=True)
class Answer:
    """An answer to a ballot.

    Args:
        choice (`str`): one of `CHOICES`: the better motion as shown, a tie, or skipped.
        degree (`str`, *optional*): one of `GIVEN_DEGREES`, in any case; needed where a motion is better, and absent
            otherwise.
        reason (`str`, *optional*): one of `REASONS`; needed where the pair is skipped, and absent otherwise.
        questions (`Mapping[str, str]`, *optional*): name of a question to one of its choices.
        note (`str`, *optional*): anything else, at most 500 letters.
        seconds (`float`, *optional*): how long it took.

    Raises:
        AnswerError: if something is missing, unknown, or contradicts the choice.
    """

    choice: str
    degree: str | None = None
    reason: str | None = None
    questions: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    seconds: float | None = None

    def __post_init__(self) -> None:
        if self.choice not in CHOICES:
            raise AnswerError(f"Expected a choice, one of {', '.join(CHOICES)}, got {_short(self.choice)}.")
        object.__setattr__(self, "degree", self._degree())
        if self.choice == SKIPPED and self.reason not in REASONS:
            raise AnswerError(f"Expected why it is skipped, one of {', '.join(REASONS)}, got {_short(self.reason)}.")
        if self.choice != SKIPPED and self.reason is not None:
            raise AnswerError(f"Expected a reason only where a pair is skipped, got {_short(self.reason)}.")
        object.__setattr__(self, "note", typed(self.note, "a note", LONGEST_NOTE, empty=True, lines=True))
        if not isinstance(self.questions, Mapping) or len(self.questions) > len(QUESTIONS):
            raise AnswerError(f"Expected answers by question, got {_short(self.questions)}.")
        object.__setattr__(self, "questions", dict(self.questions))
        seconds = self.seconds
        if seconds is not None and (
            isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds < math.inf
        ):
            raise AnswerError(f"Expected seconds of at least 0, got {_short(seconds)}.")

    def _degree(self) -> str | None:
        if self.choice not in _SIDES:
            if self.degree not in (None, SKIPPED):
                raise AnswerError(f"Expected no degree with the choice {self.choice!r}, got {_short(self.degree)}.")
            return None
        try:
            degree = read_degree(self.degree)
        except ValueError as error:
            raise AnswerError(f"Expected how much better it is. {str(error)[:300]}") from error
        if degree == SKIPPED:
            raise AnswerError(f"Expected how much better it is, one of {', '.join(GIVEN_DEGREES)}, got {degree!r}.")
        return degree

    @classmethod
    def read(cls, record: object) -> "Answer":
        """An answer from JSON.

        Args:
            record (`Mapping`): the fields by name.

        Returns:
            [`Answer`]: checked.

        Raises:
            AnswerError: if it is no such object, or has a fault.
        """
        names = ("choice", "degree", "reason", "questions", "note", "seconds")
        if not isinstance(record, Mapping) or "choice" not in record or any(name not in names for name in record):
            raise AnswerError(f"Expected an answer with {', '.join(names)}, got {_short(record)}.")
        return cls(**{name: record[name] for name in names if name in record})


def check_questions(answer: Answer, task: str) -> None:
    """See that an answer only speaks of what was asked.

    Args:
        answer ([`Answer`]): to a ballot.
        task (`str`): of its prompt.

    Raises:
        AnswerError: if a question or a choice is unknown.
    """
    asked = {question.name: question for question in QUESTIONS[task]}
    for name, said in answer.questions.items():
        if name not in asked:
            raise AnswerError(f"Expected answers to {', '.join(asked)}, got {_short(name)}.")
        if said not in asked[name].choices:
            raise AnswerError(f"Expected one of {', '.join(asked[name].choices)} for {name!r}, got {_short(said)}.")


def is_right(choice: str, degree: str | None, expected: str | None) -> bool:
    """Whether an answer is the known one; where that is a tie, an unsure preference will do.

    Args:
        choice (`str`): `"one"`, `"two"`, `"tie"` or `"skipped"`.
        degree (`str`, *optional*): of preference.
        expected (`str`, *optional*): `"one"`, `"two"` or `"tie"`.

    Returns:
        `bool`: True if so.
    """
    return choice == expected or (expected == "tie" and degree == UNSURE)


def of_motions(said: str, one_first: bool) -> str:
    """What was said of sides, as of the motions of the pair.

    Args:
        said (`str`): such as `"first"` or `"both"`.
        one_first (`bool`): whether motion one was shown first.

    Returns:
        `str`: `"one"`, `"two"`, or the same where sides make no difference.
    """
    return _SIDES[said][0 if one_first else 1] if said in _SIDES else said


def of_sides(said: str, one_first: bool) -> str:
    """The reverse of `of_motions`.

    Args:
        said (`str`): such as `"one"` or `"both"`.
        one_first (`bool`): whether motion one was shown first.

    Returns:
        `str`: `"first"`, `"second"`, or the same where sides make no difference.
    """
    if said not in ("one", "two"):
        return said
    return "first" if (said == "one") == one_first else "second"


def _short(value: Any) -> str:
    text = ascii(value)
    return text if len(text) <= 60 else f"{text[:60]}…"
