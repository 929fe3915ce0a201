"""`atom-hf export`: a motion file, or a folder of them, for animation programs, viewers and players.

atom-hf export walk.npy walk.glb                    figure, skeleton and motion; opens in Blender and browsers
atom-hf export walk.npy walk.fbx --lock-feet        through Blender; standing feet do not slide
atom-hf export walk.npy walk.obj                    folder walk with a mesh a frame
atom-hf export motions/ out/ --to .glb              every readable file, the folder's tree kept
"""

import argparse
import copy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tqdm import tqdm

from ..motion import Motion, Skipped, load_motion
from ..motion.formats import READERS
from .motion_sources import (
    add_reading_options,
    folder_clips,
    read_joint_map,
    reader_options,
    refuse_idle_options,
    summary,
)


def add_parser(commands: Any) -> None:
    """Add the command to `atom-hf`.

    Args:
        commands: the subparsers of `argparse`.
    """
    parser = commands.add_parser(
        "export",
        help="motion files for animation programs, viewers and players",
        description="Export motion.\n\nWrites  .bvh .glb .fbx (through Blender) .obj (a folder) "
        ".mp4 .gif .webp .html .npz .npy\n"
        f"Reads   {', '.join(READERS)} and HumanML3D folders\n\nUnits are metres, Y up; BVH has centimetres.",
        epilog=__doc__.split("\n\n", 1)[1] if __doc__ else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("source", type=Path, help="a motion file, a folder of them, or a HumanML3D folder")
    add("target", type=Path, help="the file to write, or the folder")
    add("--to", metavar="SUFFIX", help="what to write into a folder, such as .glb")
    add("--lock-feet", action="store_true", help="keep standing feet from sliding")
    add("--no-floor", action="store_true", help="no floor under the figure (.glb, .fbx)")
    add(
        "--body-model", type=Path, metavar="FILE", help="SMPL file: this body instead of capsules (.glb, .obj, videos)"
    )
    add("--fps", type=float, help="resample to this rate; without it the source's, and 20 for .npy")
    add("--text", help="what the person does; without it the caption from walk.txt beside walk.bvh")
    add("--blender", type=Path, metavar="PATH", help="Blender's program, or a Python that has bpy (.fbx)")
    add("--overwrite", action="store_true", help="replace files that are there already")
    add_reading_options(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Export, and print a line a file: what was written, how exact it is, and what became of sliding feet.

    Args:
        options (`argparse.Namespace`): the command's options.

    Returns:
        `int`: 0 if something was written, else 1.

    Raises:
        ValueError: if options do not fit the source or the target, or a single file cannot be exported.
        OSError: if it cannot be written, would be overwritten, or Blender is missing.
        ImportError: if the extra `render` is not installed.
    """
    source, target = options.source, options.target
    if not source.exists() and source.suffix.lower() not in READERS:
        raise ValueError(f"{source}: there is no such file or folder.")
    if target.exists() and target.resolve() == source.resolve():
        raise ValueError(f"{source} is source and target; choose another target, so that nothing is lost.")
    reading = copy.copy(options)
    reading.body_model = None  # the reader's option of that name is for proportions of .npz files
    read_joint_map(reading)
    folder = source.is_dir()
    suffix = _suffix(options, folder)
    export = _exporter(options, suffix)
    if folder:
        return _export_folder(options, reading, suffix, export)
    if options.split is not None:
        raise ValueError("--split is for HumanML3D folders, and the source is a file.")
    refuse_idle_options(reading, {source.suffix.lower()})
    motion = load_motion(source, **reader_options(reading, source))
    if options.text is None:
        from ..motion.formats.humanml3d import captions_beside

        captions = captions_beside(source)
        motion.text = captions[0].text if captions else motion.text
    sys.stdout.write(f"{source} → {export(motion, target)}\n")
    return 0


def _suffix(options: argparse.Namespace, folder: bool) -> str:
    """The format, after a check that options fit it."""
    from ..render.export import WITH_BODY, WITH_FLOOR, WRITERS

    known = ", ".join(WRITERS)
    if folder:
        suffix = (options.to or "").lower()
        suffix = suffix if suffix.startswith(".") else f".{suffix}"
        if suffix not in WRITERS:
            got = f"got --to {options.to}" if options.to else f"and {options.source} is a folder"
            raise ValueError(f"say what to write with --to, one of {known}; {got}.")
        if options.target.is_file() or (options.target.suffix.lower() in WRITERS and not options.target.is_dir()):
            raise ValueError(f"the target of a folder is a folder, but {options.target} is named like a file.")
    else:
        suffix = options.target.suffix.lower()
        if options.to is not None:
            raise ValueError(f"--to is for folders; the suffix of {options.target} says the format of a single file.")
        if suffix not in WRITERS:
            raise ValueError(f"{options.target}: expected a target ending in {known}, got {suffix or 'no suffix'!r}.")
    for given, flag, formats in (
        (options.body_model, "--body-model", WITH_BODY),
        (options.no_floor, "--no-floor", WITH_FLOOR),
        (options.blender, "--blender", (".fbx",)),
    ):
        if given and suffix not in formats:
            raise ValueError(f"{flag} is for {', '.join(formats)}, not for {suffix}; leave it out.")
    return suffix


def _exporter(options: argparse.Namespace, suffix: str) -> Callable[[Motion, Path], str]:
    """A function that writes one motion and says what it wrote; what all files need is loaded here, once."""
    from ..evaluation.event_track import event_track, scenario_of
    from ..evaluation.physics import foot_skating
    from ..motion.foot_locking import lock_feet
    from ..render.export import export_motion
    from ..render.fbx import find_blender
    from ..render.mesh import load_body

    body = None if options.body_model is None else load_body(options.body_model)
    blender = find_blender(options.blender) if suffix == ".fbx" else None

    def export(motion: Motion, target: Path) -> str:
        written = target.with_suffix("") if suffix == ".obj" else target
        if not options.overwrite and (written.is_file() or (written.is_dir() and any(written.iterdir()))):
            raise FileExistsError(f"{written} is there already; choose another target, or pass --overwrite.")
        if options.text is not None:
            motion.text = options.text
        report = export_motion(
            motion,
            target,
            lock_feet=options.lock_feet,
            floor=not options.no_floor,
            body=body,
            fps=options.fps,
            blender=blender,
            events=event_track(motion, scenario_of(motion.text)) if suffix == ".html" else (),
        )
        text = f"{report.path}: {report.frames} frames at {report.fps:g} fps"
        text += f", joints off by {report.residual_mean:.1f} mm, at most {report.residual_max:.1f}"
        if options.lock_feet:
            shown = motion.resample(report.fps)
            before, after = (foot_skating(m.joints, m.fps, floor=None).speed for m in (shown, lock_feet(shown)))
            numbers = " → ".join("no contact" if speed is None else f"{speed:.1f}" for speed in (before, after))
            text += f"; feet on the floor slide {numbers} cm/s"
        return text

    return export


def _export_folder(
    options: argparse.Namespace, reading: argparse.Namespace, suffix: str, export: Callable[[Motion, Path], str]
) -> int:
    """Every motion of a folder; what fails is reported at the end, and the rest goes on."""
    skipped: list[Skipped] = []
    count = 0
    for clip in folder_clips(reading, skipped, "export"):
        motion = clip.motion
        if motion.text is None and clip.captions:
            motion.text = clip.captions[0].text
        try:
            line = export(motion, options.target / f"{clip.name}{suffix}")
        except (ValueError, OSError) as error:
            skipped.append(Skipped(Path(clip.name), str(error)))
            continue
        count += 1
        tqdm.write(f"{clip.name} → {line}")  # above the progress bar, not into it
    return summary(options, f"{count} file{'s' * (count != 1)} written", count, skipped)
