"""Rollouts of PPO: what is drawn is what is scored, whatever stands around it, and all of it is gone through."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from atom_hf.models import MotionGPTForPreference, MotionGPTForReward, MotionGPTForValue
from atom_hf.trainer.ppo.mean_log import MeanLog
from atom_hf.trainer.ppo.policy_and_value import PolicyAndValue, token_logps
from atom_hf.trainer.ppo.rollout import PromptSampler, RolloutBuffer, sample_tokens, written_mask
from tests.models.trl_parts import CAPTIONS, GOOD, checkpoint, load, log_probs, native


@pytest.fixture(scope="module")
def motion_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random model that writes motion alone."""
    return checkpoint(tmp_path_factory.mktemp("motion"), motion_only=True)


@pytest.fixture
def policy(motion_folder: Path) -> MotionGPTForPreference:
    return load(motion_folder)


# What is drawn is what is scored -------------------------------------------------------------------------------------


def inputs_of(
    model: MotionGPTForPreference, count: int = 4, left: int = 0, right: int = 0
) -> tuple[Tensor, Tensor, Tensor]:
    """Prompts with motions of several lengths, and padding around them."""
    count = len(CAPTIONS)
    asked = [model.processor.prompt_ids(caption) for caption in CAPTIONS]
    said = [model.processor.motion_ids([GOOD] * (i + 1)) for i in range(count)]
    wide, long = max(map(len, asked)) + left, max(map(len, said)) + right
    ids, mask = torch.zeros(count, wide + long, dtype=torch.long), torch.zeros(count, wide + long, dtype=torch.long)
    for i, (prompt, motion) in enumerate(zip(asked, said, strict=True)):
        ids[i, wide - len(prompt) : wide + len(motion)] = torch.tensor(prompt + motion)
        mask[i, wide - len(prompt) : wide + len(motion)] = 1
    return ids, mask, mask[:, wide:]


@pytest.mark.parametrize("motion_only", [True, False])
def test_log_probabilities_are_those_of_plain_t5(folder, motion_folder, motion_only):
    model = load(motion_folder if motion_only else folder, moved=0.1)
    ids, mask, written = inputs_of(model)
    found, entropy = token_logps(model, ids, mask, written)
    t5 = native(model)
    for i, caption in enumerate(CAPTIONS):
        motion = model.processor.motion_ids([GOOD] * (i + 1))
        expected = log_probs(t5, model.processor.prompt_ids(caption), motion)
        np.testing.assert_allclose(found[i, : len(motion)].detach(), expected.detach(), atol=2e-5)
        assert not found[i, len(motion) :].any() and not entropy[i, len(motion) :].any()
    with torch.no_grad():
        logits = model(input_ids=ids, attention_mask=mask).logits[:, -written.shape[1] - 1 : -1].log_softmax(-1)
    np.testing.assert_allclose(entropy, -(logits.exp() * logits).sum(-1) * written, atol=1e-4)
    assert not entropy.requires_grad and found.requires_grad


def test_temperature_is_scored_as_well(policy):
    ids, mask, written = inputs_of(policy)
    with torch.no_grad():
        logits = policy(input_ids=ids, attention_mask=mask).logits[:, -written.shape[1] - 1 : -1] / 0.5
    tokens = ids[:, -written.shape[1] :, None]
    expected = logits.log_softmax(-1).gather(-1, tokens)[..., 0] * written
    np.testing.assert_allclose(token_logps(policy, ids, mask, written, 0.5)[0].detach(), expected, atol=1e-5)


def test_padding_changes_nothing(policy, monkeypatch):
    value = MotionGPTForValue.from_reward(MotionGPTForReward.from_policy(policy))
    pair = PolicyAndValue(policy, value).eval()
    plain, padded = inputs_of(policy), inputs_of(policy, left=3, right=5)
    with torch.no_grad():
        found, wide = pair(*plain), pair(*padded)
        monkeypatch.setattr("atom_hf.trainer.ppo.policy_and_value._TOGETHER", 3)
        few = pair(*plain)
    columns = plain[2].shape[1]
    for one, two, three in zip(found, wide, few, strict=True):
        np.testing.assert_allclose(two[:, :columns], one, atol=2e-5)
        np.testing.assert_allclose(three, one, atol=1e-6)  # tokens at once
        assert one.any() and not two[:, columns:].any()
    alone = pair(*(tensor[:1] for tensor in plain))
    np.testing.assert_allclose(alone.values.detach()[0], found.values[0], atol=2e-5)


