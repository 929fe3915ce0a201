"""Original checkpoint files to models and folders: the whole way, and that nothing is half done or made up."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from tokenizers.models import Unigram
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

import atom_hf.models.convert as conversion
from atom_hf.models import MotionGPTForPreference, MotionVQVAE, add_motion_tokens, train_tokenizer
from atom_hf.models.checkpoint_files import CheckpointError
from atom_hf.models.convert import convert, read_original, vqvae_from_original
from atom_hf.motion import Motion, MotionStats
from tests.models.original_files import (
    WORDS,
    language_model,
    original_names,
    original_weights,
    save_like_lightning,
    tiny_stats,
    tiny_tokenizer,
)


class Files:
    """Original files, tokenizer and statistics in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.weights = original_weights()
        self.tar = save_like_lightning(folder / "motiongpt_s3_h3d.tar", self.weights)
        self.t5 = folder / "ppo.pt"
        torch.save(language_model(original_weights(seed=1)), self.t5)
        self.vae = folder / "vae.ckpt"
        torch.save({"state_dict": {n: v for n, v in self.weights.items() if n.startswith("vae.")}}, self.vae)
        self.tokenizer = folder / "tokenizer"
        tiny_tokenizer().save_pretrained(self.tokenizer)
        self.stats = folder / "meta"
        self.stats.mkdir()
        np.save(self.stats / "mean.npy", tiny_stats().mean)
        np.save(self.stats / "std.npy", tiny_stats().std)
        self.both = {"stats": self.stats, "tokenizer": self.tokenizer}
        self.lora = folder / "lora.safetensors"
        layer = "base_model.model.decoder.block.0.layer.1.EncDecAttention.v.lora_"
        torch.manual_seed(2)
        save_file({f"{layer}A.weight": torch.randn(4, 16), f"{layer}B.weight": torch.randn(16, 4)}, self.lora)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return Files(tmp_path_factory.mktemp("original"))


@pytest.fixture(scope="module")
def converted(files):
    """The folder that MotionGPT's checkpoint became, with what was reported."""
    lines: list[str] = []
    output = files.folder / "converted"
    convert(files.tar, output, report=lines.append, **files.both)
    return output, lines


def logits(model: MotionGPTForPreference) -> torch.Tensor:
    with torch.no_grad():
        return model(input_ids=torch.tensor([[5, 9, 1, WORDS, WORDS + 7, 1]])).logits


# The way of MotionGPT's own ------------------------------------------------------------------------------------------


def test_file_to_folder_to_model(files, converted):
    output, lines = converted
    assert lines == [
        f"language model: 2 + 2 layers, d_model 16, {WORDS + 515} tokens with an output layer of its own",
        "VQ-VAE: 512 codes of 4 frames, width 8",
        "left out: 126 of metrics.*, 9 of _losses.*",
    ]
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= {path.name for path in output.iterdir()}
    assert not list(files.folder.glob(".*"))
    model = MotionGPTForPreference.from_pretrained(output)
    assert torch.equal(model.lm_head.weight, files.weights["lm.language_model.lm_head.weight"])
    assert torch.equal(model.shared.weight, files.weights["lm.language_model.shared.weight"])
    assert model.dtype == torch.float32 and model.config.untied_lm_head and model.config.dropout_rate == 0
    assert bool(model.vqvae.quantizer.initialized) and set(model.vqvae.quantizer.code_count.tolist()) == {100.0}
    np.testing.assert_allclose(model.processor.stats.mean, tiny_stats().mean, rtol=1e-6, atol=1e-7)
    assert torch.equal(logits(model), logits(convert(files.tar, **files.both)))


def test_motion_comes_out(converted):
    model = MotionGPTForPreference.from_pretrained(converted[0])
    model.restrict_to_motion()
    (motion,) = model.generate_motion("a person walks", seed=0, max_frames=24)
    assert isinstance(motion, Motion) and motion.joints.shape[1:] == (22, 3) and np.isfinite(motion.joints).all()
    assert model.processor.prompt_ids("a person walks")[-1] == 1


