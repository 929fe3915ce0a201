import io

import numpy as np
import pytest
from PIL import Image

import atom_hf
from atom_hf.motion import Motion
from atom_hf.render import LAYOUTS, render_frames, render_sheet, render_strip, render_views
from atom_hf.render.sheet import choose_frames


def pixels(image):
    return np.asarray(image).astype(int)


def count_figures(image, tones, columns, rows, top=0):
    """Cells with a figure in them."""
    blue = tones(image)["blue"][top:]
    height, width = blue.shape
    cells = [
        blue[r * height // rows : (r + 1) * height // rows, c * width // columns : (c + 1) * width // columns]
        for r in range(rows)
        for c in range(columns)
    ]
    return sum(cell.sum() > 40 for cell in cells)


def test_default_is_the_judges_picture(walking, tones):
    sheet = render_sheet(walking)
    assert sheet.size == (1024, 768) and sheet.mode == "RGB"
    assert count_figures(sheet, tones, 4, 3) == 12
    assert atom_hf.render_sheet is render_sheet
    buffer = io.BytesIO()
    sheet.save(buffer, "JPEG", quality=90)
    assert buffer.tell() < 250_000


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("caption", [None, "a person walks"])
def test_every_layout_has_its_size(walking, layout, caption):
    assert render_sheet(walking, layout=layout, caption=caption).size == LAYOUTS[layout][1]
    assert render_sheet(walking, layout=layout, caption=caption, size=(401, 303)).size == (401, 303)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("frames", [1, 3])
def test_short_and_empty_motions(standing, layout, frames):
    for motion in (standing[:frames], Motion(np.zeros((frames, 22, 3), np.float32))):
        assert render_sheet(motion, layout=layout, size=(240, 160)).size == (240, 160)


def test_fewer_frames_get_larger_cells(walking, tones):
    sheet = render_sheet(walking[:2], size=(400, 300))
    assert count_figures(sheet, tones, 2, 1) == 2
    rows = np.nonzero(tones(sheet)["blue"])[0]
    assert rows.max() - rows.min() > 100


def test_layouts_are_what_they_say(walking, tones):
    assert count_figures(render_sheet(walking, frames=6, columns=3, size=(480, 320)), tones, 3, 2) == 6
    strip = render_strip(walking)
    assert strip.size == (1536, 256) and count_figures(strip, tones, 6, 1) == 6
    assert strip.tobytes() == render_sheet(walking, layout="strip").tobytes()
    views = render_views(walking, cameras=("front", "back", "side"), frames=2, size=(240, 360))
    assert views.tobytes() != render_views(walking, frames=2, size=(240, 360)).tobytes()
    assert render_sheet(walking, layout="views").tobytes() == render_views(walking).tobytes()
    front, back = (np.nonzero(tones(views)["blue"][part])[1] % 120 for part in (slice(0, 120), slice(120, 240)))
    assert front.mean() > 62 and back.mean() < 58  # the left arm changes sides


def test_views_have_one_scale(standing):
    """Seen from above a person is small; the front view must be as small."""
    together = render_views(standing, cameras=("top", "front"), frames=1, size=(200, 400))
    alone = render_views(standing, cameras=("front",), frames=1, size=(200, 200))
    tall = [
        np.ptp(np.nonzero((pixels(image) < 60).all(-1))[0]) for image in (together.crop((0, 200, 200, 400)), alone)
    ]
    assert tall[0] <= tall[1]


@pytest.mark.parametrize(
    ("length", "frames", "stride", "expected"),
    [
        (40, 4, None, [0, 13, 26, 39]),
        (40, 1, None, [0]),
        (3, 12, None, [0, 1, 2]),
        (1, 12, None, [0]),
        (40, 12, 10, [0, 10, 20, 30]),
        (40, 2, 10, [0, 10]),
        (5, 12, 10, [0]),
    ],
)
def test_choose_frames(length, frames, stride, expected):
    motion = Motion(np.zeros((length, 22, 3), np.float32))
    assert choose_frames(motion, frames, stride).tolist() == expected


def test_render_frames(walking):
    images = render_frames(walking, frames=5, size=(120, 90))
    assert len(images) == 5 and all(image.size == (120, 90) for image in images)
    assert len(render_frames(walking, stride=10, size=(64, 64))) == 4
    assert len(render_frames(walking[:2], size=(64, 64))) == 2


def test_caption_is_above_the_frames(walking):
    plain, captioned = (
        render_sheet(walking, frames=2, columns=2, size=(400, 220), caption=text, label=False)
        for text in (None, "a person walks")
    )
    band = pixels(captioned)[:17]
    assert (band[:, -1] == 255).all() and (band.min(-1) < 100).sum() > 60
    assert (pixels(plain)[:17, :60] > 200).all()
    assert render_sheet(walking, size=(400, 300), caption="x" * 3000).size == (400, 300)


def test_camera_and_follow_reach_the_frames(walking):
    seen = {
        render_sheet(walking, size=(200, 150), camera=camera, follow=follow).tobytes()
        for camera in ("front", "side")
        for follow in (True, False)
    }
    assert len(seen) == 4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layout": "frames"}, "Expected a layout from grid, strip, views, trajectory, got 'frames'; render_frames"),
        ({"camera": "left"}, "Expected a camera from front"),
        ({"frames": 0}, "Expected frames to be an integer of at least 1, got 0"),
        ({"columns": -1}, "Expected columns to be an integer of at least 1, got -1"),
        ({"stride": 1.5}, r"Expected stride to be an integer of at least 1, got 1\.5"),
        ({"size": (100, 30)}, "Expected room for 4 x 3 frames of at least 16 pixels, got a picture of 100 x 30"),
        ({"size": (10, 30)}, "Expected a size of"),
    ],
)
def test_errors(walking, options, message):
    with pytest.raises(ValueError, match=message):
        render_sheet(walking, **options)


def test_no_motion(walk):
    with pytest.raises(TypeError, match="Expected a Motion, got ndarray"):
        render_sheet(walk)
    with pytest.raises(ValueError, match="at least one camera"):
        render_views(Motion(walk), cameras=())


def test_pictures_can_be_read_back(walking, tmp_path):
    for suffix in (".png", ".jpg", ".webp"):
        render_sheet(walking, size=(200, 150)).save(tmp_path / f"sheet{suffix}")
        assert Image.open(tmp_path / f"sheet{suffix}").size == (200, 150)