def test_samples_follow_the_scored_distribution(folder):
    """Neither top-k nor temperature of the checkpoint has a say, nor does the restriction to motion of others."""
    model = load(folder, moved=0.3)
    model.generation_config.top_k, model.generation_config.temperature = 2, 0.1
    ids = torch.tensor([model.processor.prompt_ids(CAPTIONS[0])]).expand(4000, -1)
    torch.manual_seed(0)
    drawn = sample_tokens(model, ids, torch.ones_like(ids), most=2)
    with torch.no_grad():
        first = model(input_ids=ids[:1], attention_mask=torch.ones_like(ids[:1])).logits[0, -1].softmax(-1)
    share = torch.bincount(drawn[:, 0], minlength=len(first)) / 4000
    assert float((share - first).abs().max()) < 4 * math.sqrt(0.25 / 4000)
    assert int((share > 0).sum()) > 20  # more than any top-k of the checkpoint
    # Together with what came first: the mean log-probability is minus the entropy of the whole.
    mask = written_mask(drawn, 1)
    logps, entropy = token_logps(model, torch.cat([ids, drawn], 1), torch.cat([torch.ones_like(ids), mask], 1), mask)
    assert abs(float((logps.detach() + entropy).sum(1).mean())) < 0.15 < float(entropy.sum(1).mean())


def test_samples_end_once_and_do_not_depend_on_who_ends_first(motion_folder):
    model = load(motion_folder, moved=0.3)
    ids = torch.tensor([model.processor.prompt_ids(CAPTIONS[0])]).expand(64, -1)
    torch.manual_seed(0)
    drawn = sample_tokens(model, ids, torch.ones_like(ids), most=10)
    mask = written_mask(drawn, 1)
    lengths = set(mask.sum(1).tolist())
    assert len(lengths) > 3 and bool((drawn[mask == 0] == 0).all())
    assert bool(((drawn == 1) & (mask == 1)).sum(1).le(1).all())
    # Rows that went on after others had left have the log-probabilities of rows alone.
    with torch.no_grad():
        together = token_logps(model, torch.cat([ids, drawn], 1), torch.cat([torch.ones_like(ids), mask], 1), mask)[0]
    assert float(together[mask == 1].min()) > -12  # nothing that the model would never write


def test_mask_of_what_was_written():
    found = written_mask(torch.tensor([[5, 6, 1, 0], [1, 0, 0, 0], [5, 6, 7, 8], [5, 1, 6, 1]]), 1)
    assert found.tolist() == [[1, 1, 1, 0], [1, 0, 0, 0], [1, 1, 1, 1], [1, 1, 0, 0]]


# Rollouts ------------------------------------------------------------------------------------------------------------


def test_every_prompt_once_an_epoch_and_each_rollout_repeated():
    sampler = PromptSampler(11, group=4, repeats=3, seed=0, epoch=lambda rollouts: 0)
    order = list(sampler)
    assert len(order) == len(sampler) == 24
    assert order[:4] == order[4:8] == order[8:12] and not set(order[:4]) & set(order[12:])
    assert len(set(order)) == 8
    epochs = [list(PromptSampler(11, 4, 3, 0, lambda rollouts, e=e: e * (rollouts == 2))) for e in range(6)]
    assert epochs[0] == order and len({tuple(epoch) for epoch in epochs}) == 6
    assert set().union(*epochs) == set(range(11))
    with pytest.raises(ValueError, match="A rollout takes 4 prompts on all devices, and the train dataset has 3"):
        PromptSampler(3, 4, 1, 0, lambda _: 0)


def test_a_buffer_gives_each_row_once_an_epoch():
    mask = torch.tensor([[1, 1, 1], [1, 0, 0], [0, 0, 0], [1, 1, 0]])
    tensors = {"mask": mask, "row": torch.arange(4)}
    torch.manual_seed(0)
    buffer = RolloutBuffer(tensors, 3, 1, 2, lambda x: 2 * x, processes=2)  # the other process has as many
    parts = [buffer.next() for _ in range(6)]
    assert buffer.done
    epochs = [torch.cat([parts[2 * e]["row"], parts[2 * e + 1]["row"]]).tolist() for e in range(3)]
    assert all(sorted(epoch) == [0, 1, 2, 3] for epoch in epochs) and len({*map(tuple, epochs)}) > 1
    assert all(part["count"] == 2 * 6 / (2 * 2) for part in parts)  # tokens of all, by parts and processes
    torch.manual_seed(0)
    buffer = RolloutBuffer(tensors, 3, 1, 2, lambda x: 2 * x, processes=2)
    buffer.next()
    again = RolloutBuffer.from_state(buffer.state_dict(), torch.device("cpu"))
    for part in parts[1:]:
        assert torch.equal(again.next()["row"], part["row"])


def test_means_of_batches_of_several_sizes():
    log = MeanLog(lambda x: x)
    log.add("train", {"a": (torch.tensor(6.0), torch.tensor(3)), "b": (torch.tensor(0.0), torch.tensor(0))})
    log.add("train", {"a": (torch.tensor(4.0), torch.tensor(1)), "b": (torch.tensor(0.0), torch.tensor(0))})
    assert log.pop("train") == {"a": 2.5} and log.pop("train") == {} and log.pop("eval") == {}
