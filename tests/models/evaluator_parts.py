"""Evaluators small enough to be made in every test, and the golden one in the files that T2M comes in."""

import pickle
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file

from atom_hf.models.evaluator import TextMotionEvaluator
from atom_hf.models.evaluator_config import TextMotionEvaluatorConfig
from atom_hf.motion import MotionStats

GOLDEN = Path(__file__).parent.parent / "golden"
IDENTITY = MotionStats(np.zeros(263), np.ones(263))
PARTS = ("movement_encoder", "text_encoder", "motion_encoder")
SIZES = {
    "movement_hidden_size": 12,
    "movement_size": 10,
    "motion_hidden_size": 16,
    "text_hidden_size": 12,
    "embedding_size": 8,
    "word_size": 6,
}
WORDS = ["sos", "eos", "unk", "a", "man", "walks", "jumps", "left"]
GLOVE_WORDS = "sos eos unk a person walk forward slowly stair arm the up happy".split()


def tiny_evaluator(seed: int = 0, **options: Any) -> TextMotionEvaluator:
    """Plain words, in evaluation mode."""
    torch.manual_seed(seed)
    choices = {"text_input": "words", "words": WORDS, "hash_buckets": 5}
    return TextMotionEvaluator(TextMotionEvaluatorConfig(**{**SIZES, **choices, **options})).eval()


def save_glove(folder: Path) -> Path:
    """The golden word vectors in the three files of text-to-motion."""
    shutil.copy(GOLDEN / "d_glove_vectors.npy", folder / "our_vab_data.npy")
    (folder / "our_vab_words.pkl").write_bytes(pickle.dumps(GLOVE_WORDS))
    (folder / "our_vab_idx.pkl").write_bytes(pickle.dumps({word: i for i, word in enumerate(GLOVE_WORDS)}))
    return folder


def golden_weights() -> dict[str, torch.Tensor]:
    return load_file(GOLDEN / "d_evaluator_small.safetensors")


def save_finest(path: Path, weights: dict[str, torch.Tensor] | None = None) -> Path:
    """The file as text-to-motion wrote it, with optimizers and counters."""
    weights = golden_weights() if weights is None else weights
    content: dict[str, Any] = {
        part: {name.removeprefix(f"{part}."): value for name, value in weights.items() if name.startswith(f"{part}.")}
        for part in PARTS
    }
    optimizer = {"state": {0: {"step": 3, "exp_avg": torch.zeros(2)}}, "param_groups": [{"lr": 1e-4, "params": [0]}]}
    content |= {f"opt_{part}": optimizer for part in PARTS} | {"epoch": 23, "iter": 4600}
    torch.save(content, path)
    return path


def some_features(lengths: tuple[int, ...] = (40, 8, 196, 23, 120), seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(length, 263)).astype(np.float32) for length in lengths]
