"""Unmodified trainers of TRL train the model as the T5 that it is: same losses, same gradients, a frozen VQ-VAE."""

import copy
import math
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("trl")

import torch
import torch.nn.functional as F
from datasets import Dataset
from torch import Tensor
from transformers import AutoModelForCausalLM

from atom_hf.models.motiongpt import MotionGPTForPreference
from tests.models.trl_parts import (
    BETA,
    CAPTIONS,
    ROWS,
    Rewards,
    checkpoint,
    dataset,
    load,
    log_probs,
    native,
    same_gradients,
    tokenizer_of,
    train,
    trainer,
)


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("trl")
    return {
        "tied": checkpoint(root / "tied"),
        "untied": checkpoint(root / "untied", untied=True),
        "motion_only": checkpoint(root / "motion_only", motion_only=True),
        "dropout": checkpoint(root / "dropout", dropout=0.1),
    }


class Pair:
    """Policy and reference of a trainer that has not trained yet, as plain T5s."""

    def __init__(self, folder: Path) -> None:
        self.policy, self.reference = native(load(folder, moved=0.1)), native(load(folder))
        self.tokenizer = tokenizer_of(folder)

    def ids(self, text: str) -> list[int]:
        return self.tokenizer(text).input_ids

    def logps(self, prompt: str, completion: str) -> tuple[Tensor, Tensor]:
        """Sums over the completion, of policy and reference."""
        return self.logps_of(self.ids(prompt), self.ids(completion), whole=True)

    def logps_of(self, prompt: list[int], completion: list[int], whole: bool = False) -> tuple[Tensor, Tensor]:
        with torch.no_grad():
            reference = log_probs(self.reference, prompt, completion)
        policy = log_probs(self.policy, prompt, completion)
        return (policy.sum(), reference.sum()) if whole else (policy, reference)


def relative(a: float, b: float) -> float:
    return abs(a - b) / abs(b)


# Losses and gradients ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("head", ["tied", "untied"])
def test_sft(folders, head):
    pair = Pair(folders[head])
    run = trainer("sft", folders[head])
    result = train(run)
    scored = [log_probs(pair.policy, pair.ids(row.prompt), pair.ids(row.chosen)) for row in ROWS]
    expected = -torch.cat(scored).mean()
    assert relative(result.log[0]["loss"], expected.item()) < 2e-4
    same_gradients(result.gradients, pair.policy, expected)
    assert result.log[-1]["loss"] < 0.95 * result.log[0]["loss"]


@pytest.mark.parametrize("head", ["tied", "untied"])
@pytest.mark.parametrize("loss_type", ["sigmoid", "hinge", "ipo"])
def test_dpo(folders, loss_type, head):
    pair = Pair(folders[head])
    run = trainer("dpo", folders[head], loss_type=[loss_type])
    result = train(run)
    losses = []
    for row in ROWS:
        (chosen, chosen_ref), (rejected, rejected_ref) = (
            pair.logps(row.prompt, text) for text in (row.chosen, row.rejected)
        )
        won, lost = chosen - chosen_ref, rejected - rejected_ref
        if loss_type == "ipo":  # TRL's is per token
            won, lost = won / len(pair.ids(row.chosen)), lost / len(pair.ids(row.rejected))
        margin = won - lost
        losses.append(
            {
                "sigmoid": -F.logsigmoid(BETA["dpo"] * margin),
                "hinge": torch.relu(1 - BETA["dpo"] * margin),
                "ipo": (margin - 1 / (2 * BETA["dpo"])) ** 2,
            }[loss_type]
        )
    expected = torch.stack(losses).mean()
    equal = {"sigmoid": math.log(2), "hinge": 1.0, "ipo": 1 / (2 * BETA["dpo"]) ** 2}[loss_type]
    assert abs(expected.item() - equal) > 0.02  # of a policy that is its reference
    assert relative(result.log[0]["loss"], expected.item()) < 2e-4
    same_gradients(result.gradients, pair.policy, expected)
    assert result.log[-1]["loss"] < result.log[0]["loss"]
    assert result.log[-1]["rewards/margins"] > result.log[0]["rewards/margins"] + 0.1


