"""Joints survive the way into text, wherever the person goes."""

import numpy as np
import pytest

from atom_hf.render.viewer.packing import pack_joints, unpack_joints


@pytest.mark.parametrize("scale", [1.0, 8.0], ids=["body", "reaching 14 m"])
def test_a_coordinate_is_off_by_less_than_half_a_millimetre(walk, scale):
    joints = walk * scale
    packed = pack_joints(joints)
    assert np.abs(unpack_joints(packed) - joints).max() < 0.0005


def test_a_usual_clip_is_exact_to_a_twentieth_of_a_millimetre_however_far_it_goes(walk):
    far = walk + np.linspace(0, [5000.0, 0.0, -3000.0], len(walk))[:, None]
    packed = pack_joints(far)
    assert packed["unit"] == 0.0001
    assert np.abs(unpack_joints(packed) - far).max() < 0.000051


def test_a_frame_takes_192_letters(walk):
    packed = pack_joints(np.repeat(walk, 25, axis=0))
    assert len(packed["path"]) + len(packed["joints"]) == 192 * 1000


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda joints: joints.__setitem__((7, 3, 1), np.nan), r"Expected finite joints, got .* in frame 7\."),
        (lambda joints: joints.__setitem__((0, 20, 0), 90.0), r"Expected joints within 32 m of the root, got 9"),
        (lambda joints: joints.__iadd__(3e6), r"Expected a root within 215 km of its start\."),
    ],
)
def test_what_cannot_be_written_is_refused(walk, change, message):
    joints = walk.astype(np.float64)
    change(joints)
    with pytest.raises(ValueError, match=message):
        pack_joints(joints)


def test_another_skeleton_is_refused(walk):
    with pytest.raises(ValueError, match=r"Expected joints \[T, 22, 3\], got shape \[40, 21, 3\]\."):
        pack_joints(walk[:, :21])
