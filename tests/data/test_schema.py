"""Rows: what a good one looks like, and that every fault is found and named."""

import numpy as np
import pytest

from atom_hf.data.degrees import degree_of_gap
from atom_hf.data.schema import COLUMNS, faults, features, motion_message, pair_row, prompt_of
from tests.data.made_annotations import make_row

ASKED = [{"role": "user", "content": "a man waves"}]


def test_a_row_by_hand():
    row = pair_row(
        prompt_id="p7",
        prompt="a man jumps twice",
        task="frequency",
        chosen={"sample": 4, "codes": np.array([5, 7]), "score": 5.0, "model": "m", "seed": 3},
        rejected={"sample": 1, "codes": (300,), "score": 3.0},
        degree="much better",
        judge="kinematic-1",
        rules_version="k",
        scenario='{"events": []}',
    )
    assert row == {
        "id": "p7/4-1",
        "prompt_id": "p7",
        "task": "frequency",
        "scenario": '{"events": []}',
        "prompt": [{"role": "user", "content": "a man jumps twice"}],
        "chosen": [
            {"role": "assistant", "content": "<motion_id_512><motion_id_5><motion_id_7><motion_id_513>"},
        ],
        "rejected": [{"role": "assistant", "content": "<motion_id_512><motion_id_300><motion_id_513>"}],
        "chosen_codes": [5, 7],
        "rejected_codes": [300],
        "chosen_score": 5.0,
        "rejected_score": 3.0,
        "degree": "much better",
        "margin": 3.0,
        "judge": "kinematic-1",
        "rules_version": "k",
        "chosen_model": "m",
        "rejected_model": "",
        "chosen_seed": 3,
        "rejected_seed": None,
        "votes": [],
    }
    assert list(row) == list(COLUMNS) == list(features()) and faults(row) == []
    assert all(type(code) is int for code in row["chosen_codes"])


def test_another_codebook():
    assert motion_message([15], 16)[0]["content"] == "<motion_id_16><motion_id_15><motion_id_17>"
    row = make_row(0, num_codes=16)
    assert faults(row, 16) == []
    assert any("chosen: expected the motion text of chosen_codes" in fault for fault in faults(row, 512))


@pytest.mark.parametrize(
    ("codes", "error", "text"),
    [
        ([512], ValueError, "codes from 0 to 511, got"),
        ([-1], ValueError, "codes from 0 to 511, got"),
        ([], ValueError, "expected codes of a motion, at least one"),
        ([1.5], TypeError, "float"),
        ([1.0], TypeError, "float"),
        (["1"], TypeError, "str"),
    ],
)
def test_codes_that_are_none(codes, error, text):
    with pytest.raises(error, match=text):
        make_row(0, chosen={"codes": codes})


@pytest.mark.parametrize(
    ("column", "value", "fault"),
    [
        ("id", None, "id: expected a value, got null"),
        ("id", 7, "id: expected text, got 7"),
        ("scenario", "half of a character: \ud83d", "scenario: expected text"),
        ("task", "speed", "task: expected one of integrity, temporal, frequency, overall, got 'speed'"),
        ("prompt", [], 'prompt: expected a list of {"role": text, "content": text}, got []'),
        ("prompt", "a man", "prompt: expected a list of"),
        ("prompt", [{"role": "user"}], "prompt: expected a list of"),
        ("prompt", [{"role": "user", "content": "\udc00"}], "prompt: expected a list of"),
        ("prompt", [{"role": "user", "content": " "}], "prompt: expected a user's message"),
        ("prompt", [{"role": "system", "content": "be brief"}], "prompt: expected a user's message"),
        ("chosen", [{"role": "user", "content": "x"}], "chosen: expected the motion text of chosen_codes, got 'x'"),
        ("chosen_codes", [1, True], "chosen_codes: expected codes from 0 to 511, got [True]"),
        ("chosen_codes", [1, 2**70], "chosen_codes: expected codes from 0 to 511"),
        ("chosen_codes", "12", "chosen_codes: expected codes of a motion"),
        ("chosen_codes", None, "chosen_codes: expected a value, got null"),
        ("rejected_codes", [4], "rejected: expected the motion text of rejected_codes"),
        ("chosen_score", float("nan"), "chosen_score: expected a finite number, got nan"),
        ("chosen_score", True, "chosen_score: expected a finite number, got True"),
        ("chosen_score", 5.5, "chosen_score: expected a score from 1 to 5, got 5.5"),
        ("chosen_score", 1.0, "chosen_score: expected at least rejected_score, got 1.0 and 1.5"),
        ("degree", "best", "degree: expected one of much better, better"),
        ("margin", 2.0, "margin: expected 3 for 'much better', got 2.0"),
        ("chosen_seed", 1.0, "chosen_seed: expected an integer"),
        ("chosen_seed", 2**63, "chosen_seed: expected an integer of at most 64 bits"),
        ("chosen_score", 10**400, "chosen_score: expected a finite number, got 1000"),
        ("chosen_score", 1e39, "chosen_score: expected a finite number, got 1e+39"),
        ("chosen_score", float("nan"), "chosen_score: expected a finite number, got nan"),
        ("id", "", "id: expected a name, got ''"),
        ("prompt_id", " ", "prompt_id: expected a name, got ' '"),
        ("scenario", "not json", "scenario: expected a JSON object with events, or null, got 'not json'"),
        ("scenario", "[1, 2]", "scenario: expected a JSON object"),
        ("scenario", "5", "scenario: expected a JSON object"),
        ("scenario", "", "scenario: expected a JSON object"),
        ("prompt", [*ASKED, {"role": "assistant", "content": "x"}], "prompt: expected a user's message and no other"),
        ("prompt", [*ASKED, {"role": "narrator", "content": "x"}], "prompt: expected a user's message and no other"),
        ("prompt", [*ASKED, *ASKED], "prompt: expected a user's message and no other"),
        (
            "votes",
            [{"voter": "a", "choice": "chosen", "degree": "skipped"}],
            "votes: expected the degree 'skipped' where",
        ),
        (
            "votes",
            [{"voter": "a", "choice": "skipped", "degree": "better"}],
            "votes: expected the degree 'skipped' where",
        ),
        ("votes", None, "votes: expected a value, got null"),
        ("votes", [{"voter": "a", "choice": "left", "degree": "better"}], "votes: expected choices chosen, rejected"),
        ("votes", [{"voter": "a"}], 'votes: expected a list of {"voter": text, "choice": text'),
    ],
)
def test_every_fault_is_named(column, value, fault):
    found = faults(make_row(1) | {column: value})
    assert [text for text in found if text.startswith(fault)], found


