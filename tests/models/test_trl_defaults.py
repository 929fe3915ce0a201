"""TRL's trainers with as little said as in TRL's own examples: a model's folder, and nothing about its tokenizer."""

from pathlib import Path

import pytest
from datasets import Dataset
from transformers import AutoProcessor, PreTrainedTokenizerFast
from trl import DPOConfig, DPOTrainer, GRPOConfig, GRPOTrainer

from atom_hf.models.motiongpt import MotionGPTForPreference
from atom_hf.models.processing import MotionGPTProcessor

from .trl_parts import CAPTIONS, checkpoint


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint with a processor, as this package saves it."""
    folder = checkpoint(tmp_path_factory.mktemp("model"))
    model = MotionGPTForPreference.from_pretrained(folder)
    model.save_pretrained(folder)
    assert (folder / "processor_config.json").is_file()
    return folder


def common(folder: Path) -> dict:
    return {
        "output_dir": str(folder / "out"),
        "max_steps": 1,
        "per_device_train_batch_size": 4,
        "report_to": "none",
        "use_cpu": True,
        "bf16": False,
        "save_strategy": "no",
    }


def test_auto_processor_gives_the_tokenizer(folder: Path) -> None:
    # A processor would make TRL take the model for a vision-language model.
    assert isinstance(AutoProcessor.from_pretrained(folder), PreTrainedTokenizerFast)


def test_dpo_with_a_folder_alone(folder: Path, tmp_path: Path) -> None:
    processor = MotionGPTProcessor.from_pretrained(folder)
    rows = [processor.as_messages(text, chosen=[3, 3], rejected=[9, 9, 9]) for text in CAPTIONS]
    trainer = DPOTrainer(model=str(folder), args=DPOConfig(**common(tmp_path)), train_dataset=Dataset.from_list(rows))
    trainer.train()
    assert isinstance(trainer.model, MotionGPTForPreference)
    assert trainer.state.log_history[-1]["train_loss"] == pytest.approx(0.6931, abs=1e-3)  # policy = reference


def test_grpo_with_a_folder_alone(folder: Path, tmp_path: Path) -> None:
    processor = MotionGPTProcessor.from_pretrained(folder)
    seen: list[list[int]] = []

    def reward(completion_ids: list[list[int]], **_: object) -> list[float]:
        seen.extend(completion_ids)
        return [float(len(set(ids))) for ids in completion_ids]

    args = GRPOConfig(num_generations=4, max_completion_length=6, **common(tmp_path))
    rows = [processor.as_messages(text) for text in CAPTIONS]
    GRPOTrainer(model=str(folder), reward_funcs=reward, args=args, train_dataset=Dataset.from_list(rows)).train()
    assert len(seen) == 4