@pytest.mark.parametrize("head", ["tied", "untied"])
def test_kto(folders, head):
    pair = Pair(folders[head])
    run = trainer("kto", folders[head])
    result = train(run)
    examples = [(row.prompt, text) for row in ROWS for text in (row.chosen, row.rejected)]
    turned = [examples[-1], *examples[:-1]]
    mismatched = [pair.logps(prompt, other) for (prompt, _), (_, other) in zip(examples, turned, strict=True)]
    kl = torch.stack([policy - reference for policy, reference in mismatched]).mean().clamp(min=0).detach()
    losses = []
    for i, example in enumerate(examples):
        policy, reference = pair.logps(*example)
        sign = 1 if i % 2 == 0 else -1
        losses.append(1 - torch.sigmoid(sign * BETA["kto"] * (policy - reference - kl)))
    expected = torch.stack(losses).mean()
    assert relative(result.log[0]["loss"], expected.item()) < 2e-4
    assert result.log[0]["kl"] == pytest.approx(kl.item(), rel=1e-3, abs=1e-4)
    same_gradients(result.gradients, pair.policy, expected)
    assert result.log[-1]["loss"] < result.log[0]["loss"]
    assert result.log[-1]["rewards/margins"] > result.log[0]["rewards/margins"]


def sampled(run: Any, pair: Pair) -> tuple[list[tuple[Tensor, Tensor]], Tensor]:
    """What the policy wrote before its first step: log-probabilities of policy and reference, and rewards [2, 4]."""
    prompts, completions = run.reward_funcs[0].calls[0]
    assert len(completions) == 8 and len(set(map(tuple, completions))) > 1
    rows = [
        pair.logps_of(pair.ids(prompt[0]["content"]), ids) for prompt, ids in zip(prompts, completions, strict=True)
    ]
    return rows, torch.tensor([Rewards.score(ids) for ids in completions]).view(2, 4)


@pytest.mark.parametrize("head", ["tied", "untied", "motion_only"])
def test_grpo(folders, head):
    pair = Pair(folders[head])
    run = trainer("grpo", folders[head], max_steps=1)
    result = train(run)
    rows, rewards = sampled(run, pair)
    advantages = ((rewards - rewards.mean(1, keepdim=True)) / (rewards.std(1, keepdim=True) + 1e-4)).flatten()
    losses, kl = [], []
    for (policy, reference), advantage in zip(rows, advantages, strict=True):
        kl.append((reference - policy).exp() - (reference - policy) - 1)
        ratio = (policy - policy.detach()).exp()  # 1, but for its gradient, which TRL lets reach the penalty as well
        losses.append(ratio * (BETA["grpo"] * kl[-1] - advantage))
    expected = torch.cat(losses).mean()
    assert result.log[0]["loss"] == pytest.approx(expected.item(), rel=1e-3, abs=1e-4)
    assert relative(result.log[0]["kl"], torch.cat(kl).mean().item()) < 1e-3
    assert relative(result.log[0]["reward"], rewards.mean().item()) < 1e-3
    same_gradients(result.gradients, pair.policy, expected)


@pytest.mark.parametrize("head", ["tied", "untied", "motion_only"])
def test_rloo(folders, head):
    pair = Pair(folders[head])
    run = trainer("rloo", folders[head], max_steps=1)
    result = train(run)
    rows, rewards = sampled(run, pair)
    kl = torch.cat([policy - reference for policy, reference in rows]).mean().item()
    policy, reference = (torch.stack([part.sum() for part in side]) for side in zip(*rows, strict=True))
    penalised = rewards - BETA["rloo"] * (policy - reference).detach().view(2, 4)
    others = (penalised.sum(1, keepdim=True) - penalised) / 3
    # The loss itself is 0, whatever the model: its gradient is what matters.
    expected = -((policy - policy.detach()).exp() * (penalised - others).flatten()).mean()
    assert result.log[0]["kl"] == pytest.approx(kl, rel=1e-3, abs=1e-4)
    same_gradients(result.gradients, pair.policy, expected)


