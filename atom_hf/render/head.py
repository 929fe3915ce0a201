"""The head: a shaded ball with a visor and a nose, which show where it faces and are gone from behind."""

from typing import NamedTuple

import numpy as np
from PIL import ImageDraw

from .camera import Camera
from .colours import COLOURS, LIGHT, shade
from .outlines import Corners, bone_directions, capsule_corners, detail_for

# The visor is a band across the face. Its corners as angles from straight ahead to the left and up, degrees.
VISOR_BAND = [(a, -6) for a in range(-48, 49, 24)] + [(56, 10)] + [(a, 26) for a in range(48, -49, -24)] + [(-56, 10)]
_LEFT, _UP = np.deg2rad(np.array(VISOR_BAND, dtype=np.float32).T)
_VISOR = np.stack([np.sin(_LEFT) * np.cos(_UP), np.sin(_UP), np.cos(_LEFT) * np.cos(_UP)], axis=-1)
_TURNED_AWAY = (
    -0.55
)  # cosine between the face and the way to the viewer, from which the whole visor is behind the ball
# Nose: bridge and tip, as left, up and ahead in radii of the head; and its own radii.
NOSE = np.array([[0.0, -0.14, 0.90], [0.0, -0.25, 1.18]], dtype=np.float32)
NOSE_RADII = np.array([0.17, 0.12], dtype=np.float32)
NOSE_REACH = 1.4  # radii of the head

_OUTLINE, _BALL, _MIDDLE, _GLOSS = (shade(COLOURS["head"], light) for light in (0.30, 0.87, 1.0, 1.35))
_NOSE_INK = shade(COLOURS["head"], 0.74)


class Head(NamedTuple):
    """One head, in pixels of the canvas it is drawn on.

    Args:
        centre (`tuple[float, float]`): where it is.
        light (`tuple[float, float]`): direction towards the light.
        radius (`float`): of the ball.
        line (`float`): width of the outline.
        visor (`Corners`): corners of the visor, `[2C]`.
        visor_shows (`bool`): whether any of it is on this side.
        nose_line (`Corners`): corners of the nose's outline, `[2C]`.
        nose (`Corners`): corners of the nose, `[2C]`.
        nose_before (`bool`): whether it points towards the viewer.
    """

    centre: tuple[float, float]
    light: tuple[float, float]
    radius: float
    line: float
    visor: Corners
    visor_shows: bool
    nose_line: Corners
    nose: Corners
    nose_before: bool


def head_shapes(
    axes: np.ndarray, camera: Camera, centre: np.ndarray, radius: np.ndarray, line: float, lying: np.ndarray
) -> list[Head]:
    """Work out heads.

    Args:
        axes (`np.ndarray`): unit vectors towards the person's left, the crown and the face, `[n, 3, 3]`.
        camera ([`Camera`]): where they are seen from.
        centre (`np.ndarray`): centres `[n, 2]`, pixels of the canvas.
        radius (`np.ndarray`): radii `[n]`, pixels.
        line (`float`): width of the outline, pixels.
        lying (`np.ndarray`): whether x and y are exchanged on the canvas, `[n]`; not yet in `centre`.

    Returns:
        `list[Head]`: n heads.
    """
    seen = axes @ camera.axes.T * np.array([1, -1, 1], dtype=np.float32)  # right, down, towards the viewer
    band = _VISOR @ seen
    # What lies on the far side is moved to the rim of the ball, so that the band ends there.
    rim = band[..., :2] / np.maximum(np.linalg.norm(band[..., :2], axis=-1, keepdims=True), 1e-6)
    flat = np.where(band[..., 2:] < 0, rim, band[..., :2])
    visor = centre[:, None] + flat * radius[:, None, None]
    shows = seen[:, 2, 2] > _TURNED_AWAY

    nose = NOSE @ seen
    ends = centre[:, None] + nose[..., :2] * radius[:, None, None]
    bridge, tip = ends[:, :1], ends[:, 1:]
    along = bone_directions(bridge, tip)
    radii = NOSE_RADII * radius[:, None, None]
    nose_line, nose_body = (
        capsule_corners(bridge, tip, along, radii + grow, detail_for(camera.size)) for grow in (line, 0.0)
    )
    light = np.broadcast_to(LIGHT, centre.shape)
    turn = lying[:, None, None]
    centre, light, visor, nose_line, nose_body = (
        np.where(turn, points[..., ::-1], points).astype(np.float32)
        for points in (centre[:, None], light[:, None], visor, nose_line[:, 0], nose_body[:, 0])
    )
    count = len(radius)
    columns = [centre[:, 0].tolist(), light[:, 0].tolist(), radius.tolist(), [line] * count]
    columns += [visor.reshape(count, -1), shows.tolist()]
    columns += [nose_line.reshape(count, -1), nose_body.reshape(count, -1), (nose[:, 1, 2] > 0.1).tolist()]
    return [Head(*row) for row in zip(*columns, strict=True)]


def draw_head(draw: ImageDraw.ImageDraw, head: Head) -> None:
    """Draw one head.

    Args:
        draw (`PIL.ImageDraw.ImageDraw`): the canvas.
        head ([`Head`]): from `head_shapes`.
    """
    if not head.nose_before:
        _draw_nose(draw, head)
    for size, grow, shift, ink in (
        (1.0, head.line, 0.0, _OUTLINE),
        (1.0, 0.0, 0.0, _BALL),
        (0.84, 0.0, 0.13, _MIDDLE),
        (0.30, 0.0, 0.45, _GLOSS),
    ):
        radius = size * head.radius + grow
        x, y = (c + shift * head.radius * towards for c, towards in zip(head.centre, head.light, strict=True))
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), ink)
    if head.visor_shows:
        draw.polygon(head.visor, COLOURS["visor"])
    if head.nose_before:
        _draw_nose(draw, head)


def _draw_nose(draw: ImageDraw.ImageDraw, head: Head) -> None:
    draw.polygon(head.nose_line, _OUTLINE)
    draw.polygon(head.nose, _NOSE_INK)
