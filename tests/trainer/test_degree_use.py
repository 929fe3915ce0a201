"""Degrees of preference: the columns they become, and what those do to the loss of MotionDPOTrainer."""

from typing import Any

import pytest

pytest.importorskip("trl")
pytest.importorskip("peft")

import torch
from datasets import Dataset

from atom_hf.data.degrees import LABEL_SMOOTHING, MARGINS
from atom_hf.trainer.degree_use import DEGREE_USES, degree_columns
from atom_hf.trainer.dpo_config import MotionDPOConfig
from atom_hf.trainer.dpo_trainer import MotionDPOTrainer
from tests.models.trl_parts import load
from tests.trainer.conftest import DEGREES, first_batch, loss_of, pair_rows


def make(model: Any, rows: Any, small: dict[str, Any], reference: Any = None, **options: Any) -> MotionDPOTrainer:
    return MotionDPOTrainer(model, reference, args=MotionDPOConfig(**small | options), train_dataset=rows)


# Columns -------------------------------------------------------------------------------------------------------------


def test_columns_are_the_papers():
    batch = {"degree": DEGREES}
    assert degree_columns(batch, "label_smoothing") == {"label_smoothing": [0.0, 0.2, 0.3, 0.5]}
    assert degree_columns(batch, "margin") == {"margin": [3.0, 2.0, 1.0, 0.0]}
    assert degree_columns(batch, "weight")["weight"] == pytest.approx([1.0, 0.6, 0.4, 0.0])
    assert degree_columns(batch, "none") == {}
    assert degree_columns(batch | {"margin": [1, 2, 3, 4]}, "margin") == {"margin": [1.0, 2.0, 3.0, 4.0]}


def test_there_is_no_other_use():
    assert DEGREE_USES == ("none", "label_smoothing", "margin", "weight")
    with pytest.raises(ValueError, match="Expected degree_use among none, label_smoothing, margin, weight, got 'ls'"):
        degree_columns({"degree": DEGREES}, "ls")


# Losses --------------------------------------------------------------------------------------------------------------


def ratios(trainer: MotionDPOTrainer, batch: dict[str, Any]) -> tuple[torch.Tensor, torch.Tensor]:
    """Means over tokens, of chosen less rejected; and sums."""
    chosen, rejected = trainer.compute_ref_log_probs(trainer.model, batch)  # of the policy: nothing is left out
    counts = batch["completion_mask"].sum(1).chunk(2)
    sides = chosen - batch["ref_chosen_logps"], rejected - batch["ref_rejected_logps"]
    return sides[0] / counts[0] - sides[1] / counts[1], sides[0] - sides[1]


@pytest.mark.parametrize("loss", ["sigmoid", "hinge", "ipo"])
@pytest.mark.parametrize("use", ["label_smoothing", "margin", "weight"])
def test_a_degree_does_to_the_loss_what_the_arithmetic_says(folder, pairs, small, use, loss):
    trainer = make(
        load(folder), pairs, small, load(folder, moved=0.1), loss_type=[loss], beta=0.5, degree_use=use,
        margin_scale=0.5, use_peft=False,
    )  # fmt: skip
    batch = first_batch(trainer)
    means, sums = ratios(trainer, batch | {})
    smoothing = torch.tensor([LABEL_SMOOTHING[degree] for degree in DEGREES])
    margin = 0.5 * torch.tensor([MARGINS[degree] for degree in DEGREES]) if use == "margin" else torch.zeros(4)

    def one_way(sign: int) -> torch.Tensor:
        scores = 0.5 * sign * (means if loss == "ipo" else sums) - margin
        if loss == "sigmoid":
            return torch.log1p(torch.exp(-scores))
        return (1 - scores).clamp(min=0) if loss == "hinge" else (scores / 0.5 - 1) ** 2

    expected = one_way(1)
    if use == "label_smoothing":
        expected = (1 - smoothing) * expected + smoothing * one_way(-1)
    if use == "weight":
        expected = (1 - 2 * smoothing) * expected
    assert loss_of(trainer, batch).item() == pytest.approx(expected.mean().item(), rel=1e-4)


def test_a_margin_of_the_dataset_goes_first(folder, small):
    rows = [row | {"margin": 0.25 * i} for i, row in enumerate(pair_rows(4))]
    trainer = make(load(folder), Dataset.from_list(rows), small, degree_use="margin")
    assert first_batch(trainer)["margin"].tolist() == [0, 0.25, 0.5, 0.75]
    for row in rows:
        del row["degree"]
    make(load(folder), Dataset.from_list(rows), small, degree_use="margin")
    with pytest.raises(
        ValueError, match=r"degree_use='weight' needs a column 'degree', which the train dataset lacks"
    ):
        make(load(folder), Dataset.from_list(rows), small, degree_use="weight")


def test_metrics_are_trls_whoever_computes_the_loss(folder, pairs, small):
    found = []
    for use in ("none", "weight"):
        trainer = make(load(folder), pairs, small, load(folder, moved=0.1), degree_use=use)
        trainer.model.train()
        loss_of(trainer, first_batch(trainer))
        found.append({name: values[:1] for name, values in trainer._metrics["train"].items()})
    assert found[0] == found[1] and len(found[0]) > 8


def test_subsets(folder, small):
    rows = Dataset.from_list([*pair_rows(), pair_rows(1)[0] | {"degree": "skipped"}])
    trainer = make(load(folder), rows, small)
    assert len(trainer.train_dataset) == 8
    trainer = make(load(folder), rows, small, degrees=["better", "much better"], train_share=0.5)
    assert set(trainer.train_dataset["degree"]) <= {"better", "much better"} and len(trainer.train_dataset) == 2


def test_evaluation_takes_all_pairs(folder, pairs, small):
    args = MotionDPOConfig(**small, degrees=["better"], train_share=0.5, degree_use="label_smoothing")
    trainer = MotionDPOTrainer(load(folder), args=args, train_dataset=pairs, eval_dataset={"a": pairs, "b": pairs})
    assert len(trainer.train_dataset) == 1 and len(trainer.eval_dataset["a"]) == 8
    metrics = trainer.evaluate()
    smoothed = 25.0  # Δ = 0 costs the same both ways
    assert metrics["eval_a_loss"] == pytest.approx(smoothed, abs=1e-4)
    trainer.train()
    assert trainer.evaluate(pairs)["eval_loss"] != pytest.approx(smoothed, abs=1e-4)
