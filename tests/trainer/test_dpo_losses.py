"""Every loss of TRL, and those that it lacks, through MotionDPOTrainer."""

import math
from typing import Any

import pytest

pytest.importorskip("trl")
pytest.importorskip("peft")

import torch

from atom_hf.trainer.dpo_config import MotionDPOConfig
from atom_hf.trainer.dpo_trainer import MotionDPOTrainer
from tests.models.trl_parts import load
from tests.trainer.conftest import first_batch, loss_of, losses

AGREES = {"sigmoid": math.log(2), "hinge": 1.0, "ipo": 25.0, "kto_pair": 0.5}  # of equal policy and reference, β 0.1
TRL_LOSSES = [
    "sigmoid", "hinge", "ipo", "exo_pair", "nca_pair", "robust", "bco_pair", "sppo_hard", "aot", "aot_unpaired",
    "apo_zero", "apo_down", "discopop", "sft", "sigmoid_norm",
]  # fmt: skip


def make(model: Any, rows: Any, small: dict[str, Any], reference: Any = None, **options: Any) -> MotionDPOTrainer:
    return MotionDPOTrainer(model, reference, args=MotionDPOConfig(**small | options), train_dataset=rows)


@pytest.mark.parametrize("loss", [*TRL_LOSSES, "kto_pair"])
def test_every_loss_takes_a_step(folder, pairs, small, loss):
    smoothing = {"exo_pair": 1e-3, "robust": 0.1}.get(loss, 0.0)
    trainer = make(load(folder), pairs, small, loss_type=[loss], label_smoothing=smoothing)
    trainer.train()
    first, second = losses(trainer)
    assert math.isfinite(second) and second != first
    if loss in AGREES:
        assert first == pytest.approx(AGREES[loss], abs=1e-4)


def test_trl_and_this_package_agree_where_both_know_a_loss(folder, pairs, small):
    """Smoothing of nothing computes them here; none at all leaves them to TRL."""
    model = load(folder)
    for loss in ("sigmoid", "hinge", "ipo"):
        trainer = make(model, pairs, small, load(folder, moved=0.1), loss_type=[loss], use_peft=False)
        batch, found = first_batch(trainer), []
        for ours in (False, True):
            trainer.model.zero_grad()
            if ours:
                trainer._pair_losses_needed = lambda: True  # type: ignore[method-assign]
            value = loss_of(trainer, batch)
            value.backward()
            found.append((value.detach(), model.decoder.block[0].layer[0].SelfAttention.q.weight.grad.clone()))
        torch.testing.assert_close(found[0][0], found[1][0], rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(found[0][1], found[1][1], rtol=1e-4, atol=1e-7)
        assert found[0][1].norm() > 1e-4


def test_losses_are_weighted_and_summed(folder, pairs, small):
    """Also where one of them is TRL's and the other is not."""
    single = {}
    for names, weights in (
        (["ipo"], None), (["kto_pair"], None), (["ipo", "kto_pair"], [0.5, 2.0]), (["ipo", "sft"], [1.0, 0.5]),
        (["sft"], None),
    ):  # fmt: skip
        trainer = make(
            load(folder), pairs, small, load(folder, moved=0.1), loss_type=names, loss_weights=weights, use_peft=False
        )
        single[tuple(names)] = loss_of(trainer, first_batch(trainer)).item()
    mixed = 0.5 * single["ipo",] + 2 * single["kto_pair",]
    assert single["ipo", "kto_pair"] == pytest.approx(mixed, rel=1e-5)
    assert single["ipo", "sft"] == pytest.approx(single["ipo",] + 0.5 * single["sft",], rel=1e-5)
