"""`atom-hf convert`: one motion file, or a folder of them, into another format.

atom-hf convert walk.bvh walk.npy --features      HumanML3D features [T-1, 263]
atom-hf convert mocap/ out/ --to .bvh             every readable file, the folder's tree kept
atom-hf convert mocap/ corpus/ --to humanml3d     new_joints, new_joint_vecs, texts, all.txt
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from ..motion import HumanML3DClip, Motion, Skipped, load_motion, read_humanml3d, write_humanml3d
from ..motion.formats import READERS, WRITERS, is_humanml3d
from ..motion.formats.files import replacing

_HUMANML3D = "humanml3d"
_SHOWN = 20  # skipped files that are listed; the rest is counted


def add_parser(commands: Any) -> None:
    """Add the command to `atom-hf`.

    Args:
        commands: the subparsers of `argparse`.
    """
    parser = commands.add_parser(
        "convert",
        help="convert motion files, or folders of them, between formats",
        description=f"Convert motion between formats. Reads {', '.join(READERS)} and HumanML3D folders; writes "
        f"{', '.join(WRITERS)} and HumanML3D folders. Units are metres, Y up.",
        epilog=__doc__.split("\n\n", 1)[1] if __doc__ else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("source", type=Path, help="a motion file, a folder of them, or a HumanML3D folder")
    parser.add_argument("target", type=Path, help="the file to write, or the folder")
    parser.add_argument("--to", metavar="FORMAT", help=f"for folders: {', '.join(WRITERS)} or {_HUMANML3D}")
    parser.add_argument(
        "--features", action="store_true", help=".npy files hold HumanML3D features at 20 fps, not joints"
    )
    parser.add_argument("--fps", type=float, help="resample to this frame rate; without it the source's is kept")
    parser.add_argument(
        "--source-fps", type=float, help="frame rate of the source, where its files do not say (.amc, .npy)"
    )
    parser.add_argument("--split", help="of a HumanML3D folder that is read, such as test")
    parser.add_argument("--joint-map", type=Path, metavar="JSON", help="BVH: file with {our joint: name in the file}")
    parser.add_argument("--scale", type=float, help="BVH, AMC: metres per unit of the file, if it is not found")
    parser.add_argument("--up", choices=["y", "z"], help="BVH, SMPL: vertical axis of the source, if it is not found")
    parser.add_argument(
        "--skeleton", type=Path, metavar="ASF", help="AMC: the skeleton file; found beside it without it"
    )
    parser.add_argument(
        "--body-model", type=Path, metavar="FILE", help="SMPL: the body model file, for exact proportions"
    )
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
    if options.source.is_dir():
        return _convert_folder(options)
    if options.to is not None:
        raise ValueError(f"--to is for folders; the suffix of {options.target} says the format of a single file.")
    motion = _resampled(
        load_motion(options.source, **_reader_options(options, options.source.suffix.lower())), options
    )
    written = _write(motion, options.target, options.features)
    sys.stdout.write(f"{options.source} → {options.target}: {written}\n")
    return 0


def _reader_options(options: argparse.Namespace, suffix: str) -> dict[str, Any]:
    """Keyword arguments for the reader of one format; options of other formats do not concern it."""
    joint_map = None
    if options.joint_map is not None:
        joint_map = json.loads(options.joint_map.read_text(encoding="utf-8"))
        if not isinstance(joint_map, dict):
            raise ValueError(f'{options.joint_map}: expected a JSON object such as {{"left_hip": "LeftUpLeg"}}.')
    of_format = {
        ".bvh": {"joint_map": joint_map, "scale": options.scale, "up": options.up},
        ".amc": {"skeleton": options.skeleton, "fps": options.source_fps, "scale": options.scale},
        ".npz": {"model_path": options.body_model, "fps": options.source_fps, "up": options.up},
        ".npy": {"fps": options.source_fps},
    }
    return {key: value for key, value in of_format.get(suffix, {}).items() if value is not None}


def _resampled(motion: Motion, options: argparse.Namespace) -> Motion:
    return motion if options.fps is None else motion.resample(options.fps)


def _write(motion: Motion, target: Path, features: bool) -> str:
    """Write one file; says what it holds."""
    if not features:
        motion.save(target)
        return f"{len(motion)} frames at {motion.fps:g} fps ({motion.duration:.2f} s)"
    if target.suffix.lower() != ".npy":
        raise ValueError(f"--features writes .npy files, but the target is {target}.")
    array = np.asarray(motion.to_features(), dtype=np.float32)
    with replacing(target) as temporary:
        np.save(temporary, array)
    return f"features {list(array.shape)} at 20 fps"


def _convert_folder(options: argparse.Namespace) -> int:
    to = (options.to or (".npy" if options.features else "")).lower()
    if to not in (*WRITERS, _HUMANML3D):
        raise ValueError(f"{options.source} is a folder; say --to with one of {', '.join([*WRITERS, _HUMANML3D])}.")
    if options.features and to == _HUMANML3D:
        raise ValueError("--to humanml3d writes features anyway; leave --features out.")
    if options.target.exists() and not options.target.is_dir():
        raise ValueError(f"The source is a folder, so the target has to be one, but {options.target} is a file.")
    skipped: list[Skipped] = []
    clips = _resampled_clips(_folder_clips(options, skipped), options)
    if to == _HUMANML3D:
        count = len(write_humanml3d(options.target, _with_features(clips, skipped)))
    else:
        count = 0
        for clip in clips:
            try:
                _write(clip.motion, options.target / f"{clip.name}{to}", options.features)
                count += 1
            except ValueError as error:
                skipped.append(Skipped(Path(clip.name), str(error)))
    sys.stdout.write(f"{options.source} → {options.target}: {count} clips written\n")
    _report(skipped, sys.stdout.write)
    return 0 if count else 1


def _folder_clips(options: argparse.Namespace, skipped: list[Skipped]) -> Iterator[HumanML3DClip]:
    """Every clip of a folder under a progress bar; names keep the folder's tree."""
    if is_humanml3d(options.source):
        yield from tqdm(read_humanml3d(options.source, options.split, skipped), unit="clip", desc="convert")
        return
    paths = sorted(p for p in options.source.rglob("*") if p.suffix.lower() in READERS and p.is_file())
    if not paths:
        raise ValueError(f"{options.source} holds no motion files; expected files ending in {', '.join(READERS)}.")
    repeated = {
        name for name, n in Counter(p.relative_to(options.source).with_suffix("") for p in paths).items() if n > 1
    }
    for path in tqdm(paths, unit="file", desc="convert"):
        relative = path.relative_to(options.source)
        name = (
            relative.as_posix().replace(".", "_")
            if relative.with_suffix("") in repeated
            else relative.with_suffix("").as_posix()
        )
        try:
            motion = load_motion(path, **_reader_options(options, path.suffix.lower()))
        except (ValueError, OSError) as error:
            skipped.append(Skipped(path, str(error)))
            continue
        yield HumanML3DClip(name, motion, ())


def _resampled_clips(clips: Iterator[HumanML3DClip], options: argparse.Namespace) -> Iterator[HumanML3DClip]:
    return (clip._replace(motion=_resampled(clip.motion, options)) for clip in clips)


def _with_features(clips: Iterator[HumanML3DClip], skipped: list[Skipped]) -> Iterator[HumanML3DClip]:
    """Clips with their features, under names without folders; those too short or broken are noted."""
    for clip in clips:
        try:
            motion = Motion.from_features(clip.motion.to_features(), text=clip.motion.text)
        except ValueError as error:
            skipped.append(Skipped(Path(clip.name), str(error)))
            continue
        yield HumanML3DClip(clip.name.replace("/", "_"), motion, clip.captions)


def _report(skipped: list[Skipped], write: Callable[[str], Any]) -> None:
    if skipped:
        write(f"skipped {len(skipped)}:\n")
        for item in skipped[:_SHOWN]:
            write(f"  {item.reason}\n" if str(item.path) in item.reason else f"  {item.path}: {item.reason}\n")
        if len(skipped) > _SHOWN:
            write(f"  … and {len(skipped) - _SHOWN} more\n")
