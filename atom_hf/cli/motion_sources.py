"""What `atom-hf convert` and `export` read: a motion file, a folder of them with its tree, a HumanML3D folder."""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tqdm import tqdm

from ..motion import HumanML3DClip, Skipped, load_motion, read_humanml3d
from ..motion.formats import READERS, is_humanml3d
from ..motion.formats.humanml3d import captions_beside

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


def add_reading_options(parser: argparse.ArgumentParser) -> Callable[..., Any]:
    """Add the options that say how a source is read.

    Args:
        parser (`argparse.ArgumentParser`): of the command.

    Returns:
        `Callable`: adds more options to their group.
    """
    reading = parser.add_argument_group("how to read the source, where its files do not say or a guess is wrong")
    add = reading.add_argument
    add("--split", help="a split of a HumanML3D folder, such as test")
    add("--source-fps", type=float, metavar="FPS", help="its frame rate (.amc, .npz, .npy)")
    add("--joint-map", type=Path, metavar="JSON", help='file with names of joints, {"left_hip": "LeftUpLeg"} (.bvh)')
    add("--scale", type=float, help="metres in one unit of the file (.bvh, .amc)")
    add("--up", choices=["y", "z"], help="its vertical axis (.bvh, .npz)")
    add("--skeleton", type=Path, metavar="ASF", help="skeleton file, if it is not beside the source (.amc)")
    return add


def read_joint_map(options: argparse.Namespace) -> None:
    """Replace the path of the joint map by what the file holds.

    Args:
        options (`argparse.Namespace`): with `joint_map`.

    Raises:
        ValueError: if the file holds no JSON object.
    """
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


def refuse_idle_options(options: argparse.Namespace, suffixes: set[str]) -> None:
    """Nobody should believe that an option did something where it did not.

    Args:
        options (`argparse.Namespace`): with the options that `add_reading_options` adds.
        suffixes (`set[str]`): of the source's files.

    Raises:
        ValueError: if an option concerns none of them.
    """
    for name, formats in _READER_OPTIONS.items():
        if getattr(options, name) is not None and not suffixes & set(formats):
            flag = "--" + name.replace("_", "-")
            raise ValueError(f"{flag} is for {', '.join(formats)} files, and the source has none; leave it out.")


def reader_options(options: argparse.Namespace, path: Path) -> dict[str, Any]:
    """Keyword arguments for the reader of one file; options of other formats do not concern it.

    Args:
        options (`argparse.Namespace`): with the options that `add_reading_options` adds.
        path (`Path`): the file.

    Returns:
        `dict[str, Any]`: for `load_motion`.
    """
    suffix = path.suffix.lower()
    values = {
        formats[suffix]: getattr(options, name) for name, formats in _READER_OPTIONS.items() if suffix in formats
    }
    return {key: value for key, value in values.items() if value is not None}


def folder_clips(options: argparse.Namespace, skipped: list[Skipped], doing: str) -> Iterator[HumanML3DClip]:
    """Every clip of the source under a progress bar; names keep the folder's tree.

    Args:
        options (`argparse.Namespace`): with `source` and the options that `add_reading_options` adds.
        skipped (`list[Skipped]`): gets what cannot be read.
        doing (`str`): what is done with them, for the bar.

    Yields:
        [`HumanML3DClip`]: name, motion, captions.

    Raises:
        ValueError: if the folder holds no motion, or an option concerns none of its files.
    """
    source = options.source
    if is_humanml3d(source):
        refuse_idle_options(options, set())
        yield from tqdm(read_humanml3d(source, options.split, skipped), unit="clip", desc=doing)
        return
    if options.split is not None:
        raise ValueError(f"--split is for HumanML3D folders, and {source} is none.")
    paths = (
        sorted(p for p in source.rglob("*") if p.suffix.lower() in READERS and p.is_file()) if source.is_dir() else []
    )
    if source.is_dir() and not paths:
        raise ValueError(f"{source} holds no motion files; expected files ending in {', '.join(READERS)}.")
    root, paths = (source, paths) if paths else (source.parent, [source])
    refuse_idle_options(options, {path.suffix.lower() for path in paths})
    stems = Counter(path.relative_to(root).with_suffix("") for path in paths)
    for path in tqdm(paths, unit="file", desc=doing):
        relative = path.relative_to(root)
        alone = stems[relative.with_suffix("")] == 1
        name = relative.with_suffix("").as_posix() if alone else relative.as_posix().replace(".", "_")
        try:
            motion = load_motion(path, **reader_options(options, path))
            captions = tuple(captions_beside(path))
        except (ValueError, OSError) as error:
            if not source.is_dir():
                raise
            skipped.append(Skipped(path, str(error)))
            continue
        yield HumanML3DClip(name, motion, captions)


def summary(options: argparse.Namespace, text: str, count: int, skipped: list[Skipped]) -> int:
    """Say what was written and what was skipped.

    Args:
        options (`argparse.Namespace`): with `source` and `target`.
        text (`str`): what was written.
        count (`int`): how many files.
        skipped (`list[Skipped]`): the others.

    Returns:
        `int`: exit status: 0 if something was written, else 1.
    """
    write: Callable[[str], Any] = sys.stdout.write
    write(f"{options.source} → {options.target}: {text}\n")
    if skipped:
        write(f"skipped {len(skipped)}:\n")
        for item in skipped[:_SHOWN]:
            write(f"  {item.reason}\n" if str(item.path) in item.reason else f"  {item.path}: {item.reason}\n")
        if len(skipped) > _SHOWN:
            write(f"  … and {len(skipped) - _SHOWN} more\n")
    return 0 if count else 1
