"""TRL's trainers with LoRA, gradient checkpointing, bfloat16, a precomputed reference, and from run to run."""

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("trl")
pytest.importorskip("peft")

import torch
from peft import LoraConfig, PeftModel
from torch import Tensor

from atom_hf.models.motiongpt import MotionGPTForPreference
from tests.models.trl_parts import ROWS, checkpoint, load, tokenizer_of, train, trainer

pytestmark = pytest.mark.slow
KINDS = ["sft", "dpo", "kto", "grpo", "rloo"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return checkpoint(tmp_path_factory.mktemp("matrix"), untied=True, motion_only=True)


@pytest.fixture(scope="module")
def plain_runs(folder) -> dict[str, Any]:
    """Each trainer as in the contract, which the variants are compared with."""
    return {kind: train(trainer(kind, folder, max_steps=1)) for kind in KINDS}


def lora(targets: Any) -> LoraConfig:
    return LoraConfig(r=4, lora_alpha=8, target_modules=targets, init_lora_weights=False)


def logits_of(model: Any, folder: Path) -> Tensor:
    row = [{"role": "user", "content": ROWS[0].prompt}, {"role": "assistant", "content": ROWS[0].chosen}]
    ids = tokenizer_of(folder).apply_chat_template([row], return_tensors="pt", return_dict=True)
    model.eval()
    with torch.no_grad():
        return model(**ids).logits


def close(found: dict[str, Tensor], expected: dict[str, Tensor], tolerance: float) -> None:
    assert found.keys() == expected.keys()
    first, second = (torch.cat([d[name].float().flatten() for name in sorted(d)]) for d in (found, expected))
    assert (first - second).norm() <= tolerance * second.norm()
    assert second.norm() > 1e-3


@pytest.mark.parametrize("reentrant", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_gradient_checkpointing_changes_nothing(folder, plain_runs, kind, reentrant):
    how = {"gradient_checkpointing": True, "gradient_checkpointing_kwargs": {"use_reentrant": reentrant}}
    result = train(trainer(kind, folder, max_steps=1, **how))
    assert result.log[0]["loss"] == pytest.approx(plain_runs[kind].log[0]["loss"], abs=1e-5)
    close(result.gradients, plain_runs[kind].gradients, 1e-5)


@pytest.mark.parametrize("kind", ["sft", "dpo", "kto"])
def test_bfloat16_is_near(folder, plain_runs, kind):
    result = train(trainer(kind, folder, max_steps=1, bf16=True))
    assert result.log[0]["loss"] == pytest.approx(plain_runs[kind].log[0]["loss"], rel=0.02)
    assert result.log[0]["loss"] != plain_runs[kind].log[0]["loss"]
    assert all(gradient.dtype == torch.float32 for gradient in result.gradients.values())
    close(result.gradients, plain_runs[kind].gradients, 0.1)


@pytest.mark.parametrize("kind", ["grpo", "rloo"])
def test_bfloat16_samples_and_learns(folder, kind):
    run = trainer(kind, folder, bf16=True)
    before = {name: weight.clone() for name, weight in run.model.named_parameters()}
    result = train(run)
    assert all(torch.isfinite(torch.tensor(entry["loss"])) for entry in result.log)
    changed = [name for name, weight in run.model.named_parameters() if not torch.equal(weight, before[name])]
    assert set(changed) == set(result.gradients)


@pytest.mark.parametrize("targets", [["q", "v"], "all-linear"], ids=["qv", "all-linear"])
@pytest.mark.parametrize("kind", KINDS)
def test_lora(folder, kind, targets):
    plain = train_adapters(folder, kind, targets)
    for reentrant in (True, False):
        how = {"gradient_checkpointing": True, "gradient_checkpointing_kwargs": {"use_reentrant": reentrant}}
        close(train_adapters(folder, kind, targets, **how), plain, 1e-5)
    half = train_adapters(folder, kind, targets, bf16=True)
    if kind not in (
        "grpo",
        "rloo",
    ):  # they train on what they sample, which may be something else in another precision
        close(half, plain, 0.1)


def train_adapters(folder: Path, kind: str, targets: Any, **how: Any) -> dict[str, Tensor]:
    """Gradients of the first step; the adapters, all of them in T5, have changed, and nothing else."""
    torch.manual_seed(3)
    run = trainer(kind, folder, load(folder), peft_config=lora(targets), max_steps=2, **how)
    adapters = [name for name, _ in run.model.named_modules() if name.endswith(".lora_B")]
    assert len(adapters) >= 2 * (2 + 2) and not any("vqvae" in name or "lm_head" in name for name in adapters)
    before = {name: weight.clone() for name, weight in run.model.named_parameters()}
    gradients = train(run).gradients
    assert set(gradients) == {name for name in before if "lora_" in name}
    for name, weight in run.model.named_parameters():
        assert torch.equal(weight, before[name]) == ("lora_" not in name), name
    return gradients


def test_precomputed_reference(folder):
    runs = [train(trainer("dpo", folder, load(folder), precompute_ref_log_probs=now)) for now in (True, False)]
    losses = [[entry["loss"] for entry in run.log] for run in runs]
    assert losses[0] == pytest.approx(losses[1], abs=1e-5) and losses[0][2] < losses[0][0] - 0.01
    close(runs[0].gradients, runs[1].gradients, 1e-5)


@pytest.mark.parametrize("kind", ["sft", "dpo"])
def test_resumed_run_ends_where_the_whole_one_does(folder, kind, tmp_path):
    how = {"max_steps": 4, "save_strategy": "steps", "save_steps": 2, "output_dir": str(tmp_path)}
    whole = trainer(kind, folder, load(folder), **how)
    whole.train()
    resumed = trainer(kind, folder, load(folder), **how)
    resumed.train(resume_from_checkpoint=str(tmp_path / "checkpoint-2"))
    for name, weight in resumed.model.state_dict().items():
        assert torch.equal(weight, whole.model.state_dict()[name]), name
    again = MotionGPTForPreference.from_pretrained(tmp_path / "checkpoint-4")
    assert torch.equal(logits_of(again, folder), logits_of(whole.model, folder))
    assert not torch.allclose(logits_of(again, folder), logits_of(load(folder), folder), atol=1e-2)
    stored = load(folder).vqvae.state_dict()
    assert all(torch.equal(tensor, stored[name]) for name, tensor in again.vqvae.state_dict().items())


@pytest.mark.parametrize("untied", [False, True])
@pytest.mark.parametrize("targets", [["q", "v"], "all-linear"], ids=["qv", "all-linear"])
def test_adapter_is_saved_loaded_and_merged(targets, untied, tmp_path):
    folder = checkpoint(tmp_path / "base", untied=untied, motion_only=True)
    run = trainer("dpo", folder, load(folder), peft_config=lora(targets))
    run.train()
    run.save_model(str(tmp_path / "adapter"))
    assert not (tmp_path / "adapter" / "model.safetensors").exists()
    expected = logits_of(run.model, folder)
    loaded = PeftModel.from_pretrained(load(folder), tmp_path / "adapter")
    torch.testing.assert_close(logits_of(loaded, folder), expected, rtol=1e-5, atol=1e-4)
    merged = loaded.merge_and_unload()
    assert type(merged) is MotionGPTForPreference
    merged.save_pretrained(tmp_path / "merged")
    again = MotionGPTForPreference.from_pretrained(tmp_path / "merged")
    assert again.config.motion_only and again.vqvae is not None
    torch.testing.assert_close(logits_of(again, folder), expected, rtol=1e-4, atol=1e-3)
    assert not torch.allclose(expected, logits_of(load(folder), folder), atol=1e-2)
