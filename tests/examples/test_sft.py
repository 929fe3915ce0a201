"""The supervised example: rows of all tasks, a model that can be used, and a stopped run that goes on."""

import functools
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("trl")
pytest.importorskip("accelerate")

import sft
import torch
from corpus import CorpusConfig, read_corpus
from safetensors.torch import load_file
from sft import ModelConfig, event_scores, new_model, rows_of, token_accuracy
from transformers import Seq2SeqTrainingArguments
from trl import TrlParser

from atom_hf import MotionGPTForPreference
from atom_hf.motion import text_to_codes
from tests.models.tiny_models import tiny_vqvae

SIZES = ["--vocab_size", "400", "--d_model", "24", "--d_ff", "32", "--num_layers", "1", "--num_decoder_layers", "1"]
TINY = [*SIZES, "--synthesised", "24", "--max_steps", "4", "--per_device_train_batch_size", "4",
        "--per_device_eval_batch_size", "32", "--eval_strategy", "steps", "--eval_steps", "2", "--save_steps", "2",
        "--judged_prompts", "2", "--logging_steps", "1", "--learning_rate", "1e-2", "--report_to", "none",
        "--use_cpu", "true", "--disable_tqdm", "true"]  # fmt: skip


@functools.cache
def _clips(synthesised: int) -> list[Any]:
    clips = read_corpus(CorpusConfig(synthesised=synthesised))
    return [clip for clip in clips if not clip.held_out] + [clip for clip in clips if clip.held_out][:6]


@pytest.fixture(scope="module", autouse=True)
def clips_are_made_once(on_cpu: None) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sft, "read_corpus", lambda config: _clips(config.synthesised))
        yield


