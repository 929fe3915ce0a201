"""Raw annotations: what is read, and that whatever is broken is named with its file and row."""

import json
from pathlib import Path

import pytest

from atom_hf.data.annotation_records import Vote
from atom_hf.data.annotations import pieces, read_annotations, read_prompts
from atom_hf.data.faults import AnnotationError
from atom_hf.data.json_lines import write_lines
from tests.data.made_annotations import write_annotations

GOOD = {
    "prompts": [{"prompt_id": "p0", "prompt": "a man jumps", "task": "frequency", "scenario": {"events": []}}],
    "candidates": [
        {"prompt_id": "p0", "sample": 0, "codes": [1, 2], "model": "m", "seed": 4},
        {"prompt_id": "p0", "sample": 1, "codes": [3]},
    ],
    "verdicts": [
        {"prompt_id": "p0", "sample": 0, "score": 5, "judge": "j", "rules_version": "r"},
        {"prompt_id": "p0", "sample": 1, "score": None, "cause": "no answer"},
    ],
    "votes": [
        {"prompt_id": "p0", "first": 0, "second": 1, "choice": "second", "degree": "Much better", "voter": "a"},
        {"prompt_id": "p0", "first": 1, "second": 0, "choice": "skipped", "degree": None},
    ],
}


def write(folder: Path, **changes: list) -> Path:
    for part, lines in (GOOD | changes).items():
        write_lines(folder / part / "00000.jsonl", lines)
    return folder


def test_all_that_is_said_of_a_prompt(tmp_path):
    (prompt,) = read_annotations(write(tmp_path))
    assert (prompt.prompt_id, prompt.task, prompt.split) == ("p0", "frequency", None)
    assert json.loads(prompt.scenario) == {"events": []}
    first, second = prompt.candidates.values()
    assert (first.codes, first.model, first.seed, first.score, first.judge) == ((1, 2), "m", 4, 5.0, "j")
    assert (second.score, second.cause) == (None, "no answer")
    assert prompt.votes == [Vote(0, 1, "second", "much better", "a"), Vote(1, 0, "skipped", "skipped")]


def test_pieces_are_read_in_their_order(tmp_path):
    write_annotations(tmp_path)
    assert pieces(tmp_path) == ["00000", "00001", "00002"]
    ids = [prompt.prompt_id for prompt in read_annotations(tmp_path)]
    assert ids == [f"p{i:05d}" for i in range(40)]
    assert [prompt.prompt_id for prompt in read_annotations(tmp_path, ["00001"])] == ids[15:30]
    assert [prompt.prompt_id for _, prompt in read_prompts(tmp_path, "00002")] == ids[30:]


def test_files_of_a_stopped_run_are_no_pieces(tmp_path):
    write(tmp_path)
    (tmp_path / "candidates" / ".00001-abc.jsonl").write_text("{", encoding="utf-8")
    assert pieces(tmp_path) == ["00000"]


@pytest.mark.parametrize(
    ("part", "lines", "text"),
    [
        ("prompts", [{"prompt": "x"}], "prompts/00000.jsonl, row 1: expected 'prompt_id', but the row has 'prompt'"),
        ("prompts", [{"prompt_id": "p0", "prompt": " "}], "row 1: expected a prompt, got an empty one"),
        ("prompts", [GOOD["prompts"][0] | {"prompt_id": ""}], "row 1: expected a name in 'prompt_id', got ''"),
        ("prompts", [GOOD["prompts"][0] | {"scenario": "not json"}], "row 1: expected a scenario, a JSON object with"),
        ("prompts", [GOOD["prompts"][0] | {"scenario": [1, 2]}], "or null, got '[1, 2]'"),
        ("prompts", [GOOD["prompts"][0] | {"scenario": 5}], "expected a scenario, a JSON object"),
        ("prompts", [GOOD["prompts"][0] | {"scenario": ""}], "expected a scenario, a JSON object"),
        ("prompts", [*GOOD["prompts"], *GOOD["prompts"]], "row 2: the id 'p0' stands in 00000.jsonl, row 1 too"),
        ("prompts", [GOOD["prompts"][0] | {"task": "speed"}], "expected a task, one of integrity, temporal"),
        ("prompts", [GOOD["prompts"][0] | {"split": "dev"}], "expected a split, one of train, test, got 'dev'"),
        ("prompts", [], "there is no prompt 'p0' in prompts/00000.jsonl"),
        ("candidates", [GOOD["candidates"][0] | {"codes": [512]}], "row 1: expected codes from 0 to 511, got [512]"),
        ("candidates", [GOOD["candidates"][0] | {"codes": []}], "expected codes from 0 to 511, got none"),
        ("candidates", [GOOD["candidates"][0] | {"codes": [1.0]}], "expected codes from 0 to 511, got [1.0]"),
        ("candidates", [GOOD["candidates"][0] | {"sample": True}], "expected 'sample' to be an integer, got True"),
        (
            "candidates",
            [GOOD["candidates"][0] | {"seed": 2**70}],
            "row 1: expected 'seed' to be an integer of at most 64",
        ),
        ("candidates", [GOOD["candidates"][0]] * 2, "row 2: 'p0' has two candidates with sample 0"),
        ("verdicts", [GOOD["verdicts"][0] | {"sample": 9}], "'p0' has no candidate with sample 9"),
        ("verdicts", [GOOD["verdicts"][0] | {"score": 6}], "expected a score from 1 to 5, or null, got 6.0"),
        ("verdicts", [GOOD["verdicts"][0] | {"score": "5"}], "expected 'score' to be a number, got '5'"),
        ("verdicts", [GOOD["verdicts"][0] | {"score": 10**400}], "expected 'score' to be a number, got 1000"),
        ("verdicts", [GOOD["verdicts"][0]] * 2, "row 2: sample 0 of 'p0' has two verdicts"),
        ("verdicts", [GOOD["verdicts"][0] | {"judge": "human"}], "row 1: expected the name of a judge, got 'human'"),
        (
            "votes",
            [GOOD["votes"][0] | {"degree": "Skipped"}],
            "row 1: expected a degree of preference beside the choice",
        ),
        ("votes", [GOOD["votes"][0] | {"choice": "left"}], "expected a choice (first, second, skipped)"),
        ("votes", [GOOD["votes"][0] | {"second": 0}], "between two samples"),
        ("votes", [GOOD["votes"][0] | {"degree": "beter"}], "Did you mean 'better'?"),
    ],
)
def test_what_is_broken_is_named(tmp_path, part, lines, text):
    write(tmp_path, **{part: lines})
    with pytest.raises(AnnotationError) as error:
        list(read_annotations(tmp_path))
    assert text in str(error.value)


def test_folders_that_are_none(tmp_path):
    with pytest.raises(AnnotationError, match=r"prompts/\*.jsonl and candidates/\*.jsonl, but there are no prompts"):
        pieces(tmp_path)
    write(tmp_path)
    write_lines(tmp_path / "votes" / "00007.jsonl", [])
    with pytest.raises(AnnotationError, match=r"votes/00007.jsonl: expected prompts/00007.jsonl beside it"):
        pieces(tmp_path)


def test_a_piece_without_candidates(tmp_path):
    write(tmp_path)
    (tmp_path / "candidates" / "00000.jsonl").unlink()
    with pytest.raises(
        AnnotationError, match=r"candidates/00000.jsonl: expected a JSON Lines file, but there is none"
    ):
        list(read_annotations(tmp_path))
