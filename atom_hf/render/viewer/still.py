"""What is shown where a browser cannot draw: a still of moments, or a video."""

import io
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from ..camera import View
from ..scene import camera_distance
from ..sheet import render_strip
from ..video import render_side_by_side, render_video
from .clips import ViewerClip

_GAP = (204, 204, 204)  # the line between two rows
_QUALITY = 60  # of WebP
_VIDEO_FPS = 20.0


def viewer_still(
    clips: Sequence[ViewerClip], *, camera: str | View = "three-quarter", size: tuple[int, int] = (960, 256)
) -> bytes:
    """A picture of some moments of each clip, a row each, in one scale.

    Args:
        clips (`Sequence[ViewerClip]`): from top to bottom.
        camera (`str` or [`View`], *optional*, defaults to `"three-quarter"`): where it is seen from.
        size (`tuple[int, int]`, *optional*, defaults to `(960, 256)`): width and height of a row, pixels.

    Returns:
        `bytes`: a WebP file.

    Raises:
        ValueError: if there is no clip, or the camera is unknown.
    """
    if not clips:
        raise ValueError("Expected at least one clip, got none.")
    width, height = size
    cells = max(1, round(width / height))
    cell = (max(16, width // cells), height)
    distance = camera_distance([clip.motion for clip in clips], size=cell, camera=camera)
    picture = Image.new("RGB", (width, len(clips) * height + (len(clips) - 1) * 2), _GAP)
    for row, clip in enumerate(clips):
        strip = render_strip(
            clip.motion, frames=cells, size=size, camera=camera, caption=clip.label or None, distance=distance
        )
        picture.paste(strip, (0, row * (height + 2)))
    file = io.BytesIO()
    picture.save(file, "WEBP", quality=_QUALITY, method=4)
    return file.getvalue()


def viewer_video(
    clips: Sequence[ViewerClip], *, budget: int, camera: str | View = "three-quarter", follow: bool = True
) -> bytes | None:
    """A video of the clips side by side, if it can be written and is small enough.

    Args:
        clips (`Sequence[ViewerClip]`): from left to right.
        budget (`int`): most bytes.
        camera (`str` or [`View`], *optional*, defaults to `"three-quarter"`): where it is seen from.
        follow (`bool`, *optional*, defaults to `True`): whether the camera goes along.

    Returns:
        `bytes`: an MP4 file; `None` without PyAV, or beyond the budget.
    """
    view: dict[str, Any] = {"camera": camera, "follow": follow, "crf": 28, "fps": _VIDEO_FPS}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "motion.mp4"
        try:
            if len(clips) == 1:
                render_video(clips[0].motion, path, size=(360, 360), **view)
            else:
                labels = [clip.label or "ABCD"[i] for i, clip in enumerate(clips)]
                size = (320 * len(clips), 340)
                render_side_by_side([clip.motion for clip in clips], path, labels=labels, size=size, **view)
        except ImportError:
            return None
        film = path.read_bytes()
    return film if len(film) <= budget else None
