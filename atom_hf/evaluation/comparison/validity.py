"""How much of a system's output is motion, with an interval that knows which outputs answer the same prompt.

validity(system).share  →  Interval(value=0.97, low=0.94, high=0.99)
"""

from collections import Counter

import numpy as np

from ..bootstrap import Interval, bootstrap_mean
from ..proportion import wilson_interval
from ..valid_share import valid_share
from .result import Validity
from .systems import System


def validity(system: System, seed: int = 0) -> Validity:
    """The share of valid outputs.

    Args:
        system ([`System`]): with what was left out.
        seed (`int`, *optional*, defaults to 0): of the bootstrap.

    Returns:
        [`Validity`]: share, outputs, causes.
    """
    found = valid_share([clip.motion.joints for clip in system.clips])
    valid = np.array([*found.valid, *(False for _ in system.left_out)])
    causes = Counter(found.causes) + Counter(item.cause for item in system.left_out)
    return Validity(_share(valid, _answered(system), seed), len(valid), dict(causes.most_common()))


def several_outputs(system: System) -> bool:
    """Whether several outputs answer the same prompt, and so resemble each other.

    Args:
        system ([`System`]): with what was left out.

    Returns:
        `bool`: True if they do.
    """
    return max(Counter(_answered(system)).values()) > 1


def _answered(system: System) -> list[str]:
    """The prompt of each output; one whose prompt is not known stands for itself."""
    return [*(f"{clip.prompt}" for clip in system.clips), *(item.prompt or f"\0{item.id}" for item in system.left_out)]


def _share(valid: np.ndarray, prompts: list[str], seed: int) -> Interval:
    count, outputs, distinct = int(valid.sum()), len(valid), len(set(prompts))
    if distinct == outputs:
        return Interval(count / outputs, *wilson_interval(count, outputs))
    if count in (0, outputs):  # drawing again would always give the same, as if nothing else could happen
        return Interval(count / outputs, *wilson_interval(distinct if count else 0, distinct))
    return bootstrap_mean(valid.astype(float), prompts, seed=seed)
