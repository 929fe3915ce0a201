"""The motion VQ-VAE: agreement with MotionGPT's, clips of different lengths, float32 always, resumable training."""

import copy
import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch
from safetensors.torch import load_file
from torch import Tensor
from transformers import AutoModel

import atom_hf.models
from atom_hf.models import MotionVQVAE, MotionVQVAEConfig
from atom_hf.motion import MotionStats
from tests.models.tiny_models import tiny_vqvae

GOLDEN = Path(__file__).parent.parent / "golden"


def ragged(lengths: list[int], junk: float = float("nan")) -> tuple[list[Tensor], Tensor, Tensor]:
    """Clips, the batch of them with junk behind their ends, and their lengths."""
    clips = [torch.randn(length, 263, generator=torch.Generator().manual_seed(length)) for length in lengths]
    return clips, torch.nn.utils.rnn.pad_sequence(clips, batch_first=True, padding_value=junk), torch.tensor(lengths)


def state(model: torch.nn.Module) -> dict[str, Tensor]:
    return copy.deepcopy(model.state_dict())


def assert_same(one: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    assert one.keys() == other.keys()
    assert [name for name in one if not torch.equal(one[name], other[name])] == []


# Agreement with the original -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def original(shared):
    """MotionGPT's numbers, its weights, and what they were made from."""
    folder = shared / "golden"
    weights = load_file(folder / "b_vq_tiny.safetensors")
    with np.load(folder / "b_vq_inputs.npz") as data:
        inputs = {name: torch.from_numpy(data[name]) for name in data.files}
    inputs["x168"] = inputs["x170"][:, :168]
    with np.load(folder / "b_vq_tiny.npz") as data:
        return weights, inputs, {name: torch.from_numpy(data[name]) for name in data.files}


def loaded(weights: dict[str, Tensor]) -> MotionVQVAE:
    model = MotionVQVAE(MotionVQVAEConfig(num_codes=64, code_dim=32, width=32))
    missing, unexpected = model.load_state_dict(weights, strict=False)
    ours = {"mean", "std", "quantizer.code_sum", "quantizer.code_count", "quantizer.initialized"}
    assert unexpected == [] and {name for name in missing if not name.startswith("encoder")} == ours
    return model


@pytest.mark.parametrize("clip", ["x168", "x170", "x196"])
def test_encodes_and_decodes_as_the_original(original, clip):
    weights, inputs, numbers = original
    model = loaded(weights).eval()
    codes = model.encode(inputs[clip])
    assert torch.equal(codes, numbers[f"{clip}/idx"])
    torch.testing.assert_close(model.decode(codes), numbers[f"{clip}/dec"], rtol=0, atol=2e-5)


def test_decodes_as_the_original_what_is_in_this_repository():
    model = loaded(load_file(GOLDEN / "b_vq_tiny_decoder.safetensors")).eval()
    with np.load(GOLDEN / "b_vq_tiny_decode.npz") as data:
        for name in ("decode_n1", "decode_n2", "decode_n5", "x168"):
            codes, features = (torch.from_numpy(data[f"{name}/{part}"]) for part in ("idx", "dec"))
            found = model.decode(codes.view(1, -1))
            torch.testing.assert_close(found, features, rtol=0, atol=2e-5, msg=name)


def test_trains_as_the_original(original):
    """Losses, gradients and the codebook of three passes; the original begins with the latents of the first batch."""
    weights, inputs, numbers = original
    model = loaded(weights).train()
    for step in range(3):
        model.zero_grad()
        output = model(torch.roll(inputs["train"], step, 1))
        output.loss.backward()
        parts = [output.feature_loss, output.position_loss, output.commitment_loss, output.loss.detach()]
        found = torch.stack([*parts, model.update_codebook()]).double()
        torch.testing.assert_close(found, numbers[f"train/step{step}/losses"], rtol=2e-5, atol=2e-6)
        for name in ("codebook", "code_sum", "code_count"):
            expected = numbers[f"train/step{step}/{name}"]
            torch.testing.assert_close(getattr(model.quantizer, name), expected, rtol=2e-5, atol=2e-5, msg=name)
        gradients = [name for name in numbers if name.startswith(f"train/step{step}/grad/")]
        assert len(gradients) == 4
        for name in gradients:
            expected = numbers[name]
            found = model.get_parameter(name.rpartition("/")[2]).grad
            assert (found - expected).abs().max() < 2e-5 * expected.abs().max(), name


def test_full_size_has_the_keys_of_the_original():
    golden = json.loads((GOLDEN / "b_vq_full_keys.json").read_text("utf-8"))
    with torch.device("meta"):
        model = MotionVQVAE(MotionVQVAEConfig())
    ours = {name: (list(value.shape), str(value.dtype)) for name, value in model.state_dict().items()}
    for name in ("mean", "std", "quantizer.code_sum", "quantizer.code_count", "quantizer.initialized"):
        del ours[name]
    assert ours == {name: (shape, dtype) for name, shape, dtype in golden["keys"]} and len(ours) == 67
    assert sum(parameter.numel() for parameter in model.parameters()) == golden["n_params"] == 19_436_807


# Clips of different lengths ------------------------------------------------------------------------------------------

LENGTHS = [4, 5, 6, 7, 8, 33, 61, 96, 95]


@pytest.mark.parametrize("junk", [7.0, float("nan")])
def test_a_batch_is_its_clips_one_by_one(junk):
    model = tiny_vqvae()
    clips, batch, lengths = ragged(LENGTHS, junk)
    codes = model.encode(batch, lengths)
    assert codes.shape == (len(LENGTHS), 24) and len(codes.unique()) > 8
    features = model.decode(codes)
    for row, clip in enumerate(clips):
        n = len(clip) // 4
        assert torch.equal(codes[row, :n], model.encode(clip)) and (codes[row, n:] == -1).all()
        torch.testing.assert_close(features[row, : 4 * n], model.decode(codes[row, :n]), rtol=0, atol=2e-6)
        assert (features[row, 4 * n :] == 0).all()


def test_losses_of_a_batch_are_the_means_over_its_valid_frames():
    model = tiny_vqvae()
    clips, batch, lengths = ragged(LENGTHS)
    together = model(batch, lengths)
    alone = [model(clip[None]) for clip in clips]
    frames = torch.tensor([len(clip) // 4 * 4 for clip in clips])
    for name in ("loss", "feature_loss", "position_loss", "commitment_loss"):
        expected = (torch.stack([getattr(output, name) for output in alone]) * frames).sum() / frames.sum()
        torch.testing.assert_close(getattr(together, name), expected, rtol=1e-5, atol=0, msg=name)
    for row, output in enumerate(alone):
        n = int(frames[row])
        assert torch.equal(together.codes[row, : n // 4], output.codes[0])
        torch.testing.assert_close(together.reconstruction[row, :n], output.reconstruction[0], rtol=0, atol=2e-6)


def test_nothing_behind_the_end_reaches_gradients_or_codebook():
    results = []
    for junk in (0.0, float("nan")):
        model = tiny_vqvae().train()
        _, batch, lengths = ragged(LENGTHS, junk)
        model(batch, lengths).loss.backward()
        model.update_codebook()
        results.append((state(model), {name: weight.grad for name, weight in model.named_parameters()}))
    assert_same(results[0][0], results[1][0])
    assert_same(results[0][1], results[1][1])


def test_positions_are_weighted_and_losses_add_up():
    model = tiny_vqvae(position_weight=3.0, commitment_weight=0.25)
    clip = ragged([40])[1]
    output = model(clip)
    error = torch.nn.functional.smooth_l1_loss(output.reconstruction, clip, reduction="none")
    torch.testing.assert_close(output.feature_loss, error.mean())
    torch.testing.assert_close(output.position_loss, error[..., 4:67].mean())
    total = output.feature_loss + 3 * output.position_loss + 0.25 * output.commitment_loss
    torch.testing.assert_close(output.loss, total)


def test_gradients_pass_the_quantizer_unchanged():
    """The encoder gets the decoder's gradient at the quantized vectors; commitment alone adds its own."""
    model = tiny_vqvae(commitment_weight=0.0)
    clip = ragged([16])[1]
    latents = model.encoder(clip.transpose(1, 2), None)
    latents.retain_grad()
    quantized = model.quantizer(model.encode(clip)).transpose(1, 2).detach().requires_grad_()
    error = torch.nn.functional.smooth_l1_loss(model.decoder(quantized, None).transpose(1, 2), clip, reduction="none")
    (error.mean() + 0.5 * error[..., 4:67].mean()).backward()
    latents.backward(quantized.grad)
    expected = {name: weight.grad.clone() for name, weight in model.encoder.named_parameters()}
    model.zero_grad()
    model(clip).loss.backward()
    assert expected["model.0.weight"].abs().max() > 0
    for name, weight in model.encoder.named_parameters():
        torch.testing.assert_close(weight.grad, expected[name], rtol=1e-5, atol=1e-8, msg=name)


def test_one_clip_without_a_batch():
    model = tiny_vqvae()
    clip = ragged([21])[0][0]
    codes = model.encode(clip)
    assert codes.shape == (5,) and torch.equal(codes, model.encode(clip[None])[0])
    assert torch.equal(model.decode(codes), model.decode(codes[None])[0])


# Errors --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("features", "lengths", "text"),
    [
        (torch.zeros(1, 8, 262), None, r"features \[B, T, 263\], B >= 1, got shape \[1, 8, 262\]"),
        (torch.zeros(8), None, r"features \[B, T, 263\], B >= 1, got shape \[8\]"),
        (torch.zeros(1, 3, 263), None, "at least 4 frames, which make one code, got 3"),
        (torch.zeros(2, 8, 263), torch.tensor([8, 3]), "at least 4 frames, which make one code, got 3"),
        (torch.zeros(2, 8, 263), torch.tensor([8, 9]), r"2 lengths of at most 8 frames, got \[8, 9\]"),
        (torch.zeros(2, 8, 263), torch.tensor([8]), r"2 lengths of at most 8 frames, got \[8\]"),
        (torch.zeros(2, 8, 263), torch.tensor([[8], [8]]), r"2 lengths of at most 8 frames, got \[\[8\], \[8\]\]"),
        (torch.zeros(0, 8, 263), None, r"features \[B, T, 263\], B >= 1, got shape \[0, 8, 263\]"),
    ],
)
def test_refuses_features(features, lengths, text):
    model = tiny_vqvae()
    for call in (model.encode, model):
        with pytest.raises(ValueError, match=text):
            call(features, lengths)


@pytest.mark.parametrize(
    ("codes", "text"),
    [
        ([[0, 16]], r"codes from 0 to 15, got \[16\]. Codes of a checkpoint belong to its own codebook"),
        ([[0, -2]], r"codes from 0 to 15, got \[-2\]"),
        ([[-1, 3]], r"Padding \(-1\) stands behind the codes of a clip, never before or between"),
        ([[3, -1, 3]], "never before or between"),
        ([[3, 3], [-1, -1]], "never before or between"),
        ([[0.0, 1.0]], r"integer codes \[B, n\], n >= 1, got torch.float32 of shape \[1, 2\]"),
        ([[[0]]], r"got torch.int64 of shape \[1, 1, 1\]"),
        ([[]], r"of shape \[1, 0\]"),
    ],
)
def test_refuses_codes(codes, text):
    with pytest.raises(ValueError, match=text):
        tiny_vqvae().decode(torch.tensor(codes))


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"num_codes": 0}, "num_codes of a motion VQ-VAE is at least 1, got 0"),
        ({"width": -3}, "width of a motion VQ-VAE is at least 1, got -3"),
        ({"codebook_decay": 1.0}, "codebook_decay is from 0 to below 1, got 1.0"),
        ({"codebook_decay": -0.1}, "got -0.1"),
    ],
)
def test_refuses_sizes(options, text):
    with pytest.raises(ValueError, match=text):
        MotionVQVAEConfig(**options)


