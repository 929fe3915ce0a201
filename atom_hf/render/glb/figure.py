"""The figure of the pictures as a mesh with a skin: the bones and balls of `body`, and the head of `head`.

Parts of one colour make one piece of the mesh with a material of its own, so that an animator recolours an arm in one
place, and every reader shows the colours.
"""

import numpy as np

from ...motion.skeleton import JOINT_NAMES, PARENTS
from ..body import BONES, CHEST, HEAD_RADIUS, PELVIS, Point, place_body
from ..colours import COLOURS
from ..head import NOSE, NOSE_RADII
from .rig import Piece
from .shapes import Mesh, ball_hull, capsule

# What turns about these joints are limbs, neck and head; the torso around them hangs on their parents.
_NOT_OF_THE_TORSO = ("left_hip", "right_hip", "left_shoulder", "right_shoulder", "neck")
_HEAD = JOINT_NAMES.index("head")
# The visor: angles to the left and up from straight ahead, degrees, as the corners in `head` have them.
_VISOR_ENDS, _VISOR_CORNERS, _VISOR_LOW, _VISOR_HIGH, _VISOR_MIDDLE = 56.0, 48.0, -6.0, 26.0, 10.0
_VISOR_LIFT = 1.02  # radii of the head
_VISOR_GRID = (17, 5)


def figure(rest: np.ndarray, tilt: float) -> list[Piece]:
    """The figure in its rest pose.

    Args:
        rest (`np.ndarray`): joints in the rest pose, `[22, 3]` in metres.
        tilt (`float`): how far the joint "head" lies before the neck in the clip, from `head_tilt`, radians.

    Returns:
        `list[Piece]`: one for each colour.
    """
    body = place_body(rest[None].astype(np.float32), tilt)
    parts: list[tuple[str, Mesh, np.ndarray]] = []
    for bone, start, end in zip(BONES, body.starts[0], body.ends[0], strict=True):
        parts.append((bone.part, capsule(start, end, bone.radii), _bone_weights(bone.start, bone.end)))
    centres = iter(body.torso[0])
    for balls in (PELVIS, CHEST):
        mesh = ball_hull(np.array([next(centres) for _ in balls]), np.array([ball.radius for ball in balls]))
        parts.append(("torso", mesh, np.array([_torso_weights(ball.centre) for ball in balls])))
    parts += [(colour, mesh, np.tile(_only(_HEAD), (2, 1))) for colour, mesh in _head(body.head[0], body.head_axes[0])]
    colours = list(dict.fromkeys(colour for colour, _, _ in parts))
    return [_joined(colour, [part[1:] for part in parts if part[0] == colour]) for colour in colours]


def _only(joint: int) -> np.ndarray:
    row = np.zeros(len(JOINT_NAMES))
    row[joint] = 1.0
    return row


def _bone_weights(start: Point, end: Point) -> np.ndarray:
    """Weights of the two ends of a bone, `[2, 22]`: it follows the joint it starts at, toes follow the toes' joint."""
    first, last = (max(point, key=lambda joint: point[joint]) for point in (start, end))
    last = last if last.endswith("_foot") else first
    return np.stack([_only(JOINT_NAMES.index(first)), _only(JOINT_NAMES.index(last))])


def _torso_weights(centre: Point) -> np.ndarray:
    row = np.zeros(len(JOINT_NAMES))
    for name, weight in centre.items():
        joint = JOINT_NAMES.index(name)
        row[PARENTS[joint] if name in _NOT_OF_THE_TORSO else joint] += weight
    return row


def _head(centre: np.ndarray, axes: np.ndarray) -> list[tuple[str, Mesh]]:
    """Ball, nose and visor; `axes` are the directions to the left, the crown and the face."""
    bridge, tip = (centre + HEAD_RADIUS * (point @ axes) for point in NOSE)
    first, second = (HEAD_RADIUS * NOSE_RADII).tolist()
    nose = capsule(bridge, tip, (first, second))
    return [
        ("head", ball_hull(centre[None], np.array([HEAD_RADIUS]))), ("head", nose), ("visor", _visor(centre, axes))
    ]  # fmt: skip


def _visor(centre: np.ndarray, axes: np.ndarray) -> Mesh:
    columns, rows = _VISOR_GRID
    left = np.linspace(-_VISOR_ENDS, _VISOR_ENDS, columns)
    open_share = np.clip((_VISOR_ENDS - np.abs(left)) / (_VISOR_ENDS - _VISOR_CORNERS), 0.02, 1.0)
    edges = [_VISOR_MIDDLE + (edge - _VISOR_MIDDLE) * open_share for edge in (_VISOR_LOW, _VISOR_HIGH)]
    share = np.linspace(0, 1, rows)[:, None]
    up = np.deg2rad((1 - share) * edges[0] + share * edges[1])
    left = np.deg2rad(np.broadcast_to(left, up.shape))
    normals = np.stack([np.sin(left) * np.cos(up), np.sin(up), np.cos(left) * np.cos(up)], axis=-1).reshape(-1, 3)
    normals = normals @ axes
    here = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).reshape(-1)
    corners = (here, here + 1, here + columns + 1), (here, here + columns + 1, here + columns)
    triangles = np.concatenate([np.stack(corner, axis=-1) for corner in corners])
    return Mesh(centre + _VISOR_LIFT * HEAD_RADIUS * normals, normals, triangles, np.zeros(len(normals), np.int64))


def _joined(colour: str, parts: list[tuple[Mesh, np.ndarray]]) -> Piece:
    first = np.cumsum([0, *(len(mesh.vertices) for mesh, _ in parts)])
    return Piece(
        colour,
        COLOURS[colour],
        np.concatenate([mesh.vertices for mesh, _ in parts]),
        np.concatenate([mesh.normals for mesh, _ in parts]),
        np.concatenate([mesh.triangles + start for (mesh, _), start in zip(parts, first, strict=False)]),
        np.concatenate([weights[mesh.holds] for mesh, weights in parts]),
    )
