"""Pictures for judges: decodable, the same every time, of the size asked for; tokens by published examples."""

import base64
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from atom_hf.motion import Motion
from atom_hf.rewards.vlm.pictures import PictureLayout, draw, picture_tokens


@pytest.fixture(scope="module")
def motion(walk) -> Motion:
    return Motion(walk, fps=20)


def opened(data: bytes) -> Image.Image:
    image = Image.open(BytesIO(data))
    image.load()
    return image


@pytest.mark.parametrize(
    ("layout", "name", "pictures", "size", "words"),
    [
        (
            PictureLayout(),
            "sheet, 12 frames",
            1,
            (1024, 768),
            "12 frames in 3 rows of up to 4, from left to right and",
        ),
        (PictureLayout("strip"), "strip, 6 frames", 1, (1536, 256), "6 frames in one row, from left to right, of a"),
        (PictureLayout("views"), "views, 5 frames", 1, (1024, 512), "upper row seen from the front, lower row from"),
        (
            PictureLayout("frames", frames=3),
            "frames, 3 frames",
            3,
            (512, 512),
            "Frame 3 of 3 that are shown of a clip",
        ),
        (PictureLayout(stride=8), "sheet, every 8th frame", 1, (1024, 768), "5 frames in 2 rows of up to 4"),
        (PictureLayout(stride=2), "sheet, every 2nd frame", 1, (1024, 768), "20 frames in 4 rows of up to 5"),
        (
            PictureLayout(frames=6, columns=3, size=(384, 256), quality=60),
            "sheet, 6 frames, 3 columns, 384x256, quality 60",
            1,
            (384, 256),
            "6 frames in 2 rows of up to 3",
        ),
    ],
    ids=lambda value: value.name if isinstance(value, PictureLayout) else "",
)
def test_layouts(motion, layout, name, pictures, size, words):
    drawn = draw(motion, layout)
    assert layout.name == name
    assert [(picture.width, picture.height) for picture in drawn] == [size] * pictures
    assert all(opened(p.data).format == "JPEG" and opened(p.data).size == size for p in drawn)
    assert words in drawn[-1].words
    assert "a clip of 1.9 seconds" in drawn[-1].words or "a clip of 2.0 seconds" in drawn[-1].words


def test_the_same_bytes_for_the_same_motion_and_others_for_another(motion):
    again, mirrored = Motion(motion.joints.copy(), fps=20), Motion(motion.joints * np.float32([-1, 1, 1]), fps=20)
    assert draw(motion) == draw(again, PictureLayout(size=(1024, 768)))
    assert draw(motion)[0].data != draw(mirrored)[0].data
    assert draw(motion)[0].data != draw(motion, PictureLayout(quality=60))[0].data


def test_left_is_blue_and_right_is_orange_as_the_rules_say(motion):
    """Seen from the front, the person's left limbs lie on the right side of the picture, and they are blue."""
    (picture,) = draw(motion, PictureLayout("views", frames=1))
    front = np.asarray(opened(picture.data)).astype(int)[:256]
    blue = np.argwhere((front[..., 2] - front[..., 0]) > 80)
    orange = np.argwhere((front[..., 0] - front[..., 2]) > 120)
    assert len(blue) > 200 and len(orange) > 200
    assert blue[:, 1].mean() > orange[:, 1].mean()


def test_data_url(motion):
    (picture,) = draw(motion, PictureLayout("strip"))
    head, _, data = picture.data_url.partition(",")
    assert head == "data:image/jpeg;base64" and base64.b64decode(data, validate=True) == picture.data


def test_how_much_time_passes_between_frames(motion):
    assert "one every 0.40 seconds" in draw(motion, PictureLayout(stride=8))[0].words
    assert "one every 0.39 seconds" in draw(motion, PictureLayout("strip"))[0].words  # 1.95 seconds in five gaps
    assert "the end is not shown" not in draw(motion, PictureLayout(stride=8))[0].words
    assert "the end is not shown" in draw(motion, PictureLayout(stride=2, frames=4))[0].words


def test_a_single_frame_and_a_long_clip(motion):
    (picture,) = draw(Motion(motion.joints[:1], fps=20))
    assert picture.words == "One frame of a clip of 0.0 seconds."
    long = Motion(np.tile(motion.joints, (10, 1, 1)), fps=20)
    assert len(draw(long)) == 1
    with pytest.raises(ValueError, match=r"400 frames are 200 pictures of a person, .* take a stride of 7 or more"):
        draw(long, PictureLayout("frames", stride=2))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kind": "grid"}, "one of sheet, strip, views, frames, got 'grid'"),
        ({"frames": 65}, "frames of a layout to be a whole number from 1 to 64, got 65"),
        ({"frames": 0}, "from 1 to 64, got 0"),
        ({"stride": 0}, "stride of a layout to be a whole number of at least 1, got 0"),
        ({"columns": True}, "columns of a layout to be a whole number from 1 to 64, got True"),
        ({"quality": 96}, "from 1 to 95, got 96"),
        ({"size": (1024,)}, "width and height from 16 to 8192 pixels"),
        ({"size": (1024, 9000)}, "width and height from 16 to 8192 pixels"),
    ],
)
def test_layouts_that_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        PictureLayout(**settings)


def test_layouts_are_keys():
    assert {PictureLayout(size=[512, 512]): 1}[PictureLayout(size=(512, 512))] == 1


def test_no_motion():
    with pytest.raises(TypeError, match="Expected a Motion to draw, got list"):
        draw([])


@pytest.mark.parametrize(
    ("size", "detail", "model", "tokens"),
    [
        # Examples of OpenAI's guide.
        ((1024, 1024), "high", "gpt-4o", 765),
        ((2048, 4096), "high", "gpt-4o", 1105),
        ((4096, 8192), "low", "gpt-4o", 85),
        ((1024, 1024), "high", "gpt-4.1-mini", 1659),  # 1024 patches
        ((1800, 2400), "high", "gpt-4.1-mini", 2353),  # 1452 patches
        # The pictures of this package.
        ((1024, 768), "high", "gpt-4o", 765),
        ((1024, 768), "auto", "gpt-4o-2024-08-06", 765),
        ((1024, 768), "high", "gpt-4o-mini", 25501),
        ((1024, 768), "low", "openai/gpt-4o-mini-2024-07-18", 2833),
        ((1024, 768), "high", "gpt-5", 630),
        ((1024, 768), "high", "gpt-5-mini-2025-08-07", 1245),
        ((512, 512), "high", "gpt-4.1", 255),  # small pictures are not made larger
        ((513, 512), "high", "gpt-4.1", 425),
        ((1024, 768), "high", "Qwen/Qwen2.5-VL-7B-Instruct", 765),  # an estimate
        ((16, 8192), "high", "o4-mini", 441),
    ],
)
def test_tokens(size, detail, model, tokens):
    assert picture_tokens(*size, detail=detail, model=model) == tokens


def test_patches_never_pass_their_limit():
    for width in range(32, 4000, 211):
        for height in range(32, 4000, 307):
            assert picture_tokens(width, height, detail="high", model="gpt-4.1-nano") <= 3779


def test_tokens_of_nothing():
    with pytest.raises(ValueError, match="at least 1 x 1 and detail low, high or auto, got 0 x 8, 'high'"):
        picture_tokens(0, 8, detail="high", model="gpt-4o")
    with pytest.raises(ValueError, match="'fine'"):
        picture_tokens(8, 8, detail="fine", model="gpt-4o")
