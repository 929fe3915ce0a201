"""Checkpoints of the original MotionGPT, and of InstructMotion and AToM, as models of this package.

convert("OpenMotionLab/MotionGPT-base", "motiongpt", stats="MotionGPT/assets/meta")      # a folder for from_pretrained
convert("policy-checkpoint-20.pt", "aligned", base="motiongpt")                          # T5 or LoRA alone: base has the rest

Sizes are read from the shapes. Files are read by `read_tensors`, so nothing in them runs.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from ..motion import MotionStats
from ..motion.codes import NUM_CODES
from .checkpoint_files import CheckpointError, read_tensors, tensor_shapes
from .motiongpt import MotionGPTForPreference
from .motiongpt_config import MotionGPTConfig
from .original_sources import find_checkpoint, find_stats, find_tokenizer, is_original, new_folder
from .original_weights import LEFT_OUT, OriginalWeights, check_weights, merge_adapters, shape_of, sort_weights
from .processing import MotionGPTProcessor
from .tokenizer import motion_ids
from .vqvae import MotionVQVAE
from .vqvae_config import MotionVQVAEConfig

__all__ = ["convert", "is_original", "motiongpt_from_original", "read_original", "vqvae_from_original"]

_MOST_LAYERS = 128  # more are a hostile file's
_KEPT_UPDATES = 100.0  # so that fine-tuning gives a code away only after hundreds of updates without use
_OURS = ("mean", "std", "quantizer.code_sum", "quantizer.code_count", "quantizer.initialized")


class Original(NamedTuple):
    """An original checkpoint, ready for `MotionGPTForPreference.from_pretrained(None, config=…, state_dict=…)`.

    Args:
        config ([`MotionGPTConfig`]): sizes.
        state_dict (`dict[str, Tensor]`): weights of language model and VQ-VAE, float32.
        processor ([`MotionGPTProcessor`] or `None`): with the tokenizer, if there is one.
        found (`list[str]`): what the checkpoint holds, a line each.
    """

    config: MotionGPTConfig
    state_dict: dict[str, Tensor]
    processor: MotionGPTProcessor | None
    found: list[str]

    def model(self) -> MotionGPTForPreference:
        """The model, in evaluation mode, with its processor."""
        model = MotionGPTForPreference.from_pretrained(None, config=self.config, state_dict=self.state_dict)
        model.processor = self.processor
        return model


class _Base(NamedTuple):
    """What a base checkpoint gives to one that holds less."""

    language_model: Mapping[str, Tensor] | None = None
    vqvae: MotionVQVAE | None = None
    processor: MotionGPTProcessor | None = None


def vqvae_from_original(
    state_dict: Mapping[str, Tensor], stats: MotionStats | str | Path | None = None
) -> MotionVQVAE:
    """The motion tokenizer of an original checkpoint.

    Args:
        state_dict (`Mapping[str, Tensor]`): its weights, with or without `vae.` in front; those of a language model,
            `metrics.*` and `_losses.*` are passed over.
        stats ([`MotionStats`] or `str` or `Path`): mean and deviation of the features that it was trained on, or the
            folder that they are in; the checkpoint does not hold them. For normalised features only,
            `MotionStats(np.zeros(263), np.ones(263))`.

    Returns:
        [`MotionVQVAE`]: in evaluation mode.

    Raises:
        ValueError: if weights are missing, unexpected or of other shapes, or there are no statistics.
    """
    return _vqvae(sort_weights(state_dict).vae, find_stats(stats))


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
        state_dict (`Mapping[str, Tensor]`): weights, such as `read_tensors` gives: `lm.language_model.*` and `vae.*` of
            MotionGPT, or a T5's alone, plain or with LoRA weights of PEFT, which are merged.
        tokenizer (`PreTrainedTokenizerBase`, *optional*): with motion tokens; see `load_motion_tokenizer`.
        vqvae ([`MotionVQVAE`], *optional*): for weights that have none.
        stats ([`MotionStats`] or `str` or `Path`, *optional*): mean and deviation that a VQ-VAE among the weights was
            trained with, or their folder; needed if there is one.
        base (`Mapping[str, Tensor]`, *optional*): weights of the original that LoRA weights without a model belong to.
        lora_alpha (`float`, *optional*, defaults to 16): scale that LoRA weights were trained with; no file holds it.

    Returns:
        [`MotionGPTForPreference`]: in float32 and evaluation mode, without dropout.

    Raises:
        ValueError: if weights are missing, unexpected or of other shapes, or something that is needed was not given.
    """
    weights = sort_weights(state_dict)
    lacking = _Base()
    if base is not None:
        other = sort_weights(base)
        own = vqvae is None and not weights.vae and other.vae
        lacking = _Base(other.language_model, _vqvae(other.vae, find_stats(stats)) if own else None)
    if weights.vae:
        _refuse_second_vqvae(vqvae)
        vqvae = _vqvae(weights.vae, find_stats(stats))
    return _assemble(weights, lacking, vqvae or lacking.vqvae, tokenizer, lora_alpha).model()


