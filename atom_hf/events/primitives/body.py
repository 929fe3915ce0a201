"""Who moves: proportions and habits of a person, drawn by seed.

body = Body.sample(np.random.default_rng(0))
body.stand        # height of the pelvis when standing, metres
"""

from dataclasses import dataclass

import numpy as np

from ...motion.skeleton import MIRROR, T_POSE_OFFSETS, UNIFORM_BONE_LENGTHS

_LIMBS = ((1, 2), (4, 5), (7, 8), (10, 11), (3, 6, 9), (12, 15), (13, 14, 16, 17), (18, 19), (20, 21))


@dataclass(frozen=True)
class Body:
    """Proportions and habits of one person.

    Args:
        offsets (`np.ndarray`): rest pose `[22, 3]`, metres; left and right mirror each other.
        tempo (`float`): durations are divided by it.
        amplitude (`float`): large or small movements, about 1.
        stance (`float`): half the distance of the ankles when standing, metres.
        toe_out (`float`): degrees that each foot points outwards.
        lean (`float`): habitual bend of the trunk, degrees forward.
        arm_spread (`float`): degrees between a hanging arm and the body.
        elbow (`float`): bend of a hanging arm's elbow, degrees.
        handedness (`str`): side that is used where none is asked for.
    """

    offsets: np.ndarray
    tempo: float
    amplitude: float
    stance: float
    toe_out: float
    lean: float
    arm_spread: float
    elbow: float
    handedness: str

    @classmethod
    def sample(cls, rng: np.random.Generator) -> "Body":
        """A person at random.

        Args:
            rng (`np.random.Generator`): source of chance.

        Returns:
            [`Body`]: bone lengths within 10 % of HumanML3D's, left and right equal.
        """
        lengths = np.array(UNIFORM_BONE_LENGTHS)
        lengths = (lengths + lengths[list(MIRROR)]) / 2
        size = float(rng.uniform(0.94, 1.06))
        for limb in _LIMBS:
            lengths[list(limb)] *= size * rng.uniform(0.965, 1.035)
        directions = T_POSE_OFFSETS / np.maximum(np.linalg.norm(T_POSE_OFFSETS, axis=-1, keepdims=True), 1e-12)
        low, high = float(rng.random()), rng.random(8).tolist()
        return cls(
            offsets=directions * lengths[:, None],
            tempo=0.88 + 0.3 * low,
            amplitude=0.85 + 0.3 * high[0],
            stance=size * (0.085 + 0.035 * high[1]),
            toe_out=4 + 10 * high[2],
            lean=-2 + 7 * high[3],
            arm_spread=6 + 6 * high[4],
            elbow=12 + 14 * high[5],
            handedness="right" if high[6] < 0.8 else "left",
        )

    @property
    def thigh(self) -> float:
        """Length of a thigh, metres."""
        return float(np.linalg.norm(self.offsets[4]))

    @property
    def shin(self) -> float:
        """Length of a shin, metres."""
        return float(np.linalg.norm(self.offsets[7]))

    @property
    def leg(self) -> float:
        """Length of a straight leg from hip to ankle, metres."""
        return self.thigh + self.shin

    @property
    def upper_arm(self) -> float:
        """Length of an upper arm, metres."""
        return float(np.linalg.norm(self.offsets[18]))

    @property
    def forearm(self) -> float:
        """Length of a forearm, metres."""
        return float(np.linalg.norm(self.offsets[20]))

    @property
    def ankle(self) -> float:
        """Height of the ankle above the floor when the foot is flat, metres."""
        return float(-self.offsets[10, 1])

    @property
    def hip_drop(self) -> float:
        """Height of the pelvis above the hip joints, metres."""
        return float(-self.offsets[1, 1])

    @property
    def stand(self) -> float:
        """Height of the pelvis when standing at ease, metres."""
        return self.ankle + 0.988 * self.leg + self.hip_drop
