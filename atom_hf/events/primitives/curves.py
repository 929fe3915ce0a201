"""Keyed curves: a few values over time become smooth series, for all channels of a body at once.

    series = evaluate([[Key(0.0, 0.0), Key(0.5, 90.0)], [Key(0.2, 1.0)]], frames=20, fps=20.0)   # [2, 20]

Between two keys runs a cubic Hermite polynomial; slopes that are not given follow Fritsch and Carlson (1980), so that
a curve never overshoots its keys: what is keyed to stand still, stands still.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Key(NamedTuple):
    """A value at a time.

    Args:
        time (`float`): seconds.
        value (`float`): in the channel's unit.
        slope (`float`, *optional*): units per second in this key; by default such that nothing overshoots. Two keys at
            one time with different slopes make a kink, as at take-off.
    """

    time: float
    value: float
    slope: float | None = None


def evaluate(channels: Sequence[Sequence[Key]], frames: int, fps: float) -> np.ndarray:
    """Series of all channels.

    Args:
        channels (`Sequence[Sequence[Key]]`): keys of each channel in order of time, at least one.
        frames (`int`): how many frames.
        fps (`float`): frames per second.

    Returns:
        `np.ndarray`: `[channels, frames]`; before its first and after its last key a channel is constant.
    """
    before, after = -1.0, frames / fps + 1.0
    rows: list[Key] = []
    for keys in channels:
        rows.append(Key(before, keys[0].value))
        rows.extend(keys)
        rows.append(Key(after, keys[-1].value))
    time = np.array([row[0] for row in rows])
    value = np.array([row[1] for row in rows])
    given = np.array([np.nan if row[2] is None else row[2] for row in rows])

    # Steps from one channel to the next run backwards in time: they count as flat and hold no frame.
    span = np.diff(time)
    rises = span > 1e-9
    secant = np.where(rises, np.diff(value) / np.where(rises, span, 1.0), 0.0)
    span = np.where(rises, span, 1.0)
    left, right, left_span, right_span = secant[:-1], secant[1:], span[:-1], span[1:]
    first, second = 2 * right_span + left_span, right_span + 2 * left_span
    monotone = left * right > 0
    mean = (first + second) / (
        first / np.where(monotone, left, 1.0) + second / np.where(monotone, right, 1.0)  # weighted harmonic
    )
    slope = np.zeros(len(rows))
    slope[1:-1] = np.where(monotone, mean, 0.0)
    slope = np.where(np.isnan(given), slope, given)

    bounds = np.clip(np.ceil(time * fps - 1e-9), 0, frames).astype(np.int64)
    counts = np.maximum(np.diff(bounds), 0)
    index = np.repeat(np.arange(len(rows) - 1), counts)
    frame_times = np.tile(np.arange(frames) / fps, len(channels))
    width = span[index]
    u = (frame_times - time[index]) / width
    a, b = value[index], value[index + 1]
    m, n = slope[index] * width, slope[index + 1] * width
    series = a + u * (m + u * (3 * (b - a) - 2 * m - n + u * (2 * (a - b) + m + n)))
    return series.reshape(len(channels), frames)
