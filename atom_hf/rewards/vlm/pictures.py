"""What a vision model gets to see of a motion, as JPEG, and how many tokens that is.

draw(motion, PictureLayout())   →  [Picture(data=b"\\xff\\xd8…", width=1024, height=768, words="12 frames in 3 rows…")]
picture_tokens(1024, 768, detail="high", model="gpt-4o")    →  765
"""

import base64
import math
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, NamedTuple

from ...motion import Motion

if TYPE_CHECKING:
    from PIL.Image import Image

KINDS = ("sheet", "strip", "views", "frames")
MOST_FRAMES = 64  # of one motion; with more, cells are too small to see anything in, or requests too large
_SIZES = {"sheet": (1024, 768), "strip": (1536, 256), "views": (1024, 512), "frames": (512, 512)}
_FRAMES = {"sheet": 12, "strip": 6, "views": 5, "frames": 8}


@dataclass(frozen=True)
class PictureLayout:
    """How a motion is laid out for a vision model. The person is seen from the front right, but for `"views"`.

    Args:
        kind (`str`, *optional*, defaults to `"sheet"`): `"sheet"` (cells in rows, one picture), `"strip"` (one row),
            `"views"` (two rows, the same frames from the front and from the side) or `"frames"` (a picture each).
        frames (`int`, *optional*): how many, from the first to the last. Without it and without a stride 12 in a
            sheet, 6 in a strip, 5 in views, 8 single ones; with a stride, as many as the motion has.
        stride (`int`, *optional*): take every `stride`-th frame from the first on, instead of spreading them evenly.
            With `frames`, what comes after that many is not shown.
        columns (`int`, *optional*, defaults to 4): cells a row of a sheet. A sheet with a stride has as many as it
            has rows, if that is more.
        size (`tuple[int, int]`, *optional*): width and height of each picture, pixels. Defaults to (1024, 768) for a
            sheet, (1536, 256) for a strip, (1024, 512) for views, (512, 512) for single frames.
        quality (`int`, *optional*, defaults to 85): of the JPEG, 1 to 95.

    Raises:
        ValueError: if the kind is unknown or a number is out of range.
    """

    kind: str = "sheet"
    frames: int | None = None
    stride: int | None = None
    columns: int = 4
    size: tuple[int, int] | None = None
    quality: int = 85

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"The kind of a layout is one of {', '.join(KINDS)}, got {self.kind!r}.")
        for name, most in (("frames", MOST_FRAMES), ("stride", None), ("columns", MOST_FRAMES), ("quality", 95)):
            value = getattr(self, name)
            if value is None and name in ("frames", "stride"):
                continue
            if not _is_whole(value) or value < 1 or (most is not None and value > most):
                expected = f"from 1 to {most}" if most is not None else "of at least 1"
                raise ValueError(f"Expected {name} of a layout to be a whole number {expected}, got {value!r}.")
        if self.size is not None:
            if len(self.size) != 2 or not all(_is_whole(value) and 16 <= value <= 8192 for value in self.size):
                raise ValueError(f"Expected width and height from 16 to 8192 pixels, got {self.size!r}.")
            object.__setattr__(self, "size", tuple(self.size))  # a list, as JSON gives it, could not be hashed

    @property
    def name(self) -> str:
        """Short and stable, with all that differs from the usual, such as `"sheet, every 8th frame, 512x384"`."""
        if self.stride is None:
            parts = [self.kind, f"{self.frames or _FRAMES[self.kind]} frames"]
        else:
            parts = [self.kind, f"every {_ordinal(self.stride)} frame"]
            parts += [] if self.frames is None else [f"{self.frames} frames"]
        if self.kind == "sheet" and self.columns != 4:
            parts.append(f"{self.columns} columns")
        if self.size is not None and self.size != _SIZES[self.kind]:
            parts.append("{}x{}".format(*self.size))
        if self.quality != 85:
            parts.append(f"quality {self.quality}")
        return ", ".join(parts)


