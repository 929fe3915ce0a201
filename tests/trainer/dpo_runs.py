"""Runs of DPO that a test starts as processes of their own: `python dpo_runs.py FOLDER OUTPUT [two | killed]`."""

import json
import sys
import time
from pathlib import Path
from typing import Any

from datasets import Dataset, load_from_disk
from transformers import Trainer

from atom_hf.trainer.dpo_config import MotionDPOConfig
from atom_hf.trainer.dpo_trainer import MotionDPOTrainer
from tests.models.trl_parts import load
from tests.trainer.conftest import losses, pair_rows

KINDS = {"lora": {"use_peft": True, "lora_dropout": 0.0}, "full": {"use_peft": False}}


def small_run(folder: Path, output: Path, rows: Dataset, **options: Any) -> MotionDPOTrainer:
    """A trainer whose steps take parts of a second."""
    arguments: dict[str, Any] = {
        "output_dir": str(output),
        "max_steps": 4,
        "per_device_train_batch_size": 2,
        "degree_use": "label_smoothing",
        "learning_rate": 1e-2,
        "warmup_steps": 0,
        "logging_steps": 1,
        "report_to": "none",
        "save_strategy": "no",
        "disable_tqdm": True,
        "use_cpu": True,
    }
    return MotionDPOTrainer(load(folder), args=MotionDPOConfig(**arguments | options), train_dataset=rows)


def two(folder: Path, output: Path) -> None:
    """LoRA and full, from a dataset on disk and one in memory."""
    for name, kind in KINDS.items():
        for where, rows in (
            ("disk", load_from_disk(str(folder / "pairs"))),
            ("memory", Dataset.from_list(pair_rows(16))),
        ):
            trainer = small_run(folder, output / f"{name}_{where}", rows, **kind)
            trainer.train()
            if trainer.is_world_process_zero():
                (output / f"{name}_{where}.json").write_text(json.dumps(losses(trainer)))


WITH_DROPOUT: dict[str, Any] = {
    "max_steps": 8, "save_strategy": "steps", "save_steps": 2, "disable_dropout": False, "lora_dropout": 0.3,
    "degree_use": "none",
}  # fmt: skip


def killed(folder: Path, output: Path) -> None:
    """LoRA, stopped for ever in the middle of writing the checkpoint of step 6, until somebody kills it."""
    write = Trainer._save_optimizer_and_scheduler

    def halting(self: Any, directory: str) -> None:
        if self.state.global_step == 6:
            sys.stdout.write("writing\n")
            sys.stdout.flush()
            time.sleep(600)
        write(self, directory)

    Trainer._save_optimizer_and_scheduler = halting
    small_run(folder, output, Dataset.from_list(pair_rows(16)), **WITH_DROPOUT).train()


if __name__ == "__main__":
    {"two": two, "killed": killed}[sys.argv[3]](Path(sys.argv[1]), Path(sys.argv[2]))
