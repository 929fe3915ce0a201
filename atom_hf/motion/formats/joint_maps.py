"""How rigs name their joints, and how any named skeleton becomes our 22 joints.

    joints_from_named(["mixamorig:Hips", "mixamorig:LeftUpLeg", ...], positions)   # [T, J, 3] → [T, 22, 3]

Known: SMPL, CMU, DAZ, Mixamo, CC_Base, Bandai-Namco, LAFAN1, Biovision, Biped, Unity, Unreal, Xsens and their like.
"""

import re
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher, get_close_matches
from itertools import pairwise

import numpy as np

from ..skeleton import JOINT_NAMES

JointMap = Mapping[str, str | Sequence[str]]
Body = dict[str, np.ndarray]  # our joint's name → positions [T, 3]

# Part of the body → what rigs call it, best first, spelled as `_word` does. Rows are filled from the top and a name
# serves one joint only: "LeftShoulder" is the collar beside a "LeftArm" and the shoulder beside a "LeftCollar".
_MIDDLE: dict[str, tuple[str, ...]] = {
    "pelvis": ("pelvis", "hips", "hip", "root"),
    "neck": ("neck", "neck1", "necktwist1", "upperneck", "lowerneck"),
    "head": ("head",),
}
# The same for parts with a side, which may stand before or after: hip → lefthip, lhip, hipleft, hipl.
_SIDED: dict[str, tuple[str, ...]] = {
    "hip": ("upleg", "thigh", "upperleg", "femur", "hip"),
    "knee": ("knee", "calf", "shin", "lowerleg", "lowleg", "tibia", "leg"),
    "ankle": ("ankle", "foot"),
    "foot": ("toebase", "toe", "toes", "toe0", "ball", "foot"),
    "shoulder": ("upperarm", "uparm", "uarm", "humerus", "shldr", "arm", "shoulder"),
    "collar": ("collar", "clavicle", "shoulder"),
    "elbow": ("elbow", "forearm", "lowerarm", "lowarm", "farm", "radius"),
    "wrist": ("wrist", "hand"),
}
# Joints between pelvis and neck, from the bottom to the top; three of them are spine1 to spine3.
_TRUNK: tuple[str, ...] = (
    *("lowerback", "waist", "abdomen", "ab", "torso", "l5", "l3", "spine", "spine1", "spine2", "spine3", "spine4"),
    *("spine5", "upperback", "t12", "t8", "chest", "chest1", "chest2", "chest3", "chest4", "upperchest", "thorax"),
    "lowerneck",
)
_SPINE = ("spine1", "spine2", "spine3")
_SIDES = ("left", "right")
_WORDS: dict[str, tuple[str, ...]] = {
    **_MIDDLE,
    **{
        f"{side}_{part}": tuple(word for n in names for word in (side + n, side[0] + n, n + side, n + side[0]))
        for part, names in _SIDED.items()
        for side in _SIDES
    },
}
# The joint at the end of a limb may be given by the end site of the joint before it.
END_SITE = " End Site"  # behind a joint's name: its end site
_BEFORE_END = {
    "head": "neck",
    **{f"{side}_foot": f"{side}_ankle" for side in _SIDES},
    **{f"{side}_wrist": f"{side}_elbow" for side in _SIDES},
}
_OPTIONAL = {*_SPINE, "neck", *(f"{side}_{part}" for side in _SIDES for part in ("foot", "collar"))}

# Where joints that a rig lacks are put: the proportions of SMPL's rest pose.
_SPINE_FRACTIONS = (0.24, 0.50, 0.60)  # of the way from pelvis to neck
_NECK_FRACTION = 0.38  # of the way from the middle of the shoulders to the head
_COLLAR_FRACTIONS = (0.40, 0.37)  # from spine3 towards the neck, from there towards the shoulder
_FOOT_FRACTIONS = (0.14, 0.30)  # onwards along the shin and forwards, in lengths of the shin

_PREFIXES = re.compile(r"^(ccbase|mixamorig\d*|bip\d+|[mf]avg|character\d+)")
_LISTED = 60  # names that a message lists and compares


