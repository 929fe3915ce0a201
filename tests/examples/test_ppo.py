"""The example of PPO: judge or reward model, a monitor that sees the policy, and a model that is saved."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("trl")
pytest.importorskip("peft")

import ppo
import torch

from atom_hf import DEFAULT_MODEL, MotionGPTForPreference, MotionGPTForReward

SMALL = ["--max_steps", "2", "--per_device_train_batch_size", "4", "--num_ppo_epochs", "1", "--num_mini_batches", "1",
         "--logging_steps", "1", "--prompts", "8", "--max_completion_length", "24", "--test_prompts", "0",
         "--evaluator", "none",
         "--save_strategy", "no", "--disable_tqdm", "true"]  # fmt: skip


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> Any:
    """The trainer of a run."""
    trained: list[Any] = []
    finish = ppo.finish
    monkeypatch.setattr(sys, "argv", ["ppo.py", *SMALL, *words])
    with monkeypatch.context() as patch:
        patch.setattr(ppo, "finish", lambda trainer, script: (trained.append(trainer), finish(trainer, script)))
        ppo.main()
    return trained[0]


def test_it_trains_under_a_monitor_and_saves(on_cpu, monkeypatch, tmp_path, capsys):
    out = tmp_path / "ppo"
    words = ("--output_dir", str(out), "--monitor_prompts", "2", "--monitor_steps", "1")
    history = run(monkeypatch, *words).state.log_history
    logs = [entry for entry in history if "objective/scores" in entry]
    assert len(logs) == 2 and all(log["rewards/kinematic/mean"] == log["objective/scores"] for log in logs)
    assert [entry["step"] for entry in history if "eval_sample_kl" in entry] == [0, 1, 2]
    assert abs(next(entry["eval_sample_kl"] for entry in history if "eval_sample_kl" in entry)) < 1e-5
    assert "mean score of the first 1 logs" in capsys.readouterr().out
    assert json.loads((out / "adapter" / "adapter_config.json").read_text())["r"] == 8
    model = MotionGPTForPreference.from_pretrained(out / "model")
    assert len(model.generate_motion("a person jumps", seed=0, max_frames=16)) == 1
    base = MotionGPTForPreference.from_pretrained(DEFAULT_MODEL).state_dict()
    assert any(not torch.equal(weight, base[name]) for name, weight in model.state_dict().items())


def test_a_reward_model_scores_and_the_value_model_begins_as_it(on_cpu, monkeypatch, tmp_path):
    torch.manual_seed(0)
    folder: Path = tmp_path / "reward"
    MotionGPTForReward.from_policy(MotionGPTForPreference.from_pretrained(DEFAULT_MODEL)).save_pretrained(folder)
    words = ("--reward_model", str(folder), "--output_dir", str(tmp_path / "ppo"), "--monitor_prompts", "0")
    trainer = run(monkeypatch, *words, "--max_steps", "1", "--value_learning_rate", "0")
    (log,) = [entry for entry in trainer.state.log_history if "objective/scores" in entry]
    assert log["rewards/reward_model/mean"] == log["objective/scores"]
    reward = MotionGPTForReward.from_pretrained(folder).transformer.state_dict()
    value = trainer.drawer.pair.value.state_dict()
    assert all(torch.equal(value[name], weight) for name, weight in reward.items())


def test_errors_of_users(on_cpu, monkeypatch, tmp_path):
    with pytest.raises(ValueError, match="A rollout takes 4 prompts on all devices, and the train dataset has 2"):
        run(monkeypatch, "--prompts", "2", "--output_dir", str(tmp_path / "a"), "--monitor_prompts", "0")
    with pytest.raises(ValueError, match="The task of a judge is one of"):
        run(monkeypatch, "--task", "style", "--output_dir", str(tmp_path / "b"))
