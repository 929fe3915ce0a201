"""The way of the root over the floor: strong where the person has been, faint where they will go."""

from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageDraw

from .camera import Camera

TRAIL_INK = (20, 138, 82)
_BEHIND, _AHEAD = 255, 95  # of 255: how strong the two parts are drawn
_WIDTH = 2.3  # pixels, in a picture of 256
_FINE = 2  # lines are drawn so much finer than the picture, and averaged
_STRAIGHT, _BEND = 0.5, 0.15  # a corner every so many metres of way, or radians of turning
_SHORTEST = 0.02  # metres; the sway of someone who stands is no way
_REACH = 3.0  # metres around the person that a following camera shows
_WINDOW = 200  # corners before and behind the person that a following camera draws
_STRIP = 64  # pixels
_LIMIT = 20_000.0  # pixels; Pillow counts in integers


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
        self._passed = np.cumsum(is_corner).tolist()  # number of corners up to each frame
        self._camera = camera
        self._width = max(2, round(_FINE * _WIDTH * (min(camera.size) / 256) ** 0.7))
        # A fixed camera sees every point in one place for the whole clip.
        self._seen = None if camera.moves else self._project(self._root, 0)

    def draw(self, image: Image.Image, frame: int) -> None:
        """Draw the trail as it is in one frame.

        Args:
            image (`PIL.Image.Image`): RGB, changed in place.
            frame (`int`): which frame.
        """
        passed = self._passed[frame]
        window = _WINDOW if self._camera.moves else len(self._corners)
        before, ahead = self._corners[max(passed - window, 0) : passed], self._corners[passed : passed + window]
        here = self._root[frame : frame + 1]
        points = np.concatenate([before, here, ahead])
        xy, now = self._project(points, frame), len(before)
        shown = [True] * (len(points) - 1)
        if self._camera.moves:  # what is far away lies in the fog
            near = np.abs(points - here).max(axis=1) < _REACH
            shown = (near[1:] | near[:-1]).tolist()
        lines = [(xy[2 * a : 2 * b + 2], _AHEAD) for a, b in _runs(shown, now, len(shown))]
        self._stroke(image, lines + [(xy[2 * a : 2 * b + 2], _BEHIND) for a, b in _runs(shown, 0, now)])

    def advance(self, image: Image.Image, start: int, end: int) -> None:
        """Draw the piece of the way between two frames, on a picture of a fixed camera that already shows the rest.

        Args:
            image (`PIL.Image.Image`): RGB, changed in place.
            start (`int`): frame up to which the trail has been drawn.
            end (`int`): frame up to which it is wanted.
        """
        assert self._seen is not None, "only a fixed camera sees the rest of the trail in the same place"
        self._stroke(image, [(self._seen[2 * start : 2 * end + 2], _BEHIND)])

    def _project(self, points: np.ndarray, frame: int) -> list[float]:
        """Points on the picture, as x, y, x, y, …"""
        xy = self._camera.project(points[None], np.array([frame])).xy
        flat: list[float] = xy.clip(-_LIMIT, _LIMIT).ravel().tolist()
        return flat

    def _stroke(self, image: Image.Image, lines: list[tuple[list[float], int]]) -> None:
        """Draw lines through points x, y, x, y, … in some strengths; later ones lie on top."""
        x = [value for line, _ in lines for value in line[::2]]
        y = [value for line, _ in lines for value in line[1::2]]
        if not x:
            return
        margin = self._width
        left, top = max(int(min(x)) - margin, 0), max(int(min(y)) - margin, 0)
        right, bottom = min(int(max(x)) + margin + 1, image.width), min(int(max(y)) + margin + 1, image.height)
        if right <= left or bottom <= top:
            return
        mask = Image.new("L", (_FINE * (right - left), _FINE * (bottom - top)))
        draw = ImageDraw.Draw(mask).line
        for line, strength in lines:
            fine = [0.0] * len(line)
            fine[::2] = [_FINE * (value - left) for value in line[::2]]
            fine[1::2] = [_FINE * (value - top) for value in line[1::2]]
            draw(fine, strength, self._width)
        mask = mask.reduce(_FINE)
        # Pasting costs time for every pixel of the mask, and a thin line leaves most of it empty.
        for start in range(0, mask.width, _STRIP):
            strip = mask.crop((start, 0, min(start + _STRIP, mask.width), mask.height))
            used = strip.getbbox()
            if used:
                image.paste(TRAIL_INK, (left + start + used[0], top + used[1]), strip.crop(used))


def _runs(shown: list[bool], start: int, end: int) -> Iterator[tuple[int, int]]:
    """First and last point of each run of pieces that are shown, among the pieces from `start` to `end`."""
    first = start
    for i in range(start, end + 1):
        if i == end or not shown[i]:
            if i > first:
                yield first, i
            first = i + 1


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
