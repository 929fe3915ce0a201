"""The main job, end to end and tiny: preferences in; model, adapter, card, metrics and report out."""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

pytest.importorskip("trl")
pytest.importorskip("peft")

import dpo
import torch
from peft import PeftModel
from safetensors.torch import load_file

from atom_hf import DEFAULT_MODEL, MotionGPTForPreference
from atom_hf.evaluation.report import clips
from atom_hf.render.viewer import viewer_script

SMALL = ["--train_share", "0.01", "--max_steps", "2", "--per_device_train_batch_size", "4", "--learning_rate", "1e-2",
         "--warmup_steps", "0", "--logging_steps", "1", "--save_steps", "1", "--test_prompts", "8", "--samples", "2",
         "--monitor_prompts", "4", "--monitor_steps", "1", "--evaluator", "none",
         "--disable_tqdm", "true"]  # fmt: skip


class Run(NamedTuple):
    """A run: where it wrote, its trainer, what it returned."""

    folder: Path
    trainer: Any
    metrics: Any


def align(folder: Path, *words: object) -> Run:
    """Run the example; drawing has its own tests."""
    found: list[Any] = []
    finish = dpo.finish

    def kept(trainer: Any, script: Any) -> None:
        found.extend([trainer, finish(trainer, script)])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dpo, "finish", kept)
        patch.setattr(clips, "_block", lambda *_: "<div data-atom-viewer></div>")
        patch.setattr(sys, "argv", ["dpo.py", *SMALL, "--output_dir", str(folder), *map(str, words)])
        dpo.main()
    return Run(folder, *found)


