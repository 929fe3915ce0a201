import numpy as np
import pytest
from PIL import Image

from atom_hf.motion import Motion
from atom_hf.motion.rotation import euler_to_matrix
from atom_hf.render import VIEWS
from atom_hf.render import scene as scene_module
from atom_hf.render.scene import Scene


def pixels(image):
    return np.asarray(image).astype(int)


def test_one_picture_a_frame(walking):
    images = list(Scene(walking, size=(120, 100)).images(range(len(walking))))
    assert len(images) == 40 and all(image.size == (120, 100) and image.mode == "RGB" for image in images)
    assert images[0].tobytes() != images[1].tobytes()


@pytest.mark.parametrize("follow", [True, False])
def test_order_and_chunks_do_not_matter(walking, follow, monkeypatch):
    whole = list(Scene(walking, size=(120, 100), follow=follow, trail=follow).images(range(40)))
    monkeypatch.setattr(scene_module, "_CHUNK", 7)
    scene = Scene(walking, size=(120, 100), follow=follow, trail=follow)
    for frame, image in zip([31, 3, 39, 0], scene.images([31, 3, 39, 0]), strict=True):
        assert image.tobytes() == whole[frame].tobytes()


def test_a_fixed_camera_can_go_back(walking):
    scene = Scene(walking, size=(120, 100), follow=False)
    first, _, again = (pixels(image) for image in scene.images([5, 30, 5]))
    assert np.abs(first - again).mean() < 0.2


def test_frames_are_independent_pictures(walking):
    first, second = Scene(walking, size=(120, 100), follow=False).images([0, 1])
    before = second.tobytes()
    first.paste((0, 0, 0), (0, 0, 120, 100))
    assert second.tobytes() == before


def test_where_a_clip_is_and_looks_does_not_matter(walk):
    turned = walk @ euler_to_matrix(np.deg2rad([0.0, 130, 0]), "XYZ").T.astype(np.float32) + np.float32([3, 0, -7])
    images = [next(Scene(Motion(j), size=(120, 100)).images([20])) for j in (walk, turned.astype(np.float32))]
    assert np.abs(pixels(images[0]) - pixels(images[1])).mean() < 0.3


@pytest.mark.parametrize(("offset", "seen"), [(0.04, 0), (-0.06, 0), (0.3, 1), (2.0, 0)])
def test_floor_is_under_the_feet_unless_someone_floats(pose, offset, seen):
    """Centimetres are a convention of the file, metres an origin of its own; what lies between is an error to be
    seen."""
    joints = pose()[None] + np.float32([0, offset, 0])
    lowest = Scene(Motion(joints)).joints[..., 1].min()
    assert lowest == pytest.approx(0.03 + (offset if seen else 0), abs=1e-5)


def test_label_says_time_and_frame(walking):
    labelled, plain = (
        pixels(next(Scene(walking, size=(256, 256), label=label).images([30]))) for label in (True, False)
    )
    rows, columns = np.nonzero(np.abs(labelled - plain).sum(-1))
    assert rows.max() < 26 and 60 < columns.max() < 140 and (labelled[rows, columns].min() < 80)
    later = pixels(next(Scene(walking, size=(256, 256)).images([31])))
    assert np.abs(later - labelled)[:20, 5:100].sum() > 500


def test_trail_can_be_left_out(walking):
    green = [
        (pixels(image)[..., 1] > pixels(image)[..., 0] + 60).sum()
        for trail in (True, False)
        for image in Scene(walking, trail=trail).images([39])
    ]
    assert green[0] > 50 and green[1] == 0


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("follow", [True, False])
@pytest.mark.parametrize("frames", [1, 2, 30])
def test_joints_in_one_place(view, follow, frames):
    motion = Motion(np.zeros((frames, 22, 3), np.float32))
    images = list(Scene(motion, size=(64, 64), camera=view, follow=follow).images(range(frames)))
    assert len(images) == frames


@pytest.mark.parametrize("scale", [1e-3, 30.0, 1e4])
def test_wild_joints(scale):
    joints = np.random.default_rng(0).normal(0, scale, (5, 22, 3)).astype(np.float32)
    for follow in (True, False):
        assert len(list(Scene(Motion(joints), size=(64, 64), follow=follow).images(range(5)))) == 5


def test_one_frame(standing):
    assert isinstance(next(Scene(standing[:1]).images([0])), Image.Image)


def test_errors(walking, walk):
    with pytest.raises(TypeError, match=r"Expected a Motion, got ndarray; Motion\(joints, fps\) makes one"):
        Scene(walk)
    for size in ((0, 100), (100,), (100, 9000), (100.5, 100), "100x100", 256):
        with pytest.raises(ValueError, match=r"Expected a size of \(width, height\), two integers from 16 to 8192"):
            Scene(walking, size=size)
    with pytest.raises(ValueError, match="Expected a camera from front"):
        Scene(walking, camera="behind")
