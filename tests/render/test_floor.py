import numpy as np
import pytest

from atom_hf.render import VIEWS
from atom_hf.render.camera import fit_camera
from atom_hf.render.floor import SKY, Floor


def camera_of(joints, view="three-quarter", follow=False, size=(256, 256)):
    return fit_camera(joints, VIEWS[view], size, follow=follow, fps=20.0)


def grey(floor, frame=0):
    return np.asarray(floor.image(frame)).astype(int)[..., 0]


def at(image, camera, points, frame=0):
    """Grey levels where points of the floor (x, z in metres) are seen."""
    points = np.insert(np.array(points, dtype=np.float32), 1, 0, axis=1)
    xy = camera.project(points[None], np.array([frame])).xy[0]
    return image[np.floor(xy[:, 1]).astype(int), np.floor(xy[:, 0]).astype(int)]


@pytest.mark.parametrize("view", ["three-quarter", "side", "top", "front"])
def test_lines_are_where_half_metres_are(pose, view):
    camera = camera_of(pose()[None], view)
    image = grey(Floor(camera, 2.2))
    corners = at(image, camera, [(0, 0), (0.5, 0), (-0.5, 0.5), (0.5, -0.5), (0.25, 0.0), (0, -0.25)])
    cells = at(image, camera, [(0.25, 0.25), (-0.25, 0.25), (0.25, -0.25), (-0.25, -0.25)])
    assert corners.max() < 215 and cells.min() > 224


def test_sky_and_fog(pose):
    image = grey(Floor(camera_of(pose()[None], "front"), 2.2))
    assert (image[:60] == SKY).all()
    assert (np.abs(np.diff(image[:, 5])) < 45).all()  # no hard horizon
    top = grey(Floor(camera_of(pose()[None], "top"), 2.2))
    assert (top < SKY).all()


def test_moves_by_whole_cells(walk):
    joints = walk.copy()
    camera = camera_of(joints, follow=True)
    targets = np.repeat(camera.targets[:1], 3, axis=0)
    targets[1, 0] += 0.5
    targets[2, 2] += 0.25
    floor = Floor(camera._replace(targets=targets), 2.2)
    first, cell, half = (grey(floor, i).copy() for i in range(3))
    assert np.abs(first - cell).max() <= 2
    assert (np.abs(first - half) > 20).sum() > 500


def test_a_moving_camera_sees_the_floor_of_a_fixed_one(walk):
    camera = camera_of(walk, follow=True)
    floor = Floor(camera, 2.2)
    for frame in (0, 17, 39):
        fixed = camera._replace(targets=camera.targets[frame : frame + 1])
        assert np.abs(grey(floor, frame) - grey(Floor(fixed, 2.2))).max() <= 1


def test_far_grids_are_coarser(walk):
    """A clip that goes far is seen from far away; lines a pixel apart would be grey noise."""
    long = np.concatenate([walk + np.float32([0, 0, 4 * i]) for i in range(30)])
    image = grey(Floor(camera_of(long), 60.0))
    assert 190 < image.min() or (image < 200).mean() < 0.2
    assert np.isfinite(image).all()


def test_no_floor_in_sight(pose):
    camera = camera_of(pose()[None], "front", size=(64, 64))
    axes = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]], dtype=np.float32)  # looking up from below
    looking_up = camera._replace(view=camera.view._replace(elevation=-60.0), axes=axes)
    assert (grey(Floor(looking_up, 2.2)) == SKY).all()
