"""Rotations: quaternions, matrices, axis-angle, Euler angles and the 6D form; numpy or torch, any leading shape.

Quaternions are `[..., 4]` in the order w, x, y, z; matrices `[..., 3, 3]` act on column vectors; angles are radians.
All functions are differentiable with torch. The arithmetic is written once, on tuples of components (names with
a leading underscore), because whole-clip code is several times faster on separate component arrays.
"""

from array_api_compat import array_namespace

from .arrays import Array

Components = tuple[Array, ...]

_AXES = {"X": 0, "Y": 1, "Z": 2}


def _split(array: Array, count: int) -> Components:
    if array.shape[-1] != count:
        raise ValueError(f"Expected {count} numbers in the last dimension, got shape {tuple(array.shape)}.")
    return tuple(array[..., i] for i in range(count))


def _join(components: Components) -> Array:
    return array_namespace(components[0]).stack(list(components), axis=-1)


def _cross(a: Components, b: Components) -> Components:
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


def _multiply(a: Components, b: Components) -> Components:
    aw, ax, ay, az = a
    bw, bx, by, bz = b
    return (
        aw * bw - ax * bx - ay * by - az * bz,
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
    )


def _first_columns(q: Components) -> tuple[Components, Components]:
    """The first two columns of the matrix of a unit quaternion, which are its 6D form."""
    w, x, y, z = q
    x2, y2, z2 = x + x, y + y, z + z
    xy, wz = x * y2, w * z2
    zz = z * z2
    return (1 - y * y2 - zz, xy + wz, x * z2 - w * y2), (xy - wz, 1 - x * x2 - zz, y * z2 + w * x2)


def yaw_apply(yaw: Components, x: Array, z: Array) -> tuple[Array, Array]:
    """Rotate horizontal vectors about the vertical (Y).

    Args:
        yaw (`Components`): w and y of unit quaternions whose x and z are zero, any shape.
        x (`Array`): x of the vectors, broadcast against the quaternions; any unit.
        z (`Array`): z of the vectors.

    Returns:
        `tuple[Array, Array]`: x and z of the rotated vectors, in the same unit.
    """
    w, y = yaw
    cosine, sine = 1 - 2 * y * y, 2 * w * y
    return cosine * x + sine * z, cosine * z - sine * x


def quaternion_multiply(a: Array, b: Array) -> Array:
    """Hamilton product: the rotation `b` followed by `a`.

    Args:
        a (`Array`): quaternions `[..., 4]`, order w, x, y, z, unitless.
        b (`Array`): quaternions `[..., 4]`, broadcast against `a`.

    Returns:
        `Array`: quaternions `[..., 4]`.

    Raises:
        ValueError: if the last dimension is not 4.
    """
    return _join(_multiply(_split(a, 4), _split(b, 4)))


def quaternion_inverse(quaternion: Array) -> Array:
    """Inverse of unit quaternions, which is their conjugate.

    Args:
        quaternion (`Array`): unit quaternions `[..., 4]`, order w, x, y, z.

    Returns:
        `Array`: quaternions `[..., 4]`.

    Raises:
        ValueError: if the last dimension is not 4.
    """
    w, x, y, z = _split(quaternion, 4)
    return _join((w, -x, -y, -z))


def quaternion_apply(quaternion: Array, vector: Array) -> Array:
    """Rotate vectors by unit quaternions.

    Args:
        quaternion (`Array`): unit quaternions `[..., 4]`, order w, x, y, z.
        vector (`Array`): vectors `[..., 3]`, broadcast against the quaternions; any unit.

    Returns:
        `Array`: rotated vectors `[..., 3]` in the same unit.

    Raises:
        ValueError: if a last dimension is not 4 or 3.
    """
    w, x, y, z = _split(quaternion, 4)
    v = _split(vector, 3)
    t = tuple(2 * c for c in _cross((x, y, z), v))
    u = _cross((x, y, z), t)
    return _join(tuple(v[i] + w * t[i] + u[i] for i in range(3)))


def quaternion_to_matrix(quaternion: Array) -> Array:
    """Rotation matrices of unit quaternions.

    Args:
        quaternion (`Array`): unit quaternions `[..., 4]`, order w, x, y, z.

    Returns:
        `Array`: matrices `[..., 3, 3]`.

    Raises:
        ValueError: if the last dimension is not 4.
    """
    first, second = _first_columns(_split(quaternion, 4))
    columns = (_join(first), _join(second), _join(_cross(first, second)))
    return array_namespace(quaternion).stack(list(columns), axis=-1)


