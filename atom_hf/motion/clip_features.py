"""The arithmetic of HumanML3D features for clips of one length, on component arrays `[joint, clip, frame]`.

One array a component (x of every bone, y of every bone …) is several times faster than arrays of vectors or
quaternions: no intermediate has a short last dimension. `joints_to_features` feeds it chunks that fit the caches.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from array_api_compat import array_namespace

from .arrays import Array, constant, take
from .checks import check_bones
from .kinematics import ANCESTORS
from .layout import CONTACT_JOINTS
from .retarget import LEG, UNIFORM_LEG, facing_yaw, forward_yaw
from .rotation import Components, _first_columns, _multiply, yaw_apply
from .skeleton import BONE_AXES, CHAINS, NUM_JOINTS, PARENTS, UNIFORM_BONE_LENGTHS
from .smoothing import gaussian_smooth

HEADING_SIGMA = 20.0  # frames

# The 21 bones (by the joint at their end), ordered by the axis of their rest direction: each axis is one slice.
_BONES = np.array(sorted(range(1, NUM_JOINTS), key=lambda joint: (BONE_AXES[joint][0], joint)))
_PARENTS_OF_BONES = np.array(PARENTS)[_BONES]
_ROW = {joint: row for row, joint in enumerate(_BONES.tolist())}
_AXIS_ROWS = [slice(*np.searchsorted(np.array(BONE_AXES)[_BONES, 0], [axis, axis + 1]).tolist()) for axis in range(3)]
_SIGNS = np.array(BONE_AXES, dtype=np.float64)[_BONES, 1]
# Rows of the 6D rotations in the order of joints.
_ROTATION_ROWS = np.array([6 * _ROW[joint] + i for joint in range(1, NUM_JOINTS) for i in range(6)])
# Rotations are relative to the bone before; the first bone of a chain (both arms, too) is relative to the root's
# heading, which stands in row 0.
FIRST_OF_CHAIN = {chain[1] for chain in CHAINS}
_PARENT_ROWS = np.array([0 if joint in FIRST_OF_CHAIN else 1 + _ROW[PARENTS[joint]] for joint in _ROW])
# Positions of joints 1 to 21 relative to the root are _REACH @ bones in the order of _BONES.
_REACH = ANCESTORS[1:, _BONES]
_LENGTHS = np.array(UNIFORM_BONE_LENGTHS)[_BONES]
_CONTACT_ROWS = np.array(CONTACT_JOINTS) - 1


class _Canonical(NamedTuple):
    direction: Components  # unit vectors of the bones, x, y, z, each [21, B, T], in the order of _BONES
    relative: Components  # joints 1 to 21 relative to the root, metres, each [21, B, T], in the order of joints
    root: Components  # metres, each [B, T]; x and z up to a constant


def clip_features(
    joints: Array, retarget: bool, contact_threshold: float, clips: Sequence[int] | None = None
) -> Array:
    """Features of clips of one length; see `joints_to_features` for what they are.

    Args:
        joints (`Array`): positions `[B, T, 22, 3]` in metres, checked, T >= 2.
        retarget (`bool`): bring the bodies to the uniform skeleton first.
        contact_threshold (`float`): squared displacement per frame, square metres.
        clips (`Sequence[int]`, *optional*): numbers of the clips in what the user gave, for messages.

    Returns:
        `Array`: features `[B, T-1, 263]`, a view of component arrays: copy it to where it shall be.

    Raises:
        ValueError: if a bone has no length.
    """
    xp = array_namespace(joints)
    direction, relative, root = _canonical(joints, retarget, clips)
    heading = _heading(relative)
    steps = tuple(r[..., 1:] - r[..., :-1] for r in root)  # per frame
    moves = tuple(r[..., 1:] - r[..., :-1] + s for r, s in zip(relative, steps, strict=True))  # of joints 1 to 21
    squared = sum(take(m, _CONTACT_ROWS, axis=0) ** 2 for m in moves)
    contacts = xp.astype(squared < contact_threshold, joints.dtype)

    now, later = tuple(q[..., :-1] for q in heading), tuple(q[..., 1:] for q in heading)
    yaw_rate = xp.asin(xp.clip(later[1] * now[0] - later[0] * now[1], -1.0, 1.0))
    velocity_x, velocity_z = yaw_apply(later, steps[0], steps[2])
    rel_x, rel_z = yaw_apply(now, relative[0][..., :-1], relative[2][..., :-1])
    rel_y = relative[1][..., :-1] + root[1][..., :-1]
    first_column, second_column = _rotations(tuple(d[..., :-1] for d in direction), now)
    root_move = yaw_apply(now, steps[0], steps[2])
    move_x, move_z = yaw_apply(now, moves[0], moves[2])

    parts = [
        xp.stack([yaw_rate, velocity_x, velocity_z, root[1][..., :-1]]),
        _interleave((rel_x, rel_y, rel_z)),
        take(_interleave((*first_column, *second_column)), _ROTATION_ROWS, axis=0),
        xp.stack([root_move[0], steps[1], root_move[1]]),
        _interleave((move_x, moves[1], move_z)),
        contacts,
    ]
    return xp.permute_dims(xp.concat(parts, axis=0), (1, 2, 0))


def _canonical(joints: Array, retarget: bool, clips: Sequence[int] | None) -> _Canonical:
    """Bodies on the uniform skeleton, on the floor, facing +Z in the first frame."""
    xp = array_namespace(joints)
    position = xp.permute_dims(joints, (3, 2, 0, 1)) + 0.0  # a copy in that order, from which rows are taken fast
    position = [position[axis] for axis in range(3)]
    bone = tuple(take(p, _BONES, axis=0) - take(p, _PARENTS_OF_BONES, axis=0) for p in position)
    length = xp.sqrt(bone[0] * bone[0] + bone[1] * bone[1] + bone[2] * bone[2])
    check_bones(length, _BONES, clips)
    direction = tuple(b / length for b in bone)
    root = tuple(p[0] for p in position)
    if retarget:
        leg = sum(length[_ROW[joint], :, :1] for joint in LEG)
        root = tuple(r * (UNIFORM_LEG / leg) for r in root)
        length = constant(_LENGTHS, joints)[:, None, None]

    reach = constant(_REACH, joints)
    first = tuple(reach @ (d * length)[..., 0] for d in direction)  # [21, B], joints 1 to 21 of the first frame
    hips, shoulders = (tuple(c[a - 1] - c[b - 1] for c in first) for a, b in ((2, 1), (17, 16)))
    turn = tuple(q[:, None] for q in facing_yaw(tuple(h + s for h, s in zip(hips, shoulders, strict=True))))
    x, z = yaw_apply(turn, direction[0], direction[2])
    direction = (x, direction[1], z)
    relative = tuple(xp.reshape(reach @ xp.reshape(d * length, (len(_BONES), -1)), d.shape) for d in direction)
    root_x, root_z = yaw_apply(turn, root[0], root[2])
    lowest = root[1] + xp.clip(xp.min(relative[1], axis=0), None, 0.0)  # of all joints, per frame
    return _Canonical(direction, relative, (root_x, root[1] - xp.min(lowest, axis=-1, keepdims=True), root_z))


def _interleave(components: Components) -> Array:
    """`[N * len(components), B, T]` with the components of each row side by side."""
    xp = array_namespace(components[0])
    stacked = xp.stack(list(components), axis=1)
    return xp.reshape(stacked, (-1, *components[0].shape[1:]))


def _heading(relative: Components) -> Components:
    """w and y of the quaternions `[B, T]` that turn each frame's smoothed heading to +Z; the identity in frame 0."""
    xp = array_namespace(relative[0])
    hips, shoulders = (tuple(c[a - 1] - c[b - 1] for c in relative) for a, b in ((1, 2), (17, 16)))
    x, y, z = (h + s for h, s in zip(hips, shoulders, strict=True))
    norm = xp.sqrt(x * x + y * y + z * z + 1e-24)
    forward = xp.stack([z / norm, -x / norm])  # the vertical times the direction across the body
    forward = gaussian_smooth(forward, HEADING_SIGMA)
    w, y = forward_yaw(forward[0], forward[1])
    return (
        xp.concat([xp.ones_like(w[..., :1]), w[..., 1:]], axis=-1),
        xp.concat([xp.zeros_like(y[..., :1]), y[..., 1:]], axis=-1),
    )


