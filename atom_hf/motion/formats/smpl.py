"""SMPL motion (`.npz`) as AMASS has it: axis-angle rotations of the joints, and where the body is.

    poses [T, 156]   trans [T, 3]   betas [16]   mocap_framerate 120.0   gender "neutral"

The first 22 joints are ours in every layout: 156 numbers are SMPL-H (AMASS), 72 SMPL, 165 SMPL-X, 66 the body alone.
AMASS is Z up; its (x, y, z) is our (-x, z, y), as in HumanML3D. `trans` moves the whole model, whose pelvis is not at
its origin: pelvis = trans + the pelvis of the model at rest, which depends on the body's shape and is never turned.
"""

import warnings
from pathlib import Path

import numpy as np

from ..checks import check_fps
from ..kinematics import forward_kinematics, inverse_kinematics
from ..motion import Motion
from ..rotation import axis_angle_to_matrix, matrix_to_axis_angle
from ..skeleton import NUM_JOINTS, PARENTS, T_POSE_OFFSETS
from .body_model import check_tree, leg_length, read_body_model
from .files import MAX_FRAMES, MotionFormatError, read_npz, replacing

_LAYOUTS = {66: "the body", 72: "SMPL", 156: "SMPL-H", 165: "SMPL-X"}
_RATES = ("mocap_framerate", "mocap_frame_rate")
_MODEL_ARRAYS = ("v_template", "shapedirs", "J_regressor", "kintree_table")
_CHUNK = 8192  # frames posed at once, so that long files take little memory