def matrix_to_quaternion(matrix: Array) -> Array:
    """Unit quaternions of rotation matrices, with w >= 0.

    Args:
        matrix (`Array`): rotation matrices `[..., 3, 3]`.

    Returns:
        `Array`: quaternions `[..., 4]`, order w, x, y, z. Of four equivalent formulas the one with the largest divisor
            is taken in every place (Shepperd 1978), so no angle loses precision.

    Raises:
        ValueError: if the last two dimensions are not 3 x 3.
    """
    xp = array_namespace(matrix)
    rows = [_split(row, 3) for row in _split_rows(matrix)]
    (m00, m01, m02), (m10, m11, m12), (m20, m21, m22) = rows
    # Row k holds 4 * q_k * (w, x, y, z); its own entry is 4 * q_k ** 2.
    candidates = (
        (1 + m00 + m11 + m22, m21 - m12, m02 - m20, m10 - m01),
        (m21 - m12, 1 + m00 - m11 - m22, m10 + m01, m02 + m20),
        (m02 - m20, m10 + m01, 1 - m00 + m11 - m22, m12 + m21),
        (m10 - m01, m20 + m02, m21 + m12, 1 - m00 - m11 + m22),
    )
    squares = xp.stack([candidates[k][k] for k in range(4)], axis=-1)
    best = xp.argmax(squares, axis=-1)
    chosen = list(candidates[0])
    for k in range(1, 4):
        chosen = [xp.where(best == k, candidates[k][i], chosen[i]) for i in range(4)]
    norm = xp.sqrt(sum(c * c for c in chosen))
    sign = xp.where(chosen[0] < 0, -1.0, 1.0) / norm
    return _join(tuple(c * sign for c in chosen))


def _split_rows(matrix: Array) -> Components:
    if tuple(matrix.shape[-2:]) != (3, 3):
        raise ValueError(f"Expected rotation matrices [..., 3, 3], got shape {tuple(matrix.shape)}.")
    return tuple(matrix[..., i, :] for i in range(3))


def matrix_to_rotation_6d(matrix: Array) -> Array:
    """6D form of rotation matrices: their first two columns (Zhou et al. 2019, as HumanML3D stores them).

    Args:
        matrix (`Array`): rotation matrices `[..., 3, 3]`.

    Returns:
        `Array`: `[..., 6]`, unitless, first column then second.

    Raises:
        ValueError: if the last two dimensions are not 3 x 3.
    """
    _split_rows(matrix)
    xp = array_namespace(matrix)
    return xp.concat([matrix[..., :, 0], matrix[..., :, 1]], axis=-1)


def rotation_6d_to_matrix(rotation_6d: Array) -> Array:
    """Rotation matrices of 6D forms, orthonormalised by Gram-Schmidt (Zhou et al. 2019), so noisy input is fine.

    Args:
        rotation_6d (`Array`): `[..., 6]`, unitless, two columns one after the other; neither zero nor parallel.

    Returns:
        `Array`: matrices `[..., 3, 3]`.

    Raises:
        ValueError: if the last dimension is not 6.
    """
    xp = array_namespace(rotation_6d)
    parts = _split(rotation_6d, 6)
    first = _normalize(parts[:3])
    third = _normalize(_cross(first, parts[3:]))
    second = _cross(third, first)
    return xp.stack([_join(first), _join(second), _join(third)], axis=-1)


def _normalize(v: Components) -> Components:
    xp = array_namespace(v[0])
    scale = 1 / xp.sqrt(sum(c * c for c in v) + 1e-24)
    return tuple(c * scale for c in v)


def axis_angle_to_matrix(axis_angle: Array) -> Array:
    """Rotation matrices of axis-angle vectors (SMPL's `poses`), by Rodrigues' formula.

    Args:
        axis_angle (`Array`): `[..., 3]`, direction of the axis times the angle in radians.

    Returns:
        `Array`: matrices `[..., 3, 3]`.

    Raises:
        ValueError: if the last dimension is not 3.
    """
    xp = array_namespace(axis_angle)
    v = _split(axis_angle, 3)
    half = xp.sqrt(sum(c * c for c in v) + 1e-24) / 2
    scale = xp.sin(half) / (2 * half)
    return quaternion_to_matrix(_join((xp.cos(half), *(c * scale for c in v))))


def matrix_to_axis_angle(matrix: Array) -> Array:
    """Axis-angle vectors of rotation matrices, with angles from 0 to pi.

    Args:
        matrix (`Array`): rotation matrices `[..., 3, 3]`.

    Returns:
        `Array`: `[..., 3]`, axis times angle in radians.

    Raises:
        ValueError: if the last two dimensions are not 3 x 3.
    """
    xp = array_namespace(matrix)
    w, x, y, z = _split(matrix_to_quaternion(matrix), 4)
    sine = xp.sqrt(x * x + y * y + z * z + 1e-24)
    scale = 2 * xp.atan2(sine, w) / sine
    return _join((x * scale, y * scale, z * scale))