def even_mass(t5: Any, pair: Pair) -> float:
    """How likely the first token is one that the reward asks for."""
    with torch.no_grad():
        first = [
            t5(input_ids=torch.tensor([pair.ids(caption)]), decoder_input_ids=torch.tensor([[0]])).logits[0, 0]
            for caption in CAPTIONS
        ]
    return torch.stack([(logits + t5.motion_bias).softmax(-1)[::2].sum() for logits in first]).mean().item()


@pytest.mark.parametrize("kind", ["grpo", "rloo"])
def test_online_policy_learns_what_is_rewarded(folders, kind):
    pair = Pair(folders["motion_only"])
    more = {"per_device_train_batch_size": 32, "num_generations": 8, "beta": 0.02}
    run = trainer(kind, folders["motion_only"], max_steps=6, **more)
    train(run)
    before, after = even_mass(pair.policy, pair), even_mass(native(run.model), pair)
    assert after > before + 0.25


# Motion only, reference from disk, dropout ---------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["grpo", "rloo"])
def test_motion_only_policy_writes_motion_and_its_reference_too(folders, kind):
    run = trainer(kind, folders["motion_only"], max_steps=2)
    train(run)
    allowed = {*run.model.config.motion_token_range, run.model.config.eos_token_id}
    written = [token for _, completions in run.reward_funcs[0].calls for ids in completions for token in ids]
    assert len(written) > 20 and set(written) <= allowed
    reference = run.ref_model
    assert type(reference) is MotionGPTForPreference and reference.config.motion_only
    bias = reference.get_output_embeddings().bias
    assert {i for i, value in enumerate(bias.tolist()) if value == 0} == allowed


def test_reference_is_the_checkpoint_on_disk(folders):
    run = trainer("dpo", folders["untied"])
    assert type(run.ref_model) is MotionGPTForPreference
    stored = AutoModelForCausalLM.from_pretrained(folders["untied"]).state_dict()
    assert all(torch.equal(weight, stored[name]) for name, weight in run.ref_model.state_dict().items())
    assert not torch.equal(run.model.lm_head.weight, stored["lm_head.weight"])


def test_dropout_is_off_where_the_trainer_turns_it_off(folders):
    model = load(folders["dropout"])
    ids = torch.tensor([tokenizer_of(folders["dropout"])(ROWS[0].prompt + "</s>" + ROWS[0].chosen).input_ids])
    model.train()
    assert not torch.equal(model(ids).logits, model(ids).logits)
    run = trainer("dpo", folders["dropout"], model)
    run.model.train()
    first, second = run.model(ids).logits, run.model(ids).logits
    assert torch.equal(first, second)
    run.model.eval()
    assert torch.equal(first, run.model(ids).logits)


# Rows of plain strings -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["sft", "dpo", "kto"])
def test_plain_strings_are_refused_where_the_trainer_joins_them_wrongly(folders, kind):
    run = trainer(kind, folders["tied"], rows=dataset(kind, plain=True))
    before = copy.deepcopy(run.model.state_dict())
    with pytest.raises(ValueError, match="conversational rows"):
        run.train()
    assert all(torch.equal(weight, before[name]) for name, weight in run.model.state_dict().items())


@pytest.mark.parametrize("kind", ["grpo", "rloo"])
def test_plain_prompts_are_conversational_ones(folders, kind):
    found = [
        train(trainer(kind, folders["tied"], rows=dataset(kind, plain=plain), max_steps=1)) for plain in (False, True)
    ]
    assert found[0].log[0]["kl"] == found[1].log[0]["kl"] != 0
    for name, gradient in found[0].gradients.items():
        assert torch.equal(gradient, found[1].gradients[name])


