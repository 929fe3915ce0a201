"""Parts of the dataset: every row is in exactly one, and every configuration is made of them."""

import pytest

from atom_hf.data.parts import PARTS, part_of, parts_of_config
from atom_hf.data.schema import CONFIGS, TASKS
from tests.data.made_annotations import make_row


@pytest.mark.parametrize("task", TASKS)
def test_part_of(task):
    assert part_of(make_row(0, task=task)) == task
    assert part_of(make_row(0, task=task, judge="human")) == "human"


def test_configurations():
    assert {name: parts_of_config(name) for name in CONFIGS} == {
        "integrity": ("integrity",),
        "temporal": ("temporal",),
        "frequency": ("frequency",),
        "human": ("human",),
        "all": ("integrity", "temporal", "frequency", "overall", "human"),
    }
    assert parts_of_config("all") == PARTS


def test_no_configuration():
    with pytest.raises(ValueError, match=r"one of integrity, temporal.*got 'temporel'\. Did you mean 'temporal'"):
        parts_of_config("temporel")
