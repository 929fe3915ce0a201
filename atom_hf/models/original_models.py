"""Models from the weights of original checkpoints; sizes are read from the shapes.

shared.weight [32615, 768]    →  vocab_size 32615, d_model 768; <motion_id_0> is 32615 - 512 - 3 = 32100
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from ..motion import MotionStats
from ..motion.codes import NUM_CODES
from ..motion.layout import FEATURE_DIM
from .motiongpt import MotionGPTForPreference
from .motiongpt_config import SPECIAL_MOTION_TOKENS, MotionGPTConfig
from .original_sources import find_stats
from .original_weights import COPIES, OriginalWeights, check_weights, merge_adapters, shape_of, sort_weights
from .processing import MotionGPTProcessor
from .tokenizer import motion_ids
from .vqvae import MotionVQVAE
from .vqvae_config import MotionVQVAEConfig

_MOST_LAYERS = 128  # what asks for more is hostile
_CODE_COUNT = 100.0  # fine-tuning gives an entry away only after hundreds of updates without use
_T5, _VQVAE = "a T5", "MotionGPT's VQ-VAE"


class Original(NamedTuple):
    """An original checkpoint, ready for `MotionGPTForPreference.from_pretrained(None, config=…, state_dict=…)`.

    Args:
        config ([`MotionGPTConfig`]): sizes.
        state_dict (`dict[str, Tensor]`): weights of any shape of language model and VQ-VAE, float32, unitless.
        processor ([`MotionGPTProcessor`] or `None`): with the tokenizer, if there is one.
        found (`list[str]`): what the checkpoint holds, a line each.
    """

    config: MotionGPTConfig
    state_dict: dict[str, Tensor]
    processor: MotionGPTProcessor | None
    found: list[str]

    def model(self) -> MotionGPTForPreference:
        """Build it.

        Returns:
            [`MotionGPTForPreference`]: in evaluation mode, with the processor.
        """
        model = MotionGPTForPreference.from_pretrained(None, config=self.config, state_dict=self.state_dict)
        model.processor = self.processor
        return model


def vqvae_from_original(
    state_dict: Mapping[str, Tensor], stats: MotionStats | str | Path | None = None
) -> MotionVQVAE:
    """The motion tokenizer of an original checkpoint.

    Args:
        state_dict (`Mapping[str, Tensor]`): its weights, of any shape, unitless, with or without `vae.` in front;
            those of a language model, `metrics.*` and `_losses.*` are passed over.
        stats ([`MotionStats`] or `str` or `Path`): mean and deviation of the features that it was trained on, or the
            folder that they are in; the checkpoint does not hold them. For features that are normalised already,
            `MotionStats(np.zeros(263), np.ones(263))`.

    Returns:
        [`MotionVQVAE`]: in evaluation mode.

    Raises:
        ValueError: if weights are missing, unexpected or of other shapes, or there are no statistics.
    """
    return build_vqvae(sort_weights(state_dict).vae, find_stats(stats))


def motiongpt_from_original(
    state_dict: Mapping[str, Tensor],
    *,
    tokenizer: PreTrainedTokenizerBase | None = None,
    vqvae: MotionVQVAE | None = None,
    stats: MotionStats | str | Path | None = None,
    base: Mapping[str, Tensor] | None = None,
    lora_alpha: float = 16,
) -> MotionGPTForPreference:
    """A MotionGPT from the weights of an original checkpoint.

    Args:
        state_dict (`Mapping[str, Tensor]`): weights of any shape, such as `read_tensors` gives: `lm.language_model.*`
            and `vae.*` of MotionGPT, or a T5's alone, plain or with LoRA weights of PEFT, which are merged.
        tokenizer (`PreTrainedTokenizerBase`, *optional*): with motion tokens; see `load_motion_tokenizer`.
        vqvae ([`MotionVQVAE`], *optional*): for weights that have none.
        stats ([`MotionStats`] or `str` or `Path`, *optional*): mean and deviation that the VQ-VAE among the weights
            was trained with, or their folder; needed if there is one.
        base (`Mapping[str, Tensor]`, *optional*): weights of any shape of the language model that LoRA weights belong
            to, where they come alone.
        lora_alpha (`float`, *optional*, defaults to 16): scale that LoRA weights were trained with; no file holds it.

    Returns:
        [`MotionGPTForPreference`]: in float32 and evaluation mode, without dropout.

    Raises:
        ValueError: if weights are missing, unexpected or of other shapes, or something that is needed was not given.
    """
    weights = sort_weights(state_dict)
    if weights.vae:
        refuse_second_vqvae(vqvae)
        vqvae = build_vqvae(weights.vae, find_stats(stats))
    elif stats is not None:
        raise ValueError("stats belong to a VQ-VAE among the weights, but there is none; leave them out.")
    below = None
    if base is not None:
        if not weights.adapters or weights.language_model:
            raise ValueError("base is for LoRA weights that come alone, but there is a language model; leave it out.")
        below = sort_weights(base).language_model
    return assemble(weights, vqvae, tokenizer, lora_alpha, below).model()


def refuse_second_vqvae(vqvae: Any) -> None:
    """A checkpoint has one codebook, the one that its language model was trained on.

    Args:
        vqvae (*optional*): one from elsewhere.

    Raises:
        ValueError: if there is one.
    """
    if vqvae is not None:
        raise ValueError(
            "The checkpoint holds the VQ-VAE that its language model was trained with; leave vqvae (--vqvae) out."
        )


def build_vqvae(weights: Mapping[str, Tensor], stats: MotionStats) -> MotionVQVAE:
    """A VQ-VAE of the original's weights.

    Args:
        weights (`Mapping[str, Tensor]`): by the names of [`MotionVQVAE`].
        stats ([`MotionStats`]): mean and deviation of its features.

    Returns:
        [`MotionVQVAE`]: in evaluation mode.

    Raises:
        ValueError: if weights are missing, unexpected or of other shapes, or its features are no HumanML3D features.
    """
    width, feature_dim, _ = shape_of(weights, "encoder.model.0.weight", 3, _VQVAE)
    num_codes, code_dim = shape_of(weights, "quantizer.codebook", 2, _VQVAE)
    if feature_dim != FEATURE_DIM:
        raise ValueError(
            f"Expected a VQ-VAE of HumanML3D's {FEATURE_DIM} features, got one of {feature_dim}; KIT-ML's has 251, on "
            "another skeleton."
        )
    config = MotionVQVAEConfig(
        num_codes=num_codes,
        code_dim=code_dim,
        width=width,
        down_t=_layers(weights, r"encoder\.model\.(\d+)\.0\.weight", _VQVAE),
        depth=_layers(weights, r"encoder\.model\.2\.1\.model\.(\d+)\.conv1\.weight", _VQVAE),
    )
    with torch.device("meta"):
        expected = MotionVQVAE(config).state_dict()
    ours = {name: value for name, value in expected.items() if name in ("mean", "std")}
    ours |= {
        name: value
        for name, value in expected.items()
        if name.startswith("quantizer.") and name != "quantizer.codebook"
    }
    check_weights(weights, {name: value for name, value in expected.items() if name not in ours}, _VQVAE)
    filled = {name: torch.zeros(value.shape, dtype=value.dtype) for name, value in ours.items()}
    model = MotionVQVAE.from_pretrained(None, config=config, state_dict={**weights, **filled})
    model.quantizer.set(weights["quantizer.codebook"], count=_CODE_COUNT)
    model.set_stats(stats)
    return model


def assemble(
    weights: OriginalWeights,
    vqvae: MotionVQVAE | None,
    tokenizer: PreTrainedTokenizerBase | MotionGPTProcessor | None,
    lora_alpha: float,
    base: Mapping[str, Tensor] | None = None,
) -> Original:
    """Put language model, adapters, VQ-VAE and tokenizer together.

    Args:
        weights ([`OriginalWeights`]): of the checkpoint; its VQ-VAE is not looked at.
        vqvae ([`MotionVQVAE`], *optional*): the motion tokenizer.
        tokenizer (`PreTrainedTokenizerBase` or [`MotionGPTProcessor`], *optional*): the text tokenizer, with motion
            tokens.
        lora_alpha (`float`): scale that LoRA weights were trained with.
        base (`Mapping[str, Tensor]`, *optional*): language model for LoRA weights that come alone.

    Returns:
        [`Original`]: configuration, weights and processor.

    Raises:
        ValueError: if weights are missing, unexpected or of other shapes, or tokenizer and VQ-VAE do not fit.
    """
    language_model: Mapping[str, Tensor] = weights.language_model
    if weights.adapters and not language_model:
        if base is None:
            raise ValueError(
                f"Expected a model, got LoRA weights of {len(weights.adapters)} layers alone. Give what they change "
                'as base (--base): "OpenMotionLab/MotionGPT-base", or a converted checkpoint.'
            )
        language_model = base
    merged = merge_adapters(language_model, weights.adapters, lora_alpha)
    config = _language_config(merged, vqvae)
    with torch.device("meta"):
        # The VQ-VAE has been looked at.
        alone = MotionGPTForPreference(MotionGPTConfig.from_dict({**config.to_dict(), "vqvae_config": None}))
    check_weights(merged, alone.state_dict(), _T5)
    for name in COPIES:
        if not torch.equal(merged.setdefault(name, merged["shared.weight"]), merged["shared.weight"]):
            raise ValueError(f"Expected {name} as a copy of shared.weight, as in every T5, but they differ.")
        del merged[name]
    if vqvae is not None:
        merged |= {f"vqvae.{name}": value.clone() for name, value in vqvae.state_dict().items()}
    processor = _processor(tokenizer, config, vqvae)
    return Original(config, merged, processor, _found(weights, config, lora_alpha))


def _language_config(weights: Mapping[str, Tensor], vqvae: MotionVQVAE | None) -> MotionGPTConfig:
    layer = "encoder.block.0.layer"
    vocab_size, d_model = shape_of(weights, "shared.weight", 2, _T5)
    attention = f"{layer}.0.SelfAttention"
    buckets, heads = shape_of(weights, f"{attention}.relative_attention_bias.weight", 2, _T5)
    inner, _ = shape_of(weights, f"{attention}.q.weight", 2, _T5)
    head, _ = shape_of(weights, "lm_head.weight", 2, _T5)
    gated = f"{layer}.1.DenseReluDense.wi_0.weight" in weights
    d_ff, _ = shape_of(weights, f"{layer}.1.DenseReluDense.{'wi_0' if gated else 'wi'}.weight", 2, _T5)
    num_codes = NUM_CODES if vqvae is None else vqvae.config.num_codes
    if vocab_size < num_codes + SPECIAL_MOTION_TOKENS:
        raise ValueError(
            f"Expected the embeddings of {num_codes} + {SPECIAL_MOTION_TOKENS} motion tokens behind those of words, "
            f"got {vocab_size} in all."
        )
    return MotionGPTConfig(
        vocab_size=vocab_size,
        d_model=d_model,
        d_kv=max(1, inner // heads),
        d_ff=d_ff,
        num_layers=_layers(weights, r"encoder\.block\.(\d+)\.layer\.0\.SelfAttention\.q\.weight", _T5),
        num_decoder_layers=_layers(weights, r"decoder\.block\.(\d+)\.layer\.0\.SelfAttention\.q\.weight", _T5),
        num_heads=heads,
        relative_attention_num_buckets=buckets,
        feed_forward_proj="gated-gelu" if gated else "relu",
        # flan-T5's head is its own, and then hidden states are not scaled before it
        tie_word_embeddings=head == vocab_size and torch.equal(weights["lm_head.weight"], weights["shared.weight"]),
        dropout_rate=0.0,
        num_codes=num_codes,
        vqvae_config=None if vqvae is None else vqvae.config.to_dict(),
        dtype="float32",
    )


def _layers(weights: Mapping[str, Tensor], pattern: str, what: str) -> int:
    """How many weights have such a name; the check of all names comes later."""
    count = sum(re.fullmatch(pattern, name) is not None for name in weights)
    if not 0 < count <= _MOST_LAYERS:
        raise ValueError(f"Expected {what} with 1 to {_MOST_LAYERS} layers named like {pattern}, got {count} of them.")
    return count


def _processor(
    tokenizer: PreTrainedTokenizerBase | MotionGPTProcessor | None, config: MotionGPTConfig, vqvae: MotionVQVAE | None
) -> MotionGPTProcessor | None:
    if tokenizer is None:
        return None
    stats = None if vqvae is None else vqvae.stats
    if isinstance(tokenizer, MotionGPTProcessor):
        processor = tokenizer
        processor.stats = stats
    else:
        processor = MotionGPTProcessor(tokenizer, stats=stats)
    got = motion_ids(processor.tokenizer)
    if got != config.motion_token_range:
        wanted = config.motion_token_range
        raise ValueError(
            f"The model's motion tokens have ids {wanted.start} to {wanted.stop - 1} ({config.num_codes} codes + "
            f"{SPECIAL_MOTION_TOKENS}), but the tokenizer's {got.start} to {got.stop - 1}; it is another model's. "
            "Take the one that the model was trained with, google/flan-t5-base for MotionGPT."
        )
    return processor


def _found(weights: OriginalWeights, config: MotionGPTConfig, lora_alpha: float) -> list[str]:
    """What the checkpoint holds, for people."""
    head = "an output layer of its own" if config.untied_lm_head else "embeddings as output layer"
    lines = [
        f"language model: {config.num_layers} + {config.num_decoder_layers} layers, d_model {config.d_model}, "
        f"{config.vocab_size} tokens with {head}"
    ]
    if weights.adapters:
        ranks = sorted({len(pair["A"]) for pair in weights.adapters.values()})
        alone = "" if weights.language_model else ", with the language model of base"
        lines.append(
            f"LoRA: {len(weights.adapters)} layers of rank {', '.join(map(str, ranks))}, merged with alpha "
            f"{lora_alpha:g}{alone}"
        )
    vqvae = config.vqvae_config
    if vqvae is None:
        lines.append("VQ-VAE: none, so the model writes motion tokens but no motion")
    else:
        source = "" if weights.vae else ", not from this checkpoint"
        lines.append(f"VQ-VAE: {vqvae.num_codes} codes of {vqvae.frames_per_code} frames, width {vqvae.width}{source}")
    if weights.left_out:
        lines.append("left out: " + ", ".join(f"{count} of {name}" for name, count in weights.left_out.items()))
    return lines
