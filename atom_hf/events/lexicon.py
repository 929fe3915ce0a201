"""The words that `parsing` reads besides the verbs of the table, as patterns of `phrases`.

DIRECTIONS: "to HIS left side?" → "left";  FILLERS["sit_down"]: "on a chair" → nothing that an event says

Whatever stands in no list here and is no verb of the table stops the parser, so that nothing is dropped in silence.
"""

from functools import cache
from typing import Any, NamedTuple

from .actions import ACTIONS, Verb
from .fillers import FILLERS
from .phrases import Phrases


def _same(meaning: Any, *patterns: str) -> dict[str, Any]:
    return dict.fromkeys(patterns, meaning)


# Who does it.
PERSONS = frozenset(
    "person man woman human figure someone somebody guy lady boy girl kid child character individual subject adult "
    "people he she they it".split()
)
PERSON_ADJECTIVES = frozenset(
    "standing young old tall small short elderly strong single male female human same".split()
)

# How it is done, where that changes nothing that an event can say.
ADVERBS = Phrases(
    _same(
        None,
        "slowly|quickly|carefully|casually|calmly|briefly|gently|fast|forcefully|hard|suddenly|normally|steadily|happily",
        "sadly|proudly|briskly|swiftly|rapidly|gradually|lightly|confidently|energetically|immediately|quietly|smoothly",
        "nervously|sharply|naturally|cautiously|leisurely|abruptly|lazily|vigorously|excitedly|softly|tiredly|powerfully",
        "very|quite|more slowly|quickly",
        "again|also|just|simply|instead|still|directly|consecutively",
        "once|yet more|again",
        "in a row",
        "in succession",
        "one after another",
        "one after the other",
        "at a normal|slow|fast|quick|brisk|moderate|steady|leisurely|relaxed|average pace|speed",
        "with a? small|large|big|long|short|wide|slow|quick|very? steps|strides|pace|energy|force|power",
        "with very large|small|long|short|wide steps|strides",
        "with HIS? swinging arms",
        "with HIS? arms swinging",
        "with HIS? arms swinging a little? bit",
        "swinging HIS arms",
        "for a moment|second|while|bit",
        "for a? few seconds|moments",
        "a little? bit",
        "a little",
        "while standing still?",
        "while standing in place|position",
        "while HIS feet stay in place",
        "while staying|remaining in place",
        "while staying|remaining standing",
    )
    | _same(None, "once again", "in one motion", "in one swift|smooth motion", "with ease", "and forcefully|quickly")
)
# Styles that corpora add in parentheses: "a person bows (happy)".
STYLES = frozenset(
    "active elderly feminine masculine giant happy old proud sad normal angry childish musical tired young "
    "slow fast neutral".split()
)

