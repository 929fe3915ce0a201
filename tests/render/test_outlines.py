import numpy as np
import pytest

from atom_hf.render.outlines import bone_directions, capsule_corners, detail_for, hull_corners

START, END = np.array([[[10.0, 10.0]]]), np.array([[[40.0, 10.0]]])
RADII = np.array([[[4.0, 2.0]]])


def test_capsule():
    along = bone_directions(START, END)
    np.testing.assert_array_equal(along, [[[1, 0]]])
    corners = capsule_corners(START, END, along, RADII, detail=2)[0, 0]
    assert corners.shape == (10, 2) and corners.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(corners[:5] - START[0, 0], axis=1), 4, rtol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(corners[5:] - END[0, 0], axis=1), 2, rtol=1e-6)
    assert corners[:, 0].min() == pytest.approx(6) and corners[:, 0].max() == pytest.approx(42)
    x, y = corners.T
    area = abs((x * np.roll(y, 1) - y * np.roll(x, 1)).sum()) / 2  # of a polygon that does not cross itself
    assert area == pytest.approx(30 * (4 + 2) + (2**0.5 * 4**2 + 2**0.5 * 2**2), rel=1e-4)


def test_cut_ends_are_straight():
    rounding = np.array([[[0.0, 1.0]]])
    corners = capsule_corners(START, END, bone_directions(START, END), RADII, 2, rounding)[0, 0]
    np.testing.assert_allclose(corners[:5, 0], 10, atol=1e-5)
    assert corners[:, 0].max() == pytest.approx(42)


def test_bone_towards_the_viewer_is_a_disc():
    along = bone_directions(START, START)
    corners = capsule_corners(START, START, along, np.full((1, 1, 2), 3.0), 4)[0, 0]
    np.testing.assert_allclose(np.linalg.norm(corners - START[0, 0], axis=1), 3, rtol=1e-6)


def test_hull():
    centres, radii = np.array([[[0.0, 0.0], [10.0, 0.0], [5.0, 1.0]]]), np.array([[2.0, 2.0, 0.5]])
    corners = hull_corners(centres, radii, detail=2)[0]
    assert corners.shape == (16, 2)
    assert corners[:, 0].min() == pytest.approx(-2) and corners[:, 0].max() == pytest.approx(12)
    assert np.abs(corners[:, 1]).max() == pytest.approx(2)  # the small ball lies inside


def test_larger_pictures_are_rounder():
    assert detail_for((256, 256)) < detail_for((512, 512))