def euler_to_matrix(angles: Array, order: str) -> Array:
    """Rotation matrices of intrinsic Euler angles, as BVH channels give them: `R = R(order[0]) R(order[1]) ...`.

    Args:
        angles (`Array`): `[..., n]` angles in radians, in the order of `order`.
        order (`str`): one to three different letters of `X`, `Y`, `Z`, such as `"ZXY"`.

    Returns:
        `Array`: matrices `[..., 3, 3]`.

    Raises:
        ValueError: if `order` holds other letters, or its length is not that of the last dimension.
    """
    xp = array_namespace(angles)
    if not order or any(letter not in _AXES for letter in order):
        raise ValueError(f"Expected an order of the letters X, Y, Z such as 'ZXY', got {order!r}.")
    result: Components | None = None
    for letter, angle in zip(order, _split(angles, len(order)), strict=True):
        parts = [xp.cos(angle / 2), *[xp.zeros_like(angle)] * 3]
        parts[1 + _AXES[letter]] = xp.sin(angle / 2)
        result = tuple(parts) if result is None else _multiply(result, tuple(parts))
    assert result is not None
    return quaternion_to_matrix(_join(result))


def matrix_to_euler(matrix: Array, order: str) -> Array:
    """Intrinsic Euler angles of rotation matrices, three different axes.

    Args:
        matrix (`Array`): rotation matrices `[..., 3, 3]`.
        order (`str`): a permutation of `XYZ`, such as `"ZXY"`.

    Returns:
        `Array`: `[..., 3]` angles in radians in the order of `order`; the middle one lies in [-pi/2, pi/2]. At the
            poles of the middle angle the third one is set to zero.

    Raises:
        ValueError: if `order` is no permutation of XYZ.
    """
    if sorted(order) != ["X", "Y", "Z"]:
        raise ValueError(f"Expected a permutation of 'XYZ', got {order!r}.")
    xp = array_namespace(matrix)
    i, j, k = (_AXES[letter] for letter in order)
    sign = 1 if (j - i) % 3 == 1 else -1
    middle = xp.atan2(sign * matrix[..., i, k], xp.sqrt(matrix[..., i, i] ** 2 + matrix[..., i, j] ** 2))
    locked = xp.abs(matrix[..., i, k]) > 1 - 1e-6
    first = xp.atan2(-sign * matrix[..., j, k], matrix[..., k, k])
    first_locked = xp.atan2(sign * matrix[..., k, j], matrix[..., j, j])
    third = xp.atan2(-sign * matrix[..., i, j], matrix[..., i, i])
    return _join((xp.where(locked, first_locked, first), middle, xp.where(locked, xp.zeros_like(third), third)))


def rotation_between(a: Array, b: Array) -> Array:
    """The smallest rotations that turn directions `a` into directions `b`.

    Args:
        a (`Array`): directions `[..., 3]`, of any length but zero.
        b (`Array`): directions `[..., 3]`, broadcast against `a`.

    Returns:
        `Array`: unit quaternions `[..., 4]`, order w, x, y, z. For opposite directions, where the axis is free, a half
            turn about some axis perpendicular to `a`.

    Raises:
        ValueError: if a last dimension is not 3.
    """
    xp = array_namespace(a, b)
    u, v = _normalize(_split(a, 3)), _normalize(_split(b, 3))
    u, v = tuple(x + 0 * y for x, y in zip(u, v, strict=True)), tuple(y + 0 * x for x, y in zip(u, v, strict=True))
    w = 1 + sum(x * y for x, y in zip(u, v, strict=True))
    zero = xp.zeros_like(w)
    flat = xp.abs(u[0]) < 0.7  # a perpendicular of u: its cross product with X, or with Y where u lies near X
    perpendicular = tuple(xp.where(flat, x, y) for x, y in zip((zero, u[2], -u[1]), (-u[2], zero, u[0]), strict=True))
    opposite = w < (1e-6 if w.dtype in (xp.float32,) else 1e-12)
    q = tuple(xp.where(opposite, x, y) for x, y in zip((zero, *perpendicular), (w, *_cross(u, v)), strict=True))
    return _join(_normalize_quaternion(q))


def _normalize_quaternion(q: Components) -> Components:
    xp = array_namespace(q[0])
    scale = 1 / xp.sqrt(sum(c * c for c in q))
    return tuple(c * scale for c in q)
