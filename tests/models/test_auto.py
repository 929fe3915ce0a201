"""transformers' Auto classes find the models of this package by what their folders say."""

from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
)

from atom_hf.models import (
    MotionGPTConfig,
    MotionGPTForPreference,
    MotionGPTForReward,
    MotionVQVAE,
    MotionVQVAEConfig,
)
from atom_hf.models.auto import register
from tests.models.tiny_checkpoint import tiny_model
from tests.models.tiny_models import tiny_vqvae


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("auto")
    model = tiny_model()
    models = {"policy": model, "reward": MotionGPTForReward.from_policy(model), "vqvae": tiny_vqvae()}
    for name, one in models.items():
        one.save_pretrained(root / name)
    return {name: root / name for name in models}


@pytest.mark.parametrize(
    ("auto", "name", "kind"),
    [
        (AutoModel, "policy", MotionGPTForPreference),
        (AutoModelForCausalLM, "policy", MotionGPTForPreference),
        (AutoModelForSeq2SeqLM, "policy", MotionGPTForPreference),
        (AutoModelForSequenceClassification, "reward", MotionGPTForReward),
        (AutoModel, "vqvae", MotionVQVAE),
    ],
)
def test_models_by_their_folders(folders, auto, name, kind):
    model, expected = auto.from_pretrained(folders[name]), kind.from_pretrained(folders[name])
    assert type(model) is kind and not model.training
    weights = expected.state_dict()
    assert weights.keys() == model.state_dict().keys()
    assert all(torch.equal(weight, weights[key]) for key, weight in model.state_dict().items())


def test_the_frozen_tokenizer_and_the_processor_come_along(folders):
    model = AutoModelForCausalLM.from_pretrained(folders["policy"])
    assert not any(weight.requires_grad for weight in model.vqvae.parameters())
    assert model.processor.num_codes == 16
    tokenizer = AutoTokenizer.from_pretrained(folders["policy"])
    text = "Generate motion: a man <motion_id_3>"
    assert tokenizer(text).input_ids == model.processor.tokenizer(text).input_ids


def test_configurations(folders):
    found = {name: AutoConfig.from_pretrained(folder) for name, folder in folders.items()}
    assert {name: type(config) for name, config in found.items()} == {
        "policy": MotionGPTConfig, "reward": MotionGPTConfig, "vqvae": MotionVQVAEConfig,
    }  # fmt: skip
    assert found["policy"].vqvae_config.num_codes == found["policy"].num_codes == 16
    assert type(AutoConfig.for_model("motiongpt")) is MotionGPTConfig


def test_registering_twice_does_no_harm(folders):
    register()
    assert type(AutoModelForCausalLM.from_pretrained(folders["policy"])) is MotionGPTForPreference
