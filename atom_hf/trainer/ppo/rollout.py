"""Rollouts of PPO: which prompts, what is drawn for them, and how a rollout is gone through.

A rollout is a batch of motions, drawn and scored once. It is gone through several times, in mini-batches:

    prompts of the sampler   p₁ p₁ … p₁ | p₂ p₂ … p₂ | …     each batch as often as the trainer asks for one
    what the trainer gets    a  b  … z  | a  b  … z  | …     parts of the rollout, shuffled anew each time through
"""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Sampler
from transformers import EncoderDecoderCache
from transformers.cache_utils import DynamicCache

from ...models.sampling import decode_step
from ..policy import base_of


class PromptSampler(Sampler[int]):
    """Prompts in an order of their own each epoch, every group of them repeated.

    Groups are whole: of a dataset that they do not divide, a few prompts sit an epoch out, other ones each time.

    Args:
        size (`int`): prompts in the dataset.
        group (`int`): prompts of a rollout, on all devices.
        repeats (`int`): how often the trainer takes a batch while it goes through a rollout.
        seed (`int`): of the orders.
        epoch (`Callable`): says which epoch begins; after a checkpoint, too.

    Raises:
        ValueError: if there are fewer prompts than a rollout takes.
    """

    def __init__(self, size: int, group: int, repeats: int, seed: int, epoch: Callable[[int], int]) -> None:
        if size < group:
            raise ValueError(
                f"A rollout takes {group} prompts on all devices, and the train dataset has {size}. Give it more, or "
                "lower per_device_train_batch_size, num_mini_batches or gradient_accumulation_steps."
            )
        self.size, self.group, self.repeats, self.seed, self.epoch = size, group, repeats, seed, epoch

    def __len__(self) -> int:
        return self.size // self.group * self.group * self.repeats

    def __iter__(self) -> Iterator[int]:
        source = torch.Generator().manual_seed(self.seed + self.epoch(self.size // self.group))
        order = torch.randperm(self.size, generator=source).tolist()
        for first in range(0, self.size - self.group + 1, self.group):
            for _ in range(self.repeats):
                yield from order[first : first + self.group]


class RolloutBuffer:
    """A rollout, given out in parts.

    Args:
        tensors (`dict[str, Tensor]`): `[R, …]` each; `mask` among them.
        epochs (`int`): times that it is gone through.
        mini_batches (`int`): optimiser steps each time.
        parts (`int`): parts of a mini-batch that are accumulated.
        total (`Callable`): sums over processes.
        processes (`int`): how many there are.
    """

    def __init__(
        self,
        tensors: dict[str, Tensor],
        epochs: int,
        mini_batches: int,
        parts: int,
        total: Callable[[Tensor], Tensor],
        processes: int,
    ) -> None:
        self.tensors, self.position = tensors, 0
        mask = tensors["mask"]
        self.order = torch.stack([torch.randperm(len(mask)) for _ in range(epochs)])
        self.order = self.order.view(epochs * mini_batches * parts, -1)
        # The trainer averages over parts and processes. With this count the average is a mean over all their tokens,
        # however they are spread.
        tokens = mask.sum(1).float()[self.order.to(mask.device)].view(epochs * mini_batches, -1).sum(1)
        counts = total(tokens).clamp(min=1) / (parts * processes)
        self.counts = counts.repeat_interleave(parts)

    @property
    def done(self) -> bool:
        """Whether all of it was given out."""
        return self.position == len(self.order)

    def next(self) -> dict[str, Tensor]:
        """The next part.

        Returns:
            `dict[str, Tensor]`: `[B, …]` each, and `count`, by which its loss is divided.
        """
        rows = self.order[self.position].to(self.tensors["mask"].device)
        part = {name: tensor[rows] for name, tensor in self.tensors.items()}
        part["count"] = self.counts[self.position]
        self.position += 1
        return part

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps.

        Returns:
            `dict[str, Any]`: tensors and numbers.
        """
        return dict(vars(self))

    @classmethod
    def from_state(cls, state: dict[str, Any], device: torch.device) -> "RolloutBuffer":
        """Go on from a checkpoint.

        Args:
            state (`dict[str, Any]`): of `state_dict`.
            device (`torch.device`): where to.

        Returns:
            [`RolloutBuffer`]: at the same part.
        """
        buffer = cls.__new__(cls)
        vars(buffer).update(state)
        buffer.tensors = {name: tensor.to(device) for name, tensor in buffer.tensors.items()}
        buffer.counts = buffer.counts.to(device)
        return buffer


@torch.no_grad()
def sample_tokens(policy: Any, ids: Tensor, mask: Tensor, *, most: int, temperature: float = 1.0) -> Tensor:
    """Draw a completion for each prompt, from all that the output layer allows: what is drawn is what is scored.

    Neither top-k nor anything else of a checkpoint's `generation_config` has a say. Noise comes from torch's own
    generator, which checkpoints keep.

    Args:
        policy ([`MotionGPTForPreference`] or `PeftModel` of one): in evaluation mode.
        ids (`Tensor`): `[B, P]`, prompts with their `</s>`, padding on either side.
        mask (`Tensor`): `[B, P]`, 0 at padding.
        most (`int`): tokens of the longest completion.
        temperature (`float`, *optional*, defaults to 1.0): divides logits.

    Returns:
        `Tensor`: `[B, C]`, C at most `most`; behind `</s>` padding.
    """
    model = base_of(policy)
    states = model._encode_once(ids, mask)
    cache = EncoderDecoderCache(DynamicCache(), DynamicCache())
    rows = torch.arange(len(ids), device=ids.device)
    written = torch.full((len(ids), most), model.config.pad_token_id, dtype=ids.dtype, device=ids.device)
    tokens = torch.full((len(ids), 1), model.config.decoder_start_token_id, dtype=ids.dtype, device=ids.device)
    for column in range(most):
        logits = model.lm_head(decode_step(model, tokens, states, mask, cache)).float() / temperature
        choice = torch.multinomial(logits.softmax(-1), 1)[:, 0]
        written[rows, column] = choice
        going = choice != model._eos
        if not bool(going.any()):
            return written[:, : column + 1]
        if not bool(going.all()):
            keep = going.nonzero()[:, 0]
            states, mask, rows, choice = states[keep], mask[keep], rows[keep], choice[keep]
            cache.batch_select_indices(keep)
        tokens = choice[:, None]
    return written


def written_mask(completions: Tensor, eos: int) -> Tensor:
    """1 at what was written, up to the first `</s>`.

    Args:
        completions (`Tensor`): `[B, C]`.
        eos (`int`): id of `</s>`.

    Returns:
        `Tensor`: `[B, C]`, int64.
    """
    ended = (completions == eos).cumsum(1)
    return ((ended - (completions == eos).long()) == 0).long()
