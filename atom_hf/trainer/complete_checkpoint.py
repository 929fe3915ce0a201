"""Whether a checkpoint can be gone on from: all its files are there, and none of them was cut off.

checkpoint_fault(Path("outputs/dpo/checkpoint-50"))   →  None, or "optimizer.pt cannot be read: it was cut off"

Only ends and headers of files are looked at, so that large checkpoints are checked at once.
"""

import json
import zipfile
from collections.abc import Sequence
from pathlib import Path

_WEIGHTS = ("model.safetensors", "adapter_model.safetensors", "pytorch_model.bin", "adapter_model.bin")
_INDICES = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
_FSDP = "pytorch_model_fsdp"
_ZIPS = ("optimizer.pt", "scheduler.pt", "scaler.pt", "rng_state*.pth", "ppo_state_*.pt")  # as torch.save writes them


def checkpoint_fault(folder: Path, needed: Sequence[str] = ()) -> str | None:
    """What is wrong with a checkpoint.

    One of `save_only_model` has neither optimiser, schedule nor random numbers, and is taken as transformers takes it.
    Of FSDP and DeepSpeed, which write their parts in ways of their own, only the trainer's state is looked at.

    Args:
        folder (`Path`): such as `checkpoint-50`.
        needed (`Sequence[str]`, *optional*): further files that a trainer wrote.

    Returns:
        `str` or `None`: None for a whole one.
    """
    try:
        state = json.loads((folder / "trainer_state.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return "it has no trainer_state.json, which is written last"
    except (OSError, ValueError):
        return "trainer_state.json cannot be read: it was cut off"
    if not isinstance(state, dict) or "global_step" not in state:
        return "trainer_state.json names no global_step"
    if _is_sharded(folder):
        return None
    return _missing(folder, needed) or _cut_off(folder)


def has_optimizer(folder: Path) -> bool:
    """Whether a checkpoint holds more than a model.

    Args:
        folder (`Path`): a whole checkpoint.

    Returns:
        `bool`: False for one of `save_only_model`.
    """
    return _is_sharded(folder) or any(folder.glob("optimizer*"))


def _is_sharded(folder: Path) -> bool:
    return (
        (folder / "latest").is_file()  # DeepSpeed's
        or any(path.is_dir() for path in folder.glob("global_step*"))
        or any(folder.glob(f"{_FSDP}*"))
    )


def _missing(folder: Path, needed: Sequence[str]) -> str | None:
    """Weights, and either all or none of what training goes on with."""
    indices = [name for name in _INDICES if (folder / name).is_file()]
    whole = any((folder / name).is_file() for name in _WEIGHTS)
    adapters = any((place / name).is_file() for place in _folders(folder) for name in _WEIGHTS if "adapter" in name)
    if not (whole or adapters or indices):
        return "it has no weights: neither model.safetensors nor adapter_model.safetensors"
    for name in indices:
        try:
            parts = set(json.loads((folder / name).read_text(encoding="utf-8"))["weight_map"].values())
        except (OSError, ValueError, KeyError, AttributeError):
            return f"{name} cannot be read: it was cut off"
        if absent := sorted(part for part in parts if not (folder / part).is_file()):
            return f"{absent[0]} is missing"
    kinds = {"optimizer.pt": "optimizer*", "scheduler.pt": "scheduler.pt", "rng_state.pth": "rng_state*.pth"}
    absent = [name for name, pattern in kinds.items() if not any(folder.glob(pattern))]
    absent = [] if len(absent) == len(kinds) else absent
    absent += [name for name in needed if not (folder / name).is_file()]
    return f"{absent[0]} is missing" if absent else None


def _cut_off(folder: Path) -> str | None:
    broken = [
        path
        for place in (folder, *_folders(folder))
        for path in place.glob("*.safetensors")
        if not _is_safetensors(path)
    ]
    broken += [path for pattern in _ZIPS for path in folder.glob(pattern) if not zipfile.is_zipfile(path)]
    return f"{min(broken).relative_to(folder)} cannot be read: it was cut off" if broken else None


def _folders(folder: Path) -> list[Path]:
    """Those of a value model, or of several adapters."""
    return sorted(path for path in folder.iterdir() if path.is_dir())


def _is_safetensors(path: Path) -> bool:
    """Whether a file is as long as its header says."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        size = path.stat().st_size
        if not 0 < length <= size - 8:
            return False
        try:
            header = json.loads(file.read(length))
            end = max(
                (entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"), default=0
            )
        except (ValueError, KeyError, TypeError, AttributeError, IndexError):
            return False
    return size == 8 + length + end
