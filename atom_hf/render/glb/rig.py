"""A rig in motion: joints at rest, a skin in pieces, and what the joints do; `rig_glb` makes a GLB file of it.

Nodes stand in the pose of the first frame, while the inverse bind matrices hold the T-pose: whoever does not play the
animation sees the first frame, and whoever edits the rig has a T-pose.
"""

from typing import Any, NamedTuple

import numpy as np

from ...motion import Motion
from ...motion.rotation import matrix_to_quaternion
from ..colours import Colour
from ..export_report import ExportReport
from .container import TRIANGLES, VERTICES, Container
from .ground import add_ground

_INFLUENCES = 4  # joints that move one vertex: more are a second set, which many readers ignore
_NAME = 60  # letters of a prompt that make the animation's name; Blender cuts at 63 bytes


class Piece(NamedTuple):
    """A piece of the skin with a material of its own.

    Args:
        name (`str`): of the material.
        colour (`Colour`): red, green and blue, 0 to 255.
        vertices (`np.ndarray`): in the rest pose, `[V, 3]` in metres.
        normals (`np.ndarray`): unit vectors `[V, 3]`.
        triangles (`np.ndarray`): `[F, 3]`, counter-clockwise seen from outside.
        weights (`np.ndarray`): how much each joint moves each vertex, `[V, J]`; rows add up to one.
    """

    name: str
    colour: Colour
    vertices: np.ndarray
    normals: np.ndarray
    triangles: np.ndarray
    weights: np.ndarray


