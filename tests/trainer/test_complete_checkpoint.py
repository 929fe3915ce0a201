"""Checkpoints with files that are missing or cut off, and those of other kinds, which are taken as they are."""

import json
from pathlib import Path

import pytest

pytest.importorskip("trl")

import torch
from safetensors.torch import save_file

from atom_hf.trainer.complete_checkpoint import checkpoint_fault, has_optimizer

PARTS = ("optimizer.pt", "scheduler.pt", "rng_state.pth")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkpoint as transformers writes it, with a value model below."""
    for place in (tmp_path, tmp_path / "value_model"):
        place.mkdir(exist_ok=True)
        save_file({"a": torch.ones(3), "b": torch.ones(2, 2)}, place / "model.safetensors", metadata={"format": "pt"})
    for name in (*PARTS, "ppo_state_0.pt"):
        torch.save({"a": torch.ones(3)}, tmp_path / name)
    (tmp_path / "trainer_state.json").write_text('{"global_step": 3}')
    return tmp_path


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def test_a_whole_one(folder):
    assert checkpoint_fault(folder) is None and has_optimizer(folder)
    assert checkpoint_fault(folder, ["ppo_state_0.pt"]) is None
    assert checkpoint_fault(folder, ["ppo_state_1.pt"]) == "ppo_state_1.pt is missing"
    save_file({}, folder / "empty.safetensors")
    (folder / "notes.pt").write_text("of somebody")  # which nobody reads
    assert checkpoint_fault(folder) is None


def test_the_state_comes_last(folder):
    state = folder / "trainer_state.json"
    state.write_text('{"global_st')
    assert checkpoint_fault(folder) == "trainer_state.json cannot be read: it was cut off"
    state.write_text("{}")
    assert checkpoint_fault(folder) == "trainer_state.json names no global_step"
    state.unlink()
    assert checkpoint_fault(folder) == "it has no trainer_state.json, which is written last"
    assert checkpoint_fault(folder / "nowhere") == "it has no trainer_state.json, which is written last"


@pytest.mark.parametrize("name", PARTS)
def test_a_part_is_missing(folder, name):
    (folder / name).unlink()
    assert checkpoint_fault(folder) == f"{name} is missing"


@pytest.mark.parametrize("name", [*PARTS, "ppo_state_0.pt", "model.safetensors", "value_model/model.safetensors"])
def test_a_part_was_cut_off(folder, name):
    whole = (folder / name).read_bytes()
    cut(folder / name)
    assert checkpoint_fault(folder) == f"{name} cannot be read: it was cut off"
    for part in (b"", whole[:4], whole[:-1]):
        (folder / name).write_bytes(part)
        assert checkpoint_fault(folder) == f"{name} cannot be read: it was cut off"


def test_a_header_that_says_nothing(folder):
    for header in (b"[]", b"{", b'{"a": {}}', b'{"a": {"data_offsets": [0]}}'):
        (folder / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)
        assert checkpoint_fault(folder) == "model.safetensors cannot be read: it was cut off"


def test_weights_in_other_forms(folder):
    weights = folder / "model.safetensors"
    one = weights.rename(folder / "model-00001-of-00001.safetensors")
    assert checkpoint_fault(folder) == "it has no weights: neither model.safetensors nor adapter_model.safetensors"
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": one.name}}))
    assert checkpoint_fault(folder) is None
    index.write_text(json.dumps({"weight_map": {"a": one.name, "b": "model-00002-of-00002.safetensors"}}))
    assert checkpoint_fault(folder) == "model-00002-of-00002.safetensors is missing"
    index.write_text("{")
    assert checkpoint_fault(folder) == "model.safetensors.index.json cannot be read: it was cut off"
    index.unlink()
    (folder / "other").mkdir()
    one.rename(folder / "other" / "adapter_model.safetensors")  # one of several adapters
    assert checkpoint_fault(folder) is None


def test_of_several_processes(folder):
    (folder / "rng_state.pth").rename(folder / "rng_state_0.pth")
    assert checkpoint_fault(folder) is None
    cut(folder / "rng_state_0.pth")
    assert checkpoint_fault(folder) == "rng_state_0.pth cannot be read: it was cut off"


def test_of_the_model_alone(folder):
    for name in PARTS:
        (folder / name).unlink()
    assert checkpoint_fault(folder) is None and not has_optimizer(folder)


@pytest.mark.parametrize("name", ["latest", "pytorch_model_fsdp.bin", "pytorch_model_fsdp_0", "global_step3"])
def test_sharded_ones_are_left_to_transformers(folder, name):
    (folder / "model.safetensors").unlink()
    (folder / "optimizer.pt").unlink()
    assert checkpoint_fault(folder) is not None
    if "." in name or name == "latest":
        (folder / name).write_text("global_step3")
    else:
        (folder / name).mkdir()
    assert checkpoint_fault(folder) is None and has_optimizer(folder)
