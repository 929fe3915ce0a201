"""Meshes of round things: tapered capsules, and hulls of balls.

Every vertex has a normal, and a weight for each end (or ball) that it hangs on, which becomes its skin weight.
"""

from functools import cache
from typing import NamedTuple

import numpy as np

_AROUND = 16  # corners of a ring
_LATITUDES = 4  # rings of half a ball
_SUBDIVISIONS = 3  # of the icosahedron that hulls are made of: 642 vertices


class Mesh(NamedTuple):
    """Triangles and what shades and moves them.

    Args:
        vertices (`np.ndarray`): `[V, 3]` in metres.
        normals (`np.ndarray`): unit vectors `[V, 3]`.
        triangles (`np.ndarray`): numbers of vertices `[F, 3]`, counter-clockwise seen from outside.
        holds (`np.ndarray`): which end or ball a vertex hangs on, `[V]`.
    """

    vertices: np.ndarray
    normals: np.ndarray
    triangles: np.ndarray
    holds: np.ndarray


def capsule(start: np.ndarray, end: np.ndarray, radii: tuple[float, float]) -> Mesh:
    """A tapered capsule: two balls and the cone that touches both.

    Args:
        start (`np.ndarray`): centre of the first ball, `[3]` in metres.
        end (`np.ndarray`): centre of the second.
        radii (`tuple[float, float]`): of the balls, metres.

    Returns:
        [`Mesh`]: `holds` is 0 at the start and 1 at the end.
    """
    along = end - start
    length = float(np.linalg.norm(along))
    along = along / length if length > 1e-9 else np.array([0.0, 1.0, 0.0])
    side = np.cross(along, np.eye(3)[np.abs(along).argmin()])
    side /= np.linalg.norm(side)
    other = np.cross(along, side)
    # The cone leaves the balls where its slope is theirs.
    edge = np.arcsin(np.clip((radii[0] - radii[1]) / max(length, 1e-9), -0.99, 0.99))
    around = 2 * np.pi * np.arange(_AROUND) / _AROUND
    latitudes = np.concatenate([
        np.linspace(-np.pi / 2, edge, _LATITUDES + 1)[1:], np.linspace(edge, np.pi / 2, _LATITUDES + 1)[:-1]
    ])  # fmt: skip
    rings = (
        np.cos(latitudes)[:, None, None] * (np.cos(around)[:, None] * side + np.sin(around)[:, None] * other)
        + np.sin(latitudes)[:, None, None] * along
    )
    normals = np.concatenate([-along[None], rings.reshape(-1, 3), along[None]])
    holds = np.repeat([0, 0, 1, 1], [1, _LATITUDES * _AROUND, _LATITUDES * _AROUND, 1])
    centres, sizes = np.stack([start, end]), np.array(radii)
    return Mesh(centres[holds] + sizes[holds, None] * normals, normals, _rings(len(latitudes)), holds)


@cache
def _rings(count: int) -> np.ndarray:
    """Triangles `[F, 3]` of a pole, `count` rings of `_AROUND` corners and another pole."""
    here, right = np.arange(_AROUND), (np.arange(_AROUND) + 1) % _AROUND
    last = 1 + (count - 1) * _AROUND
    pieces = [np.stack([0 * here, 1 + right, 1 + here], axis=-1)]
    for ring in range(count - 1):
        low, high = 1 + ring * _AROUND, 1 + (ring + 1) * _AROUND
        pieces += [
            np.stack([low + here, low + right, high + right], axis=-1),
            np.stack([low + here, high + right, high + here], axis=-1),
        ]
    pieces.append(np.stack([last + here, last + right, 0 * here + last + _AROUND], axis=-1))
    return np.concatenate(pieces)


def ball_hull(centres: np.ndarray, radii: np.ndarray) -> Mesh:
    """The hull of balls, like a rubber skin around them; of a single ball, the ball.

    A vertex for every direction of an icosphere: the farthest point of the balls in that direction. So normals are
    exact, and triangles between two balls are stretched and stay straight when the balls move.

    Args:
        centres (`np.ndarray`): `[K, 3]` in metres.
        radii (`np.ndarray`): `[K]` in metres.

    Returns:
        [`Mesh`]: `holds` is the number of the ball.
    """
    normals, triangles = icosphere(_SUBDIVISIONS)
    holds = (normals @ centres.T + radii).argmax(axis=1)
    return Mesh(centres[holds] + radii[holds, None] * normals, normals, triangles, holds)


@cache
def icosphere(subdivisions: int) -> tuple[np.ndarray, np.ndarray]:
    """Directions spread evenly, and the triangles between them.

    Args:
        subdivisions (`int`): how often each triangle of the icosahedron is split into four.

    Returns:
        `tuple[np.ndarray, np.ndarray]`: unit vectors `[V, 3]` and triangles `[F, 3]`.
    """
    golden = (1 + 5**0.5) / 2
    points = [np.roll([0.0, a, b * golden], shift) for shift in range(3) for a in (-1, 1) for b in (-1, 1)]
    vertices = [point / np.linalg.norm(point) for point in points]
    nearest = np.array(vertices) @ np.array(vertices).T > 0.4  # neighbours are 63 degrees apart, others 117
    triangles = [
        (a, b, c) if np.linalg.det([vertices[a], vertices[b], vertices[c]]) > 0 else (a, c, b)
        for a in range(12)
        for b in range(a + 1, 12)
        for c in range(b + 1, 12)
        if nearest[a, b] and nearest[b, c] and nearest[a, c]
    ]
    for _ in range(subdivisions):
        middles: dict[tuple[int, int], int] = {}
        split = []
        for a, b, c in triangles:
            ab, bc, ca = (_middle(vertices, middles, edge) for edge in ((a, b), (b, c), (c, a)))
            split += [(a, ab, ca), (b, bc, ab), (c, ca, bc), (ab, bc, ca)]
        triangles = split
    return np.array(vertices), np.array(triangles)


def _middle(vertices: list[np.ndarray], middles: dict[tuple[int, int], int], edge: tuple[int, int]) -> int:
    key = (min(edge), max(edge))
    if key not in middles:
        middle = vertices[edge[0]] + vertices[edge[1]]
        vertices.append(middle / np.linalg.norm(middle))
        middles[key] = len(vertices) - 1
    return middles[key]
