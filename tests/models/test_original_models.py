"""Models of original weights: the golden numbers, sizes from shapes, LoRA as PEFT merges it, and what is refused."""

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch
from safetensors.torch import load_file

from atom_hf.models import MotionGPTForPreference, MotionVQVAE, MotionVQVAEConfig
from atom_hf.models.convert import motiongpt_from_original, vqvae_from_original
from atom_hf.motion import MotionStats
from tests.models.original_files import (
    GOLDEN,
    WORDS,
    language_model,
    original_names,
    original_weights,
    tiny_stats,
    tiny_tokenizer,
)
from tests.models.tiny_models import tiny_vqvae

IDENTITY = MotionStats(np.zeros(263), np.ones(263))


def golden_vae() -> dict[str, torch.Tensor]:
    """Codebook and decoder of the golden VQ-VAE, with an encoder of its size."""
    torch.manual_seed(0)
    rest = MotionVQVAE(MotionVQVAEConfig(num_codes=64, code_dim=32, width=32)).encoder.state_dict()
    weights = load_file(GOLDEN / "b_vq_tiny_decoder.safetensors")
    return {f"vae.{n}": v for n, v in ({f"encoder.{n}": v for n, v in rest.items()} | weights).items()}


@pytest.fixture(scope="module")
def weights():
    return original_weights()


@pytest.fixture(scope="module")
def model(weights):
    return motiongpt_from_original(weights, stats=tiny_stats(), tokenizer=tiny_tokenizer())


# Agreement with the original -----------------------------------------------------------------------------------------


def test_decodes_as_the_original():
    model = vqvae_from_original(golden_vae(), IDENTITY)
    config = model.config
    assert (config.num_codes, config.code_dim, config.width, config.down_t, config.depth) == (64, 32, 32, 2, 3)
    with np.load(GOLDEN / "b_vq_tiny_decode.npz") as data:
        for name in ("decode_n1", "decode_n5", "x168"):
            codes, features = (torch.from_numpy(data[f"{name}/{part}"]) for part in ("idx", "dec"))
            torch.testing.assert_close(model.decode(codes.view(1, -1)), features, rtol=0, atol=2e-5, msg=name)


def test_scores_and_writes_as_the_original():
    weights = {f"lm.language_model.{n}": v for n, v in load_file(GOLDEN / "c_tiny_lm" / "model.safetensors").items()}
    model = motiongpt_from_original(weights)
    assert model.config.motion_token_start == 224 and model.config.untied_lm_head and model.vqvae is None
    with np.load(GOLDEN / "c_lm_tiny.npz") as data:
        numbers = {name: torch.from_numpy(data[name]) for name in data.files if name.startswith(("t2m/", "m2t/"))}
    for task, longest in (("t2m", 256), ("m2t", 40)):
        ids, mask, labels = (numbers[f"{task}/{name}"] for name in ("input_ids", "attention_mask", "labels"))
        output = model(input_ids=ids, attention_mask=mask, labels=labels)
        expected = numbers[f"{task}/logits"]
        valid = labels[: len(expected)] != -100
        torch.testing.assert_close(output.logits[: len(expected)][valid], expected[valid], rtol=0, atol=2e-5)
        assert output.loss.item() == pytest.approx(numbers[f"{task}/loss"].item(), abs=2e-6)
        written = model.generate(ids, attention_mask=mask, max_length=longest, do_sample=False, return_prompt=False)
        assert torch.equal(written, numbers[f"{task}/greedy_ids"])


def test_names_are_the_original_ones():
    """486 at full size; here the sizes of what is converted are compared with the published ones."""
    names = original_names()
    assert len(names) == 486 and names["lm.language_model.shared.weight"] == (32615, 768)
    assert names["vae.quantizer.codebook"] == (512, 512)


# What comes out ------------------------------------------------------------------------------------------------------


def test_sizes_are_read_from_the_shapes(model):
    config = model.config
    sizes = (config.vocab_size, config.d_model, config.d_kv, config.num_heads, config.d_ff)
    assert sizes == (WORDS + 515, 16, 8, 2, 24)
    assert (config.num_layers, config.num_decoder_layers, config.relative_attention_num_buckets) == (2, 2, 32)
    assert config.feed_forward_proj == "gated-gelu" and config.dropout_rate == 0
    assert config.num_codes == 512 and config.motion_token_start == WORDS
    assert (config.vqvae_config.width, config.vqvae_config.code_dim, config.vqvae_config.num_codes) == (8, 8, 512)


