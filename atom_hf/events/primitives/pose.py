"""From the channels of a body to its joints: inverse kinematics of the legs, forward kinematics of the rest.

    joints = pose_joints(body, series, air)      # {channel: [T]} → [T, 22, 3]

Lengths are metres, angles degrees. All frames are computed at once.
"""

from collections.abc import Mapping

import numpy as np

from .body import Body

SIDES = ("left", "right")
_ROOT = ("x", "y", "z", "yaw", "pitch", "roll", "hip_twist")
_TRUNK = ("bend", "lean_side", "twist", "nod", "look", "tilt")
_FOOT = ("x", "z", "lift", "yaw", "pitch", "splay")
_ARM = ("swing", "spread", "turn", "elbow")

# What a body is moved by; what has a side is positive to the left. Root: position of the pelvis, heading (yaw), pitch
# forward, roll, hip_twist about its own long axis. Trunk: bend forward, lean_side, twist; nod, look and tilt are the
# head's. Foot: place of the ankle when flat, lift above the floor, yaw, pitch (positive: heel up, about the toes;
# negative: toes up, about the heel), splay of the knee outwards. Arm: swing forward, spread outwards, turn inwards
# about itself, bend of the elbow.
CHANNELS: tuple[str, ...] = (
    *_ROOT,
    *_TRUNK,
    *(f"{side}_foot_{name}" for side in SIDES for name in _FOOT),
    *(f"{side}_arm_{name}" for side in SIDES for name in _ARM),
)

_REACH = 0.997  # share of a straight leg's length that is used
_SOFT = 0.012  # metres over which the pelvis gives way to a leg that is too short
_SIGN = np.array([[1.0], [-1.0]])  # left, right


def _about(axis: int, degrees: np.ndarray) -> np.ndarray:
    """Rotations `[..., 3, 3]` about X, Y or Z."""
    angle = np.radians(degrees)
    cosine, sine = np.cos(angle), np.sin(angle)
    j, k = (axis + 1) % 3, (axis + 2) % 3
    matrix = np.zeros((*angle.shape, 3, 3))
    matrix[..., axis, axis] = 1.0
    matrix[..., j, j] = cosine
    matrix[..., k, k] = cosine
    matrix[..., j, k] = -sine
    matrix[..., k, j] = sine
    return matrix


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    ax, ay, az = a[..., 0], a[..., 1], a[..., 2]
    bx, by, bz = b[..., 0], b[..., 1], b[..., 2]
    return np.stack([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx], axis=-1)


def _pair(series: Mapping[str, np.ndarray], name: str) -> np.ndarray:
    """A channel of both sides, `[2, T]`."""
    return np.stack([series[f"left_{name}"], series[f"right_{name}"]])


def pose_joints(body: Body, series: Mapping[str, np.ndarray], air: np.ndarray) -> np.ndarray:
    """Joints of a body whose channels are given.

    Args:
        body ([`Body`]): proportions.
        series (`Mapping[str, np.ndarray]`): every channel of `CHANNELS`, `[T]`, metres and degrees.
        air (`np.ndarray`): height of flights, `[T]` metres, added to pelvis and feet alike.

    Returns:
        `np.ndarray`: joints `[T, 22, 3]`, metres, Y up. Bones keep the lengths of the body in every frame.
    """
    joints = np.empty((len(air), 22, 3))
    pelvis = _about(1, series["yaw"]) @ _about(0, series["pitch"]) @ _about(2, -series["roll"])
    pelvis = pelvis @ _about(1, series["hip_twist"])
    root = np.stack([series["x"], series["y"], series["z"]], axis=-1)
    ankle, toe = _feet(body, series)
    hip_offset = (pelvis @ body.offsets[1:3].T).transpose(2, 0, 1)  # [2, T, 3]
    root[:, 1] = _reachable_height(body, root, hip_offset, ankle, _pair(series, "foot_lift") + air)
    hip = root + hip_offset
    knee, ankle = _legs(body, series, pelvis, hip, ankle)
    for i in range(2):
        joints[:, 1 + i], joints[:, 4 + i], joints[:, 7 + i] = hip[i], knee[i], ankle[i]
        joints[:, 10 + i] = ankle[i] + toe[i]
    joints[:, 0] = root
    chest = _trunk(body, series, pelvis, joints)
    _arms(body, series, chest, joints)
    joints[..., 1] += air[:, None]
    return joints


