"""`atom-hf render`: a motion file as a picture or a video.

atom-hf render walk.bvh walk.png                            12 frames in a grid, the image that judges see
atom-hf render walk.bvh walk.jpg --layout trajectory        poses along the way
atom-hf render walk.npy walk.mp4 --camera side --text "a person walks"
atom-hf render walk.npy pair.mp4 --compare other.npy        side by side
"""

import argparse
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..motion import Motion, load_motion
from ..motion.formats.files import replacing

if TYPE_CHECKING:
    from PIL.Image import Image

PICTURES = (".png", ".jpg", ".jpeg")
VIDEOS = (".mp4", ".gif", ".webp")
_FRAMES = "frames"
# Options that only pictures, or only videos, have.
_OF_PICTURES = ("layout", "frames", "columns", "stride")
_OF_VIDEOS = ("compare", "fps", "labels")


def add_parser(commands: Any) -> None:
    """Add the command to `atom-hf`.

    Args:
        commands: the subparsers of `argparse`.
    """
    parser = commands.add_parser(
        "render",
        help="draw a motion file as a picture or a video",
        description="Draw a motion. Left arm and leg are blue, the right ones orange; visor and nose show the face. "
        f"Pictures end in {', '.join(PICTURES)}, videos in {', '.join(VIDEOS)}.",
        epilog=__doc__.split("\n\n", 1)[1] if __doc__ else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("source", type=Path, help="a motion file; atom-hf convert --help says which")
    parser.add_argument("target", type=Path, help="the picture or the video to write")
    parser.add_argument("--camera", default="three-quarter", help="front, three-quarter (default), side, back or top")
    parser.add_argument("--fixed", action="store_true", help="a camera that stays, instead of following the person")
    parser.add_argument("--size", metavar="WxH", help="width and height in pixels, such as 1024x768")
    parser.add_argument("--text", help="caption above the picture")
    parser.add_argument("--no-labels", action="store_true", help="no time and frame number in the pictures")
    parser.add_argument("--no-trail", action="store_true", help="no line that shows the way over the floor")
    parser.add_argument(
        "--source-fps", type=float, help="frame rate of the source, where it does not say (.amc, .npy)"
    )
    parser.add_argument(
        "--body-model", type=Path, metavar="FILE", help="SMPL file: draw this body instead of capsules"
    )
    pictures = parser.add_argument_group("pictures")
    pictures.add_argument("--layout", help=f"grid (default), strip, views, trajectory, or {_FRAMES} (a file each)")
    pictures.add_argument("--frames", type=int, help="how many frames are shown")
    pictures.add_argument("--columns", type=int, help="frames a row, in a grid")
    pictures.add_argument("--stride", type=int, help="take every so many frames, instead of spreading them evenly")
    videos = parser.add_argument_group("videos")
    videos.add_argument("--compare", type=Path, metavar="FILE", help="another motion, beside the first")
    videos.add_argument("--labels", nargs=2, metavar=("A", "B"), help="what to write above the two")
    videos.add_argument("--fps", type=float, help="frames per second; the motion's own, up to 30, without it")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Draw, and print what was written.

    Args:
        options (`argparse.Namespace`): the command's options.

    Returns:
        `int`: 0.

    Raises:
        ValueError: if options do not fit the target, or a motion cannot be read.
        ImportError: if the extra `render` is not installed.
    """
    suffix = options.target.suffix.lower()
    if suffix not in (*PICTURES, *VIDEOS):
        known = ", ".join((*PICTURES, *VIDEOS))
        raise ValueError(f"{options.target}: expected a file ending in {known}, got {suffix or 'no suffix'!r}.")
    kind, others = ("pictures", _OF_VIDEOS) if suffix in PICTURES else ("videos", _OF_PICTURES)
    strange = [name for name in others if getattr(options, name) is not None]
    if strange:
        raise ValueError(f"{options.target}: --{strange[0]} is not for {kind}; leave it out or choose another suffix.")
    motion = _load(options.source, options)
    written = _write_picture(motion, options) if kind == "pictures" else _write_video(motion, options)
    sys.stdout.write(f"{options.source} → {written}\n")
    return 0


def _load(path: Path, options: argparse.Namespace) -> Motion:
    timed = options.source_fps is not None and path.suffix.lower() in (".amc", ".npy")
    return load_motion(path, **({"fps": options.source_fps} if timed else {}))


def _shared(options: argparse.Namespace) -> dict[str, Any]:
    """Keyword arguments that every renderer has."""
    shared: dict[str, Any] = {
        "camera": options.camera,
        "follow": not options.fixed,
        "label": not options.no_labels,
        "trail": not options.no_trail,
    }
    if options.body_model is not None:
        from ..render.mesh import load_body

        shared["body"] = load_body(options.body_model)
    if options.size is not None:
        match = re.fullmatch(r"(\d+)[xX×](\d+)", options.size)
        if match is None:
            raise ValueError(f"Expected --size as WIDTHxHEIGHT, such as 1024x768, got {options.size!r}.")
        shared["size"] = int(match[1]), int(match[2])
    return shared


def _write_picture(motion: Motion, options: argparse.Namespace) -> str:
    from ..render.sheet import choose_frames, render_frames, render_sheet

    chosen = {name: getattr(options, name) for name in _OF_PICTURES if getattr(options, name) is not None}
    if options.layout == _FRAMES:
        if options.text is not None or options.columns is not None:
            raise ValueError(
                f"--text and --columns are for several frames in one picture, not for --layout {_FRAMES}."
            )
        del chosen["layout"]
        numbers = choose_frames(motion, chosen.get("frames", 12), chosen.get("stride"))
        images = render_frames(motion, **chosen, **_shared(options))
        digits = len(str(len(motion) - 1))
        targets = [options.target.with_stem(f"{options.target.stem}_{number:0{digits}d}") for number in numbers]
        for image, target in zip(images, targets, strict=True):
            save_picture(image, target)
        return f"{targets[0]} … {targets[-1].name}: {len(targets)} pictures"
    image = render_sheet(motion, caption=options.text, **chosen, **_shared(options))
    save_picture(image, options.target)
    return f"{options.target}: {image.width} x {image.height} pixels"


def save_picture(image: "Image", target: Path) -> None:
    """Write a picture, whole or not at all.

    Args:
        image (`PIL.Image.Image`): `[height, width]` pixels.
        target (`Path`): file; JPEG at quality 92, unless it ends in .png.
    """
    with replacing(target) as temporary:
        options: dict[str, Any] = {} if target.suffix.lower() == ".png" else {"quality": 92}
        image.save(temporary, **options)


def _write_video(motion: Motion, options: argparse.Namespace) -> str:
    from ..render.video import render_comparison, render_video

    more: dict[str, Any] = {"caption": options.text, "fps": options.fps, **_shared(options)}
    if options.compare is None:
        if options.labels is not None:
            raise ValueError("--labels names two motions; add --compare FILE.")
        render_video(motion, options.target, **more)
        return f"{options.target}: {motion.duration:.2f} s"
    other = _load(options.compare, options)
    if options.labels is not None:
        more["labels"] = options.labels
    render_comparison(motion, other, options.target, **more)
    return f"{options.target}: {max(motion.duration, other.duration):.2f} s, beside {options.compare}"