def test_empty_completions_are_no_mistake(folders):
    model = load(folders["tied"])
    prompt = tokenizer_of(folders["tied"])(ROWS[1].prompt).input_ids
    ids = torch.tensor([[*prompt, 1]])  # a policy may close its completion at once
    hidden = model.base_model(ids).last_hidden_state
    hidden[:, len(prompt) - 1 :].sum().backward(retain_graph=True)
    with pytest.raises(ValueError, match="Labels stand in the prompt"):
        hidden[:, len(prompt) - 2 :].sum().backward()


def test_text_without_prompts_is_refused(folders):
    rows = Dataset.from_list([{"text": f"{row.prompt} {row.chosen}"} for row in ROWS])
    with pytest.raises(ValueError, match="conversational rows"):
        trainer("sft", folders["tied"], rows=rows).train()


def test_labels_in_the_prompt_are_refused(folders):
    with pytest.raises(ValueError, match="score completions only"):
        trainer("sft", folders["tied"], completion_only_loss=False).train()


# Trainers that may vanish from TRL -----------------------------------------------------------------------------------


@pytest.mark.parametrize("head", ["tied", "untied", "motion_only"])
def test_online_dpo(folders, head):
    pair = Pair(folders[head])
    rewards = Rewards()
    reference = load(folders[head])  # by default a copy of the policy
    run = trainer("online_dpo", folders[head], ref_model=reference, reward_funcs=rewards, max_new_tokens=6)
    result = train(run)
    prompts, completions = rewards.calls[0]
    assert len(completions) == 8
    losses = []
    for i in range(4):
        pair_of = sorted((completions[i], completions[i + 4]), key=Rewards.score, reverse=True)
        text = prompts[i][0]["content"]
        (chosen, chosen_ref), (rejected, rejected_ref) = (
            pair.logps_of(pair.ids(text), ids, whole=True) for ids in pair_of
        )
        losses.append(-F.logsigmoid(BETA["online_dpo"] * (chosen - chosen_ref - rejected + rejected_ref)))
    expected = torch.stack(losses).mean()
    assert relative(result.log[0]["loss"], expected.item()) < 1e-3
    same_gradients(result.gradients, pair.policy, expected)


@pytest.mark.parametrize("head", ["tied", "untied"])
@pytest.mark.parametrize("kind", ["cpo", "orpo"])
def test_trainers_that_know_t5(folders, kind, head):
    pair = Pair(folders[head])
    run = trainer(kind, folders[head], rows=dataset(kind, plain=True), max_completion_length=32)
    result = train(run)
    sides = [[log_probs(pair.policy, pair.ids(row.prompt), pair.ids(row[i])) for row in ROWS] for i in (1, 2)]
    nll = -torch.cat(sides[0]).mean()
    if kind == "cpo":
        chosen, rejected = (torch.stack([part.sum() for part in side]) for side in sides)
        expected = nll - F.logsigmoid(BETA[kind] * (chosen - rejected)).mean()
    else:
        chosen, rejected = (torch.stack([part.mean() for part in side]) for side in sides)
        odds = chosen - rejected - torch.log1p(-chosen.exp()) + torch.log1p(-rejected.exp())
        expected = nll - BETA[kind] * F.logsigmoid(odds).mean()
    assert relative(result.log[0]["loss"], expected.item()) < 1e-3
    same_gradients(result.gradients, pair.policy, expected)
    assert result.log[-1]["loss"] < result.log[0]["loss"]


@pytest.mark.parametrize("kind", ["cpo", "orpo"])
def test_messages_where_the_trainer_closes_them_twice(folders, kind):
    run = trainer(kind, folders["tied"], max_completion_length=32)
    with pytest.raises(ValueError, match=r"end with </s> twice.* rows of plain strings"):
        run.train()