def test_columns_that_are_missing_or_new():
    row = make_row(1)
    row["speed"] = row.pop("margin")
    assert faults(row) == ["columns missing: margin", "unknown columns: speed"]


def test_the_same_motion_twice_may_only_be_skipped():
    same = {"codes": [1, 2], "score": 4.0}
    with pytest.raises(ValueError, match="chosen and rejected are the same motion"):
        make_row(0, chosen=same, rejected=same, degree="negligibly better/unsure")
    assert make_row(0, chosen=same, rejected=same, degree="skipped")["margin"] == 0


def test_people_give_no_scores():
    motions = {"chosen": {"codes": [1], "score": 2.0}, "rejected": {"codes": [2]}}
    with pytest.raises(ValueError, match=r"chosen_score: expected null, as people only compare, got 2\.0; a judge's"):
        make_row(0, judge="human", **motions)
    assert faults(make_row(0, judge="human")) == []


@pytest.mark.parametrize(
    ("better", "worse", "degree", "expected"),
    [
        (5.0, 1.0, "much better", None),
        (5.0, 1.0, "slightly better", "much better"),
        (4.1, 3.6, "slightly better", None),
        (4.1, 3.6, "negligibly better/unsure", "slightly better"),
        (13 / 3, 10 / 3, "better", None),
        (13 / 3, 10 / 3, "slightly better", "better"),
        (3.8, 1.8, "better", "much better"),
        (4.0, 4.0, "negligibly better/unsure", None),
        (4.0, 4.0, "slightly better", "negligibly better/unsure"),
        (4.0, 1.0, "skipped", None),
        (4.0, None, "better", None),
    ],
)
def test_the_degree_is_that_of_the_scores(better, worse, degree, expected):
    """In double precision, and as the scores are stored."""
    for kind in (float, np.float32):
        first, second = (None if score is None else float(kind(score)) for score in (better, worse))
        row = make_row(1, degree=degree) | {"chosen_score": first, "rejected_score": second}
        found = faults(row)
        assert len(found) == (expected is not None)
        assert not expected or found[0].startswith(f"degree: expected {expected!r} for scores of ")


def test_degrees_at_the_edge_stay_good_when_they_are_stored():
    for gap in np.linspace(0.5 - 1.5e-6, 0.5 - 0.5e-6, 201):
        better = 4.1
        row = make_row(1, degree=degree_of_gap(gap)) | {"chosen_score": better, "rejected_score": better - gap}
        stored = {name: float(np.float32(row[name])) for name in ("chosen_score", "rejected_score")}
        assert faults(row) == faults(row | stored) == []


@pytest.mark.parametrize("row", [None, [], "row", 5])
def test_what_is_no_row(row):
    assert faults(row) == [f"expected a row, a value for each column, got {row!r}"]


def test_prompt_of():
    assert prompt_of(make_row(3)) == "person 3 waves" == prompt_of({"prompt": "person 3 waves"})
    with pytest.raises(ValueError, match="Expected a prompt with a user's message"):
        prompt_of({"prompt": []})
