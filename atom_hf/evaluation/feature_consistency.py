"""Whether the parts of HumanML3D features tell the same story, which nothing forces a model to make them do.

feature_consistency(features)  →  FeatureConsistency(velocity=0.4, rotation=1.2, contact=0.01)
"""

from typing import NamedTuple

import numpy as np

from ..motion import features_to_joints
from ..motion.arrays import Array, numpy_double
from ..motion.checks import check_features
from ..motion.features import CONTACT_THRESHOLD
from ..motion.layout import CONTACT_JOINTS, CONTACTS, FPS, VELOCITIES, YAW_RATE
from ..motion.rotation import yaw_apply


class FeatureConsistency(NamedTuple):
    """How well the parts of HumanML3D features agree with each other; about 0 for features of a real clip.

    Only where a real clip's heading passes -Z does HumanML3D's own yaw rate change its sign, and then they disagree.

    A model writes positions, rotations, velocities and contacts side by side and nothing forces them to tell the same
    story; an evaluator that reads all of them can reward one that looks right in the numbers and wrong on the screen.

    Args:
        velocity (`float`, *optional*): mean difference of the velocities (dimensions 193 to 258) from the differences
            of the positions, cm/s; lower is better. None for a single frame.
        rotation (`float`): mean distance of the joints posed by the rotations from the positions, mm; lower is better.
        contact (`float`, *optional*): share of the contacts, 0 to 1, that the positions contradict; lower is better.
            None for a single frame.
    """

    velocity: float | None
    rotation: float
    contact: float | None


def feature_consistency(features: Array) -> FeatureConsistency:
    """Whether velocities, rotations and contacts of HumanML3D features belong to their positions.

    Args:
        features (`Array`): not normalised, `[T, 263]`, numpy or torch; metres and radians at 20 fps.

    Returns:
        [`FeatureConsistency`]: cm/s, mm and a share.

    Raises:
        TypeError: if the features are no floating-point array.
        ValueError: if the shape is another one or a value is not finite.
    """
    check_features(features)
    rows = numpy_double(features)
    if rows.ndim != 2:
        raise ValueError(f"Expected the features of one clip, [T, 263], got {list(rows.shape)}.")
    joints = features_to_joints(rows)
    posed = features_to_joints(rows, source="rotations")
    rotation = float(np.linalg.norm(posed - joints, axis=-1).mean() * 1000)
    if len(rows) < 2:
        return FeatureConsistency(None, rotation, None)
    moves = np.diff(joints, axis=0)
    angle = np.concatenate([[0.0], np.cumsum(rows[:-2, YAW_RATE][:, 0])])[:, None]
    x, z = yaw_apply((np.cos(angle), np.sin(angle)), moves[..., 0], moves[..., 2])
    written = rows[:-1, VELOCITIES].reshape(-1, 22, 3)
    velocity = np.linalg.norm(np.stack([x, moves[..., 1], z], axis=-1) - written, axis=-1).mean() * FPS * 100
    still = (moves[:, CONTACT_JOINTS] ** 2).sum(axis=-1) < CONTACT_THRESHOLD
    contact = (still != (rows[:-1, CONTACTS] > 0.5)).mean()
    return FeatureConsistency(float(velocity), rotation, float(contact))