def _rotations(direction: Components, heading: Components) -> tuple[Components, Components]:
    """6D rotations of the bones `[21, B, T]` (order of `_BONES`), relative to the bone before, as two columns.

    A bone's own rotation is the smallest one that turns its rest axis to its direction: for the axis a of sign s that
    is (1 + s * d_a, a x d), normalised. The tiny constant picks an axis where rest and direction are opposite.
    """
    xp = array_namespace(direction[0])
    signed: list[list[Array]] = []  # w, x, y, z of each group of bones
    for axis, group in enumerate(_AXIS_ROWS):
        sign = constant(_SIGNS[group], direction[0])[:, None, None]
        d = [sign * component[group] for component in direction]
        after, before = (axis + 1) % 3, (axis + 2) % 3
        parts = [1 + d[axis], *[xp.zeros_like(d[axis])] * 3]
        parts[1 + after], parts[1 + before] = 1e-12 - d[before], d[after]
        signed.append(parts)
    w, x, y, z = (xp.concat([group[i] for group in signed], axis=0) for i in range(4))
    scale = 1 / xp.sqrt(w * w + x * x + y * y + z * z)
    own = (w * scale, x * scale, y * scale, z * scale)
    zero = xp.zeros_like(heading[0])
    parents = [
        take(xp.concat([h[None], q], axis=0), _PARENT_ROWS, axis=0)
        for h, q in zip((heading[0], zero, heading[1], zero), own, strict=True)
    ]
    inverse = (parents[0], -parents[1], -parents[2], -parents[3])
    return _first_columns(_multiply(inverse, own))
