"""What a motion is: skeleton, rotations, kinematics, HumanML3D features, codes, and the files it comes in."""

from .codes import ParsedCodes, codes_to_text, text_to_codes
from .features import features_to_joints, joints_to_features
from .foot_locking import lock_feet
from .formats import (
    Caption,
    HumanML3DClip,
    MotionFormatError,
    Skipped,
    load_motion,
    read_captions,
    read_humanml3d,
    write_humanml3d,
)
from .kinematics import InverseKinematics, forward_kinematics, inverse_kinematics
from .mirror import mirror_features, mirror_joints, mirror_text
from .motion import Motion
from .normalization import MotionStats
from .resample import bone_length_deviation, resample_joints
from .retarget import face_forward, to_floor, to_origin, to_uniform_skeleton
from .skeleton import JOINT_NAMES, PARENTS, SMPL_SKELETON, T_POSE_OFFSETS, UNIFORM_OFFSETS, Skeleton

__all__ = [
    "JOINT_NAMES",
    "PARENTS",
    "SMPL_SKELETON",
    "T_POSE_OFFSETS",
    "UNIFORM_OFFSETS",
    "Caption",
    "HumanML3DClip",
    "InverseKinematics",
    "Motion",
    "MotionFormatError",
    "MotionStats",
    "ParsedCodes",
    "Skeleton",
    "Skipped",
    "bone_length_deviation",
    "codes_to_text",
    "face_forward",
    "features_to_joints",
    "forward_kinematics",
    "inverse_kinematics",
    "joints_to_features",
    "load_motion",
    "lock_feet",
    "mirror_features",
    "mirror_joints",
    "mirror_text",
    "read_captions",
    "read_humanml3d",
    "resample_joints",
    "text_to_codes",
    "to_floor",
    "to_origin",
    "to_uniform_skeleton",
    "write_humanml3d",
]
