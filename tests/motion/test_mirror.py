"""Left and right exchanged in joints, features and words."""

import numpy as np
import pytest

from atom_hf.motion import (
    JOINT_NAMES,
    features_to_joints,
    joints_to_features,
    mirror_features,
    mirror_joints,
    mirror_text,
)


def test_joints(walk, backend):
    mirrored = np.asarray(mirror_joints(backend(walk)))
    left, right = JOINT_NAMES.index("left_wrist"), JOINT_NAMES.index("right_wrist")
    np.testing.assert_array_equal(mirrored[:, left], walk[:, right] * [-1, 1, 1])
    np.testing.assert_array_equal(mirrored[:, 0], walk[:, 0] * [-1, 1, 1])
    np.testing.assert_array_equal(mirror_joints(mirrored), walk)


def test_features_of_the_mirrored_body(walk, backend):
    """Mirroring features directly gives the features of mirrored joints."""
    features = joints_to_features(walk, retarget=False)
    expected = joints_to_features(mirror_joints(walk), retarget=False)
    mirrored = np.asarray(mirror_features(backend(features)))
    np.testing.assert_allclose(mirrored, expected, atol=5e-6)
    np.testing.assert_allclose(features_to_joints(mirrored), mirror_joints(features_to_joints(features)), atol=1e-6)
    np.testing.assert_array_equal(mirror_features(mirrored), features)


@pytest.mark.parametrize(
    ("text", "mirrored"),
    [
        ("a man waves his left hand", "a man waves his right hand"),
        ("Left, then RIGHT.", "Right, then LEFT."),
        ("a left-handed throw, leftwards", "a right-handed throw, rightwards"),
        ("turns clockwise, then counterclockwise", "turns counterclockwise, then clockwise"),
        ("counter-clockwise and anticlockwise", "clockwise and clockwise"),
        ("turns right away", "turns right away"),
        ("turns right away from the wall", "turns left away from the wall"),
        ("all right, sits upright at a right angle", "all right, sits upright at a right angle"),
        ("the rightmost leg, brightly", "the leftmost leg, brightly"),
        ("", ""),
    ],
)
def test_text(text, mirrored):
    assert mirror_text(text) == mirrored


def test_bad_input(walk):
    with pytest.raises(ValueError, match=r"got \[40, 3, 22\]"):
        mirror_joints(walk.transpose(0, 2, 1))
    with pytest.raises(ValueError, match=r"\[..., T, 263\], got \[4, 262\]"):
        mirror_features(np.zeros((4, 262)))
