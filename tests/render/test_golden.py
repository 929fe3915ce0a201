"""Small pictures against stored ones, with a tolerance for versions of Pillow and NumPy.

Look at the new ones after making them again: python tests/render/test_golden.py
"""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from atom_hf.motion import JOINT_NAMES, T_POSE_OFFSETS, Motion, forward_kinematics
from atom_hf.motion.rotation import euler_to_matrix
from atom_hf.render import render_frames, render_sheet, render_trajectory, render_views

FOLDER = Path(__file__).parent / "golden"
SIZE = (256, 192)


def dance() -> Motion:
    """Two seconds of steps to the left and ahead while turning, one arm raised, the other bent, and a hop at the
    end."""
    frames = 40
    phase = np.linspace(0, 4 * np.pi, frames)
    angles = np.zeros((frames, len(JOINT_NAMES), 3))
    for name, turns in {
        "pelvis": (0, np.linspace(0, 100, frames), 0),
        "left_hip": (-35 * np.sin(phase), 0, 0),
        "right_hip": (35 * np.sin(phase), 0, 0),
        "left_knee": (30 + 25 * np.cos(phase), 0, 0),
        "right_knee": (30 - 25 * np.cos(phase), 0, 0),
        "left_shoulder": (0, 0, np.linspace(-80, 70, frames)),
        "right_shoulder": (-40, 0, 75),
        "right_elbow": (0, 80, 0),
        "spine2": (15 * np.sin(phase / 2), 0, 0),
    }.items():
        for axis, degrees in enumerate(turns):
            angles[:, JOINT_NAMES.index(name), axis] = np.deg2rad(degrees)
    root = np.stack([np.linspace(0, 0.9, frames), np.zeros(frames), np.linspace(0, 1.5, frames)], axis=-1)
    joints = forward_kinematics(euler_to_matrix(angles, "XYZ"), root, T_POSE_OFFSETS)
    joints[..., 1] -= joints[..., 1].min(axis=1, keepdims=True)
    joints[..., 1] += (
        0.35 * np.maximum(0, np.sin(np.linspace(-4 * np.pi, np.pi, frames)))[:, None] * (phase > 9)[:, None]
    )
    return Motion(joints.astype(np.float32))


PICTURES: dict[str, Callable[[Motion], Image.Image]] = {
    "grid": lambda motion: render_sheet(motion, frames=4, columns=2, size=SIZE, caption="a dancing person"),
    "fixed": lambda motion: render_frames(motion, frames=3, size=SIZE, camera="side", follow=False)[1],
    "back": lambda motion: render_frames(motion, frames=2, size=SIZE, camera="back")[0],
    "large": lambda motion: render_frames(motion, frames=3, size=(360, 360))[2].crop((40, 20, 296, 212)),
    "top": lambda motion: render_frames(motion, frames=3, size=SIZE, camera="top")[1],
    "views": lambda motion: render_views(motion, frames=3, size=SIZE, label=False),
    "trajectory": lambda motion: render_trajectory(motion, frames=3, size=SIZE),
}


@pytest.mark.parametrize("name", PICTURES)
def test_picture(name: str) -> None:
    expected = np.asarray(Image.open(FOLDER / f"{name}.png").convert("RGB")).astype(int)
    difference = np.abs(np.asarray(PICTURES[name](dance())).astype(int) - expected)
    assert difference.mean() < 0.8
    assert (difference.max(axis=-1) > 48).mean() < 0.004


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, draw in PICTURES.items():
        draw(dance()).save(FOLDER / f"{name}.png", optimize=True)
        sys.stdout.write(f"{FOLDER / name}.png\n")
