"""The words that `parsing` reads besides the verbs of the table, as patterns that stand for phrases.

"to HIS left side?"  →  "to his left", "to her left side", ...: a bar separates choices, `?` marks a word as optional

Whatever stands in no list here and is no verb of the table stops the parser, so that nothing is dropped in silence.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

from .actions import ACTIONS, Verb

POSSESSIVES = ("his", "her", "their", "its", "the", "my", "your")
PRONOUNS = ("he", "she", "they", "it")
FACING = "standing", "sitting", "lying"


class Phrases:
    """Patterns and what they mean; the longest that fits wins.

    Args:
        entries (`Mapping[str, Any]`): pattern → meaning. `HIS` stands for any possessive or article, `a|b` for either
            word, a trailing `?` makes a word optional.
    """

    def __init__(self, entries: Mapping[str, Any]) -> None:
        self._by_words: dict[tuple[str, ...], Any] = {}
        for pattern, meaning in entries.items():
            for words in expand(pattern):
                self._by_words.setdefault(words, meaning)
        self._longest = max(map(len, self._by_words), default=0)

    def match(self, words: Sequence[str], at: int) -> tuple[Any, int] | None:
        """Meaning and number of words of the longest phrase that begins at a word, or `None`.

        Args:
            words (`Sequence[str]`): words of the text.
            at (`int`): index of the first word.

        Returns:
            `tuple[Any, int] | None`: meaning and length in words.
        """
        for length in range(min(self._longest, len(words) - at), 0, -1):
            key = tuple(words[at : at + length])
            if key in self._by_words:
                return self._by_words[key], length
        return None

    def words(self) -> set[str]:
        """Every word that occurs in a phrase.

        Returns:
            `set[str]`: the words.
        """
        return {word for phrase in self._by_words for word in phrase}


def expand(pattern: str) -> Iterator[tuple[str, ...]]:
    """Every phrase that a pattern stands for.

    Args:
        pattern (`str`): such as `"to HIS left side?"`.

    Returns:
        `Iterator[tuple[str, ...]]`: phrases as tuples of words.
    """
    choices = []
    for part in pattern.split():
        optional = part.endswith("?")
        part = part.removesuffix("?").replace("HIS", "|".join(POSSESSIVES))
        choices.append([*part.split("|"), *([""] if optional else [])])
    for combination in product(*choices):
        yield tuple(word for word in combination if word)


def _same(meaning: Any, *patterns: str) -> dict[str, Any]:
    return dict.fromkeys(patterns, meaning)


# Who does it.
PERSONS = (
    "person|man|woman|human|figure|someone|somebody|guy|lady|boy|girl|kid|child|character|individual|subject|adult"
    "|people|he|she|they|it"
)
PERSON_ADJECTIVES = "standing|young|old|tall|small|short|elderly|strong|single|male|female|stick|human|same"

# How it is done, where that changes nothing that an event can say.
ADVERBS = Phrases(
    _same(
        None,
        "slowly|quickly|carefully|casually|calmly|briefly|gently|fast|forcefully|hard|suddenly|normally|steadily|happily",
        "sadly|proudly|briskly|swiftly|rapidly|gradually|lightly|confidently|energetically|immediately|quietly|smoothly",
        "nervously|sharply|naturally|cautiously|leisurely|abruptly|lazily|vigorously|excitedly|softly|tiredly|powerfully",
        "very|quite|more? slowly|quickly",
        "again|once more|yet again|also|just|simply|instead|still|directly|consecutively",
        "in a row|in succession|one after another|one after the other",
        "at a normal|slow|fast|quick|brisk|moderate|steady|leisurely|relaxed|average pace|speed",
        "with a? small|large|big|long|short|wide|slow|quick|very? steps|strides|pace|energy|force|power",
        "with very large|small|long|short|wide steps|strides",
        "with HIS? swinging arms",
        "with HIS? arms swinging",
        "with HIS? arms swinging a little? bit",
        "swinging HIS arms",
        "for a moment|second|while|bit",
        "a little? bit",
        "a little",
        "while standing still?",
        "while standing in place|position",
        "while HIS feet stay in place",
        "while staying|remaining in place",
        "while staying|remaining standing",
        "one time",  # only where no count is read first
    )
    | _same(None, "once again", "in one motion", "in one swift|smooth motion", "with ease", "and forcefully|quickly")
)
# Styles that corpora add in parentheses: "a person bows (happy)".
STYLES = frozenset(
    "active elderly feminine masculine giant happy old proud sad normal angry childish chimpira musical tired young slow "
    "fast neutral".split()
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
    | _same("right", "clockwise") | _same("left", "counter clockwise")
)
# Phrases that begin like a direction and are something else; they stop the parser.
NOT_A_DIRECTION = Phrases(
    _same(None, "back|backward|backwards|forward|forwards and forth", "left and right and left", "to HIS left|right and back")
)
OPPOSITES = {frozenset(("left", "right")), frozenset(("forward", "backward"))}

# What may stand with one action and says nothing more than the action does.
_SEAT = "on|in|onto|into a|an|the|some? chair|seat|bench|stool|sofa|couch|box|floor|ground|step"
FILLERS = {
    "walk": _same(
        None,
        "for? a|some few|several? steps|paces",
        "for? several steps|paces",
        "for? a short? distance",
        "for a little? while|bit|moment",
        "away",
        "along|in a straight line|path",
        "in a straight line",
        "across the room|floor",
        "on|along the floor|ground",
        "back? to HIS|where? start|starting|original|initial|beginning position|spot|place|point|location",
        "back? to where he|she|they started|began",
    ),
    "turn": _same(None, "in place", "on the spot", "on HIS heel|heels|feet", "on one foot|leg", "on HIS left|right? foot|heel", "HIS whole? body"),
    "jump": _same(None, "off|from the ground|floor", "with both feet|legs", "on both feet|legs", "on the floor|ground"),
    "hop": _same(None, "in place", "on the spot", "up and down", "up", "on one foot|leg"),
    "kick": _same(
        None,
        "a|an|the|something|someone|at? soccer? ball|object|target|air|something|someone",
        "something or someone",
        "at|with something|someone or? something|someone?",
        "at|with? something or someone",
        "the air|wall|door|bag",
        "at? the air",
        "out|outward|outwards",
        "in the air",
    ),
    "punch": _same(
        None,
        "at? the air|bag|target",
        "at? something|someone",
        "something or someone",
        "in the air",
        "forward|forwards|ahead|straight|out",
        "in front of him|her|them|it",
        "straight ahead|forward",
    ),
    "wave": _same(
        None,
        "hello|hi|goodbye|bye",
        "at|to someone|somebody|people|everyone|something|others|crowd",
        "at|to the crowd|others",
        "in the air",
        "above|over HIS head|heads",
        "from? side to side",
        "back and forth",
        "from? left to|and right",
        "high|overhead|around",
        "several|many|multiple|a few? times",
        "repeatedly",
        "with one|a hand|arm",
        "one|a hand|arm",
    ),
    "raise_arm": _same(
        None,
        "straight? up|upward|upwards|overhead|high",
        "up high|overhead",
        "straight? up? high? above|over HIS head|heads|shoulder|shoulders",
        "high? up? in|into|to|toward|towards the air|sky|ceiling",
        "to? head height|level",
    ),
    "clap": _same(
        None,
        "HIS? hands together?",
        "both HIS? hands together?",
        "in front of HIS chest|face|body|head|stomach",
        "in front of him|her|them|it|himself|herself|themselves",
        "above|over HIS head|heads",
        "together|overhead",
    ),
    "squat": _same(None, "down", "all the way down", "down low", "to|toward|towards the ground|floor", "low", "in place"),
    "bow": _same(None, "down", "forward|forwards", "at|from the|HIS waist|hips", "to|for someone|somebody|people|everyone", "to|for the audience|crowd", "deeply|politely|respectfully", "over", "in place", "down forward|forwards"),
    "sit_down": _same(None, _SEAT, "down", "cross-legged"),
    "stand_up": _same(
        None,
        "back? up",
        "back? up? straight",
        "back? up? from|off of? a|the|his|her|their|its chair|seat|bench|stool|sofa|couch|box|floor|ground|knees",
        "back? up? to a? standing position",
        "back? up? to HIS feet",
        "back? up? on HIS feet",
        "straight|upright|tall",
    ),
    "lie_down": _same(
        None,
        "down",
        "flat",
        "on|onto the floor|ground|bed|mat",
        "on|onto HIS back|stomach|side|belly|face",
        "flat? down? on|onto HIS back|stomach|belly|face",
        "face down|up",
        "on a bed|mat|couch|sofa",
    ),
    "throw": _same(
        None,
        "a|an|the|some ball|object|something|thing|frisbee|rock|stone|item|baseball|basketball|football|it",
        "something|it|overhand|underhand",
        "at something|someone",
        "at a target",
        "to someone|somebody",
        "away|forward|forwards|ahead|straight|out",
        "into|in|through the air|distance",
        "in front of him|her|them|it",
    ),
    "run": _same(
        None,
        "for? a few steps|paces",
        "for? several steps|paces",
        "for a little? while|bit|moment",
        "away",
        "in a straight line",
        "across the room|floor",
        "to HIS start|starting|original|initial position|spot|place|point",
    ),
    "step": _same(None, "once? on|over? the floor|ground"),
}  # fmt: skip
ACTION_FILLERS = {name: Phrases(FILLERS.get(name, {})) for name in ACTIONS}

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
        "lowers|lowered|lowering|lower it|them|him|her",
        "lowers|lowered|lowering|lower HIS|both arm|arms|hand|hands|leg|foot",
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
    "walk": ("pace|paces|pacing|paced",),
    "run": ("dash|dashes|dashing|dashed", "rush|rushes|rushing|rushed"),
    "turn": ("pivot|pivots|pivoting|pivoted",),
        "punch": ("throws|throw|throwing|threw",),  # with "a punch", see below
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
del _PARAPHRASES["punch"]


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
        "180 degree? degrees? turn": "turn around",
        "180-degree turn": "turn around",
        "90-degree turn|turns": "turn",
        "90 degree? turn|turns": "turn",
        "pace|paces": "step",
    }
    for action in ACTIONS.values():
        for verb in action.verbs:
            if verb.noun:
                base = verb.base.split()[0]
                entries[f"{verb.noun}|{base}"] = action.name
    return Phrases(entries)


NOUNS = _nouns()


def all_words() -> set[str]:
    """Every word that the parser knows somewhere, for "did you mean".

    Returns:
        `set[str]`: the words.
    """
    tables = [VERBS, NOUNS, ADVERBS, DIRECTIONS, TURN_DIRECTIONS, IDLE, LIGHT_VERBS, *ACTION_FILLERS.values()]
    words = {word for table in tables for word in table.words()}
    words |= {*NUMBERS, *TIMES, *PERSONS.split("|"), "times", "before", "after", "then", "followed", "both"}
    for action in ACTIONS.values():
        words |= {limb for limb in (action.limb, *action.limb_synonyms) if limb}
    return words
