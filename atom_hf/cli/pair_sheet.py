"""A picture of one preference pair: what was asked, the chosen motion, and below it the rejected one."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ..data.schema import prompt_of
from ..motion import Motion

if TYPE_CHECKING:
    from PIL.Image import Image

SIZE = (1536, 280)  # of a motion's frames, pixels
FRAMES = 8
_GREEN, _RED = (35, 134, 78), (186, 60, 53)
_EDGE = 10  # width of the coloured edge that tells the two apart, pixels


def pair_sheet(row: Mapping[str, Any], chosen: Motion, rejected: Motion) -> "Image":
    """Draw a pair. Texts of the row are drawn as plain letters, whatever they hold.

    Args:
        row (`Mapping`): of the dataset.
        chosen ([`Motion`]): its better motion.
        rejected ([`Motion`]): the other one.

    Returns:
        `PIL.Image.Image`: RGB, 1546 pixels wide.

    Raises:
        ImportError: if the extra `render` is not installed.
    """
    from PIL import Image

    from ..render import render_strip
    from ..render.labels import BAND, caption_band

    width = SIZE[0] + _EDGE
    facts = [row["task"], row["degree"], f"judged by {row['judge']}", row["id"]]
    head, small = caption_band(prompt_of(row), SIZE[0], 26), caption_band(_joined(facts), SIZE[0], 15, lines=1)
    bands = [(_EDGE - 4, head), (_EDGE + 2, small)]  # letters of all sizes begin at one edge
    for name, motion, colour in (("chosen", chosen, _GREEN), ("rejected", rejected, _RED)):
        score = row[f"{name}_score"]
        words = [name, f"{motion.duration:.1f} s", row[f"{name}_model"] or "unknown model"]
        if score is not None:
            words.insert(1, f"score {score:.2f}".rstrip("0").rstrip("."))
        strip = render_strip(motion, frames=FRAMES, size=SIZE)
        title = caption_band(_joined(words), SIZE[0], 18, lines=1)
        band = Image.new("RGB", (width, title.height + strip.height), colour)
        band.paste(title, (_EDGE, 0))
        band.paste(strip, (_EDGE, title.height))
        bands.append((0, band))
    gaps = (0, 8, 10, 0)
    sheet = Image.new("RGB", (width, sum(band.height for _, band in bands) + sum(gaps)), BAND)
    top = 0
    for (left, band), gap in zip(bands, gaps, strict=True):
        sheet.paste(band, (left, top))
        top += band.height + gap
    return sheet


def _joined(words: Iterable[object]) -> str:
    return " · ".join(str(word)[:200] for word in words)