class Rig(NamedTuple):
    """A skeleton with its skin and its motion.

    Args:
        names (`tuple[str, ...]`): of the J joints.
        parents (`tuple[int, ...]`): parent of each joint, earlier than the joint itself; -1 for the root.
        offsets (`np.ndarray`): of each joint from its parent in the rest pose, `[J, 3]` in metres; the root's is zero.
        rotations (`np.ndarray`): of each joint relative to its parent, matrices `[T, J, 3, 3]`.
        roots (`np.ndarray`): positions of the root, `[T, 3]` in metres.
        fps (`float`): frames per second.
        pieces (`list[Piece]`): the skin.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    offsets: np.ndarray
    rotations: np.ndarray
    roots: np.ndarray
    fps: float
    pieces: list[Piece]

    def rest(self) -> np.ndarray:
        """Joints in the rest pose with the root at the origin.

        Returns:
            `np.ndarray`: `[J, 3]` in metres.
        """
        rest = np.zeros_like(self.offsets)
        for joint, parent in enumerate(self.parents[1:], start=1):
            rest[joint] = rest[parent] + self.offsets[joint]
        return rest


def rig_glb(rig: Rig, *, text: str | None = None, extras: dict[str, Any], ground: np.ndarray | None = None) -> bytes:
    """A GLB file of a rig.

    Args:
        rig ([`Rig`]): the rig.
        text (`str`, *optional*): what the person does: name of the animation.
        extras (`dict[str, Any]`): facts for whoever reads the file, as JSON has them; stored with the scene.
        ground (`np.ndarray`, *optional*): joints `[T, J, 3]` in metres under which a floor is put.

    Returns:
        `bytes`: the file.
    """
    file = Container("atom_hf")
    count = len(rig.names)
    quaternions = smooth_quaternions(rig.rotations)
    nodes: list[dict[str, Any]] = [
        {"name": name, "translation": offset}
        for name, offset in zip(rig.names, rig.offsets.astype(np.float32).tolist(), strict=True)
    ]
    nodes[0]["translation"] = rig.roots[0].astype(np.float32).tolist()
    for joint, parent in enumerate(rig.parents[1:], start=1):
        nodes[parent].setdefault("children", []).append(joint)
    moving = [joint for joint in range(count) if _turns(quaternions[:, joint])]
    for joint in moving:
        nodes[joint]["rotation"] = quaternions[0, joint].tolist()
    bind = np.tile(np.eye(4, dtype=np.float32), (count, 1, 1))
    bind[:, :3, 3] = -rig.rest()
    nodes += [{"name": "body", "mesh": 0, "skin": 0}, {"name": "armature", "children": [0]}]
    document = file.document
    document |= {
        "scene": 0,
        "scenes": [{"name": "motion", "nodes": [count, count + 1], "extras": extras}],
        "nodes": nodes,
        "meshes": [{"name": "body", "primitives": []}],
        "materials": [],
        "skins": [{"name": "body", "joints": list(range(count)), "inverseBindMatrices": file.array(bind)}],
        "animations": [_animation(file, rig, quaternions, moving, text)],
    }
    for piece in rig.pieces:
        document["meshes"][0]["primitives"].append(_primitive(file, piece, len(document["materials"])))
        document["materials"].append(material(piece.name, piece.colour))
    if ground is not None:
        add_ground(file, ground)
    return file.finish()


def rig_extras(motion: Motion, report: ExportReport) -> dict[str, Any]:
    """Facts about a motion for the scene's extras.

    Args:
        motion ([`Motion`]): the clip.
        report ([`ExportReport`]): how exact the file is.

    Returns:
        `dict[str, Any]`: prompt, frame rate, number of frames and residual.
    """
    prompt = {} if motion.text is None else {"prompt": motion.text}
    residual = {"residual_mean_mm": round(report.residual_mean, 3), "residual_max_mm": round(report.residual_max, 3)}
    return {**prompt, "fps": motion.fps, "frames": len(motion), **residual}


def posed(rig: Rig, frames: np.ndarray) -> np.ndarray:
    """Where the skin is, as a reader of the file works it out.

    Args:
        rig ([`Rig`]): the rig.
        frames (`np.ndarray`): numbers of frames, `[n]`.

    Returns:
        `np.ndarray`: vertices of all pieces one after the other, `[n, V, 3]` in metres.
    """
    rotations, places = [rig.rotations[frames, 0]], [rig.roots[frames]]
    for joint, parent in enumerate(rig.parents[1:], start=1):
        places.append(places[parent] + rotations[parent] @ rig.offsets[joint])
        rotations.append(rotations[parent] @ rig.rotations[frames, joint])
    turns, rest = np.stack(rotations, axis=1), rig.rest()
    moves = np.stack(places, axis=1) - (turns @ rest[:, :, None])[..., 0]  # of a vertex at the origin
    weights = np.concatenate([piece.weights for piece in rig.pieces])
    vertices = np.concatenate([piece.vertices for piece in rig.pieces])
    mixed: np.ndarray = np.einsum("vj,njab,vb->nva", weights, turns, vertices, optimize=True) + weights @ moves
    return mixed


def smooth_quaternions(rotations: np.ndarray) -> np.ndarray:
    """Quaternions without jumps of sign, since readers mix those of neighbouring frames number by number.

    Args:
        rotations (`np.ndarray`): matrices `[T, J, 3, 3]`.

    Returns:
        `np.ndarray`: unit quaternions `[T, J, 4]`, order x, y, z, w as in glTF; float32.
    """
    quaternions = np.roll(matrix_to_quaternion(rotations), -1, axis=-1)
    turned = (quaternions[1:] * quaternions[:-1]).sum(axis=-1, keepdims=True) < 0
    quaternions[1:] *= np.where(np.cumsum(turned, axis=0) % 2, -1.0, 1.0)
    quaternions = quaternions.astype(np.float32)
    unit: np.ndarray = quaternions / np.linalg.norm(quaternions, axis=-1, keepdims=True)
    return unit


def _turns(quaternions: np.ndarray) -> bool:
    return bool((np.abs(quaternions[:, :3]) > 1e-7).any())


def _animation(
    file: Container, rig: Rig, quaternions: np.ndarray, moving: list[int], text: str | None
) -> dict[str, Any]:
    times = (np.arange(len(rig.roots)) / rig.fps).astype(np.float32)
    clock = file.array(times, bounds=True)
    samplers = [{"input": clock, "output": file.array(rig.roots.astype(np.float32)), "interpolation": "LINEAR"}]
    channels = [{"sampler": 0, "target": {"node": 0, "path": "translation"}}]
    for joint in moving:
        channels.append({"sampler": len(samplers), "target": {"node": joint, "path": "rotation"}})
        samplers.append({"input": clock, "output": file.array(quaternions[:, joint]), "interpolation": "LINEAR"})
    name = " ".join((text or "").split())[:_NAME] or "motion"
    return {"name": name, "samplers": samplers, "channels": channels}


def _primitive(file: Container, piece: Piece, number: int) -> dict[str, Any]:
    joints, shares = strongest(piece.weights)
    small = np.uint16 if len(piece.vertices) < 2**16 - 1 else np.uint32
    return {
        "attributes": {
            "POSITION": file.array(piece.vertices.astype(np.float32), target=VERTICES, bounds=True),
            "NORMAL": file.array(piece.normals.astype(np.float32), target=VERTICES),
            "JOINTS_0": file.array(joints.astype(np.uint8), target=VERTICES),
            "WEIGHTS_0": file.array(shares, target=VERTICES, normalized=True),
        },
        "indices": file.array(piece.triangles.reshape(-1).astype(small), target=TRIANGLES),
        "material": number,
    }


def strongest(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The four joints that move each vertex most.

    Args:
        weights (`np.ndarray`): `[V, J]`, J at least 4.

    Returns:
        `tuple[np.ndarray, np.ndarray]`: their numbers `[V, 4]`, 0 where there is no weight, and their shares `[V, 4]`
            in 255ths, which add up to 255.
    """
    joints = np.argsort(-weights, axis=1, kind="stable")[:, :_INFLUENCES]
    shares = np.take_along_axis(weights, joints, axis=1)
    shares = shares / shares.sum(axis=1, keepdims=True)
    parts = np.floor(shares * 255 + 0.5)
    parts[:, 0] += 255 - parts.sum(axis=1)
    return np.where(parts > 0, joints, 0), parts.astype(np.uint8)


def material(name: str, colour: Colour, roughness: float = 0.75) -> dict[str, Any]:
    """A dull material.

    Args:
        name (`str`): its name.
        colour (`Colour`): red, green and blue as on the screen, 0 to 255; glTF counts in light.
        roughness (`float`, *optional*, defaults to 0.75): 0 is a mirror, 1 is chalk.

    Returns:
        `dict[str, Any]`: for the document.
    """
    factor = [*light_of(colour), 1.0]
    return {
        "name": name,
        "pbrMetallicRoughness": {"baseColorFactor": factor, "metallicFactor": 0.0, "roughnessFactor": roughness},
    }


def light_of(colour: Colour) -> list[float]:
    """How much light a colour of the screen reflects, as renderers count.

    Args:
        colour (`Colour`): red, green and blue in sRGB, 0 to 255.

    Returns:
        `list[float]`: red, green and blue, 0 to 1, in proportion to light.
    """
    share = np.array(colour) / 255
    light = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    rounded: list[float] = np.round(light, 5).tolist()
    return rounded
