"""The VQ-VAE example: trains, validates, saves, and goes on after a stop as if there had been none."""

import functools
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("trl")
pytest.importorskip("accelerate")

import torch
import train_vqvae
from accelerate import Accelerator
from corpus import CorpusConfig, read_corpus
from safetensors.torch import load_file
from train_vqvae import VQVAEConfig, crops, evaluate
from trl import TrlParser

from atom_hf import MotionVQVAE
from tests.examples.clips import noise_clip
from tests.models.tiny_models import tiny_vqvae

TINY = ["--synthesised", "40", "--width", "16", "--code_dim", "16", "--num_codes", "32", "--batch_size", "16",
        "--warmup_steps", "2", "--max_steps", "4", "--eval_steps", "2"]  # fmt: skip


@functools.cache
def _clips(synthesised: int) -> list[Any]:
    return read_corpus(CorpusConfig(synthesised=synthesised))


@pytest.fixture(scope="module", autouse=True)
def clips_are_made_once(on_cpu: None) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train_vqvae, "read_corpus", lambda config: _clips(config.synthesised))
        yield


def run(out: Path, *words: object) -> None:
    arguments = [*TINY, "--output_dir", str(out), *map(str, words)]
    train_vqvae.main(*TrlParser((VQVAEConfig, CorpusConfig)).parse_args_and_config(args=arguments))


def metrics(out: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """What a run leaves that was never stopped."""
    out = tmp_path_factory.mktemp("vqvae")
    run(out)
    return out


def test_it_trains_and_saves(whole):
    assert [entry["step"] for entry in metrics(whole)] == [2, 4]
    for entry in metrics(whole):
        assert 1 <= entry["perplexity"] <= 32 and 0 < entry["codes_used"] <= 1
        assert entry["synthesised_mpjpe_mm"] > 0 and entry["synthesised_world_mpjpe_mm"] > 0
    assert {path.name for path in whole.iterdir()} == {
        "checkpoint-4", "config.json", "metrics.jsonl", "model.safetensors", "README.md"
    }  # fmt: skip
    model = MotionVQVAE.from_pretrained(whole)
    assert (model.config.width, model.config.code_dim, model.config.num_codes) == (16, 16, 32)
    train = np.concatenate([clip.features for clip in _clips(40) if not clip.held_out])
    np.testing.assert_allclose(model.stats.mean, train.mean(0), atol=1e-3)
    assert bool(model.quantizer.initialized) and model.quantizer.code_count.ne(1).any()
    # What is saved beside the metrics is what they were measured on.
    again = evaluate(model, [clip for clip in _clips(40) if clip.held_out])
    assert again == pytest.approx({name: metrics(whole)[-1][name] for name in again}, rel=1e-4)


class Stopped(Exception):
    """In place of a signal."""


SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    "where", [pytest.param("between", marks=SLOW), "saving", pytest.param("measuring", marks=SLOW)]
)
def test_a_stopped_run_goes_on(whole, tmp_path, monkeypatch, where):
    """Stopped in the third step, or while the second checkpoint is saved, or before what belongs to it is."""
    with monkeypatch.context() as patch:

        def stop(*_: Any, **__: Any) -> None:
            raise Stopped

        if where == "between":
            patch.setattr(train_vqvae, "crops", lambda *given: stop() if given[2] == 3 else crops(*given))
        elif where == "saving":
            save, done = Accelerator.save_state, []

            def half(self: Accelerator, folder: str) -> None:
                save(self, folder)
                done.append(folder)
                if len(done) == 2:
                    (Path(folder) / "optimizer.bin").unlink()
                    stop()

            patch.setattr(Accelerator, "save_state", half)
        else:
            patch.setattr(
                train_vqvae, "evaluate", lambda *given: evaluate(*given) if not metrics_of(tmp_path) else stop()
            )
        with pytest.raises(Stopped):
            run(tmp_path)
    assert [path.name for path in tmp_path.glob("checkpoint-*")] == ["checkpoint-2"]
    run(tmp_path)
    expected, found = (load_file(folder / "model.safetensors") for folder in (whole, tmp_path))
    assert expected.keys() == found.keys() and all(torch.equal(found[name], expected[name]) for name in expected)
    assert metrics(tmp_path) == metrics(whole)
    run(tmp_path)  # nothing is left to do
    assert metrics(tmp_path) == metrics(whole)


def metrics_of(out: Path) -> list[dict[str, float]]:
    return metrics(out) if (out / "metrics.jsonl").exists() else []


def test_a_longer_run_goes_on_from_a_finished_one(whole, tmp_path):
    run(tmp_path, "--max_steps", "2")
    run(tmp_path, "--max_steps", "6")
    assert [entry["step"] for entry in metrics(tmp_path)] == [2, 4, 6]


