"""How far joints are from where they should be: the mean per joint position error (MPJPE) of pose estimation.

joint_error(reconstructed, original)  →  JointError(root_relative=24.1, world=61.0), millimetres
"""

from typing import NamedTuple

import numpy as np

from ..motion.checks import check_joints


class JointError(NamedTuple):
    """Mean distances of joints.

    Args:
        root_relative (`float`): millimetres, with the pelvis of both motions at the origin in every frame.
        world (`float`): millimetres, as the motions stand; drift of the root counts.
    """

    root_relative: float
    world: float


def joint_error(joints: np.ndarray, reference: np.ndarray) -> JointError:
    """Mean distance of the joints of one motion from those of another (MPJPE).

    Args:
        joints (`np.ndarray`): `[T, 22, 3]`, metres.
        reference (`np.ndarray`): `[T, 22, 3]`, metres.

    Returns:
        [`JointError`]: root-relative and in the world, millimetres.

    Raises:
        TypeError: if one is no floating-point array.
        ValueError: if the shapes differ or a value is not finite.
    """
    check_joints(joints)
    check_joints(reference)
    if joints.shape != reference.shape:
        raise ValueError(
            f"Expected two motions of the same frames, got {list(joints.shape)} and {list(reference.shape)}."
        )
    relative = (joints - joints[:, :1]) - (reference - reference[:, :1])
    return JointError(_millimetres(relative), _millimetres(joints - reference))


def _millimetres(difference: np.ndarray) -> float:
    return float(np.linalg.norm(difference.astype(np.float64), axis=-1).mean() * 1000)
