"""Systems from disk: a folder of motion files of any generator with their captions, or HumanML3D's folder layout.

read_system("generated/", name="theirs", fps=30).clips[0].prompt  →  "a person walks"
"""

import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tqdm import tqdm

from ...events import Scenario
from ...motion import Caption, Motion, Skipped, load_motion, read_humanml3d
from ...motion.formats import READERS, is_humanml3d
from ...motion.layout import FPS
from .caption_files import Listed, caption_beside, listed_captions
from .cases import Case, named, plural, understood
from .faults import Fault, fault_of, fps_fault
from .systems import LeftOut, System, SystemClip

_HOW = "Put x.txt beside x.npy, or captions.csv (name,caption) or captions.jsonl into the folder."


def read_system(
    folder: str | Path,
    name: str | None = None,
    *,
    fps: float | None = None,
    split: str | None = None,
    cases: Mapping[str, Case] | None = None,
    cases_from: str = "the given cases",
    known: Sequence[Case] = (),
    progress: bool = True,
) -> System:
    """Read the motions of a system from a folder, all brought to 20 fps.

    Files that cannot be read, hold values that are not finite or beyond 1 km, or more than 10 minutes, are left out
    and named.

    Args:
        folder (`str` or `Path`): files of motions (`.npy` with joints `[T, 22, 3]` in metres or features `[T, 263]`,
            `.bvh`, `.npz`, `.amc`) with captions, or a HumanML3D folder.
        name (`str`, *optional*): of the system, the folder's by default.
        fps (`float`, *optional*): frame rate of `.npy` files with joints, 1 to 1000, 20 by default.
        split (`str`, *optional*): of a HumanML3D folder; `"test"` by default if there is one, else all of it.
        cases (`Mapping[str, Case]`, *optional*): by name, captions of clips that have none of their own, which a note
            counts. A folder with a file of captions has its own, and is not filled up.
        cases_from (`str`, *optional*): where these come from, for the note.
        known (`Sequence[Case]`, *optional*): scenarios of prompts that clips may have been asked for, whatever their
            names are.
        progress (`bool`, *optional*, defaults to `True`): whether to show a bar.

    Returns:
        [`System`]: its motions, and what was left out.

    Raises:
        ValueError: if it is no folder, holds no motions, captions are missing (the files are named) or broken, two
            files have the same name, or an option does not fit.
    """
    folder, by_name = Path(folder), _ByName(cases or {}, cases_from, {case.prompt: case for case in known})
    name = name or folder.resolve().name
    if not folder.is_dir():
        raise ValueError(f"{folder}: expected a folder of motions, but {_what(folder)}.")
    if is_humanml3d(folder):
        if fps not in (None, FPS):
            raise ValueError(f"{folder}: HumanML3D folders have {FPS:g} fps, got fps={fps:g}; leave it out.")
        return _read_humanml3d(folder, name, split, by_name, progress)
    if split is not None:
        raise ValueError(f"{folder}: split is for HumanML3D folders (new_joint_vecs, texts), and this is none.")
    if fps is not None and (fault := fps_fault(fps)):
        raise ValueError(f"{folder}: {fault}.")
    return _read_files(folder, name, FPS if fps is None else fps, by_name, progress)


class _ByName(NamedTuple):
    """Captions and scenarios that clips do not bring along."""

    cases: Mapping[str, Case]
    source: str
    known: Mapping[str, Case]

    def scenario(self, prompt: str) -> Scenario | None:
        return self.known[prompt].scenario if prompt in self.known else understood(prompt)

    def notes(self, taken: int) -> list[str]:
        return [f"{plural(taken, 'caption')} taken by name from {self.source}"] if taken else []


def _what(path: Path) -> str:
    return "it is a file" if path.exists() else "there is no such folder"


