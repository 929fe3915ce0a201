"""Acclaim motion capture (`.amc`), as the CMU database has it: angles of the bones of an `.asf` skeleton. Read only.

    :DEGREES
    1                                                 frame
    root 9.37 17.89 -17.32 -2.04 -3.53 -2.97          tx ty tz rx ry rz
    lowerback 3.01 -0.34 0.47                         rx ry rz
    ltibia 12.6                                       rx

Bones stand in any order, the same ones in every frame; the skeleton says what their numbers are.
"""

import math
import warnings
from array import array
from pathlib import Path
from typing import NoReturn

import numpy as np

from ..motion import Motion
from ..rotation import euler_to_matrix
from ..skeleton import JOINT_NAMES
from .asf import ASF, Fields, lines_of, numbers_of, read_asf
from .files import MAX_FRAMES, MotionFormatError, read_text

# Joints that are the end of a bone. CMU splits the forearm into lradius and lwrist; lwrist ends at the wrist.
_ENDS = {
    "pelvis": "root",
    "left_hip": "lhipjoint",
    "right_hip": "rhipjoint",
    "spine1": "lowerback",
    "left_knee": "lfemur",
    "right_knee": "rfemur",
    "spine2": "upperback",
    "left_ankle": "ltibia",
    "right_ankle": "rtibia",
    "left_foot": "lfoot",
    "right_foot": "rfoot",
    "neck": "lowerneck",
    "head": "upperneck",
    "left_shoulder": "lclavicle",
    "right_shoulder": "rclavicle",
    "left_elbow": "lhumerus",
    "right_elbow": "rhumerus",
    "left_wrist": "lwrist",
    "right_wrist": "rwrist",
}
# Joints that CMU's skeleton lacks: on the line between two ends, at the fraction that gives them SMPL's proportions.
_BETWEEN = {
    "spine3": ("upperback", "thorax", 0.4),
    "left_collar": ("thorax", "lclavicle", 0.35),
    "right_collar": ("thorax", "rclavicle", 0.35),
}
_NEEDED = {*_ENDS.values(), *(bone for first, second, _ in _BETWEEN.values() for bone in (first, second))}

_CMU_FPS = 120.0
_MAX_HEADER = 100  # lines
_CHUNK = 8192  # frames posed at once, so that long files take little memory


def read_amc(
    path: str | Path, skeleton: str | Path | None = None, fps: float | None = None, scale: float | None = None
) -> Motion:
    """Motion of an Acclaim `.amc` file, with the skeleton that it belongs to.

    Args:
        path (`str` or `Path`): the file.
        skeleton (`str` or `Path`, *optional*): its `.asf`; by default the one beside it of the same name, of the name
            before the first `_`, or the only one in the folder.
        fps (`float`, *optional*): frames per second; by default what the file says (hardly any does) or CMU's 120.
        scale (`float`, *optional*): metres in one unit of the files; by default what the skeleton says (`read_asf`).

    Returns:
        [`Motion`]: joints `[T, 22, 3]` in metres, Y up, where the file puts them and at its frame rate. Most joints
            are ends of bones. CMU's skeleton has no spine3 and no collars: they lie between the ends of upperback and
            thorax, and between the end of thorax and the shoulder.

    Raises:
        MotionFormatError: if a file is absent or broken (the line is named), the two do not belong together, or the
            skeleton has other bones than CMU's.
        ValueError: if `fps` or `scale` is not above zero.
    """
    path = Path(path)
    text = read_text(path)
    skeleton = _find_skeleton(path) if skeleton is None else skeleton
    asf = read_asf(skeleton, scale)
    lacking = sorted(_NEEDED.difference(asf.skeleton.names))
    if lacking:
        bones = ", ".join(lacking)
        raise MotionFormatError(skeleton, f"expected a body with the bones of the CMU database; it has no {bones}.")
    wanted = _with_ancestors(asf)
    header, values = _parse(path, text, asf, wanted)
    if fps is None:
        fps = _rate(path, header)
    degrees = ":degrees" in header or (asf.degrees and ":radians" not in header)
    with np.errstate(over="ignore", invalid="ignore"):
        joints = np.concatenate(
            [
                _pose(asf, wanted, {bone: rows[i : i + _CHUNK] for bone, rows in values.items()}, degrees)
                for i in range(0, len(values["root"]), _CHUNK)
            ]
        )
    if not np.isfinite(joints).all():
        raise MotionFormatError(path, "its numbers are so large that the joints are not finite.")
    _warn_of_scale(skeleton, asf)
    return Motion(joints, fps)


