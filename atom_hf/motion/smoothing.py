"""Gaussian smoothing over time, for numpy or torch, any number of clips of one length at once."""

from functools import cache

import numpy as np
from array_api_compat import array_namespace

from .arrays import Array, constant, take

_BLOCK = 128  # output frames computed by one matrix product


@cache
def _band(sigma: float) -> tuple[int, np.ndarray]:
    """Radius of the kernel in frames and the matrix `[_BLOCK + 2 * radius, _BLOCK]` that convolves one block with
    it."""
    radius = int(4 * sigma + 0.5)  # scipy.ndimage.gaussian_filter1d cuts there
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    band = np.zeros((_BLOCK + 2 * radius, _BLOCK))
    for column in range(_BLOCK):
        band[column : column + 2 * radius + 1, column] = kernel
    return radius, band


def gaussian_smooth(x: Array, sigma: float) -> Array:
    """Smooth series over time with a Gaussian, repeating the end values outside (`mode="nearest"`).

    Equals `scipy.ndimage.gaussian_filter1d(x, sigma, axis=-1, mode="nearest")`, as a product with a banded matrix, so
    that it runs batched, on any device, and with gradients.

    Args:
        x (`Array`): series `[..., T]`, any unit.
        sigma (`float`): standard deviation in frames, above zero.

    Returns:
        `Array`: `[..., T]` in the unit of `x`.

    Raises:
        ValueError: if `sigma` is not above zero or there is no frame.
    """
    frames = x.shape[-1]
    if not sigma > 0 or frames == 0:
        raise ValueError(f"Expected sigma > 0 and at least one frame, got sigma {sigma} and {frames} frames.")
    xp = array_namespace(x)
    radius, band = _band(float(sigma))
    blocks = -(-frames // _BLOCK)
    size = _BLOCK + 2 * radius
    index = np.arange(blocks)[:, None] * _BLOCK + np.arange(size)[None, :] - radius
    index = np.clip(index, 0, frames - 1).reshape(-1)
    windows = xp.reshape(take(x, index, axis=-1), (*x.shape[:-1], blocks, size))
    smooth = windows @ constant(band, x)
    return xp.reshape(smooth, (*x.shape[:-1], blocks * _BLOCK))[..., :frames]
