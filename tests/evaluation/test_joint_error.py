"""Joint errors: distances worked out by hand, and the original's MPJPE."""

import json

import numpy as np
import pytest

from atom_hf.evaluation import JointError, joint_error


def test_a_shift_counts_in_the_world_only(walk):
    moved = walk + np.float32([3.0, 0.0, 4.0])  # 5 metres
    found = joint_error(moved, walk)
    assert isinstance(found, JointError)
    assert found.world == pytest.approx(5000, abs=0.01) and found.root_relative == pytest.approx(0, abs=0.01)


def test_a_joint_that_is_off(walk):
    """One of 22 joints, 4 cm sideways and 3 cm up in half of the frames: 50 mm / 22 / 2."""
    moved = walk.astype(np.float64).copy()
    moved[: len(walk) // 2, 15] += [0.04, 0.03, 0.0]
    found = joint_error(moved, walk)
    assert found.world == pytest.approx(50 / 22 / 2, abs=1e-3)
    assert found.root_relative == pytest.approx(50 / 22 / 2, abs=1e-3)


def test_a_pelvis_that_is_off_moves_all_others_relative_to_it(walk):
    moved = walk.astype(np.float64).copy()
    moved[:, 0] += [0.0, 0.022, 0.0]
    found = joint_error(moved, walk)
    assert found.world == pytest.approx(22 / 22, abs=1e-3)
    assert found.root_relative == pytest.approx(22 * 21 / 22, abs=1e-3)


def test_nothing_is_off(walk):
    assert joint_error(walk, walk.copy()) == (0.0, 0.0)
    one, other = joint_error(walk[:10], walk[10:20]), joint_error(walk[10:20], walk[:10])
    assert one == other and one.world > 100  # it walked on


def test_double_precision_whatever_comes(walk):
    far = walk + np.float32(0.25)
    expected = joint_error(far.astype(np.float64), walk.astype(np.float64))
    np.testing.assert_allclose(joint_error(far, walk), expected, rtol=1e-5, atol=1e-3)


def test_mpjpe_of_the_original(shared):
    """MotionGPT's is the root-relative one, in millimetres."""
    golden = shared / "golden"
    expected = json.loads((golden / "e_metrics.json").read_text(encoding="utf-8"))["joint_errors_mm"]["MPJPE"]
    with np.load(golden / "e_metrics.npz") as data:
        found = joint_error(data["joints_pred"], data["joints_ref"])
    assert found.root_relative == pytest.approx(expected, rel=1e-5)
    assert abs(found.world - expected) > 0.1


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda joints: joints[1:], ValueError, r"the same frames, got \[39, 22, 3\] and \[40, 22, 3\]"),
        (lambda joints: joints[:1], ValueError, r"the same frames, got \[1, 22, 3\]"),  # would broadcast
        (lambda joints: joints[:, :21], ValueError, "22"),
        (lambda joints: np.where(joints == joints.max(), np.nan, joints), ValueError, "finite|NaN"),
        (lambda joints: (joints * 1000).astype(int), TypeError, "float"),
    ],
)
def test_mistakes_are_explained(walk, change, error, message):
    with pytest.raises(error, match=message):
        joint_error(change(walk), walk)
    with pytest.raises(error):
        joint_error(walk, change(walk))
