"""Rows as Arrow tables: the same as pyarrow's own slow way, with the metadata that give the features back."""

import pytest

pytest.importorskip("datasets")

import pyarrow as pa
from datasets import Features

from atom_hf.data.schema import features
from atom_hf.data.tables import arrow_schema, table_of
from tests.data.made_annotations import make_row

VOTES = [
    {"voter": "a", "choice": "chosen", "degree": "better"},
    {"voter": "", "choice": "skipped", "degree": "skipped"},
]


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [make_row(0)],
        [
            make_row(1, votes=VOTES, scenario="{}"),
            make_row(2),
            make_row(3, judge="human", votes=VOTES[:1], prompt="é😀"),
        ],
    ],
)
def test_same_as_pyarrows_own(rows):
    assert table_of(rows).equals(pa.Table.from_pylist(rows, schema=arrow_schema()), check_metadata=True)


def test_features_come_back():
    assert Features.from_arrow_schema(table_of([make_row(0)]).schema) == features()
