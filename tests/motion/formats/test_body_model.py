"""What both readers of body models share: which files, which tree, how long the legs."""

import numpy as np
import pytest

from atom_hf.motion import PARENTS, T_POSE_OFFSETS, MotionFormatError
from atom_hf.motion.formats.body_model import check_tree, leg_length, read_body_model


def test_arrays_come_as_stored(tmp_path):
    template = np.arange(6.0).reshape(2, 3)
    np.savez(tmp_path / "body.npz", v_template=template, other=np.zeros(3))
    arrays = read_body_model(tmp_path / "body.npz", ("v_template",))
    assert list(arrays) == ["v_template"]
    np.testing.assert_array_equal(arrays["v_template"], template)
    with pytest.raises(MotionFormatError, match="expected the array weights; it has 'v_template', 'other'"):
        read_body_model(tmp_path / "body.npz", ("weights",))
    with pytest.raises(MotionFormatError, match=r"ending in \.npz or \.pkl, got '\.obj'"):
        read_body_model(tmp_path / "body.obj", ("weights",))


def test_tree():
    parents = np.array(PARENTS)
    check_tree("body.npz", np.stack([parents, np.arange(22)]))
    check_tree("body.npz", np.stack([np.append(parents, [20, 21]), np.arange(24)]))
    for wrong in (parents[:21], np.roll(parents, 1)):
        with pytest.raises(MotionFormatError, match=r"body\.npz: expected SMPL's tree of joints"):
            check_tree("body.npz", np.stack([wrong, wrong]))


def test_legs():
    """Thighs and shins of the uniform skeleton, left and right."""
    expected = 0.39362319 + 0.39018822 + 0.432433 + 0.4256434
    assert leg_length(T_POSE_OFFSETS) == pytest.approx(expected, rel=1e-6)
    assert leg_length(2 * T_POSE_OFFSETS) == pytest.approx(2 * expected, rel=1e-6)
