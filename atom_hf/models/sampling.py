"""Sampling motion codes from an encoder-decoder: motion tokens only, one cache, finished rows leave the batch.

Noise belongs to a sample, not to a batch: the n-th number of a row comes from a counter-based generator keyed by seed,
prompt and sample, and is added to the logits as Gumbel noise, whose largest sum is a draw from the softmax. So a
sample is the same in every batch, up to rounding ties.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from transformers import EncoderDecoderCache
from transformers.cache_utils import DynamicCache
from transformers.generation.logits_process import (
    LogitsProcessorList,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

_FEW = 64  # rows
_KEEP = 0.75  # finished rows are taken out of the batch when fewer than this share is left


@dataclass(frozen=True)
class Sampling:
    """How to draw the next code.

    Args:
        temperature (`float`, *optional*, defaults to 1.0): divides the logits; 0 takes the likeliest code.
        top_k (`int`, *optional*, defaults to 50): draw among the k likeliest; 0 for all.
        top_p (`float`, *optional*, defaults to 1.0): draw among the likeliest that together have this probability.

    Raises:
        ValueError: if a number is outside of its range.
    """

    temperature: float = 1.0
    top_k: int = 50
    top_p: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.temperature < float("inf"):
            raise ValueError(f"temperature is 0 (greedy) or above, got {self.temperature}.")
        if self.top_k < 0:
            raise ValueError(f"top_k is 0 (all) or above, got {self.top_k}.")
        if not 0 < self.top_p <= 1:
            raise ValueError(f"top_p is above 0 and at most 1, got {self.top_p}.")

    def warpers(self) -> LogitsProcessorList:
        """What is done to logits `[B, V]` before the draw."""
        warpers = LogitsProcessorList()
        if self.temperature not in (0, 1):
            warpers.append(TemperatureLogitsWarper(float(self.temperature)))
        if self.top_k:
            warpers.append(TopKLogitsWarper(self.top_k))
        if self.top_p < 1:
            warpers.append(TopPLogitsWarper(self.top_p))
        return warpers


class _FewRows(TorchFunctionMode):
    """Linear layers of a few rows with the weights on the left, which on CPUs is up to twice as fast.

    A step of a small batch reads all weights for a row or two of each sample; libraries tile for many rows.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.nn.functional.linear and not kwargs and args[2:] in ((), (None,)):
            x, weight = args[:2]
            if x.device.type == "cpu" and x.dtype == weight.dtype and x.numel() <= _FEW * x.shape[-1]:
                return (weight @ x.reshape(-1, x.shape[-1]).t()).t().reshape(*x.shape[:-1], -1)
        return func(*args, **(kwargs or {}))


def noise_generator(seed: int, prompt: str, sample: int) -> np.random.Generator:
    """The source of one sample's noise.

    Args:
        seed (`int`): of the call.
        prompt (`str`): what the motion is generated from.
        sample (`int`): number among the samples of this prompt.

    Returns:
        `np.random.Generator`: the same in every process and on every machine.
    """
    digest = hashlib.sha256(f"{seed}\0{sample}\0{prompt}".encode()).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest[:16], "little")))


def gumbel(generators: Sequence[np.random.Generator], width: int) -> Tensor:
    """Gumbel noise of one step.

    Args:
        generators (`Sequence[np.random.Generator]`): one a row.
        width (`int`): candidates a row.

    Returns:
        `Tensor`: `[B, width]`, float32, on the CPU.
    """
    uniform = np.stack([generator.random(width) for generator in generators])
    return torch.from_numpy(-np.log(-np.log(uniform.clip(1e-300, 1 - 1e-16)))).float()


def decode_step(model: Any, tokens: Tensor, states: Tensor, mask: Tensor, cache: EncoderDecoderCache) -> Tensor:
    """What the output layer reads after some more tokens.

    Args:
        model ([`MotionGPTForPreference`]): whose decoder is used.
        tokens (`Tensor`): `[B, n]`, those that `cache` does not hold yet.
        states (`Tensor`): encoder states `[B, P, d_model]`.
        mask (`Tensor`): `[B, P]`, 0 at padding.
        cache (`EncoderDecoderCache`): of the tokens before; grows.

    Returns:
        `Tensor`: `[B, d_model]`, of the last token.
    """
    hidden: Tensor = model.decoder(
        input_ids=tokens,
        encoder_hidden_states=states,
        encoder_attention_mask=mask,
        past_key_values=cache,
        use_cache=True,
    )[0][:, -1]
    return hidden * model.model_dim**-0.5 if model.config.scale_decoder_outputs else hidden


@torch.no_grad()
def sample_codes(
    model: Any,
    states: Tensor,
    mask: Tensor,
    sampling: Sampling,
    generators: Sequence[np.random.Generator],
    max_codes: int,
) -> list[list[int]]:
    """Write the codes of one motion a row.

    Only codes and the end of the motion are scored; the start token is given. A row is done at the end token, at
    `</s>`, or after `max_codes`.

    Args:
        model ([`MotionGPTForPreference`]): whose decoder and output layer are used.
        states (`Tensor`): encoder states `[B, P, d_model]`.
        mask (`Tensor`): `[B, P]`, 0 at padding.
        sampling ([`Sampling`]): how to draw.
        generators (`Sequence[np.random.Generator]`): B sources of noise; not used where the temperature is 0.
        max_codes (`int`): longest motion, in codes of 4 frames.

    Returns:
        `list[list[int]]`: B motions, each at most `max_codes` codes from 0 to `num_codes - 1`; possibly empty.
    """
    config = model.config
    first, end = config.motion_token_start, config.motion_end_id
    ids = torch.tensor([*range(first, first + config.num_codes), end, model._eos], device=states.device)
    weight = model.lm_head.weight[ids]
    warpers = sampling.warpers()
    rows = list(range(len(states)))
    written: list[list[int]] = [[] for _ in rows]
    cache = EncoderDecoderCache(DynamicCache(), DynamicCache())
    tokens = torch.tensor([[config.decoder_start_token_id, config.motion_start_id]], device=states.device)
    tokens = tokens.expand(len(rows), -1)
    alive = list(rows)
    for _ in range(max_codes):
        with _FewRows():
            hidden = decode_step(model, tokens, states, mask, cache)
        scores = (hidden @ weight.t()).float()
        if sampling.temperature:
            # transformers' warpers look at the scores alone
            scores = warpers(None, scores) + gumbel([generators[row] for row in alive], len(ids)).to(scores.device)
        choice = scores.argmax(1)
        for row, code in zip(alive, choice.tolist(), strict=True):
            if row in rows:
                if code < config.num_codes:
                    written[row].append(code)
                else:
                    rows.remove(row)
        if not rows:
            break
        tokens = ids[choice][:, None]
        if len(rows) < _KEEP * len(alive):
            left = set(rows)
            keep = torch.tensor([i for i, row in enumerate(alive) if row in left], device=states.device)
            states, mask, tokens = states[keep], mask[keep], tokens[keep]
            cache.batch_select_indices(keep)
            alive = [row for row in alive if row in left]
    return written
