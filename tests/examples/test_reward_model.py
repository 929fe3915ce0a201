"""The example of the reward model: accuracy on prompts of its own, by degree, and a folder that scores."""

import json
import sys
from typing import Any

import numpy as np
import pytest
import torch

pytest.importorskip("trl")
pytest.importorskip("peft")

import reward_model
from datasets import DatasetDict, load_dataset

from atom_hf import DEFAULT_DATASET, MotionGPTForReward

SMALL = ["--max_steps", "2", "--eval_strategy", "steps", "--eval_steps", "1", "--per_device_train_batch_size", "4",
         "--disable_tqdm", "true", "--logging_steps", "1", "--held_out", "0.25"]  # fmt: skip


@pytest.fixture(scope="module")
def few() -> DatasetDict:
    whole = load_dataset(DEFAULT_DATASET, "all")
    return DatasetDict({name: part.select(range(0, 96, 4)) for name, part in whole.items()})


def test_it_trains_and_measures(on_cpu, few, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(reward_model, "load_dataset", lambda *_: few)
    out = tmp_path / "reward"
    monkeypatch.setattr(sys, "argv", ["reward_model.py", *SMALL, "--output_dir", str(out)])
    reward_model.main()
    metrics = json.loads((out / "metrics.json").read_text())
    test = metrics["test"]
    assert metrics["steps"] == 2 and test["pairs"] == 24
    assert sum(part["pairs"] for part in test["by_degree"].values()) == 24
    right = sum(part["pairs"] * part["accuracy"] for part in test["by_degree"].values())
    assert right / 24 == pytest.approx(test["accuracy"])
    again = MotionGPTForReward.from_pretrained(out)
    assert reward_model.agreement(again, few["test"]) == test
    assert f"test: {test['accuracy']:.1%} of 24 pairs right (" in capsys.readouterr().out
    with pytest.raises(FileExistsError, match="is there already"):
        reward_model.main()


def test_no_prompt_is_in_both_parts(few):
    for share in (0.01, 0.3):
        rest, held_out = reward_model.by_prompt(few["train"], share, seed=0)
        prompts = set(rest["prompt_id"]), set(held_out["prompt_id"])
        assert not prompts[0] & prompts[1] and len(rest) + len(held_out) == 24
        assert len(prompts[1]) == max(1, round(share * len(prompts[0] | prompts[1])))
    assert reward_model.by_prompt(few["train"], 0.3, seed=0)[1]["id"] == held_out["id"]
    assert reward_model.by_prompt(few["train"], 0.3, seed=1)[1]["id"] != held_out["id"]


class Longer:
    """Rewards the motion with more codes."""

    def score(self, prompts: list[str], codes: list[Any]) -> torch.Tensor:
        assert all(isinstance(prompt, str) for prompt in prompts)
        return torch.tensor([float(len(motion)) for motion in codes])


def test_agreement_by_degree(few):
    found = reward_model.agreement(Longer(), few["test"])
    longer = [len(row["chosen_codes"]) > len(row["rejected_codes"]) for row in few["test"]]  # equal ones are not right
    assert found["accuracy"] == pytest.approx(np.mean(longer)) and next(iter(found["by_degree"])) == "much better"
    much = [right for right, row in zip(longer, few["test"], strict=True) if row["degree"] == "much better"]
    assert found["by_degree"]["much better"] == {"accuracy": pytest.approx(np.mean(much)), "pairs": len(much)}