def test_trainers_find_the_folder_again(files, tmp_path):
    model = convert(files.tar, tmp_path / "out", **files.both)
    again = AutoModelForCausalLM.from_pretrained(model.config._name_or_path)
    assert torch.equal(logits(model), logits(again))


def test_from_pretrained_takes_originals(files, converted, tmp_path):
    expected = logits(MotionGPTForPreference.from_pretrained(converted[0]))
    model = MotionGPTForPreference.from_pretrained(files.tar, **files.both)
    assert torch.equal(logits(model), expected) and not model.training
    assert not any(parameter.requires_grad for parameter in model.vqvae.parameters())
    assert len(model.processor.tokenizer) == WORDS + 515
    model.save_pretrained(tmp_path / "saved")
    assert torch.equal(logits(MotionGPTForPreference.from_pretrained(tmp_path / "saved")), expected)
    folder = files.folder  # which holds motiongpt_s3_h3d.tar
    model, info = MotionGPTForPreference.from_pretrained(
        str(folder), dtype=torch.bfloat16, motion_only=True, output_loading_info=True, **files.both
    )
    assert model.dtype == torch.bfloat16 and model.vqvae.dtype == torch.float32 and not any(info.values())
    assert logits(model)[0, 3, 5] < -5000 and model.config.motion_only


def test_statistics_and_tokenizer_beside_the_checkpoint(files, tmp_path):
    (tmp_path / "a.tar").write_bytes(files.tar.read_bytes())
    for name in ("mean.npy", "std.npy"):
        (tmp_path / name).write_bytes((files.stats / name).read_bytes())
    (tmp_path / "tokenizer.json").write_bytes((files.tokenizer / "tokenizer.json").read_bytes())
    (tmp_path / "tokenizer_config.json").write_bytes((files.tokenizer / "tokenizer_config.json").read_bytes())
    model = MotionGPTForPreference.from_pretrained(tmp_path / "a.tar")
    np.testing.assert_allclose(model.vqvae.stats.std, tiny_stats().std, rtol=1e-6)


def test_numbers_of_other_people_are_not_read(files, monkeypatch):
    """Evaluators and losses are most of what is in a file besides the model; they are counted, not loaded."""
    read = conversion.read_tensors
    names: list[str] = []

    def noted(path, **options):
        tensors = read(path, **options)
        names.extend(tensors)
        return tensors

    monkeypatch.setattr(conversion, "read_tensors", noted)
    found = read_original(files.tar, **files.both)
    assert "126 of metrics" in found.found[-1] and not any(name.startswith(("metrics", "_losses")) for name in names)
    assert len(names) == 67 + 54


# Files that hold less ------------------------------------------------------------------------------------------------


def test_a_t5_alone(files):
    lines: list[str] = []
    model = convert(files.t5, tokenizer=files.tokenizer, report=lines.append)
    assert model.vqvae is None and "VQ-VAE: none, so the model writes motion tokens but no motion" in lines
    with pytest.raises(ValueError, match="convert-checkpoint --vqvae"):
        model.generate_motion("a person walks")


def test_base_gives_what_a_t5_lacks(files, converted):
    expected = language_model(original_weights(seed=1))
    lines: list[str] = []
    ours = convert(files.t5, base=converted[0], report=lines.append)
    assert "VQ-VAE: 512 codes of 4 frames, width 8, not from this checkpoint" in lines
    for model in (ours, convert(files.t5, base=files.tar, **files.both)):
        assert torch.equal(model.lm_head.weight, expected["lm_head.weight"])
        assert torch.equal(model.vqvae.quantizer.codebook, files.weights["vae.quantizer.codebook"])
        np.testing.assert_allclose(model.vqvae.stats.std, tiny_stats().std, rtol=1e-6)
        assert len(model.processor.tokenizer) == WORDS + 515 and model.processor.stats is not None


def test_a_vqvae_for_a_t5(files, tmp_path):
    vqvae_from_original(files.weights, tiny_stats()).save_pretrained(tmp_path)
    options = {"tokenizer": files.tokenizer}
    for vqvae, more in (
        (files.vae, {"stats": files.stats}),
        (files.tar, {"stats": files.stats}),
        (tmp_path, {}),
        (MotionVQVAE.from_pretrained(tmp_path), {}),
    ):
        model = convert(files.t5, vqvae=vqvae, **options, **more)
        assert torch.equal(model.vqvae.quantizer.codebook, files.weights["vae.quantizer.codebook"])