class Picture(NamedTuple):
    """One picture of a motion.

    Args:
        data (`bytes`): JPEG; the same bytes for the same motion, layout and version of Pillow.
        width (`int`): pixels.
        height (`int`): pixels.
        words (`str`, *optional*): what it shows of the clip, in a sentence for the judge.
    """

    data: bytes
    width: int
    height: int
    words: str = ""

    @property
    def data_url(self) -> str:
        """The picture as a `data:` address, the way it stands in a request."""
        return "data:image/jpeg;base64," + base64.b64encode(self.data).decode("ascii")


def draw(motion: Motion, layout: PictureLayout | None = None) -> list[Picture]:
    """Draw a motion. No caption stands in the picture.

    Args:
        motion ([`Motion`]): joints `[T, 22, 3]` in metres.
        layout ([`PictureLayout`], *optional*): how; a sheet of 12 frames by default.

    Returns:
        `list[Picture]`: one; with the layout "frames", one a frame, in order of time.

    Raises:
        TypeError: if the motion is none.
        ValueError: if the stride gives more than 64 frames, or the frames do not fit the size.
        ImportError: if Pillow is missing; `pip install "atom_hf[vlm]"` brings it.
    """
    from ...render import render_frames, render_sheet

    layout = layout or PictureLayout()
    if not isinstance(motion, Motion):
        raise TypeError(f"Expected a Motion to draw, got {type(motion).__name__}.")
    frames, size = _frames(motion, layout), layout.size or _SIZES[layout.kind]
    shown = min(frames, len(motion) if layout.stride is None else -(-len(motion) // layout.stride))
    if layout.kind == "frames":
        images = render_frames(motion, frames=frames, stride=layout.stride, size=size)
        return [
            _picture(image, layout, f"Frame {i + 1} of {shown} that are shown of {_clip(motion, layout, shown)}")
            for i, image in enumerate(images)
        ]
    columns = layout.columns if layout.stride is None else max(layout.columns, math.ceil(math.sqrt(shown)))
    image = render_sheet(
        motion,
        layout="grid" if layout.kind == "sheet" else layout.kind,
        frames=frames,
        stride=layout.stride,
        columns=columns,
        size=size,
    )
    return [_picture(image, layout, f"{_places(layout.kind, shown, columns)} of {_clip(motion, layout, shown)}")]


def _frames(motion: Motion, layout: PictureLayout) -> int:
    if layout.stride is None or layout.frames is not None:
        return layout.frames or _FRAMES[layout.kind]
    needed = -(-len(motion) // layout.stride)
    if needed > MOST_FRAMES:
        raise ValueError(
            f"Every {_ordinal(layout.stride)} of {len(motion)} frames are {needed} pictures of a person, expected at "
            f"most {MOST_FRAMES}; take a stride of {-(-len(motion) // MOST_FRAMES)} or more."
        )
    return needed


def _places(kind: str, shown: int, columns: int) -> str:
    if kind == "views":
        return f"{shown} frames, from left to right; upper row seen from the front, lower row from the side,"
    rows = -(-shown // columns) if kind == "sheet" else 1
    if shown == 1:
        return "One frame"
    if rows == 1:
        return f"{shown} frames in one row, from left to right,"
    return f"{shown} frames in {rows} rows of up to {columns}, from left to right and then row by row,"


def _clip(motion: Motion, layout: PictureLayout, shown: int) -> str:
    """How long the clip is, and how much time passes between two frames that are shown."""
    seconds = (len(motion) - 1) / motion.fps
    words = f"a clip of {seconds:.1f} seconds"
    if shown > 1:
        gap = layout.stride / motion.fps if layout.stride else seconds / (shown - 1)
        words += f", one every {gap:.2f} seconds"
    if layout.stride is not None and layout.frames is not None and shown * layout.stride < len(motion):
        words += "; the end is not shown"
    return words + "."


def _picture(image: "Image", layout: PictureLayout, words: str) -> Picture:
    file = BytesIO()
    image.save(file, "JPEG", quality=layout.quality)
    return Picture(file.getvalue(), image.width, image.height, words)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


# Tokens of a picture at low detail, which is also the base at high detail, and of each tile of 512 x 512 pixels.
_TILES: dict[str, tuple[int, int]] = {
    "gpt-4o": (85, 170),
    "gpt-4.1": (85, 170),
    "gpt-4.5": (85, 170),
    "gpt-4-turbo": (85, 170),
    "gpt-4o-mini": (2833, 5667),
    "gpt-5": (70, 140),
    "gpt-5-chat-latest": (70, 140),
    "o1": (75, 150),
    "o1-pro": (75, 150),
    "o3": (75, 150),
    "computer-use-preview": (65, 129),
}
# Tokens of each patch of 32 x 32 pixels.
_PATCHES: dict[str, float] = {
    "gpt-4.1-mini": 1.62,
    "gpt-4.1-nano": 2.46,
    "gpt-5-mini": 1.62,
    "gpt-5-nano": 2.46,
    "gpt-5.2": 1.2,
    "o4-mini": 1.72,
}
_MOST_PATCHES = 1536


def picture_tokens(width: int, height: int, *, detail: str = "high", model: str = "gpt-4o") -> int:
    """Tokens that a picture is billed as.

    The formulas are those of OpenAI's guide on images (platform.openai.com/docs/guides/images-vision, "Calculating
    costs"). By tiles: the picture is made to fit 2048 x 2048, then its short side is made 768 where it is longer;
    each tile of 512 x 512 that is begun costs, on top of a base. By patches, for small models: patches of 32 x 32 up
    to 1536, to which a larger picture is shrunk, times the model's factor; there, detail makes no difference that the
    guide would state. Where users measured less than the guide says (gpt-5-mini, gpt-5-nano) this is the guide's
    larger number; the factor of gpt-5.2 is as measured. For any other model the result is an estimate, by the tiles
    of gpt-4o: ask the server's usage.

    Args:
        width (`int`): pixels.
        height (`int`): pixels.
        detail (`str`, *optional*, defaults to `"high"`): `"low"`, `"high"` or `"auto"`, which counts as high.
        model (`str`, *optional*, defaults to `"gpt-4o"`): its name, with a date or an owner or without.

    Returns:
        `int`: tokens.

    Raises:
        ValueError: if the size is not positive or the detail unknown.
    """
    if width < 1 or height < 1 or detail not in ("low", "high", "auto"):
        raise ValueError(
            f"Expected a size of at least 1 x 1 and detail low, high or auto, got {width} x {height}, {detail!r}."
        )
    known = _known(model)
    if known in _PATCHES:
        return math.ceil(_patches(width, height) * _PATCHES[known])
    base, tile = _TILES[known]
    if detail == "low":
        return base
    scale = min(1.0, 2048 / max(width, height))
    scale *= min(1.0, 768 / (scale * min(width, height)))
    # Rounded first, so that 768 does not become 768.0000001 and with that another tile.
    across, down = (math.ceil(round(side * scale, 6) / 512) for side in (width, height))
    return base + tile * across * down


def _known(model: str) -> str:
    """The longest name of the tables that the model's name begins with, up to a dash; else gpt-4o."""
    name = model.rsplit("/", 1)[-1].casefold()
    fitting = [known for known in (*_TILES, *_PATCHES) if name == known or name.startswith(f"{known}-")]
    return max(fitting, key=len, default="gpt-4o")


def _patches(width: int, height: int) -> int:
    count = -(-width // 32) * -(-height // 32)
    if count <= _MOST_PATCHES:
        return count
    shrink = math.sqrt(_MOST_PATCHES * 32**2 / (width * height))
    across, down = width * shrink / 32, height * shrink / 32
    shrink *= min(max(math.floor(across), 1) / across, max(math.floor(down), 1) / down)
    across, down = (round(side * shrink / 32, 6) for side in (width, height))
    return min(math.ceil(across) * math.ceil(down), _MOST_PATCHES)
