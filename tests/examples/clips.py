"""Clips whose frames say where they are from."""

import numpy as np
from corpus import Clip


def noise_clip(number: int, frames: int, real: bool = False) -> Clip:
    """Each frame begins with the clip's number and its own."""
    features = np.random.default_rng(number).normal(size=(frames, 263)).astype(np.float32)
    features[:, 0], features[:, 1] = number, np.arange(frames)
    return Clip(f"clip{number}", features, (f"caption {number}",), real=real)
