"""Motions side by side in a report, in viewers that turn, step and play them in step.

group = ClipGroup("a person jumps twice", [Clip("base", before, ["score 0.2"]), Clip("aligned", after, ["score 0.9"])])
reel = viewers([group], budget=10_000_000)
reel.blocks[0]       # <div data-atom-viewer>…
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from ...motion import Motion

if TYPE_CHECKING:
    from ...render.viewer import ViewerEvent

_NO_PICTURE = "Motions are not shown, since Pillow, which draws them, is not installed."
_LARGEST_VIDEO = 400_000  # bytes, of one group


class Clip(NamedTuple):
    """A motion with what is written around it.

    Args:
        label (`str`): above it, mostly the system that made it.
        motion ([`Motion`]): what to show.
        lines (`Sequence[str]`, *optional*): below it, such as its scores.
        events (`Sequence[ViewerEvent]`, *optional*): what was asked for and what is seen, from `event_track`.
    """

    label: str
    motion: Motion
    lines: Sequence[str] = ()
    events: "Sequence[ViewerEvent]" = ()


class ClipGroup(NamedTuple):
    """Motions that stand side by side, in one scale, and play in step.

    Args:
        caption (`str`): above them, mostly the prompt.
        clips (`Sequence[Clip]`): the motions, at most four.
    """

    caption: str
    clips: Sequence[Clip]


class Reel(NamedTuple):
    """Groups as viewers.

    Args:
        blocks (`list[str]`): HTML of each group; empty for a group that has no clips, or no room.
        style (`str`): CSS that they need, once a page; empty if there are none.
        script (`str`): the ES module that they need, once a page; empty if there are none.
        notes (`list[str]`): what a reader must know about them.
    """

    blocks: list[str]
    style: str
    script: str
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


def viewers(groups: Sequence[ClipGroup], budget: int) -> Reel:
    """A viewer for each group, with a still and a video for browsers that cannot draw.

    Args:
        groups (`Sequence[ClipGroup]`): what to show.
        budget (`int`): most bytes of all that comes with them. Beyond it the videos stay out; if that does not help,
            the last groups as well.

    Returns:
        [`Reel`]: the viewers, and notes on what was left out.
    """
    empty = ["" for _ in groups]
    if not any(group.clips for group in groups):
        return Reel(empty, "", "", [])
    try:
        from ...render.viewer import viewer_script, viewer_style
    except ImportError:
        return Reel(empty, "", "", [_NO_PICTURE])
    style, script = viewer_style(), viewer_script()
    left = budget - len(style.encode()) - len(script.encode())
    bare = [_block(group, 0) for group in groups]
    spare = (left - sum(map(len, bare))) // len(groups) * 3 // 4  # base64 takes four characters for three bytes
    if spare > 0:
        blocks = [_block(group, min(spare, _LARGEST_VIDEO)) for group in groups]
        return Reel(blocks, style, script, [])
    kept, used = [], 0
    for block in bare:
        used += len(block)
        if used > left:
            break
        kept.append(block)
    lost = len(groups) - len(kept)
    notes = [f"{lost} of {len(groups)} groups of motions are not shown, to keep this file small."] if lost else []
    return Reel([*kept, *empty[len(kept) :]], *((style, script) if kept else ("", "")), notes)


def _block(group: ClipGroup, video_budget: int) -> str:
    from ...render.viewer import ViewerClip, viewer_block, viewer_spec

    if not group.clips:
        return ""
    clips = [ViewerClip(clip.motion, clip.label, tuple(clip.events)) for clip in group.clips]
    return viewer_block(viewer_spec(clips, video_budget=video_budget))