def _find_skeleton(path: Path) -> Path:
    stems = (path.stem, path.stem.split("_")[0])
    found = sorted(file for file in path.parent.iterdir() if file.suffix.lower() == ".asf")
    for stem in stems:
        for file in found:
            if file.stem.lower() == stem.lower():
                return file
    if len(found) == 1:
        return found[0]
    looked = " or ".join(dict.fromkeys(f"{stem}.asf" for stem in stems))
    raise MotionFormatError(
        path,
        f"its skeleton is not found: looked for {looked} or a single .asf file in {path.parent}, which has "
        f"{', '.join(file.name for file in found[:10]) or 'none'}. Pass skeleton=, the path of the .asf file.",
    )


def _rate(path: Path, header: Fields) -> float:
    (fps,) = numbers_of(path, header, ":samples-per-second", 1, "the header", [_CMU_FPS])
    if not fps > 0:
        line = header[":samples-per-second"][0]
        raise MotionFormatError(path, f"expected a frame rate above zero, got {fps:g}; pass fps=.", line)
    return fps


def _warn_of_scale(skeleton: str | Path, asf: ASF) -> None:
    lengths = np.linalg.norm(asf.skeleton.offsets, axis=-1)
    legs = sum(float(lengths[asf.skeleton.names.index(bone)]) for bone in ("lfemur", "ltibia"))
    if not 0.2 < legs < 2.0:
        warnings.warn(
            f"{skeleton}: thigh and shin together are {legs:.3g} m long, so the unit of length is probably another "
            f"one; pass scale, the metres in one unit (now {asf.scale:.4g}).",
            stacklevel=3,
        )


def _with_ancestors(asf: ASF) -> set[str]:
    """The bones that decide where the 22 joints are: without fingers and toes."""
    names, parents = asf.skeleton.names, asf.skeleton.parents
    wanted = set(_NEEDED)
    for i in reversed(range(1, len(names))):
        if names[i] in wanted:
            wanted.add(names[parents[i]])
    return wanted


def _parse(path: Path, text: str, asf: ASF, wanted: set[str]) -> tuple[Fields, dict[str, np.ndarray]]:
    """Header, and the values `[T, n]` of every bone that the frames have, in the units of the file."""
    widths = {name: len(given) for name, given in zip(asf.skeleton.names, asf.channels, strict=True) if given}
    values = {name: array("d") for name in widths}
    header: Fields = {}
    expected, seen = wanted.intersection(widths), set[str]()
    frame = frames = 0
    for line, words in lines_of(text):
        name = words[0]
        if frames and name in widths:
            try:
                row = [float(word) for word in words[1:]]
            except ValueError:
                row = [math.nan] * len(words[1:])
            if len(row) != widths[name] or not math.isfinite(sum(row)) or name in seen:
                _broken_row(path, line, words, widths[name], name in seen)
            seen.add(name)
            values[name].extend(row)
        elif len(words) == 1 and name.isdecimal():
            number = int(name[:18])
            if frames:
                _check_complete(path, frame, expected - seen, line)
                expected, seen = expected | seen, set()
                if number != frame + 1:
                    raise MotionFormatError(path, f"expected frame {frame + 1} or the end, got frame {number}.", line)
            frame, frames = number, frames + 1
            if frames > MAX_FRAMES:
                raise MotionFormatError(path, f"expected at most {MAX_FRAMES} frames.", line)
        elif not frames and name[0] == ":" and len(header) < _MAX_HEADER:
            header[name] = (line, words[1:])
        else:
            _unknown_line(path, line, name, bool(frames), name in asf.skeleton.names)
    if not frames:
        what = "it has none" if text.strip() else "it is empty"
        raise MotionFormatError(path, f"expected an AMC file with at least one frame, but {what}.")
    _check_complete(path, frame, expected - seen, None)
    return header, {name: np.frombuffer(values[name]).reshape(frames, -1) for name in expected}