def test_statistics_are_those_of_the_vqvae(files, converted):
    other = MotionStats(np.full(263, 0.25), np.full(263, 2.0))
    model = convert(files.lora, base=converted[0], vqvae=vqvae_from_original(files.weights, other))
    assert set(model.processor.stats.std) == {2.0} == set(model.vqvae.std.tolist())


def test_lora_weights_alone(files, converted):
    name = "decoder.block.0.layer.1.EncDecAttention.v.weight"
    lines: list[str] = []
    model = convert(files.lora, base=converted[0], lora_alpha=8, report=lines.append)
    assert "LoRA: 1 layers of rank 4, merged with alpha 8, with the language model of base" in lines
    torch.manual_seed(2)
    a, b = torch.randn(4, 16), torch.randn(16, 4)
    plain = files.weights[f"lm.language_model.{name}"]
    torch.testing.assert_close(model.state_dict()[name], plain + 8 / 4 * b @ a)
    other = convert(files.lora, base=files.tar, lora_alpha=8, **files.both)
    assert torch.equal(logits(model), logits(other)) and model.vqvae is not None


# What is refused -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        ("tar", {"tokenizer"}, "give their folder as stats"),
        ("tar", {"stats"}, "tokenizer of google/flan-t5-base is not in the cache"),
        ("vae", {"stats", "tokenizer"}, r"vae.ckpt: expected a language model, but it holds a VQ-VAE alone"),
        ("lora", {"tokenizer"}, r"lora.safetensors: Expected a model, got LoRA weights of 1 layers alone"),
        ("t5", {"stats", "tokenizer"}, r"belong to an original VQ-VAE, but none is read; leave them out"),
    ],
)
def test_what_is_needed_and_what_is_idle(files, tmp_path, source, options, message):
    given = {name: getattr(files, name) for name in options}
    with pytest.raises((ValueError, OSError), match=message):
        convert(getattr(files, source), tmp_path / "out", **given)
    assert not list(tmp_path.iterdir())


def test_a_second_vqvae_or_an_idle_base(files, converted):
    with pytest.raises(ValueError, match="leave vqvae"):
        convert(files.tar, vqvae=files.vae, **files.both)
    with pytest.raises(ValueError, match=r"lacks nothing that a base would give; leave base \(--base\) out"):
        convert(files.tar, base=converted[0], **files.both)
    with pytest.raises(ValueError, match="leave config out"):
        MotionGPTForPreference.from_pretrained(files.tar, config=object(), **files.both)


def test_a_base_with_adapters_of_its_own(files):
    with pytest.raises(CheckpointError, match="expected a base without LoRA weights"):
        convert(files.lora, base=files.lora, tokenizer=files.tokenizer)


def test_another_models_tokenizer(files, tmp_path):
    train_tokenizer(["a person walks"] * 4, 354).save_pretrained(tmp_path)
    with pytest.raises(CheckpointError, match=r"motiongpt_s3_h3d.tar: The model's motion tokens have ids 360 to 874"):
        convert(files.tar, stats=files.stats, tokenizer=tmp_path)


def test_hostile_and_broken_files(files, tmp_path):
    class Hostile:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "ran",))

    broken = {
        "pickle.pt": pickle.dumps(Hostile()),
        "cut.tar": files.tar.read_bytes()[:-4000],
        "empty.pt": b"",
        "page.tar": b"<html>not found</html>",
    }
    for name, content in broken.items():
        (tmp_path / name).write_bytes(content)
    torch.save({"state_dict": Hostile()}, tmp_path / "object.pt")
    torch.save({"shared.weight": torch.ones(1), "x": Hostile()}, tmp_path / "mixed.pt")
    bad = {name: value for name, value in files.weights.items() if "final" not in name}
    torch.save({**bad, "extra": torch.ones(1)}, tmp_path / "other.pt")
    for name in (*broken, "object.pt", "mixed.pt", "other.pt", "gone.pt"):
        with pytest.raises(CheckpointError, match=name):
            convert(tmp_path / name, tmp_path / "out", **files.both)
        with pytest.raises(CheckpointError, match=name):
            MotionGPTForPreference.from_pretrained(tmp_path / name, **files.both)
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {
        *broken,
        "object.pt",
        "mixed.pt",
        "other.pt",
    }  # neither `ran` nor `out`, nor something half-written


