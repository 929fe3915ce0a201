"""What the drawn body is made of: tapered capsules along the bones, a torso spanned by balls, and a head that faces
somewhere.

Every point is a fixed mixture of the 22 joints, so the points of a whole clip are one matrix product:

    BONES[0] = Bone("left", start={"left_hip": 1.0}, end={"left_knee": 1.0}, radii=(0.086, 0.06), limb=0)
    place_body(joints).starts       # [n, 13, 3] in metres
"""

from typing import NamedTuple

import numpy as np

from ..motion.skeleton import JOINT_NAMES, NUM_JOINTS

Point = dict[str, float]  # joint → weight; the weights add up to one


class Bone(NamedTuple):
    """A tapered capsule.

    Args:
        part (`str`): what it belongs to: left, right or neck.
        start (`Point`): one end, as weights of joints.
        end (`Point`): the other end.
        radii (`tuple[float, float]`): at start and end, metres.
        limb (`int`): number of the first bone of its arm or leg, or its own.
        follows (`int`, *optional*, defaults to -1): number of the bone at whose end this one starts; -1 for none.
    """

    part: str
    start: Point
    end: Point
    radii: tuple[float, float]
    limb: int
    follows: int = -1


class Ball(NamedTuple):
    """A ball of the torso.

    Args:
        centre (`Point`): as weights of joints.
        radius (`float`): metres.
    """

    centre: Point
    radius: float


class Body(NamedTuple):
    """The body in some frames.

    Args:
        starts (`np.ndarray`): one end of each bone, `[n, B, 3]` in metres.
        ends (`np.ndarray`): the other end, `[n, B, 3]`.
        torso (`np.ndarray`): centres of the torso's balls, `[n, K, 3]`.
        head (`np.ndarray`): centre of the head, `[n, 3]`.
        head_axes (`np.ndarray`): unit vectors towards the person's left, the crown and the face, rows of `[n, 3, 3]`.
    """

    starts: np.ndarray
    ends: np.ndarray
    torso: np.ndarray
    head: np.ndarray
    head_axes: np.ndarray


def _mix(*terms: tuple[float, str]) -> Point:
    point: Point = {}
    for weight, joint in terms:
        point[joint] = point.get(joint, 0.0) + weight
    return point


def _long_bones(side: str, first: int) -> list[Bone]:
    """Thigh, shin, upper arm and forearm; `first` is the number of the thigh."""
    hip, knee, ankle, shoulder, elbow, wrist = (
        {f"{side}_{joint}": 1.0} for joint in ("hip", "knee", "ankle", "shoulder", "elbow", "wrist")
    )
    return [
        Bone(side, hip, knee, (0.086, 0.060), first),
        Bone(side, knee, ankle, (0.060, 0.044), first, follows=first),
        Bone(side, shoulder, elbow, (0.060, 0.047), first + 2),
        Bone(side, elbow, wrist, (0.047, 0.035), first + 2, follows=first + 2),
    ]


def _short_bones(side: str, first: int) -> list[Bone]:
    """Foot and hand. Heel, toes and fingers are no joints: they lie on the lines of foot and shin, and of the
    forearm."""
    knee, ankle, foot, elbow, wrist = (f"{side}_{joint}" for joint in ("knee", "ankle", "foot", "elbow", "wrist"))
    heel = _mix((1.38, ankle), (-0.28, foot), (-0.10, knee))
    toes = _mix((1.40, foot), (-0.46, ankle), (0.06, knee))
    return [
        Bone(side, heel, toes, (0.040, 0.036), first),
        Bone(side, {wrist: 1.0}, _mix((1.40, wrist), (-0.40, elbow)), (0.034, 0.045), first + 2),
    ]


_NECK = Bone("neck", _mix((0.8, "neck"), (0.2, "spine3")), {"head": 1.0}, (0.055, 0.050), 12)
# The long ones come first: those are drawn in halves where depth demands it.
BONES: tuple[Bone, ...] = (
    *_long_bones("left", 0),
    *_long_bones("right", 4),
    *_short_bones("left", 0),
    *_short_bones("right", 4),
    _NECK,
)
LONG_BONES = 8
BONE_RADII = np.array([bone.radii for bone in BONES], dtype=np.float32)

