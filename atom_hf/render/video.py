"""Videos: MP4, GIF and WebP of a motion, and of two motions side by side.

Frames are drawn, encoded and forgotten one after the other, so that long clips need no more memory than short ones.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from ..motion import Motion
from ..motion.checks import check_fps
from ..motion.formats.files import replacing
from .camera import View
from .floor import SKY
from .labels import caption_band
from .mesh import MeshBody
from .scene import Scene, camera_distance, check_motion, check_size

# Suffix → encoder, pixel format and its options.
SUFFIXES: dict[str, tuple[str, str, dict[str, str]]] = {
    # One thread, since their number changes the bytes: a motion gives the same file on every machine.
    ".mp4": ("libx264", "yuv420p", {"preset": "veryfast", "x264-params": "threads=1"}),
    ".gif": ("gif", "pal8", {}),
    ".webp": ("libwebp_anim", "bgra", {"quality": "80", "compression_level": "2"}),
}
CRF = 22  # edges as sharp as in the pictures
_USUAL_FPS = 30.0  # at most, if none are asked for
_FASTEST_GIF = 50.0  # browsers slow down what is faster
_GAP = (204, 204, 204)  # the line between two motions
_GIF_COLOURS = 255


def render_video(
    motion: Motion,
    path: str | Path,
    *,
    size: tuple[int, int] = (512, 512),
    fps: float | None = None,
    camera: str | View = "three-quarter",
    follow: bool = True,
    caption: str | None = None,
    label: bool = True,
    trail: bool = True,
    body: MeshBody | None = None,
    distance: float = 0.0,
    crf: int = CRF,
) -> None:
    """Write a motion as a video that runs at the speed of life.

    Args:
        motion ([`Motion`]): what to show, at any frame rate.
        path (`str` or `Path`): file to write: `.mp4` (H.264, plays in browsers), `.gif` or `.webp`. It appears whole
            or not at all; an old one is replaced.
        size (`tuple[int, int]`, *optional*, defaults to `(512, 512)`): width and height, pixels. Odd numbers are
            rounded up in `.mp4` files, which cannot have them.
        fps (`float`, *optional*): frames per second of the video; those of the motion without it, at most 30.
        camera (`str` or [`View`], *optional*, defaults to `"three-quarter"`): "front", "three-quarter", "side",
            "back" or "top", relative to the way the person faces in the first frame, or any direction.
        follow (`bool`, *optional*, defaults to `True`): keep the person in the middle, with the floor passing by;
            otherwise the camera stays in one place from which it sees the whole clip.
        caption (`str`, *optional*): text above the picture; what does not fit into two lines is cut off.
        label (`bool`, *optional*, defaults to `True`): write the time in seconds and the frame's number into the
            corner.
        trail (`bool`, *optional*, defaults to `True`): draw the way of the root over the floor.
        body ([`MeshBody`], *optional*): a body model from `load_body`, drawn instead of capsules.
        distance (`float`, *optional*, defaults to 0.0): least distance of the camera, metres; with that of
            `camera_distance` several videos have one scale.
        crf (`int`, *optional*, defaults to 22): rate factor of `.mp4` files, 0 to 51. With 6 more a file has about
            half of the bytes, and coarser edges.

    Raises:
        ImportError: if PyAV is not installed.
        TypeError: if the motion is none.
        ValueError: if the suffix or the camera is unknown, or a number is out of range.
    """
    options = {"camera": camera, "follow": follow, "label": label, "trail": trail, "body": body, "distance": distance}
    _write([motion], [], Path(path), size, fps, caption, crf, options)


def render_comparison(
    a: Motion,
    b: Motion,
    path: str | Path,
    *,
    labels: Sequence[str] = ("A", "B"),
    size: tuple[int, int] = (1024, 512),
    fps: float | None = None,
    camera: str | View = "three-quarter",
    follow: bool = True,
    caption: str | None = None,
    label: bool = True,
    trail: bool = True,
    body: MeshBody | None = None,
    crf: int = CRF,
) -> None:
    """Write two motions side by side as one video, in one scale; the shorter one stays at its last frame.

    Args:
        a ([`Motion`]): on the left.
        b ([`Motion`]): on the right; it may differ in length and frame rate.
        path (`str` or `Path`): file to write, `.mp4`, `.gif` or `.webp`.
        labels (`Sequence[str]`, *optional*, defaults to `("A", "B")`): what is written above each.
        size (`tuple[int, int]`, *optional*, defaults to `(1024, 512)`): width and height of both together, pixels.
        fps (`float`, *optional*): frames per second of the video; those of the faster motion without it, at most 30.
        camera, follow, caption, label, trail, body, crf (*optional*): as for `render_video`.

    Raises:
        ImportError: if PyAV is not installed.
        TypeError: if a motion is none.
        ValueError: if the suffix or the camera is unknown, there are not two labels, or a number is out of range.
    """
    view: dict[str, Any] = {"camera": camera, "follow": follow, "label": label, "trail": trail, "body": body}
    render_side_by_side([a, b], path, labels=labels, size=size, fps=fps, caption=caption, crf=crf, **view)


def render_side_by_side(
    motions: Sequence[Motion],
    path: str | Path,
    *,
    labels: Sequence[str],
    size: tuple[int, int] = (1024, 512),
    fps: float | None = None,
    camera: str | View = "three-quarter",
    follow: bool = True,
    caption: str | None = None,
    label: bool = True,
    trail: bool = True,
    body: MeshBody | None = None,
    crf: int = CRF,
) -> None:
    """Write motions side by side as one video, in one scale; shorter ones stay at their last frames.

    Args:
        motions (`Sequence[Motion]`): from left to right; they may differ in length and frame rate.
        path (`str` or `Path`): file to write, `.mp4`, `.gif` or `.webp`.
        labels (`Sequence[str]`): what is written above each.
        size (`tuple[int, int]`, *optional*, defaults to `(1024, 512)`): width and height of all together, pixels.
        fps (`float`, *optional*): frames per second of the video; those of the fastest motion without it, at most 30.
        camera, follow, caption, label, trail, body, crf (*optional*): as for `render_video`.

    Raises:
        ImportError: if PyAV is not installed.
        TypeError: if a motion is none.
        ValueError: if the suffix or the camera is unknown, there is no motion or not a label for each, or a number is
            out of range.
    """
    if isinstance(labels, str) or len(labels) != len(motions) or not motions:
        raise ValueError(f"Expected a label for each of {len(motions)} motions, got {labels!r}.")
    options = {"camera": camera, "follow": follow, "label": label, "trail": trail, "body": body, "distance": 0.0}
    _write(list(motions), list(labels), Path(path), size, fps, caption, crf, options)


class _Panel(NamedTuple):
    """A motion's part of the picture: its scene, the frame that each picture of the video shows, and its left edge."""

    scene: Scene
    indices: np.ndarray
    left: int


