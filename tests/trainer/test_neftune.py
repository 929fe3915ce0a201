"""Noise on embeddings reaches a T5's encoder while it trains: never in evaluation, and never its reference."""

from typing import Any

import pytest

pytest.importorskip("trl")
pytest.importorskip("peft")

import torch
from datasets import Dataset
from peft import LoraConfig, get_peft_model

from atom_hf.models.reward_model import MotionGPTForReward
from atom_hf.trainer.dpo_config import MotionDPOConfig
from atom_hf.trainer.dpo_trainer import MotionDPOTrainer
from atom_hf.trainer.neftune import EncoderNoise, noisy
from atom_hf.trainer.policy import base_of
from tests.models.trl_parts import load
from tests.trainer.conftest import losses, pair_rows

IDS = torch.tensor([[5, 6, 7, 1, 9, 1], [8, 9, 10, 1, 7, 1]])


def logits(model: Any) -> torch.Tensor:
    with torch.no_grad():
        return model(IDS).logits


def test_size_is_the_papers():
    torch.manual_seed(0)
    embeddings = torch.randn(4, 50, 128)
    noise = noisy(embeddings, 5.0) - embeddings
    most = 5 / (50 * 128) ** 0.5
    assert 0.99 * most < noise.abs().max() <= 1.001 * most
    assert noise.mean().abs() < 0.01 * most
    assert noise.std().item() == pytest.approx(most / 3**0.5, rel=0.02)  # of a uniform distribution


def test_logits_change_in_training_alone(model):
    plain = logits(model.eval())
    with EncoderNoise(5.0).on(model):
        assert torch.equal(logits(model), plain)
        model.train()
        drawn = [logits(model) for _ in range(2)]
        assert not torch.allclose(drawn[0], plain, atol=1e-3) and not torch.allclose(*drawn, atol=1e-3)
    assert torch.equal(logits(model), plain)  # still in training: the hook is gone


def test_pause(model):
    model.train()
    plain, noise = logits(model), EncoderNoise(5.0)
    with noise.on(model):
        with noise.paused():
            assert torch.equal(logits(model), plain)
            with noise.paused():
                pass
            assert torch.equal(logits(model), plain)
        assert not torch.equal(logits(model), plain)


def test_hook_goes_when_training_fails(model):
    model.train()
    with pytest.raises(KeyError), EncoderNoise(5.0).on(model):
        raise KeyError
    assert not model.encoder.embed_tokens._forward_hooks


def test_under_peft_and_in_a_reward_model(model):
    wrapped = get_peft_model(model, LoraConfig(target_modules=["q", "v"])).train()
    plain = logits(wrapped)
    with EncoderNoise(5.0).on(wrapped):
        assert not torch.equal(logits(wrapped), plain)
    reward = MotionGPTForReward.from_policy(wrapped.unload()).train()
    before = reward(IDS).logits
    with EncoderNoise(5.0).on(reward):
        assert not torch.equal(reward(IDS).logits, before)


@pytest.mark.parametrize("alpha", [0.0, -1.0, float("nan")])
def test_refusals(alpha):
    with pytest.raises(ValueError, match="Expected neftune_noise_alpha above 0"):
        EncoderNoise(alpha)


@pytest.mark.parametrize("precompute", [True, False])
@pytest.mark.parametrize("use_peft", [True, False])
def test_a_trainer_puts_it_on_the_policy_alone(folder, small, use_peft, precompute):
    """At the first step the policy is its reference but for the noise: without any, IPO's loss is 5² exactly."""
    rows, found = Dataset.from_list(pair_rows()), {}
    for alpha in (None, 15.0):
        args = MotionDPOConfig(
            **small | {"output_dir": f"{small['output_dir']}{alpha}", "max_steps": 1},
            use_peft=use_peft,
            precompute_ref_log_probs=precompute,
            neftune_noise_alpha=alpha,
        )
        trainer = MotionDPOTrainer(load(folder), args=args, train_dataset=rows)
        seen = watch_reference(trainer)
        trainer.train()
        found[alpha] = losses(trainer)[0]
        assert len(seen) == (not precompute) and all(torch.equal(*pair) for pair in seen)
        assert trainer.neftune_noise_alpha == alpha
        assert not base_of(trainer.model).encoder.embed_tokens._forward_hooks
    assert found[None] == pytest.approx(25, abs=1e-4)
    assert abs(found[15.0] - 25) > 1e-2


def watch_reference(trainer: MotionDPOTrainer) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """While the trainer trains: each reference score, twice, since noise would differ."""
    seen: list[tuple[torch.Tensor, torch.Tensor]] = []
    score = trainer.compute_ref_log_probs

    def watched(model: Any, inputs: Any) -> Any:
        scores = score(model, inputs)
        seen.append((scores[0], score(model, inputs)[0]))
        return scores

    trainer.compute_ref_log_probs = watched  # type: ignore[method-assign]
    return seen
