"""Motion files, one module a format; `load_motion` and `save_motion` choose by suffix.

| suffix | what it is | read | write |
|---|---|---|---|
| `.bvh` | any skeleton, by joint names | yes | yes |
| `.amc` | Acclaim, with its `.asf` beside it | yes | |
| `.npz` | AMASS/SMPL poses | yes | yes |
| `.npy` | joints [T, 22, 3] or features [T, 263] | yes | joints |
| folder | HumanML3D | yes | yes |
"""

from inspect import signature
from pathlib import Path
from typing import Any

from ..motion import Motion
from .amc import read_amc
from .bvh import read_bvh, write_bvh
from .files import MotionFormatError
from .humanml3d import Caption, HumanML3DClip, Skipped, is_humanml3d, read_captions, read_humanml3d, write_humanml3d
from .npy import read_npy_motion, write_npy_motion
from .smpl import read_smpl, write_smpl

__all__ = [
    "READERS",
    "WRITERS",
    "Caption",
    "HumanML3DClip",
    "MotionFormatError",
    "Skipped",
    "is_humanml3d",
    "load_motion",
    "read_amc",
    "read_bvh",
    "read_captions",
    "read_humanml3d",
    "read_npy_motion",
    "read_smpl",
    "save_motion",
    "write_bvh",
    "write_humanml3d",
    "write_npy_motion",
    "write_smpl",
]

READERS = {".bvh": read_bvh, ".amc": read_amc, ".npz": read_smpl, ".npy": read_npy_motion}
WRITERS = {".bvh": write_bvh, ".npz": write_smpl, ".npy": write_npy_motion}


def load_motion(path: str | Path, **options: Any) -> Motion:
    """Read one clip of motion; the suffix says the format.

    Args:
        path (`str` or `Path`): a `.bvh`, `.amc` (its `.asf` is found beside it), `.npz` (AMASS/SMPL) or `.npy` file
            (joints `[T, 22, 3]` or features `[T, 263]`).
        options (`Any`): passed on to the format's reader: `joint_map`, `scale` (metres per unit) and `up` for BVH,
            `skeleton` and `fps` for AMC, `model_path`, `up` and `fps` for SMPL, `fps` for `.npy`; see `read_bvh`,
            `read_amc`, `read_smpl`, `read_npy_motion`.

    Returns:
        [`Motion`]: joints `[T, 22, 3]` in metres, Y up, at the file's frame rate.

    Raises:
        MotionFormatError: if the file is absent, broken or hostile, or the suffix is unknown; names file and line.
        TypeError: if the format's reader has no such option.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in READERS:
        if Path(path).is_dir():
            raise MotionFormatError(
                path, "expected a file, but it is a folder; read_humanml3d reads HumanML3D folders."
            )
        raise MotionFormatError(
            path, f"expected a file ending in {', '.join(READERS)}, got {suffix or 'no suffix'!r}."
        )
    reader: Any = READERS[suffix]
    known = [name for name in signature(reader).parameters if name != "path"]
    unknown = [name for name in options if name not in known]
    if unknown:
        raise TypeError(f"{suffix} files are read with the options {', '.join(known)}, got {', '.join(unknown)}.")
    return reader(path, **options)


def save_motion(motion: Motion, path: str | Path) -> None:
    """Write one clip of motion; the suffix says the format. `Motion.save` is the same.

    Args:
        motion ([`Motion`]): what to write.
        path (`str` or `Path`): `.bvh`, `.npz` (AMASS's SMPL layout) or `.npy` (joints `[T, 22, 3]`, metres).

    Raises:
        MotionFormatError: if the suffix is unknown.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in WRITERS:
        raise MotionFormatError(
            path, f"expected a file ending in {', '.join(WRITERS)}, got {suffix or 'no suffix'!r}."
        )
    WRITERS[suffix](motion, path)
