"""The published text-motion evaluator as a model of this package.

text-to-motion's finest.tar            {"movement_encoder": {…}, "text_encoder": {…}, "motion_encoder": {…}, …}
MotionGPT's motiongpt_s3_h3d.tar       metrics.TM2TMetrics.t2m_moveencoder.main.0.weight, …, a copy of it

Files are read by `read_tensors`, so nothing in them runs. Neither holds word vectors or statistics.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..motion import MotionStats
from ..motion.formats.files import read_npy
from ..motion.layout import CONTACTS
from .checkpoint_error import CheckpointError
from .checkpoint_files import read_tensors
from .evaluator import TextMotionEvaluator
from .evaluator_config import TextMotionEvaluatorConfig
from .glove_files import WordVectors, read_glove
from .original_sources import find_checkpoint
from .original_weights import check_weights, shape_of

_WHAT = "text-to-motion's evaluator"
_PARTS = ("movement_encoder", "text_encoder", "motion_encoder")
_METRICS = ("metrics.TM2TMetrics.", "metrics.M2TMetrics.")  # both hold the whole evaluator
_NAMES_THERE = {
    "t2m_moveencoder": "movement_encoder",
    "t2m_textencoder": "text_encoder",
    "t2m_motionencoder": "motion_encoder",
}
_OURS = ("mean", "std", "word_vectors", "logit_scale")
_STATS_FILES = (("mean_eval.npy", "std_eval.npy"), ("mean.npy", "std.npy"))
_HUB_OPTIONS = ("revision", "cache_dir", "token", "local_files_only", "force_download")


def evaluator_from_original(
    source: str | Path | Mapping[str, Tensor],
    *,
    glove: WordVectors | str | Path | None = None,
    stats: MotionStats | str | Path | None = None,
    **hub: Any,
) -> TextMotionEvaluator:
    """The evaluator in an original checkpoint.

    Args:
        source (`str` or `Path` or `Mapping[str, Tensor]`): the file `finest.tar` of text-to-motion, MotionGPT's
            checkpoint (a file, a folder or the Hub repository), or weights of one of them by name, each of the shape
            that it has there, such as `read_tensors` gives.
        glove ([`WordVectors`] or `str` or `Path`, *optional*): the word vectors, or the folder with
            `our_vab_data.npy`, `our_vab_words.pkl` and `our_vab_idx.pkl`; without it the evaluator embeds motion
            only.
        stats ([`MotionStats`] or `str` or `Path`, *optional*): mean and deviation that the evaluator was trained with,
            or their folder; without it they are looked for beside the file. For features that are normalised
            already, `MotionStats(np.zeros(263), np.ones(263))`.
        **hub (*optional*): `revision`, `cache_dir`, `token`, … for the download.

    Returns:
        [`TextMotionEvaluator`]: in float32 and evaluation mode.

    Raises:
        CheckpointError: if a file is absent, broken or hostile, or lacks weights; those are listed.
        OSError: if something has to be downloaded and cannot be.
        ValueError: if weights are missing, unexpected or of other shapes, or there are no statistics.
    """
    config, weights = _read(source, glove, stats, hub)
    return TextMotionEvaluator.from_pretrained(None, config=config, state_dict=weights)


def loading_arguments(source: str | Path, options: Mapping[str, Any]) -> dict[str, Any]:
    """What `TextMotionEvaluator.from_pretrained` gives to transformers for an original.

    Args:
        source (`str` or `Path`): the original.
        options (`Mapping[str, Any]`): what it was called with.

    Returns:
        `dict[str, Any]`: with configuration and weights.

    Raises:
        OSError: as in `evaluator_from_original`.
        ValueError: as in `evaluator_from_original`.
    """
    rest = dict(options)
    glove, stats = rest.pop("glove", None), rest.pop("stats", None)
    hub = {name: rest.pop(name) for name in _HUB_OPTIONS if name in rest}
    config, weights = _read(source, glove, stats, {name: value for name, value in hub.items() if value is not None})
    for name in config.to_dict().keys() & rest.keys() - {"dtype"}:
        setattr(config, name, rest.pop(name))
    if config.loss != "infonce":
        del weights["logit_scale"]
    return {**rest, "config": config, "state_dict": weights}


def _read(
    source: str | Path | Mapping[str, Tensor], glove: Any, stats: Any, hub: Mapping[str, Any]
) -> tuple[TextMotionEvaluatorConfig, dict[str, Tensor]]:
    vectors = glove if glove is None or isinstance(glove, WordVectors) else read_glove(glove)
    if isinstance(source, Mapping):
        return _assemble(_evaluator_weights(source), vectors, _find_stats(stats, None))
    path = find_checkpoint(source, **hub)
    tensors = read_tensors(path, keep=lambda name: name.startswith((*(f"{part}." for part in _PARTS), *_METRICS)))
    statistics = _find_stats(stats, path)
    try:
        return _assemble(_evaluator_weights(tensors), vectors, statistics)
    except ValueError as error:
        raise CheckpointError(path, str(error)) from error


def _evaluator_weights(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """By the names of this package, in float32 and in memory of their own."""
    found = {name: value for name, value in tensors.items() if name.startswith(tuple(f"{part}." for part in _PARTS))}
    for prefix in _METRICS:
        if found:
            break
        for name, value in tensors.items():
            part, _, rest = name.removeprefix(prefix).partition(".")
            if name.startswith(prefix) and part in _NAMES_THERE:
                found[f"{_NAMES_THERE[part]}.{rest}"] = value
    for name, value in found.items():
        if not value.is_floating_point():
            raise ValueError(f"Expected weights in floating point, but {name[:120]} is {value.dtype}.")
    return {name: value.detach().to(torch.float32, copy=True) for name, value in found.items()}


def _assemble(
    weights: dict[str, Tensor], glove: WordVectors | None, stats: MotionStats
) -> tuple[TextMotionEvaluatorConfig, dict[str, Tensor]]:
    """Sizes from the shapes, then everything that belongs to the evaluator."""
    config = _config(weights, glove)
    with torch.device("meta"):
        expected = TextMotionEvaluator(config).state_dict()
    check_weights(weights, {name: value for name, value in expected.items() if name not in _OURS}, _WHAT)
    weights["mean"], weights["std"] = (torch.from_numpy(value).float() for value in (stats.mean, stats.std))
    weights["logit_scale"] = torch.zeros(())  # distances as they are, should somebody train it further
    if glove is not None:
        if glove.vectors.shape[1] != config.word_size:
            raise ValueError(
                f"Expected word vectors of {config.word_size} numbers, as the text encoder reads them, got "
                f"{glove.vectors.shape[1]}. Take those of glove.zip of text-to-motion."
            )
        weights["word_vectors"] = torch.tensor(glove.vectors, dtype=torch.float32)
    return config, weights


def _config(weights: Mapping[str, Tensor], glove: WordVectors | None) -> TextMotionEvaluatorConfig:
    movement_hidden, pose, _ = shape_of(weights, "movement_encoder.main.0.weight", 3, _WHAT)
    if pose != CONTACTS.start:
        raise ValueError(
            f"Expected an evaluator of HumanML3D's {CONTACTS.start} features without contacts, got one of {pose}; "
            "KIT-ML's has 247, on another skeleton."
        )
    movement_size, _, _ = shape_of(weights, "movement_encoder.main.3.weight", 3, _WHAT)
    motion_hidden, _ = shape_of(weights, "motion_encoder.input_emb.weight", 2, _WHAT)
    text_hidden, word_size = shape_of(weights, "text_encoder.input_emb.weight", 2, _WHAT)
    embedding_size, _ = shape_of(weights, "motion_encoder.output_net.3.weight", 2, _WHAT)
    sizes = {
        "movement_hidden_size": movement_hidden,
        "movement_size": movement_size,
        "motion_hidden_size": motion_hidden,
        "text_hidden_size": text_hidden,
        "embedding_size": embedding_size,
        "word_size": word_size,
    }
    published = TextMotionEvaluatorConfig()
    return TextMotionEvaluatorConfig(
        **sizes,
        words=None if glove is None else list(glove.words),
        original=all(getattr(published, name) == size for name, size in sizes.items()),
        dtype="float32",
    )


def _find_stats(stats: MotionStats | str | Path | None, beside: Path | None) -> MotionStats:
    """The statistics that the evaluator was trained with; never a guess."""
    if isinstance(stats, MotionStats):
        return stats
    if stats is not None:
        mean, std = (Path(stats) / name for name in _STATS_FILES[0])
        if mean.is_file() and std.is_file():
            return MotionStats(read_npy(mean), read_npy(std))
        return MotionStats.load(stats)
    for folder in [] if beside is None else [beside.parent, beside.parent.parent / "meta"]:
        for mean, std in ((folder / a, folder / b) for a, b in _STATS_FILES):
            if mean.is_file() and std.is_file():
                return MotionStats(read_npy(mean), read_npy(std))
    raise ValueError(
        "The evaluator needs the mean and deviation that it was trained with, and its checkpoint does not hold them. "
        "Fetch mean.npy and std.npy of t2m/Comp_v6_KLD005/meta, which come with text-to-motion's checkpoints, or "
        "mean_eval.npy and std_eval.npy from assets/meta of the repository OpenMotionLab/MotionGPT on GitHub, and "
        "give their folder as stats. HumanML3D's Mean.npy and Std.npy are others and do not fit."
    )