def joints_from_named(names: Sequence[str], positions: np.ndarray, joint_map: JointMap | None = None) -> np.ndarray:
    """Our 22 joints from the joints of another skeleton, found by their names.

    Case, separators (`_`, `-`, `.`, space) and prefixes (`mixamorig:`, `CC_Base_`, `Bip01`) do not count. Pelvis,
    hips, knees, ankles, shoulders, elbows, wrists and head must be there. Other joints that a skeleton lacks, or has
    in the same place as another joint, are filled in: the spine at SMPL's fractions of the line from the pelvis
    through the trunk's joints to the neck; neck and collars between spine, shoulders and head; feet from an end site
    or else square to shin and hips.

    Args:
        names (`Sequence[str]`): J names; an end site goes by the name of its joint with `" End Site"` behind it.
        positions (`np.ndarray`): positions `[T, J, 3]` of those joints, any unit, any axes.
        joint_map (`Mapping[str, str | Sequence[str]]`, *optional*): our joint's name → its name in `names`, or several
            of which the first one present counts. Joints it does not mention are found by the table.

    Returns:
        `np.ndarray`: joints `[T, 22, 3]` in the order of `JOINT_NAMES`, in the unit and axes of `positions`.

    Raises:
        ValueError: if shapes disagree, a joint cannot be placed, or `joint_map` names a joint that is not there.
    """
    positions = np.asarray(positions)
    if positions.ndim != 3 or positions.shape[1:] != (len(names), 3):
        raise ValueError(
            f"Expected positions [T, {len(names)}, 3] for {len(names)} names, got {list(positions.shape)}."
        )
    given = _given(names, joint_map)
    words = {_word(name): index for index, name in reversed(list(enumerate(names)))}
    found = dict(given)
    for joint, candidates in _WORDS.items():
        if joint in found:
            continue
        taken = set(found.values())
        matches = [words[word] for word in candidates if word in words and words[word] not in taken]
        before = found.get(_BEFORE_END.get(joint, ""))
        if before is not None and names[before] + END_SITE in names:
            matches.append(names.index(names[before] + END_SITE))
        if matches:
            found[joint] = matches[0]
    missing = [joint for joint in JOINT_NAMES if joint not in found and joint not in _OPTIONAL]
    if missing:
        raise ValueError(_missing(missing, names, found))

    body = {joint: positions[:, index] for joint, index in found.items()}
    trunk = [positions[:, words[word]] for word in _TRUNK if word in words and words[word] not in found.values()]
    spare_neck = positions[:, words["neck1"]] if "neck1" in words and "neck" not in given else None
    _fill_neck(body, trunk, spare_neck)
    _fill_spine(body, trunk, given)
    _fill_collars(body, given)
    _fill_feet(body, given)
    return np.stack([body[joint] for joint in JOINT_NAMES], axis=1)


def _word(name: str) -> str:
    """A name as the table spells it: without prefix, case, separators, and leading zeros of numbers."""
    word = re.sub(r"[\s_.\-]+", "", name.rpartition(":")[2].lower())
    return re.sub(r"(?<!\d)0+(?=\d)", "", _PREFIXES.sub("", word))


def _given(names: Sequence[str], joint_map: JointMap | None) -> dict[str, int]:
    """Indices of the joints that the caller placed."""
    exact = {name: index for index, name in reversed(list(enumerate(names)))}
    loose = {_word(name): index for name, index in exact.items()}
    found = {}
    for joint, wanted in (joint_map or {}).items():
        if joint not in JOINT_NAMES:
            raise ValueError(
                f"joint_map names {joint!r}, which is none of our joints.{_did_you_mean(str(joint), JOINT_NAMES)} "
                f"They are {', '.join(JOINT_NAMES)}."
            )
        options = [wanted] if isinstance(wanted, str) else list(wanted)
        matches = [exact.get(name, loose.get(_word(name))) for name in options]
        index = next((match for match in matches if match is not None), None)
        if index is None:
            raise ValueError(
                f"joint_map places {joint!r} at {' or '.join(map(repr, options))}, but there is no such joint."
                f"{_did_you_mean(''.join(options[:1]), names)} The skeleton's joints are {_listed(names)}."
            )
        found[joint] = index
    return found


def _did_you_mean(name: str, names: Sequence[str]) -> str:
    words = {_word(other): other for other in names[:_LISTED]}
    return "".join(f" Did you mean {words[match]!r}?" for match in get_close_matches(_word(name), words, 1))


