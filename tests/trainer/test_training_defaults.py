"""Fields that all configs share: where a run takes place, and the adapter that is trained."""

import pytest

pytest.importorskip("trl")
pytest.importorskip("peft")

import torch
from peft import get_peft_model

from atom_hf.trainer.dpo_config import MotionDPOConfig
from atom_hf.trainer.grpo_config import MotionGRPOConfig
from atom_hf.trainer.kto_config import MotionKTOConfig
from atom_hf.trainer.ppo_config import MotionPPOConfig
from atom_hf.trainer.reward_config import MotionRewardConfig
from atom_hf.trainer.rloo_config import MotionRLOOConfig

CONFIGS = (MotionDPOConfig, MotionGRPOConfig, MotionKTOConfig, MotionPPOConfig, MotionRewardConfig, MotionRLOOConfig)


def test_a_run_on_a_cpu_says_so(monkeypatch):
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: False)
    args = MotionDPOConfig("out")
    assert args.use_cpu and args.bf16 is False and not args.gradient_checkpointing
    assert args.device.type == "cpu"


@pytest.mark.parametrize(("supported", "fp16"), [(True, False), (False, False), (True, True)])
def test_half_precision_where_there_is_some(monkeypatch, supported, fp16):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: supported)
    monkeypatch.setattr("trl.DPOConfig.__post_init__", lambda self: None)  # what a machine without CUDA would refuse
    assert MotionDPOConfig("out", use_cpu=True).bf16 is False
    assert MotionDPOConfig("out", use_cpu=False, fp16=fp16).bf16 is (supported and not fp16)
    assert MotionDPOConfig("out", use_cpu=True, bf16=True).bf16 is True


def test_a_loss_that_is_no_number_is_not_hidden():
    assert MotionDPOConfig("out", use_cpu=True).logging_nan_inf_filter is False


def test_the_adapter_is_the_papers(model):
    config = MotionDPOConfig("out", use_cpu=True).lora()
    assert (config.r, config.lora_alpha, config.lora_dropout, config.target_modules) == (8, 16, 0.05, {"q", "v"})
    wrapped = get_peft_model(model, config)
    trained = {name.split(".lora_")[0] for name, weight in wrapped.named_parameters() if weight.requires_grad}
    # Two layers of the encoder with one attention each, one of the decoder with two.
    assert len(trained) == 2 * (2 + 2) and all(name.endswith((".q", ".v")) for name in trained)
    assert not any("vqvae" in name for name in trained)


def test_fields_reach_it():
    args = MotionDPOConfig(
        "out", use_cpu=True, lora_r=4, lora_alpha=4, lora_dropout=0.0, lora_target_modules=["q", "wo"]
    )  # fmt: skip
    config = args.lora()
    assert (config.r, config.lora_alpha, config.lora_dropout, config.target_modules) == (4, 4, 0.0, {"q", "wo"})
    assert MotionDPOConfig("out", use_cpu=True, use_peft=False, lora_r=0).lora() is None


@pytest.mark.parametrize("change", [{"lora_r": 0}, {"lora_alpha": 0}, {"lora_dropout": 1.0}, {"lora_dropout": -0.1}])
def test_refusals(change):
    args = MotionDPOConfig("out", use_cpu=True, **change)
    with pytest.raises(ValueError, match=r"Expected lora_r and lora_alpha of at least 1 and lora_dropout from 0 to"):
        args.lora()


# Settings that would stop a run, or let it do nothing ----------------------------------------------------------------


@pytest.mark.parametrize("config", CONFIGS)
def test_numbers_are_finite_and_there_is_something_to_train(config):
    for value in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match=f"Expected a finite learning_rate, got {value}"):
            config("out", use_cpu=True, learning_rate=value)
    with pytest.raises(
        ValueError, match=r"max_steps=0 leaves nothing to train. Give a number of steps, or max_steps=-1"
    ):
        config("out", use_cpu=True, max_steps=0)
    with pytest.raises(ValueError, match=r"num_train_epochs=0 leaves nothing to train.*trainer.evaluate\(\)"):
        config("out", use_cpu=True, num_train_epochs=0)
    assert config("out", use_cpu=True, num_train_epochs=0, max_steps=1).max_steps == 1


def test_the_setting_that_is_no_number_is_named():
    nan = float("nan")
    for config, name in ((MotionDPOConfig, "margin_scale"), (MotionPPOConfig, "vf_coef"), (MotionPPOConfig, "gamma")):
        with pytest.raises(ValueError, match=f"Expected a finite {name}, got nan"):
            config("out", use_cpu=True, **{name: nan})
    with pytest.raises(ValueError, match="Expected a finite loss_weights, got nan"):
        MotionDPOConfig("out", use_cpu=True, loss_type=["ipo", "sft"], loss_weights=[1.0, nan])
    assert MotionDPOConfig("out", use_cpu=True, max_grad_norm=float("inf")).max_grad_norm > 1  # which clips nothing


@pytest.mark.parametrize("config", [MotionGRPOConfig, MotionRLOOConfig])
@pytest.mark.parametrize("count", [0, 1, -1, None])
def test_groups_of_fewer_than_two(config, count):
    with pytest.raises(ValueError, match=f"Expected num_generations of at least 2, got {count}: motions for a prompt"):
        config("out", use_cpu=True, num_generations=count)
