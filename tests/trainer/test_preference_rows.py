"""Preference data is checked before the first step: what is wrong, in which row, and what to do."""

from itertools import pairwise
from typing import Any

import pytest

pytest.importorskip("trl")

from datasets import Dataset

from atom_hf.models.motiongpt_config import MotionGPTConfig
from atom_hf.trainer.preference_rows import (
    as_conversations,
    check_columns,
    check_lengths,
    checked,
    of_degrees,
    prepare_pairs,
    share_of,
)
from atom_hf.trainer.row_faults import content, pair_fault
from tests.models.trl_parts import NUM_CODES
from tests.trainer.conftest import DEGREES, message, pair_rows

CONFIG = MotionGPTConfig(vocab_size=60, num_codes=NUM_CODES)
USER, MOTION = message("user", "a man"), message("assistant", "<motion_id_3>")


@pytest.fixture(params=["dataset", "stream"])
def form(request: pytest.FixtureRequest) -> Any:
    """A dataset, or a stream of it."""
    return lambda rows: (
        Dataset.from_list(rows) if request.param == "dataset" else Dataset.from_list(rows).to_iterable_dataset()
    )


def prompts(rows: Any) -> list[str]:
    return [content(row["prompt"]) for row in rows]


# Columns and forms ---------------------------------------------------------------------------------------------------


def test_columns(form):
    rows = form([{"prompt": "a", "label": 1}])
    check_columns(rows, ("prompt",), "train")
    with pytest.raises(
        ValueError,
        match=r"The train dataset lacks chosen, rejected: expected prompt, chosen, rejected, got prompt, label. "
        r"MotionPrefer has them",
    ):
        check_columns(rows, ("prompt", "chosen", "rejected"), "train")
    with pytest.raises(ValueError, match="The eval dataset is empty"):
        check_columns(rows.filter(lambda row: False), ("prompt",), "eval")


def test_texts_become_conversations(form):
    rows = form([{"prompt": "a man", "chosen": "<motion_id_3>", "degree": "better"}])
    assert list(as_conversations(rows, ("prompt", "chosen"))) == [
        {"prompt": USER, "chosen": MOTION, "degree": "better"}
    ]  # fmt: skip
    rows = form([{"prompt": USER, "chosen": MOTION}])
    assert as_conversations(rows, ("prompt", "chosen")) is rows
    mixed = form([{"prompt": USER, "chosen": "<motion_id_3>"}])
    assert list(as_conversations(mixed, ("prompt", "chosen"))) == [{"prompt": USER, "chosen": MOTION}]


# Degrees -------------------------------------------------------------------------------------------------------------


def test_degrees(form):
    rows = [*pair_rows(), pair_rows(1)[0] | {"degree": "skipped"}]
    assert len(list(of_degrees(form(rows), None, "train"))) == 8
    some = of_degrees(form(rows), ["better", "slightly better"], "train")
    assert [row["degree"] for row in some] == ["better", "slightly better"] * 2
    with pytest.raises(ValueError, match=r"Expected degrees among 'much better', .*unsure', got 'skipped'"):
        of_degrees(form(rows), ["skipped"], "train")
    with pytest.raises(ValueError, match="got 'best'"):
        of_degrees(form(rows), ["better", "best"], "train")
    with pytest.raises(ValueError, match="No pair of the train dataset is left with degrees better"):
        of_degrees(form(rows[:1]), ["better"], "train")
    with pytest.raises(ValueError, match=r"is left with degrees much better, .*unsure"):
        of_degrees(form(rows[-1:]), None, "train")


def test_no_degrees(form):
    rows = form([{"prompt": "a"}])
    assert of_degrees(rows, None, "train") is rows
    with pytest.raises(ValueError, match="The train dataset has no column 'degree', so no degrees can be chosen"):
        of_degrees(rows, ["better"], "train")


# Shares --------------------------------------------------------------------------------------------------------------


def test_a_larger_share_holds_a_smaller_one():
    rows = Dataset.from_list([{"i": i} for i in range(200)])
    shares = [share_of(rows, share, 3, "train")["i"][:] for share in (0.05, 0.2, 0.5, 1.0)]
    assert [len(share) for share in shares] == [10, 40, 100, 200]
    for smaller, larger in pairwise(shares):
        assert set(smaller) < set(larger) and smaller == sorted(smaller)
    assert share_of(rows, 0.2, 3, "train")["i"][:] == shares[1] != share_of(rows, 0.2, 4, "train")["i"][:]
    assert len(share_of(rows, 1e-9, 0, "train")) == 1


@pytest.mark.parametrize("share", [0.0, -0.5, 1.1, float("nan")])
def test_shares_out_of_range(share):
    with pytest.raises(ValueError, match="Expected a share of the pairs above 0 and up to 1"):
        share_of(Dataset.from_list([{"i": 0}]), share, 0, "train")


def test_a_stream_has_no_share():
    stream = Dataset.from_list([{"i": 0}]).to_iterable_dataset()
    assert share_of(stream, 1.0, 0, "train") is stream
    with pytest.raises(ValueError, match="A share of the train dataset needs its size, which a stream has not"):
        share_of(stream, 0.5, 0, "train")