def test_frames_per_code():
    assert MotionVQVAEConfig().frames_per_code == 4
    model = tiny_vqvae(down_t=1)
    clip = ragged([9])[1]
    assert model.encode(clip).shape == (1, 4) and model.decode(model.encode(clip)).shape == (1, 8, 263)


# Precision -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "lower",
    [
        lambda model: model.half(),
        lambda model: model.bfloat16(),
        lambda model: model.double(),
        lambda model: model.to(torch.float16),
        lambda model: model.to("cpu", torch.bfloat16),
        lambda model: torch.nn.ModuleList([model]).to(torch.bfloat16)[0],
    ],
)
def test_stays_in_float32(lower):
    model = tiny_vqvae()
    clip = ragged([200])[1]
    codes, before = model.encode(clip), state(model)
    assert_same(before, lower(model).state_dict())
    assert torch.equal(model.encode(clip), codes)
    assert torch.equal(model.encode(clip.bfloat16()), model.encode(clip.bfloat16().float()))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, "bfloat16", "auto"])
def test_loads_in_float32(tmp_path, dtype):
    model = tiny_vqvae()
    model.save_pretrained(tmp_path)
    for loader in (MotionVQVAE, AutoModel):
        again = loader.from_pretrained(tmp_path, dtype=dtype)
        assert_same(model.state_dict(), again.state_dict())
        assert again.decode(again.encode(ragged([8])[1])).dtype == torch.float32


