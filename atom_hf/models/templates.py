"""Prompts of the tasks a motion language model is trained on, with placeholders for captions, motions and lengths.

fill("Generate motion: <Caption_Placeholder>", caption="a man jumps")   →  "Generate motion: a man jumps"
fill("<Motion_Placeholder>", codes=[5, 7])   →  "<motion_id_512><motion_id_5><motion_id_7><motion_id_513>"
"""

import json
import random
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..motion import MotionFormatError, codes_to_text
from ..motion.codes import NUM_CODES, motion_token
from ..motion.formats.files import read_text
from ..motion.layout import FPS
from ..motion.motion import FRAMES_PER_CODE
from ..motion.plain_text import neutralize

QUOTED = 0.5  # how often MotionGPT puts a caption in quotation marks in training
HEAD = 0.2  # motion prediction: this part of a motion is given
MASKED = (0.25, 0.75)  # in-between: this part of a motion is left out
_PLACEHOLDER = re.compile(
    r"<(?:Caption|Frame|Second|Motion)_Placeholder(?:(?<=Motion_Placeholder)_(?:s1|s2|Masked))?>"
)


class Template(NamedTuple):
    """What is asked and what is answered in one task.

    Args:
        input (`str`): prompt of the model, with placeholders.
        output (`str`): what the model shall write, with placeholders.
    """

    input: str
    output: str


# The first two are how MotionGPT is asked; a model that was not trained on the others does not know them.
TEXT_TO_MOTION = Template("Generate motion: <Caption_Placeholder>", "<Motion_Placeholder>")
MOTION_TO_TEXT = Template("Generate text: <Motion_Placeholder>", "<Caption_Placeholder>")
MOTION_PREDICTION = Template("Continue this motion: <Motion_Placeholder_s1>", "<Motion_Placeholder_s2>")
MOTION_IN_BETWEEN = Template("Fill the gap in this motion: <Motion_Placeholder_Masked>", "<Motion_Placeholder>")
TASKS = {
    "text-to-motion": TEXT_TO_MOTION,
    "motion-to-text": MOTION_TO_TEXT,
    "prediction": MOTION_PREDICTION,
    "inbetween": MOTION_IN_BETWEEN,
}


class Instruction(NamedTuple):
    """Many ways to ask for one task, and to answer; see `read_instructions`.

    Args:
        task (`str`): group, such as `"Text-to-Motion"`.
        name (`str`): name in the group, such as `"caption_framelen"`.
        kind (`str`): MotionGPT's class of tasks, such as `"t2m"`, `"m2t"`, `"predict"`, `"inbetween"`.
        inputs (`tuple[str, ...]`): prompts with placeholders.
        outputs (`tuple[str, ...]`): answers with placeholders.
    """

    task: str
    name: str
    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    def choose(self, rng: random.Random) -> Template:
        """One way to ask and one to answer, drawn in this order as in MotionGPT.

        Args:
            rng (`random.Random`): two numbers are drawn.

        Returns:
            [`Template`]: a pair.
        """
        return Template(rng.choice(self.inputs), rng.choice(self.outputs))


def read_instructions(path: str | Path) -> list[Instruction]:
    """Read an instruction file of MotionGPT (`template_pretrain.json`, `template_instructions.json` of its
    repository), or your own: `{task: {name: {"class": kind, "input": [prompts], "output": [answers]}}}`.

    Args:
        path (`str` or `Path`): the JSON file.

    Returns:
        `list[Instruction]`: in the order of the file. Templates are kept as they are; some of MotionGPT's hold
        `<Framelen_Placeholder>`, which neither MotionGPT nor `fill` replaces.

    Raises:
        MotionFormatError: if the file is absent or has another form; the message names the place.
    """
    try:
        groups = json.loads(read_text(path))
    except (json.JSONDecodeError, RecursionError) as error:
        raise MotionFormatError(path, f"expected instructions in JSON, but it cannot be read ({error}).") from error
    instructions = []
    for task, name, entry in _entries(path, groups):
        fields = entry if isinstance(entry, dict) else {}
        kind, inputs, outputs = (fields.get(key) for key in ("class", "input", "output"))
        texts = [text for texts in (inputs, outputs) for text in (texts if isinstance(texts, list) and texts else [0])]
        if not isinstance(kind, str) or not all(isinstance(text, str) for text in texts):
            raise MotionFormatError(
                path,
                f'expected {{"class": "t2m", "input": [texts], "output": [texts]}} as instruction '
                f"{task!r}, {name!r}, got {str(entry)[:80]}.",
            )
        instructions.append(Instruction(task, name, kind, tuple(inputs or ()), tuple(outputs or ())))
    if not instructions:
        raise MotionFormatError(path, "expected instructions of at least one task, got none.")
    return instructions


def _entries(path: str | Path, groups: Any) -> list[tuple[str, str, Any]]:
    if not isinstance(groups, dict) or not all(isinstance(group, dict) for group in groups.values()):
        raise MotionFormatError(
            path, f"expected {{task: {{name: instruction}}}} as MotionGPT has it, got {str(groups)[:80]}."
        )
    return [(task, name, entry) for task, group in groups.items() for name, entry in group.items()]


def needs(template: str) -> frozenset[str]:
    """What has to be given to `fill` a template.

    Args:
        template (`str`): text with placeholders.

    Returns:
        `frozenset[str]`: some of `"caption"`, `"codes"` and `"frames"` (which codes stand in for).
    """
    kinds = {match.partition("_")[0] for match in _PLACEHOLDER.findall(template)}
    return frozenset(_NEEDS[kind] for kind in kinds)