def _feet(body: Body, series: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Ankles and the bones from ankle to toes, `[2, T, 3]` each."""
    yaw, pitch = np.radians(_pair(series, "foot_yaw")), np.radians(_pair(series, "foot_pitch"))
    side, down, ahead = body.offsets[10]
    side = side * _SIGN

    def toe_bone(pitch: np.ndarray) -> np.ndarray:
        y = down * np.cos(pitch) - ahead * np.sin(pitch)
        z = ahead * np.cos(pitch) + down * np.sin(pitch)
        return np.stack([np.cos(yaw) * side + np.sin(yaw) * z, y, np.cos(yaw) * z - np.sin(yaw) * side], axis=-1)

    toe = toe_bone(pitch)
    # Heel up: the foot turns about its toes, which stay; toes up: about the heel, below the ankle.
    rise = np.where((pitch > 0)[..., None], toe_bone(np.zeros_like(pitch)) - toe, 0.0)
    flat = np.stack(
        [_pair(series, "foot_x"), body.ankle + _pair(series, "foot_lift"), _pair(series, "foot_z")], axis=-1
    )
    return flat + rise, toe


def _reachable_height(
    body: Body, root: np.ndarray, hip_offset: np.ndarray, ankle: np.ndarray, lift: np.ndarray
) -> np.ndarray:
    """Height of the pelvis, lowered where a leg would be too short to reach its foot, `[T]`."""
    height = root[:, 1]
    reach = _REACH * body.leg
    for i in range(2):
        away = ankle[i] - hip_offset[i] - root
        flat = away[:, 0] ** 2 + away[:, 2] ** 2
        limit = ankle[i, :, 1] - hip_offset[i, :, 1] + np.sqrt(np.maximum(reach**2 - flat, 0.01))
        limit = limit + 6 * np.maximum(lift[i], 0) ** 2  # a lifted foot does not hold the pelvis back
        gap = height - limit
        height = height - (gap + np.sqrt(gap**2 + _SOFT**2)) / 2
    return height


def _legs(
    body: Body, series: Mapping[str, np.ndarray], pelvis: np.ndarray, hip: np.ndarray, ankle: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Knees and reached ankles, `[2, T, 3]`: two bones, the knee bent towards where the pelvis faces."""
    thigh, shin = body.thigh, body.shin
    away = ankle - hip
    distance = np.sqrt((away * away).sum(-1))
    direction = away / distance[..., None]
    distance = np.clip(distance, abs(thigh - shin) + 0.12, 0.9995 * (thigh + shin))
    # The pole of the knee, in the pelvis' frame: "forward" carried along when the leg turns from straight down.
    x, y, z = np.moveaxis((direction[..., None, :] @ pelvis)[..., 0, :], -1, 0)
    divisor = np.maximum(1 - y, 0.05)
    pole = np.stack([-x * z / divisor, z, 1 - z * z / divisor], axis=-1)
    pole = (pelvis @ pole[..., None])[..., 0]
    heading = series["yaw"] + series["hip_twist"]
    # The knee looks half to where the toes point, as far as the leg stands upright.
    turn = _SIGN * _pair(series, "foot_splay") + 0.5 * (_pair(series, "foot_yaw") - heading) * direction[..., 1] ** 2
    turn = -np.radians(turn)[..., None]  # the leg points down: turning about it runs against the yaw
    pole = pole * np.cos(turn) + _cross(direction, pole) * np.sin(turn)
    pole -= (pole * direction).sum(-1, keepdims=True) * direction
    pole /= np.sqrt((pole * pole).sum(-1, keepdims=True))
    along = (thigh**2 - shin**2 + distance**2) / (2 * distance)
    across = np.sqrt(np.maximum(thigh**2 - along**2, 0.0))
    knee = hip + along[..., None] * direction + across[..., None] * pole
    return knee, hip + distance[..., None] * direction


def _trunk(body: Body, series: Mapping[str, np.ndarray], pelvis: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """Spine, neck, head and collars, written into the joints; returns the chest's rotation `[T, 3, 3]`."""
    bend = _about(1, series["twist"] / 3) @ _about(0, series["bend"] / 3) @ _about(2, -series["lean_side"] / 3)
    offsets = body.offsets
    rotation = pelvis
    for joint, parent in ((3, 0), (6, 3), (9, 6)):
        joints[:, joint] = joints[:, parent] + rotation @ offsets[joint]
        rotation = rotation @ bend
    half = _about(1, series["look"] / 2) @ _about(0, series["nod"] / 2) @ _about(2, -series["tilt"] / 2)
    neck = rotation @ half
    joints[:, 12] = joints[:, 9] + neck @ offsets[12]
    joints[:, 15] = joints[:, 12] + neck @ half @ offsets[15]
    for joint in (13, 14):
        joints[:, joint] = joints[:, 9] + rotation @ offsets[joint]
    return rotation


def _arms(body: Body, series: Mapping[str, np.ndarray], chest: np.ndarray, joints: np.ndarray) -> None:
    """Shoulders, elbows and wrists, written into the joints."""
    swing, spread = _pair(series, "arm_swing"), _pair(series, "arm_spread")
    turn, elbow = _pair(series, "arm_turn"), _pair(series, "arm_elbow")
    rotation = _about(0, -swing) @ _about(2, _SIGN * spread) @ _about(1, -_SIGN * turn)
    upper = -rotation[..., :, 1]  # a hanging arm points down
    fore = (rotation @ _about(0, -elbow))[..., :, 1] * -1
    # A raised arm takes its shoulder along: half of what it rises above the horizontal, as the shoulder blade turns.
    shrug = 28 / (1 + np.exp(-(upper[..., 1] - 0.15) * 4.5)) - 0.3
    shoulder = _about(2, _SIGN * shrug)
    for i in range(2):
        joints[:, 16 + i] = joints[:, 13 + i] + (chest @ (shoulder[i] @ body.offsets[16 + i])[..., None])[..., 0]
        joints[:, 18 + i] = joints[:, 16 + i] + body.upper_arm * (chest @ upper[i][..., None])[..., 0]
        joints[:, 20 + i] = joints[:, 18 + i] + body.forearm * (chest @ fore[i][..., None])[..., 0]
