"""Places that count, among tokens that are possible: the same numbers and gradients, from less work."""

from typing import Any

import pytest
import torch
from trl.trainer.utils import add_fused_lm_head

from atom_hf.trainer.compact_scoring import score_compactly
from tests.models.trl_parts import checkpoint, load

OUTPUTS = ("log_probs", "entropy", "log_sum_sq_probs", "mean_logits", "is_top1")


def batch(model: Any) -> dict[str, torch.Tensor]:
    """Two rows of prompt and motion, padded on either side."""
    start = model.config.motion_token_range.start
    rows = [[5, 6, 7, 1, start + 3, start, start + 9, 1], [8, 1, start + 2, 1]]
    long = max(map(len, rows)) + 2
    ids, mask, labels = [], [], []
    for row in rows:
        front, back = long - len(row) - 1, 1
        prompt = row.index(1) + 1
        ids.append([0] * front + row + [0] * back)
        mask.append([0] * front + [1] * len(row) + [0] * back)
        labels.append([-100] * (front + prompt) + row[prompt:] + [-100] * back)
    return {
        "input_ids": torch.tensor(ids),
        "attention_mask": torch.tensor(mask),
        "labels": torch.tensor(labels),
        "fused_lm_head": torch.tensor(1),
    }


@pytest.fixture
def models(tmp_path):
    """One as TRL makes it, and one that scores what counts."""
    found = []
    for compact in (False, True):
        model = load(checkpoint(tmp_path / str(compact), motion_only=True))
        add_fused_lm_head(model, temperature=0.7, outputs=OUTPUTS)
        if compact:
            score_compactly(model)
        found.append(model)
    return found


def test_numbers_and_gradients_are_those_of_the_whole_head(models):
    results = []
    for model in models:
        found = model(**batch(model) | {"fused_lm_head": True})
        (found.log_probs.sum() + found.loss).backward()
        results.append((found, {n: p.grad for n, p in model.named_parameters() if p.grad is not None}))
    (expected, gradients), (found, ours) = results
    for name in ("log_probs", "entropy", "log_sum_sq_probs", "loss"):
        torch.testing.assert_close(getattr(found, name), getattr(expected, name), msg=name)
    assert torch.equal(found.is_top1, expected.is_top1) and torch.equal(found.label_mask, expected.label_mask)
    assert ours.keys() == gradients.keys() and len(ours) > 10
    for name, gradient in gradients.items():
        torch.testing.assert_close(ours[name], gradient, rtol=1e-4, atol=1e-6, msg=name)


def test_less_is_projected(models, monkeypatch):
    import trl.trainer.utils as trl_utils

    seen = []
    original = trl_utils._ChunkedLogProbFunction.apply
    monkeypatch.setattr(
        trl_utils._ChunkedLogProbFunction, "apply",
        lambda hidden, weight, *rest: seen.append((len(hidden), len(weight))) or original(hidden, weight, *rest),
    )  # fmt: skip
    for model in models:
        model(**batch(model) | {"fused_lm_head": True})
    whole, compact = seen
    assert whole == (2 * (batch(models[0])["input_ids"].shape[1] - 1), models[0].config.vocab_size)
    assert compact == (6, len(models[1].config.motion_token_range) + 1)


def test_it_is_done_once(models):
    model = models[1]
    before = model.forward
    score_compactly(model)
    assert model.forward == before


def test_other_calls_are_as_they_were(models):
    given = {name: value for name, value in batch(models[0]).items() if name != "fused_lm_head"}
    plain, compact = (model(**given) for model in models)
    torch.testing.assert_close(compact.loss, plain.loss)
    assert compact.logits.shape == plain.logits.shape
