"""Checkpoints of the original MotionGPT, and of InstructMotion and AToM, as models of this package.

convert("OpenMotionLab/MotionGPT-base", "motiongpt", stats="MotionGPT/assets/meta")   # a folder for from_pretrained
convert("policy-checkpoint-20.pt", "aligned", base="motiongpt")    # T5 or LoRA weights alone: base has the rest

Sizes are read from the shapes. Files are read by `read_tensors`, so nothing in them runs.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor
from transformers import PreTrainedTokenizerBase

from ..motion import MotionStats
from ..motion.codes import NUM_CODES
from .checkpoint_files import CheckpointError, read_tensors
from .motiongpt import MotionGPTForPreference
from .original_models import (
    Original,
    assemble,
    build_vqvae,
    motiongpt_from_original,
    refuse_second_vqvae,
    vqvae_from_original,
)
from .original_sources import find_checkpoint, find_stats, find_tokenizer, is_original, new_folder
from .original_weights import OriginalWeights, left_out_group, sort_weights
from .processing import MotionGPTProcessor
from .vqvae import MotionVQVAE

__all__ = ["Original", "convert", "is_original", "motiongpt_from_original", "read_original", "vqvae_from_original"]


class _Base(NamedTuple):
    """What a base checkpoint gives to one that holds less."""

    language_model: Mapping[str, Tensor] | None = None
    vqvae: MotionVQVAE | None = None
    processor: MotionGPTProcessor | None = None


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
    _check_parts(path, weights, base, vqvae)
    needs_stats = bool(weights.vae)
    if weights.vae:
        statistics = find_stats(stats, path)
        with _naming(path):
            vqvae = build_vqvae(weights.vae, statistics)
    elif vqvae is not None and not isinstance(vqvae, MotionVQVAE):
        needs_stats = is_original(vqvae)
        vqvae = _open_vqvae(vqvae, stats, hub)
    lacking = _Base()
    if base is not None:
        needs_stats = needs_stats or (vqvae is None and is_original(base))
        lacking = _open_base(base, vqvae, stats, hub)
        vqvae = lacking.vqvae if vqvae is None else vqvae
    words: PreTrainedTokenizerBase | MotionGPTProcessor | None = lacking.processor
    if tokenizer is not None or words is None:
        words = find_tokenizer(tokenizer, path, NUM_CODES if vqvae is None else vqvae.config.num_codes)
    with _naming(path):
        original = assemble(weights, vqvae, words, lora_alpha, lacking.language_model)
    if stats is not None and not needs_stats:
        raise ValueError("stats (--stats) belong to an original VQ-VAE, but none is read; leave them out.")
    return original


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
            `"OpenMotionLab/MotionGPT-base"`; or a `.pt`, `.pth`, `.bin`, `.ckpt` or `.safetensors` that was trained
            from it.
        output (`str` or `Path`, *optional*): folder to write, with model, tokenizer and statistics.
        stats ([`MotionStats`] or `str` or `Path`, *optional*): mean and deviation that the VQ-VAE was trained with, or
            the folder of `mean.npy` and `std.npy`, `assets/meta` of MotionGPT's repository; by default those beside
            the checkpoint. Without them no VQ-VAE is converted.
        tokenizer (`PreTrainedTokenizerBase` or `str` or `Path`, *optional*): folder or Hub repository of the T5
            tokenizer; by default that of `base`, the `tokenizer.json` beside the checkpoint, or google/flan-t5-base.
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
        if report is not None:
            for line in original.found:
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
    original = read_original(
        source, **{name: options[name] for name in (*mine, *hub) if options.get(name) is not None}
    )
    fields = original.config.to_dict().keys() - {"dtype", "torch_dtype"}
    for name in fields & options.keys():
        setattr(original.config, name, options[name])
    rest = {name: value for name, value in options.items() if name not in {*mine, *hub, *fields}}
    return {**rest, "config": original.config, "state_dict": original.state_dict}, original.processor


def _read(path: Path) -> OriginalWeights:
    """The weights in a file by part; those that are left out are counted and never read."""
    left_out: Counter[str] = Counter()

    def wanted(name: str) -> bool:
        group = left_out_group(name)
        left_out.update([group] if group else [])
        return group is None

    with _naming(path):
        weights = sort_weights(read_tensors(path, keep=wanted), copy=False)
    return weights._replace(left_out=left_out)


def _check_parts(path: Path, weights: OriginalWeights, base: Any, vqvae: Any) -> None:
    """Something for everything that is needed, and nothing for what is there."""
    if weights.vae and not weights.language_model and not weights.adapters:
        raise CheckpointError(
            path,
            "expected a language model, but it holds a VQ-VAE alone: give it as vqvae (--vqvae) of a checkpoint that "
            "has none, or take vqvae_from_original(read_tensors(path), stats).",
        )
    if weights.vae:
        refuse_second_vqvae(vqvae)
    if base is not None and weights.language_model and (weights.vae or vqvae is not None):
        raise ValueError(f"{path} lacks nothing that a base would give; leave base (--base) out.")


def _open_vqvae(source: str | Path, stats: Any, hub: Mapping[str, Any]) -> MotionVQVAE:
    """A VQ-VAE of its own: original, or saved by this package."""
    if not is_original(source):
        return MotionVQVAE.from_pretrained(source)
    path = find_checkpoint(source, **hub)
    weights, statistics = _read(path), find_stats(stats, path)
    with _naming(path):
        return build_vqvae(weights.vae, statistics)


def _open_base(source: str | Path, vqvae: MotionVQVAE | None, stats: Any, hub: Mapping[str, Any]) -> _Base:
    """Language model, VQ-VAE unless there is one, and processor if there is one, of the base."""
    if not is_original(source):
        model = MotionGPTForPreference.from_pretrained(source)
        weights = {name: value for name, value in model.state_dict().items() if not name.startswith("vqvae.")}
        return _Base(weights, model.vqvae, model.processor)
    path = find_checkpoint(source, **hub)
    parts = _read(path)
    if parts.adapters:
        raise CheckpointError(path, "expected a base without LoRA weights; convert it, and give what that wrote.")
    if vqvae is None and parts.vae:
        statistics = find_stats(stats, path)
        with _naming(path):
            vqvae = build_vqvae(parts.vae, statistics)
    return _Base(parts.language_model, vqvae)


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Errors about weights name the file that they are in."""
    try:
        yield
    except CheckpointError:
        raise
    except ValueError as error:
        raise CheckpointError(path, str(error)) from error
