"""The whole way from text to gradients, against what InstructMotion's trainer on TRL 0.8.1 gave for the same pairs."""

import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from datasets import Dataset

from atom_hf.data.degrees import DEGREES, LABEL_SMOOTHING
from atom_hf.models.motiongpt import MotionGPTForPreference
from atom_hf.models.processing import MotionGPTProcessor
from atom_hf.models.tokenizer import load_motion_tokenizer
from atom_hf.trainer.dpo_config import MotionDPOConfig
from atom_hf.trainer.dpo_trainer import MotionDPOTrainer
from tests.trainer.conftest import first_batch, message

LAYER = "decoder.block.0.layer.0.SelfAttention.q.weight"


@pytest.fixture(scope="module")
def golden(shared: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Numbers and pairs."""
    with np.load(shared / "golden" / "f_pref_losses.npz") as data:
        numbers = {name: data[name] for name in data.files if name.startswith("e2e/")}
    return numbers, json.loads((shared / "golden" / "f_pref_losses.json").read_text(encoding="utf-8"))


def reference_of(shared: Path) -> MotionGPTForPreference:
    model = MotionGPTForPreference.from_pretrained(shared / "golden" / "c_tiny_lm")
    model.processor = MotionGPTProcessor(load_motion_tokenizer(shared / "golden" / "c_tiny_lm" / "base_tokenizer"))
    return model


def policy_of(shared: Path) -> MotionGPTForPreference:
    """The reference with noise on every weight, drawn by the weight's name."""
    model = reference_of(shared)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            drawn = np.random.Generator(np.random.PCG64(zlib.crc32(f"policy_noise.{name}".encode())))
            weight += torch.from_numpy((0.02 * drawn.standard_normal(tuple(weight.shape))).astype(np.float32))
    return model


def trainer_of(shared: Path, found: dict[str, Any], tmp_path: Path, loss: str, **options: Any) -> MotionDPOTrainer:
    by_smoothing = {round(LABEL_SMOOTHING[degree], 3): degree for degree in DEGREES[:-1]}
    rows = [
        {
            "prompt": message("user", pair["prompt"]),
            "chosen": message("assistant", pair["chosen"]),
            "rejected": message("assistant", pair["rejected"]),
            "degree": by_smoothing[round(pair["label_smoothing"], 3)],
        }
        for pair in found["pairs"]
    ]
    args = MotionDPOConfig(
        str(tmp_path / "out"),
        loss_type=[loss],
        beta=0.1,
        use_peft=False,
        per_device_train_batch_size=4,
        report_to="none",
        use_cpu=True,
        **options,
    )
    return MotionDPOTrainer(policy_of(shared), reference_of(shared), args=args, train_dataset=Dataset.from_list(rows))


def metrics_of(trainer: MotionDPOTrainer) -> dict[str, float]:
    return {name: sum(values) / len(values) for name, values in trainer._metrics["train"].items()}


def test_rows_are_tokenised_as_they_were(golden, shared, tmp_path):
    numbers, found = golden
    trainer = trainer_of(shared, found, tmp_path, "sigmoid", degree_use="label_smoothing")
    for i, row in enumerate(trainer.train_dataset):
        prompt = numbers["e2e/batch/prompt_input_ids"][i][numbers["e2e/batch/prompt_attention_mask"][i] == 1]
        assert row["prompt_ids"] == prompt.tolist()
        for side in ("chosen", "rejected"):
            labels = numbers[f"e2e/batch/{side}_labels"][i]
            assert row[f"{side}_ids"] == labels[labels != -100].tolist()
    np.testing.assert_allclose(
        trainer.train_dataset["label_smoothing"], numbers["e2e/batch/label_smoothing"], rtol=1e-6
    )


@pytest.mark.parametrize("precompute", [True, False])
@pytest.mark.parametrize("loss", ["sigmoid", "hinge", "kto_pair"])
def test_loss_log_probs_and_gradients(golden, shared, tmp_path, loss, precompute):
    numbers, found = golden
    trainer = trainer_of(shared, found, tmp_path, loss, precompute_ref_log_probs=precompute)
    batch = first_batch(trainer)
    assert ("ref_chosen_logps" in batch) == precompute
    trainer.model.train()
    result = trainer._compute_loss(trainer.model, batch, False)
    result.backward()
    expected = {name.removeprefix(f"e2e/{loss}/"): value for name, value in numbers.items()}
    assert result.item() == pytest.approx(float(expected["loss"]), rel=1e-5)
    if precompute:
        for side in ("chosen", "rejected"):
            np.testing.assert_allclose(batch[f"ref_{side}_logps"], expected[f"ref_{side}_logps"], rtol=1e-5, atol=2e-6)
    gradients = {name: weight.grad for name, weight in trainer.model.named_parameters() if weight.grad is not None}
    norm = torch.stack([gradient.norm() for gradient in gradients.values()]).norm()
    assert norm.item() == pytest.approx(float(expected["grad_norm"]), rel=1e-4)
    wanted = torch.from_numpy(expected[f"grad/{LAYER}"])
    assert (gradients[LAYER] - wanted).norm() <= 1e-4 * wanted.norm()
    metrics = metrics_of(trainer)
    for name, value in found[f"e2e/{loss}"].items():
        if not name.startswith("logits/"):  # theirs are means over padding, too
            assert metrics[name] == pytest.approx(value, rel=1e-4), name


def test_ipo(golden, shared, tmp_path):
    """Its metrics were means over tokens, which TRL now logs as sums; so the loss is worked out from the others."""
    numbers, found = golden
    trainer = trainer_of(shared, found, tmp_path, "ipo")
    trainer.model.train()
    result = trainer._compute_loss(trainer.model, first_batch(trainer), False)
    ratios = []
    for side in ("chosen", "rejected"):
        counts = (numbers[f"e2e/batch/{side}_labels"] != -100).sum(1)
        logps = {who: numbers[f"e2e/sigmoid/{who}_{side}_logps"].astype(float) / counts for who in ("policy", "ref")}
        assert logps["policy"].mean() == pytest.approx(found["e2e/ipo"][f"logps/{side}"], rel=1e-4)
        ratios.append(logps["policy"] - logps["ref"])
        assert 0.1 * ratios[-1].mean() == pytest.approx(found["e2e/ipo"][f"rewards/{side}"], rel=1e-3)
    assert result.item() == pytest.approx(np.mean((ratios[0] - ratios[1] - 5) ** 2), rel=1e-5)
    assert metrics_of(trainer)["rewards/accuracies"] == found["e2e/ipo"]["rewards/accuracies"]


def test_label_smoothing(golden, shared, tmp_path):
    """The original read it for each pair; its run had none, so the loss is worked out from its log-probabilities."""
    numbers, found = golden
    trainer = trainer_of(shared, found, tmp_path, "sigmoid", degree_use="label_smoothing")
    result = trainer._compute_loss(trainer.model, first_batch(trainer), False)
    ratios = [
        numbers[f"e2e/sigmoid/policy_{side}_logps"].astype(float) - numbers[f"e2e/sigmoid/ref_{side}_logps"]
        for side in ("chosen", "rejected")
    ]
    delta, smoothing = 0.1 * (ratios[0] - ratios[1]), numbers["e2e/batch/label_smoothing"]
    expected = (1 - smoothing) * np.log1p(np.exp(-delta)) + smoothing * np.log1p(np.exp(delta))
    assert result.item() == pytest.approx(expected.mean(), rel=1e-5)