def read_original(
    source: str | Path,
    *,
    stats: MotionStats | str | Path | None = None,
    tokenizer: PreTrainedTokenizerBase | str | Path | None = None,
    base: str | Path | None = None,
    vqvae: MotionVQVAE | str | Path | None = None,
    lora_alpha: float = 16,
    **hub: Any,
) -> Original:
    """Read an original checkpoint with everything that it needs; see `convert`.

    Args:
        source (`str` or `Path`): as in `convert`.
        stats ([`MotionStats`] or `str` or `Path`, *optional*): as in `convert`.
        tokenizer (`PreTrainedTokenizerBase` or `str` or `Path`, *optional*): as in `convert`.
        base (`str` or `Path`, *optional*): as in `convert`.
        vqvae ([`MotionVQVAE`] or `str` or `Path`, *optional*): as in `convert`.
        lora_alpha (`float`, *optional*, defaults to 16): as in `convert`.
        **hub (*optional*): `revision`, `cache_dir`, `token`, … for the download.

    Returns:
        [`Original`]: configuration, weights and processor.

    Raises:
        OSError: if something has to be downloaded and cannot be.
        ValueError: as in `convert`; a [`CheckpointError`] where a file is at fault.
    """
    path = find_checkpoint(source, **hub)
    weights = _read(path)
    if not weights.language_model and not weights.adapters and weights.vae:
        raise CheckpointError(
            path, "expected a language model, but it holds a VQ-VAE alone: name it as vqvae (--vqvae) of a checkpoint that has "
            "none, or take vqvae_from_original(read_tensors(path), stats)."
        )  # fmt: skip
    if not weights.language_model and weights.adapters and base is None:
        raise CheckpointError(
            path, f"it holds LoRA weights of {len(weights.adapters)} layers and not the model that they change. Give that one as "
            'base (--base), such as "OpenMotionLab/MotionGPT-base" or the folder of a converted checkpoint.'
        )  # fmt: skip
    whole = bool(weights.language_model and (weights.vae or vqvae is not None))
    if base is not None and whole:
        raise ValueError(f"{path} needs no base, it is whole; leave base (--base) out.")
    lacking = _Base()
    needs_stats = bool(weights.vae)
    if weights.vae:
        _refuse_second_vqvae(vqvae)
        with _naming(path):
            vqvae = _vqvae(weights.vae, find_stats(stats, path))
    elif vqvae is not None and not isinstance(vqvae, MotionVQVAE):
        needs_stats = is_original(vqvae)
        vqvae = _open_vqvae(vqvae, stats, hub)
    if base is not None:
        needs_stats |= vqvae is None and is_original(base)
        lacking = _open_base(base, vqvae, stats, hub)
    if stats is not None and not needs_stats:
        raise ValueError(
            "stats (--stats) belong to the weights of an original VQ-VAE, but none is read; leave them out."
        )
    vqvae = vqvae if vqvae is not None else lacking.vqvae
    if tokenizer is not None or lacking.processor is None:
        codes = NUM_CODES if vqvae is None else vqvae.config.num_codes
        tokenizer = find_tokenizer(tokenizer, path, codes)
    with _naming(path):
        return _assemble(weights, lacking, vqvae, tokenizer, lora_alpha)


