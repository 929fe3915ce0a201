"""The folder that HumanML3D and everything trained on it uses.

    new_joints/000000.npy        joints [T, 22, 3]
    new_joint_vecs/000000.npy    features [T, 263]
    texts/000000.txt             a man kicks.#a/DET man/NOUN kick/VERB#0.0#0.0
    train.txt, test.txt …        a name a line

A line of `texts` is caption#tokens#start#end, times in seconds, both 0 for the whole clip.
"""

import math
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..layout import FPS
from ..motion import Motion
from .files import MotionFormatError, read_text, replacing, split_lines
from .npy import read_npy_motion, write_npy_motion


class Caption(NamedTuple):
    """One description of a clip.

    Args:
        text (`str`): what the person does.
        tokens (`tuple[str, ...]`): lemmas with part of speech, such as `"kick/VERB"`.
        start (`float`): seconds at which the described part begins.
        end (`float`): seconds at which it ends; 0 for start and end means the whole clip.
    """

    text: str
    tokens: tuple[str, ...] = ()
    start: float = 0.0
    end: float = 0.0


class HumanML3DClip(NamedTuple):
    """One clip of a HumanML3D folder.

    Args:
        name (`str`): such as `"000000"`; mirrored clips begin with `M`.
        motion ([`Motion`]): joints `[T, 22, 3]` in metres at 20 fps, with features `[T, 263]`; its text is the first
            caption's.
        captions (`tuple[Caption, ...]`): all descriptions.
    """

    name: str
    motion: Motion
    captions: tuple[Caption, ...]

    def segment(self, caption: Caption) -> Motion:
        """The part of the clip that a caption describes.

        Args:
            caption ([`Caption`]): one of the captions; start and end in seconds.

        Returns:
            [`Motion`]: the frames from start to end with the caption as text; the whole clip where both are 0.

        Raises:
            ValueError: if no frame lies between start and end.
        """
        part = self.motion
        if caption.start or caption.end:
            part = part[int(caption.start * FPS) : int(caption.end * FPS)]
        return Motion(part.joints, part.fps, part.features, None, caption.text)


class Skipped(NamedTuple):
    """Something in a folder that could not be read.

    Args:
        path (`Path`): the file.
        reason (`str`): why, with line or frame.
    """

    path: Path
    reason: str


def read_captions(path: str | Path, skipped: list[Skipped] | None = None) -> list[Caption]:
    """Captions of one clip.

    Args:
        path (`str` or `Path`): a file of `texts/`, with a line `caption#tokens#start#end` per caption; times in
            seconds.
        skipped (`list[Skipped]`, *optional*): broken lines are noted here and left out; without it they raise.

    Returns:
        `list[Caption]`: in the order of the file.

    Raises:
        MotionFormatError: if the file is absent or, without `skipped`, a line is broken (its number is named).
    """
    captions = []
    for number, line in enumerate(split_lines(read_text(path)), start=1):
        if not line.strip():
            continue
        try:
            captions.append(_parse_caption(line))
        except ValueError as error:
            problem = MotionFormatError(path, f"{error}", line=number)
            if skipped is None:
                raise problem from None
            skipped.append(Skipped(Path(path), str(problem)))
    return captions


def captions_beside(path: str | Path) -> list[Caption]:
    """Captions in the `.txt` file beside a motion file: `walk.txt` for `walk.bvh`.

    Args:
        path (`str` or `Path`): the motion file.

    Returns:
        `list[Caption]`: one for each line, which is a plain sentence or has the form `caption#tokens#start#end`, times
            in seconds; empty if there is no such file.

    Raises:
        MotionFormatError: if a line has `#` in it and is broken.
    """
    beside = Path(path).with_suffix(".txt")
    if not beside.is_file():
        return []
    if "#" in read_text(beside):
        return read_captions(beside)
    return [Caption(line.strip()) for line in split_lines(read_text(beside)) if line.strip()]


def _parse_caption(line: str) -> Caption:
    fields = line.strip().split("#")
    if len(fields) != 4:
        raise ValueError(f"expected caption#tokens#start#end, got {len(fields)} of 4 fields in {line.strip()[:60]!r}.")
    text, tokens, *times = fields
    try:
        start, end = (0.0 if math.isnan(float(time)) else float(time) for time in times)
    except ValueError:
        raise ValueError(f"expected start and end in seconds, got {times[0][:20]!r} and {times[1][:20]!r}.") from None
    if not text.strip() or not 0 <= start <= end < math.inf:
        raise ValueError(f"expected a caption and 0 <= start <= end, got {text[:40]!r}, {start:g} and {end:g}.")
    return Caption(text.strip(), tuple(tokens.split()), start, end)


def read_humanml3d(
    folder: str | Path, split: str | None = None, skipped: list[Skipped] | None = None
) -> Iterator[HumanML3DClip]:
    """Clips of a HumanML3D folder, one at a time.

    Joints come from `new_joints`, features from `new_joint_vecs`; where one of them is missing, joints are recovered
    from features, and features stay to be computed from joints.

    Args:
        folder (`str` or `Path`): holds `new_joints`, `new_joint_vecs` or both, and mostly `texts`.
        split (`str`, *optional*): name of a split file without `.txt`, such as `"test"`; without it every clip is
            read.
        skipped (`list[Skipped]`, *optional*): what cannot be read is noted here and left out; without it the first
            fault raises.

    Yields:
        [`HumanML3DClip`]: name, motion (metres, 20 fps), captions (empty where there is no text).

    Raises:
        MotionFormatError: if the folder holds no clips, the split is absent, or, without `skipped`, a file cannot be
            read.
    """
    folder = Path(folder)
    for name in _names(folder, split):
        try:
            yield _read_clip(folder, name, skipped)
        except ValueError as error:
            if skipped is None:
                raise
            skipped.append(Skipped(folder / name, str(error)))