# Faults --------------------------------------------------------------------------------------------------------------


def test_faults_are_counted_and_the_first_is_shown():
    rows = Dataset.from_list(pair_rows())
    broken = rows.map(lambda row, i: {"chosen": row["rejected"]} if i % 3 == 1 else {}, with_indices=True)
    with pytest.raises(
        ValueError, match="3 of 8 rows of the train dataset cannot be used; row 1: chosen and rejected"
    ):
        prepare_pairs(broken, "train", CONFIG)
    stream = checked(broken.to_iterable_dataset(), lambda row: pair_fault(row, NUM_CODES), "train")
    assert next(iter(stream))
    with pytest.raises(ValueError, match="A row of the train dataset: chosen and rejected are the same"):
        list(stream)


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"degree": "best"}, r"expected a degree among 'much better', .*'skipped', got 'best'"),
        ({"degree": None}, "expected a degree among .* got None"),
        ({"chosen": None}, "chosen: expected text or a conversation, got NoneType None"),
        ({"prompt": None}, "prompt: expected text or a conversation, got NoneType None"),
        ({"chosen": [{"role": "assistant", "content": None}]}, "chosen: expected text as content, got NoneType None"),
        ({"rejected": [{"role": "user", "content": "<motion_id_16><motion_id_3><motion_id_17>"}]},
         "rejected: expected one message of the assistant, got list"),
    ],
)  # fmt: skip
def test_a_fault_is_named_with_the_number_of_its_row(form, cells, message):
    """Row 5 of the dataset, though row 1, which was skipped, is left out."""
    rows = pair_rows()
    rows[1]["degree"], rows[1]["rejected"] = "skipped", rows[1]["chosen"]
    rows[5] |= cells
    with pytest.raises(ValueError, match=rf"(1 of 8 rows of the train dataset .*; row 5|A row of .*): {message}"):
        list(prepare_pairs(form(rows), "train", CONFIG))


def test_degrees_that_are_no_numbers_or_all_null(form):
    for none in (float("nan"), None):
        rows = [row | {"degree": none} for row in pair_rows()]
        with pytest.raises(ValueError, match=r"(8 of 8 rows .*; row 0|A row of .*): expected a degree among 'much"):
            list(prepare_pairs(form(rows), "train", CONFIG))


def test_plain_texts_with_empty_cells(form):
    plain = {column: pair_rows()[0][column][0]["content"] for column in ("prompt", "chosen", "rejected")}
    assert len(list(prepare_pairs(form([plain] * 3), "train", CONFIG))) == 3
    for column in plain:
        for i in (0, 2):
            rows = [dict(plain) for _ in range(3)]
            rows[i][column] = None
            with pytest.raises(
                ValueError, match=rf"(row {i}|A row of .*): {column}: expected text as content, got No"
            ):
                list(prepare_pairs(form(rows), "train", CONFIG))
    for column, cell in (("prompt", 7), ("chosen", [3, 4, 5])):
        with pytest.raises(ValueError, match=rf"(row 0|A row of .*): {column}: expected text or a conversation, got"):
            list(prepare_pairs(form([plain | {column: cell}]), "train", CONFIG))


def test_margins_are_checked_where_they_are_used(form):
    rows = [row | {"margin": 1.0} for row in pair_rows()]
    assert len(list(prepare_pairs(form(rows), "train", CONFIG, margins=True))) == 8
    for wrong in (float("nan"), None, 1e300):
        rows[3]["margin"] = wrong
        assert len(list(prepare_pairs(form(rows), "train", CONFIG))) == 8
        with pytest.raises(ValueError, match=r"(row 3|A row of .*): expected a margin that is a finite number, got"):
            list(prepare_pairs(form(rows), "train", CONFIG, margins=True))


def test_pairs(form):
    rows = [row | {"degree": DEGREES[i % 2]} for i, row in enumerate(pair_rows())]
    found = prepare_pairs(form(rows), "train", CONFIG, degrees=["better"])
    assert prompts(found) == prompts(rows[1::2])


# Lengths -------------------------------------------------------------------------------------------------------------


def test_lengths():
    lengths = [(3, 4, 5), (6, 2, 2), (2, 9, 1)]
    rows = Dataset.from_list(
        [
            {"prompt": USER, "prompt_ids": [1] * a, "chosen_ids": [1] * b, "rejected_ids": [1] * c}
            for a, b, c in lengths
        ]
    )
    sides = ("chosen_ids", "rejected_ids")
    assert check_lengths(rows, sides, 6, 11, "train") is rows
    assert check_lengths(rows, sides, 6, None, "train") is rows
    with pytest.raises(
        ValueError,
        match=r"2 prompts of the train dataset are too long; row 1 has 6 tokens, and the model reads 2: 'a man'",
    ):
        check_lengths(rows, sides, 2, None, "train")
    with pytest.raises(
        ValueError, match="Row 2 of the train dataset has 11 tokens and would be cut off at max_length=10"
    ):
        check_lengths(rows, sides, 6, 10, "train")
    stream = rows.to_iterable_dataset()
    assert check_lengths(stream, sides, 1, 1, "train") is stream
