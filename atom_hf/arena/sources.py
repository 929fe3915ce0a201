"""Where pairs come from: a folder or a zip of motions, motions at hand, one or two models, or a MotionPrefer.

campaign/prompts.jsonl                {"name": "wave", "prompt": "a man waves", "task": "frequency"}
campaign/base/wave.npy                folders are systems, files the motions of a prompt …
campaign/aligned/wave@7.bvh           … with a seed, where there are several

{"name": "check", "prompt": "…", "expected": "base/check.npy"}                     a gold question
{"name": "lesson", "prompt": "…", "expected": "tie", "training": true, "lesson": "…"}   a training pair
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import combinations, islice
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from ..data.degrees import SKIPPED
from ..data.parquet_files import read_batches
from ..data.parts import parts_of_config
from ..data.schema import prompt_of
from ..motion import Motion, load_motion
from ..motion.formats import READERS
from .campaign import Clip, PairItem
from .errors import ArenaError
from .uploads import PROMPTS, ZipLimits, read_zip

_KNOWN = ("name", "prompt", "task", "scenario", "expected", "training", "lesson")


def pairs_from_folder(folder: str | Path) -> Iterator[PairItem]:
    """Pairs of a folder with `prompts.jsonl` and a folder of motions for each system; see the module.

    All motions of a prompt are paired with each other.

    Args:
        folder (`str` or `Path`): the folder.

    Yields:
        [`PairItem`]: in the order of the prompts.

    Raises:
        ArenaError: if there are no prompts, a motion belongs to no prompt, or a prompt has fewer than two motions.
        MotionFormatError: if a motion cannot be read.
    """
    folder = Path(folder)
    path = folder / PROMPTS
    if not path.is_file():
        raise ArenaError(f"{folder}: expected {PROMPTS} and a folder of motions for each system; there is none.")
    lines = []
    for row, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), 1):
        if line.strip():
            try:
                lines.append(json.loads(line))
            except ValueError as error:
                raise ArenaError(f"{path}, row {row}: expected a JSON object, but {error}.") from error
    files = sorted(p for p in folder.glob("*/*") if p.suffix.lower() in READERS and not p.name.startswith("."))
    yield from _pairs({f"{file.parent.name}/{file.name}": file for file in files}, lines, load_motion)


def pairs_from_zip(data: bytes, limits: ZipLimits | None = None) -> Iterator[PairItem]:
    """Pairs of an archive with the same content as such a folder.

    Args:
        data (`bytes`): the archive.
        limits ([`ZipLimits`], *optional*): what it may be.

    Yields:
        [`PairItem`]: in the order of the prompts.

    Raises:
        ArenaError: if it is broken, hostile or too large, or does not fit together.
    """
    upload = read_zip(data, limits)
    yield from _pairs(upload.motions, upload.prompts, lambda motion: motion)


def pairs_from_motions(
    prompts: Sequence[str],
    motions_a: Sequence[Motion],
    motions_b: Sequence[Motion],
    systems: tuple[str, str],
    *,
    seeds: tuple[int | None, int | None] = (None, None),
    task: str = "overall",
) -> Iterator[PairItem]:
    """Pairs of motions at hand, one of each system for every prompt.

    Args:
        prompts (`Sequence[str]`): what the person does.
        motions_a (`Sequence[Motion]`): of one system, in the order of the prompts.
        motions_b (`Sequence[Motion]`): of the other system, or of the same with another seed.
        systems (`tuple[str, str]`): names of both.
        seeds (`tuple[int, int]`, *optional*): of both.
        task (`str`, *optional*, defaults to `"overall"`): what it is about.

    Yields:
        [`PairItem`]: one a prompt.

    Raises:
        ArenaError: if the numbers differ.
    """
    if not len(prompts) == len(motions_a) == len(motions_b):
        raise ArenaError(
            f"Expected a motion of both systems for each of {len(prompts)} prompts, got {len(motions_a)} and "
            f"{len(motions_b)}."
        )
    for prompt, a, b in zip(prompts, motions_a, motions_b, strict=True):
        yield PairItem(prompt, Clip(a, systems[0], seeds[0]), Clip(b, systems[1], seeds[1]), task=task)


def pairs_from_models(
    prompts: Sequence[str],
    model_a: Any,
    model_b: Any = None,
    *,
    names: tuple[str, str] | None = None,
    seeds: tuple[int, int] = (0, 1),
    task: str = "overall",
    **options: Any,
) -> Iterator[PairItem]:
    """Pairs that one or two models make.

    Args:
        prompts (`Sequence[str]`): what the person does.
        model_a ([`MotionGPTForPreference`]): a model; anything with its `generate_motion`.
        model_b ([`MotionGPTForPreference`], *optional*): another one; the same with another seed by default.
        names (`tuple[str, str]`, *optional*): of both; where they were loaded from by default.
        seeds (`tuple[int, int]`, *optional*, defaults to `(0, 1)`): of both.
        task (`str`, *optional*, defaults to `"overall"`): what it is about.
        options (`Any`): of `generate_motion`, such as `temperature`.

    Yields:
        [`PairItem`]: one a prompt; two motions that came out the same are left out.

    Raises:
        ArenaError: if two models have the same name.
    """
    other = model_a if model_b is None else model_b
    names = names or (_name(model_a), _name(other))
    if model_b is not None and names[0] == names[1]:
        raise ArenaError(f"Both models are called {names[0]!r}; pass names=(…, …) to tell them apart.")
    a, b = (
        model.generate_motion(list(prompts), seed=seed, **options)
        for model, seed in zip((model_a, other), seeds, strict=True)
    )
    for item in pairs_from_motions(prompts, a, b, names, seeds=seeds, task=task):
        if item.one.motion != item.two.motion:
            yield item


def pairs_from_motionprefer(
    source: str | Path | Iterable[Mapping[str, Any]],
    decode: Callable[[list[list[int]]], Sequence[Motion]],
    *,
    config: str = "all",
    split: str = "test",
    gold: Sequence[str] = (),
    batch_size: int = 32,
) -> Iterator[PairItem]:
    """Pairs of a MotionPrefer, to be labelled by people (again).

    Args:
        source (`str`, `Path` or `Iterable[Mapping]`): a folder, or rows, such as those of `load_dataset`.
        decode (`Callable`): takes lists of codes and gives a motion of each, such as `model.decode_motion`.
        config (`str`, *optional*, defaults to `"all"`): configuration of a folder.
        split (`str`, *optional*, defaults to `"test"`): split of a folder.
        gold (`Sequence[str]`, *optional*): degrees of preference, such as `["much better"]`, whose rows become gold
            questions.
        batch_size (`int`, *optional*, defaults to 32): rows that are decoded at once.

    Yields:
        [`PairItem`]: one a row.

    Raises:
        ArenaError: if a folder has no such rows.
        ValueError: if a file of it cannot be read.
    """
    rows = iter(_rows(Path(source), config, split) if isinstance(source, str | Path) else source)
    while waiting := list(islice(rows, batch_size)):
        yield from _decoded(waiting, decode, gold)


def _rows(folder: Path, config: str, split: str) -> Iterator[Mapping[str, Any]]:
    files = [
        file for part in parts_of_config(config) for file in sorted(folder.glob(f"data/{part}/{split}-*.parquet"))
    ]
    if not files:
        raise ArenaError(f"{folder}: expected rows of {config!r} in the split {split!r} of a MotionPrefer, got none.")
    for file in files:
        for batch in read_batches(file):
            yield from batch.to_pylist()


def _decoded(
    rows: Sequence[Mapping[str, Any]], decode: Callable[[list[list[int]]], Sequence[Motion]], gold: Sequence[str]
) -> Iterator[PairItem]:
    codes = [list(row[f"{side}_codes"]) for row in rows for side in ("chosen", "rejected")]
    motions = list(decode(codes))
    for i, row in enumerate(rows):
        one, two = (
            _stored(row, name, motions[2 * i + side], codes[2 * i + side])
            for side, name in enumerate(("chosen", "rejected"))
        )
        expected = "one" if row["degree"] in gold and row["degree"] != SKIPPED else None
        name = f"{row['prompt_id']}/{row['task']}"
        yield PairItem(prompt_of(row), one, two, row["task"], row["scenario"], name, expected)


def _stored(row: Mapping[str, Any], name: str, motion: Motion, codes: list[int]) -> Clip:
    if motion.codes is None:
        motion = Motion(motion.joints, motion.fps, codes=np.asarray(codes))
    return Clip(motion, row[f"{name}_model"] or "unknown", row[f"{name}_seed"])


def _pairs(files: Mapping[str, Any], lines: Iterable[Any], load: Callable[[Any], Motion]) -> Iterator[PairItem]:
    by_name: dict[str, list[str]] = {}
    for file in files:
        path = PurePosixPath(file)
        if len(path.parts) != 2:
            raise ArenaError(f"Expected motions as system/name.npy, got {file!a}.")
        by_name.setdefault(path.stem.rpartition("@")[0] or path.stem, []).append(file)
    prompts: dict[str, Mapping[str, Any]] = {}
    for line in lines:
        if not isinstance(line, Mapping) or not isinstance(line.get("name"), str) or "prompt" not in line:
            raise ArenaError(f"{PROMPTS}: expected objects with name and prompt, got {line!s:.80}.")
        if unknown := [key for key in line if key not in _KNOWN]:
            raise ArenaError(f"{PROMPTS}, {line['name']!r}: expected {', '.join(_KNOWN)}, got {unknown[0]!r}.")
        if line["name"] in prompts:
            raise ArenaError(f"{PROMPTS}: the name {line['name']!r} stands there twice.")
        prompts[line["name"]] = line
    if lost := sorted(by_name.keys() - prompts.keys()):
        raise ArenaError(f"{by_name[lost[0]][0]}: expected a line with the name {lost[0]!r} in {PROMPTS}.")
    for name, line in prompts.items():
        found = by_name.get(name, [])
        if len(found) < 2:
            raise ArenaError(f"Expected two motions for {name!r}, got {', '.join(found) or 'none'}.")
        clips = {file: _clip(file, load(files[file])) for file in found}
        for one, two in combinations(found, 2):
            yield _item(line, (one, two), clips)


def _item(line: Mapping[str, Any], files: tuple[str, str], clips: Mapping[str, Clip]) -> PairItem:
    expected = line.get("expected")
    if expected not in (None, "tie", *files):
        raise ArenaError(
            f"{PROMPTS}, {line['name']!r}: expected the better motion, {files[0]} or {files[1]}, or tie, "
            f"got {expected!r}."
        )
    scenario = line.get("scenario")
    return PairItem(
        line["prompt"],
        clips[files[0]],
        clips[files[1]],
        line.get("task", "overall"),
        scenario if scenario is None or isinstance(scenario, str) else json.dumps(scenario, ensure_ascii=False),
        line["name"],
        {files[0]: "one", files[1]: "two"}.get(expected or "", expected),
        bool(line.get("training", False)),
        line.get("lesson", ""),
    )


def _clip(file: str, motion: Motion) -> Clip:
    path = PurePosixPath(file)
    _, mark, seed = path.stem.rpartition("@")
    if mark and not seed.isdecimal():
        raise ArenaError(f"Expected a number as the seed, name@7{path.suffix}, got {file!a}.")
    return Clip(motion, path.parts[0], int(seed) if mark else None)


def _name(model: Any) -> str:
    config = getattr(model, "config", None)
    return str(getattr(config, "_name_or_path", "") or type(model).__name__)
