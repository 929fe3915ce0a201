"""The preferences that come with the package."""

from pathlib import Path

import pytest

pytest.importorskip("datasets")

from datasets import load_dataset

from atom_hf import DEFAULT_DATASET, DEFAULT_MODEL, validate_folder
from atom_hf.data.schema import TASKS, features, prompt_of
from atom_hf.data.splits import words_of


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    return load_dataset(DEFAULT_DATASET, cache_dir=str(tmp_path_factory.mktemp("cache")))


def test_it_has_no_faults():
    validation = validate_folder(DEFAULT_DATASET)
    assert validation.ok, validation.report()


def test_small_enough_and_labelled():
    files = [path for path in Path(DEFAULT_DATASET).rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 2e6
    card = Path(DEFAULT_DATASET, "README.md").read_text("utf-8")
    assert "Made with a tiny model" in card and "kinematic-1" in card


def test_all_tasks_in_both_splits_and_prompts_apart(shipped):
    prompts = {}
    for split in ("train", "test"):
        assert shipped[split].features == features()
        assert set(shipped[split]["task"]) == set(TASKS)
        prompts[split] = {words_of(prompt_of(row)) for row in shipped[split].select_columns("prompt")}
    assert len(prompts["train"]) > 500 and len(prompts["test"]) > 100
    assert not prompts["train"] & prompts["test"]


def test_made_with_the_model_beside_it(shipped):
    models = {name for split in shipped.values() for name in [*split["chosen_model"], *split["rejected_model"]]}
    assert models == {Path(DEFAULT_MODEL).name}
