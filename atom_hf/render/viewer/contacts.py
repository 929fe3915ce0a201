"""When a foot stands on the floor: low and slow."""

import numpy as np

from ...motion.skeleton import JOINT_NAMES

LEFT, RIGHT = 1, 2  # bits
_FEET = [JOINT_NAMES.index(name) for name in ("left_foot", "right_foot")]
_HEIGHT = 0.05  # metres above the lowest of the two feet in the clip; a swinging foot is hardly higher
_SPEED = 0.6  # metres per second along the floor; a swinging foot is twice as fast
_SOLE = 0.03  # metres from a standing foot's joint to the floor


def foot_contacts(joints: np.ndarray, fps: float) -> np.ndarray:
    """Which feet stand on the floor.

    Args:
        joints (`np.ndarray`): positions `[T, 22, 3]` in metres over a floor at y = 0.
        fps (`float`): frames per second.

    Returns:
        `np.ndarray`: bits per frame, uint8 `[T]`: 1 left, 2 right. A foot stands where its joint is less than 5 cm
            above where it is when the sole is flat, and goes along the floor at less than 0.6 m/s.
    """
    feet = joints[:, _FEET]
    low = feet[..., 1] < _SOLE + _HEIGHT
    if len(feet) > 1:
        velocity = np.gradient(feet[..., [0, 2]].astype(np.float64), 1 / fps, axis=0)
        low = low & (np.linalg.norm(velocity, axis=-1) < _SPEED)
    bits: np.ndarray = low[:, 0] * np.uint8(LEFT) + low[:, 1] * np.uint8(RIGHT)
    return bits.astype(np.uint8)
