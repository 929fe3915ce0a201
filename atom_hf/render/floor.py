"""The floor: a grid of square cells that fades into the distance and passes by below a following camera.

Where every pixel meets the floor is worked out once per camera. A frame adds how far the camera has moved, in
integers that wrap around at the border of a cell.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from PIL import Image

from .camera import Camera, View, camera_axes

SKY = 247  # grey levels, 0 to 255
FLOOR_INK, LINE_INK = 229, 188
_LINE_WIDTH = 1.15  # pixels
CELL = 0.5  # metres
_CELL_PIXELS = 22  # cells are doubled in size until they are about that wide
_SMALL = 320 * 320  # pixels of a picture whose map is kept
_TURN = 65536  # a cell in the integers of `phases`


class _Map(NamedTuple):
    """What a camera sees of the floor, per pixel of the rows from `top` downwards."""

    top: int
    cell: float  # metres
    phases: tuple[np.ndarray, np.ndarray]  # place in the cell along x and z; int16, which wraps around
    slopes: tuple[np.ndarray, np.ndarray]  # by how many grey levels a unit of phase away from a line is lighter
    line: np.ndarray  # grey level in the middle of a line
    plain: np.ndarray  # grey level between lines


class Floor:
    """The empty floor as a camera sees it.

    Args:
        camera ([`Camera`]): the camera.
        radius (`float`): metres around the middle of the picture within which the grid does not fade.
    """

    def __init__(self, camera: Camera, radius: float) -> None:
        self._camera = camera
        height = round(float(camera.targets[0, 1]), 2)
        look = _look_small if camera.size[0] * camera.size[1] <= _SMALL else _look
        self._map = look(camera.size, camera.view, camera.distance, camera.focal, height, round(radius, 1))
        shape = self._map.plain.shape
        self._whole = np.empty(shape, dtype=np.int16)
        self._near, self._other = np.empty((2, *shape), dtype=np.float32)
        width, rows = camera.size
        self._grey = np.full((rows, width), SKY, dtype=np.uint8)

    def image(self, frame: int) -> Image.Image:
        """The floor in one frame.

        Args:
            frame (`int`): which frame.

        Returns:
            `PIL.Image.Image`: RGB.
        """
        target = self._camera.targets[frame if self._camera.moves else 0]
        near, other, seen = self._near, self._other, self._map
        for out, axis, place in ((near, 0, target[0]), (other, 1, target[2])):
            moved = 2 * int(float(place) / seen.cell % 1.0 * (_TURN // 2)) % _TURN
            np.add(seen.phases[axis], np.array(moved, dtype=np.uint16).view(np.int16), out=self._whole)
            np.absolute(self._whole, out=self._whole)  # to the nearest line on either side
            np.multiply(self._whole, seen.slopes[axis], out=out)
        np.minimum(near, other, out=near)
        np.add(near, seen.line, out=near)
        np.minimum(near, seen.plain, out=near)
        np.copyto(self._grey[seen.top :], near, casting="unsafe")
        grey = Image.fromarray(self._grey)
        return Image.merge("RGB", (grey, grey, grey))


def _look(size: tuple[int, int], view: View, distance: float, focal: float, height: float, radius: float) -> _Map:
    """Look through every pixel of a camera `distance` metres away from a target `height` metres above the floor."""
    width, rows = size
    right, up, back = camera_axes(view).astype(np.float64)
    x = (np.arange(width) + 0.5 - width / 2) / focal
    y = (rows / 2 - np.arange(rows) - 0.5) / focal
    eye = back * distance + np.array([0, height, 0])
    falling = (
        back[1] - y * up[1]
    )  # per metre of depth; the same for a whole row, since cameras are not tilted sideways
    hits = np.flatnonzero(falling > eye[1] / (40 * radius + distance))
    top = int(hits[0]) if 2 <= len(hits) else rows
    depth = (eye[1] / falling[top:])[:, None]
    points = [eye[axis] + depth * (x * right[axis] + (y[top:, None] * up[axis] - back[axis])) for axis in (0, 2)]
    fog = ((np.hypot(*points) - radius) / (0.8 * radius)).clip(0, 1)
    fog = fog * fog * (3 - 2 * fog)

    cell = CELL * 2.0 ** max(0, int(np.ceil(np.log2(_CELL_PIXELS / (focal / distance * CELL)))))
    phases, slopes, widest = [], [], np.zeros((rows - top, width))
    for point in points:
        cells = point / cell
        step = np.hypot(*np.gradient(cells)) if cells.size else cells  # from pixel to pixel
        widest = np.maximum(widest, step)
        # Odd numbers, to which even ones are added: the one number that has no absolute value does not occur.
        phases.append((np.floor(cells * _TURN).astype(np.int64) % _TURN | 1).astype(np.uint16).view(np.int16))
        slopes.append(1 / np.maximum(step * _TURN, 1e-6))
    crowded = (1.6 - 5 * widest).clip(0, 1)  # lines only a few pixels from each other would flicker
    contrast = (FLOOR_INK - LINE_INK) * (1 - fog) * crowded
    plain = FLOOR_INK + (SKY - FLOOR_INK) * fog + 0.5
    line = plain - contrast * (_LINE_WIDTH / 2 + 0.5)
    clear = np.flatnonzero((fog < 1).any(axis=1))
    skip = int(clear[0]) if len(clear) else rows - top  # rows of nothing but fog

    def kept(values: np.ndarray, kind: type = np.float32) -> np.ndarray:
        return np.ascontiguousarray(values[skip:], dtype=kind)

    return _Map(
        top + skip,
        cell,
        (kept(phases[0], np.int16), kept(phases[1], np.int16)),
        (kept(slopes[0] * contrast), kept(slopes[1] * contrast)),
        kept(line),
        kept(plain),
    )


_look_small = lru_cache(maxsize=64)(_look)  # a megabyte each: enough for the clips of a data set, seen by one camera
