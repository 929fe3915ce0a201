"""A motion as GLB: the figure of the pictures, rigged and animated.

report = write_glb(motion, "walk.glb")
report.residual_mean, report.residual_max      # 2.1, 14.0: millimetres between the motion's joints and the file's
"""

from pathlib import Path

import numpy as np

from ...motion import Motion
from ...motion.foot_locking import lock_feet as locked
from ...motion.formats.files import replacing
from ...motion.kinematics import inverse_kinematics
from ...motion.skeleton import JOINT_NAMES, PARENTS
from ..body import head_tilt
from ..export_report import ExportReport
from .figure import figure
from .rig import Rig, rig_extras, rig_glb


def write_glb(motion: Motion, path: str | Path, *, floor: bool = True, lock_feet: bool = False) -> ExportReport:
    """Write a motion as GLB: a figure of capsules with skin, skeleton and one animation, at the motion's frame rate.

    Joints have their SMPL names, and the rest pose is a T-pose with the clip's mean bone lengths. Left arm and leg are
    blue, the right ones orange, and the head has a nose. Without playing it, viewers show the first frame. The scene's
    extras hold prompt, frame rate, number of frames and the residual.

    Args:
        motion ([`Motion`]): the clip.
        path (`str` or `Path`): the `.glb` file; it appears whole or not at all, an old one is replaced.
        floor (`bool`, *optional*, defaults to `True`): add a chequered floor, 3 cm below the lowest joint.
        lock_feet (`bool`, *optional*, defaults to `False`): keep standing feet from sliding first, see
            [`~motion.foot_locking.lock_feet`].

    Returns:
        [`ExportReport`]: how far the file's joints are from the motion's.

    Raises:
        ValueError: if a bone has no length in the whole clip.
    """
    data, report = _build(motion, Path(path), floor, lock_feet)
    with replacing(path) as temporary:
        temporary.write_bytes(data)
    return report


def glb_bytes(motion: Motion, *, floor: bool = True, lock_feet: bool = False) -> bytes:
    """What `write_glb` writes, for viewers that take it from memory.

    Args:
        motion ([`Motion`]): the clip.
        floor (`bool`, *optional*, defaults to `True`): add a floor.
        lock_feet (`bool`, *optional*, defaults to `False`): keep standing feet from sliding first.

    Returns:
        `bytes`: the file.

    Raises:
        ValueError: if a bone has no length in the whole clip.
    """
    return _build(motion, Path("motion.glb"), floor, lock_feet)[0]


def figure_rig(motion: Motion) -> tuple[Rig, np.ndarray]:
    """The figure as a rig in motion.

    Args:
        motion ([`Motion`]): the clip.

    Returns:
        `tuple[Rig, np.ndarray]`: the rig, and the distance between its joints and the motion's, `[T, 22]` in metres.

    Raises:
        ValueError: if a bone has no length in the whole clip.
    """
    solved = inverse_kinematics(motion.joints.astype(np.float64))
    bare = Rig(JOINT_NAMES, PARENTS, solved.offsets, solved.rotations, solved.root_positions, motion.fps, [])
    return bare._replace(pieces=figure(bare.rest(), head_tilt(motion.joints))), solved.residual


def _build(motion: Motion, path: Path, floor: bool, lock_feet: bool) -> tuple[bytes, ExportReport]:
    shown = locked(motion) if lock_feet else motion
    rig, residual = figure_rig(shown)
    if lock_feet:  # what the user gave is what counts
        residual = residual + np.linalg.norm(shown.joints - motion.joints, axis=-1)
    report = ExportReport.of(path, motion, residual)
    ground = shown.joints.astype(np.float64) if floor else None
    return rig_glb(rig, text=motion.text, extras=rig_extras(motion, report), ground=ground), report