def test_autocast_changes_nothing():
    model = tiny_vqvae().train()
    clip = ragged([200])[1]
    expected = model(clip)
    with torch.autocast("cpu", torch.bfloat16):
        codes, output = model.encode(clip), model(clip)
        features = model.decode(codes)
    assert torch.equal(codes, expected.codes) and torch.equal(output.codes, codes)
    assert torch.equal(features, model.decode(codes))
    for name in ("loss", "reconstruction", "commitment_loss"):
        torch.testing.assert_close(output[name], expected[name], rtol=1e-6, atol=0, msg=name)


# Codebook and training -----------------------------------------------------------------------------------------------


def test_only_update_codebook_changes_the_codebook():
    model = tiny_vqvae()
    clip = ragged([64])[1]
    before = state(model.quantizer)
    model.decode(model.encode(clip))
    model(clip)
    model.train()
    with torch.no_grad():
        model(clip)
    with pytest.raises(RuntimeError, match="no latents since its last update"):
        model.update_codebook()
    model(clip)
    assert_same(before, state(model.quantizer))
    assert 1 <= model.update_codebook() <= 16
    assert not torch.equal(before["codebook"], model.quantizer.codebook)


def test_a_loaded_codebook_survives_the_first_training_pass(tmp_path):
    """The original forgets that it has one, and replaces it by latents of the batch."""
    model = tiny_vqvae()
    model.save_pretrained(tmp_path)
    again = MotionVQVAE.from_pretrained(tmp_path).train()
    clip = ragged([64])[1]
    assert torch.equal(again(clip).codes, model.encode(clip))
    assert torch.equal(again.quantizer.codebook, model.quantizer.codebook)


