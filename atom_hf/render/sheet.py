"""A whole clip in one picture: the sheet that judges see, a strip, two views; and the same frames one by one.

render_sheet(motion)                                    # 4 x 3 frames, 1024 x 768
render_sheet(motion, layout="strip", caption="a person waves")
front_and_side = render_views(motion, frames=4)
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from ..motion import Motion
from .camera import View
from .floor import SKY
from .labels import caption_band
from .mesh import MeshBody
from .scene import Scene, check_count, check_motion, check_size
from .trajectory import render_trajectory

_GAP = (204, 204, 204)  # the line between two cells
# Frames and size that a layout has if none are asked for.
LAYOUTS: dict[str, tuple[int, tuple[int, int]]] = {
    "grid": (12, (1024, 768)),
    "strip": (6, (1536, 256)),
    "views": (5, (1024, 512)),
    "trajectory": (8, (1024, 512)),
}


def render_sheet(
    motion: Motion,
    *,
    frames: int | None = None,
    columns: int = 4,
    size: tuple[int, int] | None = None,
    stride: int | None = None,
    camera: str | View = "three-quarter",
    follow: bool = True,
    layout: str = "grid",
    caption: str | None = None,
    label: bool = True,
    trail: bool = True,
    body: MeshBody | None = None,
) -> Image.Image:
    """One picture that shows a motion: the image that a vision judge gets.

    The person's left arm and leg are blue, the right ones orange; a dark visor and a nose show where the face is.

    Args:
        motion ([`Motion`]): what to show, of any length and frame rate.
        frames (`int`, *optional*): how many frames, from the first to the last. A shorter motion shows each frame
            once, in larger cells. Defaults to 12 in a grid, 6 in a strip, 5 a view, and at most 8 poses along the
            trajectory.
        columns (`int`, *optional*, defaults to 4): frames a row of the grid.
        size (`tuple[int, int]`, *optional*): width and height, pixels. Defaults to (1024, 768) for a grid, (1536,
            256) for a strip, (1024, 512) otherwise.
        stride (`int`, *optional*): take every `stride`-th frame from the first on, at most `frames` of them, instead
            of spreading them evenly. Of no effect on "trajectory".
        camera (`str` or [`View`], *optional*, defaults to `"three-quarter"`): "front", "three-quarter", "side",
            "back" or "top", relative to the way the person faces in the first frame, or any direction. Of no effect
            on "views".
        follow (`bool`, *optional*, defaults to `True`): keep the person in the middle of each cell, with the floor
            passing by; otherwise every cell shows the place of the whole clip. Of no effect on "trajectory".
        layout (`str`, *optional*, defaults to `"grid"`): "grid" (rows, in reading order), "strip" (one row), "views"
            (front and side, a row each; see `render_views`) or "trajectory" (poses along the way; see
            `render_trajectory`).
        caption (`str`, *optional*): text above the frames; what does not fit into two lines is cut off.
        label (`bool`, *optional*, defaults to `True`): write the time in seconds and the frame's number into each
            cell.
        trail (`bool`, *optional*, defaults to `True`): draw the way of the root over the floor.
        body ([`MeshBody`], *optional*): a body model from `load_body`, drawn instead of capsules.

    Returns:
        `PIL.Image.Image`: RGB, of exactly the size asked for.

    Raises:
        TypeError: if the motion is none.
        ValueError: if the layout or the camera is unknown, or a number is out of range.
    """
    if layout not in LAYOUTS:
        raise ValueError(
            f"Expected a layout from {', '.join(LAYOUTS)}, got {layout!r}; render_frames gives single frames."
        )
    usual_frames, usual_size = LAYOUTS[layout]
    frames, size = usual_frames if frames is None else frames, usual_size if size is None else size
    if layout == "trajectory":
        return render_trajectory(
            motion, frames=frames, size=size, camera=camera, caption=caption, label=label, trail=trail, body=body
        )
    shared: dict[str, Any] = {"stride": stride, "follow": follow, "caption": caption}
    shared |= {"frames": frames, "size": size, "label": label, "trail": trail, "body": body}
    if layout == "views":
        return render_views(motion, **shared)
    if layout == "strip":
        return render_strip(motion, camera=camera, **shared)
    indices = choose_frames(motion, frames, stride)
    columns = min(check_count("columns", columns), len(indices))
    canvas = _canvas(size, caption, columns, -(-len(indices) // columns))
    scene = Scene(motion, size=canvas.cell, camera=camera, follow=follow, label=label, trail=trail, body=body)
    return _fill(canvas, scene.images(indices))


def render_strip(
    motion: Motion,
    *,
    frames: int = 6,
    size: tuple[int, int] = (1536, 256),
    stride: int | None = None,
    camera: str | View = "three-quarter",
    follow: bool = True,
    caption: str | None = None,
    label: bool = True,
    trail: bool = True,
    body: MeshBody | None = None,
    distance: float = 0.0,
) -> Image.Image:
    """Frames in one row.

    Args:
        motion ([`Motion`]): what to show.
        frames (`int`, *optional*, defaults to 6): how many, from the first to the last; fewer if the motion is
            shorter.
        size (`tuple[int, int]`, *optional*, defaults to `(1536, 256)`): width and height, pixels.
        stride, camera, follow, caption, label, trail, body (*optional*): as for `render_sheet`.
        distance (`float`, *optional*, defaults to 0.0): least distance of the camera, metres; see `camera_distance`.

    Returns:
        `PIL.Image.Image`: RGB, of exactly the size asked for.

    Raises:
        TypeError: if the motion is none.
        ValueError: if the camera is unknown or a number is out of range.
    """
    indices = choose_frames(motion, frames, stride)
    canvas = _canvas(size, caption, len(indices), 1)
    scene = Scene(
        motion, size=canvas.cell, camera=camera, follow=follow, label=label, trail=trail, body=body, distance=distance
    )
    return _fill(canvas, scene.images(indices))


def render_views(
    motion: Motion,
    *,
    cameras: Sequence[str | View] = ("front", "side"),
    frames: int = 5,
    size: tuple[int, int] = (1024, 512),
    stride: int | None = None,
    follow: bool = True,
    caption: str | None = None,
    label: bool = True,
    trail: bool = True,
    body: MeshBody | None = None,
) -> Image.Image:
    """The same frames seen by several cameras, a row each, in one scale.

    Args:
        motion ([`Motion`]): what to show.
        cameras (`Sequence[str | View]`, *optional*, defaults to `("front", "side")`): the views, from top to bottom.
        frames (`int`, *optional*, defaults to 5): frames a row.
        size, stride, follow, caption, label, trail, body (*optional*): as for `render_sheet`.

    Returns:
        `PIL.Image.Image`: RGB, of exactly the size asked for.

    Raises:
        TypeError: if the motion is none.
        ValueError: if there is no camera, one is unknown, or a number is out of range.
    """
    views = [cameras] if isinstance(cameras, (str, View)) else list(cameras)
    if not views:
        raise ValueError("Expected at least one camera, got none.")
    indices = choose_frames(motion, frames, stride)
    canvas = _canvas(size, caption, len(indices), len(views))
    options: dict[str, Any] = {"size": canvas.cell, "follow": follow, "label": label, "trail": trail, "body": body}
    distance = max(Scene(motion, camera=view, **options).camera.distance for view in views)
    scenes = [Scene(motion, camera=view, distance=distance, **options) for view in views]
    return _fill(canvas, (image for scene in scenes for image in scene.images(indices)))


def render_frames(
    motion: Motion,
    *,
    frames: int = 12,
    stride: int | None = None,
    size: tuple[int, int] = (512, 512),
    camera: str | View = "three-quarter",
    follow: bool = True,
    label: bool = True,
    trail: bool = True,
    body: MeshBody | None = None,
    distance: float = 0.0,
) -> list[Image.Image]:
    """Frames as pictures of their own.

    Args:
        motion ([`Motion`]): what to show.
        frames (`int`, *optional*, defaults to 12): how many, from the first to the last; fewer if the motion is
            shorter.
        size (`tuple[int, int]`, *optional*, defaults to `(512, 512)`): width and height of each, pixels.
        stride, camera, follow, label, trail, body (*optional*): as for `render_sheet`.
        distance (`float`, *optional*, defaults to 0.0): least distance of the camera, metres; see `camera_distance`.

    Returns:
        `list[PIL.Image.Image]`: RGB pictures in order of time.

    Raises:
        TypeError: if the motion is none.
        ValueError: if the camera is unknown or a number is out of range.
    """
    scene = Scene(
        motion, size=size, camera=camera, follow=follow, label=label, trail=trail, body=body, distance=distance
    )
    return list(scene.images(choose_frames(motion, frames, stride)))


def choose_frames(motion: Motion, frames: int, stride: int | None = None) -> np.ndarray:
    """Numbers of the frames that are shown.

    Args:
        motion ([`Motion`]): the motion.
        frames (`int`): how many.
        stride (`int`, *optional*): their distance, from the first frame on; spread evenly from first to last without
            it.

    Returns:
        `np.ndarray`: integers `[n]`, n = `frames` or fewer, in order of time.

    Raises:
        TypeError: if the motion is none.
        ValueError: if a number is not above zero.
    """
    check_motion(motion)
    count = check_count("frames", frames)
    if stride is not None:
        return np.arange(0, len(motion), check_count("stride", stride))[:count]
    return np.linspace(0, len(motion) - 1, min(count, len(motion))).round().astype(np.int64)


class _Canvas(NamedTuple):
    """A picture with its caption, and where the cells are: their size, and left and top of columns and rows."""

    image: Image.Image
    cell: tuple[int, int]
    lefts: list[int]
    tops: list[int]


def _canvas(size: tuple[int, int], caption: str | None, columns: int, rows: int) -> _Canvas:
    width, height = check_size(size)
    image = Image.new("RGB", (width, height), (SKY, SKY, SKY))
    top = 0
    if caption:
        band = caption_band(caption, width, max(12, min(width, height) // 42))
        image.paste(band, (0, 0))
        top = band.height
    room = max(height - top, 0)
    cell = (
        -(-width // columns),
        -(-room // rows),
    )  # where sizes cannot be divided, the next cell covers the last pixel
    if min(cell) < 16:
        raise ValueError(
            f"Expected room for {columns} x {rows} frames of at least 16 pixels, got a picture of {width} x {height}."
        )
    lefts = [column * width // columns for column in range(columns)]
    return _Canvas(image, cell, lefts, [top + row * room // rows for row in range(rows)])


def _fill(canvas: _Canvas, pictures: Iterable[Image.Image]) -> Image.Image:
    """Paste pictures into the cells in reading order, with thin lines between them."""
    image, columns = canvas.image, len(canvas.lefts)
    for i, picture in enumerate(pictures):
        image.paste(picture, (canvas.lefts[i % columns], canvas.tops[i // columns]))
    draw = ImageDraw.Draw(image)
    for left in canvas.lefts[1:]:
        draw.line((left, canvas.tops[0], left, image.height), _GAP)
    for top in canvas.tops[1:]:
        draw.line((0, top, image.width, top), _GAP)
    return image