def _write(
    motions: list[Motion],
    labels: list[str],
    path: Path,
    size: tuple[int, int],
    fps: float | None,
    caption: str | None,
    crf: int,
    options: dict[str, Any],
) -> None:
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise ValueError(f"{path}: expected a file ending in {', '.join(SUFFIXES)}, got {suffix or 'no suffix'!r}.")
    if isinstance(crf, bool) or not isinstance(crf, int) or not 0 <= crf <= 51:
        raise ValueError(f"Expected crf, the rate factor of H.264, as an integer from 0 to 51, got {crf!r}.")
    for motion in motions:
        check_motion(motion)
    width, height = check_size(size)
    if suffix == ".mp4":
        width, height = width + width % 2, height + height % 2
    rate = min(max(motion.fps for motion in motions), _USUAL_FPS) if fps is None else check_fps(fps)
    rate = min(rate, _FASTEST_GIF) if suffix == ".gif" else rate
    blank, top = _blank((width, height), len(motions), labels, caption)
    edges = [i * width // len(motions) for i in range(len(motions) + 1)]
    sizes = [(right - left, height - top) for left, right in pairwise(edges)]
    view = {"camera": options["camera"], "follow": options["follow"]}
    needed = [camera_distance([motion], size=room, **view) for motion, room in zip(motions, sizes, strict=True)]
    options |= {"distance": max(*needed, options["distance"])}
    count = max(1, round(max(motion.duration for motion in motions) * rate))
    panels = []
    for motion, room, left in zip(motions, sizes, edges, strict=False):
        indices = np.rint(np.arange(count) * (motion.fps / rate)).astype(np.int64).clip(max=len(motion) - 1)
        panels.append(_Panel(Scene(motion, size=room, **options), indices, left))
    with replacing(path) as temporary:
        _encode(blank, top, panels, temporary, rate, crf)


def _blank(size: tuple[int, int], parts: int, labels: list[str], caption: str | None) -> tuple[Image.Image, int]:
    """The picture without its panels, and the height of the bands of text on top of it."""
    width, height = size
    blank = Image.new("RGB", size, (SKY, SKY, SKY))
    letters = max(12, min(width // parts, height) // 24)
    top = 0
    if caption:
        band = caption_band(caption, width, letters)
        blank.paste(band, (0, 0))
        top = band.height
    if labels:
        bands = [caption_band(text, width // parts, round(1.4 * letters), lines=1, centred=True) for text in labels]
        for i, band in enumerate(bands):
            blank.paste(band, (i * width // parts, top))
        top += bands[0].height
    if height - top < 16:
        raise ValueError(
            f"Expected room for pictures of at least 16 pixels below the text, got a size of {width} x {height}."
        )
    return blank, top


def _pictures(blank: Image.Image, top: int, panels: list[_Panel], every: slice) -> Iterator[Image.Image]:
    """The pictures of the video, drawn one after the other."""
    for drawn in zip(*(panel.scene.images(panel.indices[every]) for panel in panels), strict=True):
        picture = blank.copy()
        for panel, image in zip(panels, drawn, strict=True):
            picture.paste(image, (panel.left, top))
        for panel in panels[1:]:
            picture.paste(_GAP, (panel.left - 1, 0, panel.left + 1, picture.height))
        yield picture


def _encode(blank: Image.Image, top: int, panels: list[_Panel], path: Path, fps: float, crf: int) -> None:
    """Write the video; `path` need not exist yet."""
    try:
        import av
    except ImportError as error:
        raise ImportError('Videos need PyAV, which is not installed; try: pip install "atom_hf[render]"') from error

    suffix = path.suffix.lower()
    codec, pixel_format, options = SUFFIXES[suffix]
    container_options = {"loop": "0"}
    if suffix == ".mp4":
        container_options, options = {"movflags": "+faststart"}, options | {"crf": str(crf)}
    palette = None
    if suffix == ".gif":
        container_options["final_delay"] = str(round(100 / fps))
        palette = _palette(_pictures(blank, top, panels, slice(None, None, max(1, len(panels[0].indices) // 3))))
    rate = Fraction(fps).limit_denominator(1001)
    ticks = 100 if suffix == ".gif" else rate  # GIF counts in hundredths of a second
    with av.open(str(path), "w", options=container_options) as container:
        stream: Any = container.add_stream(codec, rate=rate, options=options)
        stream.width, stream.height = blank.size
        stream.pix_fmt = pixel_format
        stream.codec_context.time_base = Fraction(1, ticks)
        for i, picture in enumerate(_pictures(blank, top, panels, slice(None))):
            frame = _frame(av, picture, palette)
            frame.pts, frame.time_base = round(i * ticks / rate), Fraction(1, ticks)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _frame(av: Any, picture: Image.Image, palette: Image.Image | None) -> Any:
    if palette is None:
        return av.VideoFrame.from_image(picture)
    colours = np.full((256, 4), 255, dtype=np.uint8)  # alpha, red, green, blue
    table = np.array(palette.getpalette(), dtype=np.uint8).reshape(-1, 3)
    colours[: len(table), 1:] = table
    reduced = picture.quantize(palette=palette, dither=Image.Dither.NONE)
    return av.VideoFrame.from_ndarray((np.asarray(reduced), colours), format="pal8")


def _palette(pictures: Iterator[Image.Image]) -> Image.Image:
    """One palette for the whole clip: its colours hardly change, and a fixed palette does not flicker."""
    some = list(pictures)
    montage = Image.new("RGB", (some[0].width, some[0].height * len(some)))
    for i, picture in enumerate(some):
        montage.paste(picture, (0, i * picture.height))
    return montage.quantize(_GIF_COLOURS, method=Image.Quantize.MAXCOVERAGE)
