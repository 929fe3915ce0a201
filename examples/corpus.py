"""What the training examples learn from: motions with captions, synthesised, from files, or a HumanML3D folder.

clips = read_corpus(CorpusConfig(synthesised=6000, mocap=["mocap/*.bvh"]))
clips[0]  →  Clip(name="train000000", features=[T, 263], captions=("A man squats twice.",), held_out=False, …)

Synthesised clips show scenarios of the train split; those held out show scenarios of the test split. Real clips are
held out by trial, so that two recordings of the same trial never stand on both sides. Part of the captions of
synthesised clips is wrong on purpose (`caption_noise`), as captions of real corpora are: an event is left out, two
events change places, or a number is another one.
"""

import csv
import glob
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import NamedTuple

import numpy as np

from atom_hf import (
    ACTIONS,
    GrammarPromptWriter,
    Motion,
    Scenario,
    joints_to_features,
    load_motion,
    mirror_features,
    mirror_text,
    read_humanml3d,
    synthesize,
)
from atom_hf.motion.formats.humanml3d import captions_beside

LONGEST = 196  # frames, 9.8 seconds
SHORTEST = 40
SPEEDS = (1.0, 0.8, 1.25)  # at which real clips are trained on, since there are never enough of them
_TRIAL = re.compile(r"(\d+)_(\d+)$")  # subject and trial at the end of a name, as CMU numbers them


@dataclass
class CorpusConfig:
    """Where the training clips come from."""

    corpus: str | None = field(
        default=None, metadata={"help": "HumanML3D folder (train.txt, and val.txt or test.txt); replaces the mixture"}
    )
    synthesised: int = field(default=6000, metadata={"help": "synthesised clips of the mixture"})
    mocap: list[str] = field(
        default_factory=list,
        metadata={
            "help": "real clips of the mixture: motion files or packs (.npz with joints_mm, starts, lengths, ids)"
        },
    )
    caption_noise: float = field(default=0.25, metadata={"help": "share of synthesised clips with a wrong caption"})
    corpus_seed: int = field(default=0, metadata={"help": "chooses scenarios, motions and wrong captions"})


class Clip(NamedTuple):
    """A motion with its captions.

    Args:
        name (`str`): unique in the corpus.
        features (`np.ndarray`): `[T, 263]`, float32, metres and radians at 20 fps.
        captions (`tuple[str, ...]`): at least one, unless nobody described the clip.
        held_out (`bool`): not to be trained on.
        real (`bool`): recorded, not synthesised.
    """

    name: str
    features: np.ndarray
    captions: tuple[str, ...]
    held_out: bool = False
    real: bool = False


