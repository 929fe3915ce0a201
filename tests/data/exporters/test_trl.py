"""TRL's plain form: what its own trainers take for a preference dataset, and what our importer reads back."""

import logging

import pytest
from datasets import load_dataset

from atom_hf.data.exporters import trl_rows, write_trl
from atom_hf.data.importers import read_trl
from atom_hf.data.pairs import PairReport
from atom_hf.data.schema import pair_row
from atom_hf.data.views import unpaired_rows


def row(number, degree="better"):
    return pair_row(
        id=f"trl/{number}",
        prompt_id="p",
        prompt="a man waves",
        task="overall",
        chosen={"codes": [5, number]},
        rejected={"codes": [8]},
        degree=degree,
        judge="k",
    )


ROWS = [row(1), row(2, "skipped"), row(3, "much better")]


def test_conversations(caplog):
    report = PairReport()
    with caplog.at_level(logging.INFO, "atom_hf.data.exporters.trl"):
        first, second = trl_rows(ROWS, report=report)
    assert first == {name: ROWS[0][name] for name in ("prompt", "chosen", "rejected")}
    assert second["chosen"] == [
        {"role": "assistant", "content": "<motion_id_512><motion_id_5><motion_id_3><motion_id_513>"}
    ]
    assert "1 pairs that people skipped were left out" in caplog.text
    assert (report.pairs, report.left_out) == (2, {"that people skipped": 1})


def test_text_with_a_template():
    (first, _, last) = trl_rows(ROWS, template="Generate motion: {}".format, margin=True, skipped=True)
    assert first["prompt"] == "Generate motion: a man waves" and last["margin"] == 3.0
    assert first["rejected"] == "<motion_id_512><motion_id_8><motion_id_513>"


def test_trl_knows_the_form():
    trl = pytest.importorskip("trl.data_utils")
    (first, _) = trl_rows(ROWS)
    assert trl.is_conversational(next(unpaired_rows(ROWS)))
    assert trl.is_conversational(first)
    assert trl.extract_prompt({side: first["prompt"] + first[side] for side in ("chosen", "rejected")}) == first
    (plain, _) = trl_rows(ROWS, template=str)
    assert not trl.is_conversational(plain) and set(plain) == {"prompt", "chosen", "rejected"}


def test_a_file_that_datasets_and_we_read(tmp_path):
    path = tmp_path / "pairs.jsonl"
    assert write_trl(path, ROWS, margin=True) == 2
    dataset = load_dataset("json", data_files=str(path), split="train", cache_dir=str(tmp_path / "cache"))
    assert dataset.column_names == ["prompt", "chosen", "rejected", "margin"]
    read = list(read_trl(dataset))
    assert [r["chosen_codes"] for r in read] == [[5, 1], [5, 3]]
    assert [r["degree"] for r in read] == ["better", "much better"]