# Where to. Not every action has every direction: the table decides.
DIRECTIONS = Phrases(
    _same(
        "forward",
        "straight? forward|forwards|ahead|onward|onwards",
        "straight",
        "to|towards|toward the front",
        "in front of him|her|them|it|himself|herself|themselves",
        "in front",
    )
    | _same("backward", "straight? backward|backwards|rearward|rearwards", "to|towards|toward the back|rear")
    | _same("back", "straight? back")
    | _same("return", "back? to HIS start|beginning", "back? to where he|she|they|it started|began|was|were")
    | _same("return", "back? to HIS starting|original|initial|first position|spot|place|point|location")
    | {
        pattern: side
        for side in ("left", "right")
        for pattern in (
            f"sideways|sidewards? {side}|{side}ward|{side}wards",
            f"{side} sideways|sidewards",
            f"sideways|sidewards? to|towards|toward|on HIS? {side} side?",
            f"{side}-ward|{side}-wards",
        )
    }
    | _same(
        "up",
        "straight? up|upward|upwards|vertically",
        "straight? up high? in|into the air",
        "high? in|into the air",
        "up and down",
        "up high",
        "in place|position",
        "on the spot|place",
    )
    | _same("around", "around|round|about")
)
TURN_DIRECTIONS = Phrases(
    _same(
        "around",
        "back? around|round|about",
        "all? the other way around?",
        "back around",
        "back",
        "around? 180 degrees?",
        "around? halfway|half-way around?",
        "around? half way around?",
        "around? to face the other|opposite way|direction",
        "around? in the other|opposite direction",
        "around to|on|towards|toward HIS left|right side?",
        "around to face backward|backwards|back",
        "around in place",
        "in place around",
    )
    | {
        pattern: side
        for side, clock in (("left", "counterclockwise|counter-clockwise|anticlockwise"), ("right", "clockwise"))
        for pattern in (
            f"90 degrees? to|towards|toward? HIS? {side}",
            f"to|towards|toward? HIS? {side} by? 90 degrees?",
            f"a? quarter turn? to|towards|toward? HIS? {side}",
            f"90 degrees? {clock}",
            f"{clock} 90? degrees?",
            f"{clock}",
        )
    }
    | _same("right", "clockwise")
    | _same("left", "counter clockwise")
)
# Phrases that begin like a direction and are something else; they stop the parser.
NOT_A_DIRECTION = Phrases(
    _same(
        None,
        "back|backward|backwards|forward|forwards and forth",
        "left and right and left",
        "to HIS left|right and back",
    )
)
LIMBS = frozenset(("arm", "hand", "fist", "leg", "foot"))
PLURALS = {"arms": "arm", "hands": "hand", "fists": "fist", "legs": "leg", "feet": "foot"}
OPPOSITES = {frozenset(("left", "right")), frozenset(("forward", "backward"))}

ACTION_FILLERS = {name: Phrases(dict.fromkeys(FILLERS.get(name, ()))) for name in ACTIONS}

# What a person does that is no event of the table and changes nothing: standing, stopping, coming back from an action.
IDLE = Phrases(
    _same(
        "idle",
        "standing|stand|stands|stood still",
        "standing|stand|stands|stood in place|position",
        "standing|stand|stands|stood straight|upright|tall|there",
        "standing|stand|stands|stood facing forward",
        "standing",
        "stops|stopped|stopping|stop walking|running|moving",
        "stops|stopped|stopping|stop in place",
        "stops|stopped|stopping|stop",
        "comes|came|coming|come to a stop|halt",
        "pauses|paused|pausing|pause|waits|waited|waiting|wait",
        "lands|landed|landing|land",
        "lands|landed|landing|land on the|both? feet|ground|floor",
        "lands|landed|landing|land on HIS feet",
        "lowers|lowered|lowering|lower it|them back? down?",
        "lowers|lowered|lowering|lower HIS|both arm|arms|hand|hands|leg|foot back? down?",
        "lowers|lowered|lowering|lower HIS left|right arm|hand|leg|foot",
        "lowers|lowered|lowering|lower both HIS? arms|hands",
        "puts|putting|put|brings|brought|bringing|drops|dropped|dropping it|them down",
        "puts|putting|put|brings|brought|bringing it|them back down",
        "puts|putting|put HIS arm|arms|hand|hands|leg|foot back? down",
        "returns|returned|returning|return|goes|going|went back? to a|HIS standing|original|starting|initial|neutral"
        "|normal|rest|resting stance|pose|posture",
        "returns|returned|returning|return to a|HIS standing|neutral|resting position",
    )
    | _same("stand", "stands", "stood", "stand")
)

NUMBERS = {
    word: value
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen".split()
    )
} | {
    word: 10 * value
    for value, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), start=2)
}
SCALES = {"hundred": 100, "thousand": 1000, "million": 1_000_000, "billion": 1_000_000_000}
TIMES = {"once": 1, "twice": 2, "thrice": 3}
VAGUE = frozenset("several many multiple some few repeatedly numerous various countless".split())

