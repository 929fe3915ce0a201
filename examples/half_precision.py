"""Models that ship: half precision on disk, float32 when they are loaded."""

import json
from pathlib import Path
from typing import Any

import torch


def save_half(model: Any, folder: Path) -> None:
    """Save a model, and its processor where it has one; the configuration says float32, which is what is loaded."""
    processor = getattr(model, "processor", None)
    halves: dict[int, torch.Tensor] = {}  # embeddings stand under several names, and stay one
    weights = {name: halves.setdefault(w.data_ptr(), _half(w)) for name, w in model.state_dict().items()}
    model.config.dtype = "float32"
    model.save_pretrained(folder, state_dict=weights)
    if processor is not None:
        processor.save_pretrained(folder)
    config = json.loads((folder / "config.json").read_text())
    config["dtype"] = "float32"
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")


def _half(weight: torch.Tensor) -> torch.Tensor:
    return weight.half() if weight.is_floating_point() else weight
