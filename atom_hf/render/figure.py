"""The figure on the picture: outlines and shading of many frames at once, drawn with Pillow.

Every part is three polygons: a dark outline, the body, and a lighter strip on the side of the light. Pillow fills
polygons row by row, at a price per row, so a figure that is taller than wide is drawn lying on its side, which is
almost twice as fast.
"""

from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from .body import BONE_RADII, BONES, HEAD_RADIUS, LONG_BONES, PELVIS, TORSO_RADII, Body
from .camera import Camera
from .colours import COLOURS, LIGHT, shade
from .head import NOSE_REACH, Head, draw_head, head_shapes
from .order import BONE_PARTS, FIRST_HALVES, SECOND_HALVES, TORSO_PART, Order, Points, painters_order
from .outlines import bone_directions, capsule_corners, detail_for, hull_corners

SUPERSAMPLE = 2  # the figure is drawn so much finer than the picture, and averaged
_OUTLINE = 1.1  # pixels, in a picture of 256
_STRIP = 0.58  # its width, in widths of the body
_STRIP_SHIFT = 0.30  # radii towards the light
_CUT, _COVER = 0.2, 0.5  # how far, in radii, a half of a bone and a bone that covers its joint reach beyond their end
_TURN = Image.Transpose.TRANSPOSE
_LIMIT = 20_000  # pixels; Pillow counts in integers

_PARTS = [bone.part for bone in (*BONES, *BONES[:LONG_BONES], *BONES[:LONG_BONES])]
_BONE_INKS = [[shade(COLOURS[part], light) for part in _PARTS] for light in (0.30, 0.86, 1.12)]  # outline, body, strip
_TORSO_INKS = [shade(COLOURS["torso"], light) for light in (0.30, 0.90, 1.10)]
_RADII = np.concatenate([*BONE_RADII.T, BONE_RADII[:LONG_BONES].mean(1), TORSO_RADII, [HEAD_RADIUS]]).astype(
    np.float32
)
_CUTS = np.cumsum([len(BONES), len(BONES), LONG_BONES, len(TORSO_RADII)])  # between the kinds of `Points`


class Shapes(NamedTuple):
    """Figures ready to be drawn. Corners are pixels of a finer canvas over `boxes`, float32, as Pillow takes them.

    Args:
        boxes (`list`): left, top, right, bottom of each figure on the picture, pixels.
        lying (`list[bool]`): per figure whether x and y are exchanged on its canvas.
        parts (`list`): per figure the numbers of its parts, from far to near.
        bones (`list[np.ndarray]`): outlines, bodies and strips of the bones, each `[n, parts, 2C]`.
        torso (`list[np.ndarray]`): the same of pelvis and chest, each `[n, 2, 2C]`.
        heads (`list[Head]`): n heads.
    """

    boxes: list[tuple[int, int, int, int]]
    lying: list[bool]
    parts: list[list[int]]
    bones: list[np.ndarray]
    torso: list[np.ndarray]
    heads: list[Head]


def figure_shapes(body: Body, camera: Camera, frames: np.ndarray) -> Shapes:
    """Work out everything that drawing needs.

    Args:
        body ([`Body`]): the body in n frames.
        camera ([`Camera`]): where it is seen from.
        frames (`np.ndarray`): number of each of the n frames, `[n]`.

    Returns:
        [`Shapes`]: n figures.
    """
    middles = (body.starts[:, :LONG_BONES] + body.ends[:, :LONG_BONES]) / 2
    points = np.concatenate([body.starts, body.ends, middles, body.torso, body.head[:, None]], axis=1)
    all_xy, all_depth, scale = camera.project(points, frames)
    all_radii = _RADII * scale
    line = _OUTLINE * float(np.clip((min(camera.size) / 256) ** 0.7, 0.7, 3.0))
    edge = all_radii + line + 1
    edge[:, -1] *= NOSE_REACH
    low = np.floor((all_xy - edge[..., None]).min(1)).clip(0, camera.size)
    high = np.ceil((all_xy + edge[..., None]).max(1)).clip(0, camera.size)

    # Pillow's polygons reach half a pixel beyond their corners.
    xy = _by_kind(((all_xy - low[:, None]) * SUPERSAMPLE).clip(-_LIMIT, _LIMIT))
    radii = _by_kind((all_radii * SUPERSAMPLE - 0.5).clip(0.6, _LIMIT))
    order = painters_order(xy, _by_kind(all_depth))
    line *= SUPERSAMPLE
    width, height = (high - low).T
    lying = height > width
    detail = detail_for(camera.size)
    return Shapes(
        [
            (left, top, right, bottom)
            for left, top, right, bottom in np.concatenate([low, high], 1).astype(int).tolist()
        ],
        lying.tolist(),
        order.parts,
        [_flat_corners(layer, lying) for layer in _bone_layers(xy, radii, order, line, detail)],
        [_flat_corners(layer, lying) for layer in _torso_layers(xy.torso, radii.torso, line, detail)],
        head_shapes(body.head_axes, camera, xy.head[:, 0], radii.head[:, 0], line, lying),
    )