def is_humanml3d(folder: str | Path) -> bool:
    """Whether a folder has HumanML3D's layout.

    Args:
        folder (`str` or `Path`): any folder.

    Returns:
        `bool`: True if there is `new_joints` or `new_joint_vecs`.
    """
    return any((Path(folder) / part).is_dir() for part in ("new_joints", "new_joint_vecs"))


def _names(folder: Path, split: str | None) -> list[str]:
    if not is_humanml3d(folder):
        raise MotionFormatError(folder, "expected a HumanML3D folder with new_joints, new_joint_vecs or both.")
    if split is not None:
        splits = sorted(path.stem for path in folder.glob("*.txt"))
        if split not in splits:
            raise MotionFormatError(
                folder, f"expected one of its splits, {', '.join(splits) or 'none'}, got {split!r}."
            )
        names = [line.strip() for line in split_lines(read_text(folder / f"{split}.txt")) if line.strip()]
        for number, name in enumerate(names, start=1):
            if Path(name).name != name:  # a split file must not point out of the folder
                raise MotionFormatError(folder / f"{split}.txt", f"expected a name of a clip, got {name!r}.", number)
    else:
        files = [*(folder / "new_joints").glob("*.npy"), *(folder / "new_joint_vecs").glob("*.npy")]
        names = sorted({file.stem for file in files})
    if not names:
        raise MotionFormatError(folder, "there are no clips (.npy files) in it.")
    return names


def _read_clip(folder: Path, name: str, skipped: list[Skipped] | None) -> HumanML3DClip:
    joints_path, features_path = folder / "new_joints" / f"{name}.npy", folder / "new_joint_vecs" / f"{name}.npy"
    text_path = folder / "texts" / f"{name}.txt"
    captions = read_captions(text_path, skipped) if text_path.is_file() else []
    text = captions[0].text if captions else None
    features = read_npy_motion(features_path).features if features_path.is_file() else None
    if joints_path.is_file():
        joints = read_npy_motion(joints_path).joints
        try:
            return HumanML3DClip(name, Motion(joints, FPS, features, None, text), tuple(captions))
        except ValueError as error:
            raise MotionFormatError(features_path, f"does not fit {joints_path}. {error}") from error
    if features is None:
        raise MotionFormatError(folder / name, "neither new_joints nor new_joint_vecs has this clip.")
    return HumanML3DClip(name, Motion.from_features(features, text=text), tuple(captions))


def write_humanml3d(folder: str | Path, clips: Iterable[HumanML3DClip], split: str = "all") -> list[str]:
    """Write clips as a HumanML3D folder that training code of the field reads.

    Features are computed where a motion has none (20 fps, uniform skeleton), and joints are recovered from them, as in
    HumanML3D. Captions without tokens get their words, tagged `OTHER`; a clip without captions gets no text file.

    Args:
        folder (`str` or `Path`): made if absent; files of the same names are replaced.
        clips (`Iterable[HumanML3DClip]`): what to write; captions' times in seconds.
        split (`str`, *optional*, defaults to `"all"`): name of the split file that lists them.

    Returns:
        `list[str]`: names of the clips written.

    Raises:
        ValueError: if a name comes twice or has parts of a path in it, or a motion is too short for features.
    """
    folder, names = Path(folder), []
    for clip in clips:
        if not clip.name or Path(clip.name).name != clip.name:
            raise ValueError(f"Expected a plain name for a clip, such as '000000', got {clip.name!r}.")
        if clip.name in names:
            raise ValueError(f"Expected a name of its own for each clip, got {clip.name!r} twice.")
        features = np.asarray(clip.motion.to_features(), dtype=np.float32)
        write_npy_motion(Motion.from_features(features), folder / "new_joints" / f"{clip.name}.npy")
        with replacing(folder / "new_joint_vecs" / f"{clip.name}.npy") as temporary:
            np.save(temporary, features)
        captions = clip.captions or ((Caption(clip.motion.text),) if clip.motion.text else ())
        if captions:  # the field's loaders leave out clips without a text, but stumble over an empty one
            with replacing(folder / "texts" / f"{clip.name}.txt") as temporary:
                temporary.write_text("".join(f"{caption_line(c)}\n" for c in captions), encoding="utf-8")
        names.append(clip.name)
    if names:
        with replacing(folder / f"{split}.txt") as temporary:
            temporary.write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
    return names


def caption_line(caption: Caption) -> str:
    """A caption as a line of a file of texts, `text#tokens#start#end`.

    Args:
        caption ([`Caption`]): what is said of a clip; `#` and line breaks in it become blanks.

    Returns:
        `str`: without a line break.
    """
    text = re.sub(r"[#\s]+", " ", caption.text).strip()
    tokens = caption.tokens or tuple(f"{word}/OTHER" for word in re.findall(r"[a-z']+", text.lower()))
    return f"{text}#{' '.join(tokens)}#{caption.start}#{caption.end}"
