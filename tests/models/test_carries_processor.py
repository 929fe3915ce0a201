"""Loading and saving a model with its processor; weights are safetensors."""

from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch

from atom_hf.models.motiongpt import MotionGPTForPreference
from atom_hf.models.reward_model import MotionGPTForReward
from atom_hf.models.vqvae import MotionVQVAE
from tests.models.tiny_checkpoint import tiny_model
from tests.models.tiny_models import tiny_motiongpt


@pytest.mark.parametrize("part", ["policy", "reward", "vqvae"])
def test_pickled_weights_in_a_folder_are_not_read(part: str, tmp_path: Path) -> None:
    policy = tiny_model()
    model = {"policy": policy, "reward": MotionGPTForReward.from_policy(policy), "vqvae": policy.vqvae}[part]
    model.save_pretrained(tmp_path)
    torch.save(model.state_dict(), tmp_path / "pytorch_model.bin")
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(OSError, match=r"model\.safetensors"):
        type(model).from_pretrained(tmp_path)


def test_the_processor_comes_from_the_same_folder(tmp_path: Path) -> None:
    model = tiny_model()
    model.save_pretrained(tmp_path)
    loaded = MotionGPTForPreference.from_pretrained(tmp_path)
    assert loaded.processor.prompt_ids("a person jumps") == model.processor.prompt_ids("a person jumps")


def test_a_model_without_a_processor_says_what_to_do(tmp_path: Path) -> None:
    model = tiny_motiongpt()
    model.processor = None
    with pytest.raises(ValueError, match=r"made in memory and has no tokenizer: set model\.processor"):
        _ = model.processor
    model.save_pretrained(tmp_path)
    loaded = MotionGPTForPreference.from_pretrained(tmp_path)
    with pytest.raises(ValueError, match="a model without its tokenizer: save a processor there"):
        _ = loaded.processor


def test_a_vqvae_has_no_processor_and_saves_without(tmp_path: Path) -> None:
    vqvae = tiny_model().vqvae
    assert isinstance(vqvae, MotionVQVAE)
    vqvae.save_pretrained(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["README.md", "config.json", "model.safetensors"]
