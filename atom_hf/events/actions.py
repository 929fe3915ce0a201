"""The table of actions: how each is said, which sides and directions it has, and what one count of it is.

Adding an action is one entry here, one primitive in `primitives/`, and one detector in `detectors/`.

    ACTIONS["jump"].unit  →  "a flight: both feet leave the floor and land"
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Verb:
    """One way to say an action, in the forms that captions use.

    Args:
        base (`str`): infinitive with its particle, such as `"sit down"`; the particle is what follows the first word.
        third (`str`): third person singular, such as `"sits down"`.
        gerund (`str`): such as `"sitting down"`.
        past (`str`): such as `"sat down"`.
        noun (`str`, *optional*): what a person "does" or "takes" with a number, such as `"squats"` or
            `"jumping jacks"`.
    """

    base: str
    third: str
    gerund: str
    past: str
    noun: str | None = None


@dataclass(frozen=True)
class Action:
    """One action of the vocabulary.

    Args:
        name (`str`): its key, such as `"sit_down"`.
        verbs (`tuple[Verb, ...]`): ways to say it, the plainest first.
        unit (`str`): what one count is, in words.
        sides (`tuple[str, ...]`): sides of the body that may be asked for; empty where none makes sense.
        directions (`tuple[str, ...]`): directions that may be asked for; empty where none makes sense.
        max_count (`int`): most repetitions that fit a clip of 9.8 seconds; 1 for bouts and for changes of posture.
        limb (`str`, *optional*): what the side belongs to, such as `"arm"`, `"hand"`, `"leg"` or `"foot"`.
        limb_synonyms (`tuple[str, ...]`): further words for it, such as `"hand"` where an arm is raised.
        seconds (`float`, *optional*, defaults to 1.0): about how long one count takes, in seconds.
        postures (`tuple[str, ...]`): postures in which it can begin: `"standing"`, `"sitting"`, `"lying"`.
        leaves (`str`, *optional*): posture after it where it changes; unchanged by default.
    """

    name: str
    verbs: tuple[Verb, ...]
    unit: str
    sides: tuple[str, ...] = ()
    directions: tuple[str, ...] = ()
    max_count: int = 1
    limb: str | None = None
    limb_synonyms: tuple[str, ...] = ()
    seconds: float = 1.0
    postures: tuple[str, ...] = ("standing",)
    leaves: str | None = None


_ARMS = ("left", "right", "both")
_ONE = ("left", "right")
_GROUND = ("forward", "backward", "left", "right")


def _verb(base: str, third: str, gerund: str, past: str, noun: str | None = None) -> Verb:
    return Verb(base, third, gerund, past, noun)


ACTIONS: dict[str, Action] = {
    action.name: action
    for action in (
        Action(
            "walk",
            (_verb("walk", "walks", "walking", "walked"), _verb("stroll", "strolls", "strolling", "strolled")),
            "a bout: at least two steps that carry the body along, until it stands or does something else",
            directions=_GROUND,
            seconds=2.7,
        ),
        Action(
            "run",
            (
                _verb("run", "runs", "running", "ran"),
                _verb("jog", "jogs", "jogging", "jogged"),
                _verb("sprint", "sprints", "sprinting", "sprinted"),
            ),
            "a bout: steps with a flight between them, faster than walking",
            directions=("forward",),
            seconds=2.8,
        ),
        Action(
            "step",
            (_verb("step", "steps", "stepping", "stepped", "steps"),),
            "a step: one foot is lifted and put down elsewhere",
            sides=_ONE,
            directions=_GROUND,
            max_count=6,
            limb="foot",
            limb_synonyms=("leg",),
            seconds=0.8,
        ),
        Action(
            "jump",
            (
                _verb("jump", "jumps", "jumping", "jumped", "jumps"),
                _verb("leap", "leaps", "leaping", "leapt", "leaps"),
            ),
            "a flight: both feet leave the floor and land",
            directions=("up", *_GROUND),
            max_count=6,
            seconds=1.1,
        ),
        Action(
            "hop",
            (_verb("hop", "hops", "hopping", "hopped", "hops"),),
            "a flight from one foot to the same foot",
            sides=_ONE,
            directions=("forward",),
            max_count=6,
            limb="foot",
            limb_synonyms=("leg",),
            seconds=0.8,
        ),
        Action(
            "turn",
            (
                _verb("turn", "turns", "turning", "turned", "turns"),
                _verb("rotate", "rotates", "rotating", "rotated"),
                _verb("spin", "spins", "spinning", "spun", "spins"),
            ),
            "a change of heading by at least 60 degrees: left or right is about 90 degrees, around about 180",
            directions=("left", "right", "around"),
            max_count=3,
            seconds=1.6,
        ),
        Action(
            "kick",
            (_verb("kick", "kicks", "kicking", "kicked", "kicks"),),
            "a leg swung out quickly and brought back",
            sides=_ONE,
            directions=("forward", "left", "right"),
            max_count=5,
            limb="leg",
            limb_synonyms=("foot",),
            seconds=1.1,
        ),
        Action(
            "punch",
            (
                _verb("punch", "punches", "punching", "punched", "punches"),
                _verb("jab", "jabs", "jabbing", "jabbed", "jabs"),
            ),
            "an arm stretched out quickly at chest height and brought back",
            sides=_ARMS,
            max_count=6,
            limb="fist",
            limb_synonyms=("hand", "arm"),
            seconds=0.8,
        ),
        Action(
            "wave",
            (_verb("wave", "waves", "waving", "waved"),),
            "a bout: a raised hand swung from side to side, at least twice",
            sides=_ARMS,
            limb="hand",
            limb_synonyms=("arm",),
            seconds=2.0,
            postures=("standing", "sitting"),
        ),
        Action(
            "raise_arm",
            (_verb("raise", "raises", "raising", "raised"), _verb("lift", "lifts", "lifting", "lifted")),
            "a hand brought above the shoulder and lowered again, or held",
            sides=_ARMS,
            max_count=4,
            limb="arm",
            limb_synonyms=("hand",),
            seconds=1.8,
            postures=("standing", "sitting"),
        ),
        Action(
            "clap",
            (_verb("clap", "claps", "clapping", "clapped", "claps"),),
            "a contact of the hands",
            max_count=8,
            seconds=0.6,
            postures=("standing", "sitting"),
        ),
        Action(
            "squat",
            (
                _verb("squat", "squats", "squatting", "squatted", "squats"),
                _verb("crouch", "crouches", "crouching", "crouched"),
            ),
            "down on bent knees and up again",
            max_count=5,
            seconds=1.7,
        ),
        Action(
            "bow",
            (
                _verb("bow", "bows", "bowing", "bowed", "bows"),
                _verb("bend over", "bends over", "bending over", "bent over"),
                _verb("bend forward", "bends forward", "bending forward", "bent forward"),
            ),
            "the trunk bent forward and up again",
            max_count=4,
            seconds=1.8,
        ),
        Action(
            "sit_down",
            (
                _verb("sit down", "sits down", "sitting down", "sat down"),
                _verb("take a seat", "takes a seat", "taking a seat", "took a seat"),
            ),
            "from standing to the height of a seat, and staying there",
            seconds=1.6,
            leaves="sitting",
        ),
        Action(
            "stand_up",
            (
                _verb("stand up", "stands up", "standing up", "stood up"),
                _verb("get up", "gets up", "getting up", "got up"),
                _verb("get back up", "gets back up", "getting back up", "got back up"),
            ),
            "from sitting, squatting or lying to standing",
            seconds=1.8,
            postures=("sitting", "lying"),
            leaves="standing",
        ),
        Action(
            "lie_down",
            (_verb("lie down", "lies down", "lying down", "lay down"),),
            "from any posture to the floor, trunk level",
            seconds=2.5,
            postures=("standing", "sitting"),
            leaves="lying",
        ),
        Action(
            "throw",
            (_verb("throw", "throws", "throwing", "threw", "throws"), _verb("toss", "tosses", "tossing", "tossed")),
            "a hand drawn back and swung forward past the head",
            sides=_ONE,
            max_count=3,
            limb="hand",
            limb_synonyms=("arm",),
            seconds=1.5,
        ),
    )
}
