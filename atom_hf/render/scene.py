"""One clip seen by one camera: floor, trail, shadow, figure and label of every frame.

scene = Scene(motion, size=(256, 256), camera="side")
for image in scene.images(range(len(motion))): ...      # PIL images, one after the other
"""

from collections.abc import Callable, Iterable, Iterator

import numpy as np
from PIL import Image

from ..motion import Motion, face_forward
from .body import Body, head_tilt, place_body
from .camera import View, check_view, fit_camera
from .figure import draw_figure, figure_shapes
from .floor import Floor
from .labels import PALE, draw_text
from .mesh import MeshBody
from .shadow import draw_shadow, shadow_shapes
from .trail import Trail
from .triangles import draw_mesh

_CHUNK = 128  # frames whose geometry is worked out at once, so that memory stays flat for long clips
_SOLE = 0.03  # metres from the lowest joint to the floor
_FOLLOWED_RADIUS = 2.2  # metres of floor around a person who is followed


class Scene:
    """A clip that is ready to be drawn.

    Args:
        motion ([`Motion`]): the clip. It is turned so that the person faces the "front" camera in the first frame.
        size (`tuple[int, int]`, *optional*, defaults to `(256, 256)`): width and height of a picture, pixels.
        camera (`str` or [`View`], *optional*, defaults to `"three-quarter"`): a name in `VIEWS`, or a direction.
        follow (`bool`, *optional*, defaults to `True`): keep the person in the middle; otherwise the camera stays
            where it is and sees the whole clip.
        trail (`bool`, *optional*, defaults to `True`): draw the way of the root over the floor.
        label (`bool`, *optional*, defaults to `True`): write time and number of the frame into the corner.
        distance (`float`, *optional*, defaults to 0.0): least distance of the camera, metres.
        body ([`MeshBody`], *optional*): a body model from `load_body`, drawn instead of capsules.

    Raises:
        TypeError: if the motion is none.
        ValueError: if the camera is unknown or the size is not positive.
    """

    def __init__(
        self,
        motion: Motion,
        *,
        size: tuple[int, int] = (256, 256),
        camera: str | View = "three-quarter",
        follow: bool = True,
        trail: bool = True,
        label: bool = True,
        distance: float = 0.0,
        body: MeshBody | None = None,
    ) -> None:
        self.joints = _placed(motion)
        self.size = check_size(size)
        self.fps = motion.fps
        self.tilt = head_tilt(self.joints)
        self.camera = fit_camera(
            self.joints, check_view(camera), self.size, follow=follow, fps=motion.fps, distance=distance
        )
        around = np.abs(self.joints[:, 0] - self.camera.targets[0])[:, [0, 2]].max()
        self._mesh = None if body is None else body.fit(self.joints)
        self._floor = Floor(self.camera, _FOLLOWED_RADIUS if self.camera.moves else 1.5 + float(around))
        self._trail = Trail(self.joints, self.camera) if trail else None
        self._label_size = max(10, round(min(self.size) / 18)) if label else 0
        # What a fixed camera sees: the floor, with the trail up to a frame.
        self._walked: tuple[int, Image.Image] | None = None

    def images(self, frames: Iterable[int]) -> Iterator[Image.Image]:
        """Draw frames.

        Args:
            frames (`Iterable[int]`): their numbers, in any order.

        Yields:
            `PIL.Image.Image`: RGB.
        """
        numbers = np.fromiter(frames, dtype=np.int64)
        for start in range(0, len(numbers), _CHUNK):
            chunk = numbers[start : start + _CHUNK]
            body = place_body(self.joints[chunk], self.tilt)
            shadows = shadow_shapes(body, self.camera, chunk)
            draw = self.painter(body, chunk)
            for i, frame in enumerate(chunk.tolist()):
                image = self.background(frame)
                draw_shadow(image, shadows, i)
                draw(image, i)
                if self._label_size:
                    self._write(image, frame)
                yield image

    def painter(self, body: Body, frames: np.ndarray) -> Callable[[Image.Image, int], None]:
        """A function that draws figures: as capsules, or as the body model.

        Args:
            body ([`Body`]): where the parts of the body are.
            frames (`np.ndarray`): the frames of which it is, `[n]`.

        Returns:
            `Callable`: draws the i-th of them onto an image.
        """
        if self._mesh is None:
            figures = figure_shapes(body, self.camera, frames)
            return lambda image, i: draw_figure(image, figures, i)
        model, vertices = self._mesh.body, self._mesh.vertices(frames)
        colours = model.colours()
        return lambda image, i: draw_mesh(image, self.camera, int(frames[i]), vertices[i], model.faces, colours)

    def _write(self, image: Image.Image, frame: int) -> None:
        size = self._label_size
        end = draw_text(image, (size // 2, size // 3), f"{frame / self.fps:.1f} s", size)
        draw_text(image, (end + size // 2, size // 3), f"frame {frame}", size, PALE)

    def background(self, frame: int) -> Image.Image:
        """Floor and trail of one frame, without the figure.

        Args:
            frame (`int`): which frame.

        Returns:
            `PIL.Image.Image`: RGB.
        """
        if self.camera.moves:
            image = self._floor.image(frame)
            if self._trail:
                self._trail.draw(image, frame)
            return image
        if self._walked is None or self._walked[0] > frame:
            self._walked = 0, self._floor.image(0)
            if self._trail:
                self._trail.draw(self._walked[1], 0)
        before, image = self._walked
        if self._trail and frame > before:
            self._trail.advance(image, before, frame)
            self._walked = frame, image
        return image.copy()


def camera_distance(
    motions: Iterable[Motion],
    *,
    size: tuple[int, int] = (256, 256),
    camera: str | View = "three-quarter",
    follow: bool = True,
) -> float:
    """From how far away a camera sees all of each motion; pictures taken from there have one scale.

    Args:
        motions (`Iterable[Motion]`): clips that are to be compared.
        size, camera, follow (*optional*): as for [`Scene`].

    Returns:
        `float`: metres; 0 without motions.

    Raises:
        TypeError: if a motion is none.
        ValueError: if the camera is unknown or the size is not positive.
    """
    view, room = check_view(camera), check_size(size)
    cameras = (fit_camera(_placed(motion), view, room, follow=follow, fps=motion.fps) for motion in motions)
    return max((camera.distance for camera in cameras), default=0.0)


def check_motion(motion: Motion) -> None:
    """Raise unless `motion` is a [`Motion`].

    Args:
        motion ([`Motion`]): what came.

    Raises:
        TypeError: if it is something else.
    """
    if not isinstance(motion, Motion):
        raise TypeError(
            f"Expected a Motion, got {type(motion).__name__}; Motion(joints, fps) makes one of joints [T, 22, 3]."
        )


def check_count(name: str, count: int) -> int:
    """A number above zero.

    Args:
        name (`str`): what is counted.
        count (`int`): how many.

    Returns:
        `int`: the same.

    Raises:
        ValueError: if it is no integer or below 1.
    """
    if isinstance(count, bool) or not isinstance(count, (int, np.integer)) or count < 1:
        raise ValueError(f"Expected {name} to be an integer of at least 1, got {count!r}.")
    return int(count)


def check_size(size: tuple[int, int]) -> tuple[int, int]:
    """Width and height as two integers.

    Args:
        size (`tuple[int, int]`): width and height, pixels.

    Returns:
        `tuple[int, int]`: the same.

    Raises:
        ValueError: if they are not two integers from 16 to 8192.
    """
    values = tuple(size) if isinstance(size, (tuple, list)) else (size,)
    if len(values) != 2 or not all(isinstance(v, (int, np.integer)) and 16 <= v <= 8192 for v in values):
        raise ValueError(f"Expected a size of (width, height), two integers from 16 to 8192 pixels, got {size!r}.")
    return int(values[0]), int(values[1])


def _placed(motion: Motion) -> np.ndarray:
    """Joints of a clip above the origin, facing +Z in the first frame, with the soles on a floor at y = 0."""
    check_motion(motion)
    joints = face_forward(motion.joints.astype(np.float32))
    lowest = float(joints[..., 1].min())
    # Files differ by centimetres in where the soles are, and half a metre means an origin of its own. What lies
    # between is a person who floats or sinks, and shall be seen to.
    ground = lowest if abs(lowest) < 0.1 or abs(lowest) > 0.5 else 0.0
    return joints - np.array([joints[0, 0, 0], ground - _SOLE, joints[0, 0, 2]], dtype=np.float32)
