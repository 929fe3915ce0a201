"""Statistics of features: computed, read in both layouts, saved."""

import numpy as np
import pytest

from atom_hf.motion import MotionFormatError, MotionStats, joints_to_features
from atom_hf.motion.layout import CONTACTS, POSITIONS, ROOT_VELOCITY, YAW_RATE


def corpus(walk: np.ndarray) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [joints_to_features(walk * s) + rng.normal(0, 0.1, (39, 263)).astype(np.float32) for s in (0.9, 1.0, 1.2)]


def test_normalize_and_back(walk, backend):
    stats = MotionStats.compute(corpus(walk))
    features = backend(corpus(walk)[0])
    normal = stats.normalize(features)
    assert normal.dtype == features.dtype and abs(float(normal.mean())) < 0.3
    np.testing.assert_allclose(np.asarray(stats.denormalize(normal)), np.asarray(features), atol=1e-5)


def test_deviations_are_shared_within_a_kind(walk):
    clips = corpus(walk)
    everything = np.concatenate(clips).astype(np.float64)
    stats = MotionStats.compute(iter(clips))
    np.testing.assert_allclose(stats.mean, everything.mean(0), atol=1e-9)
    np.testing.assert_allclose(stats.std[POSITIONS], everything.std(0)[POSITIONS].mean(), rtol=1e-9)
    biased = MotionStats.compute(clips, root_and_contact_bias=25)
    for group, ratio in ((YAW_RATE, 25), (ROOT_VELOCITY, 25), (CONTACTS, 25), (POSITIONS, 1)):
        np.testing.assert_allclose(stats.std[group] / biased.std[group], ratio)


def test_files_of_humanml3d_and_motiongpt(shared, tmp_path):
    """Both layouts are read; MotionGPT's deviations of root and contacts are about 25 times smaller."""
    ours = MotionStats.load(shared / "humanml3d_samples")
    theirs = MotionStats.load(shared / "reference" / "motiongpt_meta")
    ratio = ours.std / theirs.std
    np.testing.assert_allclose(ratio[[0, 1, 2, 3, 259, 262]], 25, rtol=0.05)
    np.testing.assert_allclose(ratio[4:259], 1, rtol=0.05)
    theirs.save(tmp_path / "checkpoint")
    again = MotionStats.load(tmp_path / "checkpoint")
    np.testing.assert_array_equal(again.mean, theirs.mean)
    np.testing.assert_array_equal(again.std, theirs.std)


def test_bad_statistics(tmp_path, walk):
    with pytest.raises(ValueError, match=r"263 finite numbers, got shape \(251,\)"):
        MotionStats(np.zeros(251), np.ones(251))
    with pytest.raises(ValueError, match=r"deviations above zero, but dimension 7 has 0\.0"):
        MotionStats(np.zeros(263), np.arange(263) != 7)
    with pytest.raises(ValueError, match="empty corpus"):
        MotionStats.compute([])
    with pytest.raises(MotionFormatError, match=r"expected Mean.npy and Std.npy .* or mean.npy and std.npy"):
        MotionStats.load(tmp_path)
    np.save(tmp_path / "mean.npy", np.zeros(12))
    np.save(tmp_path / "std.npy", np.ones(12))
    with pytest.raises(MotionFormatError, match=r"mean\.npy: not the statistics"):
        MotionStats.load(tmp_path)
    with pytest.raises(ValueError, match=r"\[..., 263\], got shape \[40, 22, 3\]"):
        MotionStats(np.zeros(263), np.ones(263)).normalize(walk)
