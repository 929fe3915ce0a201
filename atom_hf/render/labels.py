"""Text on pictures: the time of a frame, and captions that fit their place whatever they hold."""

import unicodedata
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

INK, PALE = (38, 40, 46), (126, 130, 138)
BAND = (255, 255, 255)
_EXTRA_GLYPHS = "°±·«»’“”…"  # besides ASCII; all that the font has
_REPLACED = str.maketrans(
    dict(zip("–—−\u2018øØłŁđĐ", "---'oOlLdD", strict=True)) | {"ß": "ss", "æ": "ae", "Æ": "AE", "\u2044": "/"}
)


@lru_cache(maxsize=16)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The font that comes with Pillow, so that pictures are the same on every machine."""
    return ImageFont.load_default(size)


def printable(text: str) -> str:
    """Text in letters that the font has: accents are dropped, white space is joined, anything else becomes a question
    mark.

    Args:
        text (`str`): any text.

    Returns:
        `str`: one line.
    """
    letters = []
    for letter in unicodedata.normalize("NFKD", " ".join(text.split())).translate(_REPLACED):
        if " " <= letter <= "~" or letter in _EXTRA_GLYPHS:
            letters.append(letter)
        elif not (unicodedata.combining(letter) or unicodedata.category(letter) in ("Cc", "Cf", "Mn")):
            letters.append("?")
    return "".join(letters)


def text_width(text: str, size: int) -> float:
    """Width of one line.

    Args:
        text (`str`): letters that the font has.
        size (`int`): of the font, pixels.

    Returns:
        `float`: pixels.
    """
    return _font(size).getlength(text)


def wrap(text: str, width: int, size: int, lines: int) -> list[str]:
    """Break text into lines that fit; what is left over is cut off with an ellipsis.

    Args:
        text (`str`): any text; see `printable`.
        width (`int`): room, pixels.
        size (`int`): size of the font, pixels.
        lines (`int`): most lines.

    Returns:
        `list[str]`: at most `lines` lines, none for empty text.
    """
    words = printable(text[:2000]).split()
    wrapped: list[str] = []
    line = ""
    for i, word in enumerate(words):
        longer = f"{line} {word}".strip()
        if text_width(longer, size) <= width:
            line = longer
            continue
        if len(wrapped) == lines - 1 or not line:  # no further line, or one word that is wider than all room
            wrapped.append(_cut(" ".join([line, *words[i:]]).strip(), width, size))
            return wrapped
        wrapped.append(line)
        line = word
        if text_width(word, size) > width:
            wrapped.append(_cut(" ".join(words[i:]), width, size))
            return wrapped
    return [*wrapped, line] if line else wrapped


def _cut(text: str, width: int, size: int) -> str:
    if text_width(text, size) <= width:
        return text
    low, high = 0, len(text)
    while low < high:
        half = (low + high + 1) // 2
        if text_width(text[:half].rstrip() + "…", size) <= width:
            low = half
        else:
            high = half - 1
    return text[:low].rstrip() + "…"


def caption_band(text: str, width: int, size: int, lines: int = 2, centred: bool = False) -> Image.Image:
    """Text on a white band.

    Args:
        text (`str`): what to write.
        width (`int`): of the band, pixels.
        size (`int`): of the font, pixels.
        lines (`int`, *optional*, defaults to 2): most lines.
        centred (`bool`, *optional*, defaults to `False`): in the middle instead of on the left.

    Returns:
        `PIL.Image.Image`: RGB, as high as the lines need.
    """
    margin = size // 2
    wrapped = wrap(text, width - 2 * margin, size, lines) or [""]
    pitch = round(size * 1.3)
    band = Image.new("RGB", (width, len(wrapped) * pitch + margin), BAND)
    draw = ImageDraw.Draw(band)
    for i, line in enumerate(wrapped):
        left = (width - text_width(line, size)) / 2 if centred else margin
        draw.text((left, margin // 2 + i * pitch), line, INK, _font(size))
    return band


def draw_text(image: Image.Image, xy: tuple[int, int], text: str, size: int, ink: tuple[int, int, int] = INK) -> int:
    """Write a short line, such as the time of a frame.

    Args:
        image (`PIL.Image.Image`): RGB, changed in place.
        xy (`tuple[int, int]`): left and top, pixels.
        text (`str`): letters that the font has.
        size (`int`): of the font, pixels.
        ink (`tuple[int, int, int]`, *optional*, defaults to dark grey): its colour.

    Returns:
        `int`: where the line ends, pixels from the left.
    """
    mask = _line(text, size)
    image.paste(ink, xy, mask)
    return xy[0] + mask.width


@lru_cache(maxsize=4096)
def _line(text: str, size: int) -> Image.Image:
    """Mask of one line. It is put together from single letters: every frame has another label, and Pillow's layout is
    slow."""
    return Image.fromarray(np.concatenate([_glyph(letter, size) for letter in text or " "], axis=1))


@lru_cache(maxsize=1024)
def _glyph(letter: str, size: int) -> np.ndarray:
    font = _font(size)
    _, _, right, _ = font.getbbox(letter)
    mask = Image.new("L", (max(round(font.getlength(letter)), int(right)), round(1.4 * size)))
    ImageDraw.Draw(mask).text((0, 0), letter, 255, font)
    return np.asarray(mask)
