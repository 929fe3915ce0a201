"""Systems from disk: a folder of motion files of any generator with their captions, or HumanML3D's folder layout.

read_system("generated/", name="theirs", fps=30).clips[0].prompt  →  "a person walks"
"""

import warnings
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tqdm import tqdm

from ...motion import Caption, Motion, Skipped, load_motion, read_humanml3d
from ...motion.formats import READERS, is_humanml3d
from ...motion.layout import FPS
from .caption_files import Listed, caption_beside, listed_captions
from .cases import Case, named, understood
from .systems import LeftOut, System, SystemClip, why_unusable

_HOW = "Put x.txt beside x.npy, or captions.csv (name,caption) or captions.jsonl into the folder."


def read_system(
    folder: str | Path,
    name: str | None = None,
    *,
    fps: float | None = None,
    split: str | None = None,
    cases: Mapping[str, Case] | None = None,
    progress: bool = True,
) -> System:
    """Read the motions of a system from a folder, all brought to 20 fps.

    Files that cannot be read, or hold values that are not finite, are left out and named.

    Args:
        folder (`str` or `Path`): files of motions (`.npy` with joints `[T, 22, 3]` in metres or features `[T, 263]`,
            `.bvh`, `.npz`, `.amc`) with captions, or a HumanML3D folder.
        name (`str`, *optional*): of the system, the folder's by default.
        fps (`float`, *optional*): frame rate of `.npy` files with joints, 20 by default.
        split (`str`, *optional*): of a HumanML3D folder; `"test"` by default if there is one, else all of it.
        cases (`Mapping[str, Case]`, *optional*): by name, captions of clips that have none of their own.
        progress (`bool`, *optional*, defaults to `True`): whether to show a bar.

    Returns:
        [`System`]: its motions, and what was left out.

    Raises:
        ValueError: if it is no folder, holds no motions, captions are missing (the files are named) or broken, two
            files have the same name, or an option does not fit.
    """
    folder = Path(folder)
    name = name or folder.resolve().name
    if not folder.is_dir():
        raise ValueError(f"{folder}: expected a folder of motions, but {_what(folder)}.")
    if is_humanml3d(folder):
        if fps not in (None, FPS):
            raise ValueError(f"{folder}: HumanML3D folders have {FPS:g} fps, got fps={fps:g}; leave it out.")
        return _read_humanml3d(folder, name, split, cases or {}, progress)
    if split is not None:
        raise ValueError(f"{folder}: split is for HumanML3D folders (new_joint_vecs, texts), and this is none.")
    return _read_files(folder, name, fps or FPS, cases or {}, progress)


def _what(path: Path) -> str:
    return "it is a file" if path.exists() else "there is no such folder"


def _read_files(folder: Path, name: str, fps: float, cases: Mapping[str, Case], progress: bool) -> System:
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in READERS and path.is_file())
    if not paths:
        raise ValueError(f"{folder} holds no motions; expected files ending in {', '.join(READERS)}.")
    ids = [path.relative_to(folder).with_suffix("").as_posix() for path in paths]
    twice = [each for each, count in Counter(ids).items() if count > 1]
    if twice:
        raise ValueError(f"{folder}: several files have the same name but for the suffix: {named(twice)}.")
    listed = listed_captions(folder)
    asked = _asked(folder, dict(zip(ids, paths, strict=True)), listed, cases)
    clips: list[SystemClip] = []
    left_out: list[LeftOut] = []
    rates: Counter[float] = Counter()
    for each, path in zip(ids, tqdm(paths, desc=name, unit="file", disable=None if progress else True), strict=True):
        stated = listed[each].fps if listed and each in listed else None
        try:
            motion = load_motion(path, **({"fps": stated or fps} if path.suffix.lower() == ".npy" else {}))
        except (ValueError, OSError) as error:
            left_out.append(LeftOut(each, "cannot be read", _plain(error, path)))
            continue
        if motion.fps != FPS:
            rates[motion.fps] += 1
        _keep(SystemClip(asked[each], motion.resample(FPS)), clips, left_out)
    notes = [f"{count} clips resampled from {rate:g} to {FPS:g} fps" for rate, count in sorted(rates.items())]
    absent = [each for each in listed or {} if each not in asked]
    left_out += [LeftOut(each, "no file", "it has a caption, but no motion") for each in absent]
    return System(name, clips, left_out, {"kind": "folder", "what": folder.name, "fps of .npy joints": fps}, notes)


