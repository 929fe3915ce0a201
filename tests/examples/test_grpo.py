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
from atom_hf.rewards.vlm import Store
from tests.rewards.vlm.server import Reply, Script, point, serving

SMALL = ["--max_steps", "1", "--per_device_train_batch_size", "4", "--num_generations", "2", "--prompts", "8",
         "--max_completion_length", "24", "--test_prompts", "0", "--monitor_prompts", "0", "--save_strategy", "no",
         "--disable_tqdm", "true"]  # fmt: skip


KEY = "sk-not-to-be-written-0123456789abcdef"
VISION = ["--judge", "vlm", "--layout", "strip:frames=2,size=128x64"]


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


def run_with_vision(example: Any, monkeypatch: pytest.MonkeyPatch, out: Path, script: Script, *words: str) -> Any:
    """Train with a vision judge; the log of the step, and what the server was asked."""
    pytest.importorskip("openai")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    logs: list[Any] = []
    monkeypatch.setattr(example, "finish", lambda trainer, script: logs.extend(trainer.state.log_history))
    with serving(script) as server:
        run(example.main, monkeypatch, *VISION, "--judge_url", server.url, "--output_dir", str(out), *words)
    (log,) = [entry for entry in logs if "reward" in entry]
    assert all(KEY.encode() not in path.read_bytes() for path in out.rglob("*") if path.is_file())
    return log, server


def test_a_vision_judge_is_mixed_in(on_cpu, monkeypatch, tmp_path):
    words = ("--reward_weights", "1.0", "0.5", "--budget", "1.0", "--task", "temporal")
    log, server = run_with_vision(grpo, monkeypatch, tmp_path / "a", lambda asked: Reply(point(score=4)), *words)
    assert log["rewards/vision/mean"] == pytest.approx(0.75)  # 4 of 1 to 5
    assert log["reward"] == pytest.approx(log["rewards/kinematic/mean"] + 0.5 * 0.75, abs=1e-5)
    store = Store(tmp_path / "a" / "judge" / "00000.sqlite")
    assert store.rows("SELECT DISTINCT rules FROM questions") == [("temporal-1",)]
    assert store.totals.requests == server.counts()["requests"] > 0


def test_training_stops_with_the_judge(on_cpu, monkeypatch, tmp_path):
    """Without its reward it would go on towards something else."""
    broke = Reply(status=429, error={"code": "insufficient_quota", "message": "pay"})
    with pytest.raises(ValueError, match="The judge stopped: the account has no more money"):
        run_with_vision(grpo, monkeypatch, tmp_path / "b", lambda asked: broke)
