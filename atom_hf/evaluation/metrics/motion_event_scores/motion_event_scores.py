"""Scores of a judge of events as an `evaluate` metric; README.md beside this file says what they mean."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import datasets
import evaluate

from atom_hf.evaluation import event_scores
from atom_hf.evaluation.metrics.card import read_card
from atom_hf.evaluation.metrics.columns import MOTION_FORMS, Clip, MotionColumn, check_others, clips
from atom_hf.events import Scenario
from atom_hf.motion import Motion


@dataclass(frozen=True)
class _Item:
    """What judges look at; `fault` says why there is no motion."""

    motion: Motion | None
    prompt: str
    scenario: Scenario | None
    fault: str = ""


@dataclass(frozen=True)
class _Unscored:
    """The verdict where there is no motion."""

    cause: str
    score: None = None
    raw: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class _SparedJudge:
    """A judge that never sees the motions that are not there."""

    judge: Any

    def score(self, items: Sequence[_Item]) -> list[Any]:
        there = [item for item in items if item.motion is not None]
        verdicts = list(self.judge.score(there)) if there else []
        if len(verdicts) != len(there):
            raise ValueError(f"The judge gave {len(verdicts)} verdicts for {len(there)} motions; expected one each.")
        following = iter(verdicts)
        return [_Unscored(item.fault) if item.motion is None else next(following) for item in items]


def _item(clip: Clip, prompt: str, scenario: Scenario | str | None) -> _Item:
    scenario = Scenario.from_json(scenario) if isinstance(scenario, str) else scenario
    if clip.joints is None:
        return _Item(None, prompt, scenario, "nothing was generated")
    try:
        return _Item(Motion(clip.joints, clip.fps), prompt, scenario)
    except ValueError as error:
        return _Item(None, prompt, scenario, f"The motion is broken: {error}")


class MotionEventScores(MotionColumn, evaluate.Metric):
    """How well motions show what was asked for, in the eyes of a judge."""

    def _info(self) -> evaluate.MetricInfo:
        prompt = datasets.Value("string")
        columns = [datasets.Features(predictions=form, prompts=prompt) for form in MOTION_FORMS]
        return evaluate.MetricInfo(features=columns, **read_card("motion_event_scores")._asdict())

    def _compute(
        self,
        *,
        predictions: list[Any],
        prompts: list[str],
        judge: Any = None,
        scenarios: Sequence[Scenario | str | None] | None = None,
        own_task_only: bool = False,
        confidence: float = 0.95,
        fps: float = 20.0,
        **others: Any,
    ) -> dict[str, Any]:
        check_others(others)
        if not callable(getattr(judge, "score", None)):
            raise TypeError(f"Expected judge=…, such as KinematicJudge(), got {type(judge).__name__}.")
        known = [None] * len(prompts) if scenarios is None else list(scenarios)
        if len(known) != len(prompts):
            raise ValueError(f"Expected a scenario, or None, for each of {len(prompts)} motions, got {len(known)}.")
        items = [_item(*row) for row in zip(clips(predictions, fps), prompts, known, strict=True)]
        report = event_scores(_SparedJudge(judge), items, own_task_only=own_task_only, confidence=confidence)
        found: dict[str, Any] = {}
        for task, score in report.tasks.items():
            found |= {task: score.value, f"{task}_low": score.low, f"{task}_high": score.high}
        name = getattr(judge, "name", type(judge).__name__)
        return found | {"unscored_share": report.unscored_share, "causes": report.causes, "judge": name}
