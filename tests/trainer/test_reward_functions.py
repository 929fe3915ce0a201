"""Reward functions: checked each time they answer, and mixed only where that makes sense."""

import asyncio
import functools

import numpy as np
import pytest
import torch
from torch import nn

from atom_hf.models import MotionGPTForPreference, MotionGPTForReward
from atom_hf.trainer.reward_functions import (
    CheckedReward,
    check_weights,
    checked_rewards,
    checked_values,
    without_verdict,
)


def lengths(prompts, completion_ids, **columns):
    return [float(len(ids)) for ids in completion_ids]


def nothing(prompts, **columns):
    return [None] * len(prompts)


def test_numbers_of_any_kind_become_floats():
    given = [1, 0.5, np.float32(0.25), torch.tensor(2.0), True, None]
    found = checked_values(given, 6, "f")
    assert found == [1.0, 0.5, 0.25, 2.0, 1.0, None]
    assert {type(value) for value in found} == {float, type(None)}
    assert checked_values(torch.tensor([1.0, 2.0]), 2, "f") == [1.0, 2.0]
    assert checked_values(np.array([1, 2]), 2, "f") == [1.0, 2.0]


@pytest.mark.parametrize(
    ("given", "kind", "message"),
    [
        ([1.0], ValueError, "function f gave 1 rewards for 2 completions"),
        ([0.0, float("nan")], ValueError, "function f gave nan for completion 1; expected a finite number"),
        ([float("-inf"), 0.0], ValueError, "gave -inf for completion 0"),
        (torch.tensor([0.0, torch.inf]), ValueError, "gave inf for completion 1"),
        ([0.0, 1e38], ValueError, r"function f gave 1e\+38 for completion 1; expected rewards within ±1e\+06"),
        ([-1e300, 0.0], ValueError, r"gave -1e\+300 for completion 0; expected rewards within ±1e\+06"),
        ([0.0, 10**400], ValueError, "gave inf for completion 1"),
        (["0.5", 1.0], TypeError, "gave str '0.5' for completion 0; expected a finite number, or None"),
        ([[0.5], 1.0], TypeError, "gave list"),
        ([torch.ones(2), 1.0], TypeError, "gave Tensor"),
        (None, TypeError, "gave NoneType 'None'; expected a list of 2 numbers"),
        (0.5, TypeError, "gave float '0.5'; expected a list"),
        ("ab", TypeError, "gave str 'ab'; expected a list"),
        (torch.tensor([[1.0], [2.0]]), TypeError, "gave list"),
    ],
)
def test_other_answers_are_named(given, kind, message):
    with pytest.raises(kind, match=message):
        checked_values(given, 2, "f")


def test_functions_keep_their_names_and_are_called_as_trl_calls():
    class Judge:
        __name__ = "judge"

        def __call__(self, prompts, **columns):
            return [columns["scale"]] * len(prompts)

    checked = checked_rewards([lengths, functools.partial(nothing, a=1), Judge()])
    assert [function.__name__ for function in checked] == ["lengths", "nothing", "judge"]
    call = {"prompts": ["a", "b"], "completions": ["", ""], "completion_ids": [[1], [1, 2]], "scale": 3}
    assert [function(**call) for function in checked] == [[1.0, 2.0], [None, None], [3.0, 3.0]]
    again = checked_rewards(checked)
    assert again == checked  # not wrapped twice
    module = nn.Linear(1, 1)
    assert checked_rewards(module) == [module]  # TRL calls it itself


def test_coroutines_are_awaited_and_checked():
    async def later(prompts, **columns):
        await asyncio.sleep(0)
        return [float("nan")] * len(prompts)

    (checked,) = checked_rewards(later)
    assert asyncio.iscoroutinefunction(checked.__call__) and checked.__name__ == "later"
    with pytest.raises(ValueError, match="later gave nan for completion 0"):
        asyncio.run(checked(prompts=["a"]))


@pytest.mark.parametrize(
    ("functions", "weights", "kind", "message"),
    [
        (None, None, ValueError, "at least one reward function, got none"),
        ([], None, ValueError, "JudgeReward"),
        ([lengths, lengths], None, ValueError, "2 reward functions are called 'lengths'"),
        ([lengths, nothing], [1.0], ValueError, "a weight for each of 2 reward functions, got 1: 1.0"),
        ([lengths], [], ValueError, "got 0: none"),
        ([lengths], [float("nan")], ValueError, "finite reward weights"),
        ([lengths, nothing], [0, 0.0], ValueError, "not all of them 0"),
        ([lengths], [1e38], ValueError, r"reward weights within ±1e\+06"),
        (object.__new__(MotionGPTForPreference), None, TypeError, "got MotionGPTForPreference, which writes motions"),
        ([5], None, TypeError, "Expected a reward function, got int '5'"),
        ("outputs/reward_model", None, TypeError, r"ModelReward\(MotionGPTForReward.from_pretrained\('outputs/rew"),
        (object.__new__(MotionGPTForReward), None, TypeError, r"ModelReward\(model\)"),
    ],
)
def test_what_cannot_be_mixed(functions, weights, kind, message):
    with pytest.raises(kind, match=message):
        checked_rewards(functions, weights)


def test_weights_below_zero_are_penalties():
    check_weights([1.0, -0.5], 2)
    check_weights(None, 3)


def test_why_a_batch_has_no_reward():
    class Silent:
        __name__ = "silent"
        causes = ("no motion", None, "no motion", "server down")

        def __call__(self, prompts, **columns):
            return nothing(prompts)

    said = without_verdict([CheckedReward(nothing), CheckedReward(Silent())], completions=4, whole=1)
    assert said == "3 of 4 hold no whole motion; silent says 2 times: no motion."
