"""What the names in an original checkpoint mean: in MotionGPT's own, and in those that others trained from it.

lm.language_model.shared.weight                          the language model, in T5's names
base_model.model.encoder.….q.lora_A.default.weight       an adapter that PEFT trained
vae.quantizer.codebook                                   the VQ-VAE
metrics.…, _losses.…                                     left out
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor

_LEFT_OUT = ("metrics.", "_losses.")  # evaluators and sums of losses that Lightning saved with the model
_VAE = ("vae.", "motion_vae.")
_BARE_VAE = ("encoder.model.", "decoder.model.", "quantizer.")  # T5 has encoder.block, never encoder.model
_LANGUAGE_MODEL = ("lm.language_model.", "language_model.")
_PEFT = "base_model.model."
_ADAPTER = re.compile(r"(?P<layer>.+)\.lora_(?P<side>[AB])(?:\.(?P<adapter>[^.]+)(?:\.default)?)?\.weight")
COPIES = ("encoder.embed_tokens.weight", "decoder.embed_tokens.weight")
_LISTED = 10


class OriginalWeights(NamedTuple):
    """Weights of an original checkpoint by part.

    Args:
        language_model (`dict[str, Tensor]`): by T5's names.
        vae (`dict[str, Tensor]`): by the names of [`MotionVQVAE`].
        adapters (`dict[str, dict[str, Tensor]]`): layer to `A` `[r, in]` and `B` `[out, r]`.
        left_out (`dict[str, int]`): group to number of weights in it.
    """

    language_model: dict[str, Tensor]
    vae: dict[str, Tensor]
    adapters: dict[str, dict[str, Tensor]]
    left_out: dict[str, int]


def sort_weights(state_dict: Mapping[str, Tensor], copy: bool = True) -> OriginalWeights:
    """The parts of an original checkpoint.

    Args:
        state_dict (`Mapping[str, Tensor]`): names and weights, such as `read_tensors` gives.
        copy (`bool`, *optional*, defaults to `True`): whether to copy what is in float32 already, so that training the
            model leaves the state dict as it is.

    Returns:
        [`OriginalWeights`]: weights in float32.

    Raises:
        ValueError: if two names mean the same weight, there are several adapters, half of one, or no floats.
    """
    parts = OriginalWeights({}, {}, {}, Counter())
    adapters = set()
    for full, tensor in state_dict.items():
        if (group := left_out_group(full)) is not None:
            parts.left_out[group] += 1
            continue
        if not tensor.is_floating_point():
            raise ValueError(f"Expected weights in floating point, but {full[:120]} is {tensor.dtype}.")
        prefix = next((prefix for prefix in _VAE if full.startswith(prefix)), "")
        name, kind = full.removeprefix(prefix), parts.vae
        if not prefix and not full.startswith(_BARE_VAE):
            prefix = next((prefix for prefix in _LANGUAGE_MODEL if full.startswith(prefix)), "")
            name = full.removeprefix(prefix).removeprefix(_PEFT).replace(".base_layer.weight", ".weight")
            kind = parts.language_model
            if match := _ADAPTER.fullmatch(name):
                adapters.add(match["adapter"] or "default")
                name, kind = match["side"], parts.adapters.setdefault(match["layer"] + ".weight", {})
        if name in kind:
            raise ValueError(f"Expected each weight once, but {full[:120]} is there under another name as well.")
        kind[name] = tensor.detach().to(torch.float32, copy=copy)
    if len(adapters) > 1:
        raise ValueError(
            f"Expected one LoRA adapter, got {_some(sorted(adapters))}. Save the one that is wanted, or merge it with "
            "PEFT."
        )
    if halves := [layer for layer, sides in parts.adapters.items() if len(sides) != 2]:
        raise ValueError(f"Expected lora_A and lora_B for each layer, but one is missing for {_some(halves)}.")
    return parts


def left_out_group(name: str) -> str | None:
    """The group of a weight that is no part of a model.

    Args:
        name (`str`): of the weight.

    Returns:
        `str` or `None`: `"metrics.*"` or `"_losses.*"`, if it is in one.
    """
    return next((f"{prefix}*" for prefix in _LEFT_OUT if name.startswith(prefix)), None)


def merge_adapters(
    weights: Mapping[str, Tensor], adapters: Mapping[str, Mapping[str, Tensor]], lora_alpha: float
) -> dict[str, Tensor]:
    """Add what LoRA learnt to the weights: `W + alpha / r * B @ A` (arXiv 2106.09685).

    Args:
        weights (`Mapping[str, Tensor]`): name to `W` `[out, in]`; they are not changed.
        adapters (`Mapping[str, Mapping[str, Tensor]]`): name to `A` `[r, in]` and `B` `[out, r]`.
        lora_alpha (`float`): scale that the adapters were trained with.

    Returns:
        `dict[str, Tensor]`: all weights.

    Raises:
        ValueError: if an adapter has no weight to be added to, shapes do not fit, or alpha is not above zero.
    """
    if not lora_alpha > 0:
        raise ValueError(f"Expected lora_alpha above 0, got {lora_alpha}.")
    merged = dict(weights)
    if lost := [name for name in adapters if name not in weights]:
        raise ValueError(f"Expected layers of the base model, but LoRA weights are for {_some(lost)}.")
    for name, pair in adapters.items():
        a, b, weight = pair["A"], pair["B"], weights[name]
        fits = a.ndim == b.ndim == 2 and 0 < len(a) == b.shape[1] and weight.shape == (len(b), a.shape[1])
        if not fits:
            raise ValueError(
                f"Expected A [r, in] and B [out, r] for {name} {list(weight.shape)}, got {list(a.shape)} and "
                f"{list(b.shape)}. The adapter belongs to another base model."
            )
        merged[name] = weight + (b @ a) * (lora_alpha / len(a))
    return merged


def check_weights(weights: Mapping[str, Tensor], expected: Mapping[str, Tensor], what: str) -> None:
    """All weights are there, in the right shape, and no others.

    Args:
        weights (`Mapping[str, Tensor]`): what came; the two copies of a T5's embeddings may be absent.
        expected (`Mapping[str, Tensor]`): the model's; only shapes are looked at.
        what (`str`): the model, for the message.

    Raises:
        ValueError: if not; lists the first ten, and says how many.
    """
    missing = [name for name in expected if name not in weights and name not in COPIES]
    unexpected = [name for name in weights if name not in expected]
    misshapen = [
        f"{name} {list(weights[name].shape)} instead of {list(tensor.shape)}"
        for name, tensor in expected.items()
        if name in weights and weights[name].shape != tensor.shape
    ]
    problems = {"missing": missing, "unexpected": unexpected, "of another shape": misshapen}
    found = "; ".join(f"{len(names)} {word}: {_some(names)}" for word, names in problems.items() if names)
    if found:
        raise ValueError(
            f"Expected the {len(expected)} weights of {what}, but {found}. It is the checkpoint of another model, or "
            "not whole."
        )


def shape_of(weights: Mapping[str, Tensor], name: str, rank: int, what: str) -> tuple[int, ...]:
    """The shape of a weight that tells a model's size.

    Args:
        weights (`Mapping[str, Tensor]`): name to weight.
        name (`str`): which.
        rank (`int`): how many numbers the shape has.
        what (`str`): the model, for the message.

    Returns:
        `tuple[int, ...]`: `rank` numbers above zero.

    Raises:
        ValueError: if it is missing, or has another rank.
    """
    if name not in weights:
        known = f"it has {_some(list(weights))}" if weights else "it has none of it"
        raise ValueError(f"Expected the weights of {what}, but 1 that tells its size is missing: {name}; {known}.")
    shape = tuple(weights[name].shape)
    if len(shape) != rank or not all(shape):
        raise ValueError(f"Expected {name} of {what} in {rank} dimensions, got shape {list(shape)}.")
    return shape


def _some(names: Iterable[str]) -> str:
    names = [name[:120] for name in names]
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more
