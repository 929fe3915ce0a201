"""A run that was killed goes on as if it had not been, also where it was killed in the middle of a checkpoint."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("trl")
pytest.importorskip("peft")

import torch
from datasets import Dataset
from transformers.trainer_utils import get_last_checkpoint

from tests.models.trl_parts import checkpoint
from tests.trainer.conftest import losses, pair_rows
from tests.trainer.dpo_runs import KINDS, WITH_DROPOUT, small_run
from tests.trainer.dpo_runs import __file__ as SCRIPT


@pytest.fixture(scope="module")
def dropping(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with dropout, so that every step depends on the state of the random numbers."""
    return checkpoint(tmp_path_factory.mktemp("dropping"), dropout=0.1)


@pytest.fixture
def rows() -> Dataset:
    return Dataset.from_list(pair_rows(16))


def weights(trainer: Any) -> dict[str, torch.Tensor]:
    return {name: weight.detach().clone() for name, weight in trainer.model.named_parameters() if weight.requires_grad}


def same(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    assert found.keys() == expected.keys() and len(found) > 8
    for name, weight in expected.items():
        torch.testing.assert_close(found[name], weight, rtol=0, atol=1e-5)


def test_killed_while_writing_a_checkpoint(dropping, rows, tmp_path):
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, SCRIPT, str(dropping), str(tmp_path / "run"), "killed"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None and run.stderr is not None
        said = any(line.strip() == "writing" for line in run.stdout)  # until it says so, or has ended
        run.send_signal(signal.SIGKILL)
        assert said, run.stderr.read()[-3000:]
    half = tmp_path / "run" / "checkpoint-6"
    assert (half / "adapter_model.safetensors").is_file() and not (half / "trainer_state.json").exists()
    assert get_last_checkpoint(str(tmp_path / "run")) == str(half)  # transformers would take it, and fail
    resumed = small_run(dropping, tmp_path / "run", rows, **WITH_DROPOUT)
    with pytest.raises(FileExistsError, match=r"run is not empty .* trainer.train\(resume_from_checkpoint=True\)"):
        resumed.train()
    resumed.train(resume_from_checkpoint=True)
    whole = small_run(dropping, tmp_path / "whole", rows, **WITH_DROPOUT)
    whole.train()
    assert len(losses(whole)) == 8 and losses(whole)[-1] < losses(whole)[0] - 0.01
    assert losses(resumed) == pytest.approx(losses(whole), abs=1e-5)
    same(weights(resumed), weights(whole))
    assert (half / "trainer_state.json").is_file()  # written anew


@pytest.mark.parametrize("precompute", [True, False])
def test_full_training_goes_on_with_the_reference_that_it_began_with(dropping, rows, tmp_path, precompute):
    options = WITH_DROPOUT | KINDS["full"] | {"precompute_ref_log_probs": precompute, "max_steps": 4}
    whole = small_run(dropping, tmp_path / "run", rows, **options)
    whole.train()
    shutil.rmtree(tmp_path / "run" / "checkpoint-4")
    resumed = small_run(dropping, tmp_path / "run", rows, **options)
    resumed.train(resume_from_checkpoint=True)
    assert losses(resumed) == pytest.approx(losses(whole), abs=1e-5)
    same(weights(resumed), weights(whole))


def test_the_last_whole_checkpoint_counts(dropping, rows, tmp_path, caplog):
    """Whatever was lost of the later ones; what it was is said."""
    options = {"max_steps": 3, "save_strategy": "steps", "save_steps": 1}
    small_run(dropping, tmp_path / "run", rows, **options).train()
    trainer = small_run(dropping, tmp_path / "run", rows, **options)
    one, two, three = (tmp_path / "run" / f"checkpoint-{i}" for i in (1, 2, 3))
    assert trainer._checkpoint(True) == str(three) and not caplog.records
    (tmp_path / "run" / "checkpoint-x").mkdir()
    (three / "optimizer.pt").unlink()
    weights_file = two / "adapter_model.safetensors"
    weights_file.write_bytes(weights_file.read_bytes()[:-1])
    assert trainer._checkpoint(True) == str(one)
    assert [record.message for record in caplog.records] == [
        "checkpoint-3 is passed over for checkpoint-1: optimizer.pt is missing.",
        "checkpoint-2 is passed over for checkpoint-1: adapter_model.safetensors cannot be read: it was cut off.",
    ]
    with pytest.raises(ValueError, match=r"checkpoint-3 is no complete checkpoint: optimizer.pt is missing. Name ano"):
        trainer.train(resume_from_checkpoint=str(three))
    (one / "trainer_state.json").unlink()
    with pytest.raises(
        ValueError,
        match=r"found only checkpoint-1, checkpoint-2, checkpoint-3, which cannot be gone on from \(checkpoint-3: opt"
        r".*checkpoint-1: it has no trainer_state.json, which is written last\). Remove the folder",
    ):
        trainer.train(resume_from_checkpoint=True)


def test_a_checkpoint_of_the_model_alone(dropping, rows, tmp_path, caplog):
    """As transformers takes it: the optimizer begins anew, which is said."""
    options = {"max_steps": 2, "save_strategy": "steps", "save_steps": 1}
    small_run(dropping, tmp_path / "run", rows, **options, save_only_model=True).train()
    shutil.rmtree(tmp_path / "run" / "checkpoint-2")
    assert small_run(dropping, tmp_path / "run", rows, **options, save_only_model=True)._checkpoint(True)
    assert not caplog.records
    resumed = small_run(dropping, tmp_path / "run", rows, **options)
    resumed.train(resume_from_checkpoint=True)
    assert resumed.state.global_step == 2
    assert "checkpoint-1 was written with save_only_model: the optimizer begins anew" in caplog.text
