import numpy as np
import pytest
from PIL import Image

from atom_hf.render import VIEWS
from atom_hf.render.camera import fit_camera
from atom_hf.render.trail import Trail

SIZE = (256, 256)


def cameras(joints, follow):
    return fit_camera(joints, VIEWS["three-quarter"], SIZE, follow=follow, fps=20.0)


def strength(trail, frame):
    image = Image.new("RGB", SIZE, "white")
    trail.draw(image, frame)
    return 255 - np.asarray(image)[..., 0].astype(int)  # the ink has hardly any red


def along(strengths, camera, joints, frames, now):
    ground = joints[frames, 0] * np.float32([1, 0, 1])
    xy = camera.project(ground, np.full(len(frames), now)).xy.astype(int)
    return strengths[xy[:, 1], xy[:, 0]]


@pytest.mark.parametrize("follow", [True, False])
def test_strong_behind_and_faint_ahead(walk, follow):
    camera = cameras(walk, follow)
    drawn = strength(Trail(walk, camera), 20)
    behind = along(drawn, camera, walk, np.array([12, 15, 18]), 20)
    ahead = along(drawn, camera, walk, np.array([22, 25, 28]), 20)
    assert behind.min() > 150 and 30 < ahead.min() <= ahead.max() < 120


def test_drawn_bit_by_bit_is_drawn_at_once(walk):
    camera = cameras(walk, follow=False)
    trail = Trail(walk, camera)
    image = Image.new("RGB", SIZE, "white")
    trail.draw(image, 0)
    for frame in range(39):
        trail.advance(image, frame, frame + 1)
    bits = 255 - np.asarray(image)[..., 0].astype(int)
    whole = strength(trail, 39)
    assert ((bits > 150) & (whole < 60)).sum() < 30 and ((whole > 150) & (bits < 60)).sum() < 30


def test_bends_need_few_corners_and_keep_their_shape():
    angle = np.linspace(0, np.pi, 400)
    joints = np.zeros((400, 22, 3), np.float32)
    joints[:, :, 0], joints[:, :, 2] = (2 * np.cos(angle))[:, None], (2 * np.sin(angle))[:, None]
    corners = Trail(joints, cameras(joints, True))._corners
    assert 15 < len(corners) < 60
    middles = (corners[1:] + corners[:-1]) / 2
    assert np.abs(np.linalg.norm(middles, axis=1) - 2).max() < 0.02


def test_who_stands_leaves_no_trail(pose):
    rng = np.random.default_rng(0)
    joints = np.repeat(pose()[None], 200, axis=0) + rng.normal(0, 0.0005, (200, 1, 3)).astype(np.float32)
    assert (strength(Trail(joints, cameras(joints, True)), 100) > 60).sum() < 40


@pytest.mark.parametrize("frames", [1, 2])
def test_short(pose, frames):
    joints = np.repeat(pose()[None], frames, axis=0)
    for follow in (True, False):
        strength(Trail(joints, cameras(joints, follow)), frames - 1)