def test_every_weight_arrives(model, weights):
    ours = model.state_dict()
    for name, value in weights.items():
        if name.startswith(("lm.", "vae.")):
            name = name.removeprefix("lm.language_model.").replace("vae.", "vqvae.")
            assert torch.equal(ours[name], value), name
    assert not torch.equal(model.lm_head.weight, model.shared.weight)
    assert model.config.untied_lm_head and not model.config.scale_decoder_outputs
    assert model.encoder.embed_tokens.weight is model.shared.weight
    assert not model.training and not any(p.requires_grad for p in model.vqvae.parameters())
    np.testing.assert_allclose(model.vqvae.stats.std, tiny_stats().std, rtol=1e-6)


def test_fine_tuning_keeps_the_codebook(weights):
    """One pass through the original's replaced it; here entries without use stay for hundreds of updates."""
    model = vqvae_from_original(weights, tiny_stats())
    before = model.quantizer.codebook.clone()
    model.train()
    model(torch.randn(2, 64, 263))
    model.update_codebook()
    assert model.quantizer.initialized and (model.quantizer.codebook - before).abs().max() < 0.5
    unused = model.quantizer.code_count < 99.005
    torch.testing.assert_close(model.quantizer.codebook[unused], before[unused])
    assert unused.sum() > 400


def test_what_was_given_stays_as_it_is(weights):
    """Neither the random numbers of whoever loads, nor the state dict or VQ-VAE that a trained model came from."""
    vqvae = vqvae_from_original(weights, tiny_stats())
    torch.manual_seed(1)
    state = torch.get_rng_state()
    model = motiongpt_from_original(language_model(weights), vqvae=vqvae)
    assert torch.equal(state, torch.get_rng_state())
    with torch.no_grad():
        for value in model.state_dict().values():
            value.zero_()
    for name, value in weights.items():
        assert value.any(), name
    assert all(value.any() for value in vqvae.state_dict().values())


def test_half_precision_becomes_single(weights, model):
    for dtype in (torch.float16, torch.bfloat16):
        half = {name: value.to(dtype) for name, value in weights.items()}
        found = motiongpt_from_original(half, stats=tiny_stats())
        assert {value.dtype for value in found.state_dict().values()} == {torch.float32, torch.bool}
        assert torch.equal(found.shared.weight, half["lm.language_model.shared.weight"].float())


def test_a_tied_head_and_a_plain_feed_forward(weights):
    plain = {}
    for name, value in language_model(weights).items():
        if "wi_0" in name:
            name = name.replace("wi_0", "wi")
        if "wi_1" not in name:
            plain[name] = value
    plain["lm_head.weight"] = plain["shared.weight"]
    config = motiongpt_from_original(plain).config
    assert config.feed_forward_proj == "relu" and not config.untied_lm_head and config.scale_decoder_outputs


def test_stacks_of_different_depth(weights):
    cut = {n: v for n, v in language_model(weights).items() if not n.startswith("decoder.block.1.")}
    config = motiongpt_from_original(cut).config
    assert (config.num_layers, config.num_decoder_layers) == (2, 1)


# LoRA ----------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tuned(weights):
    """The T5 with adapters of PEFT as InstructMotion trained them, and its logits."""
    peft = pytest.importorskip("peft")
    base = motiongpt_from_original(language_model(weights))
    torch.manual_seed(0)
    options = peft.LoraConfig(
        r=8, lora_alpha=16, target_modules=["q", "v"], task_type="SEQ_2_SEQ_LM", init_lora_weights=False
    )
    wrapped = peft.get_peft_model(base, options).eval()
    state = {name: value.clone() for name, value in wrapped.state_dict().items()}
    alone = {name: value.clone() for name, value in peft.get_peft_model_state_dict(wrapped).items()}
    return state, alone, wrapped.merge_and_unload().state_dict()


def assert_same_weights(model: MotionGPTForPreference, expected: dict[str, torch.Tensor]) -> None:
    for name, value in model.state_dict().items():
        torch.testing.assert_close(value, expected[name], rtol=0, atol=1e-6, msg=name)


def test_lora_as_peft_merges_it(tuned, weights):
    state, alone, expected = tuned
    assert len(alone) == 24 and any(".base_layer.weight" in name for name in state)
    assert_same_weights(motiongpt_from_original(state), expected)
    assert_same_weights(motiongpt_from_original(alone, base=weights), expected)
    older = {name.replace(".base_layer.weight", ".weight"): value for name, value in state.items()}
    assert_same_weights(motiongpt_from_original(older), expected)
    lightning = {f"lm.language_model.{name}": value for name, value in state.items()}
    assert_same_weights(motiongpt_from_original(lightning), expected)