# Our vector of one of AMASS's, and the other way round: it is its own inverse.
_Y_UP = np.array([[-1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
# Pelvis of an average SMPL-H body at rest, in metres and in the model's frame.
_PELVIS = np.array([0.0, -0.22, 0.028])


def read_smpl(
    path: str | Path, model_path: str | Path | None = None, up: str = "z", fps: float | None = None
) -> Motion:
    """Motion of an AMASS or SMPL `.npz` file.

    Args:
        path (`str` or `Path`): the file, with `poses` and `trans`, and optionally `betas` and a frame rate.
        model_path (`str` or `Path`, *optional*): the user's own SMPL, SMPL-H or SMPL-X file (`.npz` or `.pkl`), of the
            person's gender. Without it the package's T-pose body is posed: directions of limbs are right, proportions
            are average, and `betas` have no effect.
        up (`str`, *optional*, defaults to `"z"`): the file's vertical axis; `"z"` as in AMASS, or `"y"` for files that
            have our frame already.
        fps (`float`, *optional*): frames per second, for files that do not say or are wrong.

    Returns:
        [`Motion`]: joints `[T, 22, 3]` in metres, Y up, where the file puts them and at its frame rate.

    Raises:
        MotionFormatError: if a file is absent, broken, hostile, or lacks what is needed.
        ImportError: if `model_path` is given and smplx is not installed.
        ValueError: if `up` is another letter or `fps` is not above zero.
    """
    if up not in ("y", "z"):
        raise ValueError(f"Expected up 'z' or 'y', got {up!r}.")
    arrays = read_npz(path, ("poses", "trans", "betas", *_RATES), required=("poses", "trans"))
    poses, trans = _poses(path, arrays["poses"]), _numbers(path, "trans", arrays["trans"])
    if trans.shape != (len(poses), 3):
        raise MotionFormatError(path, f"expected trans [{len(poses)}, 3] to go with poses, got {list(trans.shape)}.")
    rate = _rate(path, arrays) if fps is None else check_fps(fps)
    betas = _betas(path, arrays.get("betas"))
    offsets, pelvis = T_POSE_OFFSETS, _PELVIS
    if model_path is not None:
        rest = _rest_joints(model_path, betas)
        offsets, pelvis = rest - rest[np.maximum(PARENTS, 0)], rest[0]
    elif betas.any():
        warnings.warn(
            "The file says how the person is built (betas), but only a body model knows what that means: proportions "
            "are average. Pass model_path, an SMPL file, for the person's own.",
            stacklevel=2,
        )
    with np.errstate(over="ignore", invalid="ignore"):
        joints = np.concatenate(
            [
                forward_kinematics(axis_angle_to_matrix(poses[part].astype(np.float64)), trans[part] + pelvis, offsets)
                for part in (slice(i, i + _CHUNK) for i in range(0, len(poses), _CHUNK))
            ]
        )
        joints = (joints @ _Y_UP if up == "z" else joints).astype(np.float32)
    if not np.isfinite(joints).all():
        raise MotionFormatError(path, "its numbers are so large that the joints are not finite.")
    return Motion(joints, rate)


def write_smpl(motion: Motion, path: str | Path) -> None:
    """Write a motion in AMASS's layout, for the average body (`betas` zero), hands at rest, Z up.

    Rotations come from inverse kinematics on the package's T-pose body: limbs keep their directions, bones take the
    body's lengths, and hips, collars and neck its shape. All positions are scaled by the ratio of leg lengths, as
    HumanML3D's uniform skeleton does it, so that feet stay on a floor at height 0 and steps keep their proportion.
    `trans` is the pelvis less that of the average model at rest, which readers with a body model add again.

    Args:
        motion ([`Motion`]): what to write.
        path (`str` or `Path`): the `.npz` file.

    Raises:
        ValueError: if a bone has no length.
    """
    solved = inverse_kinematics(motion.joints.astype(np.float64))
    scale = leg_length(T_POSE_OFFSETS) / leg_length(solved.offsets)
    rotations = solved.rotations.copy()
    rotations[:, 0] = _Y_UP @ rotations[:, 0]
    poses = np.zeros((len(motion), 156), np.float32)
    poses[:, : 3 * NUM_JOINTS] = matrix_to_axis_angle(rotations).reshape(len(motion), -1)
    trans = solved.root_positions * scale @ _Y_UP - _PELVIS
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(
            file,
            poses=poses,
            trans=trans.astype(np.float32),
            betas=np.zeros(16, np.float32),
            mocap_framerate=np.array(motion.fps),
            gender=np.array("neutral"),
        )


def _numbers(path: str | Path, name: str, array: np.ndarray) -> np.ndarray:
    if array.dtype.kind not in "fiu" or not np.isfinite(array).all():
        what = f"values of type {array.dtype}" if array.dtype.kind not in "fiu" else "NaN or infinity"
        raise MotionFormatError(path, f"expected finite numbers in {name}, got {what}.")
    return array


def _poses(path: str | Path, poses: np.ndarray) -> np.ndarray:
    """Rotations of the body's joints, `[T, 22, 3]`."""
    width = int(np.prod(poses.shape[1:])) if poses.ndim in (2, 3) else 0
    if width not in _LAYOUTS or (poses.ndim == 3 and poses.shape[2] != 3) or not 0 < len(poses) <= MAX_FRAMES:
        known = ", ".join(f"{number} ({model})" for number, model in _LAYOUTS.items())
        raise MotionFormatError(
            path, f"expected poses [T, n] of 1 to {MAX_FRAMES} frames with n one of {known}, got {list(poses.shape)}."
        )
    return _numbers(path, "poses", poses.reshape(len(poses), -1, 3)[:, :NUM_JOINTS])


def _rate(path: str | Path, arrays: dict[str, np.ndarray]) -> float:
    given = [arrays[name] for name in _RATES if name in arrays]
    if not given:
        raise MotionFormatError(path, f"it has no frame rate ({' or '.join(_RATES)}); pass fps=.")
    if given[0].size != 1 or given[0].dtype.kind not in "fiu" or not 0 < float(given[0].item()) < np.inf:
        got = given[0].item() if given[0].size == 1 else f"an array {list(given[0].shape)}"
        raise MotionFormatError(path, f"expected a frame rate above zero, got {got}; pass fps=.")
    return float(given[0].item())


def _betas(path: str | Path, betas: np.ndarray | None) -> np.ndarray:
    """Shape of the body `[B]`; some files repeat it for every frame."""
    rows = np.zeros((1, 1)) if betas is None else np.atleast_2d(_numbers(path, "betas", betas))
    if rows.ndim != 2 or not rows.size or (rows != rows[0]).any():
        raise MotionFormatError(path, f"expected betas [B], the same in every frame, got shape {list(rows.shape)}.")
    return rows[0].astype(np.float64)


def _rest_joints(model_path: str | Path, betas: np.ndarray) -> np.ndarray:
    """Joints `[22, 3]` of a body model at rest, for a body of this shape, in metres."""
    try:
        import torch
        from smplx.lbs import blend_shapes, vertices2joints
    except ImportError as error:
        raise ImportError(
            'Body models are read with smplx, which is missing: pip install "atom_hf[smpl]". It is research software '
            "for non-commercial use. Without model_path the motion is read on a body of average proportions."
        ) from error
    model = _read_model(model_path)
    count = min(len(betas), model["shapedirs"].shape[2])
    with torch.no_grad():
        shape = torch.from_numpy(betas[None, :count])
        template, shapes, regressor = (torch.from_numpy(model[name].astype(np.float64)) for name in _MODEL_ARRAYS[:3])
        joints = vertices2joints(regressor[:NUM_JOINTS], template + blend_shapes(shape, shapes[..., :count]))
    return joints[0].numpy()


def _read_model(path: str | Path) -> dict[str, np.ndarray]:
    model = read_body_model(path, _MODEL_ARRAYS)
    for name, array in model.items():
        _numbers(path, name, array)
    template, shapes, regressor, tree = (model[name].shape for name in _MODEL_ARRAYS)
    vertices = template[0] if template else 0
    fits = template == (vertices, 3) and len(shapes) == 3 and shapes[:2] == template and tree[:1] == (2,)
    if not fits or len(regressor) != 2 or regressor[0] < NUM_JOINTS or regressor[1] != vertices:
        got = ", ".join(f"{name} {list(array.shape)}" for name, array in model.items())
        raise MotionFormatError(
            path, f"expected a body model: v_template [V, 3], shapedirs [V, 3, B], J_regressor [J, V] with J at least "
            f"{NUM_JOINTS}, kintree_table [2, J]; got {got}."
        )  # fmt: skip
    check_tree(path, model["kintree_table"])
    return model