# Two overlapping groups, each drawn as the hull of its balls: pelvis and waist; chest and shoulders.
PELVIS: tuple[Ball, ...] = (
    Ball({"left_hip": 1.0}, 0.090),
    Ball({"right_hip": 1.0}, 0.090),
    Ball({"pelvis": 1.0}, 0.105),
    Ball({"spine2": 1.0}, 0.105),
)
CHEST: tuple[Ball, ...] = (
    Ball({"spine2": 1.0}, 0.105),
    Ball({"spine3": 1.0}, 0.110),
    Ball(_mix((0.8, "left_shoulder"), (0.2, "spine3")), 0.070),
    Ball(_mix((0.8, "right_shoulder"), (0.2, "spine3")), 0.070),
    Ball(_mix((0.7, "neck"), (0.3, "spine3")), 0.065),
)
TORSO: tuple[Ball, ...] = (*PELVIS, *CHEST)
TORSO_RADII = np.array([ball.radius for ball in TORSO], dtype=np.float32)
TORSO_AXIS = (2, 5)  # the balls between which the spine runs

_CHEST_JOINT, _NECK_JOINT, _HEAD_JOINT = (JOINT_NAMES.index(name) for name in ("spine3", "neck", "head"))
HEAD_RADIUS = 0.118  # metres
HEAD_CENTRE = _mix((1.5, "head"), (-0.5, "neck"))
_MOST_TILT = np.deg2rad(38.0)  # SMPL's


def _weights(points: list[Point]) -> np.ndarray:
    matrix = np.zeros((len(points), NUM_JOINTS), dtype=np.float32)
    for row, point in zip(matrix, points, strict=True):
        for joint, weight in point.items():
            row[JOINT_NAMES.index(joint)] = weight
    return matrix


_WEIGHTS = _weights([*(b.start for b in BONES), *(b.end for b in BONES), *(b.centre for b in TORSO), HEAD_CENTRE])


def head_tilt(joints: np.ndarray) -> float:
    """By how much the joint "head" lies before the neck in the skeleton of a clip: some put it between the ears,
    others on top.

    Args:
        joints (`np.ndarray`): positions of the whole clip `[T, 22, 3]` in metres.

    Returns:
        `float`: median angle between neck → head and the line of the neck, radians; 0 to that of SMPL, about 38
        degrees.
    """
    neck, head = joints[:, _NECK_JOINT], joints[:, _HEAD_JOINT]
    line, rise = _unit(neck - joints[:, _CHEST_JOINT]), _unit(head - neck)
    ahead = np.cross(_across(joints), line)
    angle = np.arctan2((rise * ahead).sum(-1), (rise * line).sum(-1))
    return float(np.clip(np.median(angle), 0.0, _MOST_TILT))


def place_body(joints: np.ndarray, tilt: float) -> Body:
    """Where the parts of the body are.

    Args:
        joints (`np.ndarray`): positions `[n, 22, 3]` in metres, float32.
        tilt (`float`): from `head_tilt`, radians.

    Returns:
        [`Body`]: its points. The joints do not tell how the neck is twisted, so the head faces where the shoulders do.
    """
    points = _WEIGHTS @ joints
    bones = len(BONES)
    starts, ends, torso, head = np.split(points, [bones, 2 * bones, 2 * bones + len(TORSO)], axis=1)
    rise = _unit(joints[:, _HEAD_JOINT] - joints[:, _NECK_JOINT])
    across = _across(joints)
    across = _unit(across - rise * (across * rise).sum(-1, keepdims=True))
    ahead = np.cross(across, rise)
    cosine, sine = np.cos(tilt), np.sin(tilt)
    axes = np.stack([across, cosine * rise - sine * ahead, cosine * ahead + sine * rise], axis=1)
    return Body(starts, ends, torso, head[:, 0], axes.astype(np.float32))


def _across(joints: np.ndarray) -> np.ndarray:
    """From the right to the left shoulder, unit vectors `[n, 3]`."""
    collars, shoulders = (
        joints[:, JOINT_NAMES.index(f"left_{name}")] - joints[:, JOINT_NAMES.index(f"right_{name}")]
        for name in ("collar", "shoulder")
    )
    return _unit(collars + shoulders)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-6)
