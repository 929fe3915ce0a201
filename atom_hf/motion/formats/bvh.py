"""BVH, the text format of motion capture: a tree of joints (HIERARCHY) and a line of channel values a frame (MOTION).

motion = read_bvh("walk.bvh")                # any rig → our 22 joints in metres, Y up
write_bvh(motion, "walk_smpl.bvh")           # SMPL joint names, T-pose rig, centimetres
parse_bvh("walk.bvh").positions()            # the rig as it is, [T, J, 3] in the file's unit
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..kinematics import forward_kinematics, inverse_kinematics
from ..motion import Motion
from ..rotation import euler_to_matrix, matrix_to_euler
from ..skeleton import JOINT_NAMES, PARENTS, Skeleton
from .bvh_text import read_hierarchy, read_motion
from .files import MAX_FRAMES, MotionFormatError, read_text, replacing
from .joint_maps import END_SITE, JointMap, joints_from_named

_MAX_POSITIONS = 2**25  # frames times joints: 0.8 GB of positions
_CHUNK_FRAMES = 2048  # frames posed at once, so that long files take little memory

# Metres in the units that files come in (CMU's is an inch divided by 0.45), and the legs that a person may have.
_UNITS = (1.0, 0.01, 0.001, 0.0254 / 0.45, 0.0254)
_LEGS = (0.45, 1.25)  # hip to ankle, metres
_TYPICAL_LEG = 0.82

_ORDER = "ZXY"  # of the rotations that are written
_CENTIMETRES = 100.0
# Where the leaves of the tree end in the T-pose, metres: top of the head, tips of toes and fingers.
_LEAVES = {
    "head": (0.0, 0.18, 0.0),
    "left_foot": (0.0, 0.0, 0.07),
    "right_foot": (0.0, 0.0, 0.07),
    "left_wrist": (0.17, 0.0, 0.0),
    "right_wrist": (-0.17, 0.0, 0.0),
}


@dataclass(frozen=True, eq=False)
class BVH:
    """A BVH file as it is: nothing scaled, turned or renamed.

    Args:
        skeleton (`Skeleton`): J joints in the file's order; offsets in the file's unit.
        channels (`tuple[tuple[str, ...], ...]`): each joint's channels, such as `"Zrotation"`, in their order.
        values (`np.ndarray`): channel values `[T, C]`, joint after joint, in degrees and the file's unit.
        fps (`float`): frames per second.
        end_sites (`dict[str, np.ndarray]`): name of a joint → offset `[3]` of its end site, in the file's unit.
    """

    skeleton: Skeleton
    channels: tuple[tuple[str, ...], ...]
    values: np.ndarray
    fps: float
    end_sites: dict[str, np.ndarray]

    def positions(self, end_sites: bool = False) -> np.ndarray:
        """Positions of all joints; a position channel takes the place of that component of its joint's offset.

        Args:
            end_sites (`bool`, *optional*, defaults to `False`): add the E end sites, in the order of `self.end_sites`.

        Returns:
            `np.ndarray`: `[T, J, 3]` or `[T, J + E, 3]` in the file's unit and axes.
        """
        starts = range(0, len(self.values), _CHUNK_FRAMES)
        return np.concatenate([self._pose(self.values[i : i + _CHUNK_FRAMES], end_sites) for i in starts])

    def rest_positions(self, end_sites: bool = False) -> np.ndarray:
        """Positions of all joints without rotation, with the root at the origin.

        Args:
            end_sites (`bool`, *optional*, defaults to `False`): add the E end sites, in the order of `self.end_sites`.

        Returns:
            `np.ndarray`: `[J, 3]` or `[J + E, 3]` in the file's unit and axes.
        """
        return self._pose(None, end_sites)[0]

    def _pose(self, values: np.ndarray | None, end_sites: bool) -> np.ndarray:
        """Positions for channel values `[t, C]`, or of the rest pose as one frame."""
        leaves = self.end_sites if end_sites else {}
        parents = self.skeleton.parents + tuple(self.skeleton.names.index(name) for name in leaves)
        offsets = np.concatenate([self.skeleton.offsets, *(offset[None] for offset in leaves.values())])
        if values is None:
            rotations = np.tile(np.eye(3), (1, len(parents), 1, 1))
            return forward_kinematics(rotations, np.zeros((1, 3)), offsets, parents)
        offsets = np.tile(offsets, (len(values), 1, 1))
        rotations = np.tile(np.eye(3), (len(values), len(parents), 1, 1))
        orders: dict[str, list[tuple[int, list[int]]]] = {}  # order of rotation → joints with their columns
        column = 0
        for joint, channels in enumerate(self.channels):
            turns = [i for i, channel in enumerate(channels) if channel.endswith("rotation")]
            order = "".join(channels[i][0] for i in turns)
            orders.setdefault(order, []).append((joint, [column + i for i in turns]))
            for i, channel in enumerate(channels):
                if channel.endswith("position"):
                    offsets[:, joint, "XYZ".index(channel[0])] = values[:, column + i]
            column += len(channels)
        for order, members in orders.items():
            if order:
                angles = np.radians(values[:, np.array([columns for _, columns in members])])
                rotations[:, [joint for joint, _ in members]] = euler_to_matrix(angles, order)
        return forward_kinematics(rotations, offsets[:, 0], offsets, parents)


def read_bvh(
    path: str | Path, joint_map: JointMap | None = None, scale: float | None = None, up: str | None = None
) -> Motion:
    """A motion from a BVH file of any rig.

    Joints are found by their names, see [`joints_from_named`]. The unit is guessed from the legs, hip to ankle: the
    first of metres, centimetres, millimetres, CMU's unit (0.0564 m) and inches in which they measure 0.45 to 1.25 m;
    if none fits, the body is scaled to legs of 0.82 m. Pass `scale` for small children, giants and animals, and where
    exact sizes matter. Y is taken as up where the rest pose stands along Y; otherwise Y or Z, along whichever the body
    is more upright on average over the clip. Pass `up` where that fails, as for someone who lies all the time.

    Args:
        path (`str` or `Path`): the file.
        joint_map (`Mapping[str, str | Sequence[str]]`, *optional*): our joint's name → its name in the file (or
            several, the first one present counts), for other rigs; `"X End Site"` is the end site of joint X.
        scale (`float`, *optional*): metres in one unit of the file; guessed if not given.
        up (`str`, *optional*): the file's vertical axis, `"y"` or `"z"`; guessed if not given.

    Returns:
        [`Motion`]: joints `[T, 22, 3]` in metres, Y up, at the file's frame rate.

    Raises:
        MotionFormatError: if the file is absent, no BVH, broken or truncated (the line is named), or lacks joints.
        ValueError: if `scale` is not a finite number above zero, or `up` another letter.
    """
    if scale is not None and not (math.isfinite(scale) and scale > 0):
        raise ValueError(f"scale is metres per unit of the file, a finite number above zero, got {scale}.")
    if up is not None and up.lower() not in ("y", "z"):
        raise ValueError(f"up is the file's vertical axis, 'y' or 'z', got {up!r}.")
    bvh = parse_bvh(path)
    names = [*bvh.skeleton.names, *(name + END_SITE for name in bvh.end_sites)]
    try:
        joints = joints_from_named(names, bvh.positions(end_sites=True), joint_map)
        rest = joints_from_named(names, bvh.rest_positions(end_sites=True)[None], joint_map)
    except ValueError as error:
        raise MotionFormatError(path, str(error)) from error
    if up.lower() == "z" if up else _z_is_up(joints, rest[0]):
        joints = np.stack([joints[..., 0], joints[..., 2], -joints[..., 1]], axis=-1)
    if scale is None:
        scale = _guess_scale(path, joints)
    return Motion((joints * scale).astype(np.float32), fps=bvh.fps)


def _z_is_up(joints: np.ndarray, rest: np.ndarray) -> bool:
    """Whether Z is up for joints `[T, 22, 3]` and the rest pose `[22, 3]`, in the file's axes.

    The rest pose alone does not tell: some rigs have all bones along X, others are set upright by the root's rotation.
    """
    pelvis, head, left, right = (JOINT_NAMES.index(name) for name in ("pelvis", "head", "left_ankle", "right_ankle"))
    trunk, legs = rest[head] - rest[pelvis], rest[pelvis] - (rest[left] + rest[right]) / 2
    if all(bone[1] > np.linalg.norm(bone) / 2 for bone in (trunk, legs)):
        return False
    upright = (joints[:, head] - (joints[:, left] + joints[:, right]) / 2).mean(axis=0)
    return bool(upright[2] > abs(upright[1]))


def _guess_scale(path: str | Path, joints: np.ndarray) -> float:
    """Metres per unit, from the length of the legs."""
    hips, knees, ankles = (
        joints[:, [JOINT_NAMES.index(f"{side}_{part}") for side in ("left", "right")]]
        for part in ("hip", "knee", "ankle")
    )
    legs = np.linalg.norm(hips - knees, axis=-1) + np.linalg.norm(knees - ankles, axis=-1)
    length = float(legs.mean())
    if not length > 1e-9:
        raise MotionFormatError(path, "the legs have no length to guess the unit from; pass scale (metres per unit).")
    return next((unit for unit in _UNITS if _LEGS[0] <= unit * length <= _LEGS[1]), _TYPICAL_LEG / length)


def parse_bvh(path: str | Path) -> BVH:
    """The contents of a BVH file, checked but not changed.

    Args:
        path (`str` or `Path`): the file.

    Returns:
        [`BVH`]: hierarchy, channel values `[T, C]` and frame rate, in the file's unit and axes.

    Raises:
        MotionFormatError: if the file is absent, no BVH, broken or truncated; the line is named.
    """
    text = read_text(path).replace("\r\n", "\n").replace("\r", "\n")
    count = text.count("\n")
    if count > 2 * MAX_FRAMES:
        raise MotionFormatError(path, f"expected at most {MAX_FRAMES} frames, but the file has {count} lines.")
    lines = text.split("\n")
    blocks, motion_line = read_hierarchy(path, lines)
    joints = [block for block in blocks if block.index >= 0]
    skeleton = Skeleton(
        tuple(joint.name for joint in joints),
        tuple(joint.parent for joint in joints),
        np.array([joint.offset for joint in joints]),
    )
    end_sites = {joints[block.parent].name: np.array(block.offset) for block in blocks if block.index < 0}
    columns = [(joint.name, channel) for joint in joints for channel in joint.channels or ()]
    values, fps = read_motion(path, lines, motion_line, columns)
    if len(values) * (len(joints) + len(end_sites)) > _MAX_POSITIONS:
        problem = f"{len(values)} frames of {len(joints)} joints are too much for one motion"
        raise MotionFormatError(path, f"{problem}; cut the file into pieces.")
    return BVH(skeleton, tuple(joint.channels or () for joint in joints), values, fps, end_sites)


def write_bvh(motion: Motion, path: str | Path) -> None:
    """Write a motion as BVH: the 22 joints under their SMPL names, a T-pose rig, centimetres, Y up.

    Rotations come from [`inverse_kinematics`], so bones have their mean lengths over the clip. Euler angles (order Z,
    X, Y) go on without jumps. The file appears whole or not at all.

    Args:
        motion ([`Motion`]): the clip; its first frame is the file's first.
        path (`str` or `Path`): the file; missing folders are made, an existing file is replaced.

    Raises:
        ValueError: if a bone has no length in the whole clip.
    """
    found = inverse_kinematics(np.asarray(motion.joints, dtype=np.float64))
    lines, order = _hierarchy_lines(found.offsets)
    angles = np.degrees(_continuous(matrix_to_euler(found.rotations, _ORDER)))[:, order]
    values = np.concatenate([found.root_positions * _CENTIMETRES, angles.reshape(len(angles), -1)], axis=1)
    values = np.round(values, 5) + 0.0  # no minus zero
    row = " ".join(["%.5f"] * values.shape[1])
    lines += ["MOTION", f"Frames: {len(values)}", f"Frame Time: {1 / motion.fps!r}"]
    lines += [row % tuple(frame) for frame in values.tolist()]
    with replacing(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="ascii", newline="\n")


def _hierarchy_lines(offsets: np.ndarray) -> tuple[list[str], list[int]]:
    """Lines up to MOTION for offsets `[22, 3]` in metres, and the joints in the order of their channels."""

    def offset_line(tab: str, offset: np.ndarray) -> str:
        return tab + "\tOFFSET {:.5f} {:.5f} {:.5f}".format(*(np.round(offset * _CENTIMETRES, 5) + 0.0))

    lines, order = ["HIERARCHY"], []
    turns = " ".join(f"{letter}rotation" for letter in _ORDER)

    def add(joint: int, tab: str) -> None:
        order.append(joint)
        channels = f"3 {turns}" if joint else f"6 Xposition Yposition Zposition {turns}"
        lines.extend([f"{tab}{'JOINT' if joint else 'ROOT'} {JOINT_NAMES[joint]}", tab + "{"])
        lines.extend([offset_line(tab, offsets[joint]), f"{tab}\tCHANNELS {channels}"])
        for child in range(len(PARENTS)):
            if PARENTS[child] == joint:
                add(child, tab + "\t")
        if JOINT_NAMES[joint] in _LEAVES:
            end = offset_line(tab + "\t", np.array(_LEAVES[JOINT_NAMES[joint]]))
            lines.extend([tab + "\tEnd Site", tab + "\t{", end, tab + "\t}"])
        lines.append(tab + "}")

    add(0, "")
    return lines, order


def _continuous(angles: np.ndarray) -> np.ndarray:
    """The same rotations with Euler angles `[T, J, 3]` (Z, X, Y, radians) as near to the frame before as can be.

    (a, b, c) and (a + pi, pi - b, c + pi) are the same rotation, and full turns may be added to each angle. At the
    poles, b = +-pi/2, only the sum or difference of a and c counts, so c stays what it was.
    """
    result = angles.copy()
    pole = np.where(np.pi / 2 - np.abs(angles[..., 1]) < 2e-3, np.sign(angles[..., 1]), 0.0)
    pole = np.where(angles[..., 2] == 0.0, pole, 0.0)  # `matrix_to_euler` puts the third angle to zero there
    for frame in range(1, len(angles)):
        before = result[frame - 1]
        a, b, c = angles[frame].T
        held = np.abs(pole[frame]) * before[:, 2]
        same = np.stack([a - pole[frame] * held, b, c + held], axis=-1)
        other = np.stack([same[:, 0] + np.pi, np.pi - b, same[:, 2] + np.pi], axis=-1)
        same, other = (x - 2 * np.pi * np.round((x - before) / (2 * np.pi)) for x in (same, other))
        nearer = np.abs(other - before).sum(axis=-1) < np.abs(same - before).sum(axis=-1) - 1e-9
        result[frame] = np.where(nearer[:, None], other, same)
    return result