def _read_files(folder: Path, name: str, fps: float, cases: _ByName, progress: bool) -> System:
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in READERS and path.is_file())
    if not paths:
        raise ValueError(f"{folder} holds no motions; expected files ending in {', '.join(READERS)}.")
    ids = [path.relative_to(folder).with_suffix("").as_posix() for path in paths]
    twice = [each for each, count in Counter(ids).items() if count > 1]
    if twice:
        raise ValueError(f"{folder}: several files have the same name but for the suffix: {named(twice)}.")
    listed = listed_captions(folder)
    asked, notes = _asked(folder, dict(zip(ids, paths, strict=True)), listed, cases)
    clips: list[SystemClip] = []
    left_out: list[LeftOut] = []
    rates: Counter[float] = Counter()
    for each, path in zip(ids, tqdm(paths, desc=name, unit="file", disable=None if progress else True), strict=True):
        stated = listed[each].fps if listed and each in listed else None
        try:
            rate = fps if stated is None else stated
            motion = load_motion(path, **({"fps": rate} if path.suffix.lower() == ".npy" else {}))
            fault = fault_of(motion)  # before resampling, which an odd rate makes endless
            if fault is None and motion.fps != FPS:
                rate, motion = motion.fps, motion.resample(FPS)
                rates[rate] += 1
        except (ValueError, OSError, MemoryError) as error:
            left_out.append(LeftOut(each, "cannot be read", _plain(error, path), asked[each].prompt))
            continue
        if fault is not None:
            left_out.append(LeftOut(each, *fault, asked[each].prompt))
            continue
        _keep(SystemClip(asked[each], motion), clips, left_out)
    notes += [
        f"{plural(count, 'clip')} resampled from {rate:g} to {FPS:g} fps" for rate, count in sorted(rates.items())
    ]
    absent = [each for each in listed or {} if each not in asked]
    left_out += [
        LeftOut(each, "no file", "it has a caption, but no motion", (listed or {})[each].caption) for each in absent
    ]
    return System(name, clips, left_out, {"kind": "folder", "what": folder.name, "fps of .npy joints": fps}, notes)


def _asked(
    folder: Path, paths: Mapping[str, Path], listed: Mapping[str, Listed] | None, cases: _ByName
) -> tuple[dict[str, Case], list[str]]:
    """What each clip was asked for, with notes; all that is missing is named at once."""
    found: dict[str, Case] = {}
    missing, taken = [], 0
    for each, path in paths.items():
        if listed is not None:
            text: Any = listed[each].caption if each in listed else ""
        else:
            text = caption_beside(path)
        prompt = text.text if isinstance(text, Caption) else text
        if prompt:
            found[each] = Case(each, prompt, cases.scenario(prompt), text)
        elif listed is None and each in cases.cases:  # a file of captions that leaves some out is a fault of that file
            found[each] = cases.cases[each]
            taken += 1
        else:
            missing.append(path.name)
    if missing:
        how = _HOW if listed is None else "Write them into the folder's file of captions, which speaks for all of it."
        raise ValueError(f"{folder}: {len(missing)} of {len(paths)} motions have no caption: {named(missing)}. {how}")
    return found, cases.notes(taken)


def _read_humanml3d(folder: Path, name: str, split: str | None, cases: _ByName, progress: bool) -> System:
    if split is None and (folder / "test.txt").is_file():
        split = "test"
    skipped: list[Skipped] = []
    clips: list[SystemClip] = []
    left_out: list[LeftOut] = []
    missing, several, taken = [], 0, 0
    for clip in tqdm(
        read_humanml3d(folder, split, skipped), desc=name, unit="clip", disable=None if progress else True
    ):
        if clip.captions:
            several += len(clip.captions) > 1
            caption = next((c for c in clip.captions if not (c.start or c.end)), clip.captions[0])
            scenario = cases.scenario(caption.text)
            case = Case(clip.name, caption.text, scenario, caption if caption.tokens else None)
            try:
                motion = clip.segment(caption)
            except ValueError as error:
                left_out.append(LeftOut(clip.name, "cannot be read", str(error), case.prompt))
                continue
        elif clip.name in cases.cases:
            case, motion = cases.cases[clip.name], clip.motion
            taken += 1
        else:
            missing.append(f"texts/{clip.name}.txt")
            continue
        _keep(SystemClip(case, motion), clips, left_out)
    if missing:
        count = len(missing) + len(clips)
        raise ValueError(f"{folder}: {len(missing)} of {count} motions have no caption: {named(missing)}.")
    left_out += [LeftOut(item.path.name, "cannot be read", item.reason) for item in skipped]
    notes = cases.notes(taken)
    if several:
        have = "clip has" if several == 1 else "clips have"
        notes.append(f"{several} {have} several captions; the first for the whole clip counts")
    made_with = {"kind": "humanml3d", "what": folder.name, "split": split or "all"}
    return System(name, clips, left_out, made_with, notes)


def _keep(clip: SystemClip, clips: list[SystemClip], left_out: list[LeftOut]) -> None:
    """Take a clip, unless something is wrong that reading did not find."""
    fault = fault_of(clip.motion)
    if fault is None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                features = clip.motion.to_features()  # what evaluators read; made once for all of them
        except ValueError as error:
            fault = Fault("cannot be read", str(error))
    if fault is None:
        clips.append(clip._replace(motion=_with_features(clip.motion, features)))
    else:
        left_out.append(LeftOut(clip.case.id, *fault, clip.prompt))


def _with_features(motion: Motion, features: Any) -> Motion:
    return Motion(motion.joints, motion.fps, features, motion.codes, motion.text)


def _plain(error: Exception, path: Path) -> str:
    """The message without the folder, which is the same for all."""
    return str(error).replace(str(path), path.name)
