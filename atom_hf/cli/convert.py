"""`atom-hf convert`: one motion file, or a folder of them, into another format.

    atom-hf convert walk.bvh walk.npy --features      HumanML3D features [T-1, 263]
    atom-hf convert mocap/ out/ --to .bvh             every readable file, the folder's tree kept
    atom-hf convert mocap/ corpus/ --to humanml3d     new_joints, new_joint_vecs, texts, all.txt, Mean.npy, Std.npy

Captions of a corpus come from walk.txt beside walk.bvh: a sentence a line, or caption#tokens#start#end.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..motion import HumanML3DClip, Motion, MotionStats, Skipped, load_motion, read_humanml3d, write_humanml3d
from ..motion.formats import READERS, WRITERS, is_humanml3d, save_motion
from ..motion.formats.files import replacing
from ..motion.layout import FPS
from .motion_sources import (
    add_reading_options,
    folder_clips,
    read_joint_map,
    reader_options,
    refuse_idle_options,
    summary,
)

_HUMANML3D = "humanml3d"


def add_parser(commands: Any) -> None:
    """Add the command to `atom-hf`.

    Args:
        commands: the subparsers of `argparse`.
    """
    parser = commands.add_parser(
        "convert",
        help="convert motion files, or folders of them, between formats",
        description=f"Convert motion between formats.\n\nReads   {', '.join(READERS)} and HumanML3D folders\n"
        f"Writes  {', '.join(WRITERS)} and HumanML3D folders\n\nUnits are metres, Y up.",
        epilog=__doc__.split("\n\n", 1)[1] if __doc__ else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("source", type=Path, help="a motion file, a folder of them, or a HumanML3D folder")
    add("target", type=Path, help="the file to write, or the folder")
    add("--to", metavar="FORMAT", help=f"what to write into a folder: {', '.join(WRITERS)} or {_HUMANML3D}")
    add("--features", action="store_true", help=".npy files hold HumanML3D features at 20 fps instead of joints")
    add("--fps", type=float, help="resample to this rate; without it .npy files get 20 fps, others the source's rate")
    add = add_reading_options(parser)
    add("--body-model", type=Path, metavar="FILE", help="SMPL body model, for exact proportions (.npz)")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Convert, and print what was written and what was skipped.

    Args:
        options (`argparse.Namespace`): the command's options.

    Returns:
        `int`: 0 if something was written, else 1.

    Raises:
        ValueError: if options do not fit the source, or a single file cannot be converted.
    """
    if not options.source.exists() and options.source.suffix.lower() not in READERS:
        raise ValueError(f"{options.source}: there is no such file or folder.")
    read_joint_map(options)
    if (options.features or options.to == _HUMANML3D) and options.fps not in (None, FPS):
        which = "--features are" if options.features else f"{_HUMANML3D} folders are"
        raise ValueError(f"{which} at 20 fps whatever the source has; leave --fps out.")
    if options.target.exists() and options.target.resolve() == options.source.resolve():
        raise ValueError(f"{options.source} is source and target; choose another target, so that nothing is lost.")
    if options.source.is_dir() or options.to == _HUMANML3D:
        return _convert_folder(options)
    if options.split is not None:
        raise ValueError("--split is for HumanML3D folders, and the source is a file.")
    refuse_idle_options(options, {options.source.suffix.lower()})
    motion = load_motion(options.source, **reader_options(options, options.source))
    if options.to is not None:
        raise ValueError(f"--to is for folders; the suffix of {options.target} says the format of a single file.")
    written = _write(motion, options.target, options)
    sys.stdout.write(f"{options.source} → {options.target}: {written}\n")
    return 0


def _write(motion: Motion, target: Path, options: argparse.Namespace) -> str:
    """Write one file; says what it holds."""
    if options.features:
        if target.suffix.lower() != ".npy":
            raise ValueError(f"--features writes .npy files, but the target is {target}.")
        array = np.asarray(motion.to_features(), dtype=np.float32)
        with replacing(target) as temporary:
            np.save(temporary, array)
        return f"features {list(array.shape)} at 20 fps"
    usual = FPS if target.suffix.lower() == ".npy" else motion.fps  # .npy files cannot say, so all take them for 20
    motion = motion.resample(usual if options.fps is None else options.fps)
    save_motion(motion, target)
    return f"{len(motion)} frames at {motion.fps:g} fps ({motion.duration:.2f} s)"


def _convert_folder(options: argparse.Namespace) -> int:
    to = _folder_format(options)
    skipped: list[Skipped] = []
    clips = folder_clips(options, skipped, "convert")
    if to == _HUMANML3D:
        return _build_corpus(options, clips, skipped)
    count = 0
    for clip in clips:
        try:
            _write(clip.motion, options.target / f"{clip.name}{to}", options)
            count += 1
        except ValueError as error:
            skipped.append(Skipped(Path(clip.name), str(error)))
    return summary(options, f"{_clips(count)} written", count, skipped)


def _folder_format(options: argparse.Namespace) -> str:
    """What is written into the target folder, after a check that it can be."""
    to = (options.to or (".npy" if options.features else "")).lower()
    to = to if to in (_HUMANML3D, "") or to.startswith(".") else f".{to}"
    known = ", ".join([*WRITERS, _HUMANML3D])
    if to not in (*WRITERS, _HUMANML3D):
        got = f"got --to {options.to}" if options.to else f"and {options.source} is a folder"
        raise ValueError(f"say what to write with --to, one of {known}; {got}.")
    if options.features and to != ".npy":
        raise ValueError(f"--features writes .npy files, and humanml3d has features anyway; got --to {options.to}.")
    if options.target.is_file() or (options.target.suffix.lower() in WRITERS and not options.target.is_dir()):
        raise ValueError(f"the target of a folder is a folder, but {options.target} is named like a file.")
    if to == _HUMANML3D and is_humanml3d(options.target):
        raise ValueError(f"{options.target} holds a corpus already; choose a new folder, so that nothing is mixed up.")
    return to


def _build_corpus(options: argparse.Namespace, clips: Iterator[HumanML3DClip], skipped: list[Skipped]) -> int:
    """Write a HumanML3D folder with its statistics."""
    captioned = 0

    def with_features() -> Iterator[HumanML3DClip]:
        nonlocal captioned
        for clip in clips:
            try:
                motion = Motion.from_features(clip.motion.to_features())
            except ValueError as error:
                skipped.append(Skipped(Path(clip.name), str(error)))
                continue
            captioned += bool(clip.captions)
            yield HumanML3DClip(clip.name.replace("/", "_"), motion, clip.captions)

    split = options.split or "all"
    count = len(write_humanml3d(options.target, with_features(), split))
    if count:
        written = read_humanml3d(options.target, split)
        try:
            MotionStats.compute(clip.motion.to_features() for clip in written).save(options.target)
            stats = "Mean.npy and Std.npy from them"
        except ValueError as error:
            stats = f"no Mean.npy and Std.npy ({error})"
        return summary(options, f"{_clips(count)} written, {captioned} with captions; {stats}", count, skipped)
    return summary(options, "0 clips written", 0, skipped)


def _clips(count: int) -> str:
    return f"{count} clip{'s' * (count != 1)}"
