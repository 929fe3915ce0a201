"""Left becomes right: mirroring of joints, features and the words that go with them, HumanML3D's augmentation.

mirror_text("a man waves his left hand")  →  "a man waves his right hand"
"""

import re

import numpy as np

from .arrays import Array, constant, take
from .checks import check_features, check_joints
from .layout import CONTACTS, POSITIONS, ROOT_HEIGHT, ROOT_VELOCITY, ROTATIONS, VELOCITIES, YAW_RATE
from .skeleton import MIRROR

_OPPOSITES = {"left": "right", "right": "left", "clockwise": "counterclockwise", "clock-wise": "counter-clockwise"}
_BACKWARDS = "clockwise"  # the opposite of counterclockwise, counter-clockwise, anticlockwise …
# "Right" where it names no side stays: all right, right away, right now, at right angles.
_WORDS = re.compile(
    r"""\b(?<!\ball[ ])(?!right[ ](?:away(?![ ]from)|now|angles?)\b)
    (?P<word>left|right|(?:counter-?|anti-?)?clock-?wise)
    (?P<ending>s|wards?|-?hand(?:s|ed|er)?|-?foot(?:ed)?|-?side(?:s|d|ways)?|most)?\b""",
    re.IGNORECASE | re.VERBOSE,
)


def mirror_joints(joints: Array) -> Array:
    """Mirror joint positions at the plane x = 0 and exchange left and right joints.

    Args:
        joints (`Array`): positions `[..., T, 22, 3]` in metres, numpy or torch.

    Returns:
        `Array`: positions `[..., T, 22, 3]` in metres.

    Raises:
        TypeError: if the joints are no floating-point array.
        ValueError: if the shape is another one or a value is not finite.
    """
    check_joints(joints)
    return take(joints, MIRROR, axis=-2) * constant([-1.0, 1.0, 1.0], joints)


def mirror_features(features: Array) -> Array:
    """Mirror HumanML3D features directly: the features of a mirrored body of the same (mirrored) proportions.

    Args:
        features (`Array`): not normalised, `[..., T, 263]`; metres, radians, 20 fps; numpy or torch.

    Returns:
        `Array`: features `[..., T, 263]`.

    Raises:
        TypeError: if the features are no floating-point array.
        ValueError: if the shape is another one or a value is not finite.
    """
    check_features(features)
    index, sign = _mirror_table()
    return take(features, index, axis=-1) * constant(sign, features)


def _mirror_table() -> tuple[np.ndarray, np.ndarray]:
    """Which dimension each of the 263 comes from, and its sign."""
    index, sign = np.arange(263), np.ones(263)
    sign[YAW_RATE] = -1
    sign[ROOT_VELOCITY] = (-1, 1)
    body = np.array(MIRROR)
    for part, joints, width, flips in (
        (POSITIONS, body[1:] - 1, 3, (-1, 1, 1)),
        # M R M with M = diag(-1, 1, 1): the first column keeps x and flips y, z; the second flips x.
        (ROTATIONS, body[1:] - 1, 6, (1, -1, -1, -1, 1, 1)),
        (VELOCITIES, body, 3, (-1, 1, 1)),
        (CONTACTS, np.array([2, 3, 0, 1]), 1, (1,)),
    ):
        index[part] = part.start + (joints[:, None] * width + np.arange(width)).reshape(-1)
        sign[part] = np.tile(flips, len(joints))
    assert index[ROOT_HEIGHT][0] == ROOT_HEIGHT.start
    return index, sign


def mirror_text(text: str) -> str:
    """Exchange left and right, clockwise and counterclockwise in a caption; other meanings of the words stay.

    Args:
        text (`str`): a caption, such as `"steps left, then turns clockwise right away"`.

    Returns:
        `str`: `"steps right, then turns counterclockwise right away"`; capitals are kept.
    """

    def swap(match: re.Match[str]) -> str:
        word = match["word"]
        other = _OPPOSITES.get(word.lower(), _BACKWARDS)
        if word.isupper():
            other = other.upper()
        elif word[0].isupper():
            other = other.capitalize()
        return other + (match["ending"] or "")

    return _WORDS.sub(swap, text)
