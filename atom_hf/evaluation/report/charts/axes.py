"""Scales and their ticks: round numbers, linear or logarithmic.

scale = linear_scale(0.0, 0.93, 60, 460)
scale.ticks, scale(0.5)      # [0.0, 0.2, …, 1.0], 260.0
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """Numbers to places.

    Args:
        low (`float`): number at `start`.
        high (`float`): number at `end`.
        start (`float`): place.
        end (`float`): place.
        ticks (`list[float]`): round numbers between `low` and `high`.
        log (`bool`, *optional*, defaults to `False`): logarithmic.
    """

    low: float
    high: float
    start: float
    end: float
    ticks: list[float]
    log: bool = False

    def __call__(self, value: float) -> float:
        low, high = (math.log(self.low), math.log(self.high)) if self.log else (self.low, self.high)
        value = math.log(value) if self.log else value
        return self.start + (value - low) / (high - low) * (self.end - self.start)

    def labels(self) -> list[str]:
        """The ticks as text, all with the same decimals unless the scale is logarithmic."""
        if self.log or max(map(abs, self.ticks)) >= 1e5 or self.high - self.low < 1e-4:
            return [f"{tick:.6g}".replace("e-0", "e-").replace("e+0", "e").replace("-", "−") for tick in self.ticks]
        step = self.ticks[1] - self.ticks[0] if len(self.ticks) > 1 else 1.0
        digits = max(0, -math.floor(math.log10(step) + 1e-9))
        return [f"{0.0 if abs(tick) < step / 1e6 else tick:.{digits}f}".replace("-", "−") for tick in self.ticks]


def linear_scale(low: float, high: float, start: float, end: float, count: int = 5) -> Scale:
    """A scale that begins and ends at round numbers.

    Args:
        low (`float`): least number it has to show.
        high (`float`): greatest one.
        start (`float`): place of the low end.
        end (`float`): place of the high end.
        count (`int`, *optional*, defaults to 5): about how many ticks.

    Returns:
        [`Scale`]: with ticks at multiples of 1, 2 or 5 times a power of ten.
    """
    middle = max(abs(low), abs(high))
    if high - low <= middle * 1e-9:  # one number only
        low, high = low - (middle / 2 or 0.5), high + (middle / 2 or 0.5)
    rough = (high - low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    first, last = math.floor(low / step + 1e-6), math.ceil(high / step - 1e-6)
    ticks = [i * step for i in range(first, last + 1)]
    return Scale(ticks[0], ticks[-1], start, end, ticks)


def log_scale(low: float, high: float, start: float, end: float) -> Scale:
    """A logarithmic scale.

    Args:
        low (`float`): least number it has to show, above zero.
        high (`float`): greatest one.
        start (`float`): place of the low end.
        end (`float`): place of the high end.

    Returns:
        [`Scale`]: with ticks at powers of ten, and at 2 and 5 times them where those are few.
    """
    first, last = math.floor(math.log10(low) + 1e-9), math.ceil(math.log10(high) - 1e-9)
    if last - first <= 2:
        ticks = [factor * 10.0**power for power in range(first, last + 1) for factor in (1, 2, 5)]
    else:
        skip = -(-(last - first) // 6)
        ticks = [10.0**power for power in range(first, last + skip, skip)]
    below = [tick for tick in ticks if tick <= low * (1 + 1e-9)][-1]
    above = next((tick for tick in ticks if tick >= high * (1 - 1e-9) and tick > below), ticks[-1])
    kept = [tick for tick in ticks if below <= tick <= above]
    if len(kept) < 2:  # one power of ten exactly
        kept = [below, below * 10]
    return Scale(kept[0], kept[-1], start, end, kept, log=True)


def finite(values: Iterable[float | None]) -> list[float]:
    """Those of some numbers that are numbers.

    Args:
        values (`Iterable[float]`): may hold NaN, infinities and `None`.

    Returns:
        `list[float]`: the finite ones.
    """
    return [float(value) for value in values if value is not None and math.isfinite(value)]