def test_a_new_codebook_begins_with_latents_of_the_first_batch():
    torch.manual_seed(0)
    model = MotionVQVAE(MotionVQVAEConfig(num_codes=16, code_dim=8, width=16, depth=1)).train()
    assert not model.quantizer.initialized
    output = model(ragged([64])[1])
    assert output.codes[0].tolist() == list(range(16)) and output.commitment_loss < 1e-9
    assert bool(model.quantizer.initialized)


def test_going_on_after_saving_equals_never_having_stopped(tmp_path):
    def train(model: MotionVQVAE, steps: range) -> None:
        optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
        for step in steps:
            torch.manual_seed(step)
            optimizer.zero_grad()
            model(torch.randn(2, 32, 263), torch.tensor([32, 25])).loss.backward()
            optimizer.step()
            model.update_codebook()

    straight, stopped = (tiny_vqvae(codebook_reset=0.5).train() for _ in range(2))
    train(straight, range(6))
    train(stopped, range(3))
    stopped.save_pretrained(tmp_path)
    again = MotionVQVAE.from_pretrained(tmp_path).train()
    train(again, range(3, 6))
    assert_same(straight.state_dict(), again.state_dict())
    assert not torch.equal(stopped.quantizer.code_sum, again.quantizer.code_sum)


