"""The way of the root over the floor: strong where the person has been, faint where they will go.

Pillow cannot draw smooth lines, and averaging a finer picture of the whole floor would cost more than everything else. A trail
covers few pixels, so their shares are worked out here: column by column for flat pieces, row by row for steep ones.
"""

from typing import NamedTuple

import numpy as np

from .camera import Camera

_INK = (20, 138, 82)
_BEHIND, _AHEAD = 1.0, 0.38  # how strong the two parts are drawn
_WIDTH = 2.2  # pixels, in a picture of 256
_STRAIGHT, _BEND = 0.5, 0.06  # a corner every so many metres of way, or radians of turning
_SHORTEST = 0.02  # metres; the sway of someone who stands is no way
_WINDOW = 200  # corners before and behind the person that a following camera draws

Planes = tuple[np.ndarray, np.ndarray, np.ndarray]  # red, green and blue of a picture, each uint8 [height, width]


class Trail:
    """The root's way, drawn frame by frame.

    Args:
        joints (`np.ndarray`): positions `[T, 22, 3]` in metres over the floor at y = 0, float32.
        camera ([`Camera`]): where it is seen from.
    """

    def __init__(self, joints: np.ndarray, camera: Camera) -> None:
        self._root = joints[:, 0] * np.array([1, 0, 1], dtype=np.float32)
        is_corner = _corners(self._root)
        self._corners = self._root[is_corner]
        self._passed = np.cumsum(is_corner)  # number of corners up to each frame
        self._camera = camera
        self._width = _WIDTH * (min(camera.size) / 256) ** 0.7

    def draw(self, planes: Planes, frame: int) -> None:
        """Draw the trail as it is in one frame.

        Args:
            planes (`tuple[np.ndarray, ...]`): red, green and blue `[height, width]`, uint8 from 0 to 255, changed in place.
            frame (`int`): which frame.
        """
        passed = int(self._passed[frame])
        window = _WINDOW if self._camera.moves else len(self._corners)
        here = self._root[frame : frame + 1]
        before, ahead = self._corners[max(passed - window, 0) : passed], self._corners[passed : passed + window]
        xy = self._project(np.concatenate([before, here, ahead]), frame)
        _draw_line(planes, xy[len(before) :], self._width, _AHEAD)
        _draw_line(planes, xy[: len(before) + 1], self._width, _BEHIND)

    def advance(self, planes: Planes, start: int, end: int) -> tuple[int, int, int, int]:
        """Draw the piece of the way between two frames, on a picture of a fixed camera that already shows the rest.

        Args:
            planes (`tuple[np.ndarray, ...]`): red, green and blue `[height, width]`, uint8 from 0 to 255, changed in place.
            start (`int`): frame up to which the trail has been drawn.
            end (`int`): frame up to which it is wanted.

        Returns:
            `tuple[int, int, int, int]`: left, top, right and bottom of what has changed, pixels.
        """
        between = self._corners[self._passed[start] : self._passed[end]]
        points = np.concatenate([self._root[start : start + 1], between, self._root[end : end + 1]])
        xy = self._project(points, end)
        _draw_line(planes, xy, self._width, _BEHIND)
        margin = self._width + 2
        (left, top), (right, bottom) = (xy.min(0) - margin).tolist(), (xy.max(0) + margin).tolist()
        width, height = self._camera.size
        return max(int(left), 0), max(int(top), 0), min(int(right) + 1, width), min(int(bottom) + 1, height)

    def _project(self, points: np.ndarray, frame: int) -> np.ndarray:
        return self._camera.project(points[None], np.array([frame])).xy[0]


def _corners(root: np.ndarray) -> np.ndarray:
    """Whether the way bends in a frame, or has gone straight for long enough, `[T]`."""
    way = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(root, axis=0), axis=-1))])
    moved = np.concatenate([[True], np.diff(np.floor(way / _SHORTEST)) > 0])
    moved[-1] = True
    points, at = root[moved], np.flatnonzero(moved)
    step = np.diff(points[:, [0, 2]], axis=0)
    heading = np.arctan2(step[:, 0], step[:, 1])
    turned = np.abs((np.diff(heading) + np.pi) % (2 * np.pi) - np.pi)
    progress = way[moved] / _STRAIGHT
    progress[2:] += np.cumsum(turned) / _BEND
    corner = np.concatenate([[True], np.diff(np.floor(progress)) > 0])
    corner[-1] = True
    kept = np.zeros(len(root), dtype=bool)
    kept[at[corner]] = True
    return kept


class _Cover(NamedTuple):
    """Pixels under a line, as indices into a flattened plane, and how much of each it covers, from 0 to 1."""

    pixels: np.ndarray
    share: np.ndarray


def _draw_line(planes: Planes, xy: np.ndarray, width: float, strength: float) -> None:
    if len(xy) < 2:
        return
    cover = _cover(xy, width, planes[0].shape)
    share = cover.share * strength
    for plane, ink in zip(planes, _INK, strict=True):
        flat = plane.reshape(-1)
        old = flat[cover.pixels]
        flat[cover.pixels] = old + (ink - old.astype(np.float32)) * share + 0.5


def _cover(xy: np.ndarray, width: float, shape: tuple[int, ...]) -> _Cover:
    """Pixels under the line through `xy [M, 2]`."""
    size = np.array([shape[1], shape[0]], dtype=np.float32)
    inside = ((np.maximum(xy[1:], xy[:-1]) > -width) & (np.minimum(xy[1:], xy[:-1]) < size + width)).all(axis=1)
    start, end = xy[:-1][inside], xy[1:][inside]
    # Along the axis in which a piece is longer, it has one place per pixel; across it, it covers a few pixels.
    steep = np.abs(end - start)[:, 1] > np.abs(end - start)[:, 0]
    swap = steep[:, None]
    start, end = np.where(swap, start[:, ::-1], start), np.where(swap, end[:, ::-1], end)
    turn = (start[:, 0] > end[:, 0])[:, None]
    start, end = np.where(turn, end, start), np.where(turn, start, end)
    room, side = np.where(steep, shape[0], shape[1]), np.where(steep, shape[1], shape[0])
    slope = (end - start)[:, 1] / np.maximum((end - start)[:, 0], 1e-6)
    first = np.floor(start[:, 0]).clip(0, room).astype(np.int64)
    last = np.ceil(end[:, 0]).clip(0, room).astype(np.int64)
    count = np.maximum(last - first, 0)

    piece = np.repeat(np.arange(len(count)), count)
    place = np.arange(len(piece)) - np.repeat(np.cumsum(count) - count, count) + first[piece]
    middle = start[piece, 1] + (place + 0.5 - start[piece, 0]) * slope[piece]
    half = (width / 2) * np.sqrt(1 + slope[piece] ** 2)
    reach = int(np.ceil(width * 1.5)) + 2
    across = np.floor(middle - half).astype(np.int64)[:, None] + np.arange(reach)
    share = (half + 0.5)[:, None] - np.abs(across + 0.5 - middle[:, None])
    steep, place = steep[piece, None], place[:, None]
    keep = (share > 0) & (across >= 0) & (across < side[piece, None])
    pixels = np.where(steep, place * shape[1] + across, across * shape[1] + place)
    return _Cover(pixels[keep], np.minimum(share[keep], 1.0).astype(np.float32))