# Ways to say an action that are read and not written.
_PARAPHRASES = {
    "walk": ("pace|paces|pacing|paced", "march|marches|marching|marched"),
    "run": ("dash|dashes|dashing|dashed", "rush|rushes|rushing|rushed"),
    "turn": ("pivot|pivots|pivoting|pivoted",),
        "clap": ("applaud|applauds|applauding|applauded",),
    "bow": ("bend|bends|bending|bent down",),
    "sit_down": ("sit|sits|sat",),
    "lie_down": ("lay|lays|laying|laid down", "lie|lies|lying|lay back|flat down?", "lay|lays|laying|laid back down"),
    "stand_up": (
        "rise|rises|rising|rose up?",
        "rise|rises|rising|rose to HIS feet",
        "get|gets|getting|got back? to HIS feet",
        "stand|stands|standing|stood back up",
        "get|gets|getting|got back up",
    ),
    "throw": ("hurl|hurls|hurling|hurled", "pitch|pitches|pitching|pitched"),
}  # fmt: skip


class Head(NamedTuple):
    """What a verb of the text says.

    Args:
        action (`str`): a name of the table of actions.
        form (`str`): `"finite"` or `"gerund"`.
    """

    action: str
    form: str


def _verb_patterns(verb: Verb) -> dict[str, str]:
    """Forms of a verb with "back" let in before its particle: "sits back down"."""
    patterns = {}
    for text, form in ((verb.base, "finite"), (verb.third, "finite"), (verb.past, "finite"), (verb.gerund, "gerund")):
        first, *particle = text.split()
        back = ["back?"] if particle in (["down"], ["up"]) else []
        patterns[" ".join([first, *back, *particle])] = form
    return patterns


def _heads() -> Phrases:
    entries: dict[str, Head] = {}
    for action in ACTIONS.values():
        for verb in action.verbs:
            for pattern, form in _verb_patterns(verb).items():
                entries[pattern] = Head(action.name, form)
    for name, patterns in _PARAPHRASES.items():
        for pattern in patterns:
            forms, _, rest = pattern.partition(" ")
            for word in forms.split("|"):
                entries[f"{word} {rest}".strip()] = Head(name, "gerund" if word.endswith("ing") else "finite")
    return Phrases(entries)


VERBS = _heads()

# "does two squats", "takes a step": verbs that lend themselves to a noun.
LIGHT_VERBS = Phrases(
    _same("gerund", "doing|making|taking|performing|executing|giving|throwing|completing")
    | _same(
        "finite",
        "does|do|did|makes|make|made|takes|take|took|performs|perform|performed|executes|execute|executed|gives|give"
        "|gave|throws|throw|threw|completes|complete|completed",
    )
)
MOTION_NOUNS = frozenset(("motion", "movement", "gesture", "action"))


def _nouns() -> Phrases:
    entries = {
        "wave|waves": "wave",
        "walk|stroll": "walk",
        "run|jog|sprint": "run",
        "bow|bows": "bow",
        "u-turn": "turn around",
        "u turn": "turn around",
        "half turn|turns": "turn around",
        "half-turn|half-turns": "turn around",
        "180 degree|degrees? turn": "turn around",
        "180-degree turn": "turn around",
        "90-degree turn|turns": "turn",
        "90 degree|degrees? turn|turns": "turn",
        "pace|paces": "step",
    }
    for action in ACTIONS.values():
        for verb in action.verbs:
            if verb.noun:
                base = verb.base.split()[0]
                entries[f"{verb.noun}|{base}"] = action.name
    return Phrases(entries)


NOUNS = _nouns()


@cache
def all_words() -> set[str]:
    """Every word that the parser knows somewhere, for "did you mean".

    Returns:
        `set[str]`: the words.
    """
    tables = [VERBS, NOUNS, ADVERBS, DIRECTIONS, TURN_DIRECTIONS, IDLE, LIGHT_VERBS, *ACTION_FILLERS.values()]
    words = {word for table in tables for word in table.words()}
    words |= {*NUMBERS, *TIMES, *PERSONS, "times", "before", "after", "then", "followed", "both"}
    for action in ACTIONS.values():
        words |= {limb for limb in (action.limb, *action.limb_synonyms) if limb}
    return words
