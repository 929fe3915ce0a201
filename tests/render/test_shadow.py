import numpy as np
import pytest
from PIL import Image

from atom_hf.render import VIEWS
from atom_hf.render.body import place_body
from atom_hf.render.camera import fit_camera
from atom_hf.render.shadow import draw_shadow, shadow_shapes


@pytest.fixture
def shadow(pose):
    """Draws the shadow of a pose on white, as a camera sees it that fits a standing person."""
    camera = fit_camera(pose()[None], VIEWS["three-quarter"], (200, 200), follow=False, fps=20.0)

    def draw(joints):
        image = Image.new("RGB", (200, 200), "white")
        draw_shadow(image, shadow_shapes(place_body(joints[None], 0.5), camera, np.array([0])), 0)
        return 255 - np.asarray(image.convert("L")).astype(int), camera

    return draw


def test_lies_below_the_feet(shadow, pose):
    dark, camera = shadow(pose())
    feet = pose()[[10, 11]] * np.float32([1, 0, 1])
    for x, y in camera.project(feet[None], np.array([0])).xy[0]:
        assert dark[int(y), int(x)] > 60
    head = camera.project(pose()[None, 15], np.array([0])).xy[0]
    assert dark[int(head[1]) + 20].sum() == 0  # nothing hangs in the air


def test_stays_on_the_floor_and_pales_in_a_jump(shadow, pose):
    standing, _ = shadow(pose())
    flying, _ = shadow(pose(lift=0.6))
    assert 0.3 < flying.max() / standing.max() < 0.9
    rows = [np.flatnonzero(dark.sum(1) > 50) for dark in (standing, flying)]
    assert abs(rows[0].max() - rows[1].max()) <= 3


def test_outside_the_picture(shadow, pose):
    dark, _ = shadow(pose() + np.float32([40, 0, 0]))
    assert dark.sum() == 0