_NEEDS = {"<Caption": "caption", "<Motion": "codes", "<Frame": "frames", "<Second": "frames"}


def fill(
    template: str,
    caption: str | None = None,
    codes: Sequence[int] | Any = None,
    frames: int | None = None,
    rng: random.Random | None = None,
    num_codes: int = NUM_CODES,
    cut: bool = True,
) -> str:
    """Put a caption, a motion and its length into a template, as MotionGPT does.

    All placeholders are replaced at once, so that a caption that holds one is not filled; besides, what a tokenizer
    would read as structure is neutralised in the caption (see `neutralize`).

    - `<Caption_Placeholder>`: the caption.
    - `<Motion_Placeholder>`: the motion's tokens with start and end; `_s1` and `_s2`: its first 20 % and the rest,
      each with start and end; `_Masked`: with a mask instead of each code of its middle half.
    - `<Frame_Placeholder>`: the number of frames; `<Second_Placeholder>`: whole seconds, such as `9.0`.

    Args:
        template (`str`): text with placeholders.
        caption (`str`, *optional*): what the person does.
        codes (`Sequence[int]` or array, *optional*): `[n]` integers from 0 to `num_codes - 1`, 4 frames each.
        frames (`int`, *optional*): length at 20 fps; 4 for each code if not given.
        rng (`random.Random`, *optional*): draws one number; below 0.5 the caption is put in quotation marks, as in
            MotionGPT's training. Without it there are none.
        num_codes (`int`, *optional*, defaults to 512): size of the codebook.
        cut (`bool`, *optional*, defaults to `True`): whether `_s1`, `_s2` and `_Masked` take their part of a whole
            motion, as in training. Otherwise the codes already are that part, and -1 stands for a masked one.

    Returns:
        `str`: the text.

    Raises:
        TypeError: if something is of another type.
        ValueError: if the template needs what is not given, a code lies outside of the codebook, or there are more
            frames than the codes have.
    """
    quoted = rng is not None and rng.random() < QUOTED
    motion = None if codes is None else _Pieces(codes, frames, num_codes, cut)
    if frames is None and motion is not None:
        frames = FRAMES_PER_CODE * len(motion.tokens)
    given = {"caption": caption, "codes": codes, "frames": frames}
    missing = sorted(name for name in needs(template) if given[name] is None)
    if missing:
        raise ValueError(f"The template {template!r} needs {' and '.join(missing)}; give fill(…, {missing[0]}=…).")
    values: dict[str, Callable[[], str]] = {"<Frame_Placeholder>": lambda: str(frames)}
    if caption is not None:
        plain = neutralize(caption).text
        values["<Caption_Placeholder>"] = lambda: f'"{plain}"' if quoted else plain
    if frames is not None:
        values["<Second_Placeholder>"] = lambda: str(float(frames // FPS))
    if motion is not None:
        values |= {
            "<Motion_Placeholder>": motion.whole,
            "<Motion_Placeholder_s1>": motion.first,
            "<Motion_Placeholder_s2>": motion.rest,
            "<Motion_Placeholder_Masked>": motion.masked,
        }
    return _PLACEHOLDER.sub(lambda match: values[match.group()](), template)


class _Pieces:
    """The parts of a motion that templates ask for, as text."""

    def __init__(self, codes: Any, frames: int | None, num_codes: int, cut: bool) -> None:
        given = np.asarray(codes)
        hidden = given == -1 if not cut else np.zeros(given.shape, dtype=bool)
        text = codes_to_text(np.where(hidden, 0, given) if hidden.any() else given, num_codes)
        self.start, *self.tokens, self.end = text.replace("><", "> <").split()
        self.mask = motion_token(num_codes + 2)
        self.tokens = [self.mask if gap else token for token, gap in zip(self.tokens, hidden, strict=True)]
        self.cut = cut
        if frames is not None and (isinstance(frames, bool) or not isinstance(frames, int)):
            raise TypeError(f"Expected frames as an integer, got {type(frames).__name__}.")
        if frames is not None and not 0 <= frames < FRAMES_PER_CODE * (len(self.tokens) + 1):
            most = FRAMES_PER_CODE * (len(self.tokens) + 1) - 1
            raise ValueError(f"{len(self.tokens)} codes are of 0 to {most} frames, 4 each, got frames={frames}.")
        self.length = len(self.tokens) if frames is None else frames / FRAMES_PER_CODE  # in codes, not rounded

    def _cut(self, part: float) -> int:
        return int(self.length * part + 1) - 1  # MotionGPT counts the start token in

    def _closed(self, tokens: list[str]) -> str:
        return "".join([self.start, *tokens, self.end])

    def whole(self) -> str:
        return self._closed(self.tokens)

    def first(self) -> str:
        return self._closed(self.tokens[: self._cut(HEAD)]) if self.cut else self.whole()

    def rest(self) -> str:
        return self._closed(self.tokens[self._cut(HEAD) :]) if self.cut else self.whole()

    def masked(self) -> str:
        if not self.cut:
            return self.whole()
        head, tail = (self._cut(part) for part in MASKED)
        return self._closed([*self.tokens[:head], *[self.mask] * (tail - head), *self.tokens[tail:]])
