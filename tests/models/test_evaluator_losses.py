"""The losses of the evaluator, with their arithmetic written out."""

import math

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch

from atom_hf.models.evaluator_losses import infonce_loss, margin_loss

TEXT = torch.tensor([[0.0, 0.0], [3.0, 0.0]])
MOTION = torch.tensor([[0.0, 1.0], [3.0, 4.0]])
SQUARED = [[1.0, 25.0], [10.0, 16.0]]  # of text i and motion j
ALL_SAME = torch.tensor([[False, False], [False, False]])


def test_infonce():
    scale = 0.1
    e = [[math.exp(-scale / 2 * d) for d in row] for row in SQUARED]
    of_texts = -(math.log(e[0][0] / sum(e[0])) + math.log(e[1][1] / sum(e[1]))) / 2
    of_motions = -(math.log(e[0][0] / (e[0][0] + e[1][0])) + math.log(e[1][1] / (e[0][1] + e[1][1]))) / 2
    found = infonce_loss(TEXT, MOTION, torch.tensor(scale))
    assert found.item() == pytest.approx((of_texts + of_motions) / 2, rel=1e-6)


def test_infonce_of_unit_vectors_is_clips():
    torch.manual_seed(0)
    text, motion = (torch.nn.functional.normalize(torch.randn(5, 3), dim=1) for _ in range(2))
    logits = 14.3 * text @ motion.t()
    target = torch.arange(5)
    clip = (
        torch.nn.functional.cross_entropy(logits, target) + torch.nn.functional.cross_entropy(logits.t(), target)
    ) / 2
    torch.testing.assert_close(infonce_loss(text, motion, torch.tensor(14.3)), clip)


def test_margin():
    apart = [max(0, 4 - math.sqrt(d)) ** 2 for d in (SQUARED[0][1], SQUARED[1][0])]
    expected = (1 + 16) / 2 + sum(apart) / 2
    assert margin_loss(TEXT, MOTION, 4.0).item() == pytest.approx(expected, rel=1e-6)


def test_pairs_that_fit_as_well_are_no_counter_examples():
    assert infonce_loss(TEXT, MOTION, torch.tensor(1.0), ALL_SAME).item() == 0
    assert margin_loss(TEXT, MOTION, 4.0, ALL_SAME).item() == pytest.approx((1 + 16) / 2)
    half = torch.tensor([[False, True], [False, False]])
    assert margin_loss(TEXT, MOTION, 6.0, half).item() == pytest.approx(8.5 + 1)


def test_gradients_where_embeddings_meet():
    text = torch.zeros(2, 3, requires_grad=True)
    margin_loss(text, torch.zeros(2, 3), 1.0).backward()
    infonce_loss(text, torch.zeros(2, 3), torch.tensor(1.0)).backward()
    assert text.grad.isfinite().all()
