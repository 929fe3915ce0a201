"""The body as a table for the browser, written from the constants of the Python renderer so that the two never differ.

python -m atom_hf.render.viewer.body_table > atom_hf/render/viewer/js/src/body.json
"""

import json
import sys
from typing import Any

from ...motion.skeleton import JOINT_NAMES
from .. import body, floor, head, trail
from ..camera import BODY_MARGIN, FIELD_OF_VIEW, FOLLOW_SIGMA, VIEWS
from ..colours import COLOURS


def body_table() -> dict[str, Any]:
    """What the browser needs to draw the same figure on the same floor.

    Returns:
        `dict`: points are lists of `[joint, weight]`; lengths in metres, angles in degrees, colours 0 to 255.
    """
    visor = sorted({left for left, _ in head.VISOR_BAND})
    return {
        "joints": list(JOINT_NAMES),
        "bones": [
            {"part": bone.part, "balls": [_ball(bone.start, bone.radii[0]), _ball(bone.end, bone.radii[1])]}
            for bone in body.BONES
        ],
        "torso": [[_ball(ball.centre, ball.radius) for ball in group] for group in (body.PELVIS, body.CHEST)],
        "head": {
            "centre": _point(body.HEAD_CENTRE),
            "radius": body.HEAD_RADIUS,
            "nose": [
                {"at": _numbers(at), "radius": _number(radius)}
                for at, radius in zip(head.NOSE, head.NOSE_RADII.ravel(), strict=True)
            ],
            "visor": [[left, min(_heights(left)), max(_heights(left))] for left in visor],
        },
        "colours": {part: list(colour) for part, colour in COLOURS.items()},
        "trail": list(trail.TRAIL_INK),
        "floor": {"sky": floor.SKY, "plain": floor.FLOOR_INK, "line": floor.LINE_INK, "cell": floor.CELL},
        "views": {name: list(view) for name, view in VIEWS.items()},
        "camera": {"field": FIELD_OF_VIEW, "margin": BODY_MARGIN, "follow": FOLLOW_SIGMA},
    }


def body_json() -> str:
    """The table as a file.

    Returns:
        `str`: JSON, the same for the same body.
    """
    return json.dumps(body_table(), indent=1) + "\n"


def _heights(left: int) -> list[int]:
    return [up for at, up in head.VISOR_BAND if at == left]


def _point(point: body.Point) -> list[list[float]]:
    return [[JOINT_NAMES.index(joint), _number(weight)] for joint, weight in point.items()]


def _ball(centre: body.Point, radius: float) -> dict[str, Any]:
    return {"at": _point(centre), "radius": radius}


def _number(value: Any) -> float:
    return round(float(value), 6)


def _numbers(values: Any) -> list[float]:
    return [_number(value) for value in values]


if __name__ == "__main__":
    sys.stdout.write(body_json())
