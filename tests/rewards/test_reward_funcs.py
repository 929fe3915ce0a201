"""Judges in the shape of TRL's reward functions."""

from collections.abc import Sequence

import numpy as np
import pytest

from atom_hf.events import Event, Scenario
from atom_hf.motion import Motion
from atom_hf.rewards import JudgeItem, JudgeReward, Verdict
from atom_hf.rewards.reward_funcs import prompt_text


class Counting:
    """Scores the number of frames, up to 5; does not judge motions of more."""

    name = "counting"

    def __init__(self) -> None:
        self.seen: list[JudgeItem] = []

    def score(self, items: Sequence[JudgeItem]) -> list[Verdict]:
        self.seen += items
        return [Verdict(float(n)) if (n := len(item.motion)) <= 5 else Verdict.unscored("too long") for item in items]


def decode(completion_ids: Sequence[Sequence[int]]) -> list[Motion | None]:
    return [Motion(np.zeros((len(ids), 22, 3))) if ids else None for ids in completion_ids]


def test_scores_become_rewards_and_nothing_stays_nothing():
    judge = Counting()
    reward = JudgeReward(judge, decode)
    assert reward.__name__ == "counting_reward"
    rewards = reward(prompts=["a", "b", "c", "d"], completions=[""] * 4, completion_ids=[[7], [], [7] * 5, [7] * 9])
    assert rewards == [0.0, None, 1.0, None]
    assert [item.prompt for item in judge.seen] == ["a", "c", "d"]


def test_scenarios_come_from_their_column():
    judge = Counting()
    scenario = Scenario((Event("jump", 2),), "frequency")
    conversation = [{"role": "system", "content": "move"}, {"role": "user", "content": "a person jumps twice"}]
    columns = {"scenario": [scenario.to_json(), None], "task": ["frequency"] * 2}
    JudgeReward(judge, decode, name="jumps")(
        [conversation] * 2, [""] * 2, [[1], [1, 2]], trainer_state=None, **columns
    )
    assert [item.scenario for item in judge.seen] == [scenario, None]
    assert judge.seen[0].prompt == "a person jumps twice"


def test_bad_input():
    with pytest.raises(ValueError, match="decode gave 1 motions for 2 completions"):
        JudgeReward(Counting(), lambda ids: [None])(["a", "b"], ["", ""], [[1], [1]])
    with pytest.raises(ValueError, match="Not the JSON of a scenario"):
        JudgeReward(Counting(), decode)(["a"], [""], [[1]], scenario=["jump"])
    for prompt in (5, [], [{"role": "assistant", "content": "x"}], [{"role": "user", "content": [{"type": "image"}]}]):
        with pytest.raises(TypeError, match="text or as a conversation"):
            prompt_text(prompt)
