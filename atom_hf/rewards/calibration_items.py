"""Motions whose scores are known: synthesised with known faults, and pairs of them; and pairs that people voted on.

items = calibration_items(120, seed=0)
items[1].truth      →  {"integrity": 5.0, "temporal": 5.0, "frequency": 3.7, "overall": 4.6}
items[1].faults     →  ("jump 2 times instead of 3",)
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..data.annotations import read_annotations
from ..data.degrees import GAPS, SKIPPED, UNSURE
from ..events import DetectedEvent, GrammarPromptWriter, Scenario, fault_kinds, score_events, synthesize, with_fault
from ..events.grammar_prompts import Prompt
from ..motion import Motion
from ..motion.smoothing import gaussian_smooth
from .judge import HIGHEST, LOWEST, JudgeItem

SMALLEST_GAP = GAPS["slightly better"]  # points between two true scores, below which nobody should have to choose
PER_PROMPT = 4  # motions of one prompt: without a fault, with one, with two, and with three or of another prompt
_TRIES = 20
_WANDER = 3.0  # frames; over so many joints of a generated motion wander off and back


@dataclass(frozen=True)
class CalibrationItem:
    """A motion whose scores are known.

    Args:
        item ([`JudgeItem`]): what the judge gets.
        truth (`Mapping[str, float]`): true score, 1 to 5, by task: `"integrity"`, `"temporal"`, `"frequency"` and
            `"overall"`, their mean.
        task (`str`): what the prompt was written for.
        prompt_id (`str`): motions of one prompt share it.
        faults (`tuple[str, ...]`, *optional*): what is wrong with the motion, in words.
    """

    item: JudgeItem
    truth: Mapping[str, float]
    task: str
    prompt_id: str
    faults: tuple[str, ...] = ()


@dataclass(frozen=True)
class CalibrationPair:
    """Two motions of one prompt of which it is known which is better.

    Args:
        first ([`JudgeItem`]): one motion.
        second ([`JudgeItem`]): the other.
        better (`str`): `"first"`, `"second"` or `"tie"`.
        task (`str`): what is compared.
        prompt_id (`str`): pairs of one prompt share it.
    """

    first: JudgeItem
    second: JudgeItem
    better: str
    task: str
    prompt_id: str


def calibration_items(
    n: int, seed: int = 0, *, split: str | None = "test", jitter: float = 0.0
) -> list[CalibrationItem]:
    """Synthesise motions with known faults.

    Four motions a prompt: one that shows it, one with a fault, one with two, and one with three faults or, every other
    time, the motion of another prompt. True scores come from the segments that the synthesis reports, never from a
    detector; the formulas are those of [`score_events`].

    Args:
        n (`int`): how many motions.
        seed (`int`, *optional*, defaults to 0): the same seed gives the same motions.
        split (`str`, *optional*, defaults to `"test"`): `"train"`, `"test"` or None for prompts of both splits of the
            grammar.
        jitter (`float`, *optional*, defaults to 0.0): how far joints wander, metres, root mean square by coordinate;
            0.015 is about what generators do.

    Returns:
        `list[CalibrationItem]`: motions of one prompt beside each other; tasks take turns prompt by prompt.

    Raises:
        ValueError: if `n` is below 1 or `jitter` below 0.
    """
    if n < 1 or not 0 <= jitter < 1:
        raise ValueError(f"Expected at least one item and a jitter from 0 to 1 metre, got {n} and {jitter}.")
    prompts = GrammarPromptWriter(seed=seed, split=split).write(-(-n // PER_PROMPT))
    items: list[CalibrationItem] = []
    for i, prompt in enumerate(prompts):
        rng = np.random.default_rng([seed, i])
        other = prompts[i - 1].scenario if i % 2 and prompts[i - 1].scenario != prompt.scenario else None
        for faults in range(PER_PROMPT):
            item = _item(prompt, f"c{seed}-{i:05d}", faults, other if faults == 3 else None, rng)
            # Dice of its own, so that the same motions come with more noise and with less.
            items.append(_wandering(item, np.random.default_rng([seed, i, faults]), jitter) if jitter else item)
    return items[:n]


def _item(prompt: Prompt, name: str, faults: int, other: Scenario | None, rng: np.random.Generator) -> CalibrationItem:
    """One motion; where faults or the dice make a scenario that does not fit into a clip, others are tried."""
    for _ in range(_TRIES):
        shown, words = (other, ("the motion of another prompt",)) if other else _faulty(prompt.scenario, faults, rng)
        if not _is_plain(prompt.scenario, shown):
            other = None
            continue
        try:
            joints, segments = synthesize(shown, seed=int(rng.integers(2**31)))
        except ValueError:
            other, faults = None, max(faults - 1, 0)
            continue
        happened = [DetectedEvent(s.action, s.start, s.end, s.side, s.direction) for s in segments]
        scores = score_events(happened, prompt.scenario)
        raw = {task: float(getattr(scores, task)) for task in ("integrity", "temporal", "frequency")}
        raw["overall"] = sum(raw.values()) / 3
        truth = {task: LOWEST + (HIGHEST - LOWEST) * value for task, value in raw.items()}
        item = JudgeItem(Motion(joints), prompt.text, prompt.scenario)
        return CalibrationItem(item, truth, prompt.scenario.task, name, words)
    raise ValueError(f"No motion of {prompt.text!r} fits into a clip; take another seed.")


def _faulty(scenario: Scenario, faults: int, rng: np.random.Generator) -> tuple[Scenario, tuple[str, ...]]:
    words: list[str] = []
    for _ in range(faults):
        if kinds := fault_kinds(scenario):
            fault = with_fault(scenario, str(rng.choice(kinds)), int(rng.integers(2**31)))
            scenario = fault.scenario
            words.append(fault.description)
    return scenario, tuple(words)


def _is_plain(asked: Scenario, shown: Scenario) -> bool:
    """Whether the truth can be told: segments do not say how many steps a walk has, so none may stand for steps."""
    walks = [sum(event.action == "walk" for event in scenario.events) for scenario in (asked, shown)]
    return walks[1] <= walks[0] or all(event.action != "step" for event in asked.events)


def _wandering(item: CalibrationItem, rng: np.random.Generator, jitter: float) -> CalibrationItem:
    joints = np.asarray(item.item.motion.joints)
    noise = gaussian_smooth(rng.normal(0, 1, (joints[0].size, len(joints))), _WANDER).T.reshape(joints.shape)
    motion = Motion((joints + jitter * noise / noise.std()).astype(np.float32))
    return replace(item, item=replace(item.item, motion=motion))


def calibration_pairs(
    items: Sequence[CalibrationItem], *, task: str | None = None, per_prompt: int | None = None, seed: int = 0
) -> list[CalibrationPair]:
    """Pairs of motions of one prompt whose true scores differ by half a point or more.

    Args:
        items (`Sequence[CalibrationItem]`): motions with their true scores.
        task (`str`, *optional*): what is compared; by default the task of each prompt.
        per_prompt (`int`, *optional*): at most so many pairs a prompt, drawn by the seed; all by default.
        seed (`int`, *optional*, defaults to 0): of that draw, and of which motion comes first.

    Returns:
        `list[CalibrationPair]`: in the order of the prompts.
    """
    rng = np.random.default_rng(seed)
    by_prompt: dict[str, list[CalibrationItem]] = defaultdict(list)
    for item in items:
        by_prompt[item.prompt_id].append(item)
    pairs = []
    for name, members in by_prompt.items():
        of_prompt = []
        for i, a in enumerate(members):
            for b in members[i + 1 :]:
                gap = a.truth[task or a.task] - b.truth[task or b.task]
                if abs(gap) >= SMALLEST_GAP - 1e-9:
                    better, worse = (a, b) if gap > 0 else (b, a)
                    is_first = bool(rng.random() < 0.5)
                    first, second = (better, worse) if is_first else (worse, better)
                    answer = "first" if is_first else "second"
                    of_prompt.append(CalibrationPair(first.item, second.item, answer, task or a.task, name))
        if per_prompt is not None and len(of_prompt) > per_prompt:
            of_prompt = [of_prompt[i] for i in sorted(rng.choice(len(of_prompt), per_prompt, replace=False))]
        pairs += of_prompt
    return pairs


def voted_pairs(
    folder: str | Path, decode: Callable[[Sequence[Sequence[int]]], Sequence[Motion | None]], **options: Any
) -> list[CalibrationPair]:
    """Pairs that people voted on, from a folder of raw annotations.

    Votes on one pair count together: more votes for one motion make it the better one, as many for both are a tie, as
    is a vote of the lowest degree. Skipped votes do not count.

    Args:
        folder (`str` or `Path`): with `prompts/`, `candidates/` and `votes/`; see `read_annotations`.
        decode (`Callable`): rows of motion codes to motions, such as a VQ-VAE's decoder; None where there is none.
        options (`Any`): for `read_annotations`, such as `num_codes`.

    Returns:
        `list[CalibrationPair]`: in the order of the prompts.

    Raises:
        AnnotationError: if a file is broken.
        ValueError: if there are no votes, or `decode` gives another number of motions.
    """
    pairs = []
    for prompt in read_annotations(folder, **options):
        balance: dict[tuple[int, int], int] = {}
        for vote in prompt.votes:
            if vote.choice == SKIPPED:
                continue
            key = (min(vote.first, vote.second), max(vote.first, vote.second))
            chosen = vote.first if vote.choice == "first" else vote.second
            counts = 0 if vote.degree == UNSURE else 1 if chosen == key[0] else -1
            balance[key] = balance.get(key, 0) + counts
        samples = sorted({sample for key in balance for sample in key})
        motions = list(decode([prompt.candidates[sample].codes for sample in samples])) if samples else []
        if len(motions) != len(samples):
            raise ValueError(
                f"decode gave {len(motions)} motions for {len(samples)} rows of codes; expected one each."
            )
        scenario = _scenario(prompt.scenario, prompt.task)
        items = {
            sample: JudgeItem(motion, prompt.prompt, scenario)
            for sample, motion in zip(samples, motions, strict=True)
            if motion is not None
        }
        for (a, b), count in balance.items():
            if a in items and b in items:
                better = "first" if count > 0 else "second" if count < 0 else "tie"
                pairs.append(CalibrationPair(items[a], items[b], better, prompt.task, prompt.prompt_id))
    if not pairs:
        raise ValueError(f"{folder}: expected votes of people in votes/*.jsonl, but there is none that says anything.")
    return pairs


def _scenario(text: str | None, task: str) -> Scenario | None:
    """The events of a prompt, for the task that was voted on; None where they are not of our table of actions."""
    if text is None:
        return None
    try:
        scenario = Scenario.from_json(text)
        return scenario if task == "overall" else replace(scenario, task=task)
    except (ValueError, TypeError):
        return None
