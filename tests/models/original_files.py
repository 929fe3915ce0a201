"""Files as the original MotionGPT and those who trained it further wrote them, with few and small numbers."""

import json
import re
import sys
import types
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from atom_hf.models import train_tokenizer
from atom_hf.motion import MotionStats

GOLDEN = Path(__file__).parent.parent / "golden"
WORDS = 360  # tokens of the tokenizer before the motion tokens
_TEXTS = ["a person walks", "a person jumps twice", "Generate motion: a man waves"] * 8
# Sizes of flan-T5-base and of MotionGPT's VQ-VAE, and what stands for them here.
_T5 = {32615: WORDS + 515, 768: 16, 2048: 24, 12: 2}
_VAE = {512: 8}


def tiny_tokenizer() -> PreTrainedTokenizerFast:
    tokenizer = train_tokenizer(_TEXTS, WORDS)
    assert len(tokenizer) == WORDS + 515
    return tokenizer


def tiny_stats() -> MotionStats:
    rng = np.random.default_rng(0)
    return MotionStats(rng.normal(size=263) * 0.1, rng.uniform(0.1, 0.3, 263))


def original_names() -> dict[str, tuple[int, ...]]:
    """All 486 names of MotionGPT's checkpoint with their shapes."""
    rows = json.loads((GOLDEN / "c_checkpoint_keys.json").read_text("utf-8"))["keys"]
    return {name: tuple(shape) for name, shape, _ in rows}


def original_weights(layers: int = 2, seed: int = 0) -> dict[str, Tensor]:
    """A state dict of the original's names, small; all 486 of them with 12 layers."""
    generator = torch.Generator().manual_seed(seed)
    weights = {}
    for name, shape in original_names().items():
        if (block := re.search(r"\.block\.(\d+)\.", name)) and int(block[1]) >= layers:
            continue
        if name.startswith("lm."):
            shape = tuple(_T5.get(size, size) for size in shape)
        elif name.startswith("vae.") and name != "vae.quantizer.codebook":
            shape = tuple(_VAE.get(size, size) for size in shape)
        elif name.startswith("vae."):
            shape = (512, 8)
        else:
            shape = tuple(min(size, 3) for size in shape)
        weights[name] = torch.randn(shape, generator=generator) * 0.3
    for stack in ("encoder", "decoder"):
        weights[f"lm.language_model.{stack}.embed_tokens.weight"] = weights["lm.language_model.shared.weight"]
    return weights


def language_model(weights: Mapping[str, Tensor], prefix: str = "") -> dict[str, Tensor]:
    """The T5 of an original's state dict alone, as trainers save it."""
    old = "lm.language_model."
    return {prefix + name.removeprefix(old): value for name, value in weights.items() if name.startswith(old)}


def save_like_lightning(path: Path, state: Mapping[str, Tensor]) -> Path:
    """With the envelope of Lightning, which names classes of modules that readers do not have."""
    module = types.ModuleType("omegaconf_vanished")
    config = type("DictConfig", (), {"__module__": module.__name__})
    module.DictConfig = config
    sys.modules[module.__name__] = module
    try:
        made = config()
        made.content = {"lr": 1e-4}
        torch.save(
            {
                "epoch": 7,
                "pytorch-lightning_version": "2.0.2",
                "state_dict": dict(state),
                "callbacks": {config: {"monitor": made}},
                "optimizer_states": [{"state": {0: {"exp_avg": torch.zeros(2)}}, "param_groups": [{"lr": 1e-4}]}],
                "hyper_parameters": {"cfg": made},
            },
            path,
        )
    finally:
        del sys.modules[module.__name__]
    return path
