"""DPO in two processes, as `accelerate launch` starts them: the loss curve of one that accumulates."""

import json
from pathlib import Path

import pytest

pytest.importorskip("trl")
pytest.importorskip("peft")

from datasets import Dataset, load_from_disk

from tests.examples.test_two_processes import launch
from tests.trainer import dpo_runs
from tests.trainer.conftest import losses, pair_rows

pytestmark = pytest.mark.slow


def test_two_processes_are_one_that_accumulates(folder: Path, tmp_path: Path) -> None:
    Dataset.from_list(pair_rows(16)).save_to_disk(str(folder / "pairs"))
    launch(dpo_runs.__file__, folder, tmp_path / "two", "two", processes=2, cwd=tmp_path)
    for name, kind in dpo_runs.KINDS.items():
        rows = load_from_disk(str(folder / "pairs"))
        one = dpo_runs.small_run(folder, tmp_path / f"one_{name}", rows, gradient_accumulation_steps=2, **kind)
        one.train()
        assert losses(one)[-1] < losses(one)[0] - 0.01
        for where in ("disk", "memory"):
            two = json.loads((tmp_path / "two" / f"{name}_{where}.json").read_text(encoding="utf-8"))
            assert two == pytest.approx(losses(one), abs=1e-4), (name, where)
