"""Polygons around round things in a plane, for many frames at once: capsules and hulls of balls."""

from functools import cache
from typing import Any

import numpy as np

Corners = Any  # float32 arrays, which Pillow reads as x, y, x, y, … without a detour over lists

FINE_FROM = 320  # pixels; larger pictures get rounder corners


def detail_for(size: tuple[int, int]) -> int:
    """How round things are drawn.

    Args:
        size (`tuple[int, int]`): width and height of the picture, pixels.

    Returns:
        `int`: corners of a quarter of a circle.
    """
    return 2 if min(size) < FINE_FROM else 4


@cache
def _half_circle(detail: int) -> tuple[np.ndarray, np.ndarray]:
    """Corners of the round end of a bone: how far backwards along the bone, and how far across it."""
    angles = np.linspace(0, np.pi, 2 * detail + 1)
    return -np.sin(angles).astype(np.float32), np.cos(angles).astype(np.float32)


@cache
def _directions(detail: int) -> np.ndarray:
    angles = np.arange(8 * detail) * (np.pi / (4 * detail))
    return np.stack([np.cos(angles), np.sin(angles)], axis=-1).astype(np.float32)


def bone_directions(starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Directions of bones.

    Args:
        starts (`np.ndarray`): one end of each, `[..., 2]` in any unit.
        ends (`np.ndarray`): the other end, `[..., 2]`.

    Returns:
        `np.ndarray`: unit vectors `[..., 2]`; (0, 1) where a bone is a point.
    """
    along = ends - starts
    length = np.sqrt(np.einsum("...i,...i->...", along, along))[..., None]
    return np.where(length > 1e-3, along / np.maximum(length, 1e-3), np.array([0, 1], dtype=np.float32))


def capsule_corners(
    starts: np.ndarray,
    ends: np.ndarray,
    along: np.ndarray,
    radii: np.ndarray,
    detail: int,
    rounding: np.ndarray | float = 1.0,
) -> np.ndarray:
    """Outlines of capsules.

    Args:
        starts (`np.ndarray`): one end of each, `[n, K, 2]` in any unit.
        ends (`np.ndarray`): the other end, `[n, K, 2]`.
        along (`np.ndarray`): `bone_directions` of the two, `[n, K, 2]`.
        radii (`np.ndarray`): at both ends, `[n, K, 2]`, same unit.
        detail (`int`): corners of a quarter of a circle.
        rounding (`np.ndarray`, *optional*, defaults to 1.0): per end `[n, K, 2]`: 1 for a half circle, 0 for a
            straight cut.

    Returns:
        `np.ndarray`: corners `[n, K, 4 * detail + 2, 2]`, float32.
    """
    back, across = _half_circle(detail)
    per_end = len(back)
    reach = radii * rounding
    corners = np.empty((*radii.shape[:-1], 2 * per_end, 2), dtype=np.float32)
    for end, (centre, sign) in enumerate(((starts, 1), (ends, -1))):
        forth = reach[..., end, None] * (sign * back)
        aside = radii[..., end, None] * (sign * across)
        part = corners[..., end * per_end : (end + 1) * per_end, :]
        part[..., 0] = centre[..., None, 0] + forth * along[..., None, 0] - aside * along[..., None, 1]
        part[..., 1] = centre[..., None, 1] + forth * along[..., None, 1] + aside * along[..., None, 0]
    return corners


def hull_corners(centres: np.ndarray, radii: np.ndarray, detail: int) -> np.ndarray:
    """Outline of the convex hull of balls.

    Args:
        centres (`np.ndarray`): `[n, K, 2]` in any unit.
        radii (`np.ndarray`): `[n, K]`, same unit.
        detail (`int`): half as many corners as a quarter of the hull gets.

    Returns:
        `np.ndarray`: corners `[n, 8 * detail, 2]`, float32: in each direction the farthest point.
    """
    directions = _directions(detail)
    reach = centres @ directions.T + radii[..., None]  # [n, K, directions]
    farthest = reach.argmax(axis=1)
    frames = np.arange(len(centres))[:, None]
    corners: np.ndarray = centres[frames, farthest] + radii[frames, farthest, None] * directions
    return corners.astype(np.float32, copy=False)