def _missing(missing: Sequence[str], names: Sequence[str], found: Mapping[str, int]) -> str:
    """What to tell about joints that cannot be placed."""
    words = {_word(name): name for index, name in enumerate(names[:_LISTED]) if index not in found.values()}
    close = {}
    for joint in missing:
        pairs = [(SequenceMatcher(None, a, b).ratio(), name) for a in _WORDS[joint] for b, name in words.items()]
        ratio, name = max(pairs, default=(0.0, ""))
        if ratio > 0.75:
            close[joint] = name
    hint = ", ".join(f"{joint} may be {name!r}" for joint, name in close.items())
    return (
        f"{len(missing)} of the {len(JOINT_NAMES)} joints could not be placed: {', '.join(missing)}. The skeleton's "
        f"joints are {_listed(names)}.{f' Close matches: {hint}.' if hint else ''} Say which is which with "
        f"joint_map={{{missing[0]!r}: {close.get(missing[0], 'name in the file')!r}, ...}}."
    )


def _listed(names: Sequence[str]) -> str:
    joints = [name for name in names if not name.endswith(END_SITE)]
    more = f" and {len(joints) - _LISTED} more" if len(joints) > _LISTED else ""
    return ", ".join(joints[:_LISTED]) + more


def _distance(a: np.ndarray, b: np.ndarray) -> float:
    """Mean distance over time."""
    return float(np.linalg.norm(a - b, axis=-1).mean())


def _between(a: np.ndarray, b: np.ndarray, fraction: float) -> np.ndarray:
    return a + fraction * (b - a)


def _fill_neck(body: Body, trunk: Sequence[np.ndarray], spare: np.ndarray | None) -> None:
    """A neck that is absent; or the second one where the first lies on the trunk's last joint (CMU's conversions)."""
    if "neck" not in body:
        shoulders = _between(body["left_shoulder"], body["right_shoulder"], 0.5)
        body["neck"] = _between(shoulders, body["head"], _NECK_FRACTION)
    elif spare is not None and any(
        _distance(joint, body["neck"]) < 0.01 * _distance(body["pelvis"], body["head"]) for joint in trunk
    ):
        body["neck"] = spare


def _fill_spine(body: Body, trunk: Sequence[np.ndarray], given: Mapping[str, int]) -> None:
    """Joints spine1 to spine3 from those of the trunk, which are in their order upwards."""
    tiny = 0.01 * _distance(body["pelvis"], body["neck"])  # some rigs put helpers onto pelvis and neck
    line = [body["pelvis"]]
    for joint in trunk:
        if _distance(joint, line[-1]) > tiny and _distance(joint, body["neck"]) > tiny:
            line.append(joint)
    line.append(body["neck"])
    free = [name for name in _SPINE if name not in given]
    if len(line) - 2 == len(free):
        body.update(zip(free, line[1:-1], strict=True))
        return
    heights = np.cumsum([0.0, *(_distance(a, b) for a, b in pairwise(line))])
    for name, fraction in zip(_SPINE, _SPINE_FRACTIONS, strict=True):
        if name not in given:
            height = fraction * heights[-1]
            below = int((heights[1:-1] <= height).sum())
            span = max(heights[below + 1] - heights[below], 1e-12)
            body[name] = _between(line[below], line[below + 1], float((height - heights[below]) / span))


def _fill_collars(body: Body, given: Mapping[str, int]) -> None:
    """Collars that are absent, meet in the middle of the body (CMU's conversions) or lie in the shoulders."""
    width = _distance(body["left_shoulder"], body["right_shoulder"])
    both = [body[f"{side}_collar"] for side in _SIDES if f"{side}_collar" in body]
    meet = len(both) == 2 and _distance(*both) < 0.1 * width
    for side in _SIDES:
        name, shoulder = f"{side}_collar", body[f"{side}_shoulder"]
        good = name in body and not meet and _distance(body[name], shoulder) > 0.05 * width
        if name not in given and not good:
            base = _between(body["spine3"], body["neck"], _COLLAR_FRACTIONS[0])
            body[name] = _between(base, shoulder, _COLLAR_FRACTIONS[1])


def _fill_feet(body: Body, given: Mapping[str, int]) -> None:
    """Feet that are absent or lie in the ankle: square to the shin and to the line of the hips."""
    for side in _SIDES:
        name, ankle, knee = f"{side}_foot", body[f"{side}_ankle"], body[f"{side}_knee"]
        length = _distance(ankle, knee)
        if name not in given and (name not in body or _distance(body[name], ankle) < 0.05 * length):
            forwards = np.cross(body["right_hip"] - body["left_hip"], ankle - knee)
            forwards /= np.maximum(np.linalg.norm(forwards, axis=-1, keepdims=True), 1e-12)
            body[name] = ankle + _FOOT_FRACTIONS[0] * (ankle - knee) + _FOOT_FRACTIONS[1] * length * forwards
