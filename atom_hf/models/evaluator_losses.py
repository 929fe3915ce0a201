"""Losses that bring the embeddings of a text and of its motion together, and those of others apart."""

import torch
from torch import Tensor, nn


def infonce_loss(text: Tensor, motion: Tensor, scale: Tensor, other: Tensor | None = None) -> Tensor:
    """Symmetric InfoNCE (arXiv 2103.00020) with `-scale / 2 * |text - motion|²` as similarity.

    For embeddings of length 1 that is CLIP's `scale * cosine` less a constant; for others it ranks by Euclidean
    distance, as R-precision does.

    Args:
        text (`Tensor`): `[B, D]`.
        motion (`Tensor`): `[B, D]`, row i belongs to text i.
        scale (`Tensor`): `[]`, inverse temperature.
        other (`Tensor`, *optional*): `[B, B]`, bool; False at pairs of different rows that fit as well, such as those
            of the same text, which then are no counter-examples.

    Returns:
        `Tensor`: mean of both directions, `[]`, in nats.
    """
    logits = -0.5 * scale * _squared_distances(text, motion)
    if other is not None:
        own = torch.eye(len(text), dtype=torch.bool, device=text.device)
        logits = logits.masked_fill(~(other | own), -torch.inf)
    target = torch.arange(len(text), device=text.device)
    return (nn.functional.cross_entropy(logits, target) + nn.functional.cross_entropy(logits.t(), target)) / 2


def margin_loss(text: Tensor, motion: Tensor, margin: float, other: Tensor | None = None) -> Tensor:
    """The contrastive loss that T2M's evaluator was trained with: `mean(d²)` of pairs plus `mean(relu(margin - d)²)`
    of mismatches.

    T2M draws one mismatch for each pair; here all of the batch are taken.

    Args:
        text (`Tensor`): `[B, D]`.
        motion (`Tensor`): `[B, D]`, row i belongs to text i.
        margin (`float`): distance beyond which a mismatch costs nothing.
        other (`Tensor`, *optional*): `[B, B]`, bool; False at pairs that are no mismatch.

    Returns:
        `Tensor`: `[]`, squared distance.
    """
    squared = _squared_distances(text, motion)
    mismatch = ~torch.eye(len(text), dtype=torch.bool, device=text.device)
    if other is not None:
        mismatch = mismatch & other
    loss = squared.diagonal().mean()
    if not bool(mismatch.any()):
        return loss
    distance = squared[mismatch].clamp_min(1e-12).sqrt()  # the root's gradient has no end at 0
    return loss + (margin - distance).clamp_min(0).square().mean()


def _squared_distances(text: Tensor, motion: Tensor) -> Tensor:
    return (text[:, None] - motion[None]).square().sum(-1)
