"""Where the clip is seen from: named views relative to the way the person faces, and the projection of all frames at
once.

camera = fit_camera(joints, VIEWS["three-quarter"], size=(256, 256), follow=True)
xy, depth, scale = camera.project(joints, frames)      # pixels, metres in front of the camera, pixels per metre
"""

from typing import NamedTuple

import numpy as np

from ..motion.smoothing import gaussian_smooth

FIELD_OF_VIEW = 30.0  # degrees, along the shorter side of the picture
BODY_MARGIN = 0.16  # metres of flesh around a joint; the head needs the most
FOLLOW_SIGMA = 0.15  # seconds; a following camera that copied every sway of the hips would shake the floor
# A person who stands with arms a little apart: a following camera always leaves room for it, so that someone who lies
# or crawls is not blown up. Metres from the point of the floor below the root.
_STANDING = ((-0.45, 0.0, 0.0), (0.45, 0.0, 0.0), (0.0, 0.0, -0.45), (0.0, 0.0, 0.45), (0.0, 1.6, 0.0))


class View(NamedTuple):
    """A direction to look from.

    Args:
        azimuth (`float`): degrees around the vertical, from the direction the person faces in the first frame (0: the
            camera sees the face) towards the person's left (90: it sees the left side).
        elevation (`float`): degrees above the horizon; 90 looks straight down.
    """

    azimuth: float
    elevation: float


VIEWS: dict[str, View] = {
    "front": View(0.0, 12.0),
    "three-quarter": View(-35.0, 16.0),
    "side": View(-90.0, 12.0),  # the person's right side: who walks forwards walks from left to right
    "back": View(180.0, 12.0),
    "top": View(180.0, 90.0),  # facing up in the picture, as on a map
}


class Projection(NamedTuple):
    """Points as a camera sees them.

    Args:
        xy (`np.ndarray`): places on the picture, right and down, `[..., 2]` in pixels.
        depth (`np.ndarray`): distances from the camera along its view, `[...]` in metres.
        scale (`np.ndarray`): pixels per metre there, `[...]`.
    """

    xy: np.ndarray
    depth: np.ndarray
    scale: np.ndarray


class Camera(NamedTuple):
    """A perspective camera that may move, but never turns, during a clip.

    Args:
        size (`tuple[int, int]`): width and height in pixels.
        view ([`View`]): direction it looks from.
        axes (`np.ndarray`): rows are the picture's right and up and the direction towards the viewer, `[3, 3]`.
        targets (`np.ndarray`): point in the middle of the picture, metres, `[T, 3]`, or `[1, 3]` for a fixed camera.
        distance (`float`): metres from the camera to its target.
        focal (`float`): pixels per metre at a distance of one metre.
    """

    size: tuple[int, int]
    view: View
    axes: np.ndarray
    targets: np.ndarray
    distance: float
    focal: float

    @property
    def moves(self) -> bool:
        """Whether the camera follows the person."""
        return len(self.targets) > 1

    def target(self, frames: np.ndarray) -> np.ndarray:
        """Points in the middle of the picture.

        Args:
            frames (`np.ndarray`): numbers of frames, `[n]`.

        Returns:
            `np.ndarray`: `[n, 3]` in metres, or `[1, 3]` for a fixed camera.
        """
        return self.targets[frames] if self.moves else self.targets

    def project(self, points: np.ndarray, frames: np.ndarray) -> Projection:
        """Where points fall on the picture.

        Args:
            points (`np.ndarray`): `[n, ..., 3]` in metres.
            frames (`np.ndarray`): frame of each of the n, integers `[n]`.

        Returns:
            [`Projection`]: pixels, depth and scale.
        """
        target = self.target(frames)
        seen = (points - target.reshape(len(target), *[1] * (points.ndim - 2), 3)) @ self.axes.T
        depth = np.maximum(self.distance - seen[..., 2], 0.1)
        scale = self.focal / depth
        xy = np.empty((*seen.shape[:-1], 2), dtype=seen.dtype)
        xy[..., 0] = self.size[0] / 2 + seen[..., 0] * scale
        xy[..., 1] = self.size[1] / 2 - seen[..., 1] * scale
        return Projection(xy, depth, scale)


