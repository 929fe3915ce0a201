import numpy as np
import pytest

from atom_hf.motion import JOINT_NAMES
from atom_hf.render import VIEWS, View
from atom_hf.render.camera import BODY_MARGIN, camera_axes, check_view, fit_camera

LEFT, RIGHT = JOINT_NAMES.index("left_shoulder"), JOINT_NAMES.index("right_shoulder")
HEAD, FOOT = JOINT_NAMES.index("head"), JOINT_NAMES.index("left_foot")


def seen(joints, view, follow=False, size=(200, 150)):
    camera = fit_camera(joints, VIEWS[view], size, follow=follow, fps=20.0)
    return camera, camera.project(joints, np.arange(len(joints)))


def test_axes_are_a_right_handed_frame():
    for view in VIEWS.values():
        axes = camera_axes(view)
        np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-6)
        assert np.linalg.det(axes) == pytest.approx(1)


def test_projection_is_a_pinhole(pose):
    camera = fit_camera(pose()[None], VIEWS["front"], (200, 150), follow=False, fps=20.0)
    right, up, back = camera.axes
    offsets = np.array([[0, 0, 0], [0.5, 0, 0], [0, 0.5, 0], [0, 0, 0.5]]) @ np.stack([right, up, back])
    xy, depth, scale = camera.project((camera.targets[0] + offsets)[None].astype(np.float32), np.array([0]))
    near = camera.focal / camera.distance
    expected = [[100, 75], [100 + 0.5 * near, 75], [100, 75 - 0.5 * near], [100, 75]]
    np.testing.assert_allclose(xy[0], expected, atol=1e-3)
    np.testing.assert_allclose(depth[0], [camera.distance] * 3 + [camera.distance - 0.5], rtol=1e-5)
    np.testing.assert_allclose(scale, camera.focal / depth, rtol=1e-5)


def test_front_shows_the_left_on_the_right(pose):
    _, front = seen(pose()[None], "front")
    assert front.xy[0, LEFT, 0] > front.xy[0, RIGHT, 0] + 10
    _, back = seen(pose()[None], "back")
    assert back.xy[0, LEFT, 0] < back.xy[0, RIGHT, 0] - 10


def test_side_is_the_right_side_and_faces_right(pose):
    _, side = seen(pose()[None], "side")
    assert side.depth[0, RIGHT] < side.depth[0, LEFT]
    assert side.xy[0, FOOT, 0] > side.xy[0, JOINT_NAMES.index("left_ankle"), 0]


def test_top_faces_up(pose):
    _, top = seen(pose()[None], "top")
    assert top.depth[0, HEAD] < top.depth[0, FOOT]
    assert top.xy[0, FOOT, 1] < top.xy[0, JOINT_NAMES.index("left_ankle"), 1]
    assert top.xy[0, LEFT, 0] < top.xy[0, RIGHT, 0]


@pytest.mark.parametrize("follow", [True, False])
@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("size", [(256, 256), (300, 100), (64, 200)])
def test_everything_is_in_the_picture(walk, view, follow, size):
    _, (xy, _, scale) = seen(walk, view, follow, size)
    reach = (BODY_MARGIN * scale)[..., None] - 1
    assert (xy - reach >= 0).all() and (xy + reach <= size).all()
    # and not from farther away than needed: somewhere it comes near the border
    if not follow:
        assert ((xy - reach).min() < 0.1 * min(size)) or ((np.array(size) - xy - reach).min() < 0.1 * min(size))


def test_following_keeps_the_root_in_the_middle(walk):
    camera, (xy, _, _) = seen(walk, "side", follow=True)
    away = np.abs(xy[:, 0, 0] - 100)
    assert camera.moves and away[8:-8].max() < 1 and away.max() < 8  # it starts and stops gently
    fixed, (xy, _, _) = seen(walk, "side", follow=False)
    assert not fixed.moves and np.ptp(xy[:, 0, 0]) > 60


def test_following_does_not_rise_with_a_jump(pose):
    joints = np.stack([pose(lift=lift) for lift in (0.0, 0.2, 0.4, 0.2, 0.0)])
    camera, (xy, _, _) = seen(joints, "front", follow=True)
    assert np.ptp(camera.targets[:, 1]) == 0
    assert xy[2, 0, 1] < xy[0, 0, 1] - 10


def test_lying_is_not_blown_up(pose):
    up = pose()
    lying = up[:, [0, 2, 1]] * np.float32([1, 1, -1])
    lying[:, 1] -= lying[:, 1].min()
    distances = [fit_camera(j[None], VIEWS["front"], (200, 200), follow=True, fps=20.0).distance for j in (up, lying)]
    assert distances[1] > 0.8 * distances[0]


def test_at_least_a_distance(pose):
    camera = fit_camera(pose()[None], VIEWS["front"], (200, 200), follow=True, fps=20.0, distance=9.0)
    assert camera.distance == 9.0


def test_unknown_camera():
    expected = (
        r"Expected a camera from front, three-quarter, side, back, top, or a View\(azimuth, elevation\), got 'left'"
    )
    with pytest.raises(ValueError, match=expected):
        check_view("left")
    assert check_view(View(10, 20)) == View(10, 20)
