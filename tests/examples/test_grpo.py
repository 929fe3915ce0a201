"""The example of GRPO: rewards that reach the trainer, a model that is saved, and a reward model that is mixed in."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("trl")
pytest.importorskip("peft")

import grpo
import torch

from atom_hf import DEFAULT_MODEL, MotionGPTForPreference, MotionGPTForReward

SMALL = ["--max_steps", "1", "--per_device_train_batch_size", "4", "--num_generations", "2", "--prompts", "8",
         "--max_completion_length", "24", "--test_prompts", "0", "--monitor_prompts", "0", "--save_strategy", "no",
         "--disable_tqdm", "true"]  # fmt: skip


def run(main: Any, monkeypatch: pytest.MonkeyPatch, *words: str) -> None:
    monkeypatch.setattr(sys, "argv", ["example.py", *SMALL, *words])
    main()


@pytest.fixture(scope="module")
def reward_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reward_model")
    torch.manual_seed(0)
    MotionGPTForReward.from_policy(MotionGPTForPreference.from_pretrained(DEFAULT_MODEL)).save_pretrained(folder)
    return folder


def test_it_trains_with_mixed_rewards_and_saves(on_cpu, monkeypatch, tmp_path, reward_model):
    trained = []
    finish = grpo.finish
    monkeypatch.setattr(grpo, "finish", lambda trainer, script: (trained.append(trainer), finish(trainer, script)))
    out = tmp_path / "grpo"
    words = ("--reward_model", str(reward_model), "--reward_weights", "1.0", "0.5", "--output_dir", str(out))
    run(grpo.main, monkeypatch, *words)
    (log,) = [entry for entry in trained[0].state.log_history if "reward" in entry]
    means = log["rewards/kinematic/mean"], log["rewards/reward_model/mean"]
    assert all(mean == mean for mean in means)  # both judged something
    assert trained[0].reward_weights.tolist() == [1.0, 0.5]
    assert json.loads((out / "adapter" / "adapter_config.json").read_text())["r"] == 8
    model = MotionGPTForPreference.from_pretrained(out / "model")
    assert len(model.generate_motion("a person jumps", seed=0, max_frames=16)) == 1


def test_errors_of_users(on_cpu, monkeypatch, tmp_path):
    with pytest.raises(ValueError, match="at least one reward function, got none"):
        run(grpo.main, monkeypatch, "--kinematic", "false", "--output_dir", str(tmp_path / "a"))
    with pytest.raises(ValueError, match="a weight for each of 1 reward functions, got 2"):
        run(grpo.main, monkeypatch, "--reward_weights", "1", "2", "--output_dir", str(tmp_path / "b"))
    with pytest.raises(ValueError, match="The task of a judge is one of"):
        run(grpo.main, monkeypatch, "--task", "style", "--output_dir", str(tmp_path / "c"))
