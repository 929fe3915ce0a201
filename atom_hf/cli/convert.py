"""`atom-hf convert`: one motion file, or a folder of them, into another format.

    atom-hf convert walk.bvh walk.npy --features      HumanML3D features [T-1, 263]
    atom-hf convert mocap/ out/ --to .bvh             every readable file, the folder's tree kept
    atom-hf convert mocap/ corpus/ --to humanml3d     new_joints, new_joint_vecs, texts, all.txt, Mean.npy, Std.npy

Captions of a corpus come from walk.txt beside walk.bvh: a sentence a line, or caption#tokens#start#end.
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

from ..motion import HumanML3DClip, Motion, MotionStats, Skipped, load_motion, read_humanml3d, write_humanml3d
from ..motion.formats import READERS, WRITERS, is_humanml3d
from ..motion.formats.files import replacing
from ..motion.formats.humanml3d import captions_beside
from ..motion.layout import FPS

_HUMANML3D = "humanml3d"
_SHOWN = 20  # skipped files that are listed; the rest is counted
# Options of readers: attribute of the command's options → format → keyword of that format's reader.
_READER_OPTIONS = {
    "joint_map": {".bvh": "joint_map"},
    "scale": {".bvh": "scale", ".amc": "scale"},
    "up": {".bvh": "up", ".npz": "up"},
    "skeleton": {".amc": "skeleton"},
    "source_fps": {".amc": "fps", ".npz": "fps", ".npy": "fps"},
    "body_model": {".npz": "model_path"},
}


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
    add("--split", help="a split of a HumanML3D folder that is read, such as test")
    reading = parser.add_argument_group("how to read the source, where its files do not say or a guess is wrong")
    add = reading.add_argument
    add("--source-fps", type=float, metavar="FPS", help="its frame rate (.amc, .npz, .npy)")
    add("--joint-map", type=Path, metavar="JSON", help='file with names of joints, {"left_hip": "LeftUpLeg"} (.bvh)')
    add("--scale", type=float, help="metres in one unit of the file (.bvh, .amc)")
    add("--up", choices=["y", "z"], help="its vertical axis (.bvh, .npz)")
    add("--skeleton", type=Path, metavar="ASF", help="skeleton file, if it is not beside the source (.amc)")
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
    _read_joint_map(options)
    if (options.features or options.to == _HUMANML3D) and options.fps not in (None, FPS):
        which = "--features are" if options.features else f"{_HUMANML3D} folders are"
        raise ValueError(f"{which} at 20 fps whatever the source has; leave --fps out.")
    if options.target.exists() and options.target.resolve() == options.source.resolve():
        raise ValueError(f"{options.source} is source and target; choose another target, so that nothing is lost.")
    if options.source.is_dir() or options.to == _HUMANML3D:
        return _convert_folder(options)
    if options.split is not None:
        raise ValueError("--split is for HumanML3D folders, and the source is a file.")
    _refuse_idle_options(options, {options.source.suffix.lower()})
    motion = load_motion(options.source, **_reader_options(options, options.source))
    if options.to is not None:
        raise ValueError(f"--to is for folders; the suffix of {options.target} says the format of a single file.")
    written = _write(motion, options.target, options)
    sys.stdout.write(f"{options.source} → {options.target}: {written}\n")
    return 0


def _read_joint_map(options: argparse.Namespace) -> None:
    """Replace the path of the joint map by what the file holds."""
    path = options.joint_map
    if path is None:
        return
    expected = 'expected a JSON object such as {"left_hip": "LeftUpLeg"}'
    try:
        options.joint_map = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{path}: {expected}, but it cannot be read ({error}).") from None
    if not isinstance(options.joint_map, dict):
        raise ValueError(f"{path}: {expected}, got {str(options.joint_map)[:40]}.")


def _refuse_idle_options(options: argparse.Namespace, suffixes: set[str]) -> None:
    """Nobody should believe that an option did something where it did not."""
    for name, formats in _READER_OPTIONS.items():
        if getattr(options, name) is not None and not suffixes & set(formats):
            flag = "--" + name.replace("_", "-")
            raise ValueError(f"{flag} is for {', '.join(formats)} files, and the source has none; leave it out.")


def _reader_options(options: argparse.Namespace, path: Path) -> dict[str, Any]:
    """Keyword arguments for the reader of one file; options of other formats do not concern it."""
    suffix = path.suffix.lower()
    values = {
        formats[suffix]: getattr(options, name) for name, formats in _READER_OPTIONS.items() if suffix in formats
    }
    return {key: value for key, value in values.items() if value is not None}


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
    motion.save(target)
    return f"{len(motion)} frames at {motion.fps:g} fps ({motion.duration:.2f} s)"


def _convert_folder(options: argparse.Namespace) -> int:
    to = _folder_format(options)
    skipped: list[Skipped] = []
    clips = _folder_clips(options, skipped)
    if to == _HUMANML3D:
        return _build_corpus(options, clips, skipped)
    count = 0
    for clip in clips:
        try:
            _write(clip.motion, options.target / f"{clip.name}{to}", options)
            count += 1
        except ValueError as error:
            skipped.append(Skipped(Path(clip.name), str(error)))
    return _summary(options, f"{_clips(count)} written", count, skipped)


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


def _folder_clips(options: argparse.Namespace, skipped: list[Skipped]) -> Iterator[HumanML3DClip]:
    """Every clip of the source under a progress bar; names keep the folder's tree."""
    source = options.source
    if is_humanml3d(source):
        _refuse_idle_options(options, set())
        yield from tqdm(read_humanml3d(source, options.split, skipped), unit="clip", desc="convert")
        return
    if options.split is not None:
        raise ValueError(f"--split is for HumanML3D folders, and {source} is none.")
    paths = (
        sorted(p for p in source.rglob("*") if p.suffix.lower() in READERS and p.is_file()) if source.is_dir() else []
    )
    if source.is_dir() and not paths:
        raise ValueError(f"{source} holds no motion files; expected files ending in {', '.join(READERS)}.")
    root, paths = (source, paths) if paths else (source.parent, [source])
    _refuse_idle_options(options, {path.suffix.lower() for path in paths})
    stems = Counter(path.relative_to(root).with_suffix("") for path in paths)
    for path in tqdm(paths, unit="file", desc="convert"):
        relative = path.relative_to(root)
        alone = stems[relative.with_suffix("")] == 1
        name = relative.with_suffix("").as_posix() if alone else relative.as_posix().replace(".", "_")
        try:
            motion = load_motion(path, **_reader_options(options, path))
            captions = tuple(captions_beside(path))
        except (ValueError, OSError) as error:
            if not source.is_dir():
                raise
            skipped.append(Skipped(path, str(error)))
            continue
        yield HumanML3DClip(name, motion, captions)


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
        return _summary(options, f"{_clips(count)} written, {captioned} with captions; {stats}", count, skipped)
    return _summary(options, "0 clips written", 0, skipped)


def _clips(count: int) -> str:
    return f"{count} clip{'s' * (count != 1)}"


def _summary(options: argparse.Namespace, text: str, count: int, skipped: list[Skipped]) -> int:
    write: Callable[[str], Any] = sys.stdout.write
    write(f"{options.source} → {options.target}: {text}\n")
    if skipped:
        write(f"skipped {len(skipped)}:\n")
        for item in skipped[:_SHOWN]:
            write(f"  {item.reason}\n" if str(item.path) in item.reason else f"  {item.path}: {item.reason}\n")
        if len(skipped) > _SHOWN:
            write(f"  … and {len(skipped) - _SHOWN} more\n")
    return 0 if count else 1