# Files ---------------------------------------------------------------------------------------------------------------


def test_statistics_travel_with_the_model(tmp_path):
    rng = np.random.default_rng(0)
    stats = MotionStats(rng.normal(size=263), rng.uniform(0.1, 2, 263))
    model = tiny_vqvae()
    features = torch.from_numpy(rng.normal(size=(7, 263)).astype(np.float32))
    assert torch.equal(model.normalize(features), features)
    model.set_stats(stats)
    normal = model.normalize(features)
    np.testing.assert_allclose(normal.numpy(), (features.numpy() - stats.mean) / stats.std, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(model.denormalize(normal), features, rtol=0, atol=1e-5)
    model.save_pretrained(tmp_path)
    again = MotionVQVAE.from_pretrained(tmp_path)
    np.testing.assert_allclose(again.stats.mean, stats.mean, rtol=1e-6)
    np.testing.assert_allclose(again.stats.std, stats.std, rtol=1e-6)


def test_saving_and_loading(tmp_path):
    model = tiny_vqvae(codebook_decay=0.9)
    model.save_pretrained(tmp_path)
    assert {file.suffix for file in tmp_path.iterdir()} <= {".json", ".safetensors", ".md"}  # nothing pickled
    for loader in (MotionVQVAE, AutoModel):
        again = loader.from_pretrained(tmp_path)
        assert type(again) is MotionVQVAE and not again.training
        assert again.config.num_codes == 16 and again.quantizer.decay == 0.9
        assert_same(model.state_dict(), again.state_dict())


@pytest.mark.parametrize("share", [0.0, 0.001, 0.6])
def test_weights_that_were_cut_off(tmp_path, share):
    tiny_vqvae().save_pretrained(tmp_path)
    file = tmp_path / "model.safetensors"
    file.write_bytes(file.read_bytes()[: int(share * file.stat().st_size)])
    for loader in (MotionVQVAE, AutoModel):
        with pytest.raises(ValueError, match=r"no whole safetensors file .* cut off .* force_download=True") as error:
            loader.from_pretrained(tmp_path)
        assert str(tmp_path) in str(error.value)


def test_copies_and_start():
    model = tiny_vqvae()
    twin = copy.deepcopy(model)
    with torch.no_grad():
        twin.encoder.model[0].weight += 1
    assert not torch.equal(twin.encoder.model[0].weight, model.encoder.model[0].weight)
    fresh = MotionVQVAE(MotionVQVAEConfig(width=64, depth=1, code_dim=8, num_codes=8))
    for layer in (fresh.encoder.model[0], fresh.decoder.model[0]):
        bound = layer.weight[0].numel() ** -0.5  # torch's start of convolutions
        assert 0.9 * bound < layer.weight.abs().max() <= bound and layer.bias.abs().max() <= bound


def test_public_names():
    assert atom_hf.MotionVQVAE is MotionVQVAE and atom_hf.models.MotionVQVAEConfig is MotionVQVAEConfig
