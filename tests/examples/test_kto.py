"""The example of KTO: motions with labels in, a model that can be used out."""

import json
import sys
from typing import Any

import pytest

pytest.importorskip("trl")
pytest.importorskip("peft")

import kto

from atom_hf import MotionGPTForPreference

SMALL = ["--max_steps", "2", "--per_device_train_batch_size", "4", "--test_prompts", "0", "--monitor_prompts", "0",
         "--save_strategy", "no", "--disable_tqdm", "true", "--logging_steps", "1"]  # fmt: skip


@pytest.mark.parametrize("loss", ["kto", "kto_pair"])
def test_it_trains_and_saves(on_cpu, monkeypatch, tmp_path, loss):
    trained: list[Any] = []
    load, finish = kto.load_pairs, kto.finish
    monkeypatch.setattr(kto, "load_pairs", lambda script: {"train": load(script)["train"].select(range(8))})
    monkeypatch.setattr(kto, "finish", lambda trainer, script: (trained.append(trainer), finish(trainer, script)))
    out = tmp_path / "kto"
    monkeypatch.setattr(sys, "argv", ["kto.py", *SMALL, "--loss_type", loss, "--output_dir", str(out)])
    kto.main()
    losses = [entry["loss"] for entry in trained[0].state.log_history if "loss" in entry]
    assert len(losses) == 2 and losses[0] == pytest.approx(0.5, abs=0.1)  # policy = reference, but for the weights
    assert trained[0].args.loss_type == loss
    assert json.loads((out / "adapter" / "adapter_config.json").read_text())["r"] == 8
    model = MotionGPTForPreference.from_pretrained(out / "model")
    assert len(model.generate_motion("a person jumps", seed=0, max_frames=16)) == 1
    with pytest.raises(FileExistsError, match="is there already"):
        kto.main()