def read_corpus(config: CorpusConfig) -> list[Clip]:
    """All clips that a config names."""
    if config.corpus is not None:
        return list(_humanml3d(Path(config.corpus)))
    clips = [
        *synthesised(config.synthesised, config.corpus_seed, "train", config.caption_noise),
        *synthesised(max(32, config.synthesised // 25), config.corpus_seed, "test"),
    ]
    for pattern in config.mocap:
        paths = [Path(path) for path in sorted(glob.glob(pattern))]
        if not paths:
            raise FileNotFoundError(f"No motion files match {pattern!r}.")
        for path in paths:
            clips += _pack(path) if _is_pack(path) else _file(path)
    return clips


def synthesised(count: int, seed: int, split: str, caption_noise: float = 0.0) -> Iterator[Clip]:
    """Clips of scenarios that the grammar writes, with two wordings each."""
    prompts = GrammarPromptWriter(seed=seed, split=split).write(count)
    for i, prompt in enumerate(prompts):
        random = Random(f"{seed} {split} {i}")
        try:
            joints = synthesize(prompt.scenario, seed=random.getrandbits(32)).joints
        except ValueError:  # does not fit into 9.8 seconds
            continue
        said = prompt.scenario
        if random.random() < caption_noise:
            said = wrong(said, random)
        captions = (prompt.text if said is prompt.scenario else said.to_text(i), said.to_text(i + 10_000_000))
        yield Clip(f"{split}{i:06d}", joints_to_features(joints), captions, held_out=split == "test")


def wrong(scenario: Scenario, random: Random) -> Scenario:
    """The scenario with one mistake that people make when they describe a clip; a single sit-down has none to make."""
    events = list(scenario.events)
    counted = [i for i, event in enumerate(events) if ACTIONS[event.action].max_count > 1]
    turned = [i for i in range(len(events) - 1) if events[i] != events[i + 1]]
    mistakes = [*(["count"] * bool(counted)), *(["order"] * bool(turned)), *(["omission"] * (len(events) > 1))]
    match random.choice(mistakes or ["none"]):
        case "count":
            i = random.choice(counted)
            most = ACTIONS[events[i].action].max_count
            events[i] = replace(
                events[i], count=random.choice([n for n in range(1, most + 1) if n != events[i].count])
            )
        case "order":
            i = random.choice(turned)
            events[i], events[i + 1] = events[i + 1], events[i]
        case "omission":
            del events[random.randrange(len(events))]
    return Scenario(tuple(events), scenario.task)


def _file(path: Path) -> Iterator[Clip]:
    captions = tuple(caption.text for caption in captions_beside(path))
    yield from _real(path.stem, load_motion(path), captions)


def _is_pack(path: Path) -> bool:
    if path.suffix != ".npz":
        return False
    with np.load(path) as data:
        return "joints_mm" in data


def _pack(path: Path) -> Iterator[Clip]:
    """Clips of one corpus in one file: `joints_mm` int16 [N, 22, 3] at 20 fps; captions in the .csv beside."""
    with path.with_suffix(".csv").open(newline="", encoding="utf-8") as file:
        rows = {row["clip_id"]: row for row in csv.DictReader(file)}
    with np.load(path) as data:
        for name, start, length in zip(data["ids"], data["starts"], data["lengths"], strict=True):
            row = rows.get(str(name), {})
            caption = row.get("human_caption") or (row.get("caption") or "").replace("a person: ", "")
            joints = data["joints_mm"][start : start + length].astype(np.float32) / 1000
            yield from _real(f"{path.stem}_{name}", Motion(joints), (caption,) if caption else ())


def _real(name: str, motion: Motion, captions: Sequence[str]) -> Iterator[Clip]:
    """A recorded clip, cut where it is too long, and its mirror image; in training also slower and faster."""
    trial = _TRIAL.search(name)
    key = f"{int(trial[1])} {int(trial[2])}" if trial else name
    held_out = zlib.crc32(key.encode()) % 8 == 0
    for speed in (1.0,) if held_out else SPEEDS:
        features = Motion(motion.joints, motion.fps * speed).to_features().astype(np.float32)
        for i, part in enumerate(np.array_split(features, -(-len(features) // LONGEST))):
            if len(part) < SHORTEST // 2:
                continue
            part_name = f"{name}_{speed:g}_{i}"
            yield Clip(part_name, part, tuple(captions), held_out, real=True)
            mirrored = tuple(map(mirror_text, captions))
            yield Clip(f"{part_name}_M", mirror_features(part), mirrored, held_out, real=True)


def _humanml3d(folder: Path) -> Iterator[Clip]:
    held_out = "val" if (folder / "val.txt").is_file() else "test"
    for split in ("train", held_out):
        if split == held_out and not (folder / f"{split}.txt").is_file():
            raise FileNotFoundError(f"Expected {folder}/val.txt or test.txt: names of clips to validate on.")
        for clip in read_humanml3d(folder, split):
            whole = tuple(c.text for c in clip.captions if not (c.start or c.end))
            parts = [(clip.motion, whole)] if whole else []
            parts += [(clip.segment(c), (c.text,)) for c in clip.captions if c.start or c.end]
            for i, (part, captions) in enumerate(parts):
                if SHORTEST <= len(part):
                    features = part.to_features()[:LONGEST].astype(np.float32)
                    yield Clip(f"{clip.name}_{i}", features, captions, split == held_out, real=True)