@pytest.fixture(scope="module")
def adapter(on_cpu: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A LoRA run, as by default."""
    yield align(tmp_path_factory.mktemp("dpo") / "lora")


def test_it_leaves_everything(adapter):
    names = {path.name for path in adapter.folder.iterdir()}
    assert {"metrics.json", "comparison.json", "report.md", "report.html", "model", "adapter"} <= names
    assert adapter.trainer.args.precompute_ref_log_probs is False  # of two steps, which see 8 of 27 pairs
    config = json.loads((adapter.folder / "adapter" / "adapter_config.json").read_text())
    assert config["r"] == dpo.TINY["lora_r"] and set(config["target_modules"]) == set(dpo.TINY["lora_target_modules"])


def test_metrics_are_what_was_returned(adapter):
    text = (adapter.folder / "metrics.json").read_text(encoding="utf-8")
    metrics = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert metrics == json.loads(json.dumps(adapter.metrics))
    assert len(metrics["overall_by_prompt"]["prompts"]) == 8 and set(metrics["events"]) >= {"temporal", "overall"}
    for found in metrics["events"].values():
        low, high = found["interval"]
        assert low <= found["delta"] <= high and 0 <= found["p"] <= 1
    assert metrics["evaluator"] == {} and metrics["made_with"]["judge"]
    assert 0 < metrics["kl"]["per_token"] < metrics["kl"]["per_sequence"]  # two large steps moved it
    assert metrics["seconds"]["training"] > 0 < metrics["seconds"]["evaluation"]
    settings = metrics["training"]
    assert (settings["steps"], settings["processes"]) == (2, 1)
    assert (
        settings["loss_type"] == ["ipo", "sft"]
        and settings["learning_rate"] == 1e-2
        and settings["train_share"] == 0.01
    )
    assert settings["model"] == "the tiny model of atom_hf"  # not a folder of this machine
    assert "/" not in settings["dataset"]


def test_the_report_holds_curves_and_clips_and_asks_for_nothing(adapter):
    page = (adapter.folder / "report.html").read_text(encoding="utf-8").replace(viewer_script(), "")
    assert set(re.findall(r"(?:https?:)?//[\w.]+[^\s\"'<]*", page.replace("// ", ""))) == {
        "http://www.w3.org/2000/svg"
    }
    assert page.count("<div data-atom-viewer>") >= 3 and "DPO alignment: real (synthesised), base, aligned" in page
    for title in (">Loss<", "Implicit rewards", "Event scores of samples for fixed prompts", "Distance from the base"):
        assert title in page, title


def test_adapter_and_merged_model_write_the_same(adapter):
    base = MotionGPTForPreference.from_pretrained(DEFAULT_MODEL, dtype=torch.float32)
    before = base.generate_motion("a person jumps twice", seed=3)[0].codes.tolist()
    with_adapter = PeftModel.from_pretrained(base, adapter.folder / "adapter").get_base_model()
    merged = MotionGPTForPreference.from_pretrained(adapter.folder / "model", dtype=torch.float32)
    prompts = ["a person jumps twice", "someone walks forward, then waves with the left hand"]
    written = [
        [motion.codes.tolist() for motion in model.eval().generate_motion(prompts, 3, seed=3)]
        for model in (with_adapter, merged)
    ]
    assert written[0] == written[1] and written[0][0] != before


def test_the_card_says_what_was_measured(adapter):
    card = (adapter.folder / "model" / "README.md").read_text(encoding="utf-8")
    assert card.startswith("---\n") and "## Training data, metrics and limits" in card
    said = card.split("## DPO alignment\n", 1)[1]
    assert "The mean event score" in said and "prompts won" in said and '"loss_type"' in said
    assert all(note in said for note in adapter.metrics["notes"])
    assert json.loads(said.split("```json\n")[1].split("```")[0]) == adapter.metrics["training"]
    assert str(adapter.folder.parent) not in card


def test_the_monitor_sampled_while_training(adapter):
    logs = [log for log in adapter.trainer.state.log_history if "eval_events_overall" in log]
    assert [log["step"] for log in logs] == [0, 1, 2]
    first, *_, last = (log["eval_sample_kl"] for log in logs)
    assert first == pytest.approx(0, abs=1e-6) and last > 1e-4


def test_a_stopped_run_goes_on(adapter, capsys):
    """From the last checkpoint; neither a folder that holds something nor what was measured is lost."""
    words = ("--max_steps", 3, "--monitor_prompts", 0, "--test_prompts", 0)
    with pytest.raises(FileExistsError, match="is there already"):
        align(adapter.folder, *words)
    again = align(adapter.folder, *words, "--resume_from_checkpoint", "last")
    assert again.trainer.state.global_step == 3 and again.metrics is None
    assert [log["step"] for log in again.trainer.state.log_history if "loss" in log] == [1, 2, 3]
    assert f"model → {adapter.folder / 'model'}" in capsys.readouterr().out


@pytest.mark.slow
def test_all_weights(on_cpu, tmp_path):
    words = ("--use_peft", "false", "--learning_rate", "1e-3", "--monitor_prompts", 0, "--samples", 1)
    found = align(tmp_path / "full", *words, "--save_strategy", "no")
    assert not (found.folder / "adapter").exists() and found.metrics["training"]["use_peft"] is False
    assert found.metrics["kl"]["per_token"] > 0  # from the base, not from what it became
    before, after = (
        load_file(folder / "model.safetensors") for folder in (Path(DEFAULT_MODEL), found.folder / "model")
    )
    moved = {name for name in after if not torch.equal(before[name].float(), after[name].float())}
    assert moved and not any(name.startswith("vqvae.") for name in moved)
    assert MotionGPTForPreference.from_pretrained(found.folder / "model").dtype == torch.float32


def test_no_pair_left_and_no_dataset(on_cpu, tmp_path):
    with pytest.raises(ValueError, match="No pair is left"):
        align(tmp_path / "a", "--min_score", 5)
    with pytest.raises((ValueError, OSError), match="absent"):
        align(tmp_path / "b", "--dataset", tmp_path / "absent")
    assert not (tmp_path / "a").exists() and not (tmp_path / "b").exists()


def test_a_fresh_dataset(on_cpu, tmp_path):
    """--rebuild: the base model writes its own candidates first."""
    words = ("--rebuild", "true", "--rebuild_prompts", 8, "--train_share", 1, "--max_steps", 1)
    found = align(tmp_path / "out", *words, "--monitor_prompts", 0, "--test_prompts", 0, "--save_strategy", "no")
    made = tmp_path / "out_motionprefer" / "dataset"
    assert (made / "README.md").is_file() and found.trainer.state.global_step == 1
    assert 0 < len(found.trainer.train_dataset) <= 32


@pytest.mark.slow  # half a minute
def test_with_the_evaluator_and_real_pictures(on_cpu, tmp_path):
    out = tmp_path / "out"
    with pytest.MonkeyPatch.context() as patch:
        words = [*SMALL, "--test_prompts", "32", "--evaluator", dpo.AlignConfig().evaluator, "--output_dir", str(out)]
        patch.setattr(sys, "argv", ["dpo.py", *words])
        dpo.main()
    metrics = json.loads((out / "metrics.json").read_text())
    assert {"R@1", "R@3", "FID", "Diversity", "MModality"} <= set(metrics["evaluator"])
    assert set(metrics["variety"]) == {"Diversity", "MModality"}
    assert 0.2 < metrics["variety"]["Diversity"] < 2
    page = (out / "report.html").read_text(encoding="utf-8")
    assert len(re.findall(r"<(?:video|img)[^>]*data:", page)) >= 6 and "Variety of these samples" in page
