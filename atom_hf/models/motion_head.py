"""The output layer of a motion language model: weights of its own or shared, all tokens or motion alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from transformers import initialization as init

_NEVER = -1e4  # added to logits; within half precision's range


class _Scored(NamedTuple):
    """Places `[B, L - 1]` that somebody is about to score, and the tokens `[V]` that can stand there; None for all."""

    places: Tensor
    possible: Tensor | None


class MotionHead:
    """Methods of [`MotionGPTForPreference`] around its `lm_head`; mixed in before transformers' class."""

    _scored: _Scored | None = None

    def restrict_to_motion(self: Any, motion_only: bool = True) -> None:
        """Write motion tokens and `</s>` only, or everything again; saved with the config.

        Args:
            motion_only (`bool`, *optional*, defaults to `True`): whether to.
        """
        self.config.motion_only = motion_only
        self._restrict_head()

    def _restrict_head(self: Any) -> None:
        """A bias that is no weight: never trained, never saved, and there for whoever scores with the layer itself."""
        head = self.lm_head
        if not isinstance(head, nn.Linear):
            return
        head._parameters.pop("bias", None)
        head._buffers.pop("bias", None)
        if self.config.motion_only:
            head.register_buffer("bias", self._bias(head.weight), persistent=False)
        else:
            head.register_parameter("bias", None)

    def _bias(self: Any, like: Tensor) -> Tensor:
        bias = torch.full((like.shape[0],), _NEVER, dtype=like.dtype, device=like.device)
        tokens = self.config.motion_token_range
        bias[tokens.start : tokens.stop] = 0
        bias[self._eos] = 0
        return bias

    @torch.no_grad()
    def _init_weights(self: Any, module: nn.Module) -> None:
        super()._init_weights(module)  # type: ignore[misc]
        if module is getattr(self, "lm_head", None) and "bias" in module._buffers:
            # Loading builds the model without memory and fills what is in no file by calling this.
            # Not like its weight, which has no memory yet where it is tied to the embeddings.
            init.copy_(module.bias, self._bias(module.bias))

    def get_output_embeddings(self: Any) -> Any:
        """The output layer, or its weight and bias where PEFT wraps it in something without a bias."""
        head = self.lm_head
        if self._scored is not None and (possible := self._scored.possible) is not None:
            return SimpleNamespace(weight=head.weight[possible], bias=None)
        return head if hasattr(head, "bias") else SimpleNamespace(weight=head.weight, bias=None)

    @contextmanager
    def scored_at(self: Any, places: Tensor, labels: Tensor) -> Iterator[Tensor]:
        """Within it `base_model` and `get_output_embeddings` speak of these places and of possible tokens alone.

        For who scores hidden states with the output layer himself, as TRL does: prompts, padding, and words where
        motion alone is written, need not be computed to be left out.

        Args:
            places (`Tensor`): `[B, L - 1]`, True where the token in the next column is scored; `N` of them.
            labels (`Tensor`): `[N]`, these tokens.

        Yields:
            `Tensor`: `[N]`, the tokens as rows of what `get_output_embeddings` now gives.
        """
        tokens = self.config.motion_token_range
        motion = torch.tensor(sorted([self._eos, *range(tokens.start, tokens.stop)]), device=labels.device)
        possible = motion if self.config.motion_only and bool(torch.isin(labels, motion).all()) else None
        self._scored = _Scored(places, possible)
        try:
            yield labels if possible is None else torch.searchsorted(possible, labels)
        finally:
            self._scored = None

    def resize_token_embeddings(
        self: Any, new_num_tokens: int | None = None, *args: Any, **kwargs: Any
    ) -> nn.Embedding:
        """As in transformers; tokens added this way stand behind the motion tokens.

        Args:
            new_num_tokens (`int`, *optional*): size of the vocabulary.

        Returns:
            `nn.Embedding`: the input embeddings `[new_num_tokens, d_model]`.

        Raises:
            ValueError: if the motion tokens would be cut off.
        """
        if new_num_tokens is not None and new_num_tokens < self.config.motion_token_range.stop:
            raise ValueError(
                f"The motion tokens end at id {self.config.motion_token_range.stop - 1}; a vocabulary of "
                f"{new_num_tokens} would cut them off."
            )
        motion_only = self.config.motion_only
        self.restrict_to_motion(False)
        embeddings = super().resize_token_embeddings(new_num_tokens, *args, **kwargs)  # type: ignore[misc]
        self.restrict_to_motion(motion_only)
        return embeddings

    @property
    def _eos(self: Any) -> int:
        eos = self.config.eos_token_id
        return eos[0] if isinstance(eos, list) else int(eos)
