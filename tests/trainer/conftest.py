"""What tests of the trainers share: a tiny checkpoint, pairs with degrees, and arguments that keep a run small."""

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("trl")
pytest.importorskip("peft")

import torch
from datasets import Dataset

from atom_hf.motion import codes_to_text
from tests.models.trl_parts import BAD, GOOD, NUM_CODES, checkpoint, load

PROMPTS = ["a person walks forward slowly and waves", "the man jumps", "someone runs in a circle", "she sits down"]
DEGREES = ["much better", "better", "slightly better", "negligibly better/unsure"]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved model of two layers with its tokenizer; 16 codes, no dropout."""
    return checkpoint(tmp_path_factory.mktemp("policy"))


@pytest.fixture
def model(folder: Path) -> Any:
    """The saved model."""
    return load(folder)


def message(role: str, text: str) -> list[dict[str, str]]:
    """A conversation of one message."""
    return [{"role": role, "content": text}]


def pair_rows(count: int = 8) -> list[dict[str, Any]]:
    """Pairs whose chosen motions are of one code and rejected ones of another, in lengths of their own."""
    return [
        {
            "prompt": message("user", f"Generate motion: {PROMPTS[i % 4]}"),
            "chosen": message("assistant", codes_to_text([GOOD] * (2 + i), NUM_CODES)),
            "rejected": message("assistant", codes_to_text([BAD] * (3 + (5 * i) % 7), NUM_CODES)),
            "degree": DEGREES[i % 4],
        }
        for i in range(count)
    ]


@pytest.fixture
def pairs() -> Dataset:
    """Eight pairs, two of each degree."""
    return Dataset.from_list(pair_rows())


@pytest.fixture
def small(tmp_path: Path) -> dict[str, Any]:
    """Arguments of a short, silent run on a CPU."""
    return {
        "output_dir": str(tmp_path / "out"),
        "max_steps": 2,
        "per_device_train_batch_size": 4,
        "learning_rate": 1e-2,
        "warmup_steps": 0,
        "lr_scheduler_type": "constant",
        "logging_steps": 1,
        "report_to": "none",
        "save_strategy": "no",
        "disable_tqdm": True,
        "use_cpu": True,
        "seed": 1,
    }


def losses(trainer: Any) -> list[float]:
    """What was logged, step by step."""
    return [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]


def first_batch(trainer: Any) -> dict[str, Any]:
    """A batch as the trainer's own collator makes it, of its first rows."""
    trainer._set_signature_columns_if_needed()
    rows = trainer.train_dataset.select_columns(
        [column for column in trainer._signature_columns if column in trainer.train_dataset.column_names]
    )
    return trainer.data_collator([rows[i] for i in range(trainer.args.per_device_train_batch_size)])


def loss_of(trainer: Any, batch: dict[str, Any]) -> torch.Tensor:
    """The trainer's own loss of a batch."""
    return trainer._compute_loss(trainer.model, batch, False)
