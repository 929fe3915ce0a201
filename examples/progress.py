"""What the examples share: where they run, the learning rate of a step, and checkpoints to go on from."""

import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator

# Two processes on a CPU find each other only if they are told that it is one; otherwise each works alone.
ON_CPU = not torch.accelerator.is_available()


def learning_rate(step: int, highest: float, warmup_steps: int, max_steps: int) -> float:
    """Linear warm-up, then a cosine down to a twentieth."""
    if step < warmup_steps:
        return highest * step / warmup_steps
    done = (step - warmup_steps) / max(1, max_steps - warmup_steps)
    return highest * (0.525 + 0.475 * math.cos(math.pi * min(1.0, done)))


def checkpoints(folder: str | Path) -> list[Path]:
    """Checkpoints in a folder, the oldest first."""
    found = [path for path in Path(folder).glob("checkpoint-*") if path.name.rpartition("-")[2].isdecimal()]
    return sorted(found, key=lambda path: int(path.name.rpartition("-")[2]))


def last_checkpoint(folder: str | Path, written_last: str = "") -> Path | None:
    """Where a stopped run goes on; one that was stopped while it saved lacks the file that is written last."""
    return next((path for path in reversed(checkpoints(folder)) if (path / written_last).exists()), None)


def rotate(folder: Path, keep: int) -> None:
    """Remove the oldest checkpoints."""
    for path in checkpoints(folder)[:-keep]:
        shutil.rmtree(path)


def go_on(accelerator: Accelerator, folder: Path) -> int:
    """The step to go on from, with all of its state loaded; 0 where nothing was saved yet."""
    if (checkpoint := last_checkpoint(folder)) is None:
        return 0
    accelerator.load_state(str(checkpoint))
    step = int(checkpoint.name.rpartition("-")[2])
    accelerator.print(f"going on from step {step}")
    return step


def save_checkpoint(
    accelerator: Accelerator, folder: Path, step: int, model: Any, validate: Callable[[], dict[str, float]]
) -> None:
    """Validate in the main process, write model, metrics and checkpoint, and keep the last checkpoint alone."""
    accelerator.save_state(str(folder / "unfinished"))
    accelerator.wait_for_everyone()
    if accelerator.is_main_process:
        metrics = {"step": step, **validate()}
        print(json.dumps({name: round(value, 3) for name, value in metrics.items()}), flush=True)
        model.save_pretrained(folder)
        with (folder / "metrics.jsonl").open("a") as file:
            file.write(json.dumps(metrics) + "\n")
        (folder / "unfinished").rename(folder / f"checkpoint-{step}")  # it counts once all else is written
        rotate(folder, keep=1)
    accelerator.wait_for_everyone()
