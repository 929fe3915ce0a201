"""Scenario → an English sentence: seeded choice of subject, tense, wording and order of clauses.

Scenario((Event("walk", direction="forward"), Event("jump", count=2)))
→ "A man walks forward before jumping twice." · "After walking forward, someone does two jumps."

Every sentence says the events in an order from which `parsing` reads the same scenario again.
"""

from random import Random
from typing import NamedTuple

from .actions import ACTIONS, Verb
from .scenario import Event, Scenario

NUMBER_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


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


SUBJECTS = (
    *[Subject(text, "they", "their") for text in ("a person", "the person", "someone", "a human", "this person")],
    Subject("a person", "he", "his"),
    Subject("a person", "she", "her"),
    *[Subject(text, "he", "his") for text in ("a man", "the man", "a guy")],
    *[Subject(text, "she", "her") for text in ("a woman", "the woman")],
    *[Subject(text, "it", "its") for text in ("a figure", "the figure")],
)
_TAKE = Verb("take", "takes", "taking", "took")
_MAKE = Verb("make", "makes", "making", "made")
_DO = Verb("do", "does", "doing", "did")
_THROW = Verb("throw", "throws", "throwing", "threw")
_LIGHT = {
    "step": (_TAKE,),
    "jump": (_DO, _MAKE),
    "hop": (_DO, _MAKE),
    "turn": (_MAKE, _DO),
    "kick": (_DO,),
    "punch": (_THROW,),
    "squat": (_DO,),
    "bow": (_TAKE, _MAKE),
    "throw": (_MAKE,),
}
_DIRECTIONS = {
    "forward": ("forward", "forward", "forwards"),
    "backward": ("backward", "backwards"),
    "left": ("to the left", "to {his} left", "to the left"),
    "right": ("to the right", "to {his} right", "to the right"),
    "around": ("around",),
    "up": ("up", "up in the air", "in place", "up and down"),
}
_SIDEWAYS = {"left": "sideways to the left", "right": "sideways to the right"}
_EXTRAS = {  # said now and then; the parser knows that they add nothing
    "walk": ("for a few steps",),
    "run": ("for a few steps",),
    "sit_down": ("on a chair", "on the floor"),
    "lie_down": ("on the floor", "on the ground"),
    "raise_arm": ("above {his} head", "in the air"),
    "wave": ("at someone",),
}
_STANDING = {"wave", "raise_arm", "clap", "punch", "throw"}  # what may be said with "while standing"


def to_text(scenario: Scenario, seed: int = 0) -> str:
    """An English text that says a scenario.

    Args:
        scenario ([`Scenario`]): what happens.
        seed (`int`, *optional*, defaults to 0): chooses the wording; the same seed gives the same text.

    Returns:
        `str`: one or two sentences, such as `"A person walks forward, then jumps twice."`.
    """
    random = Random(f"{seed} {scenario.to_json()}")  # a text seeds the same numbers in every process
    subject = random.choice(SUBJECTS)
    clauses = [_clause(event, scenario, subject, random) for event in scenario.events]
    text = (_one if len(clauses) == 1 else _several)(subject, clauses, random)
    text = " ".join(text.split())
    return text[0].upper() + text[1:]


def number(count: int, random: Random) -> str:
    """A number in words, now and then in digits.

    Args:
        count (`int`): from 0 to 10 in words, above in digits.
        random (`Random`): chooses.

    Returns:
        `str`: such as `"three"`.
    """
    return NUMBER_WORDS[count] if count < len(NUMBER_WORDS) and random.random() < 0.85 else str(count)


def _times(count: int, exactly: bool, random: Random) -> str:
    if count == 1:
        return random.choice(("once", "one time")) if exactly and random.random() < 0.4 else ""
    if count == 2:
        return random.choice(("twice", "twice", "twice", "two times"))
    return f"{number(count, random)} times"


def _direction(event: Event, random: Random) -> str:
    if event.direction is None:
        return ""
    if event.action == "turn" and event.direction in ("left", "right"):
        return random.choice((event.direction, event.direction, *_DIRECTIONS[event.direction]))
    if event.action == "walk" and event.direction in _SIDEWAYS and random.random() < 0.5:
        return _SIDEWAYS[event.direction]
    if event.action == "step" and event.direction == "backward" and random.random() < 0.4:
        return "back"
    choices = _DIRECTIONS[event.direction]
    if event.direction == "up" and event.count > 1 and random.random() < 0.3:
        return "up and down"
    return random.choice(choices[:-1] if event.direction == "up" and event.count == 1 else choices)


