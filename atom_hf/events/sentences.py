"""Clauses → sentences: tense, pronouns, conjunctions, and the order of clauses.

[walk forward, jump twice] → "after walking forward, a man jumps twice." · "she walks forward. Then she jumps twice."

All patterns keep the order of time clear. There is no "while" between events: it would say that they happen at once.
"""

from random import Random
from typing import NamedTuple

from .actions import Verb


class Subject(NamedTuple):
    """Who moves.

    Args:
        text (`str`): such as `"a man"`.
        pronoun (`str`): such as `"he"`.
        possessive (`str`): such as `"his"`.
    """

    text: str
    pronoun: str
    possessive: str


class Clause(NamedTuple):
    """What one event says.

    Args:
        verb (`Verb`): its forms.
        tail (`str`): what follows the verb, such as `"forward twice"`.
        noun (`str`, *optional*): the same as a noun phrase, such as `"two jumps"`, where there is one.
    """

    verb: Verb
    tail: str
    noun: str | None = None

    def say(self, form: str) -> str:
        """The clause with its verb in a form.

        Args:
            form (`str`): `"base"`, `"third"`, `"gerund"` or `"past"`.

        Returns:
            `str`: such as `"jumps forward twice"`.
        """
        return f"{getattr(self.verb, form)} {self.tail}".strip()


def sentence(subject: Subject, clauses: list[Clause], random: Random) -> str:
    """One or two sentences that say clauses in the order in which things happen.

    Args:
        subject ([`Subject`]): who moves.
        clauses (`list[Clause]`): at least one, in the order of time.
        random (`Random`): chooses tense and conjunctions.

    Returns:
        `str`: the text, without its capital letter.
    """
    return (_one if len(clauses) == 1 else _several)(subject, clauses, random)


def _one(subject: Subject, clauses: list[Clause], random: Random) -> str:
    (clause,) = clauses
    chance = random.random()
    if chance < 0.12:
        return f"{subject.text} is {clause.say('gerund')}."
    if chance < 0.2:
        return f"{subject.text} {clause.say('past')}."
    if chance < 0.25:
        return f"{subject.text} {clause.say('gerund')}"
    return f"{subject.text} {clause.say('third')}."


def _several(subject: Subject, clauses: list[Clause], random: Random) -> str:
    form = "past" if random.random() < 0.12 else "third"
    pattern = random.choice(_PATTERNS)
    text = pattern(subject, clauses, form, random)
    return text if text is not None else _chain(subject, clauses, form, random)


def _again(subject: Subject, form: str) -> tuple[str, str]:
    """Pronoun of a later sentence, and the form of its verb: "they jump", "he jumps"."""
    return subject.pronoun, "base" if form == "third" and subject.pronoun == "they" else form


def _listed(said: list[str], random: Random) -> str:
    """Clauses in a row: "walks, turns left and jumps"; "walks, then turns left, then jumps"."""
    if len(said) == 1:
        return said[0]
    style = random.randrange(5)
    if style == 0:
        return ", then ".join(said)
    if style == 1:
        return " and then ".join(said) if len(said) == 2 else ", ".join(said[:-1]) + ", and then " + said[-1]
    if style == 2:
        return (
            said[0]
            + ", "
            + ", ".join(f"then {part}" for part in said[1:-1])
            + (", and finally " if len(said) > 2 else "then ")
            + said[-1]
        )
    comma = "," if style == 3 and len(said) > 2 else ""
    return ", ".join(said[:-1]) + f"{comma} and {said[-1]}"


def _chain(subject: Subject, clauses: list[Clause], form: str, random: Random) -> str:
    return f"{subject.text} {_listed([clause.say(form) for clause in clauses], random)}."


def _two_sentences(subject: Subject, clauses: list[Clause], form: str, random: Random) -> str:
    cut = random.randrange(1, len(clauses))
    pronoun, again = _again(subject, form)
    link = random.choice(("After that,", "Then", "Afterwards,", "Next,"))
    first = _listed([clause.say(form) for clause in clauses[:cut]], random)
    return f"{subject.text} {first}. {link} {pronoun} {_listed([c.say(again) for c in clauses[cut:]], random)}."


def _before(subject: Subject, clauses: list[Clause], form: str, random: Random) -> str:
    first = _listed([clause.say(form) for clause in clauses[:-1]], random)
    if random.random() < 0.25:
        pronoun, again = _again(subject, form)
        return f"{subject.text} {first} before {pronoun} {clauses[-1].say(again)}."
    return f"{subject.text} {first} before {clauses[-1].say('gerund')}."


def _before_in_front(subject: Subject, clauses: list[Clause], form: str, random: Random) -> str:
    first = _listed([clause.say(form) for clause in clauses[:-1]], random)
    return f"before {clauses[-1].say('gerund')}, {subject.text} {first}."


def _after_in_front(subject: Subject, clauses: list[Clause], form: str, random: Random) -> str:
    cut = 2 if len(clauses) > 2 and random.random() < 0.4 else 1
    fronted = " and ".join(clause.say("gerund") for clause in clauses[:cut])
    rest = _listed([clause.say(form) for clause in clauses[cut:]], random)
    return f"after {fronted}, {subject.text} {rest}."


def _after(subject: Subject, clauses: list[Clause], form: str, random: Random) -> str | None:
    if len(clauses) > 3:
        return None
    fronted = " and ".join(clause.say("gerund") for clause in clauses[:-1])
    return f"{subject.text} {clauses[-1].say(form)} after {fronted}."


def _followed_by(subject: Subject, clauses: list[Clause], form: str, random: Random) -> str:
    first = _listed([clause.say(form) for clause in clauses[:-1]], random)
    last = clauses[-1].noun if clauses[-1].noun and random.random() < 0.6 else clauses[-1].say("gerund")
    return f"{subject.text} {first}, followed by {last}."


_PATTERNS = (
    _chain,
    _chain,
    _chain,
    _two_sentences,
    _before,
    _before,
    _before_in_front,
    _after_in_front,
    _after,
    _followed_by,
)