def _asked(
    folder: Path, paths: Mapping[str, Path], listed: Mapping[str, Listed] | None, cases: Mapping[str, Case]
) -> dict[str, Case]:
    """What each clip was asked for; all that is missing is named at once."""
    found: dict[str, Case] = {}
    missing = []
    known = {case.prompt: case for case in cases.values()}
    for each, path in paths.items():
        if listed is not None:
            text: Any = listed[each].caption if each in listed else ""
        else:
            text = caption_beside(path)
        prompt = text.text if isinstance(text, Caption) else text
        if prompt:
            scenario = known[prompt].scenario if prompt in known else understood(prompt)
            found[each] = Case(each, prompt, scenario, text)
        elif each in cases:
            found[each] = cases[each]
        else:
            missing.append(path.name)
    if missing:
        raise ValueError(f"{folder}: {len(missing)} of {len(paths)} motions have no caption: {named(missing)}. {_HOW}")
    return found


def _read_humanml3d(folder: Path, name: str, split: str | None, cases: Mapping[str, Case], progress: bool) -> System:
    if split is None and (folder / "test.txt").is_file():
        split = "test"
    skipped: list[Skipped] = []
    clips: list[SystemClip] = []
    left_out: list[LeftOut] = []
    missing, several = [], 0
    for clip in tqdm(
        read_humanml3d(folder, split, skipped), desc=name, unit="clip", disable=None if progress else True
    ):
        if clip.captions:
            several += len(clip.captions) > 1
            caption = next((c for c in clip.captions if not (c.start or c.end)), clip.captions[0])
            case = Case(clip.name, caption.text, understood(caption.text), caption if caption.tokens else None)
            try:
                motion = clip.segment(caption)
            except ValueError as error:
                left_out.append(LeftOut(clip.name, "cannot be read", str(error)))
                continue
        elif clip.name in cases:
            case, motion = cases[clip.name], clip.motion
        else:
            missing.append(f"texts/{clip.name}.txt")
            continue
        _keep(SystemClip(case, motion), clips, left_out)
    if missing:
        count = len(missing) + len(clips)
        raise ValueError(f"{folder}: {len(missing)} of {count} motions have no caption: {named(missing)}.")
    left_out += [LeftOut(item.path.name, "cannot be read", item.reason) for item in skipped]
    notes = [f"{several} clips have several captions; the first for the whole clip counts"] if several else []
    made_with = {"kind": "humanml3d", "what": folder.name, "split": split or "all"}
    return System(name, clips, left_out, made_with, notes)


def _keep(clip: SystemClip, clips: list[SystemClip], left_out: list[LeftOut]) -> None:
    """Take a clip, unless something is wrong that reading did not find."""
    reason = why_unusable(clip.motion)
    if reason is None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                features = clip.motion.to_features()  # what evaluators read; made once for all of them
        except ValueError as error:
            reason = str(error)
        else:
            clips.append(clip._replace(motion=_with_features(clip.motion, features)))
            return
        left_out.append(LeftOut(clip.case.id, "cannot be read", reason))
    else:
        left_out.append(LeftOut(clip.case.id, "too short", reason))


def _with_features(motion: Motion, features: Any) -> Motion:
    return Motion(motion.joints, motion.fps, features, motion.codes, motion.text)


def _plain(error: Exception, path: Path) -> str:
    """The message without the folder, which is the same for all."""
    return str(error).replace(str(path), path.name)
