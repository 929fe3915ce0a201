"""Painter's order: which parts of the figure are drawn first, for many frames at once.

Parts are drawn from the farthest to the nearest, by the depth of their middle. The torso is too large for that: a
limb lies before or behind the place where it crosses the spine. A long bone that points towards the viewer or away is
sorted in halves, which become one part again where nothing lies between them.
"""

from typing import NamedTuple

import numpy as np

from .body import BONES, LONG_BONES, TORSO_AXIS

# Numbers of the drawn parts: whole bones, first halves and second halves of long bones, torso, head.
FIRST_HALVES = len(BONES)
SECOND_HALVES = FIRST_HALVES + LONG_BONES
BONE_PARTS = SECOND_HALVES + LONG_BONES
TORSO_PART, HEAD_PART = BONE_PARTS, BONE_PARTS + 1
# What is sorted: both halves of long bones, the short bones, torso, head.
_SORTED = np.array([*range(FIRST_HALVES, BONE_PARTS), *range(LONG_BONES, len(BONES)), TORSO_PART, HEAD_PART])
_TORSO = len(_SORTED) - 2
_NECK = _TORSO - 1
_BONE_OF = np.array([*range(LONG_BONES), *range(len(BONES))])  # the bone of each sorted part, up to the torso
_ROOTS = np.array([bone.limb for bone in BONES])
_NOTHING = -1

# A limb beside the torso is drawn over it, even if it lies so many metres behind the spine; but not a limb of the far
# side, whose root is so many metres farther away than the spine. The neck is put into the torso, unless it leans
# towards the viewer.
_BESIDE, _FAR_SIDE, _NECK_AHEAD = 0.09, 0.06, -0.12
_SPLIT_DEPTH = 0.10  # metres of depth from which a long bone is sorted in halves
_TIES = 1e-5 * np.arange(LONG_BONES, dtype=np.float32)  # metres; symmetric poses would mix the halves of their limbs
_FAR = 1e4  # metres, more than any depth


class Points(NamedTuple):
    """One quantity of all points of the figures, by kind: places `[..., 2]` in pixels, depths in metres, radii in
    pixels.

    Args:
        start (`np.ndarray`): of bones, `[n, B, ...]`.
        end (`np.ndarray`): of bones, `[n, B, ...]`.
        middle (`np.ndarray`): of long bones, `[n, L, ...]`.
        torso (`np.ndarray`): of the torso's balls, `[n, K, ...]`.
        head (`np.ndarray`): `[n, 1, ...]`.
    """

    start: np.ndarray
    end: np.ndarray
    middle: np.ndarray
    torso: np.ndarray
    head: np.ndarray


class Order(NamedTuple):
    """Parts in the order in which they are drawn.

    Args:
        parts (`list`): per frame the numbers of the parts, far to near.
        rank_first (`np.ndarray`): place of each long bone's first half in the order, `[n, L]`.
        rank_second (`np.ndarray`): place of its second half, `[n, L]`.
    """

    parts: list[list[int]]
    rank_first: np.ndarray
    rank_second: np.ndarray


def painters_order(xy: Points, depth: Points) -> Order:
    """Sort the parts of n figures.

    Args:
        xy ([`Points`]): where the points lie on the picture, any unit.
        depth ([`Points`]): how far they are from the camera, metres.

    Returns:
        [`Order`]: the order of every figure.
    """
    places, keys = [], []
    split = np.abs(depth.start - depth.end)[:, :LONG_BONES] > _SPLIT_DEPTH
    for end_xy, end_depth in ((xy.start, depth.start), (xy.end, depth.end)):
        half = split[..., None]
        places.append(np.where(half, (end_xy[:, :LONG_BONES] + xy.middle) / 2, xy.middle))
        keys.append(np.where(split, (end_depth[:, :LONG_BONES] + depth.middle) / 2, depth.middle) + _TIES)
    places.append((xy.start + xy.end)[:, LONG_BONES:] / 2)
    keys.append((depth.start + depth.end)[:, LONG_BONES:] / 2)
    place = np.concatenate([*places, xy.head], axis=1)
    key = np.concatenate([*keys, depth.head], axis=1)
    key[:, _NECK] = np.maximum(key[:, _NECK], key[:, -1] + 0.01)  # it is hidden in the head that it carries
    behind = key > _spine_depth(place, xy.torso, depth.torso) + _leeway(xy, depth)
    key = np.insert(key + np.where(behind, 2 * _FAR, 0.0), _TORSO, _FAR, axis=1)
    order = np.argsort(-key, axis=1, kind="stable")
    rank = np.argsort(order, axis=1)
    first, second = rank[:, :LONG_BONES], rank[:, LONG_BONES : 2 * LONG_BONES]

    number = np.broadcast_to(_SORTED, order.shape).copy()
    whole = np.abs(first - second) == 1
    bones = np.arange(LONG_BONES)
    for mine, other, part in (
        (first, second, slice(0, LONG_BONES)),
        (second, first, slice(LONG_BONES, 2 * LONG_BONES)),
    ):
        number[:, part] = np.where(whole, np.where(mine < other, bones, _NOTHING), number[:, part])
    drawn = np.take_along_axis(number, order, axis=1).tolist()
    return Order([[part for part in row if part != _NOTHING] for row in drawn], first, second)


def _leeway(xy: Points, depth: Points) -> np.ndarray:
    """How far behind the spine each of the sorted parts, save the torso, may lie and be drawn over the torso, `[n,
    P]`."""
    roots = xy.start[:, _ROOTS], depth.start[:, _ROOTS]
    farther = roots[1] - _spine_depth(roots[0], xy.torso, depth.torso)
    bones = _BESIDE * (1 - farther / _FAR_SIDE).clip(0, 1)
    leeway = np.full((len(bones), len(_SORTED) - 1), _BESIDE, dtype=np.float32)  # the last is the head
    leeway[:, :-1] = bones[:, _BONE_OF]
    leeway[:, _NECK] = _NECK_AHEAD
    return leeway


def _spine_depth(place: np.ndarray, torso_xy: np.ndarray, torso_depth: np.ndarray) -> np.ndarray:
    """Depth of the spine `[n, P]` where it passes nearest to `place [n, P, 2]` on the picture."""
    low, high = TORSO_AXIS
    axis = torso_xy[:, high] - torso_xy[:, low]
    along = np.einsum("npi,ni->np", place - torso_xy[:, None, low], axis)
    along = (along / np.maximum((axis**2).sum(-1), 1e-6)[:, None]).clip(0, 1)
    return torso_depth[:, low, None] + along * (torso_depth[:, high] - torso_depth[:, low])[:, None]
