"""The vision judge as a metric of Hugging Face's `evaluate`; gpt4v_reward/README.md says what the numbers mean.

GPT4VReward().compute(predictions=joints, prompts=prompts, tasks="temporal", budget=5.0)
evaluate.load(GPT4V_REWARD).compute(…)      →  {"gpt4v_reward": 3.4, "temporal": 3.4, "unscored_share": 0.01, …}
"""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import datasets
import evaluate

from ..evaluation import bootstrap_mean
from ..evaluation.metrics.card import read_card
from ..evaluation.metrics.columns import MOTION_FORMS, Clip, MotionColumn, check_others, clips
from ..events import Scenario
from ..motion import Motion
from .judge import Judge, JudgeItem, Verdict

TASKS = ("integrity", "temporal", "frequency", "overall")
GPT4V_REWARD = str(Path(__file__).parent / "gpt4v_reward")  # for evaluate.load

JudgeOf = Callable[[str], Judge]


class GPT4VReward(MotionColumn, evaluate.Metric):
    """How well motions show what was asked for, in the eyes of a vision-language model or of any other judge."""

    def compute(self, **given: Any) -> dict[str, Any]:
        """As in `evaluate`; motions may also be [`Motion`] objects.

        Args:
            given (`Any`): `predictions`, `prompts` and settings; see the metric's card.

        Returns:
            `dict[str, Any]`: means from 1 to 5 with intervals, scores, and what was not scored, and why.

        Raises:
            TypeError: if the judge is none, or a setting is unknown.
            ValueError: if a task is unknown, or numbers of motions, prompts, tasks and scenarios differ.
        """
        if given.get("predictions") is not None:
            given["predictions"] = [_plain(motion, given.get("fps", 20.0)) for motion in given["predictions"]]
        found: dict[str, Any] = super().compute(**given)
        return found

    def _info(self) -> evaluate.MetricInfo:
        prompt = datasets.Value("string")
        columns = [datasets.Features(predictions=form, prompts=prompt) for form in MOTION_FORMS]
        return evaluate.MetricInfo(features=columns, **read_card(Path(GPT4V_REWARD))._asdict())

    def _compute(
        self,
        *,
        predictions: list[Any],
        prompts: list[str],
        tasks: str | Sequence[str | None] | None = None,
        scenarios: Sequence[Scenario | str | None] | None = None,
        judge: Judge | JudgeOf | None = None,
        model: str = "gpt-4o",
        base_url: str | None = None,
        budget: float | None = None,
        store: str | Path | None = None,
        confidence: float = 0.95,
        fps: float = 20.0,
        **others: Any,
    ) -> dict[str, Any]:
        check_others(others)
        known = [_scenario(one) for one in _each(scenarios, "scenario", len(prompts))]
        wanted = _tasks([tasks] * len(prompts) if isinstance(tasks, str) else tasks, known)
        judge_of = _judges(judge, model, base_url, budget, store)
        rows = list(zip(clips(predictions, fps), prompts, known, strict=True))
        verdicts: dict[int, Verdict] = {}
        for task in dict.fromkeys(wanted):
            numbers = [i for i, one in enumerate(wanted) if one == task]
            verdicts |= dict(zip(numbers, _scored(judge_of(task), [rows[i] for i in numbers]), strict=True))
        ordered = [verdicts[i] for i in range(len(rows))]
        return _summary(ordered, prompts, wanted, confidence)


def _summary(
    verdicts: Sequence[Verdict], prompts: Sequence[str], tasks: Sequence[str], confidence: float
) -> dict[str, Any]:
    scores = [verdict.score for verdict in verdicts]
    found: dict[str, Any] = {}
    groups = {"gpt4v_reward": set(TASKS)} | {task: {task} for task in TASKS if task in tasks}
    for name, members in groups.items():
        mine = [
            (score, prompt)
            for score, prompt, task in zip(scores, prompts, tasks, strict=True)
            if score is not None and task in members
        ]
        ends: tuple[float | None, ...] = (None, None, None)
        if mine:
            values, clusters = zip(*mine, strict=True)
            ends = bootstrap_mean(values, clusters, confidence=confidence)
        found |= dict(zip((name, f"{name}_low", f"{name}_high"), ends, strict=True))
    causes = Counter(verdict.cause for verdict in verdicts if verdict.cause is not None)
    return found | {
        "scores": scores,
        "unscored_share": sum(causes.values()) / len(verdicts) if verdicts else 0.0,
        "causes": dict(causes),
        "judge": ", ".join(sorted({verdict.judge for verdict in verdicts if verdict.judge})),
    }


def _judges(judge: Any, model: str, base_url: str | None, budget: float | None, store: Any) -> JudgeOf:
    """Who judges a task; the judges of all tasks share one budget."""
    if callable(getattr(judge, "score", None)):
        return lambda task: judge
    if callable(judge):
        made: JudgeOf = judge
        return made
    if judge is not None:
        raise TypeError(
            f"Expected a judge with score(items), or a function that makes one for a task, got {type(judge).__name__}."
        )
    from .vlm import Budget, VLMJudge

    shared = None if budget is None else Budget(budget)
    return lambda task: VLMJudge(model, task, base_url=base_url, budget=shared, store=store)


def _scored(judge: Judge, rows: Sequence[tuple[Clip, str, Scenario | None]]) -> list[Verdict]:
    """Verdicts on what is a motion, and why the rest is none."""
    items = [_item(*row) for row in rows]
    there = [item for item in items if isinstance(item, JudgeItem)]
    given = list(judge.score(there)) if there else []
    if len(given) != len(there):
        raise ValueError(f"The judge gave {len(given)} verdicts for {len(there)} motions; expected one each.")
    following = iter(given)
    return [next(following) if isinstance(item, JudgeItem) else item for item in items]


def _item(clip: Clip, prompt: str, scenario: Scenario | None) -> JudgeItem | Verdict:
    if clip.joints is None:
        return Verdict.unscored("nothing was generated")
    try:
        return JudgeItem(Motion(clip.joints, clip.fps), prompt, scenario)
    except ValueError as error:
        return Verdict.unscored(f"The motion is broken: {error}")


def _tasks(tasks: Sequence[str | None] | None, scenarios: Sequence[Scenario | None]) -> list[str]:
    wanted = []
    for task, scenario in zip(_each(tasks, "task", len(scenarios)), scenarios, strict=True):
        task = task or (scenario.task if scenario is not None else None) or "overall"
        if task not in TASKS:
            raise ValueError(f"Expected tasks among {', '.join(TASKS)}, got {task!r}.")
        wanted.append(task)
    return wanted


def _each(values: Sequence[Any] | None, what: str, count: int) -> list[Any]:
    found = [None] * count if values is None else list(values)
    if len(found) != count:
        raise ValueError(f"Expected a {what}, or None, for each of {count} motions, got {len(found)}.")
    return found


def _scenario(given: Scenario | str | None) -> Scenario | None:
    return Scenario.from_json(given) if isinstance(given, str) else given


def _plain(motion: Any, fps: float) -> Any:
    """What Arrow stores: joints of a [`Motion`], which has to have the frame rate of the others."""
    if not isinstance(motion, Motion):
        return motion
    if motion.fps != fps:
        raise ValueError(f"Expected motions of fps={fps:g}, got one of {motion.fps:g}; resample it, or pass fps=.")
    return motion.joints
