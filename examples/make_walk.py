"""Make a motion from nothing: a person who walks along a curve, written as BVH.

    python examples/make_walk.py outputs/walk.bvh

Joint angles are sines of the step phase, forward kinematics turns them into positions, and the lowest foot stands on
the floor.
"""

import argparse
from pathlib import Path

import numpy as np

from atom_hf.motion import JOINT_NAMES, T_POSE_OFFSETS, Motion, forward_kinematics
from atom_hf.motion.rotation import euler_to_matrix

STRIDES_PER_SECOND = 0.9  # a stride is two steps


def walking(frames: int = 80, fps: float = 20.0, speed: float = 1.2, turn: float = 0.3) -> np.ndarray:
    """Joints `[frames, 22, 3]` in metres of a walking person who starts out facing +Z.

    Args:
        frames (`int`, *optional*, defaults to 80): number of frames.
        fps (`float`, *optional*, defaults to 20.0): frames per second.
        speed (`float`, *optional*, defaults to 1.2): metres per second.
        turn (`float`, *optional*, defaults to 0.3): turning speed to the left, radians per second.
    """
    time = np.arange(frames) / fps
    phase = 2 * np.pi * STRIDES_PER_SECOND * time
    angles = np.zeros((frames, len(JOINT_NAMES), 3))  # about X, Y, Z; a positive X angle swings a hanging limb back

    def bend(name: str, axis: str, values: np.ndarray | float) -> None:
        angles[:, JOINT_NAMES.index(name), "XYZ".index(axis)] += values

    for side, sign in (("left", 1.0), ("right", -1.0)):
        swing = sign * np.sin(phase)  # 1 when this leg is in front
        lift = np.maximum(0, sign * np.cos(phase - 0.3))  # while it swings forward
        bend(f"{side}_hip", "X", -0.42 * swing - 0.15 * lift)
        bend(f"{side}_knee", "X", 0.12 + 0.85 * lift**2)
        bend(f"{side}_ankle", "X", 0.08 * swing - 0.12 - 0.1 * lift)
        bend(f"{side}_shoulder", "Z", -sign * 1.3)  # arms down
        bend(f"{side}_shoulder", "X", 0.45 * swing)  # and against the legs
        bend(f"{side}_elbow", "Y", -sign * (0.35 - 0.15 * swing))
        bend(f"{side}_foot", "X", 0.0)
    bend("pelvis", "Y", turn * time + 0.06 * np.sin(phase))
    bend("spine2", "Y", -0.12 * np.sin(phase))
    bend("spine1", "X", 0.05)

    heading = np.stack([np.sin(turn * time), np.zeros(frames), np.cos(turn * time)], axis=-1)
    root = np.cumsum(speed / fps * heading, axis=0)
    joints = forward_kinematics(euler_to_matrix(angles, "XYZ"), root, T_POSE_OFFSETS)
    joints[..., 1] -= joints[..., 1].min(axis=1, keepdims=True)
    return joints.astype(np.float32)


def main() -> None:
    """Write the walk."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path, help="where to write: .bvh, .npz or .npy")
    parser.add_argument("--seconds", type=float, default=4.0, help="length of the walk")
    options = parser.parse_args()
    motion = Motion(
        walking(frames=max(2, round(options.seconds * 20))), text="a person walks along a curve to the left"
    )
    motion.save(options.path)
    options.path.with_suffix(".txt").write_text(f"{motion.text}\n", encoding="utf-8")  # its caption, for a corpus
    print(f"{options.path}: {motion}")


if __name__ == "__main__":
    main()
