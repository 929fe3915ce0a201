"""A walking person made from sines and forward kinematics: motion for tests that comes from nowhere else."""

import numpy as np

from atom_hf.motion import JOINT_NAMES, T_POSE_OFFSETS, forward_kinematics
from atom_hf.motion.rotation import euler_to_matrix


def walking(frames: int = 40, fps: float = 20.0, turn: float = 0.3, stretch: float = 1.0) -> np.ndarray:
    """Joints `[frames, 22, 3]` of a person who walks at 1.2 m/s and two steps a second along a curve.

    Args:
        frames (`int`): number of frames.
        fps (`float`): frames per second.
        turn (`float`): turning speed, radians per second.
        stretch (`float`): size of the body relative to the T-pose.
    """
    time = np.arange(frames) / fps
    phase = 2 * np.pi * time
    angles = np.zeros((frames, len(JOINT_NAMES), 3))  # X, Y, Z

    def bend(name: str, axis: int, values: np.ndarray | float) -> None:
        angles[:, JOINT_NAMES.index(name), axis] = values

    for side, sign in (("left", 1.0), ("right", -1.0)):
        swing = sign * np.sin(phase)
        bend(f"{side}_hip", 0, -0.45 * swing)
        bend(f"{side}_knee", 0, 0.25 + 0.5 * np.maximum(0, sign * np.cos(phase)))
        bend(f"{side}_ankle", 0, -0.1 + 0.15 * swing)
        bend(f"{side}_shoulder", 2, -sign * 1.25)
        bend(f"{side}_shoulder", 0, 0.4 * swing)
        bend(f"{side}_elbow", 1, -sign * 0.4)
    bend("spine2", 1, 0.08 * np.sin(phase))
    bend("pelvis", 1, turn * time)
    heading = np.stack([np.sin(turn * time), np.zeros(frames), np.cos(turn * time)], axis=-1)
    root = np.cumsum(1.2 / fps * heading, axis=0) + np.array([0.3, 0, -0.2])
    joints = forward_kinematics(euler_to_matrix(angles, "XYZ"), root, T_POSE_OFFSETS * stretch)
    joints[..., 1] -= joints[..., 1].min(axis=(1,), keepdims=True)
    return joints.astype(np.float32)
