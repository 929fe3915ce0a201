"""The example of RLOO: it trains, and saves a model that differs from its base."""

import pytest

pytest.importorskip("trl")
pytest.importorskip("peft")

import rloo
import torch

from atom_hf import DEFAULT_MODEL, MotionGPTForPreference
from tests.rewards.vlm.server import Reply, point

from .test_grpo import run, run_with_vision


def test_it_trains_and_saves(on_cpu, monkeypatch, tmp_path):
    trained = []
    finish = rloo.finish
    monkeypatch.setattr(rloo, "finish", lambda trainer, script: (trained.append(trainer), finish(trainer, script)))
    out = tmp_path / "rloo"
    words = ("--warmup_steps", "0", "--max_completion_length", "52", "--per_device_train_batch_size", "16")
    run(rloo.main, monkeypatch, *words, "--num_generations", "8", "--task", "overall", "--output_dir", str(out))
    (log,) = [entry for entry in trained[0].state.log_history if "reward" in entry]
    assert log["reward"] == pytest.approx(log["rewards/kinematic/mean"])
    assert "kl" in log and 0 <= log["reward"] <= 1
    base = MotionGPTForPreference.from_pretrained(DEFAULT_MODEL).state_dict()
    aligned = MotionGPTForPreference.from_pretrained(out / "model").state_dict()
    changed = {name for name, weight in base.items() if not torch.equal(weight, aligned[name])}
    assert changed and all(name.endswith((".q.weight", ".v.weight")) for name in changed)


def test_a_vision_judge_alone(on_cpu, monkeypatch, tmp_path):
    words = ("--kinematic", "false", "--beta", "0.0")
    log, server = run_with_vision(rloo, monkeypatch, tmp_path, lambda asked: Reply(point(score=2)), *words)
    assert log["reward"] == log["rewards/vision/mean"] == pytest.approx(0.25)
    assert 0 < server.counts()["requests"] <= 4
