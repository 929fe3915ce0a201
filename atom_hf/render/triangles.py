"""Shaded triangles with hidden surfaces removed, in NumPy: correct rather than fast, for body models.

Every triangle proposes the pixels of its bounding box; those inside stay, and the nearest proposal wins each pixel.
"""

import numpy as np
from PIL import Image, ImageFilter

from .camera import Camera
from .figure import SUPERSAMPLE

_LIGHT = np.array([-0.42, 0.62, 0.66])  # towards the light: right, up, towards the viewer
_AMBIENT = 0.45
_OUTLINE = 0.30  # brightness of the outermost pixels
_PROPOSALS = 2_000_000  # at once, so that large triangles do not take all memory


def draw_mesh(
    image: Image.Image, camera: Camera, frame: int, vertices: np.ndarray, faces: np.ndarray, colours: np.ndarray
) -> None:
    """Draw one mesh onto a picture.

    Args:
        image (`PIL.Image.Image`): RGB, changed in place.
        camera ([`Camera`]): where it is seen from.
        frame (`int`): number of the frame.
        vertices (`np.ndarray`): `[V, 3]` in metres.
        faces (`np.ndarray`): triangles `[F, 3]`, counter-clockwise seen from outside.
        colours (`np.ndarray`): red, green and blue of every vertex, `[V, 3]`, from 0 to 255.
    """
    xy, depth, _ = camera.project(vertices[None], np.array([frame]))
    xy, depth = xy[0].astype(np.float64), depth[0].astype(np.float64)
    low = np.floor(xy.min(0) - 2).clip(0, camera.size).astype(int)
    high = np.ceil(xy.max(0) + 2).clip(0, camera.size).astype(int)
    if (high <= low).any():
        return
    width, height = (int(n) * SUPERSAMPLE for n in high - low)
    shaded = colours * _brightness(vertices @ camera.axes.T, faces)[:, None]
    canvas, covered = _rasterize((xy - low) * SUPERSAMPLE, depth, faces, shaded, width, height)
    mask = Image.fromarray(covered.astype(np.uint8) * 255)
    line = max(1, round(SUPERSAMPLE * min(camera.size) / 256))
    inner = np.asarray(mask.filter(ImageFilter.MinFilter(2 * line + 1))) > 0
    canvas[~inner] *= _OUTLINE
    # Empty pixels are dark, like the outline that they are averaged with at the border.
    figure = Image.fromarray(canvas.clip(0, 255).astype(np.uint8)).reduce(SUPERSAMPLE)
    image.paste(figure, (int(low[0]), int(low[1])), mask.reduce(SUPERSAMPLE))


def _brightness(seen: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Light on every vertex `[V]`, from the normals of its triangles; `seen [V, 3]` in the camera's directions."""
    a, b, c = (seen[faces[:, i]] for i in range(3))
    normals = np.cross(b - a, c - a)
    total = np.zeros_like(seen)
    for i in range(3):
        np.add.at(total, faces[:, i], normals)
    total /= np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-12)
    brightness: np.ndarray = _AMBIENT + (1.12 - _AMBIENT) * (total @ _LIGHT / np.linalg.norm(_LIGHT)).clip(0)
    return brightness


def _rasterize(
    xy: np.ndarray, depth: np.ndarray, faces: np.ndarray, colours: np.ndarray, width: int, height: int
) -> tuple[np.ndarray, np.ndarray]:
    """Colours `[height, width, 3]` and whether a pixel is covered `[height, width]`."""
    corners = xy[faces]  # [F, 3, 2]
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    area = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
    low = np.ceil(corners.min(1) - 0.5).clip(0, (width, height)).astype(int)
    high = np.floor(corners.max(1) + 0.5).clip(0, (width, height)).astype(int)
    spans = (high - low).clip(0)
    # Front sides only: counter-clockwise outside is clockwise on a picture whose y points down.
    drawn = np.flatnonzero((area < 0) & (spans > 0).all(1))
    nearest = np.full(width * height, np.inf)
    canvas = np.zeros((width * height, 3))
    counts = spans[drawn].prod(1)
    part_of = np.cumsum(counts) // _PROPOSALS
    for part in np.unique(part_of):
        chosen = drawn[part_of == part]
        face, x, y = _boxes(low[chosen], spans[chosen])
        face = chosen[face]
        px, py = x + 0.5, y + 0.5
        weights = np.empty((len(face), 3))
        for i in range(3):
            start, end = corners[face, (i + 1) % 3], corners[face, (i + 2) % 3]
            turn = (end - start)[:, 0] * (py - start[:, 1]) - (end - start)[:, 1] * (px - start[:, 0])
            weights[:, i] = turn / area[face]
        inside = (weights >= 0).all(1)
        face, weights, pixel = face[inside], weights[inside], (y * width + x)[inside]
        away = (weights * depth[faces[face]]).sum(1)
        order = np.argsort(-away)  # far to near: the last assignment of a pixel stays
        order = order[away[order] < nearest[pixel[order]]]
        nearest[pixel[order]] = away[order]
        canvas[pixel[order]] = (weights[order, :, None] * colours[faces[face[order]]]).sum(1)
    return canvas.reshape(height, width, 3), np.isfinite(nearest).reshape(height, width)


def _boxes(low: np.ndarray, spans: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every pixel of every box: number of the box, x and y."""
    counts = spans.prod(1)
    box = np.repeat(np.arange(len(counts)), counts)
    within = np.arange(len(box)) - np.repeat(np.cumsum(counts) - counts, counts)
    return box, low[box, 0] + within % spans[box, 0], low[box, 1] + within // spans[box, 0]
