"""Kinematics, forward (rotations → joints) and inverse (joints → rotations); numpy or torch, clips or batches."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from array_api_compat import array_namespace

from .arrays import Array, constant, take
from .rotation import quaternion_apply, quaternion_to_matrix, rotation_between
from .skeleton import NUM_JOINTS, PARENTS, T_POSE_OFFSETS
from .smoothing import gaussian_smooth

# Limbs whose twist shows in the joint after the next: hip, knee, ankle and so on, with the direction (in the T-pose)
# to which the lower part folds: knees fold backwards, elbows forwards.
_HINGES: tuple[tuple[int, int, int, tuple[float, float, float]], ...] = (
    (1, 4, 7, (0.0, 0.0, -1.0)),
    (2, 5, 8, (0.0, 0.0, -1.0)),
    (16, 18, 20, (0.0, 0.0, 1.0)),
    (17, 19, 21, (0.0, 0.0, 1.0)),
)
_TWIST_SIGMA = 3.0  # frames
_NATURAL = 0.02  # vote for the natural direction, in sines of a bend
_PROCRUSTES_ROUNDS = 3


def _ancestors() -> np.ndarray:
    matrix = np.zeros((NUM_JOINTS, NUM_JOINTS))
    for joint in range(NUM_JOINTS):
        ancestor = joint
        while ancestor >= 0:
            matrix[joint, ancestor] = 1.0
            ancestor = PARENTS[ancestor]
    return matrix


# ANCESTORS[i, j] is 1 where joint j lies on the way from the root to i, both included: joints are ANCESTORS @ bones.
ANCESTORS: np.ndarray = _ancestors()


class InverseKinematics(NamedTuple):
    """What `inverse_kinematics` finds: `forward_kinematics(rotations, root_positions, offsets)` gives the joints back.

    Args:
        rotations (`Array`): local rotation of every joint relative to its parent, matrices `[..., T, 22, 3, 3]`;
            leaves of the hierarchy have the identity.
        root_positions (`Array`): position of the pelvis, `[..., T, 3]`, metres.
        offsets (`Array`): rest pose with the clip's mean bone lengths, `[..., 22, 3]`, metres.
        residual (`Array`): distance between the joints given and those that the rotations give, `[..., T, 22]`,
            metres. It is zero for a body of constant bone lengths whose hips and collars keep their shape.
    """

    rotations: Array
    root_positions: Array
    offsets: Array
    residual: Array


def bones_of(joints: Array) -> Array:
    """Vectors from every joint's parent to the joint.

    Args:
        joints (`Array`): positions `[..., 22, 3]` in metres.

    Returns:
        `Array`: bones `[..., 21, 3]` in metres, of joints 1 to 21.
    """
    return joints[..., 1:, :] - take(joints, PARENTS[1:], axis=-2)


def joints_of(root_positions: Array, bones: Array) -> Array:
    """Positions of joints from the root and the bones; undoes `bones_of`.

    Args:
        root_positions (`Array`): `[..., 3]` in metres.
        bones (`Array`): `[..., 21, 3]` in metres, of joints 1 to 21.

    Returns:
        `Array`: positions `[..., 22, 3]` in metres.
    """
    xp = array_namespace(bones)
    return constant(ANCESTORS, bones) @ xp.concat([root_positions[..., None, :], bones], axis=-2)


def forward_kinematics(
    rotations: Array, root_positions: Array, offsets: Array, parents: Sequence[int] = PARENTS
) -> Array:
    """Joint positions of a posed skeleton.

    Args:
        rotations (`Array`): rotation of every joint relative to its parent, matrices `[..., J, 3, 3]`; a joint's
            rotation turns the bones that leave it.
        root_positions (`Array`): `[..., 3]` in metres.
        offsets (`Array`): offset of each joint from its parent in the rest pose, `[J, 3]` or `[..., J, 3]` broadcast
            against the rotations, metres. The root's own offset does not count.
        parents (`Sequence[int]`, *optional*, defaults to the 22 SMPL joints'): parent of each joint, earlier than the
            joint itself; -1 for the root.

    Returns:
        `Array`: joints `[..., J, 3]` in metres, in the frame of `root_positions`.

    Raises:
        ValueError: if shapes and `parents` disagree.
    """
    xp = array_namespace(rotations)
    count = len(parents)
    if tuple(rotations.shape[-3:]) != (count, 3, 3) or tuple(offsets.shape[-2:]) != (count, 3):
        raise ValueError(
            f"Expected rotations [..., {count}, 3, 3] and offsets [..., {count}, 3] for {count} parents, got "
            f"{tuple(rotations.shape)} and {tuple(offsets.shape)}."
        )
    offsets = constant(offsets, rotations)
    global_rotations, joints = [rotations[..., 0, :, :]], [root_positions]
    for joint in range(1, count):
        parent = global_rotations[parents[joint]]
        joints.append(joints[parents[joint]] + (parent @ offsets[..., joint, :, None])[..., 0])
        global_rotations.append(parent @ rotations[..., joint, :, :])
    return xp.stack(joints, axis=-2)


def inverse_kinematics(joints: Array, rest_offsets: Array = T_POSE_OFFSETS) -> InverseKinematics:
    """Local rotations that put a rest pose into the given joint positions.

    Pelvis and chest, which carry three bones each, take the best rotation in the least-squares sense (Kabsch 1976);
    their rest shape is fitted to the clip first. Other joints turn their bone from the rest pose by the smallest
    rotation. Upper arms and thighs are twisted about themselves so that elbow and knee fold in their natural
    direction, as far as the limb is bent and shows one. Every twist is smoothed over time, so that no joint turns much
    faster than its bone does. Bone directions are met exactly in every frame, whatever the twist.

    Args:
        joints (`Array`): positions `[..., T, 22, 3]` in metres, Y up; clips of one length in a batch.
        rest_offsets (`Array`, *optional*, defaults to the package's T-pose): rest pose `[22, 3]`; only its directions
            matter, lengths are taken from the joints.

    Returns:
        [`InverseKinematics`]: rotations, root positions, fitted rest pose, and the residual in metres.

    Raises:
        ValueError: if the shape is another one, or a bone has no length.
    """
    if joints.ndim < 3 or tuple(joints.shape[-2:]) != (NUM_JOINTS, 3):
        raise ValueError(f"Expected joints [..., T, {NUM_JOINTS}, 3], got shape {tuple(joints.shape)}.")
    xp = array_namespace(joints)
    lengths = xp.mean(xp.linalg.vector_norm(bones_of(joints), axis=-1), axis=-2)  # [..., 21]
    if not bool(xp.all(lengths > 0)):
        raise ValueError(
            "A bone has no length in the whole clip; inverse kinematics needs every joint apart from its parent."
        )
    rest = constant(rest_offsets, joints)[1:]
    rest = rest / xp.linalg.vector_norm(rest, axis=-1, keepdims=True) * lengths[..., None]  # [..., 21, 3]
    offsets = [rest[..., j, :] for j in range(NUM_JOINTS - 1)]
    offsets.insert(0, xp.zeros_like(offsets[0]))

    children = [[c for c in range(NUM_JOINTS) if PARENTS[c] == j] for j in range(NUM_JOINTS)]
    twists = {joint: (middle, end, fold) for joint, middle, end, fold in _HINGES}
    identity = xp.zeros_like(joints[..., :1, :]) + constant(np.eye(3), joints)
    global_rotations: list[Array] = []
    rotations: list[Array] = []
    for joint in range(NUM_JOINTS):
        parent = global_rotations[PARENTS[joint]] if joint else identity
        inverse = xp.matrix_transpose(parent)

        def seen(start: int, end: int, inverse: Array = inverse) -> Array:
            """The bone from `start` to `end` in the parent's frame, `[..., T, 3]`."""
            return (inverse @ (joints[..., end, :] - joints[..., start, :])[..., None])[..., 0]

        if len(children[joint]) > 1:
            observed = xp.stack([seen(joint, c) for c in children[joint]], axis=-2)
            shape = xp.stack([offsets[c] for c in children[joint]], axis=-2)
            local, shape = _fit_rigid(shape, observed)
            for i, c in enumerate(children[joint]):
                offsets[c] = shape[..., i, :]
        elif children[joint]:
            (child,) = children[joint]
            direction = seen(joint, child)
            local = quaternion_to_matrix(rotation_between(offsets[child][..., None, :], direction))
            if joint in twists:
                middle, end, fold = twists[joint]
                local = _twist(local, direction, constant(fold, joints), seen(middle, end))
            else:
                local = _twist(local, direction, _square_to(offsets[child]))
        else:
            local = identity
        rotations.append(local)
        global_rotations.append(parent @ local)

    stacked, fitted = xp.stack(rotations, axis=-3), xp.stack(offsets, axis=-2)
    root = joints[..., 0, :]
    found = forward_kinematics(stacked, root, fitted[..., None, :, :])
    return InverseKinematics(stacked, root, fitted, xp.linalg.vector_norm(found - joints, axis=-1))


def _fit_rigid(shape: Array, observed: Array) -> tuple[Array, Array]:
    """Rotations `[..., T, 3, 3]` of `shape [..., K, 3]` onto `observed [..., T, K, 3]`, and the shape fitted to all
    frames."""
    xp = array_namespace(observed)
    lengths = xp.linalg.vector_norm(shape, axis=-1, keepdims=True)
    for _ in range(_PROCRUSTES_ROUNDS):
        rotation = _kabsch(shape[..., None, :, :], observed)
        shape = xp.mean(observed @ rotation, axis=-3)  # rows times R are columns times R transposed
        shape = shape / xp.linalg.vector_norm(shape, axis=-1, keepdims=True) * lengths
    return _kabsch(shape[..., None, :, :], observed), shape


def _kabsch(points: Array, observed: Array) -> Array:
    xp = array_namespace(observed)
    covariance = xp.matrix_transpose(observed) @ points
    u, _, vt = xp.linalg.svd(covariance)
    sign = xp.astype(xp.where(xp.linalg.det(u @ vt) < 0, -1.0, 1.0), observed.dtype)
    u = xp.concat([u[..., :2], u[..., 2:] * sign[..., None, None]], axis=-1)
    return u @ vt


def _twist(local: Array, bone: Array, fold: Array, lower: Array | None = None) -> Array:
    """Turn `local` about `bone` until the direction `fold` of the rest pose points to where `lower` leaves the bone's
    line; without `lower`, only as far as it takes to go on smoothly from frame to frame.

    The angle is counted from a direction that is carried along with the bone without turning about it, so that it is
    smooth over time wherever the bone goes: the smallest rotation from the rest pose is not, near the direction
    opposite to that of the rest pose. A limb that is straight has no opinion, and one that bends the wrong way for a
    moment changes it by half a turn at once: votes are smoothed first, and then the angle, which spreads half a turn
    over half a second at 20 fps.
    """
    xp = array_namespace(bone)
    axis = bone / xp.linalg.vector_norm(bone, axis=-1, keepdims=True)

    def across(v: Array) -> Array:
        return v - xp.sum(v * axis, axis=-1, keepdims=True) * axis

    pole = across((local @ fold[..., None, :, None])[..., 0])
    pole = pole / (xp.linalg.vector_norm(pole, axis=-1, keepdims=True) + 1e-9)
    carried = _carried_twist(axis, pole)  # [..., T]
    angle = carried
    if lower is not None:
        lower = lower / xp.linalg.vector_norm(lower, axis=-1, keepdims=True)
        bend = across(lower)  # its length is the sine of the bend: straight limbs get no vote
        side = xp.linalg.cross(axis, pole)
        vote = xp.sum(bend * pole, axis=-1) + _NATURAL, xp.sum(bend * side, axis=-1)
        cosine, sine = xp.cos(carried), xp.sin(carried)
        series = xp.stack([vote[0] * cosine - vote[1] * sine, vote[0] * sine + vote[1] * cosine], axis=-2)
        series = gaussian_smooth(series, _TWIST_SIGMA)  # [..., 2, T]
        angle = _unwrapped(xp.atan2(series[..., 1, :], series[..., 0, :]))
    half = (gaussian_smooth(angle, _TWIST_SIGMA) - carried) / 2
    quaternion = xp.concat([xp.cos(half)[..., None], xp.sin(half)[..., None] * axis], axis=-1)
    return quaternion_to_matrix(quaternion) @ local


def _square_to(direction: Array) -> Array:
    """Some direction at a right angle to `direction [..., 3]`: its cross product with X or Z, whichever is farther."""
    xp = array_namespace(direction)
    x, y, z = (direction[..., i] for i in range(3))
    zero = xp.zeros_like(x)
    flat = (xp.abs(x) < xp.abs(z))[..., None]
    return xp.where(flat, xp.stack([zero, z, -y], axis=-1), xp.stack([y, -x, zero], axis=-1))


def _carried_twist(axis: Array, pole: Array) -> Array:
    """By how much `pole [..., T, 3]` has turned about `axis [..., T, 3]` since the first frame, `[..., T]` radians,
    beyond what the smallest rotations from one axis to the next do."""
    xp = array_namespace(axis)
    moved = quaternion_apply(rotation_between(axis[..., :-1, :], axis[..., 1:, :]), pole[..., :-1, :])
    later = pole[..., 1:, :]
    sine = xp.sum(xp.linalg.cross(moved, later) * axis[..., 1:, :], axis=-1)
    return _summed(xp.atan2(sine, xp.sum(moved * later, axis=-1)), xp.zeros_like(axis[..., :1, 0]))


def _unwrapped(angles: Array) -> Array:
    """Angles `[..., T]` with full turns added, so that neighbours are at most half a turn apart."""
    xp = array_namespace(angles)
    steps = angles[..., 1:] - angles[..., :-1]
    return _summed(steps - 2 * np.pi * xp.round(steps / (2 * np.pi)), angles[..., :1])


def _summed(steps: Array, first: Array) -> Array:
    """Running sum `[..., T]` of `[..., T - 1]` steps from `first [..., 1]` on."""
    xp = array_namespace(steps)
    return xp.concat([first, first + xp.cumulative_sum(steps, axis=-1)], axis=-1)