@pytest.fixture(scope="module")
def vqvae(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("vqvae")
    tiny_vqvae().save_pretrained(folder)
    return folder


def run(vqvae: Path, out: Path, *words: object) -> None:
    arguments = [*TINY, "--vqvae", str(vqvae), "--output_dir", str(out), *map(str, words)]
    parser = TrlParser((ModelConfig, CorpusConfig, Seq2SeqTrainingArguments))
    sft.main(*parser.parse_args_and_config(args=arguments))


def history(out: Path, step: int) -> list[dict[str, Any]]:
    return json.loads((out / f"checkpoint-{step}" / "trainer_state.json").read_text())["log_history"]


@pytest.fixture(scope="module")
def whole(vqvae, tmp_path_factory) -> Path:
    """What a run leaves that was never stopped."""
    out = tmp_path_factory.mktemp("sft")
    run(vqvae, out)
    return out


def test_it_trains_judges_and_saves(vqvae, whole):
    assert {"model.safetensors", "tokenizer.json", "processor_config.json", "README.md", "config.json"} <= {
        path.name for path in whole.iterdir()
    }
    model = MotionGPTForPreference.from_pretrained(whole)
    assert model.config.num_layers == model.config.num_decoder_layers == 1 and model.config.dropout_rate == 0
    (motion,) = model.generate_motion("a person walks forward", seed=0, max_frames=16)
    assert motion.joints.shape[1:] == (22, 3)
    trained = load_file(vqvae / "model.safetensors")
    assert all(torch.equal(model.vqvae.state_dict()[name], weight) for name, weight in trained.items())  # as it was
    np.testing.assert_array_equal(model.processor.stats.mean, model.vqvae.stats.mean)
    log = history(whole, 4)
    assert [entry["step"] for entry in log if "eval_loss" in entry] == [2, 4]
    assert all(0 <= entry["eval_token_accuracy"] <= 1 for entry in log if "eval_token_accuracy" in entry)
    judged = [entry for entry in log if "eval_events_overall" in entry]
    assert len(judged) == 2 and all(0 <= entry["eval_events_overall"] <= 1 for entry in judged)
    losses = [entry["loss"] for entry in log if "loss" in entry]
    assert len(losses) == 4 and losses[-1] < losses[0]


class Stopped(Exception):
    """In place of a signal."""


@pytest.mark.parametrize("where", [pytest.param("between", marks=pytest.mark.slow), "saving"])
def test_a_stopped_run_goes_on(vqvae, whole, tmp_path, monkeypatch, where):
    """Dropout and the order of rows included: the weights are those of a run that was never stopped."""
    step, calls = sft.EventTrainer.training_step, []
    with monkeypatch.context() as patch:

        def stop(self: Any, *given: Any, **options: Any) -> Any:
            calls.append(self.state.global_step)
            if len(calls) == 3:
                raise Stopped
            return step(self, *given, **options)

        if where == "between":
            patch.setattr(sft.EventTrainer, "training_step", stop)
        else:
            save = sft.EventTrainer._save_optimizer_and_scheduler

            def half(self: Any, folder: str) -> None:
                if folder.endswith("-4"):
                    raise Stopped
                save(self, folder)

            patch.setattr(sft.EventTrainer, "_save_optimizer_and_scheduler", half)
        with pytest.raises(Stopped):
            run(vqvae, tmp_path)
    assert not (tmp_path / "model.safetensors").exists() and (tmp_path / "checkpoint-2").is_dir()
    steps: list[int] = []
    monkeypatch.setattr(
        sft.EventTrainer,
        "training_step",
        lambda self, *given, **options: steps.append(self.state.global_step) or step(self, *given, **options),
    )
    run(vqvae, tmp_path)
    assert steps == [2, 3]
    expected, found = (load_file(folder / "model.safetensors") for folder in (whole, tmp_path))
    assert expected.keys() == found.keys()
    assert [name for name in expected if not torch.equal(found[name], expected[name])] == []


def test_from_a_trained_model(vqvae, whole, tmp_path):
    run(vqvae, tmp_path, "--model", whole, "--max_steps", 1, "--eval_strategy", "no", "--save_strategy", "no")
    before, after = (load_file(folder / "model.safetensors") for folder in (whole, tmp_path))
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert before.keys() == after.keys() and "shared.weight" in moved
    assert not any(name.startswith("vqvae.") for name in moved)


# Rows ----------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def model(vqvae) -> MotionGPTForPreference:
    torch.manual_seed(0)
    config = ModelConfig(vqvae=str(vqvae), vocab_size=400, d_model=24, d_ff=32, num_layers=1, num_decoder_layers=1)
    return new_model(config, [caption for clip in _clips(24) for caption in clip.captions]).eval()


def codes_in(model: MotionGPTForPreference, ids: list[int]) -> list[int]:
    parsed = text_to_codes(model.processor.tokenizer.decode(ids), num_codes=16, clamp=False)
    return parsed.codes.tolist()


def test_every_caption_is_a_row(model):
    clips = _clips(24)[:8]
    rows = rows_of(clips, model, 0.0)
    assert len(rows) == 16
    tokenizer = model.processor.tokenizer
    for i, row in enumerate(rows):
        clip = clips[i // 2]
        features = torch.from_numpy(clip.features)
        expected = model.vqvae.encode(model.vqvae.normalize(features)).tolist()
        assert tokenizer.decode(row["input_ids"]) == f"Generate motion: {clip.captions[i % 2]}</s>"
        assert codes_in(model, row["labels"]) == expected and row["labels"][-1] == tokenizer.eos_token_id


def test_other_tasks(model):
    clips = _clips(24)[:20]
    plain, rows = rows_of(clips, model, 0.0), rows_of(clips, model, 1.0)
    others = [row for row in rows if row not in plain]
    assert [row for row in rows if row in plain] == plain and 15 <= len(others) <= 20
    assert rows_of(clips, model, 1.0) == rows  # the same in every process
    motions = [codes_in(model, row["labels"]) for row in plain]
    captions = {caption for clip in clips for caption in clip.captions}
    kinds = set()
    for row in others:
        answer, asked = codes_in(model, row["labels"]), codes_in(model, row["input_ids"])
        said = model.processor.tokenizer.decode(row["labels"]).removesuffix("</s>")
        if said in captions:
            kinds.add("motion-to-text")
            assert asked in motions
        elif answer in motions:
            kinds.add("inbetween")
            hidden = [i for i, code in enumerate(asked) if code == 18]  # the mask token
            n = len(answer)
            assert hidden == list(range(n // 4, -(-3 * n // 4)))
            assert all(code == answer[i] for i, code in enumerate(asked) if i not in hidden)
        else:
            kinds.add("prediction")
            assert asked + answer in motions and len(asked) == max(2, (len(asked) + len(answer)) // 5)
    assert kinds == {"motion-to-text", "prediction", "inbetween"}
    half = [row for row in rows_of(clips * 3, model, 0.3) if row not in plain]
    assert 5 <= len(half) <= 30


def test_clips_without_captions(model):
    clips = [clip._replace(captions=()) for clip in _clips(24)[:12]]
    rows = rows_of(clips, model, 1.0)
    assert 0 < len(rows) < 12 and rows_of(clips, model, 0.0) == []  # nothing to say, but something to go on with


# Validation ----------------------------------------------------------------------------------------------------------


def test_event_scores(model):
    scores = event_scores(model, 4)
    assert {"integrity", "temporal", "frequency", "overall"} <= set(scores)
    assert all(0 <= value <= 1 for value in scores.values()) and event_scores(model, 4) == scores
    assert event_scores(model, 0) == {}


def test_token_accuracy():
    labels, found = np.array([[5, 6, 1], [7, -100, -100]]), np.array([[5, 9, 1], [7, 3, -100]])
    assert token_accuracy(SimpleNamespace(predictions=found, label_ids=labels)) == {"token_accuracy": 0.75}


def test_help_of_the_script(capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["sft.py", "--help"])
    with pytest.raises(SystemExit):
        TrlParser((ModelConfig, CorpusConfig, Seq2SeqTrainingArguments)).parse_args_and_config()
    assert "rows of motion-to-text, prediction, in-betweening" in capsys.readouterr().out
