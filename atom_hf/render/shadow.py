"""The shadow on the floor, under a light from straight above: it lies below the figure and pales as the body leaves
the floor."""

from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from .body import BONE_RADII, HEAD_RADIUS, LONG_BONES, TORSO_RADII, Body
from .camera import Camera
from .outlines import bone_directions, capsule_corners, detail_for, hull_corners

_INK = (66, 68, 76)
_DARKEST = 120  # of 255, for what touches the floor
_PALE_HEIGHT = 2.4  # metres at which a shadow would be gone, if it did not always keep a quarter of its darkness
_CAST = [*range(LONG_BONES), 8, 10]  # the bones that cast a shadow of their own: limbs and feet
_BLUR = 1.2 / 256  # of the picture
_LIMIT = 20_000  # pixels; Pillow counts in integers


class Shadows(NamedTuple):
    """Shadows ready to be drawn; corners are pixels of `boxes`, float32, as Pillow takes them.

    Args:
        boxes (`list`): left, top, right, bottom of each shadow on the picture, pixels.
        bones (`np.ndarray`): corners per bone, `[n, B, 2C]`.
        blobs (`np.ndarray`): corners of torso and head, `[n, 2, 2C]`.
        darkness (`list`): per shadow and part, bones first, from 0 to 255.
        order (`list`): per shadow the numbers of its parts, palest first.
        blur (`PIL.ImageFilter.BoxBlur`): what softens them.
    """

    boxes: list[tuple[int, int, int, int]]
    bones: np.ndarray
    blobs: np.ndarray
    darkness: list[list[int]]
    order: list[list[int]]
    blur: ImageFilter.BoxBlur


def shadow_shapes(body: Body, camera: Camera, frames: np.ndarray) -> Shadows:
    """Work out the shadows on the floor at y = 0.

    Args:
        body ([`Body`]): the body in n frames.
        camera ([`Camera`]): where it is seen from.
        frames (`np.ndarray`): number of each of the n frames, `[n]`.

    Returns:
        [`Shadows`]: n shadows.
    """
    flat = [0, 2]
    starts, ends = body.starts[:, _CAST][..., flat], body.ends[:, _CAST][..., flat]
    count, bones = starts.shape[:2]
    detail = detail_for(camera.size)
    radii = np.broadcast_to(BONE_RADII[_CAST], (count, bones, 2))
    limbs = capsule_corners(starts, ends, bone_directions(starts, ends), radii, detail)
    torso = hull_corners(body.torso[..., flat], np.broadcast_to(TORSO_RADII, body.torso.shape[:2]), detail)
    head = hull_corners(body.head[:, None, flat], np.full((count, 1), HEAD_RADIUS, dtype=np.float32), detail)
    corners = np.concatenate([limbs.reshape(count, -1, 2), torso, head], axis=1)
    ground = np.zeros((*corners.shape[:2], 3), dtype=np.float32)
    ground[..., flat] = corners
    xy = camera.project(ground, frames).xy
    low = np.floor(xy.min(1) - 3).clip(0, camera.size)
    high = np.ceil(xy.max(1) + 3).clip(0, camera.size)
    xy = (xy - low[:, None]).clip(-_LIMIT, _LIMIT).astype(np.float32)
    height = np.concatenate(
        [(body.starts + body.ends)[:, _CAST, 1] / 2, body.torso[..., 1].mean(1, keepdims=True), body.head[:, 1:2]],
        axis=1,
    )
    darkness = (_DARKEST * (1 - height / _PALE_HEIGHT).clip(0.25, 1)).astype(int)
    split = limbs.shape[1] * limbs.shape[2]
    return Shadows(
        [
            (left, top, right, bottom)
            for left, top, right, bottom in np.concatenate([low, high], 1).astype(int).tolist()
        ],
        np.ascontiguousarray(xy[:, :split]).reshape(count, bones, -1),
        np.ascontiguousarray(xy[:, split:]).reshape(count, 2, -1),
        darkness.tolist(),
        np.argsort(darkness, axis=1).tolist(),
        ImageFilter.BoxBlur(_BLUR * min(camera.size)),
    )


def draw_shadow(image: Image.Image, shadows: Shadows, index: int) -> None:
    """Darken the floor below one figure.

    Args:
        image (`PIL.Image.Image`): RGB, changed in place.
        shadows ([`Shadows`]): from `shadow_shapes`.
        index (`int`): which of them.
    """
    left, top, right, bottom = box = shadows.boxes[index]
    if right <= left or bottom <= top:
        return
    mask = Image.new("L", (right - left, bottom - top))
    polygon = ImageDraw.Draw(mask).polygon
    bones, blobs, darkness = shadows.bones[index], shadows.blobs[index], shadows.darkness[index]
    for part in shadows.order[index]:
        polygon(bones[part] if part < len(bones) else blobs[part - len(bones)], darkness[part])
    image.paste(_INK, box, mask.filter(shadows.blur))
