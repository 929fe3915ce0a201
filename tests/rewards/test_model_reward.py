"""A reward model as a reward function."""

import pytest

pytest.importorskip("torch")

from types import SimpleNamespace

import torch

from atom_hf.models import MotionGPTForReward
from atom_hf.rewards.model_reward import ModelReward
from tests.models.trl_parts import NUM_CODES, checkpoint, load


@pytest.fixture(scope="module")
def policy(tmp_path_factory):
    return load(checkpoint(tmp_path_factory.mktemp("policy")))


@pytest.fixture(scope="module")
def model(policy):
    torch.manual_seed(0)
    return MotionGPTForReward.from_policy(policy)


PROMPTS = ["the man jumps", [{"role": "user", "content": "she sits down"}], "the man jumps", "she sits down"]


def completions(policy):
    first, start, end = (
        policy.config.motion_token_start,
        policy.config.motion_start_id,
        policy.config.motion_end_id,
    )
    return [
        [start, first + 3, first + 5, end, 1],
        [start, first + 7, end, 1],
        [start, first + 3, first + 5],  # not finished
        [5, 6, 1],  # words
    ]


def test_scores_of_whole_motions_and_nothing_for_others(policy, model):
    reward = ModelReward(model)
    rewards = reward(prompts=PROMPTS, completions=[""] * 4, completion_ids=completions(policy), scenario=["{}"] * 4)
    expected = model.score(["the man jumps", "she sits down"], [[3, 5], [7]])
    assert rewards[:2] == pytest.approx(expected.tolist(), abs=1e-6) and rewards[2:] == [None, None]
    assert rewards[0] != rewards[1]
    assert reward.causes == [None, None, "no whole motion", "no whole motion"]
    assert reward.__name__ == "reward_model" and ModelReward(model, "learned").__name__ == "learned"


def test_scale_and_shift(policy, model):
    call = {"prompts": PROMPTS, "completions": [""] * 4, "completion_ids": completions(policy)}
    plain = ModelReward(model, batch_size=1)(**call)
    moved = ModelReward(model, scale=-2.0, shift=0.5)(**call)
    assert moved[:2] == pytest.approx([-2 * (score - 0.5) for score in plain[:2]], abs=1e-5)
    assert moved[2:] == [None, None]


def test_a_batch_without_a_motion_asks_nobody(policy, model, monkeypatch):
    monkeypatch.setattr(model, "score", lambda *_, **__: pytest.fail("asked"))
    assert ModelReward(model)(["the man jumps"], [""], [[5, 6, 1]]) == [None]


def test_ids_of_a_policy_with_other_tokens_are_read_by_its_processor(policy, model):
    shifted = SimpleNamespace(
        num_codes=NUM_CODES, decode_codes=lambda ids: policy.processor.decode_codes([i - 100 for i in ids])
    )
    ids = [[i + 100 for i in completions(policy)[0]]]
    (reward,) = ModelReward(model, processor=shifted)(["the man jumps"], [""], ids)
    assert reward == pytest.approx(float(model.score(["the man jumps"], [[3, 5]])), abs=1e-6)


def test_bad_input(policy, model):
    with pytest.raises(TypeError, match="Expected a MotionGPTForReward, got MotionGPTForPreference"):
        ModelReward(policy)
    for wrong in ({"scale": 0.0}, {"scale": float("nan")}, {"shift": float("inf")}, {"batch_size": 0}):
        with pytest.raises(ValueError, match="finite scale other than 0"):
            ModelReward(model, **wrong)
    with pytest.raises(ValueError, match="knows 16 motion codes, and the processor 512"):
        ModelReward(model, processor=SimpleNamespace(num_codes=512))
    with pytest.raises(ValueError, match="a prompt for each of 1 completions, got 2"):
        ModelReward(model)(["a", "b"], [""], [[1]])