def _check_complete(path: Path, frame: int, missing: set[str], line: int | None) -> None:
    if missing:
        what = "is incomplete" if line else "is cut off by the end of the file"
        raise MotionFormatError(path, f"frame {frame} {what}: it lacks {', '.join(sorted(missing))}.", line)


def _broken_row(path: Path, line: int, words: list[str], width: int, twice: bool) -> NoReturn:
    name, got = words[0], len(words) - 1
    if twice:
        problem = f"bone {name!r} occurs twice in one frame."
    elif got != width:
        problem = f"expected {width} value{'s' * (width > 1)} for bone {name!r}, as its skeleton says, got {got}."
    else:
        problem = f"expected finite numbers for bone {name!r}, got {' '.join(words[1:])[:80]!r}."
    raise MotionFormatError(path, problem, line)


def _unknown_line(path: Path, line: int, name: str, inside: bool, known: bool) -> NoReturn:
    name = name[:40]
    if not inside:
        problem = f"expected an AMC file, which has the number of a frame here, got {name!r}."
    elif known:
        problem = f"bone {name!r} has no degrees of freedom in the skeleton, so no values were expected."
    else:
        problem = f"bone {name!r} is not in the skeleton; is it the right .asf file?"
    raise MotionFormatError(path, problem, line)


def _pose(asf: ASF, wanted: set[str], values: dict[str, np.ndarray], degrees: bool) -> np.ndarray:
    """Joints `[T, 22, 3]` of a stretch of frames, float32, metres."""
    frames = len(values["root"])
    rotations: dict[str, np.ndarray] = {}
    ends: dict[str, np.ndarray] = {}
    bones = zip(asf.skeleton.names, asf.skeleton.parents, asf.skeleton.offsets, asf.axes, asf.channels, strict=True)
    for name, parent, offset, axes, channels in bones:
        if name not in wanted:
            continue
        columns = dict(zip(channels, values[name].T, strict=True)) if channels else {}
        turn = _turn(columns, degrees)
        shift = np.stack([np.broadcast_to(columns.get(axis, 0.0), frames) for axis in ("tx", "ty", "tz")], axis=-1)
        shift = shift * asf.scale
        if name == "root":
            rotations[name], ends[name] = turn @ axes, offset + shift
            continue
        before, start = rotations[asf.skeleton.names[parent]], ends[asf.skeleton.names[parent]]
        if "l" in columns:
            length = float(np.linalg.norm(offset)) or 1.0
            offset = offset * (1 + columns["l"][:, None] * asf.scale / length)
        rotations[name] = before @ axes @ turn @ axes.T
        ends[name] = start + _apply(before, shift @ axes.T) + _apply(rotations[name], offset)
    joints = []
    for joint in JOINT_NAMES:
        first, second, fraction = _BETWEEN.get(joint) or (_ENDS[joint], _ENDS[joint], 0.0)
        joints.append(ends[first] + fraction * (ends[second] - ends[first]))
    return np.stack(joints, axis=1).astype(np.float32)


def _turn(columns: dict[str, np.ndarray], degrees: bool) -> np.ndarray:
    """Matrices `[T, 3, 3]`, or `[3, 3]` of a bone that never turns; about fixed axes, the first channel first."""
    channels = [channel for channel in columns if channel[0] == "r"][::-1]
    if not channels:
        return np.eye(3)
    angles = np.stack([columns[channel] for channel in channels], axis=-1)
    return euler_to_matrix(np.radians(angles) if degrees else angles, "".join(c[1] for c in channels).upper())


def _apply(rotations: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    return (rotations @ vectors[..., None])[..., 0]
