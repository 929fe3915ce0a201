"""Another frame rate, the same body."""

import numpy as np
import pytest

from atom_hf.motion import bone_length_deviation, resample_joints
from examples.make_walk import walking


@pytest.mark.parametrize("fps", [10, 24, 30, 60, 120, 13.7])
def test_bones_keep_their_length(walk, backend, fps):
    joints = np.asarray(resample_joints(backend(walk), 20, fps))
    assert len(joints) == int(39 * fps / 20) + 1
    assert np.asarray(bone_length_deviation(backend(joints))).max() < 5e-6


def test_linear_interpolation_of_positions_would_shorten_bones(walk):
    plain = (walk[1:] + walk[:-1]) / 2
    mixed = np.stack([walk[:-1], plain], axis=1).reshape(-1, 22, 3)
    assert bone_length_deviation(mixed).max() > 1e-4


def test_there_and_back(walk):
    np.testing.assert_allclose(resample_joints(resample_joints(walk, 20, 60), 60, 20), walk, atol=1e-5)
    np.testing.assert_array_equal(resample_joints(walk, 20, 20), walk)


def test_common_frames_stay(walk):
    np.testing.assert_allclose(resample_joints(walk, 20, 10), walk[::2], atol=1e-6)
    np.testing.assert_allclose(resample_joints(walk, 20, 40)[::2], walk, atol=1e-6)


def test_approaches_the_true_motion():
    """A walk sampled at 20 fps and brought to 60 is the walk sampled at 60, to a few millimetres."""
    coarse, fine = walking(frames=20, fps=20), walking(frames=58, fps=60)
    found = resample_joints(coarse - coarse[0, 0], 20, 60)
    assert found.shape == fine.shape
    fine = fine - fine[0, 0]
    error = np.linalg.norm((found - found[:, :1]) - (fine - fine[:, :1]), axis=-1)
    assert error[3:-3].max() < 0.012


def test_short_clips(walk):
    assert resample_joints(walk[:1], 20, 60).shape == (1, 22, 3)
    np.testing.assert_allclose(resample_joints(walk[:2], 20, 40)[[0, 2]], walk[:2], atol=1e-6)
    assert resample_joints(walk[:2], 20, 5).shape == (1, 22, 3)


def test_real_motion(real_clips):
    for joints in real_clips:
        before, after = (bone_length_deviation(j).max() for j in (joints, resample_joints(joints, 20, 30)))
        assert after <= before * 1.05 + 1e-6


@pytest.mark.parametrize(
    ("fps", "error", "text"),
    [
        (0, ValueError, "finite number above zero, got 0"),
        (-20, ValueError, "got -20"),
        (float("nan"), ValueError, "got nan"),
        ("20", TypeError, "is a number, got str"),
        (True, TypeError, "got bool"),
    ],
)
def test_wrong_fps(walk, fps, error, text):
    with pytest.raises(error, match=text):
        resample_joints(walk, 20, fps)
    with pytest.raises(error, match=text):
        resample_joints(walk, fps, 20)
