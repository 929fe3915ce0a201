"""Poses along the way in one picture, as a stroboscope would show them: early ones faded, the last one in full
colour."""

import numpy as np
from PIL import Image

from ..motion import Motion
from .body import place_body
from .camera import View
from .figure import figure_shapes
from .floor import SKY
from .labels import caption_band, draw_text, text_width
from .mesh import MeshBody
from .scene import Scene, check_count, check_size
from .shadow import draw_shadow, shadow_shapes

_OVERLAP = 0.25  # of the smaller of two poses' boxes; more would be a tangle of limbs
_FAINTEST = 0.40  # how strong the first pose is drawn
_HALO = (240, 240, 240)  # around labels, which may lie on lines
_CANDIDATES = 400  # frames that are looked at


def render_trajectory(
    motion: Motion,
    *,
    frames: int = 8,
    size: tuple[int, int] = (1024, 512),
    camera: str | View = "three-quarter",
    caption: str | None = None,
    label: bool = True,
    trail: bool = True,
    body: MeshBody | None = None,
) -> Image.Image:
    """Poses along the way of a motion, in one picture seen by one fixed camera.

    Poses are spread over the time of the clip wherever there is room for one more: who stays in place is seen once,
    in the last pose; who walks is seen every step or two.

    Args:
        motion ([`Motion`]): what to show.
        frames (`int`, *optional*, defaults to 8): most poses.
        size (`tuple[int, int]`, *optional*, defaults to `(1024, 512)`): width and height, pixels.
        camera (`str` or [`View`], *optional*, defaults to `"three-quarter"`): a name in `VIEWS`, or a direction.
        caption (`str`, *optional*): text above the picture; what does not fit into two lines is cut off.
        label (`bool`, *optional*, defaults to `True`): write the time in seconds below each pose.
        trail (`bool`, *optional*, defaults to `True`): draw the way of the root over the floor.
        body ([`MeshBody`], *optional*): a body model from `load_body`, drawn instead of capsules.

    Returns:
        `PIL.Image.Image`: RGB, of exactly the size asked for.

    Raises:
        TypeError: if the motion is none.
        ValueError: if the camera is unknown or a number is out of range.
    """
    width, height = check_size(size)
    most = check_count("frames", frames)
    letters = max(12, min(width, height) // 36)
    band = caption_band(caption, width, letters) if caption else None
    below = height - (band.height if band else 0)
    scene = Scene(motion, size=(width, below), camera=camera, follow=False, label=False, trail=trail, body=body)

    numbers = np.unique(np.linspace(0, len(motion) - 1, min(_CANDIDATES, len(motion))).round().astype(np.int64))
    boxes = figure_shapes(place_body(scene.joints[numbers], scene.tilt), scene.camera, numbers).boxes
    chosen = _with_room(np.array(boxes), most)
    numbers, boxes = numbers[chosen], [boxes[i] for i in chosen]
    posed = place_body(scene.joints[numbers], scene.tilt)
    shadows, draw = shadow_shapes(posed, scene.camera, numbers), scene.painter(posed, numbers)
    depth = scene.camera.project(posed.torso.mean(1), numbers).depth

    image = scene.background(len(motion) - 1)
    for pose in np.argsort(-depth).tolist():
        drawn = image.copy()
        draw_shadow(drawn, shadows, pose)
        draw(drawn, pose)
        strength = _FAINTEST + (1 - _FAINTEST) * (numbers[pose] / max(len(motion) - 1, 1))
        image = Image.blend(image, drawn, float(strength)) if strength < 1 else drawn
    for frame, (left, _, right, bottom) in zip(numbers.tolist(), boxes, strict=True) if label else ():
        text = f"{frame / motion.fps:.1f} s"
        wide = round(text_width(text, letters))
        x = min(max((left + right - wide) // 2, 2), max(width - wide - 2, 0))
        y = min(bottom + letters // 3, below - round(1.4 * letters))
        for right_by, down_by in ((-1, 0), (1, 0), (0, -1), (0, 1)):
            draw_text(image, (x + right_by, y + down_by), text, letters, _HALO)
        draw_text(image, (x, y), text, letters)
    if band is None:
        return image
    whole = Image.new("RGB", (width, height), (SKY, SKY, SKY))
    whole.paste(band, (0, 0))
    whole.paste(image, (0, band.height))
    return whole


def _with_room(boxes: np.ndarray, most: int) -> list[int]:
    """Poses `boxes [n, 4]` that hardly overlap, at most `most`, spread over time; the last one is always among
    them."""
    area = np.maximum((boxes[:, 2:] - boxes[:, :2]).prod(1), 1)
    frames = np.arange(len(boxes))
    free, apart = np.ones(len(boxes), dtype=bool), np.full(len(boxes), len(boxes))
    chosen: list[int] = []
    newest = len(boxes) - 1
    while True:
        chosen.append(newest)
        low, high = np.maximum(boxes[:, :2], boxes[newest, :2]), np.minimum(boxes[:, 2:], boxes[newest, 2:])
        free &= (high - low).clip(0).prod(1) <= _OVERLAP * np.minimum(area, area[newest])
        free[newest] = False
        apart = np.minimum(apart, np.abs(frames - newest))
        if len(chosen) == most or not free.any():
            return sorted(chosen)
        newest = int(np.where(free, apart, -1).argmax())
