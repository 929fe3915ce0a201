"""Scenario → an English text: what each event says, in a wording that a seed chooses.

Scenario((Event("walk", direction="forward"), Event("jump", count=2)))
→ "A man walks forward before jumping twice." · "After walking forward, someone does two jumps."

`parsing` reads the same scenario from every such text. How clauses make a sentence stands in `sentences`.
"""

from random import Random

from .actions import ACTIONS, Verb
from .scenario import Event, Scenario
from .sentences import Clause, Subject, sentence

NUMBER_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


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
    "sit_down": ("on a chair",),
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
    text = " ".join(sentence(subject, clauses, random).split())
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
    """The limb with its side, and the preposition before it, `""` where it is the object."""
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
    with_limb = f"{preposition} {limb}" if preposition else ""
    direction = _direction(event, random).format(his=subject.possessive)
    noun = _noun(event, with_limb, direction, random)
    if noun is not None and random.random() < (0.8 if event.action == "step" and event.count > 1 else 0.25):
        return Clause(random.choice(_LIGHT[event.action]), noun, noun)
    times = _times(event.count, scenario.task == "frequency" and action.max_count > 1, random)
    extra = random.choice(("", "", "", *_EXTRAS.get(event.action, ()))).format(his=subject.possessive)
    if event.action == "clap":
        parts = [random.choice(("", f"{subject.possessive} hands", f"{subject.possessive} hands together")), times]
    elif event.action == "throw":
        parts = [random.choice(("something", "a ball", "an object")), with_limb, times]
    elif limb and not preposition:  # the object: "raises both arms", "waves his left hand"
        parts = [limb, extra, times]
    else:
        parts = [
            direction,
            *random.choice(((with_limb, extra, times), (with_limb, extra, times), (times, with_limb, extra))),
        ]
    if len(scenario.events) == 1 and event.action in _STANDING and random.random() < 0.1:
        parts.append("while standing")
    verb = random.choice((action.verbs[0], action.verbs[0], *action.verbs))
    return Clause(verb, " ".join(part for part in parts if part), noun)


def _noun(event: Event, limb: str, direction: str, random: Random) -> str | None:
    """The event as a noun phrase, such as `"three steps forward"`, or `None`."""
    verbs = [verb for verb in ACTIONS[event.action].verbs if verb.noun]
    if event.action not in _LIGHT or not verbs:
        return None
    verb = random.choice(verbs)
    noun = verb.base if event.count == 1 else str(verb.noun)
    if event.action == "turn" and event.direction is not None:
        direction = ""
        if event.direction == "around":
            noun = "half turn" if event.count == 1 else "half turns"
        else:
            noun = f"{event.direction} {noun}"
    elif event.direction == "up":
        direction = random.choice(("in place", "in the air"))
    amount = number(event.count, random) if event.count > 1 else random.choice(("a", "a", "one"))
    return " ".join(part for part in (amount, noun, direction, limb) if part)
