"""Motions in the store: joints in whole tenths of a millimetre, as differences over time, which pack well.

pack(motion)  →  20 fps, about 10 kB for 10 seconds; off by at most 0.05 mm
shown(pack…)  →  what a labeller sees: at the origin, on the floor, facing +Z, whole millimetres, and nothing else
"""

import zlib

import numpy as np

from ..motion import Motion, face_forward, to_floor, to_origin
from ..motion.layout import FPS
from .errors import ArenaError

UNIT = 1e-4  # metres
FEWEST_FRAMES, MOST_FRAMES = 5, 2400  # at 20 fps: a code needs 4 frames of features, and two minutes are a long clip
_FARTHEST = 1000.0  # metres


def pack(motion: Motion) -> tuple[int, bytes]:
    """A motion for the store.

    Args:
        motion ([`Motion`]): at any frame rate; kept at 20 fps.

    Returns:
        `tuple[int, bytes]`: frames, and joints.

    Raises:
        TypeError: if it is no motion.
        ArenaError: if it is too short, too long or too far away.
    """
    if not isinstance(motion, Motion):
        raise TypeError(f"Expected a Motion, got {type(motion).__name__}; Motion(joints) makes one.")
    if motion.duration > MOST_FRAMES / FPS:
        raise ArenaError(f"Expected at most {MOST_FRAMES / FPS:.0f} s of motion, got {motion.duration:.0f} s; cut it.")
    joints = motion.resample(FPS).joints
    if not FEWEST_FRAMES <= len(joints) <= MOST_FRAMES:
        raise ArenaError(f"Expected {FEWEST_FRAMES} to {MOST_FRAMES} frames at {FPS:g} fps, got {len(joints)}.")
    if np.abs(joints).max() > _FARTHEST:
        raise ArenaError(f"Expected joints within {_FARTHEST:.0f} m of the origin; are they in metres?")
    whole = np.rint(joints.astype(np.float64) / UNIT).astype("<i4")
    return len(joints), zlib.compress(np.diff(whole, axis=0, prepend=np.int32(0)).astype("<i4").tobytes(), 6)


def unpack(frames: int, packed: bytes) -> np.ndarray:
    """Joints from the store.

    Args:
        frames (`int`): how many there are.
        packed (`bytes`): of `pack`.

    Returns:
        `np.ndarray`: `[T, 22, 3]`, float32, metres, 20 fps.
    """
    size = frames * 66 * 4
    data = zlib.decompressobj().decompress(packed, size)
    steps = np.frombuffer(data, "<i4").reshape(frames, 22, 3)
    return (np.cumsum(steps, axis=0, dtype=np.int64) * UNIT).astype(np.float32)


def shown(frames: int, packed: bytes) -> Motion:
    """What a labeller sees of a motion; where it was and which way it faced could tell who made it.

    Args:
        frames (`int`): how many there are.
        packed (`bytes`): of `pack`.

    Returns:
        [`Motion`]: joints alone, whole millimetres, 20 fps.
    """
    joints = to_floor(to_origin(face_forward(to_origin(unpack(frames, packed)))))
    return Motion((np.rint(np.asarray(joints, np.float64) * 1000) / 1000).astype(np.float32), FPS)