@pytest.mark.parametrize("frozen", [False, True])
def test_from_a_trained_model(whole, tmp_path, frozen):
    run(tmp_path, "--init", whole, "--position_weight", 1.5, *(["--decoder_only"] if frozen else []))
    before, after = (load_file(folder / "model.safetensors") for folder in (whole, tmp_path))
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert any(name.startswith("decoder.") for name in moved) and not moved & {"mean", "std"}
    for part in ("encoder.", "quantizer."):
        assert any(name.startswith(part) for name in moved) != frozen
    assert MotionVQVAE.from_pretrained(tmp_path).config.position_weight == 1.5


def test_a_loss_that_is_none_ends_the_run(whole, tmp_path, monkeypatch):
    def broken(clips: Any, config: Any, step: int) -> Any:
        batch, lengths = crops(clips, config, step)
        return batch + np.float32(np.nan if step == 3 else 0), lengths

    monkeypatch.setattr(train_vqvae, "crops", broken)
    with pytest.raises(RuntimeError, match=r"The loss is nan at step 3; lower --learning_rate"):
        run(tmp_path, "--init", whole)
    assert all(torch.isfinite(w).all() for w in load_file(tmp_path / "model.safetensors").values())


# Crops and validation ------------------------------------------------------------------------------------------------


def test_crops_depend_on_seed_and_step_alone():
    clips = [noise_clip(i, 30 + 40 * i) for i in range(4)]
    config = VQVAEConfig(batch_size=64, window=64)
    batch, lengths = crops(clips, config, 7)
    assert batch.shape == (64, 64, 263) and batch.dtype == np.float32
    for other in (crops(clips, config, 7), crops(clips, VQVAEConfig(batch_size=64, gradient_accumulation_steps=4), 7)):
        assert np.array_equal(other[0], batch) and np.array_equal(other[1], lengths)
    for step, seed in ((8, 0), (7, 1)):
        assert not np.array_equal(crops(clips, VQVAEConfig(batch_size=64, seed=seed), step)[0], batch)
    starts = set()
    for row, length in zip(batch, lengths, strict=True):
        number = int(row[0, 0])
        source = clips[number].features
        start = int(row[0, 1])
        starts.add((number, start))
        assert length == min(64, len(source)) and np.array_equal(row[:length], source[start : start + length])
        assert not row[length:].any()
    assert len(starts) > 20 and {number for number, _ in starts} == {0, 1, 2, 3}


def test_long_clips_are_drawn_more_often_and_real_ones_have_their_share():
    clips = [noise_clip(0, 50), noise_clip(1, 150), noise_clip(2, 100, real=True)]
    drawn = crops(clips, VQVAEConfig(batch_size=4000, window=4, real_share=0.25), 1)[0][:, 0, 0]
    shares = np.bincount(drawn.astype(int), minlength=3) / 4000
    np.testing.assert_allclose(shares, [0.75 / 4, 0.75 * 3 / 4, 0.25], atol=0.03)
    for kind in (clips[:2], clips[2:]):  # of one kind alone, all of the batch
        assert len(crops(kind, VQVAEConfig(batch_size=8, window=4, real_share=0.25), 1)[0]) == 8


def test_evaluation_tells_real_from_synthesised():
    model = tiny_vqvae()
    clips = [clip for clip in _clips(40) if clip.held_out][:3]
    synthetic = evaluate(model, clips)
    assert model.training
    both = evaluate(model, [*clips, clips[0]._replace(real=True)])
    alone = evaluate(model, clips[:1])
    assert "real_mpjpe_mm" not in synthetic
    assert both["real_mpjpe_mm"] == alone["synthesised_mpjpe_mm"] != both["synthesised_mpjpe_mm"]
    assert both["synthesised_mpjpe_mm"] == synthetic["synthesised_mpjpe_mm"]


def test_help_of_the_script(capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["train_vqvae.py", "--help"])
    with pytest.raises(SystemExit):
        TrlParser((VQVAEConfig, CorpusConfig)).parse_args_and_config()
    text = capsys.readouterr().out
    assert "--caption_noise" in text and "channels of the convolutions" in text


def test_the_joints_in_the_loss(whole):
    """In metres, by hand; what stands behind a clip's end does not count, and drift of the heading does."""
    clips = [clip.features[:40] for clip in _clips(40)[:2]]
    features, lengths = torch.from_numpy(np.stack(clips)), torch.tensor([40, 30])
    rebuilt = features.clone()
    rebuilt[:, :, 3] += 0.2  # the root's height: the others' heights stand on their own, so only the pelvis moves
    rebuilt[1, 28:] = 7.0  # behind the last whole code
    expected = 0.2 + 0.1 * 0.2 / 22  # seen from the pelvis all others moved; in the world it alone
    assert abs(train_vqvae.joint_loss(rebuilt, features, lengths).item() - expected) < 1e-5
    turning = features.clone()
    turning[:, :, 0] += 0.01
    assert train_vqvae.joint_loss(turning, features, lengths) > 0.01
