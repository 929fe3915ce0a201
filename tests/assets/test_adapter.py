"""The adapter that comes with the package fits the model that comes with it, and aligns it."""

import json
from pathlib import Path

import numpy as np
import pytest

from atom_hf import DEFAULT_ADAPTER, DEFAULT_MODEL, JudgeItem, KinematicJudge, MotionGPTForPreference
from atom_hf.evaluation.comparison import grammar_cases

peft = pytest.importorskip("peft", reason="adapters need peft")


@pytest.fixture(scope="module")
def models():
    base, other = (MotionGPTForPreference.from_pretrained(DEFAULT_MODEL) for _ in range(2))
    return base, peft.PeftModel.from_pretrained(other, DEFAULT_ADAPTER).merge_and_unload()


def test_it_scores_higher_on_held_out_prompts(models):
    cases = grammar_cases(40, 11)
    scores = []
    for model in models:
        motions = model.generate_motion([case.prompt for case in cases], seed=3)
        items = [JudgeItem(motion, case.prompt, case.scenario) for motion, case in zip(motions, cases, strict=True)]
        scores.append(np.mean([verdict.score for verdict in KinematicJudge("overall").score(items)]))
    base, aligned = scores
    assert aligned > base + 0.1  # of 1 to 5; over 300 prompts it is 0.5


def test_the_card_and_the_settings_name_no_folder_of_ours():
    config = json.loads((Path(DEFAULT_ADAPTER) / "adapter_config.json").read_text(encoding="utf-8"))
    assert config["base_model_name_or_path"] == "atom_hf/motiongpt_tiny" and config["r"] == 16
    assert "motiongpt_tiny_aligned" in (Path(DEFAULT_ADAPTER) / "README.md").read_text(encoding="utf-8")