def test_nothing_is_left_of_a_save_that_fails(files, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise OSError("No space left on device")

    monkeypatch.setattr("atom_hf.models.processing.MotionGPTProcessor.save_pretrained", fail)
    with pytest.raises(OSError, match="No space left"):
        convert(files.tar, tmp_path / "out", **files.both)
    assert not list(tmp_path.iterdir())


def test_a_folder_in_use_is_refused_before_anything_is_read(files, converted):
    with pytest.raises(ValueError, match="is not empty; choose another folder, or overwrite it"):
        convert(files.folder / "gone.tar", converted[0], **files.both)


# Folders of this package that are not right --------------------------------------------------------------------------


def copied(folder: Path, target: Path) -> Path:
    target.mkdir()
    for path in folder.iterdir():
        (target / path.name).write_bytes(path.read_bytes())
    return target


def test_a_codebook_of_another_size(converted, tmp_path):
    folder = copied(converted[0], tmp_path / "a")
    config = json.loads((folder / "config.json").read_text())
    config["vqvae_config"]["num_codes"] = 256
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match="writes 512 motion codes and the VQ-VAE has 256"):
        MotionGPTForPreference.from_pretrained(folder)


def test_weights_that_were_cut_off(converted, tmp_path):
    folder = copied(converted[0], tmp_path / "a")
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CheckpointError, match="cut off on their way"):
        MotionGPTForPreference.from_pretrained(folder)


def test_a_checkpoint_that_is_not_there(tmp_path):
    for name in ("nobody/nothing", "outputs/dpoo"):
        for model in (MotionGPTForPreference, MotionVQVAE):
            with pytest.raises(OSError, match=rf"{name}: there is no such folder here, .*hf download {name}"):
                model.from_pretrained(name)
    with pytest.raises(OSError, match=r"motiongpt_s3_h3d.tar .* cannot be downloaded"):
        MotionGPTForPreference.from_pretrained("OpenMotionLab/MotionGPT-base", cache_dir=tmp_path)
    with pytest.raises(OSError, match=r"no file named model.safetensors"):
        MotionGPTForPreference.from_pretrained(tmp_path)


# Full size -----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_full_size(tmp_path):
    """All 486 weights of the published shapes, one number each; 1.1 GB are written twice."""
    state = {name: torch.full(shape, (i % 7) / 100) for i, (name, shape) in enumerate(original_names().items())}
    for stack in ("encoder", "decoder"):
        state[f"lm.language_model.{stack}.embed_tokens.weight"] = state["lm.language_model.shared.weight"]
    source = save_like_lightning(tmp_path / "motiongpt_s3_h3d.tar", state)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(Unigram([("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -1.0)], unk_id=2)),
        pad_token="<pad>",
        eos_token="</s>",
        unk_token="<unk>",
    )
    tokenizer.add_tokens([f"<filler_{i}>" for i in range(32100 - len(tokenizer))])  # as many as flan-T5 has
    add_motion_tokens(tokenizer)
    original = read_original(source, stats=tiny_stats(), tokenizer=tokenizer)
    assert original.config.motion_token_start == 32100 and original.config.num_codes == 512
    assert original.found[0].startswith("language model: 12 + 12 layers, d_model 768, 32615 tokens")
    model = original.model()
    assert sum(weight.numel() for weight in model.vqvae.parameters()) == 19_436_807
    for name, value in state.items():
        if name.startswith(("lm.", "vae.")):
            ours = name.removeprefix("lm.language_model.").replace("vae.", "vqvae.")
            assert torch.equal(model.state_dict()[ours], value), name
