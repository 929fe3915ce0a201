"""The 22-joint body of HumanML3D (the first 22 SMPL joints): names, hierarchy, proportions, left and right.

joints[t, JOINT_NAMES.index("left_knee")]  →  [x, y, z] in metres, Y up, the person's left towards +X when facing +Z
"""

from dataclasses import dataclass

import numpy as np

JOINT_NAMES: tuple[str, ...] = (
    "pelvis",
    "left_hip",
    "right_hip",
    "spine1",
    "left_knee",
    "right_knee",
    "spine2",
    "left_ankle",
    "right_ankle",
    "spine3",
    "left_foot",
    "right_foot",
    "neck",
    "left_collar",
    "right_collar",
    "head",
    "left_shoulder",
    "right_shoulder",
    "left_elbow",
    "right_elbow",
    "left_wrist",
    "right_wrist",
)
NUM_JOINTS = len(JOINT_NAMES)

PARENTS: tuple[int, ...] = (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19)

# Chains as HumanML3D walks them: right leg, left leg, spine and head, right arm, left arm.
CHAINS: tuple[tuple[int, ...], ...] = (
    (0, 2, 5, 8, 11),
    (0, 1, 4, 7, 10),
    (0, 3, 6, 9, 12, 15),
    (9, 14, 17, 19, 21),
    (9, 13, 16, 18, 20),
)

# Joint i of a mirrored person is joint MIRROR[i] of the original one.
MIRROR: tuple[int, ...] = tuple(
    JOINT_NAMES.index(
        name.replace("left", "right") if "left" in name else name.replace("right", "left")  # the middle keeps its name
    )
    for name in JOINT_NAMES
)

# Axis of every bone in HumanML3D's rest pose (index of the axis, sign); arms hang down, collars point sideways.
BONE_AXES: tuple[tuple[int, int], ...] = (
    (0, 0),
    (0, 1),
    (0, -1),
    (1, 1),
    (1, -1),
    (1, -1),
    (1, 1),
    (1, -1),
    (1, -1),
    (1, 1),
    (2, 1),
    (2, 1),
    (1, 1),
    (0, 1),
    (0, -1),
    (2, 1),
    *[(1, -1)] * 6,
)

# Bone lengths in metres of the skeleton that every HumanML3D clip is brought to (its reference clip, 000021).
UNIFORM_BONE_LENGTHS: tuple[float, ...] = (
    0.0,
    0.10307397,
    0.10988336,
    0.13156823,
    0.39362319,
    0.39018822,
    0.14319022,
    0.432433,
    0.4256434,
    0.05736474,
    0.14338179,
    0.14941905,
    0.21936005,
    0.13748679,
    0.14338281,
    0.10303921,
    0.13161396,
    0.12298439,
    0.25683989,
    0.26309186,
    0.26601182,
    0.26987629,
)

# Directions of the bones in a T-pose facing +Z, rounded figures of a standing adult; the right side mirrors the left.
_T_POSE_DIRECTIONS: dict[str, tuple[float, float, float]] = {
    "left_hip": (0.58, -0.80, -0.15),
    "spine1": (0.0, 0.96, -0.28),
    "left_knee": (0.10, -0.99, 0.02),
    "spine2": (0.0, 0.98, 0.19),
    "left_ankle": (-0.03, -1.0, -0.09),
    "spine3": (0.0, 1.0, 0.05),
    "left_foot": (0.20, -0.42, 0.88),
    "neck": (0.0, 0.99, -0.14),
    "left_collar": (0.52, 0.84, -0.14),
    "head": (0.0, 0.87, 0.49),
    "left_shoulder": (0.92, 0.36, -0.14),
    "left_elbow": (1.0, -0.04, -0.08),
    "left_wrist": (1.0, 0.03, -0.02),
}


def _uniform_offsets() -> np.ndarray:
    offsets = np.zeros((NUM_JOINTS, 3))
    for joint, ((axis, sign), length) in enumerate(zip(BONE_AXES, UNIFORM_BONE_LENGTHS, strict=True)):
        offsets[joint, axis] = sign * length
    return offsets


def _t_pose_offsets() -> np.ndarray:
    offsets = np.zeros((NUM_JOINTS, 3))
    for name, direction in _T_POSE_DIRECTIONS.items():
        joint = JOINT_NAMES.index(name)
        offsets[joint] = direction
        offsets[MIRROR[joint]] = np.multiply(direction, (-1, 1, 1) if MIRROR[joint] != joint else 1)
    norms = np.linalg.norm(offsets, axis=-1, keepdims=True)
    return offsets / np.maximum(norms, 1e-12) * np.array(UNIFORM_BONE_LENGTHS)[:, None]


# Offset of each joint from its parent, [22, 3] in metres, with HumanML3D's bone lengths: its axis-aligned rest pose
# (the meaning of the 6D rotations in features), and a T-pose (the rest pose of files for animators and of SMPL-like
# bodies).
UNIFORM_OFFSETS: np.ndarray = _uniform_offsets()
T_POSE_OFFSETS: np.ndarray = _t_pose_offsets()
for _table in (UNIFORM_OFFSETS, T_POSE_OFFSETS):
    _table.setflags(write=False)


@dataclass(frozen=True)
class Skeleton:
    """A hierarchy of named joints with a rest pose, as motion files of any origin carry it.

    Args:
        names (`tuple[str, ...]`): one name per joint, without repetition.
        parents (`tuple[int, ...]`): index of each joint's parent; -1 for the root, which comes first; parents come
            before their children, so a cycle cannot be written down.
        offsets (`np.ndarray`): offset of each joint from its parent in the rest pose, shape `[J, 3]`, metres unless
            the reader that made it says otherwise.

    Raises:
        ValueError: if lengths differ, a name occurs twice, or a parent does not come before its child.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    offsets: np.ndarray

    def __post_init__(self) -> None:
        count = len(self.names)
        if len(self.parents) != count or np.shape(self.offsets) != (count, 3):
            raise ValueError(
                f"A skeleton needs as many parents and offsets as names: expected {count} parents and offsets of "
                f"shape ({count}, 3), got {len(self.parents)} and {np.shape(self.offsets)}."
            )
        repeated = sorted({name for name in self.names if self.names.count(name) > 1})
        if repeated:
            raise ValueError(f"Joint names must differ, but these occur more than once: {', '.join(repeated)}.")
        for joint, parent in enumerate(self.parents):
            if (parent != -1) if joint == 0 else not 0 <= parent < joint:
                raise ValueError(
                    f"Joint {joint} ({self.names[joint]!r}) has parent {parent}; expected -1 for the root at index 0 "
                    f"and otherwise an earlier joint. Reorder the joints from the root outwards."
                )


SMPL_SKELETON = Skeleton(JOINT_NAMES, PARENTS, T_POSE_OFFSETS)
