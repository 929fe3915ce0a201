"""Joints as text that is short and exact enough: whole numbers of a unit of 0.1 mm, as base64.

{"unit": 0.0001, "path": "<int32 [T, 3]>", "joints": "<int16 [T, 22, 3]>"}

`path` is the root's position and `joints` are positions relative to it, both little-endian and in units. A frame takes
192 letters (a clip of 10 seconds at 20 fps 38 kB, 10,000 frames 1.9 MB), however far the person walks.
"""

import base64
from typing import Any

import numpy as np

UNIT = 0.0001  # metres
COARSEST = 0.00099  # metres; the error of a rounded number is half of the unit: below 0.5 mm
_MOST, _FARTHEST = 32767, 2**31 - 1


def pack_joints(joints: np.ndarray) -> dict[str, Any]:
    """Write joints as text.

    Args:
        joints (`np.ndarray`): positions `[T, 22, 3]` in metres.

    Returns:
        `dict`: `unit`, `path` and `joints`; see the module. The unit is 0.1 mm, so that a coordinate is off by at most
            0.05 mm. Where a joint is more than 3.2 m from the root the unit grows, and the error stays below 0.5 mm.

    Raises:
        ValueError: if a value is not finite, a joint is more than 32 m from the root, or the person leaves for more
            than 200 km.
    """
    joints = np.asarray(joints, dtype=np.float64)
    if joints.ndim != 3 or joints.shape[1:] != (22, 3) or not len(joints):
        raise ValueError(f"Expected joints [T, 22, 3], got shape {list(joints.shape)}.")
    if not np.isfinite(joints).all():
        frame, joint = np.argwhere(~np.isfinite(joints).all(-1))[0]
        raise ValueError(f"Expected finite joints, got {joints[frame, joint].tolist()} in frame {frame}.")
    # Distances are taken from the rounded root, so that its error does not add to theirs.
    reach = float(np.abs(joints - joints[:, :1]).max()) + COARSEST
    unit = max(UNIT, reach / _MOST)
    if unit > COARSEST:
        raise ValueError(f"Expected joints within {COARSEST * _MOST:.0f} m of the root, got {reach:.1f} m.")
    path = np.rint(joints[:, 0] / unit)
    if np.abs(path).max() > _FARTHEST:
        raise ValueError(f"Expected a root within {_FARTHEST * unit / 1000:.0f} km of its start.")
    rest = np.rint(joints / unit - path[:, None]).clip(-_MOST, _MOST)
    return {"unit": unit, "path": to_base64(path.astype("<i4")), "joints": to_base64(rest.astype("<i2"))}


def unpack_joints(packed: dict[str, Any]) -> np.ndarray:
    """Read joints back.

    Args:
        packed (`dict`): from `pack_joints`.

    Returns:
        `np.ndarray`: positions `[T, 22, 3]` in metres, float64.
    """
    path = np.frombuffer(base64.b64decode(packed["path"]), dtype="<i4").reshape(-1, 1, 3)
    rest = np.frombuffer(base64.b64decode(packed["joints"]), dtype="<i2").reshape(-1, 22, 3)
    return (path.astype(np.float64) + rest) * packed["unit"]


def to_base64(values: np.ndarray | bytes) -> str:
    """Bytes as text.

    Args:
        values (`np.ndarray` or `bytes`): what to write.

    Returns:
        `str`: base64.
    """
    return base64.b64encode(values if isinstance(values, bytes) else values.tobytes()).decode("ascii")
