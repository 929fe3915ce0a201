"""Series over time: how fast they change, where a condition holds, where they turn back.

spans(height > 0.1)            →  [(12, 20), (31, 40)]: frames, the end exclusive
turning_points(height, 0.05)   →  [0, 16, 25, 36]: lows and highs in turn, at least 0.05 apart
"""

import numpy as np

from ..motion.layout import FPS
from ..motion.smoothing import gaussian_smooth


def smooth(x: np.ndarray, seconds: float) -> np.ndarray:
    """A series smoothed over time.

    Args:
        x (`np.ndarray`): a series `[T, ...]` at 20 fps, any unit.
        seconds (`float`): standard deviation of the Gaussian.

    Returns:
        `np.ndarray`: `[T, ...]`.
    """
    flat = x.reshape(len(x), -1).T
    return gaussian_smooth(np.ascontiguousarray(flat), seconds * FPS).T.reshape(x.shape)


def rate_of(x: np.ndarray) -> np.ndarray:
    """How fast a series changes: central differences.

    Args:
        x (`np.ndarray`): a series `[T, ...]` at 20 fps, T >= 2, any unit.

    Returns:
        `np.ndarray`: `[T, ...]`, unit per second.
    """
    rate = np.empty_like(x)
    rate[1:-1] = (x[2:] - x[:-2]) * (FPS / 2)
    rate[0], rate[-1] = (x[1] - x[0]) * FPS, (x[-1] - x[-2]) * FPS
    return rate


def spans(mask: np.ndarray, gap: int = 0, shortest: int = 1) -> list[tuple[int, int]]:
    """Stretches of frames where a condition holds.

    Args:
        mask (`np.ndarray`): booleans `[T]`.
        gap (`int`, *optional*, defaults to 0): interruptions of at most so many frames are bridged.
        shortest (`int`, *optional*, defaults to 1): shorter stretches are left out.

    Returns:
        `list[tuple[int, int]]`: start and end, the end exclusive.
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    found: list[tuple[int, int]] = []
    for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if found and start - found[-1][1] <= gap:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return [(start, end) for start, end in found if end - start >= shortest]


def stretch_around(mask: np.ndarray, frame: int) -> tuple[int, int]:
    """The stretch of frames where a condition holds that a frame lies in.

    Args:
        mask (`np.ndarray`): booleans `[T]`, true at `frame`.
        frame (`int`): any of the frames.

    Returns:
        `tuple[int, int]`: start and end, the end exclusive.
    """
    outside = np.flatnonzero(~mask)
    after = int(np.searchsorted(outside, frame))
    start = int(outside[after - 1]) + 1 if after else 0
    return start, int(outside[after]) if after < len(outside) else len(mask)


def turning_points(x: np.ndarray, swing: float) -> list[int]:
    """Frames where a series turns back: highs and lows in turn, at least `swing` apart in value.

    The first and the last extreme stand for the ends of the series, so that each pair of neighbours is one stroke.

    Args:
        x (`np.ndarray`): a series `[T]`.
        swing (`float`): smallest difference between neighbouring highs and lows, in the unit of `x`.

    Returns:
        `list[int]`: frames; empty where the series never moves by `swing`.
    """
    if float(np.ptp(x)) < swing:
        return []
    values = x.tolist()
    points: list[int] = []
    low = high = 0  # frames of the extremes since the last point
    rising: bool | None = None
    for frame, value in enumerate(values):
        if value > values[high]:
            high = frame
        if value < values[low]:
            low = frame
        if rising is not False and value <= values[high] - swing:
            points.append(high)
            rising, low = False, frame
        elif rising is not True and value >= values[low] + swing:
            points.append(low)
            rising, high = True, frame
        if rising:
            low = frame
        elif rising is False:
            high = frame
    if points:
        points.append(high if rising else low)
    return points
