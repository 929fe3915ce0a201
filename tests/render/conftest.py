"""Poses made with forward kinematics, and what colours say about a picture."""

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from atom_hf.motion import JOINT_NAMES, T_POSE_OFFSETS, Motion, forward_kinematics
from atom_hf.motion.rotation import euler_to_matrix

Turns = dict[str, tuple[float, float, float]]


@pytest.fixture(scope="session")
def pose() -> Callable[..., np.ndarray]:
    """Makes joints [22, 3] of a person facing +Z: a T-pose with arms down, and with further turns in degrees."""

    def make(turns: Turns | None = None, lift: float = 0.0) -> np.ndarray:
        angles = np.zeros((1, len(JOINT_NAMES), 3))
        for name, degrees in ({"left_shoulder": (0, 0, -80), "right_shoulder": (0, 0, 80)} | (turns or {})).items():
            angles[0, JOINT_NAMES.index(name)] = np.deg2rad(degrees)
        joints = forward_kinematics(euler_to_matrix(angles, "XYZ"), np.zeros((1, 3)), T_POSE_OFFSETS)[0]
        joints[:, 1] += lift - joints[:, 1].min()
        return joints.astype(np.float32)

    return make


@pytest.fixture(scope="session")
def standing(pose) -> Motion:
    """A person who stands still for half a second."""
    return Motion(np.repeat(pose()[None], 10, axis=0))


@pytest.fixture(scope="session")
def walking(walk) -> Motion:
    """The synthetic walk."""
    return Motion(walk, text="a person walks along a curve")


@pytest.fixture(scope="session")
def tones() -> Callable[[Image.Image], dict[str, np.ndarray]]:
    """Where a picture is blue, orange, skin or dark, as masks [height, width]."""

    def masks(image: Image.Image) -> dict[str, np.ndarray]:
        red, green, blue = np.moveaxis(np.asarray(image.convert("RGB")).astype(int), -1, 0)
        return {
            "blue": (blue > red + 70) & (blue > 120),
            "orange": (red > blue + 110) & (red > 150),
            "skin": (abs(red - 222) < 14) & (abs(green - 182) < 20) & (abs(blue - 150) < 24),
            "dark": (red < 70) & (green < 70) & (blue < 75),
        }

    return masks
