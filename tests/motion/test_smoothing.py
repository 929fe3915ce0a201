"""Gaussian smoothing over time, against the sum it stands for."""

import numpy as np
import pytest

from atom_hf.motion.smoothing import gaussian_smooth


@pytest.mark.parametrize("frames", [1, 2, 60, 128, 129, 700])
def test_is_the_sum(backend, frames):
    x = np.random.default_rng(0).standard_normal((2, 3, frames))
    sigma, radius = 20.0, 80
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    padded = np.concatenate([np.repeat(x[..., :1], radius, -1), x, np.repeat(x[..., -1:], radius, -1)], axis=-1)
    expected = sum(weight * padded[..., i : i + frames] for i, weight in enumerate(kernel))
    np.testing.assert_allclose(np.asarray(gaussian_smooth(backend(x), sigma)), expected, atol=1e-12)


def test_is_scipys():
    filters = pytest.importorskip("scipy.ndimage")
    x = np.random.default_rng(1).standard_normal((4, 300))
    for sigma in (1.5, 3.0, 20.0):
        expected = filters.gaussian_filter1d(x, sigma, axis=-1, mode="nearest")
        np.testing.assert_allclose(gaussian_smooth(x, sigma), expected, atol=1e-12)


def test_bad_input():
    with pytest.raises(ValueError, match="sigma > 0 and at least one frame, got sigma 0"):
        gaussian_smooth(np.zeros(5), 0)
    with pytest.raises(ValueError, match="0 frames"):
        gaussian_smooth(np.zeros((2, 0)), 1)