def _plural(noun: str) -> str:
    return {"foot": "feet"}.get(noun, noun + "s")


def _limb(event: Event, subject: Subject, random: Random) -> tuple[str, str]:
    """The limb with its side, and the preposition before it ("" where it is the object)."""
    action = ACTIONS[event.action]
    if action.limb is None:
        return "", ""
    limb = random.choice((action.limb, action.limb, *action.limb_synonyms))
    owner = random.choice((subject.possessive, subject.possessive, "the"))
    if event.side == "both":
        said = random.choice((f"both {_plural(limb)}", f"both {subject.possessive} {_plural(limb)}"))
    elif event.side is not None:
        said = f"{owner} {event.side} {limb}"
    else:
        said = f"{'an' if limb[0] in 'aeiou' else 'a'} {limb}"
    if event.action == "raise_arm":
        return said, ""
    if event.side is None:
        return "", ""
    if event.action == "wave":
        return said, random.choice(("", "with"))
    return said, "on" if event.action == "hop" else "with"


def _clause(event: Event, scenario: Scenario, subject: Subject, random: Random) -> Clause:
    action = ACTIONS[event.action]
    limb, preposition = _limb(event, subject, random)
    direction = _direction(event, random).format(his=subject.possessive)
    exactly = scenario.task == "frequency" and action.max_count > 1
    noun = _noun(event, f"{preposition} {limb}" if limb else "", direction, random)
    if noun is not None and random.random() < (0.8 if event.action == "step" and event.count > 1 else 0.25):
        return Clause(random.choice(_LIGHT[event.action]), noun, noun)
    verb = random.choice((action.verbs[0], action.verbs[0], *action.verbs))
    times = _times(event.count, exactly, random)
    extra = random.choice(("", "", "", *_EXTRAS.get(event.action, ()))).format(his=subject.possessive)
    if event.action == "raise_arm" and event.side == "both" and extra:
        extra = extra.replace("head", random.choice(("head", "heads" if subject.pronoun == "they" else "head")))
    if event.action == "clap":
        extra = random.choice(("", f"{subject.possessive} hands", f"{subject.possessive} hands together"))
        parts = [extra, times]
    elif event.action == "throw":
        thing = random.choice(("something", "a ball", "an object"))
        parts = [thing, f"{preposition} {limb}", times]
    elif event.action == "raise_arm" or (event.action == "wave" and not preposition):
        parts = [limb, extra, times]
    elif random.random() < 0.3:
        parts = [direction, times, f"{preposition} {limb}", extra]
    else:
        parts = [direction, f"{preposition} {limb}", extra, times]
    if len(scenario.events) == 1 and event.action in _STANDING and random.random() < 0.1:
        parts.append("while standing")
    return Clause(verb, " ".join(part.strip() for part in parts if part.strip()), noun)


def _noun(event: Event, limb: str, direction: str, random: Random) -> str | None:
    """The event as a noun phrase, such as `"three steps forward"`, or `None`."""
    nouns = [verb.noun for verb in ACTIONS[event.action].verbs if verb.noun]
    if event.action not in _LIGHT or not nouns:
        return None
    plural = random.choice(nouns)
    singular = ACTIONS[event.action].verbs[[verb.noun for verb in ACTIONS[event.action].verbs].index(plural)].base
    if event.action == "turn":
        if event.direction == "around":
            noun, direction = ("half turn", "") if event.count == 1 else ("half turns", "")
        elif event.direction is not None:
            noun, direction = f"{event.direction} {singular if event.count == 1 else plural}", ""
        else:
            noun = singular if event.count == 1 else plural
    else:
        noun = singular if event.count == 1 else plural
    if event.direction == "up":
        direction = random.choice(("in place", "in the air"))
    amount = number(event.count, random) if event.count > 1 else random.choice(("a", "a", "one"))
    return " ".join(part for part in (amount, noun, direction, limb) if part)


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