def convert(
    source: str | Path,
    output: str | Path | None = None,
    *,
    stats: MotionStats | str | Path | None = None,
    tokenizer: PreTrainedTokenizerBase | str | Path | None = None,
    base: str | Path | None = None,
    vqvae: MotionVQVAE | str | Path | None = None,
    lora_alpha: float = 16,
    revision: str | None = None,
    overwrite: bool = False,
    report: Callable[[str], Any] | None = None,
) -> MotionGPTForPreference:
    """Convert an original checkpoint; write it as a folder for `from_pretrained`, whole or not at all.

    Args:
        source (`str` or `Path`): MotionGPT's `motiongpt_s3_h3d.tar`, a folder that holds it, or
            `"OpenMotionLab/MotionGPT-base"`; or a `.pt`, `.pth`, `.bin`, `.ckpt` or `.safetensors` that was trained from it.
        output (`str` or `Path`, *optional*): folder to write, with model, tokenizer and statistics.
        stats ([`MotionStats`] or `str` or `Path`, *optional*): mean and deviation that the VQ-VAE was trained with, or
            the folder of `mean.npy` and `std.npy`, `assets/meta` of MotionGPT's repository; by default those beside the
            checkpoint. Without them there is no conversion of a VQ-VAE.
        tokenizer (`PreTrainedTokenizerBase` or `str` or `Path`, *optional*): folder or Hub repository of the T5 tokenizer; by
            default that of `base`, the `tokenizer.json` beside the checkpoint, or google/flan-t5-base.
        base (`str` or `Path`, *optional*): checkpoint, original or converted, that gives what the source lacks: the
            model that LoRA weights change, the VQ-VAE.
        vqvae ([`MotionVQVAE`] or `str` or `Path`, *optional*): checkpoint, original or converted, of the VQ-VAE for a
            source without one.
        lora_alpha (`float`, *optional*, defaults to 16): scale that LoRA weights were trained with; no file holds it.
        revision (`str`, *optional*): branch, tag or commit of the Hub repository.
        overwrite (`bool`, *optional*, defaults to `False`): replace a folder that holds a checkpoint.
        report (`Callable[[str], Any]`, *optional*): is called with each line about what the source holds.

    Returns:
        [`MotionGPTForPreference`]: the converted model, float32, in evaluation mode.

    Raises:
        CheckpointError: if a file is no such checkpoint, not whole, broken or hostile.
        OSError: if something has to be downloaded and cannot be, or the folder cannot be written.
        ValueError: if something that is needed was not given, or does not fit.
    """

    def converted() -> MotionGPTForPreference:
        original = read_original(
            source, stats=stats, tokenizer=tokenizer, base=base, vqvae=vqvae, lora_alpha=lora_alpha, revision=revision
        )
        for line in original.found if report is not None else ():
            report(line)
        return original.model()

    if output is None:
        return converted()
    with new_folder(Path(output), overwrite, source) as folder:
        model = converted()
        model.save_pretrained(folder)
    model.config._name_or_path = str(output)
    return model


def loading_arguments(source: str | Path, options: dict[str, Any]) -> tuple[dict[str, Any], MotionGPTProcessor | None]:
    """Keyword arguments for transformers' `from_pretrained`, by which it loads an original checkpoint.

    Args:
        source (`str` or `Path`): an original checkpoint.
        options (`dict[str, Any]`): what `from_pretrained` was called with: `stats`, `tokenizer`, `base`, `vqvae` and
            `lora_alpha` as in `convert`, fields of the config, and transformers' own.

    Returns:
        `tuple`: the arguments, and the processor.

    Raises:
        ValueError: as in `convert`, or if a config was given.
    """
    if options.get("config") is not None:
        raise ValueError("The config of an original checkpoint comes from its shapes; leave config out.")
    mine = ("stats", "tokenizer", "base", "vqvae", "lora_alpha")
    hub = ("revision", "cache_dir", "token", "local_files_only", "force_download")
    original = read_original(source, **{name: options[name] for name in (*mine, *hub) if options.get(name) is not None})
    fields = original.config.to_dict().keys() - {"dtype", "torch_dtype"}
    for name in fields & options.keys():
        setattr(original.config, name, options[name])
    rest = {name: value for name, value in options.items() if name not in {*mine, *hub, *fields}}
    return {**rest, "config": original.config, "state_dict": original.state_dict}, original.processor


def _read(path: Path) -> OriginalWeights:
    tensors = read_tensors(path, keep=lambda name: not name.startswith(LEFT_OUT))
    with _naming(path):
        weights = sort_weights(tensors)
    for name in tensor_shapes(path):
        if name.startswith(LEFT_OUT):
            group = name.partition(".")[0] + ".*"
            weights.left_out[group] = weights.left_out.get(group, 0) + 1
    return weights


def _open_vqvae(source: str | Path, stats: Any, hub: Mapping[str, Any]) -> MotionVQVAE:
    """A VQ-VAE of its own: original, or saved by this package."""
    if not is_original(source):
        return MotionVQVAE.from_pretrained(source)
    path = find_checkpoint(source, **hub)
    with _naming(path):
        return _vqvae(_read(path).vae, find_stats(stats, path))


def _open_base(source: str | Path, vqvae: MotionVQVAE | None, stats: Any, hub: Mapping[str, Any]) -> _Base:
    if is_original(source):
        path = find_checkpoint(source, **hub)
        weights = _read(path)
        with _naming(path):
            if vqvae is None and weights.vae:
                vqvae = _vqvae(weights.vae, find_stats(stats, path))
            return _Base(merge_adapters(weights.language_model, weights.adapters, 1), vqvae)
    model = MotionGPTForPreference.from_pretrained(source)
    weights = {name: tensor for name, tensor in model.state_dict().items() if not name.startswith("vqvae.")}
    return _Base(weights, model.vqvae, model.processor)
