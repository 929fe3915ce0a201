"""Bringing clips into HumanML3D's frame, a step a function: uniform skeleton, floor, origin, facing direction.

All take `[T, 22, 3]` or `[..., T, 22, 3]`, numpy or torch, in metres with Y up; `joints_to_features` runs all of them.
"""

from array_api_compat import array_namespace

from .arrays import Array, constant
from .checks import check_bones, check_joints
from .kinematics import bones_of, joints_of
from .rotation import Components, yaw_apply
from .skeleton import NUM_JOINTS, UNIFORM_BONE_LENGTHS

# Leg length that the scale of a clip refers to: thigh and shin of the right leg (joints 5 and 8), as HumanML3D does
# it.
LEG = (5, 8)
UNIFORM_LEG = sum(UNIFORM_BONE_LENGTHS[joint] for joint in LEG)


def to_uniform_skeleton(joints: Array) -> Array:
    """Give a body HumanML3D's bone lengths; every bone keeps its direction.

    The root's path is scaled by the ratio of leg lengths (thigh and shin of the right leg in the first frame), so that
    steps fit the new legs. This equals HumanML3D's inverse and forward kinematics, without the detour.

    Args:
        joints (`Array`): positions `[..., T, 22, 3]` in metres.

    Returns:
        `Array`: positions `[..., T, 22, 3]` in metres.

    Raises:
        TypeError: if the joints are no floating-point array.
        ValueError: if the shape is another one, a value is not finite, or a bone has no length.
    """
    check_joints(joints)
    xp = array_namespace(joints)
    bones = bones_of(joints)
    lengths = xp.linalg.vector_norm(bones, axis=-1)
    check_bones(xp.reshape(xp.moveaxis(lengths, -1, 0), (NUM_JOINTS - 1, -1, joints.shape[-3])), range(1, NUM_JOINTS))
    leg = sum(lengths[..., :1, joint - 1] for joint in LEG)
    bones = bones / lengths[..., None] * constant(UNIFORM_BONE_LENGTHS[1:], joints)[:, None]
    return joints_of(joints[..., 0, :] * (UNIFORM_LEG / leg)[..., None], bones)


def to_floor(joints: Array) -> Array:
    """Put the lowest joint of the whole clip on the floor, y = 0.

    Args:
        joints (`Array`): positions `[..., T, 22, 3]` in metres.

    Returns:
        `Array`: positions `[..., T, 22, 3]` in metres.

    Raises:
        TypeError: if the joints are no floating-point array.
        ValueError: if the shape is another one or a value is not finite.
    """
    check_joints(joints)
    xp = array_namespace(joints)
    floor = xp.min(joints[..., 1], axis=(-1, -2), keepdims=True)
    return xp.stack([joints[..., 0], joints[..., 1] - floor, joints[..., 2]], axis=-1)


def to_origin(joints: Array) -> Array:
    """Let the root start above the origin, x = z = 0 in the first frame.

    Args:
        joints (`Array`): positions `[..., T, 22, 3]` in metres.

    Returns:
        `Array`: positions `[..., T, 22, 3]` in metres.

    Raises:
        TypeError: if the joints are no floating-point array.
        ValueError: if the shape is another one or a value is not finite.
    """
    check_joints(joints)
    return joints - joints[..., :1, :1, :] * constant([1.0, 0.0, 1.0], joints)


def face_forward(joints: Array) -> Array:
    """Turn a clip about the vertical so that the person faces +Z in the first frame.

    The facing direction is perpendicular to hips and shoulders, HumanML3D's first heading.

    Args:
        joints (`Array`): positions `[..., T, 22, 3]` in metres.

    Returns:
        `Array`: positions `[..., T, 22, 3]` in metres, turned about the origin.

    Raises:
        TypeError: if the joints are no floating-point array.
        ValueError: if the shape is another one or a value is not finite.
    """
    check_joints(joints)
    xp = array_namespace(joints)
    first = tuple(joints[..., :1, :, axis] for axis in range(3))  # [..., 1, 22]
    hips, shoulders = (tuple(c[..., a] - c[..., b] for c in first) for a, b in ((2, 1), (17, 16)))
    yaw = facing_yaw(tuple(h + s for h, s in zip(hips, shoulders, strict=True)))
    x, z = yaw_apply(tuple(q[..., None] for q in yaw), joints[..., 0], joints[..., 2])
    return xp.stack([x, joints[..., 1], z], axis=-1)


def facing_yaw(across: Components) -> Components:
    """Turn about the vertical that brings the direction a body faces to +Z.

    Args:
        across (`Components`): x, y, z of the direction from the left to the right side of the body, each of one shape.

    Returns:
        `Components`: w and y of unit quaternions (x and z are zero), in the same shape. For a body that faces exactly
            -Z, a half turn.
    """
    return forward_yaw(across[2], -across[0])


def forward_yaw(x: Array, z: Array) -> Components:
    """Turn about the vertical that brings the horizontal direction (x, z) to +Z.

    Args:
        x (`Array`): x of the direction, any shape, any length.
        z (`Array`): z of the direction, same shape.

    Returns:
        `Components`: w and y of unit quaternions, same shape.
    """
    xp = array_namespace(x)
    length = xp.sqrt(x * x + z * z + 1e-24)
    # 1 + cos, and for directions behind, where that cancels, the same as sin² / (1 - cos).
    w = xp.where(z < 0, x * x / (length * (length + xp.abs(z))), 1 + z / length)
    y = -x / length + 1e-12  # the last term decides for exact opposites only
    norm = xp.sqrt(w * w + y * y)
    return w / norm, y / norm
