"""Pairs to label: those somebody brings, those two models make, or a campaign to try.

read_pairs("campaign/")                    a folder of motions, or a zip of one
read_pairs("me/motionprefer")              a MotionPrefer, of the Hub or in a folder
trial_pairs()                              base against aligned on 40 prompts, with 3 lessons and 6 gold questions
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...arena import (
    ArenaError,
    Clip,
    PairItem,
    pairs_from_folder,
    pairs_from_models,
    pairs_from_motionprefer,
    pairs_from_motions,
    pairs_from_zip,
)
from ...arena.uploads import PROMPTS
from ...assets import DEFAULT_ADAPTER, DEFAULT_MODEL
from ...events import GrammarPromptWriter
from ...events.grammar_prompts import Prompt
from ...rewards import calibration_items
from ...rewards.calibration_items import PER_PROMPT, CalibrationItem

TRIAL_PROMPTS, TRIAL_LESSONS, TRIAL_GOLD = 40, 3, 6
_JITTER = 0.012  # metres; made motions are smoother than generated ones, which would give gold questions away
_SEED = 7
_MADE, _FAULTY = "made as asked", "made with a fault"


def read_pairs(source: str, *, split: str = "test", model: str | None = None) -> Iterator[PairItem]:
    """Pairs that somebody brings.

    Args:
        source (`str`): a folder with `prompts.jsonl` and motions, a zip of one, a folder that is a MotionPrefer, or
            the name of one on the Hub.
        split (`str`, *optional*, defaults to `"test"`): of a MotionPrefer.
        model (`str`, *optional*): whose VQ-VAE decodes the codes of a MotionPrefer; the package's by default.

    Returns:
        `Iterator[PairItem]`: pairs.

    Raises:
        ArenaError: if there are none, or something does not fit together.
        OSError: if something cannot be read.
        ValueError: likewise.
    """
    path = Path(source)
    if path.is_file():
        return pairs_from_zip(path.read_bytes())
    if (path / PROMPTS).is_file():
        return pairs_from_folder(path)
    if path.is_dir():
        return pairs_from_motionprefer(path, load(model).decode_motion, split=split)
    if path.is_absolute() or source.count("/") != 1 or source.startswith("."):
        raise ArenaError(
            f"{source}: expected a folder with {PROMPTS} and motions, a zip of one, or a MotionPrefer; got nothing."
        )
    from datasets import load_dataset

    return pairs_from_motionprefer(load_dataset(source, "all", split=split), load(model).decode_motion)


def model_pairs(prompts: Sequence[str], sources: Sequence[str], *, task: str = "overall") -> Iterator[PairItem]:
    """Pairs of two models, or of one with two seeds.

    Args:
        prompts (`Sequence[str]`): what the person does.
        sources (`Sequence[str]`): one model or two: folders or Hub repositories.
        task (`str`, *optional*, defaults to `"overall"`): what is asked.

    Returns:
        `Iterator[PairItem]`: one a prompt; motions that came out the same are left out.

    Raises:
        ArenaError: if the number of models is another one, or both have the same name.
        OSError: if a model is not there.
    """
    if not 1 <= len(sources) <= 2:
        raise ArenaError(f"Expected one model or two, got {len(sources)}.")
    from ...models.hub import public_name

    names = [public_name(source) for source in sources]
    if len(sources) == 2 and names[0] == names[1]:
        names = list(sources)
    models = [load(source) for source in sources]
    couple = (names[0], names[-1])
    return pairs_from_models(prompts, models[0], models[1] if len(models) == 2 else None, names=couple, task=task)


def trial_pairs(prompts: int = TRIAL_PROMPTS, seed: int = _SEED) -> Iterator[PairItem]:
    """A campaign to try: the package's model before and after alignment, lessons, and gold questions.

    Args:
        prompts (`int`, *optional*, defaults to 40): pairs without those of known answer.
        seed (`int`, *optional*, defaults to 7): of prompts and motions.

    Yields:
        [`PairItem`]: lessons, gold questions, then pairs of both models.
    """
    from ...models.hub import public_name

    yield from known_pairs(TRIAL_LESSONS, TRIAL_GOLD, seed)
    written = GrammarPromptWriter(seed=seed, split="test").write(prompts)
    texts = [prompt.text for prompt in written]
    base = load(DEFAULT_MODEL)
    before = base.generate_motion(texts, seed=seed)
    after = _adapted(base, DEFAULT_ADAPTER).generate_motion(texts, seed=seed + 1)
    names = (public_name(DEFAULT_MODEL), public_name(DEFAULT_ADAPTER))
    pairs = pairs_from_motions(texts, before, after, names, seeds=(seed, seed + 1))
    yield from _with_tasks(pairs, written)


def known_pairs(lessons: int, gold: int, seed: int = _SEED) -> Iterator[PairItem]:
    """Pairs of which the better motion is known: one shows the prompt, one has faults that were put in.

    Args:
        lessons (`int`): of the training round, which say what is wrong.
        gold (`int`): gold questions.
        seed (`int`, *optional*, defaults to 7): of prompts and faults.

    Yields:
        [`PairItem`]: lessons first.
    """
    items = calibration_items(PER_PROMPT * (lessons + gold), seed, split="train", jitter=_JITTER)
    for number in range(lessons + gold):
        right, *wrong = items[PER_PROMPT * number : PER_PROMPT * (number + 1)]
        worst = min(wrong, key=lambda item: item.truth["overall"])
        lesson = number < lessons
        yield _known(right, worst, f"{'lesson' if lesson else 'gold'}-{number}", lesson)


def _known(right: CalibrationItem, wrong: CalibrationItem, name: str, training: bool) -> PairItem:
    one, two = Clip(right.item.motion, _MADE), Clip(wrong.item.motion, _FAULTY)
    told = "; ".join(wrong.faults)
    lesson = f"What is wrong with the other one: {told}." if training else ""
    return PairItem(right.item.prompt, one, two, right.task, None, name, "one", training, lesson)


def _with_tasks(pairs: Iterable[PairItem], written: Sequence[Prompt]) -> Iterator[PairItem]:
    for pair, prompt in zip(pairs, written, strict=True):
        if pair.one.motion != pair.two.motion:
            yield replace(pair, task=prompt.scenario.task, scenario=prompt.scenario.to_json())


def load(source: str | None) -> Any:
    """A model that makes motions.

    Args:
        source (`str`, *optional*): a folder or a Hub repository; the package's own without it.

    Returns:
        [`MotionGPTForPreference`]: in evaluation mode, in single precision.

    Raises:
        OSError: if it is not there.
        ValueError: if it has no VQ-VAE.
    """
    import torch

    from ...models import MotionGPTForPreference

    model = MotionGPTForPreference.from_pretrained(source or DEFAULT_MODEL, dtype=torch.float32)
    if model.vqvae is None:
        raise ValueError(f"{source} has no VQ-VAE, which turns codes into motion; expected a whole checkpoint.")
    return model.to("cuda" if torch.cuda.is_available() else "cpu").eval()


def _adapted(model: Any, adapter: str) -> Any:
    from peft import PeftModel

    return PeftModel.from_pretrained(model, adapter).merge_and_unload().eval()
