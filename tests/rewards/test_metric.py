"""The vision judge behind `evaluate`: loaded from its folder, called directly, and given what cannot be judged."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

pytest.importorskip("evaluate")

import evaluate

from atom_hf.events import Scenario, synthesize
from atom_hf.motion import Motion
from atom_hf.rewards import JudgeItem, KinematicJudge, Verdict
from atom_hf.rewards.metric import GPT4V_REWARD, GPT4VReward

JUMPS = "a person jumps twice"


@dataclass
class Script:
    """A judge that says what it is told, and remembers what it saw."""

    scores: Sequence[float | None]
    name: str = "script-1"
    seen: list[JudgeItem] = field(default_factory=list)

    def score(self, items: Sequence[JudgeItem]) -> list[Verdict]:
        self.seen += items
        given = self.scores[: len(items)]
        return [Verdict.unscored("refused", self.name) if s is None else Verdict(s, judge=self.name) for s in given]


@pytest.fixture(scope="module")
def jumps() -> np.ndarray:
    return np.asarray(synthesize(Scenario.parse(JUMPS), seed=1).joints)


@pytest.fixture(params=["loaded", "direct"])
def metric(request: pytest.FixtureRequest) -> evaluate.Metric:
    return evaluate.load(GPT4V_REWARD) if request.param == "loaded" else GPT4VReward()


def test_mean_with_interval_by_task(metric, walk):
    judge = Script([1.0, 5.0, 3.0, None])
    found = metric.compute(predictions=[walk] * 4, prompts=["a", "a", "b", "c"], tasks=["temporal"] * 4, judge=judge)
    assert found["gpt4v_reward"] == 3.0 == found["temporal"]  # of a prompt one value: (1 + 5) / 2 and 3
    assert found["temporal_low"] <= 3.0 <= found["temporal_high"]
    assert found["scores"] == [1.0, 5.0, 3.0, None]
    assert found["unscored_share"] == 0.25 and found["causes"] == {"refused": 1}
    assert found["judge"] == "script-1" and "integrity" not in found
    assert [item.prompt for item in judge.seen] == ["a", "a", "b", "c"]
    np.testing.assert_allclose(judge.seen[0].motion.joints, walk, atol=1e-6)


def test_each_task_has_its_own_judge(walk):
    asked = []

    def judge_of(task: str) -> Script:
        asked.append(task)
        return Script([{"integrity": 5.0, "frequency": 2.0}[task]] * 2, name=task)

    found = GPT4VReward().compute(
        predictions=[walk] * 3, prompts=["a", "b", "c"], tasks=["integrity", "frequency", "integrity"], judge=judge_of
    )
    assert asked == ["integrity", "frequency"]
    assert (found["integrity"], found["frequency"], found["gpt4v_reward"]) == (5.0, 2.0, 4.0)
    assert found["frequency_low"] is None  # of one prompt
    assert found["scores"] == [5.0, 2.0, 5.0] and found["judge"] == "frequency, integrity"


def test_scenarios_say_the_task_and_reach_the_judge(jumps):
    scenario = Scenario.parse(JUMPS)
    judge = KinematicJudge()
    found = GPT4VReward().compute(
        predictions=[Motion(jumps)], prompts=["anything"], scenarios=[scenario.to_json()], judge=judge
    )
    assert found[scenario.task] == found["gpt4v_reward"] == 5.0


def test_paths_rows_that_are_missing_and_broken_motions(tmp_path, walk):
    path = tmp_path / "walk.npy"
    np.save(path, walk)
    found = GPT4VReward().compute(predictions=[str(path), ""], prompts=["a", "b"], judge=Script([4.0]))
    assert found["scores"] == [4.0, None] and found["causes"] == {"nothing was generated": 1}
    broken = walk.copy()
    broken[3, 2, 1] = np.nan
    found = GPT4VReward().compute(predictions=[walk, broken], prompts=["a", "b"], judge=Script([4.0]))
    assert found["scores"] == [4.0, None]
    assert next(iter(found["causes"])).startswith("The motion is broken: ")


def test_nothing_scored(walk):
    found = GPT4VReward().compute(predictions=[walk], prompts=["a"], judge=Script([None]))
    assert found["gpt4v_reward"] is None is found["overall"] and found["unscored_share"] == 1.0


@pytest.mark.parametrize(
    ("given", "error", "text"),
    [
        (
            {"tasks": "colour"},
            ValueError,
            "Expected tasks among integrity, temporal, frequency, overall, got 'colour'",
        ),
        ({"tasks": ["temporal"] * 2}, ValueError, "Expected a task, or None, for each of 1 motions, got 2"),
        ({"scenarios": []}, ValueError, "Expected a scenario, or None, for each of 1 motions, got 0"),
        ({"judge": 3}, TypeError, r"Expected a judge with score\(items\), or a function .*, got int"),
        ({"judge": Script([])}, ValueError, "The judge gave 0 verdicts for 1 motions"),
        ({"jugde": 3}, TypeError, "No metric takes jugde"),
    ],
)
def test_refused(walk, given, error, text):
    with pytest.raises(error, match=text):
        GPT4VReward().compute(predictions=[walk], prompts=["a"], **{"judge": Script([3.0]), **given})


def test_motions_of_another_frame_rate(walk):
    with pytest.raises(ValueError, match="Expected motions of fps=20, got one of 30"):
        GPT4VReward().compute(predictions=[Motion(walk, fps=30)], prompts=["a"], judge=Script([3.0]))


def test_the_card_is_what_evaluate_shows():
    metric = GPT4VReward()
    assert "from 1 to 5, **higher is better**" in metric.description and "How it misleads" in metric.description
    assert "`tasks`" in metric.inputs_description and "unscored_share" in metric.inputs_description
