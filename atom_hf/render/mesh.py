"""A body model instead of capsules: SMPL, SMPL-H or SMPL-X, fitted to the joints of a clip.

body = load_body("SMPL_NEUTRAL.npz")                  # the user's own file; needs the extra `smpl`
render_video(motion, "walk.mp4", body=body)
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..motion.formats.body_model import check_tree, leg_length, read_body_model
from ..motion.formats.files import MotionFormatError
from ..motion.kinematics import inverse_kinematics
from ..motion.skeleton import JOINT_NAMES, NUM_JOINTS, PARENTS
from .colours import COLOURS

_ARRAYS = ("v_template", "shapedirs", "posedirs", "J_regressor", "weights", "f", "kintree_table")
_CHUNK = 16  # frames posed at once: a matrix of 4 x 4 for every vertex takes memory


@dataclass(frozen=True, eq=False)
class MeshBody:
    """A body model of one person, which can take the place of the capsules; `load_body` makes one.

    Args:
        template (`np.ndarray`): vertices at rest, `[V, 3]` in metres, Y up, facing +Z.
        regressor (`np.ndarray`): the J joints at rest as mixtures of vertices, `[J, V]`; the first 22 are ours.
        parents (`np.ndarray`): parent of each joint, `[J]`, -1 for the root.
        weights (`np.ndarray`): how much each joint moves each vertex, `[V, J]`.
        pose_shapes (`np.ndarray`): what rotations of the joints do to the skin, `[9 * (J - 1), 3 * V]` in metres.
        faces (`np.ndarray`): triangles as numbers of vertices, `[F, 3]`, counter-clockwise seen from outside.
    """

    template: np.ndarray
    regressor: np.ndarray
    parents: np.ndarray
    weights: np.ndarray
    pose_shapes: np.ndarray
    faces: np.ndarray

    def colours(self) -> np.ndarray:
        """Colour of every vertex, red, green and blue `[V, 3]` in units of 0 to 255, as the capsules have them."""
        parts: list[str] = []
        for joint, parent in enumerate(self.parents.tolist()):
            name = JOINT_NAMES[joint] if joint < NUM_JOINTS else ""
            if not name:
                part = parts[parent]  # fingers belong to the arm, jaw and eyes to the head
            elif name in ("neck", "head"):
                part = "head"
            elif name.startswith(("left", "right")) and not name.endswith("collar"):
                part = name.partition("_")[0]
            else:
                part = "torso"
            parts.append(part)
        colours: np.ndarray = self.weights @ np.array([COLOURS[part] for part in parts], dtype=np.float32)
        return colours

    def fit(self, joints: np.ndarray) -> "FittedBody":
        """Pose the model like the person of a clip.

        Limbs get their directions by inverse kinematics. The model keeps its proportions, and is scaled as a whole by
        the ratio of leg lengths.

        Args:
            joints (`np.ndarray`): positions `[T, 22, 3]` in metres.

        Returns:
            [`FittedBody`]: the model in T poses.

        Raises:
            ValueError: if a bone has no length.
        """
        rest = (self.regressor @ self.template)[:NUM_JOINTS]
        offsets = rest - rest[np.maximum(PARENTS, 0)]
        solved = inverse_kinematics(joints.astype(np.float64), offsets)
        scale = leg_length(solved.offsets) / leg_length(offsets)
        return FittedBody(self, solved.rotations.astype(np.float32), joints[:, 0].astype(np.float32), scale)


@dataclass(frozen=True, eq=False)
class FittedBody:
    """A body model in the poses of a clip.

    Args:
        body ([`MeshBody`]): the model.
        rotations (`np.ndarray`): rotation of each joint relative to its parent, matrices `[T, 22, 3, 3]`.
        roots (`np.ndarray`): positions of the pelvis, `[T, 3]` in metres.
        scale (`float`): size of the person relative to the model.
    """

    body: MeshBody
    rotations: np.ndarray
    roots: np.ndarray
    scale: float

    def vertices(self, frames: np.ndarray) -> np.ndarray:
        """Where the skin is.

        Args:
            frames (`np.ndarray`): numbers of frames, `[n]`.

        Returns:
            `np.ndarray`: vertices `[n, V, 3]` in metres, float32.
        """
        return np.concatenate([self._vertices(frames[i : i + _CHUNK]) for i in range(0, len(frames), _CHUNK)])

    def _vertices(self, frames: np.ndarray) -> np.ndarray:
        torch, lbs = _smplx()
        body = self.body
        count = len(body.parents)
        rotations = np.tile(np.eye(3, dtype=np.float32), (len(frames), count, 1, 1))  # hands and face stay at rest
        rotations[:, :NUM_JOINTS] = self.rotations[frames]
        with torch.no_grad():
            vertices, joints = lbs(
                betas=torch.zeros(len(frames), 1),
                pose=torch.from_numpy(rotations),
                v_template=torch.from_numpy(body.template),
                shapedirs=torch.zeros(*body.template.shape, 1),  # the template has the person's shape already
                posedirs=torch.from_numpy(body.pose_shapes),
                J_regressor=torch.from_numpy(body.regressor),
                parents=torch.from_numpy(body.parents),
                lbs_weights=torch.from_numpy(body.weights),
                pose2rot=False,
            )
        placed = (vertices - joints[:, :1]).numpy() * self.scale + self.roots[frames][:, None]
        return placed.astype(np.float32, copy=False)


def load_body(path: str | Path, betas: np.ndarray | None = None) -> MeshBody:
    """Read a body model.

    The model files are the user's own: they have licences of their own, and none comes with the package.

    Args:
        path (`str` or `Path`): an SMPL, SMPL-H or SMPL-X file, `.npz` or `.pkl`. Pickles are read without running what
            they ask for.
        betas (`np.ndarray`, *optional*): shape of the person, `[B]` in the model's units; the average person without
            it.

    Returns:
        [`MeshBody`]: the model of that person.

    Raises:
        ImportError: if smplx is not installed.
        MotionFormatError: if the file is absent, broken, hostile, or no body model.
        ValueError: if there are more betas than the model has.
    """
    arrays = read_body_model(path, _ARRAYS)
    _check_model(path, arrays)
    _smplx()  # asked for last: whoever lacks it learns first what is wrong with the file
    template = arrays["v_template"].astype(np.float64)
    if betas is not None:
        shape = np.asarray(betas, dtype=np.float64).reshape(-1)
        shapes = arrays["shapedirs"]
        if len(shape) > shapes.shape[2]:
            raise ValueError(f"{path} has {shapes.shape[2]} shapes (betas), got {len(shape)}.")
        template = template + shapes[..., : len(shape)] @ shape
    poses = arrays["posedirs"]
    parents = arrays["kintree_table"][0].astype(np.int64)
    parents[0] = -1  # written as 4294967295 in the files
    return MeshBody(
        np.ascontiguousarray(template, dtype=np.float32),
        np.ascontiguousarray(arrays["J_regressor"], dtype=np.float32),
        parents,
        np.ascontiguousarray(arrays["weights"], dtype=np.float32),
        np.ascontiguousarray(poses.reshape(-1, poses.shape[2]).T, dtype=np.float32),
        arrays["f"].astype(np.int64),
    )


def _check_model(path: str | Path, arrays: dict[str, np.ndarray]) -> None:
    shapes = {name: list(array.shape) for name, array in arrays.items()}
    vertices, joints = (shapes["v_template"] or [0])[0], (shapes["J_regressor"] or [0])[0]
    wanted: dict[str, list[int | None]] = {
        "v_template": [vertices, 3],
        "shapedirs": [vertices, 3, None],
        "posedirs": [vertices, 3, 9 * (joints - 1)],
        "J_regressor": [joints, vertices],
        "weights": [vertices, joints],
        "f": [None, 3],
        "kintree_table": [2, joints],
    }
    for name, shape in wanted.items():
        fits = len(shape) == len(shapes[name]) and all(
            want in (None, got) for want, got in zip(shape, shapes[name], strict=True)
        )
        if not fits or arrays[name].dtype.kind not in "fiu" or not np.isfinite(arrays[name]).all():
            expected = "[" + ", ".join("any" if n is None else str(n) for n in shape) + "]"
            raise MotionFormatError(
                path, f"expected a body model with finite numbers {expected} in {name}, got {shapes[name]}."
            )
    parents = arrays["kintree_table"][0].tolist()
    check_tree(path, arrays["kintree_table"])
    faces = arrays["f"]
    known = all(0 <= parent < joint for joint, parent in enumerate(parents) if joint)
    if not known or not faces.size or faces.min() < 0 or faces.max() >= vertices:
        raise MotionFormatError(path, "its joints or triangles refer to what is not there.")


def _smplx() -> tuple[Any, Any]:
    """torch, and the function that poses a body model."""
    try:
        import torch
        from smplx.lbs import lbs
    except ImportError as error:
        raise ImportError(
            'Body models are drawn with smplx, which is missing: pip install "atom_hf[smpl]". It is research software '
            "for non-commercial use. Without body= the figure is drawn with capsules."
        ) from error
    return torch, lbs
