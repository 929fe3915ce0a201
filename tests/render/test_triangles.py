import numpy as np
import pytest
from PIL import Image

from atom_hf.render import VIEWS
from atom_hf.render import triangles as triangles_module
from atom_hf.render.camera import fit_camera
from atom_hf.render.triangles import _rasterize, draw_mesh

RED, GREEN = (200.0, 0.0, 0.0), (0.0, 200.0, 0.0)


def raster(xy, depth, faces, colours, size=(40, 40)):
    return _rasterize(np.array(xy, float), np.array(depth, float), np.array(faces), np.array(colours, float), *size)


def test_covers_pixels_whose_middle_is_inside():
    canvas, covered = raster([(0, 0), (0, 10), (10, 0)], [1, 1, 1], [(0, 1, 2)], [RED] * 3)
    y, x = np.mgrid[:40, :40] + 0.5
    np.testing.assert_array_equal(covered, x + y <= 10)
    np.testing.assert_allclose(canvas[covered], np.broadcast_to(RED, (covered.sum(), 3)))


def test_nearest_wins_whatever_the_order():
    corners = [(2, 2), (2, 30), (30, 2)]
    colours = [RED] * 3 + [GREEN] * 3
    for faces in ([(0, 1, 2), (3, 4, 5)], [(3, 4, 5), (0, 1, 2)]):
        canvas, covered = raster(corners + corners, [5, 5, 5, 4, 4, 4], faces, colours)
        np.testing.assert_allclose(canvas[covered], np.broadcast_to(GREEN, (covered.sum(), 3)), atol=1e-9)


def test_crossing_triangles_share_the_picture():
    corners = [(2, 2), (2, 30), (30, 2)]
    canvas, _ = raster(corners + corners, [1, 3, 3, 2, 2, 2], [(0, 1, 2), (3, 4, 5)], [RED] * 3 + [GREEN] * 3)
    assert canvas[4, 4, 0] == pytest.approx(200) and canvas[15, 14, 1] == pytest.approx(200)


def test_colours_run_between_corners():
    canvas, _ = raster([(0, 0), (0, 30), (30, 0)], [1, 1, 1], [(0, 1, 2)], [RED, RED, GREEN])
    assert canvas[2, 15, 1] == pytest.approx(200 * 15.5 / 30, rel=1e-6)


def test_back_sides_are_not_drawn():
    assert not raster([(0, 0), (10, 0), (0, 10)], [1, 1, 1], [(0, 1, 2)], [RED] * 3)[1].any()


def test_in_parts_is_the_same(monkeypatch):
    rng = np.random.default_rng(0)
    xy, depth = rng.uniform(-5, 45, (60, 2)), rng.uniform(1, 2, 60)
    faces, colours = rng.integers(0, 60, (80, 3)), rng.uniform(0, 255, (60, 3))
    whole = raster(xy, depth, faces, colours)
    monkeypatch.setattr(triangles_module, "_PROPOSALS", 500)
    for a, b in zip(whole, raster(xy, depth, faces, colours), strict=True):
        np.testing.assert_allclose(a, b)


def test_draw_mesh(pose):
    """A tetrahedron in front of the person: lit from above left, with a dark outline."""
    camera = fit_camera(pose()[None], VIEWS["front"], (200, 200), follow=False, fps=20.0)
    middle = camera.targets[0]
    vertices = (middle + np.array([[-0.3, -0.3, 0], [0.3, -0.3, 0], [0, 0.3, 0], [0, 0, 0.4]])).astype(np.float32)
    faces = np.array([(0, 1, 3), (1, 2, 3), (2, 0, 3), (0, 2, 1)])
    image = Image.new("RGB", (200, 200), "white")
    draw_mesh(image, camera, 0, vertices, faces, np.full((4, 3), 200.0))
    grey = np.asarray(image.convert("L")).astype(int)
    shape = np.argwhere(grey < 250)
    assert 40 < np.ptp(shape[:, 0]) < 120 and abs(shape[:, 1].mean() - 100) < 3
    assert (grey < 80).sum() > 50  # the outline
    assert grey[110, 100] > 100
