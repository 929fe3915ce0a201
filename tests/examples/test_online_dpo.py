"""Rounds: the policy writes its own pairs, learns from them, and goes on where it was stopped."""

import json
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("trl")
pytest.importorskip("peft")

import online_dpo
import torch
from datasets import Dataset
from online_dpo import TINY, RoundsConfig, write_pairs
from safetensors.torch import load_file

from atom_hf import DEFAULT_MODEL, MotionGPTForPreference
from atom_hf.evaluation.report import clips

SMALL = ["--prompts", "6", "--candidates", "4", "--rounds", "2", "--max_steps", "2", "--warmup_steps", "0",
         "--per_device_train_batch_size", "4", "--learning_rate", "1e-2", "--logging_steps", "1",
         "--evaluator", "none", "--test_prompts", "6", "--samples", "1", "--monitor_prompts", "0",
         "--disable_tqdm", "true"]  # fmt: skip


class Stopped(Exception):
    """In place of a signal."""


@pytest.fixture(scope="module", autouse=True)
def viewers() -> Iterator[None]:
    """Drawing has its own tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clips, "_block", lambda *_: "<div data-atom-viewer></div>")
        yield


def rounds(folder: Path, *words: object) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["online_dpo.py", *SMALL, "--output_dir", str(folder), *map(str, words)])
        online_dpo.main()


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


@pytest.fixture(scope="module")
def whole(on_cpu: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two rounds that were never stopped."""
    out = tmp_path_factory.mktemp("online") / "whole"
    rounds(out)
    return out


def test_each_round_leaves_its_pairs_and_its_model(whole):
    for number in range(2):
        pairs = Dataset.from_parquet(str(whole / f"round-{number}" / "pairs.parquet"))
        assert len(pairs) > 0 and {"prompt", "chosen", "rejected", "degree"} <= set(pairs.column_names)
        gaps = [a - b for a, b in zip(pairs["chosen_score"], pairs["rejected_score"], strict=True)]
        assert min(gaps) >= 0.5 - 1e-5
        assert (whole / f"round-{number}" / "model" / "config.json").is_file()
    ids = [Dataset.from_parquet(str(whole / f"round-{n}" / "pairs.parquet"))["prompt_id"][0] for n in range(2)]
    assert [name.split("-")[0] for name in ids] == ["r43000", "r43001"]  # prompts of its own in each round
    models = [weights(folder) for folder in (Path(DEFAULT_MODEL), whole / "round-0" / "model", whole / "model")]
    for before, after in pairwise(models):
        moved = {name for name in before if not torch.equal(before[name].float(), after[name].float())}
        assert moved and all(name.split(".")[-2] in TINY["lora_target_modules"] for name in moved)
    last = weights(whole / "round-1" / "model")
    assert all(torch.equal(last[name], weight) for name, weight in models[-1].items())


def test_steps_go_on_through_the_rounds(whole):
    logs = [json.loads((whole / f"round-{n}" / "log.json").read_text()) for n in range(2)]
    assert [[log["step"] for log in part if "loss" in log] for part in logs] == [[1, 2], [3, 4]]
    metrics = json.loads((whole / "metrics.json").read_text())
    assert metrics["seconds"]["training"] == pytest.approx(sum(log.get("train_runtime", 0) for p in logs for log in p))
    assert metrics["kl"]["per_token"] > 0 and len(metrics["overall_by_prompt"]["prompts"]) == 6
    page = (whole / "report.html").read_text(encoding="utf-8")
    assert "DPO alignment" in page and "Implicit rewards" in page
    assert len(MotionGPTForPreference.from_pretrained(whole / "model").generate_motion("a person jumps", seed=0)) == 1


