"""Datasets in TRL's forms: text and conversations, with and without a prompt, and motion text that is none."""

import pytest
from datasets import Dataset, DatasetDict

from atom_hf.data.faults import AnnotationError
from atom_hf.data.importers import ImportReport, read_trl
from atom_hf.data.schema import faults, pair_row
from atom_hf.motion import codes_to_text

GOOD, BAD = codes_to_text([5, 7]), codes_to_text([8])
USER = [{"role": "user", "content": "a man waves"}]
ANSWERS = {"chosen": [{"role": "assistant", "content": GOOD}], "rejected": [{"role": "assistant", "content": BAD}]}


def asked(text):
    return {"prompt": text, "chosen": GOOD, "rejected": BAD}


@pytest.mark.parametrize(
    "row",
    [
        asked("a man waves"),
        asked("Generate motion: a man waves"),
        asked('generate motion:"a man waves"'),
        asked("a man waves") | {"chosen": f"{GOOD}</s>", "rejected": f" {BAD} "},
        {"prompt": USER, **ANSWERS},
        {"prompt": [{"role": "system", "content": "You move."}, *USER], **ANSWERS},
        {"prompt": [{"role": "user", "content": [{"type": "text", "text": "a man waves"}]}], **ANSWERS},
        {"prompt": USER, "chosen": GOOD, "rejected": BAD},
        {name: USER + answer for name, answer in ANSWERS.items()},
        {"chosen": f"Generate motion: a man waves \n {GOOD}", "rejected": f"Generate motion: a man waves {BAD}"},
    ],
)
def test_all_forms(row):
    (read,) = read_trl(Dataset.from_list([row]))
    assert faults(read) == [] and read["prompt"] == USER
    assert (read["chosen_codes"], read["rejected_codes"]) == ([5, 7], [8])
    assert (read["id"], read["task"], read["degree"], read["judge"]) == ("trl/1", "overall", "better", "unknown")


def test_what_is_not_said_in_the_rows():
    (row,) = read_trl([asked("x")], name="mine", task="frequency", degree="Much better", judge="me", model="m")
    assert (row["id"], row["task"], row["margin"], row["judge"]) == ("mine/1", "frequency", 3.0, "me")
    assert row["chosen_model"] == row["rejected_model"] == "m"


def test_our_own_columns_are_kept():
    ours = pair_row(
        prompt_id="p7",
        prompt="a man waves",
        task="integrity",
        chosen={"codes": [5, 7], "score": 5.0, "model": "a", "seed": 3, "sample": 4},
        rejected={"codes": [8], "score": 2.5, "model": "b", "seed": 0, "sample": 1},
        degree="much better",
        judge="kinematic-1",
        rules_version="1",
        scenario="{}",
        votes=[{"voter": "v", "choice": "rejected", "degree": "better"}],
    )
    bare = {name: value for name, value in ours.items() if not name.endswith("_codes")}
    assert list(read_trl([bare])) == [ours]


@pytest.mark.parametrize(
    ("columns", "degree"),
    [
        ({"margin": 3}, "much better"),
        ({"margin": 0.0}, "negligibly better/unsure"),
        ({"degree": "Slightly better", "margin": 3.0}, "slightly better"),
        ({"chosen_score": 4.0, "rejected_score": 3.5}, "slightly better"),
        ({"chosen_score": 4.0, "rejected_score": None}, "better"),
    ],
)
def test_degrees(columns, degree):
    (row,) = read_trl([asked("x") | columns])
    assert row["degree"] == degree


@pytest.mark.parametrize(
    ("row", "cause", "message"),
    [
        ({"prompt": "x", "chosen": GOOD}, "without two answers", "got prompt, chosen"),
        ("text", "without two answers", "got 'text'"),
        (asked(""), "without a usable prompt", "prompt to be text"),
        (asked("Generate motion: "), "without a usable prompt", "prompt to be text"),
        (asked("x") | {"chosen": "a man waves"}, "with malformed motion text", "chosen: expected motion text"),
        (asked("x") | {"chosen": GOOD.replace("<motion_id_513>", "")}, "with malformed motion text", "motion text"),
        (asked("x") | {"chosen": f"Sure! {GOOD}"}, "with malformed motion text", "nothing around it"),
        (asked("x") | {"chosen": GOOD.replace("><", "> <")}, "with malformed motion text", "not understood"),
        (asked("x") | {"chosen": GOOD + BAD}, "with malformed motion text", "nothing around it"),
        (asked("x") | {"rejected": GOOD.replace("id_7", "id_514")}, "with codes out of range", r"got \[514\]"),
        (asked("x") | {"rejected": codes_to_text([])}, "with malformed motion text", "rejected: expected"),
        (asked("x") | {"rejected": GOOD}, "of two motions that are the same", "got one twice"),
        (asked("x") | {"degree": "beter"}, "with an unknown degree", "Did you mean 'better'"),
        (asked("x") | {"margin": 0.7}, "with an unknown margin", "got 0.7"),
        (asked("x") | {"chosen_score": 9.0}, "with values that make no pair", "score from 1 to 5"),
        ({"prompt": USER * 2, **ANSWERS}, "with a conversation of several turns", "one message of the user, got 2"),
        ({"prompt": USER, "chosen": [5], "rejected": BAD}, "with a broken conversation", "text or messages"),
        ({"chosen": f"a {GOOD}", "rejected": f"b {BAD}"}, "without a usable prompt", "two answers to one prompt"),
        (
            {"chosen": USER + ANSWERS["chosen"], "rejected": ANSWERS["rejected"]},
            "without a usable prompt",
            "two answers to one prompt",
        ),
    ],
)
def test_rows_that_cannot_be_used(row, cause, message):
    with pytest.raises(AnnotationError, match=message) as caught:
        list(read_trl([asked("good"), row], name="mine"))
    assert str(caught.value).startswith("mine, row 2: ")
    report = ImportReport()
    assert len(list(read_trl([asked("good"), row, asked("good too")], report=report, on_fault="skip"))) == 2
    assert report.left_out == {cause: 1} and report.pairs == 2 and "row 2" in report.messages[0]


def test_rows_of_one_id():
    with pytest.raises(AnnotationError, match="'a' came before"):
        list(read_trl([asked("x") | {"id": "a"}, asked("y") | {"id": "a"}]))


def test_streams_are_read_row_by_row():
    def rows():
        yield asked("x")
        raise AssertionError("read ahead")

    assert next(read_trl(rows()))["id"] == "trl/1"


def test_splits_are_not_rows():
    with pytest.raises(TypeError, match="one split, got several: train, test"):
        read_trl(DatasetDict(train=Dataset.from_list([asked("x")]), test=Dataset.from_list([asked("x")])))
    with pytest.raises(ValueError, match="Did you mean 'better'"):
        read_trl([], degree="beter")


def test_another_codebook():
    row = {"prompt": "x", "chosen": codes_to_text([600], 1024), "rejected": codes_to_text([5], 1024)}
    (read,) = read_trl([row], num_codes=1024)
    assert read["chosen_codes"] == [600]