def _flat_corners(corners: np.ndarray, lying: np.ndarray) -> np.ndarray:
    """Corners `[n, P, C, 2]` as rows x, y, x, y, … `[n, P, 2C]`, or y, x, y, x, … for figures that lie."""
    corners[lying] = corners[lying][..., ::-1]
    return corners.reshape(*corners.shape[:2], -1)


def _by_kind(values: np.ndarray) -> Points:
    return Points(*np.split(values.astype(np.float32, copy=False), _CUTS, axis=1))


def _bone_layers(xy: Points, radii: Points, order: Order, line: float, detail: int) -> list[np.ndarray]:
    """Corners of outlines, bodies and strips of whole bones, first halves and second halves."""
    long = slice(0, LONG_BONES)
    starts = np.concatenate([xy.start, xy.start[:, long], xy.middle], axis=1)
    ends = np.concatenate([xy.end, xy.middle, xy.end[:, long]], axis=1)
    start_radii = np.concatenate([radii.start, radii.start[:, long], radii.middle], axis=1)
    end_radii = np.concatenate([radii.end, radii.middle, radii.end[:, long]], axis=1)
    both = np.stack([start_radii, end_radii], axis=-1)
    along = bone_directions(starts, ends)
    # A cut must not show. Where a bone goes on, only the one that is drawn first ends round: a line across the limb
    # would be wrong.
    outline, body = np.ones((2, *both.shape), dtype=np.float32)
    outline[:, FIRST_HALVES:SECOND_HALVES, 1] = outline[:, SECOND_HALVES:, 0] = 0.0
    body[:, FIRST_HALVES:SECOND_HALVES, 1] = body[:, SECOND_HALVES:, 0] = _CUT
    for bone, before in ((i, bone.follows) for i, bone in enumerate(BONES) if bone.follows >= 0):
        later = (order.rank_first[:, bone] > order.rank_second[:, before])[:, None]
        for parts, end, covers in (
            ([bone, FIRST_HALVES + bone], 0, later),
            ([before, SECOND_HALVES + before], 1, ~later),
        ):
            outline[:, parts, end] = np.where(covers, 0.0, 1.0)
            body[:, parts, end] = np.where(covers, _COVER, 1.0)
    strip = np.minimum(body / _STRIP, 1.0)  # as far along the bone as the body
    shift = both[..., None] * (_STRIP_SHIFT * LIGHT)
    return [
        capsule_corners(starts, ends, along, both + line, detail, outline),
        capsule_corners(starts, ends, along, both, detail, body),
        capsule_corners(starts + shift[..., 0, :], ends + shift[..., 1, :], along, both * _STRIP, detail, strip),
    ]


def _torso_layers(balls: np.ndarray, radii: np.ndarray, line: float, detail: int) -> list[np.ndarray]:
    layers = []
    for size, shift, grow in ((1.0, 0.0, line), (1.0, 0.0, 0.0), (0.66, 0.22, 0.0)):
        centres = balls + radii[..., None] * (shift * LIGHT)
        groups = [
            hull_corners(centres[:, group], radii[:, group] * size + grow, detail)
            for group in (slice(0, len(PELVIS)), slice(len(PELVIS), None))
        ]
        layers.append(np.stack(groups, axis=1))
    return layers


def draw_figure(image: Image.Image, shapes: Shapes, index: int) -> None:
    """Draw one figure onto a picture.

    Args:
        image (`PIL.Image.Image`): RGB, changed in place.
        shapes ([`Shapes`]): from `figure_shapes`.
        index (`int`): which of its figures.
    """
    box = shapes.boxes[index]
    width, height = box[2] - box[0], box[3] - box[1]
    if width <= 0 or height <= 0:
        return
    canvas = image.crop(box)
    if shapes.lying[index]:
        canvas, width, height = canvas.transpose(_TURN), height, width
    canvas = canvas.resize((width * SUPERSAMPLE, height * SUPERSAMPLE), Image.Resampling.NEAREST)
    draw = ImageDraw.Draw(canvas)
    polygon = draw.polygon
    outlines, bodies, strips = (layer[index] for layer in shapes.bones)
    outline_inks, body_inks, strip_inks = _BONE_INKS
    for part in shapes.parts[index]:
        if part < BONE_PARTS:
            polygon(outlines[part], outline_inks[part])
            polygon(bodies[part], body_inks[part])
            polygon(strips[part], strip_inks[part])
        elif part == TORSO_PART:
            for layer, ink in zip(shapes.torso, _TORSO_INKS, strict=True):
                polygon(layer[index, 0], ink)
                polygon(layer[index, 1], ink)
        else:
            draw_head(draw, shapes.heads[index])
    canvas = canvas.reduce(SUPERSAMPLE)
    image.paste(canvas.transpose(_TURN) if shapes.lying[index] else canvas, box[:2])
