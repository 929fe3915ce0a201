"""The skin of a motion for programs without its skeleton: a body model as GLB, and numbered OBJ files, a mesh a frame.

write_body_glb(motion, "walk.glb", load_body("SMPL_NEUTRAL.npz"))     # SMPL's own skin weights, one file
write_obj_sequence(motion, "walk.obj")                                # walk/walk_0000.obj, walk/walk_0001.obj, ...
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..motion import Motion
from ..motion.formats.files import replacing
from ..motion.formats.whole_folder import whole_folder
from ..motion.kinematics import forward_kinematics
from ..motion.skeleton import JOINT_NAMES, NUM_JOINTS
from .colours import COLOURS, Colour
from .export_report import ExportReport
from .glb.rig import Piece, Rig, light_of, posed, rig_extras, rig_glb
from .glb.write import figure_rig
from .mesh import MeshBody

_HANDS = ("left_hand", "right_hand")  # of SMPL with 24 joints; others have fingers
_SEQUENCE = (".obj", ".mtl")
_CHUNK = 64  # frames posed at once


class _Group(NamedTuple):
    """Triangles `[F, 3]` of one material."""

    name: str
    colour: Colour
    triangles: np.ndarray


def write_body_glb(motion: Motion, path: str | Path, body: MeshBody, *, floor: bool = True) -> ExportReport:
    """Write a motion as GLB with a body model as its skin.

    The model's own skin weights move it, the four strongest of each vertex, as real-time programs do it; what bent
    joints do to the skin beyond that (SMPL's pose shapes) is left out, which shows at elbows and knees. Numbered OBJ
    files have it.

    Args:
        motion ([`Motion`]): the clip.
        path (`str` or `Path`): the `.glb` file; it appears whole or not at all.
        body ([`MeshBody`]): the user's body model, from `load_body`.
        floor (`bool`, *optional*, defaults to `True`): add a floor.

    Returns:
        [`ExportReport`]: how far the model's joints are from the motion's. The model keeps its proportions, so this is
            centimetres for people who are built otherwise.

    Raises:
        ValueError: if a bone has no length in the whole clip.
    """
    report = ExportReport.of(Path(path), motion, body_residual(motion, body))
    data = body_glb(motion, body, floor=floor)
    with replacing(path) as temporary:
        temporary.write_bytes(data)
    return report


def body_glb(motion: Motion, body: MeshBody, *, floor: bool = False) -> bytes:
    """What `write_body_glb` writes.

    Args:
        motion ([`Motion`]): the clip.
        body ([`MeshBody`]): the user's body model, from `load_body`.
        floor (`bool`, *optional*, defaults to `False`): add a floor.

    Returns:
        `bytes`: a binary glTF file.

    Raises:
        ValueError: if a bone has no length in the whole clip.
    """
    report = ExportReport.of(Path(), motion, body_residual(motion, body))
    ground = motion.joints.astype(np.float64) if floor else None
    return rig_glb(body_rig(motion, body), text=motion.text, extras=rig_extras(motion, report), ground=ground)


def body_rig(motion: Motion, body: MeshBody) -> Rig:
    """A body model as a rig in motion, in the size of the person.

    Args:
        motion ([`Motion`]): the clip.
        body ([`MeshBody`]): the model.

    Returns:
        [`Rig`]: all joints of the model; hands and face stay at rest.

    Raises:
        ValueError: if a bone has no length in the whole clip.
    """
    fitted = body.fit(motion.joints)
    count = len(body.parents)
    joints = (body.regressor.astype(np.float64) @ body.template) * fitted.scale
    offsets = joints - joints[np.maximum(body.parents, 0)]
    rotations = np.tile(np.eye(3), (len(motion), count, 1, 1))
    rotations[:, :NUM_JOINTS] = fitted.rotations
    more = _HANDS if count == NUM_JOINTS + 2 else tuple(f"joint_{i}" for i in range(NUM_JOINTS, count))
    vertices = body.template * fitted.scale - joints[0]
    normals = vertex_normals(vertices, body.faces)
    pieces = []
    for group in _groups(body):
        used, triangles = np.unique(group.triangles, return_inverse=True)
        pieces.append(
            Piece(
                group.name,
                group.colour,
                vertices[used],
                normals[used],
                triangles.reshape(-1, 3),
                body.weights[used].astype(np.float64),
            )
        )
    parents = tuple(body.parents.tolist())
    return Rig(JOINT_NAMES + more, parents, offsets, rotations, fitted.roots.astype(np.float64), motion.fps, pieces)


def body_residual(motion: Motion, body: MeshBody) -> np.ndarray:
    """Distance between a motion's joints and those of a body model that is fitted to it.

    Args:
        motion ([`Motion`]): the clip.
        body ([`MeshBody`]): the model.

    Returns:
        `np.ndarray`: `[T, 22]` in metres.
    """
    rig = body_rig(motion, body)
    found = forward_kinematics(rig.rotations, rig.roots, rig.offsets, rig.parents)
    distance: np.ndarray = np.linalg.norm(found[:, :NUM_JOINTS] - motion.joints, axis=-1)
    return distance


def write_obj_sequence(
    motion: Motion, path: str | Path, body: MeshBody | None = None, *, replace: bool = True
) -> ExportReport:
    """Write a mesh for every frame as OBJ files, metres, Y up, with the colours of the figure in a `.mtl` file.

    Args:
        motion ([`Motion`]): the clip.
        path (`str` or `Path`): `walk.obj` stands for the folder `walk` with `walk_0000.obj` and so on; it appears
            whole or not at all.
        body ([`MeshBody`], *optional*): a body model from `load_body`, posed exactly, with its pose shapes; the figure
            of capsules without it.
        replace (`bool`, *optional*, defaults to `True`): whether an old sequence may be replaced.

    Returns:
        [`ExportReport`]: its path is the folder.

    Raises:
        FileExistsError: if the folder is there and holds other files, or anything with `replace=False`.
        ImportError: if a body model is to be posed and smplx is not installed.
        ValueError: if a bone has no length in the whole clip.
    """
    folder = Path(path).with_suffix("")
    if body is None:
        rig, residual = figure_rig(motion)
        groups, first = [], 0
        for piece in rig.pieces:
            groups.append(_Group(piece.name, piece.colour, piece.triangles + first))
            first += len(piece.vertices)
    else:
        fitted, residual, groups = body.fit(motion.joints), body_residual(motion, body), _groups(body)
    faces = "\n".join(
        f"usemtl {group.name}\n" + "\n".join(f"f {a} {b} {c}" for a, b, c in (group.triangles + 1).tolist())
        for group in groups
    )
    digits = max(4, len(str(len(motion) - 1)))

    def check(target: Path) -> None:
        refuse_other_files(target, replace)

    with whole_folder(folder, check) as unfinished:
        (unfinished / "body.mtl").write_text("".join(map(_material, groups)), encoding="ascii")
        for start in range(0, len(motion), _CHUNK):
            frames = np.arange(start, min(start + _CHUNK, len(motion)))
            for frame, vertices in zip(
                frames, posed(rig, frames) if body is None else fitted.vertices(frames), strict=True
            ):
                row = "v %.5f %.5f %.5f\n" * len(vertices)
                text = f"mtllib body.mtl\no body\n{row % tuple(vertices.reshape(-1).tolist())}{faces}\n"
                (unfinished / f"{folder.name}_{frame:0{digits}d}.obj").write_text(text, encoding="ascii")
    return ExportReport.of(folder, motion, residual)


def refuse_other_files(folder: Path, replace: bool) -> None:
    """See that nothing but an old sequence stands where a new one is to go.

    Args:
        folder (`Path`): the folder of the sequence.
        replace (`bool`): whether an old sequence may be replaced.

    Raises:
        FileExistsError: if there is something else.
    """
    if not folder.exists():
        return
    if not folder.is_dir():
        raise FileExistsError(f"{folder}: expected a new folder for the sequence, but it is a file.")
    found = list(folder.iterdir())
    if found and not (replace and all(path.suffix.lower() in _SEQUENCE for path in found)):
        raise FileExistsError(f"{folder}: expected a new folder for the sequence, but it holds files; choose another.")


def vertex_normals(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Normals of a smooth surface: those of the triangles around each vertex, weighted by their areas.

    Args:
        vertices (`np.ndarray`): `[V, 3]`.
        triangles (`np.ndarray`): `[F, 3]`, counter-clockwise seen from outside.

    Returns:
        `np.ndarray`: unit vectors `[V, 3]`.
    """
    a, b, c = (vertices[triangles[:, i]] for i in range(3))
    normals = np.zeros(vertices.shape)
    for i in range(3):
        np.add.at(normals, triangles[:, i], np.cross(b - a, c - a))
    lengths = np.linalg.norm(normals, axis=-1, keepdims=True)
    up = np.array([0.0, 1.0, 0.0])  # for vertices without area around them
    unit: np.ndarray = np.where(lengths > 1e-12, normals / np.maximum(lengths, 1e-12), up)
    return unit


def _groups(body: MeshBody) -> list[_Group]:
    """The model's triangles by colour, as the capsules have them."""
    names = ("left", "right", "torso", "head")
    table = np.array([COLOURS[name] for name in names], dtype=np.float64)
    colours = body.colours()[body.faces].mean(axis=1)
    nearest = np.linalg.norm(colours[:, None] - table, axis=-1).argmin(axis=1)
    return [
        _Group(name, COLOURS[name], body.faces[nearest == i]) for i, name in enumerate(names) if (nearest == i).any()
    ]


def _material(group: _Group) -> str:
    red, green, blue = light_of(group.colour)  # what Blender takes them for
    return f"newmtl {group.name}\nKd {red:.4f} {green:.4f} {blue:.4f}\n"
