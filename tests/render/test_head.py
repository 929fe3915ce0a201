import numpy as np
import pytest
from PIL import Image, ImageDraw

from atom_hf.motion.rotation import euler_to_matrix
from atom_hf.render import VIEWS
from atom_hf.render.camera import fit_camera
from atom_hf.render.head import draw_head, head_shapes

CENTRE, RADIUS = 50, 30


@pytest.fixture
def head(pose):
    """Draws a head that is turned to its left, and nods, by some degrees, as the front camera sees it."""
    camera = fit_camera(pose()[None], VIEWS["front"], (100, 100), follow=False, fps=20.0)
    level = camera._replace(axes=np.eye(3, dtype=np.float32))

    def draw(turn=0.0, nod=0.0, lying=False):
        axes = euler_to_matrix(np.deg2rad([nod, turn, 0.0]), "XYZ").T.astype(np.float32)[None]
        centre, radius = np.full((1, 2), CENTRE, np.float32), np.full(1, RADIUS, np.float32)
        (shape,) = head_shapes(axes, level, centre, radius, 2.0, np.array([lying]))
        image = Image.new("RGB", (100, 100), "white")
        draw_head(ImageDraw.Draw(image), shape)
        return image.transpose(Image.Transpose.TRANSPOSE) if lying else image

    return draw


def dark_pixels(image):
    """x and y, from the centre, of the visor's pixels; outlines are brown."""
    y, x = np.nonzero((np.asarray(image).astype(int) < 60).all(-1))
    return x - CENTRE, y - CENTRE


def test_visor_shows_where_the_face_is(head):
    x, y = dark_pixels(head())
    assert len(x) > 300 and abs(x.mean()) < 2 and -12 < y.mean() < 0
    x, _ = dark_pixels(head(turn=60))
    assert x.mean() > 12  # the person's left is the picture's right
    x, _ = dark_pixels(head(turn=-60))
    assert x.mean() < -12
    _, y = dark_pixels(head(nod=40))
    assert y.mean() > 5


@pytest.mark.parametrize("turn", [130, 150, 180, -150, -130])
@pytest.mark.parametrize("nod", [-30, 0, 30])
def test_no_visor_from_behind(head, turn, nod):
    assert len(dark_pixels(head(turn, nod))[0]) == 0


@pytest.mark.parametrize("turn", range(-180, 180, 20))
@pytest.mark.parametrize("nod", range(-80, 81, 40))
def test_visor_stays_on_the_ball(head, turn, nod):
    x, y = dark_pixels(head(turn, nod))
    assert len(x) == 0 or np.hypot(x, y).max() <= RADIUS + 2
    assert len(x) < 1200  # it never floods the ball


def test_nose_sticks_out_of_the_profile(head):
    skin = np.asarray(head(turn=90).convert("L")) < 250
    columns = np.flatnonzero(skin.any(0)) - CENTRE
    assert columns.max() > RADIUS + 4 and columns.min() >= -RADIUS - 4


def test_lying_is_the_same_picture(head):
    upright, lying = np.asarray(head(turn=30)).astype(int), np.asarray(head(turn=30, lying=True)).astype(int)
    assert np.abs(upright - lying).mean() < 1