def test_alpha_is_what_the_caller_says(tuned, weights):
    _, alone, expected = tuned
    name = "encoder.block.0.layer.0.SelfAttention.q.weight"
    plain = weights[f"lm.language_model.{name}"]
    twice = motiongpt_from_original(alone, base=weights, lora_alpha=32).state_dict()[name]
    torch.testing.assert_close(twice - plain, 2 * (expected[name] - plain), rtol=1e-4, atol=1e-5)


def test_adapters_need_their_model(tuned):
    with pytest.raises(ValueError, match=r"LoRA weights of 12 layers alone. Give what they change as base"):
        motiongpt_from_original(tuned[1])


# What is refused -----------------------------------------------------------------------------------------------------


def test_missing_and_unexpected_weights_are_listed(weights):
    some = dict(weights)
    for name in [name for name in some if ".layer_norm." in name or ".EncDecAttention." in name]:
        del some[name]
    with pytest.raises(ValueError, match=r"54 weights of a T5, but 18 missing: encoder.block.0.* and 8 more"):
        motiongpt_from_original(some, stats=tiny_stats())
    with pytest.raises(ValueError, match=r"1 unexpected: optimizer.step"):
        motiongpt_from_original({**weights, "optimizer.step": torch.ones(1)}, stats=tiny_stats())
    with pytest.raises(ValueError, match=r"of MotionGPT's VQ-VAE, but 1 unexpected: encoder.model.9.x"):
        vqvae_from_original({**weights, "vae.encoder.model.9.x": torch.ones(1)}, tiny_stats())
    without = {name: value for name, value in weights.items() if name != "vae.decoder.model.6.bias"}
    with pytest.raises(ValueError, match=r"but 1 missing: decoder.model.6.bias"):
        vqvae_from_original(without, tiny_stats())
    for name, what in (("vae.quantizer.codebook", "MotionGPT's VQ-VAE"), ("lm.language_model.lm_head.weight", "a T5")):
        without = {other: value for other, value in weights.items() if other != name}
        with pytest.raises(ValueError, match=f"of {what}, but 1 that tells its size is missing"):
            motiongpt_from_original(without, stats=tiny_stats())
    with pytest.raises(ValueError, match=r"it has none of it"):
        motiongpt_from_original({"metrics.x": torch.ones(1)})


def test_sizes_that_contradict_each_other(weights):
    name = "lm.language_model.decoder.final_layer_norm.weight"
    with pytest.raises(ValueError, match=r"decoder.final_layer_norm.weight \[17\] instead of \[16\]"):
        motiongpt_from_original({**weights, name: torch.ones(17)}, stats=tiny_stats())
    name = "lm.language_model.decoder.embed_tokens.weight"
    with pytest.raises(ValueError, match=r"decoder.embed_tokens.weight as a copy of shared.weight"):
        motiongpt_from_original({**weights, name: weights[name] + 1}, stats=tiny_stats())
    vocab = language_model(weights)
    vocab |= {n: v[:300] for n, v in vocab.items() if len(v) == WORDS + 515}
    with pytest.raises(ValueError, match=r"512 [+] 3 motion tokens behind those of words, got 300"):
        motiongpt_from_original(vocab)
    kit = {**weights, "vae.encoder.model.0.weight": torch.ones(8, 251, 3)}
    with pytest.raises(ValueError, match=r"HumanML3D's 263 features, got one of 251"):
        vqvae_from_original(kit, tiny_stats())


def test_layers_without_end(weights):
    many = {f"encoder.block.{i}.layer.0.SelfAttention.q.weight": torch.zeros(1, 1) for i in range(129)}
    with pytest.raises(ValueError, match=r"1 to 128 layers named like .*, got 129"):
        motiongpt_from_original({**many, **language_model(weights)})


def test_statistics_are_never_made_up(weights):
    for convert in (vqvae_from_original, motiongpt_from_original):
        with pytest.raises(ValueError, match=r"Fetch mean.npy and std.npy from assets/meta"):
            convert(weights)
    with pytest.raises(ValueError, match=r"there is none; leave them out"):
        motiongpt_from_original(language_model(weights), stats=tiny_stats())


def test_codebook_and_tokenizer_of_another_model(weights):
    with pytest.raises(ValueError, match=r"holds the VQ-VAE that its language model was trained with"):
        motiongpt_from_original(weights, stats=tiny_stats(), vqvae=tiny_vqvae())
    with pytest.raises(
        ValueError, match=rf"ids {WORDS + 496} to {WORDS + 514} \(16 codes \+ 3\), but the tokenizer's"
    ):
        motiongpt_from_original(language_model(weights), vqvae=tiny_vqvae(), tokenizer=tiny_tokenizer())
    with pytest.raises(ValueError, match=r"base is for LoRA weights that come alone"):
        motiongpt_from_original(weights, stats=tiny_stats(), base=weights)
