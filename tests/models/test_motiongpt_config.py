"""Configuration of MotionGPT: where the motion tokens are, the VQ-VAE's sizes inside, what survives saving."""

import copy
import json

import pytest

pytest.importorskip("transformers")

from transformers import AutoConfig, DynamicCache

import atom_hf.models  # noqa: F401 - tells AutoConfig about it
from atom_hf.models.motiongpt_config import MotionGPTConfig
from atom_hf.models.vqvae_config import MotionVQVAEConfig


def test_motion_tokens_are_the_last_of_the_vocabulary():
    config = MotionGPTConfig(vocab_size=32615)
    assert (config.motion_token_start, config.motion_start_id, config.motion_end_id) == (32100, 32612, 32613)
    assert config.motion_token_range == range(32100, 32615)


def test_motion_tokens_may_stand_elsewhere(tmp_path):
    config = MotionGPTConfig(vocab_size=100, num_codes=16, motion_token_start=40)
    assert config.motion_token_range == range(40, 59) and config.motion_end_id == 57
    config.vocab_size = 120  # as resizing does
    config.save_pretrained(tmp_path)
    assert MotionGPTConfig.from_pretrained(tmp_path).motion_token_range == range(40, 59)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"vocab_size": 500}, r"512 \+ 3 motion tokens from id -15 do not fit into a vocabulary of 500"),
        ({"vocab_size": 600, "motion_token_start": 86}, "from id 86 do not fit into a vocabulary of 600"),
        ({"vocab_size": 600, "motion_token_start": -1}, "from id -1 do not fit"),
        (
            {"vocab_size": 600, "vqvae_config": {"num_codes": 64}},
            "writes 512 motion codes and the VQ-VAE has 64; a language model works with the codebook",
        ),
        ({"vocab_size": 600, "vqvae_config": {"width": 0}}, "width of a motion VQ-VAE is at least 1, got 0"),
    ],
)
def test_refuses_values(options, text):
    with pytest.raises(ValueError, match=text):
        MotionGPTConfig(**options)


def test_refuses_another_kind_of_vqvae():
    with pytest.raises(TypeError, match="vqvae_config is a MotionVQVAEConfig or a dict, got str"):
        MotionGPTConfig(vocab_size=600, vqvae_config="large")


@pytest.mark.parametrize("given", [MotionVQVAEConfig(num_codes=16, width=24), {"num_codes": 16, "width": 24}])
def test_vqvae_sizes_survive_saving_and_copying(tmp_path, given):
    config = MotionGPTConfig(vocab_size=60, num_codes=16, vqvae_config=given, motion_only=True)
    config.save_pretrained(tmp_path)
    again = MotionGPTConfig.from_pretrained(tmp_path)
    automatic = AutoConfig.from_pretrained(tmp_path)
    for other in (again, automatic, copy.deepcopy(config), MotionGPTConfig(**config.to_dict())):
        assert type(other) is MotionGPTConfig and type(other.vqvae_config) is MotionVQVAEConfig
        assert (other.vqvae_config.width, other.vqvae_config.num_codes, other.vqvae_config.code_dim) == (24, 16, 512)
        assert other.motion_only and other.num_codes == 16
        assert other.to_dict()["vqvae_config"] == config.to_dict()["vqvae_config"]
    json.loads(config.to_json_string())
    json.loads(config.to_json_string(use_diff=False))


def test_without_vqvae(tmp_path):
    MotionGPTConfig(vocab_size=600).save_pretrained(tmp_path)
    assert MotionGPTConfig.from_pretrained(tmp_path).vqvae_config is None


@pytest.mark.parametrize("untied", [False, True])
def test_an_output_layer_of_its_own_is_remembered(tmp_path, untied):
    """T5Config reads `tie_word_embeddings: false` for the scale of the output, then says that all is tied."""
    config = MotionGPTConfig(vocab_size=600, **({"tie_word_embeddings": False} if untied else {}))
    for _ in range(3):
        assert (config.untied_lm_head, config.scale_decoder_outputs) == (untied, not untied)
        config.save_pretrained(tmp_path)
        config = MotionGPTConfig.from_pretrained(tmp_path)


def test_dropout_is_off_unless_asked_for(tmp_path):
    assert MotionGPTConfig(vocab_size=600).dropout_rate == 0
    MotionGPTConfig(vocab_size=600, dropout_rate=0.1).save_pretrained(tmp_path)
    assert MotionGPTConfig.from_pretrained(tmp_path).dropout_rate == 0.1
    assert MotionGPTConfig.from_pretrained(tmp_path, dropout_rate=0.0).dropout_rate == 0


def test_what_trainers_read():
    config = MotionGPTConfig(vocab_size=600)
    assert config.auto_map == {}  # TRL asks for it when it loads a reference model
    assert config.is_encoder_decoder and config.decoder_start_token_id == 0 and config.generate_returns_prompt
    assert "auto_map" not in json.loads(config.to_json_string())


def test_a_saved_model_says_nothing_of_the_folder_its_vqvae_came_from(tmp_path):
    vqvae = MotionVQVAEConfig(num_codes=16, width=8, code_dim=8)
    vqvae._name_or_path = "/home/me/outputs/vqvae"
    MotionGPTConfig(vocab_size=100, num_codes=16, vqvae_config=vqvae).save_pretrained(tmp_path)
    assert "/home/me" not in (tmp_path / "config.json").read_text()


@pytest.mark.parametrize(("encoder", "decoder"), [(2, 4), (4, 2), (3, 3)])
def test_a_cache_has_as_many_layers_as_the_decoder(encoder, decoder):
    """transformers counts `num_layers` of what `get_text_config(decoder=True)` gives, which in T5 is the encoder's."""
    config = MotionGPTConfig(vocab_size=600, num_layers=encoder, num_decoder_layers=decoder)
    before = config.to_dict()
    assert len(DynamicCache(config=config.get_text_config(decoder=True)).layers) == decoder
    assert config.get_text_config(decoder=True).num_hidden_layers == decoder
    # Nobody else sees another number, and the configuration stays as it is.
    for asked in ({}, {"encoder": True}, {"decoder": True, "encoder": True}):
        assert config.get_text_config(**asked).num_layers == encoder, asked
    assert config.to_dict() == before and config.num_layers == encoder


def test_the_decoders_configuration_survives_copying_and_saving(tmp_path):
    config = MotionGPTConfig(vocab_size=60, num_codes=16, vqvae_config={"num_codes": 16}, num_decoder_layers=2)
    text = copy.deepcopy(config).get_text_config(decoder=True)
    assert type(text) is MotionGPTConfig and text.motion_token_range == config.motion_token_range
    assert (text.num_layers, text.num_decoder_layers, text.vqvae_config.num_codes) == (2, 2, 16)
    config.save_pretrained(tmp_path)
    assert MotionGPTConfig.from_pretrained(tmp_path).num_layers == config.num_layers == 6
