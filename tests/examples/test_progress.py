"""Learning rates and checkpoints of the training examples."""

from itertools import pairwise

import pytest
from progress import checkpoints, last_checkpoint, learning_rate, rotate


def test_learning_rate():
    rates = [learning_rate(step, 2.0, 10, 110) for step in range(1, 111)]
    assert rates[:10] == pytest.approx([0.2 * step for step in range(1, 11)])
    assert rates[59] == pytest.approx(2.0 * 0.525)  # half of the cosine
    assert rates[-1] == pytest.approx(0.1) == learning_rate(500, 2.0, 10, 110)
    assert all(a >= b for a, b in pairwise(rates[9:]))
    assert learning_rate(1, 2.0, 0, 1) == pytest.approx(0.1) and learning_rate(5, 2.0, 5, 5) == 2.0


def test_checkpoints_are_found_by_number(tmp_path):
    assert checkpoints(tmp_path) == [] and last_checkpoint(tmp_path / "absent") is None
    for name in ("checkpoint-1000", "checkpoint-200", "checkpoint-best", "checkpoint-", "other-3000", "unfinished"):
        (tmp_path / name).mkdir()
    assert [path.name for path in checkpoints(tmp_path)] == ["checkpoint-200", "checkpoint-1000"]
    assert last_checkpoint(tmp_path) == tmp_path / "checkpoint-1000"


def test_a_checkpoint_that_was_not_written_to_the_end_is_passed_over(tmp_path):
    for number in (100, 200):
        (tmp_path / f"checkpoint-{number}").mkdir()
    assert last_checkpoint(tmp_path, "trainer_state.json") is None
    (tmp_path / "checkpoint-100" / "trainer_state.json").touch()
    assert last_checkpoint(tmp_path, "trainer_state.json") == tmp_path / "checkpoint-100"


def test_the_oldest_are_removed(tmp_path):
    for number in (900, 1000, 1100):
        (tmp_path / f"checkpoint-{number}").mkdir()
        (tmp_path / f"checkpoint-{number}" / "weights").touch()
    rotate(tmp_path, keep=2)
    assert [path.name for path in checkpoints(tmp_path)] == ["checkpoint-1000", "checkpoint-1100"]
    rotate(tmp_path, keep=2)
    assert len(checkpoints(tmp_path)) == 2
