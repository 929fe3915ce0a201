"""Motions side by side in a report: small videos as data URIs within a budget of bytes, or stills without PyAV.

group = ClipGroup("a person jumps twice", [Clip("base", before, ["score 0.2"]), Clip("aligned", after, ["score 0.9"])])
reel = render_reel([group], budget=10_000_000)
reel.groups[0][1].url       # data:video/mp4;base64,AAAA…
"""

import base64
import io
import math
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from ...motion import Motion

_NO_VIDEO = "Motions are shown as stills, since PyAV, which writes videos, is not installed."
_NO_PICTURE = "Motions are not shown, since Pillow, which draws them, is not installed."


class Clip(NamedTuple):
    """A motion with what is written around it.

    Args:
        label (`str`): above it, mostly the system that made it.
        motion ([`Motion`]): what to show.
        lines (`Sequence[str]`, *optional*): below it, such as its scores.
    """

    label: str
    motion: Motion
    lines: Sequence[str] = ()


class ClipGroup(NamedTuple):
    """Motions that stand side by side, in one scale, and play in step.

    Args:
        caption (`str`): above them, mostly the prompt.
        clips (`Sequence[Clip]`): the motions.
    """

    caption: str
    clips: Sequence[Clip]


class Picture(NamedTuple):
    """A rendered clip.

    Args:
        kind (`str`): "video", "still", or "none" if it could not be drawn or has no room.
        url (`str`): a data URI.
        poster (`str`): data URI of a video's still.
        size (`tuple[int, int]`): width and height, pixels.
    """

    kind: str
    url: str = ""
    poster: str = ""
    size: tuple[int, int] = (0, 0)

    @property
    def bytes(self) -> int:
        """Room it takes in a page."""
        return len(self.url) + len(self.poster)


class Reel(NamedTuple):
    """Rendered groups.

    Args:
        groups (`list[list[Picture]]`): a picture for each clip of each group.
        notes (`list[str]`): what a reader must know about them.
    """

    groups: list[list[Picture]]
    notes: list[str]


class Cases(NamedTuple):
    """Numbers of the cases that are worth showing; none stands twice.

    Args:
        best (`list[int]`): highest scores, the highest first.
        median (`list[int]`): scores around the median, from low to high.
        worst (`list[int]`): lowest scores, the lowest first.
    """

    best: list[int]
    median: list[int]
    worst: list[int]


class _Quality(NamedTuple):
    """How a clip is written: pixels of a side, frames per second, and x264's rate factor."""

    size: int
    fps: float
    crf: int


_QUALITIES = (_Quality(256, 20.0, 29), _Quality(224, 12.5, 32), _Quality(160, 10.0, 34))


def pick_cases(scores: Sequence[float | None], n: int) -> Cases:
    """The best, the median and the worst cases, so that a report shows more than its finest moments.

    Args:
        scores (`Sequence[float]`): one a case, such as the score of a motion or what a system won; NaN and `None` are
            unscored and left out. Of equal scores the earlier case counts as the better one.
        n (`int`): how many of each kind; where there are fewer than 3 n scores, the best take theirs first, then the
            worst.

    Returns:
        [`Cases`]: numbers of cases.

    Raises:
        ValueError: if n is below 1.
    """
    if n < 1:
        raise ValueError(f"Expected n of 1 or more, got {n}.")
    known = {i: score for i, score in enumerate(scores) if score is not None and math.isfinite(score)}
    order = sorted(known, key=lambda i: (-known[i], i))
    best, rest = order[:n], order[n:]
    worst, rest = rest[-n:][::-1], rest[:-n]
    first = max(0, (len(rest) - n + 1) // 2)
    return Cases(best, rest[first : first + n][::-1], worst)


def render_reel(groups: Sequence[ClipGroup], budget: int) -> Reel:
    """Draw motions, as finely as the budget allows.

    Args:
        groups (`Sequence[ClipGroup]`): what to draw.
        budget (`int`): most bytes of all data URIs together. Beyond it all videos become coarser; if that does not
            help, the last groups are left without pictures.

    Returns:
        [`Reel`]: the pictures, and notes on what was reduced.
    """
    try:
        from ... import render
    except ImportError:
        return Reel([[Picture("none") for _ in group.clips] for group in groups], [_NO_PICTURE] if groups else [])
    notes: list[str] = []
    for step, quality in enumerate(_QUALITIES):
        try:
            drawn = _drawn(render, groups, partial(_video, render, quality))
        except ImportError:
            drawn, notes = _drawn(render, groups, partial(_still, render)), [_NO_VIDEO]
            break
        notes = ["Videos are coarser than usual, to keep this file small."] if step else []
        if sum(picture.bytes for group in drawn for picture in group) <= budget:
            return Reel(drawn, notes)
    return _within(drawn, notes, budget)


def _drawn(render: Any, groups: Sequence[ClipGroup], draw: Callable[[Motion, float], Picture]) -> list[list[Picture]]:
    """A picture of each clip, those of a group from one distance, so that they have one scale."""
    distances = [render.camera_distance([clip.motion for clip in group.clips]) for group in groups]
    return [
        [draw(clip.motion, distance) for clip in group.clips]
        for group, distance in zip(groups, distances, strict=True)
    ]


def _within(drawn: list[list[Picture]], notes: list[str], budget: int) -> Reel:
    """As many whole groups, from the first on, as the budget has room for."""
    kept, used = [], 0
    for number, group in enumerate(drawn):
        used += sum(picture.bytes for picture in group)
        if used > budget:
            left = len(drawn) - number
            notes = [
                *notes,
                f"{left} of {len(drawn)} groups of motions are without pictures, to keep this file small.",
            ]
            kept += [[Picture("none") for _ in group] for group in drawn[number:]]
            break
        kept.append(group)
    return Reel(kept, notes)


def _video(render: Any, quality: _Quality, motion: Motion, distance: float) -> Picture:
    size = (quality.size, quality.size)
    with tempfile.TemporaryDirectory() as folder:
        path, fps = Path(folder) / "clip.mp4", min(quality.fps, motion.fps)
        render.render_video(motion, path, size=size, fps=fps, crf=quality.crf, distance=distance)
        url = _data_uri("video/mp4", path.read_bytes())
    frames = render.render_frames(motion, frames=3, size=size, label=False, distance=distance)
    return Picture("video", url, _jpeg(frames[len(frames) // 2]), size)


def _still(render: Any, motion: Motion, distance: float) -> Picture:
    size = (960, 160)
    return Picture("still", _jpeg(render.render_strip(motion, frames=6, size=size, distance=distance)), "", size)


def _jpeg(image: Any) -> str:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=72, optimize=True)
    return _data_uri("image/jpeg", file.getvalue())


def _data_uri(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"
