"""Noise on embeddings while training (NEFTune, Jain et al. 2023), where T5 reads them.

transformers hooks `model.get_input_embeddings()`, which a T5 never calls: both of its stacks have a module of
their own that shares the weights. So noise belongs on the encoder's.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn


def noisy(embeddings: Tensor, alpha: float) -> Tensor:
    """Embeddings with uniform noise of up to α/√(L·d) on each number.

    Args:
        embeddings (`Tensor`): `[B, L, d]`.
        alpha (`float`): how much noise; the paper's 5 to 15, InstructMotion's 0.1.

    Returns:
        `Tensor`: `[B, L, d]`.
    """
    most = alpha / (embeddings.shape[1] * embeddings.shape[2]) ** 0.5
    return embeddings + torch.empty_like(embeddings).uniform_(-most, most)


class EncoderNoise:
    """A hook on the encoder's embeddings that adds noise while the model trains.

    Args:
        alpha (`float`): how much; above 0.

    Raises:
        ValueError: if it is not above 0.
    """

    def __init__(self, alpha: float) -> None:
        if not alpha > 0:
            raise ValueError(f"Expected neftune_noise_alpha above 0, got {alpha}; leave it out for no noise.")
        self.alpha = alpha
        self._silent = False

    @contextmanager
    def on(self, model: Any) -> Iterator[None]:
        """With noise on a model's encoder.

        Args:
            model (`Any`): a T5, in PEFT or not; or a reward model, whose T5 is `transformer`.
        """
        base = model.get_base_model() if hasattr(model, "get_base_model") else model
        stack = getattr(base, "transformer", base).encoder
        handle = stack.embed_tokens.register_forward_hook(self._add)
        try:
            yield
        finally:
            handle.remove()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Without noise for a while: a reference is not trained."""
        before, self._silent = self._silent, True
        try:
            yield
        finally:
            self._silent = before

    def _add(self, module: nn.Module, _: Any, output: Tensor) -> Tensor:
        return noisy(output, self.alpha) if module.training and not self._silent else output