def check_view(camera: str | View) -> View:
    """The view that a name stands for.

    Args:
        camera (`str` or [`View`]): a name in `VIEWS`, or a view, which is given back.

    Returns:
        [`View`]: the view.

    Raises:
        ValueError: if there is no view of that name.
    """
    if isinstance(camera, View):
        return camera
    if camera not in VIEWS:
        raise ValueError(f"Expected a camera from {', '.join(VIEWS)}, or a View(azimuth, elevation), got {camera!r}.")
    return VIEWS[camera]


def camera_axes(view: View) -> np.ndarray:
    """Directions of a camera, for a person who faces +Z.

    Args:
        view ([`View`]): where it looks from.

    Returns:
        `np.ndarray`: the picture's right, its up, and the direction towards the viewer; unit vectors, rows of `[3,
        3]`.
    """
    azimuth, elevation = np.deg2rad(view)
    right = np.array([np.cos(azimuth), 0.0, -np.sin(azimuth)])
    back = np.array([np.sin(azimuth) * np.cos(elevation), np.sin(elevation), np.cos(azimuth) * np.cos(elevation)])
    return np.stack([right, np.cross(back, right), back]).astype(np.float32)


def fit_camera(
    joints: np.ndarray, view: View, size: tuple[int, int], *, follow: bool, fps: float, distance: float = 0.0
) -> Camera:
    """A camera that sees the whole body in every frame, from as near as it can.

    Args:
        joints (`np.ndarray`): positions `[T, 22, 3]` in metres, float32, over a floor at y = 0; the person faces +Z
            in the first frame.
        view ([`View`]): where to look from.
        size (`tuple[int, int]`): width and height of the picture, pixels.
        follow (`bool`): go along with the root over the floor (but never up and down: a jump stays a jump); otherwise
            stay in one place for the whole clip.
        fps (`float`): frames per second.
        distance (`float`, *optional*, defaults to 0.0): least distance in metres, for pictures that are to have one
            scale.

    Returns:
        [`Camera`]: the camera.
    """
    axes = camera_axes(view)
    ground = joints[:, 0] * np.array([1, 0, 1], dtype=np.float32)
    path = np.zeros((1, 3), dtype=np.float32)
    standing = np.array(_STANDING, dtype=np.float32)
    if follow:
        path = gaussian_smooth(ground.T, FOLLOW_SIGMA * fps).T if len(ground) > 1 else ground
    else:
        standing = standing + ground[:, None]
    seen = np.concatenate([(joints - path[:, None]).reshape(-1, 3), standing.reshape(-1, 3)]) @ axes.T
    # The middle of what is seen comes to the middle of the picture; someone who is followed walks in the middle
    # anyway.
    low, high = seen.min(0) - BODY_MARGIN, seen.max(0) + BODY_MARGIN
    right, up = (0.0 if follow else float(low[0] + high[0]) / 2), round(float(low[1] + high[1]) / 2, 1)
    targets = (path + right * axes[0] + up * axes[1]).astype(np.float32)

    focal = 0.5 * min(size) / float(np.tan(np.deg2rad(FIELD_OF_VIEW) / 2))
    aside, above = np.abs(seen[:, 0] - right) + BODY_MARGIN, np.abs(seen[:, 1] - up) + BODY_MARGIN
    needed = np.maximum(aside / size[0], above / size[1]) * 2 * focal + seen[:, 2]
    # Rounded, so that clips share what is worked out once per camera.
    distance = float(np.ceil(max(float(needed.max()), distance) * 10) / 10)
    return Camera(size, view, axes, targets, distance, focal)
