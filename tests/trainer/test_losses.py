"""Losses of pairs: the published code's numbers and gradients, and the arithmetic written out."""

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("trl")

import torch
from torch import Tensor

from atom_hf.trainer.losses import PAIR_LOSSES, margin_losses, pair_losses, per_token


@pytest.fixture(scope="module")
def golden(shared: Path) -> dict[str, Tensor]:
    """What TRL 0.8.1 gave, and InstructMotion's reward trainer."""
    with np.load(shared / "golden" / "f_pref_losses.npz") as data:
        return {name: torch.from_numpy(data[name]) for name in data.files if not name.startswith("e2e/")}


def cases() -> Iterator[tuple[str, str, str]]:
    for loss in PAIR_LOSSES:
        for smoothing in ("ls0.0", "ls0.1", "lsvec") if loss == "sigmoid" else ("ls0.0",):
            for size in ("sum", "mean"):
                yield loss, smoothing, size


@pytest.mark.parametrize(("loss", "smoothing", "size"), cases())
def test_as_the_original(golden, loss, smoothing, size):
    sides = {}
    for side in ("chosen", "rejected"):
        count = golden[f"n_{side}"] if size == "mean" else 1
        policy = (golden[f"policy_{side}"] / count).requires_grad_()
        sides[side] = policy, policy - golden[f"ref_{side}"] / count
    expected = {name: golden[f"{loss}/beta0.1/{smoothing}/{size}/{name}"] for name in ("losses", "loss_mean")}
    how = {"ls0.0": 0.0, "ls0.1": 0.1, "lsvec": golden["label_smoothing_vec"]}[smoothing]
    found = pair_losses(loss, sides["chosen"][1], sides["rejected"][1], beta=0.1, label_smoothing=how)
    per_pair = expected["losses"]
    if loss == "kto_pair":  # chosen ones, then rejected ones
        per_pair = per_pair.view(2, -1).mean(0)
    torch.testing.assert_close(found, per_pair, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(found.mean(), expected["loss_mean"].float(), rtol=1e-5, atol=1e-6)
    found.mean().backward()
    for side, (policy, _) in sides.items():
        wanted = golden[f"{loss}/beta0.1/{smoothing}/{size}/grad_policy_{side}"]
        torch.testing.assert_close(policy.grad, wanted, rtol=1e-5, atol=1e-7)


def test_kto_pair_was_made_with_a_gradient_of_its_divergence(golden):
    """The means over tokens are the only golden numbers with a positive one, and so those that tell."""
    ratios = [golden[f"policy_{side}"] - golden[f"ref_{side}"] for side in ("chosen", "rejected")]
    assert all(ratio.mean() < 0 for ratio in ratios)
    assert (ratios[0] / golden["n_chosen"]).mean() > 0.01


CHOSEN, REJECTED = torch.tensor([1.0, -2.0, 3.0]), torch.tensor([0.5, 1.0, -4.0])  # Δ = 0.5, -3, 7


def test_by_hand():
    sigmoid = pair_losses("sigmoid", CHOSEN, REJECTED, beta=0.5)
    assert sigmoid.tolist() == pytest.approx([math.log(1 + math.exp(-0.5 * d)) for d in (0.5, -3, 7)])
    assert pair_losses("hinge", CHOSEN, REJECTED, beta=0.5).tolist() == pytest.approx([0.75, 2.5, 0])
    assert pair_losses("ipo", CHOSEN, REJECTED, beta=0.5).tolist() == pytest.approx([0.25, 16, 36])


def test_a_margin_is_what_a_stronger_preference_has_to_show_more():
    margin = torch.tensor([0.0, 1.0, 2.0])
    sigmoid = pair_losses("sigmoid", CHOSEN, REJECTED, beta=0.5, margin=margin)
    assert sigmoid.tolist() == pytest.approx([math.log(1 + math.exp(-x)) for x in (0.25, -2.5, 1.5)])
    assert pair_losses("hinge", CHOSEN, REJECTED, beta=0.5, margin=margin).tolist() == pytest.approx([0.75, 3.5, 0])
    # m/β = 0, 2, 4 above the 1/2β = 1
    assert pair_losses("ipo", CHOSEN, REJECTED, beta=0.5, margin=margin).tolist() == pytest.approx([0.25, 36, 4])


def test_label_smoothing_of_ipo_moves_its_target():
    delta, smoothing = torch.tensor([0.3, 2.0], requires_grad=True), torch.tensor([0.2, 0.5])
    losses = pair_losses("ipo", delta, torch.zeros(2), beta=0.25, label_smoothing=smoothing)
    losses.sum().backward()
    target = (1 - 2 * smoothing) / (2 * 0.25)
    torch.testing.assert_close(delta.grad, 2 * (delta.detach() - target))


@pytest.mark.parametrize("loss", ["sigmoid", "hinge", "ipo"])
def test_a_label_that_is_as_often_wrong_as_right_prefers_neither(loss):
    both = [
        pair_losses(loss, *sides, beta=0.5, label_smoothing=0.5)
        for sides in ((CHOSEN, REJECTED), (REJECTED, CHOSEN))
    ]  # fmt: skip
    torch.testing.assert_close(*both)


def test_no_smoothing_of_some_pairs_changes_only_the_others():
    smoothing = torch.tensor([0.0, 0.3, 0.0])
    plain = pair_losses("sigmoid", CHOSEN, REJECTED, beta=0.5)
    some = pair_losses("sigmoid", CHOSEN, REJECTED, beta=0.5, label_smoothing=smoothing)
    torch.testing.assert_close(some[[0, 2]], plain[[0, 2]])
    other = pair_losses("sigmoid", REJECTED, CHOSEN, beta=0.5)
    assert some[1].item() == pytest.approx(0.7 * plain[1].item() + 0.3 * other[1].item())


def test_only_ipo_takes_means():
    assert [loss for loss in PAIR_LOSSES if per_token(loss)] == ["ipo"]


@pytest.mark.parametrize(("kind", "sign"), [("margin", 1), ("nomargin", -1)])
def test_reward_losses_as_the_original(golden, kind, sign):
    """It counted a pair both ways where people were unsure; its loss without margins had the wrong sign."""
    rewards = [golden[f"rm/rewards_{side}"][:, 0].clone().requires_grad_() for side in ("chosen", "rejected")]
    margin, right = golden["rm/margin"] if kind == "margin" else 0.0, golden["rm/label"]
    losses = right * margin_losses(*rewards, margin) + (1 - right) * margin_losses(rewards[1], rewards[0], margin)
    losses.mean().backward()
    expected = f"rm/elementwise_B/{kind}"
    torch.testing.assert_close(losses.mean(), sign * golden[f"{expected}/loss"].float(), rtol=1e-5, atol=1e-6)
    for side, reward in zip(("chosen", "rejected"), rewards, strict=True):
        torch.testing.assert_close(reward.grad, sign * golden[f"{expected}/grad_{side}"], rtol=1e-5, atol=1e-7)


def test_reward_losses_refuse_what_would_be_a_matrix():
    with pytest.raises(ValueError, match=r"\[B\], got \[3, 1\], \[3, 1\], \[3\]"):
        margin_losses(CHOSEN[:, None], REJECTED[:, None], torch.ones(3))
    with pytest.raises(ValueError, match=r"got \[3\], \[2\]"):
        margin_losses(CHOSEN, REJECTED[:2])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"loss_type": "dpo"}, "Expected a loss among sigmoid, hinge, ipo, kto_pair, got 'dpo'"),
        ({"beta": 0.0}, "Expected a beta above 0, got 0.0"),
        ({"beta": math.nan}, "Expected a beta above 0, got nan"),
        ({"rejected_logratios": REJECTED[:, None]}, r"log-ratios \[B\] and \[B\], got \[3\] and \[3, 1\]"),
        ({"loss_type": "kto_pair", "margin": 1.0}, "kto_pair has neither margin nor label smoothing"),
        ({"loss_type": "kto_pair", "label_smoothing": torch.tensor([0, 0, 0.1])}, "neither margin nor label"),
    ],
)
def test_refusals(change, message):
    options = {"loss_type": "ipo", "chosen_logratios": CHOSEN, "rejected_logratios": REJECTED, "beta": 0.1} | change
    with pytest.raises(ValueError, match=message):
        pair_losses(**options)
