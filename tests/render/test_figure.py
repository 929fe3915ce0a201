import numpy as np
import pytest
from PIL import Image

from atom_hf.motion import JOINT_NAMES, Motion
from atom_hf.render import View
from atom_hf.render.body import head_tilt, place_body
from atom_hf.render.figure import draw_figure, figure_shapes
from atom_hf.render.scene import Scene

SIZE = (200, 200)


@pytest.fixture
def figure():
    """Draws the figure of a pose alone, on white."""

    def draw(joints, camera="front", size=SIZE):
        scene = Scene(Motion(joints[None]), size=size, camera=camera)
        body = place_body(scene.joints, head_tilt(scene.joints))
        image = Image.new("RGB", size, "white")
        draw_figure(image, figure_shapes(body, scene.camera, np.array([0])), 0)
        return image

    return draw


def middle_x(mask):
    return np.nonzero(mask)[1].mean()


def test_left_is_blue_and_right_is_orange(figure, pose, tones):
    front = tones(figure(pose(), "front"))
    assert front["blue"].sum() > 500 and front["orange"].sum() > 500
    assert middle_x(front["blue"]) > 108 and middle_x(front["orange"]) < 92
    back = tones(figure(pose(), "back"))
    assert middle_x(back["blue"]) < 92 and middle_x(back["orange"]) > 108
    mirrored = np.abs(front["blue"][:, ::-1].astype(int) - front["orange"]).sum()
    assert mirrored < 0.2 * front["blue"].sum()


def test_the_near_side_covers_the_far_one(figure, pose, tones):
    right = tones(figure(pose(), "side"))
    assert right["orange"].sum() > 4 * right["blue"].sum()
    left = tones(figure(pose(), View(90, 12)))
    assert left["blue"].sum() > 4 * left["orange"].sum()


def test_raised_arm_is_above_the_head(figure, pose, tones):
    masks = tones(figure(pose({"left_shoulder": (0, 0, 80)})))
    assert np.nonzero(masks["blue"])[0].min() < np.nonzero(masks["skin"])[0].min() - 5
    assert np.nonzero(masks["orange"])[0].min() > np.nonzero(masks["skin"])[0].max() - 15


def test_face_is_seen_from_the_front_only(figure, pose, tones):
    def visor(camera):
        image = figure(pose(), camera)
        rows = np.nonzero(tones(image)["skin"])[0]
        head = image.crop((0, int(rows.min()), 200, int(rows.min()) + 22))
        return (np.asarray(head).max(-1) < 60).sum()

    assert visor("front") > 20 and visor("three-quarter") > 20 and visor("side") > 5
    assert visor("back") <= 1


@pytest.mark.parametrize(("camera", "visible"), [("front", True), ("back", False)])
def test_hands_before_the_chest_hide_and_are_hidden(figure, pose, tones, camera, visible):
    folded = pose()
    elbow, wrist, chest = (JOINT_NAMES.index(name) for name in ("left_elbow", "left_wrist", "spine3"))
    folded[elbow, 2] += 0.1
    folded[wrist] = folded[chest] + np.float32([0.0, 0.0, 0.25])
    shown = tones(figure(folded, camera))["blue"][35:75, 93:107].sum()  # where the chest is
    assert (shown > 40) if visible else (shown == 0)


def test_wide_and_tall_figures_look_alike(figure, pose):
    """A tall figure is drawn on its side; the picture must not tell."""
    tall, wide = pose(), pose({"left_shoulder": (0, 0, 0), "right_shoulder": (0, 0, 0)})
    wide[20, 0] += 1.2  # an arm so long that the figure is wider than tall
    legs = [np.asarray(figure(joints, size=(300, 300)).crop((130, 180, 170, 260))) for joints in (tall, wide)]
    assert all((leg < 200).any() for leg in legs)


def test_figure_outside_the_picture(pose):
    scene = Scene(Motion(pose()[None]), size=SIZE)
    far = scene.joints + np.float32([50, 0, 0])
    image = Image.new("RGB", SIZE, "white")
    draw_figure(image, figure_shapes(place_body(far, 0.5), scene.camera, np.array([0])), 0)
    assert (np.asarray(image) == 255).all()


def test_corners_are_read_as_numbers_in_pairs():
    """Pillow takes float32 arrays as they are; other types it would misread."""
    from PIL import ImageDraw

    images = [Image.new("L", (20, 20)), Image.new("L", (20, 20))]
    corners = np.array([2, 3, 15, 4, 9, 17], dtype=np.float32)
    for image, xy in zip(images, (corners, corners.tolist()), strict=True):
        ImageDraw.Draw(image).polygon(xy, 255)
    assert images[0].tobytes() == images[1].tobytes() and images[0].getbbox() == (2, 3, 16, 18)
