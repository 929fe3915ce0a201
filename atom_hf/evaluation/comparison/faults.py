"""Why measures cannot take a motion, finite as it is: too short, too long, or not of this world.

fault_of(motion)  →  Fault("not plausible: coordinates", "coordinates up to 1.7e+04 m, …") or None
"""

from typing import NamedTuple

import numpy as np

from ...motion import Motion
from ...motion.layout import FPS

LEAST_FRAMES = 5  # of joints: features have one frame less, and an evaluator needs 4 of them
MOST_FRAMES = 12_000  # at 20 fps, 10 minutes: one longer clip would hold up all the others in a batch
SLOWEST, FASTEST = 1.0, 1000.0  # frames per second
FARTHEST = 1000.0  # metres: a diverged clip would be all that a mean shows


class Fault(NamedTuple):
    """What is wrong with a motion.

    Args:
        cause (`str`): the kind of fault, such as `"too short"`.
        reason (`str`): the fault itself.
    """

    cause: str
    reason: str


def fault_of(motion: Motion | None) -> Fault | None:
    """Why measures cannot take a motion.

    Args:
        motion ([`Motion`], *optional*): at any frame rate; only at 20 fps it can be too short. None where a system
            answered with nothing.

    Returns:
        [`Fault`] or `None`: None where nothing is wrong.
    """
    if motion is None or (motion.codes is not None and len(motion.codes) == 0):
        return Fault("nothing", "the model wrote no motion")
    if not SLOWEST <= motion.fps <= FASTEST:
        return Fault("frame rate", f"{motion.fps:g} fps; {SLOWEST:g} to {FASTEST:g} are possible.")
    if len(motion) * FPS / motion.fps > MOST_FRAMES:
        seconds, most = len(motion) / motion.fps, MOST_FRAMES / FPS
        return Fault("too long", f"{len(motion)} frames, {seconds:.0f} s; at most {most:g} s are measured.")
    frames = len(motion) if motion.features is None else len(motion.features) + 1
    if motion.fps == FPS and frames < LEAST_FRAMES:
        return Fault("too short", f"{len(motion)} frames; at least {LEAST_FRAMES} are needed.")
    far = float(np.abs(motion.joints).max())
    if motion.features is not None:
        far = max(far, float(np.abs(motion.features).max(initial=0.0)))
    if far > FARTHEST:
        reason = f"coordinates up to {far:.3g} m, and nobody is further off than 1 km; expected metres."
        return Fault("not plausible: coordinates", reason)
    return None


def fps_fault(fps: float) -> str | None:
    """Why a number is no frame rate of motion.

    Args:
        fps (`float`): frames per second.

    Returns:
        `str` or `None`: such as `"expected 1 to 1000 fps, got 0"`.
    """
    return None if SLOWEST <= fps <= FASTEST else f"expected {SLOWEST:g} to {FASTEST:g} fps, got {fps:g}"
