"""The end of every alignment: what is saved, what the card says, and who writes."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("trl")
pytest.importorskip("peft")

import torch
from alignment import AlignConfig
from alignment_report import finish, save, settings, write_card
from peft import LoraConfig, PeftModel, get_peft_model

from atom_hf import DEFAULT_MODEL, MotionGPTForPreference
from atom_hf.evaluation.report import clips
from atom_hf.trainer.dpo_config import MotionDPOConfig

PROMPTS = ["a person jumps twice", "a person walks forward"]


def policy() -> MotionGPTForPreference:
    return MotionGPTForPreference.from_pretrained(DEFAULT_MODEL, dtype=torch.float32)


def moved(model: Any) -> Any:
    """With an adapter that changes what it writes."""
    adapted = get_peft_model(model, LoraConfig(r=4, lora_alpha=16, target_modules=["q", "v"]))
    torch.manual_seed(0)
    for name, weight in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.2)
    return adapted


def written(model: Any) -> list[list[int]]:
    return [motion.codes.tolist() for motion in model.generate_motion(PROMPTS, 2, seed=1)]


def trainer(model: Any, folder: Path, main: bool = True, **changes: Any) -> Any:
    """As much of one as the end of a script looks at."""
    args = MotionDPOConfig(str(folder), max_steps=2, report_to="none", **changes)
    accelerator = SimpleNamespace(wait_for_everyone=lambda: None, unwrap_model=lambda each: each, num_processes=2)
    logs = [{"step": 1, "loss": 0.5}, {"step": 2, "loss": 0.4}, {"step": 2, "train_runtime": 1.5}]
    return SimpleNamespace(
        args=args,
        accelerator=accelerator,
        model=model,
        state=SimpleNamespace(log_history=logs, global_step=2),
        is_world_process_zero=lambda: main,
    )


@pytest.fixture
def viewers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing has its own tests."""
    monkeypatch.setattr(clips, "_block", lambda *_: "<div data-atom-viewer></div>")


def test_adapter_and_merged_model_are_saved(tmp_path):
    adapted = moved(policy())
    expected = written(adapted.get_base_model().eval())
    assert expected != written(policy().eval())
    merged = save(adapted, tmp_path, "MotionDPOTrainer")
    assert isinstance(merged, MotionGPTForPreference) and not merged.training
    assert written(merged) == written(MotionGPTForPreference.from_pretrained(tmp_path / "model")) == expected
    again = PeftModel.from_pretrained(policy(), tmp_path / "adapter")
    assert written(again.get_base_model().eval()) == expected
    card = (tmp_path / "adapter" / "README.md").read_text(encoding="utf-8")
    assert "LoRA adapter" in card and "MotionDPOTrainer" in card and str(tmp_path) not in card


def test_a_model_without_adapter_is_saved_as_it_is(tmp_path):
    model = policy().train()
    assert save(model, tmp_path, "MotionDPOTrainer") is model and not model.training
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_only_the_main_process_writes(on_cpu, tmp_path):
    assert finish(trainer(policy(), tmp_path / "out", main=False), AlignConfig()) is None
    assert not (tmp_path / "out").exists()


def test_no_evaluation(on_cpu, tmp_path, capsys):
    assert finish(trainer(policy(), tmp_path / "out"), AlignConfig(test_prompts=0)) is None
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["model"]
    assert capsys.readouterr().out == f"model → {tmp_path / 'out' / 'model'}\n"


def test_prompts_model_and_logs_of_a_scripts_own(on_cpu, tmp_path, viewers, capsys):
    """As rounds of training hand them in; without scenarios there is no real motion, and a sentence says so."""
    file = tmp_path / "mine.txt"
    file.write_text("a person jumps twice\nsomeone dreams of electric sheep\na person walks forward\n")
    aligned = moved(policy()).merge_and_unload()
    logs = [{"step": 1, "loss": 0.5}, {"step": 2, "loss": 0.25}, {"step": 2, "train_runtime": 4.0}]
    script = AlignConfig(test_prompts_file=str(file), samples=1, test_temperature=0.7, test_seed=9)
    found = finish(trainer(None, tmp_path / "x"), script, aligned=aligned, logs=logs, folder=tmp_path / "out")
    assert not (tmp_path / "x").exists()
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert metrics == json.loads(json.dumps(found)) and metrics["seconds"]["training"] == 4.0
    assert metrics["overall_by_prompt"]["prompts"][1] == "someone dreams of electric sheep"
    assert metrics["overall_by_prompt"]["base"][1] is None and metrics["evaluator"] == {}
    assert any("Without real motion there are no measures" in note for note in metrics["notes"])
    assert metrics["kl"]["per_token"] > 0.01 and metrics["training"]["processes"] == 2
    again = MotionGPTForPreference.from_pretrained(tmp_path / "out" / "model")
    assert written(again) == written(aligned)
    said = capsys.readouterr().out
    assert "base: 3 held-out prompts, 1 motion each" in said and "The mean event score" in said
    assert "nats a token" in said and said.rstrip().endswith("report.html")


def test_the_base_against_itself(on_cpu, tmp_path, viewers):
    """The same seed, prompts and temperature for both: nothing differs, and the divergence is 0."""
    found = finish(
        trainer(policy(), tmp_path / "out"),
        AlignConfig(test_prompts=4, samples=1, evaluator="none", test_temperature=0.5),
    )
    assert found["kl"]["per_token"] == pytest.approx(0, abs=1e-6)
    assert found["events"]["overall"]["delta"] == 0 and found["wins"]["ties"] == 4
    assert found["overall_by_prompt"]["base"] == found["overall_by_prompt"]["aligned"]


def test_settings_that_readers_ask_for(on_cpu, tmp_path):
    found = settings(trainer(None, tmp_path, beta=0.7, seed=5), AlignConfig())
    assert (found["beta"], found["seed"], found["steps"], found["processes"]) == (0.7, 5, 2, 2)
    assert found["dataset"] == "the small dataset of atom_hf" and "value_learning_rate" not in found
    mine = settings(trainer(None, tmp_path), AlignConfig(model="me/mine", dataset="me/pairs"))
    assert (mine["model"], mine["dataset"]) == ("me/mine", "me/pairs")
    here = settings(trainer(None, tmp_path), AlignConfig(model=str(tmp_path), dataset=str(tmp_path)))
    assert here["model"] == here["dataset"] == tmp_path.name
    json.dumps(found)


def test_the_card_is_appended_to(tmp_path):
    (tmp_path / "model").mkdir()
    card = tmp_path / "model" / "README.md"
    card.write_text("---\nlibrary_name: atom_hf\n---\n# mine\n\n\n")
    metrics = {
        "events": {"overall": {"base": 0.5, "aligned": 0.6, "delta": 0.1, "interval": [0.05, 0.15], "p": 0.01}},
        "wins": None,
        "evaluator": {},
        "variety": {},
        "valid": {"base": 1.0, "aligned": 1.0},
        "kl": None,
        "training": {"beta": 1.0, "model": "é"},
        "notes": ["first note", "second note"],
    }
    write_card(tmp_path, metrics, "DPO alignment")
    text = card.read_text(encoding="utf-8")
    assert text.startswith("---\nlibrary_name: atom_hf\n---\n# mine\n\n## DPO alignment\n\nThe mean event score rose")
    assert "> first note\n>\n> second note\n>\n" in text and text.endswith("```\n")
    assert json.loads(text.split("```json\n")[1].split("```")[0]) == {"beta": 1.0, "model": "é"}
