"""`atom-hf render`: a motion file as a picture or a video.

atom-hf render walk.bvh walk.png                          12 frames in a grid, the image that judges see
atom-hf render walk.bvh walk.jpg --layout strip
atom-hf render walk.npy walk.mp4 --camera side --text "a person walks"
atom-hf render a.npy ab.mp4 --compare b.npy               side by side
"""

import argparse
import re
import sys
from pathlib import Path
from typing import Any

from ..motion import load_motion
from ..motion.formats.files import replacing

_PICTURES = (".png", ".jpg", ".jpeg", ".webp")
_VIDEOS = (".mp4", ".gif", ".webp")


def add_parser(commands: Any) -> None:
    """Add the command to `atom-hf`.

    Args:
        commands: the subparsers of `argparse`.
    """
    parser = commands.add_parser(
        "render",
        help="draw a motion file as a picture or a video",
        description="Draw a motion: left limbs blue, right limbs orange, metres on the floor.",
        epilog=__doc__.split("\n\n", 1)[1] if __doc__ else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("source", type=Path, help="a motion file, see atom-hf convert --help")
    parser.add_argument("target", type=Path, help=f"{', '.join(_PICTURES)}, or a video: {', '.join(_VIDEOS[:2])}")
    parser.add_argument("--layout", help="of a picture: grid, strip, views or trajectory")
    parser.add_argument("--camera", default="three-quarter", help="front, three-quarter, side, back or top")
    parser.add_argument("--frames", type=int, help="how many frames a picture shows")
    parser.add_argument("--size", help="width and height in pixels, such as 1024x768")
    parser.add_argument("--fixed", action="store_true", help="a camera that stays, instead of following the person")
    parser.add_argument("--text", help="caption")
    parser.add_argument("--compare", type=Path, metavar="FILE", help="another motion beside it, in a video")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Draw.

    Args:
        options (`argparse.Namespace`): the command's options.

    Returns:
        `int`: 0.

    Raises:
        ValueError: if an option does not fit, or the source cannot be read.
        ImportError: if the extra `render` is not installed.
    """
    from .. import render

    suffix = options.target.suffix.lower()
    if suffix not in {*_PICTURES, *_VIDEOS}:
        known = ", ".join(dict.fromkeys((*_PICTURES, *_VIDEOS)))
        raise ValueError(f"expected a target ending in {known}, got {options.target}.")
    shared: dict[str, Any] = {"camera": options.camera, "follow": not options.fixed, "caption": options.text}
    if options.size is not None:
        shared["size"] = _size(options.size)
    motion = load_motion(options.source)
    if options.compare is not None or (suffix in _VIDEOS and not (suffix == ".webp" and options.layout)):
        if suffix not in _VIDEOS:
            raise ValueError(f"--compare makes a video, a file ending in {', '.join(_VIDEOS)}; got {options.target}.")
        if options.layout or options.frames:
            raise ValueError("--layout and --frames are for pictures; leave them out for a video.")
        if options.compare is not None:
            render.render_comparison(motion, load_motion(options.compare), options.target, **shared)
        else:
            render.render_video(motion, options.target, **shared)
    else:
        picture = render.render_sheet(motion, layout=options.layout or "grid", frames=options.frames, **shared)
        with replacing(options.target) as temporary:
            picture.save(temporary)
    sys.stdout.write(f"{options.source} → {options.target}: {motion}\n")
    return 0


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{1,5})[x×](\d{1,5})", text)
    if match is None:
        raise ValueError(f"expected --size as WIDTHxHEIGHT, such as 1024x768, got {text!r}.")
    return int(match[1]), int(match[2])
