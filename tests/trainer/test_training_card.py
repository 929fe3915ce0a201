"""The card of a folder of checkpoints: what was trained from what, and how it is loaded."""

import pytest

pytest.importorskip("trl")
pytest.importorskip("peft")

from huggingface_hub import ModelCard

from atom_hf.trainer import MotionDPOConfig, MotionDPOTrainer
from atom_hf.trainer.training_card import training_card


def test_an_adapter_names_its_base():
    card = ModelCard(training_card("MotionDPOTrainer", "me/dpo", base="me/base", adapter=True, dataset="me/pairs"))
    assert card.data.library_name == "peft" and card.data.base_model == "me/base"
    assert card.data.datasets == ["me/pairs"] and "trl" in card.data.tags
    assert 'from_pretrained("me/base")' in card.text and 'PeftModel.from_pretrained(base, "me/dpo")' in card.text


def test_whole_weights_of_a_model_without_a_name():
    card = ModelCard(training_card("MotionDPOTrainer", "dpo", base="", adapter=False))
    assert card.data.library_name == "atom_hf" and card.data.base_model is None
    assert "made in memory" in card.text and 'from_pretrained("dpo")' in card.text and "peft" not in card.text


def test_the_trainer_writes_it_and_no_path_of_this_machine(model, pairs, small, tmp_path):
    trainer = MotionDPOTrainer(model, args=MotionDPOConfig(**small), train_dataset=pairs)
    model.config._name_or_path = str(tmp_path)
    trainer.create_model_card(dataset_name="pairs")
    text = (tmp_path / "out" / "README.md").read_text()
    assert "MotionDPOTrainer" in text and str(tmp_path) not in text and "time machine" not in text