def test_stopped_between_rounds(whole, tmp_path, monkeypatch):
    """What was finished is not done again, and the result is that of a run that was never stopped."""
    write, calls = online_dpo.write_pairs, []

    def stops(policy: Any, script: Any, seed: int) -> Dataset:
        calls.append(seed)
        if len(calls) == 2:
            raise Stopped
        return write(policy, script, seed)

    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(online_dpo, "write_pairs", stops)
        with pytest.raises(Stopped):
            rounds(out)
    assert calls == [43000, 43001] and not (out / "model").exists()
    with pytest.raises(FileExistsError, match="is there already"):
        rounds(out)
    monkeypatch.setattr(
        online_dpo, "write_pairs", lambda *given, **named: calls.append(named) or write(*given, **named)
    )
    rounds(out, "--resume_from_checkpoint", "last", "--test_prompts", 0)
    assert calls[2:] == [{"seed": 43001}]
    expected, found = weights(whole / "model"), weights(out / "model")
    assert [name for name in expected if not torch.equal(expected[name], found[name])] == []
    logs = [json.loads((folder / "round-1" / "log.json").read_text()) for folder in (whole, out)]
    assert [log["step"] for log in logs[1]] == [log["step"] for log in logs[0]]
    rounds(out, "--resume_from_checkpoint", "last")  # now the report is asked for; all else is there
    assert len(calls) == 3 and json.loads((out / "metrics.json").read_text())["training"]["steps"] == 2
    found = weights(out / "model")
    assert [name for name in expected if not torch.equal(expected[name], found[name])] == []
    with pytest.raises(ValueError, match=r"All 2 rounds of .* are done; raise --rounds"):
        rounds(out, "--resume_from_checkpoint", "last")


def test_stopped_within_a_round(tmp_path, monkeypatch):
    out = tmp_path / "out"
    (out / "round-0" / "training" / "checkpoint-1").mkdir(parents=True)
    with pytest.raises(FileExistsError, match="round-0 was begun and not finished; remove it, and the run goes on"):
        rounds(out, "--resume_from_checkpoint", "last")


@pytest.mark.slow
@pytest.mark.parametrize(("peft", "rate"), [("true", "3e-2"), ("false", "1e-3")])
def test_the_base_as_reference(on_cpu, tmp_path, monkeypatch, peft, rate):
    """From the second round on the policy is not where the reference is, and the first loss says so."""
    made: list[Any] = []
    trainer = online_dpo.MotionDPOTrainer
    monkeypatch.setattr(
        online_dpo, "MotionDPOTrainer", lambda *a, **k: made.append((a[1], trainer(*a, **k))) or made[-1][1]
    )
    words = ("--test_prompts", 0, "--use_peft", peft, "--max_steps", 1, "--learning_rate", rate)
    rounds(tmp_path / "out", *words, "--reference", "base")
    assert [reference is None for reference, _ in made] == [True, False]
    first, second = (next(log for log in each.state.log_history if "rewards/chosen" in log) for _, each in made)
    assert first["rewards/chosen"] == pytest.approx(0, abs=1e-4)
    assert abs(second["rewards/chosen"]) > 1e-3


def test_no_pair(on_cpu, tmp_path, monkeypatch):
    monkeypatch.setattr(online_dpo, "pairs_from_scores", lambda *_: [])
    with pytest.raises(ValueError, match="make no pair; lower --pair_gap, or raise --candidates"):
        rounds(tmp_path / "out", "--prompts", 1)


def test_pairs_hang_on_the_seed(on_cpu):
    model = MotionGPTForPreference.from_pretrained(DEFAULT_MODEL, dtype=torch.float32).eval()
    script = RoundsConfig(prompts=3, candidates=3)
    first, again, other = (write_pairs(model, script, seed) for seed in (7, 7, 8))
    assert first.to_list() == again.to_list() != other.to_list()
    assert first.features == again.features and set(first["judge"]) == {online_dpo.KinematicJudge().name}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"rounds": 0}, "Expected --rounds of at least 1, got 0"),
        ({"prompts": 0}, "Expected --prompts of at least 1"),
        ({"candidates": 1}, "Expected --candidates of at least 2, got 1: a pair has two motions"),
        ({"pair_gap": 4.5}, "min_gap is above 0 and at most 4"),
        ({"test_prompts": 5}, "at least 32 held-out prompts"),  # of every alignment
    ],
)
def test_refused(values, message):
    with pytest.raises(ValueError, match=message):
        RoundsConfig(**values)
