import numpy as np
import pytest
from PIL import Image

from atom_hf.render.labels import caption_band, draw_text, printable, text_width, wrap


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a person walks", "a person walks"),
        ("  two\n lines\tand  spaces ", "two lines and spaces"),
        ("Ein Mann läuft – schnell", "Ein Mann lauft - schnell"),
        ("naïve café, Łódź, Ærø", "naive cafe, Lodz, AEro"),
        ("“quoted” … ½", "“quoted” ... 1/2"),
        ("走る 🙂", "?? ?"),
        ("zero\u200bwidth \x07bell", "zerowidth bell"),
        ("", ""),
    ],
)
def test_printable(text, shown):
    assert printable(text) == shown


def test_lines_fit():
    text = "a person walks forward, turns around, walks back and then sits down on a chair " * 3
    lines = wrap(text, 200, 14, lines=3)
    assert len(lines) == 3 and all(text_width(line, 14) <= 200 for line in lines)
    assert lines[-1].endswith("…") and text.startswith(lines[0])
    assert wrap("short", 200, 14, lines=3) == ["short"]
    assert wrap("two words", 60, 14, lines=3) == ["two", "words"]
    assert wrap("   ", 200, 14, lines=2) == []


@pytest.mark.parametrize("text", ["x" * 5000, "a " + "y" * 300, "z" * 300 + " b", "word " * 2000])
@pytest.mark.parametrize("lines", [1, 2])
def test_endless_text_is_cut(text, lines):
    wrapped = wrap(text, 150, 14, lines)
    assert 1 <= len(wrapped) <= lines and wrapped[-1].endswith("…")
    assert all(text_width(line, 14) <= 150 for line in wrapped)


def test_band_has_margins():
    for text in ("a person walks", "W" * 400, "", "\n", "🙂"):
        band = np.asarray(caption_band(text, 300, 16).convert("L"))
        assert band.shape[1] == 300 and band.shape[0] < 60
        assert (band[:2] == 255).all() and (band[-1:] == 255).all() and (band[:, :4] == 255).all()
        assert (band[:, -4:] == 255).all()
        assert bool((band < 128).any()) == bool(text.strip())


def test_centred():
    ink = np.nonzero(np.asarray(caption_band("A", 300, 20, centred=True).convert("L")) < 128)[1]
    assert abs(ink.mean() - 150) < 3


def test_draw_text():
    image = Image.new("RGB", (120, 30), "white")
    end = draw_text(image, (5, 4), "1.2 s", 16)
    ink = np.nonzero(np.asarray(image.convert("L")) < 128)
    assert ink[1].min() >= 5 and end - 6 <= ink[1].max() <= end and ink[0].min() > 4
    assert draw_text(image, (5, 4), "11.2 s", 16) > end
