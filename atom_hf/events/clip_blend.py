"""Joining two clips: the second is turned and moved to where the first ends, a few frames lead from pose to pose.

gap, second = bridge(first, second, frames=8)
np.concatenate([first, gap, second])
"""

import numpy as np

from ..motion.kinematics import bones_of, joints_of

_FEET = ((7, 10), (8, 11))  # ankle and foot, left and right
_STANDS = 0.09  # metres: height of the middle of a foot plus its way in a frame, up to which it stands


def heading(pose: np.ndarray) -> float:
    """Heading of a pose `[22, 3]`: perpendicular to hips and shoulders, radians to the left of +Z."""
    left = pose[1] - pose[2] + pose[16] - pose[17]
    return float(np.arctan2(-left[2], left[0]))


def turned(joints: np.ndarray, angle: float) -> np.ndarray:
    """Joints turned about the vertical through the origin, radians to the left."""
    cosine, sine = np.cos(angle), np.sin(angle)
    x, y, z = joints[..., 0], joints[..., 1], joints[..., 2]
    return np.stack([cosine * x + sine * z, y, cosine * z - sine * x], axis=-1)


def aligned(joints: np.ndarray, place: np.ndarray | None = None, angle: float = 0.0) -> np.ndarray:
    """A clip that starts at a place with a heading.

    Args:
        joints (`np.ndarray`): positions `[T, 22, 3]`, metres.
        place (`np.ndarray`, *optional*): where the pelvis is in the first frame, x and z; by default the origin.
        angle (`float`): heading of the first frame, radians to the left of +Z.

    Returns:
        `np.ndarray`: positions `[T, 22, 3]`, heights unchanged.
    """
    moved = turned(joints, angle - heading(joints[0]))
    start = np.zeros(2) if place is None else place
    shift = np.array([start[0] - moved[0, 0, 0], 0.0, start[1] - moved[0, 0, 2]])
    return moved + shift


def bridge(first: np.ndarray, second: np.ndarray, frames: int) -> tuple[np.ndarray, np.ndarray]:
    """Frames that lead from the end of one clip to the start of another.

    Bone directions follow cubic Hermite curves, with the velocities of both clips at the ends, and keep their lengths.
    The pelvis goes where the standing foot stays in its place: that of the first clip at first, that of the second
    clip later. The lowest joint passes over from the height it has in one clip to that in the other.

    Args:
        first (`np.ndarray`): positions `[T, 22, 3]`, metres, feet on y = 0; at least 2 frames.
        second (`np.ndarray`): the same skeleton, `[S, 22, 3]`, at any place and heading.
        frames (`int`): how many frames to put between.

    Returns:
        `tuple[np.ndarray, np.ndarray]`: the frames between, `[frames, 22, 3]`, and the second clip, moved.
    """
    second = aligned(second, first[-1, 0, [0, 2]], heading(first[-1]))
    before, after = bones_of(first[-2:]), bones_of(second[:2])
    steps = frames + 1
    u = (np.arange(1, steps) / steps)[:, None, None]
    bones = _hermite(before[1], (before[1] - before[0]) * steps, after[0], (after[1] - after[0]) * steps, u)
    lengths = np.linalg.norm(before[1], axis=-1, keepdims=True)
    bones = bones / np.maximum(np.linalg.norm(bones, axis=-1, keepdims=True), 1e-9) * lengths

    # Poses with the pelvis at the origin, from the last of the first clip to the first of the second one.
    still = joints_of(np.zeros((frames, 3)), bones)
    ends = [clip - clip[0] for clip in (first[-1], second[0])]
    poses = np.concatenate([ends[0][None], still, ends[1][None]])
    # Steps of the pelvis that keep one foot or the other where it is.
    feet = _standing(first[-2:], second[:2])
    stays = [-np.diff(poses[:, list(_FEET[foot])].mean(1), axis=0)[:, [0, 2]] for foot in feet]
    weight = (np.arange(steps) + 0.5)[:, None] / steps
    weight = weight * weight * (3 - 2 * weight)
    path = np.cumsum((1 - weight) * stays[0] + weight * stays[1], axis=0) + first[-1, 0, [0, 2]]
    lowest = poses[:, :, 1].min(-1)
    u = u[:, 0, 0]
    floor = (1 - u) * first[-1, :, 1].min() + u * second[0, :, 1].min()
    root = np.stack([path[:-1, 0], floor - lowest[1:-1], path[:-1, 1]], axis=-1)
    shift = path[-1] - second[0, 0, [0, 2]]
    second = second + np.array([shift[0], 0.0, shift[1]])
    gap = still + root[:, None]
    if feet[0] == feet[1]:
        _step(gap, 1 - feet[0], first[-1], second[0], u)
    return gap, second


def _step(gap: np.ndarray, foot: int, before: np.ndarray, after: np.ndarray, u: np.ndarray) -> None:
    """Lift the foot that is not stood on, in place, by as much as its way asks for: it steps instead of sliding."""
    hip, knee, ankle, toe = ((1, 4, 7, 10), (2, 5, 8, 11))[foot]
    way = float(np.linalg.norm((after[ankle] - before[ankle])[[0, 2]]))
    height = min(0.3 * way, 0.06) * np.sin(np.pi * u)[:, None] ** 2
    target = gap[:, ankle] + height * np.array([0.0, 1.0, 0.0])
    thigh, shin = (np.linalg.norm(before[a] - before[b]) for a, b in ((knee, hip), (ankle, knee)))
    away = target - gap[:, hip]
    distance = np.linalg.norm(away, axis=-1, keepdims=True)
    direction = away / distance
    distance = np.clip(distance, abs(thigh - shin) * 1.01, 0.9999 * (thigh + shin))
    # The knee stays on the side on which it was; toes point there too, which says where a straight knee bends.
    pole = gap[:, knee] - gap[:, hip] + 0.05 * (gap[:, toe] - gap[:, ankle])
    pole = pole - (pole * direction).sum(-1, keepdims=True) * direction
    pole = pole / np.maximum(np.linalg.norm(pole, axis=-1, keepdims=True), 1e-9)
    along = (thigh**2 - shin**2 + distance**2) / (2 * distance)
    toe_bone = gap[:, toe] - gap[:, ankle]
    gap[:, knee] = gap[:, hip] + along * direction + np.sqrt(np.maximum(thigh**2 - along**2, 0.0)) * pole
    gap[:, ankle] = gap[:, hip] + distance * direction
    gap[:, toe] = gap[:, ankle] + toe_bone


def _hermite(a: np.ndarray, m: np.ndarray, b: np.ndarray, n: np.ndarray, u: np.ndarray) -> np.ndarray:
    return a + u * (m + u * (3 * (b - a) - 2 * m - n + u * (2 * (a - b) + m + n)))


def _standing(before: np.ndarray, after: np.ndarray) -> tuple[int, int]:
    """On which foot a body stands before and after, two frames `[2, 22, 3]` each: the low and slow one, the same
    before and after if it can be."""
    costs = []
    for pair in (before, after):
        feet = [pair[:, list(joints)].mean(1) for joints in _FEET]
        costs.append([float(foot[0, 1] + np.linalg.norm(foot[1] - foot[0])) for foot in feet])
    both = [max(pair) for pair in zip(*costs, strict=True)]
    same = int(both[1] < both[0])
    if both[same] < _STANDS:
        return same, same
    return int(costs[0][1] < costs[0][0]), int(costs[1][1] < costs[1][0])
