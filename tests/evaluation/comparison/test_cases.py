"""Prompts from the grammar and from files."""

import json

import pytest

from atom_hf.evaluation.comparison.cases import Case, check_cases, grammar_cases, named, read_cases
from atom_hf.events import Event, GrammarPromptWriter, Scenario


def test_grammar_cases_are_those_of_the_test_split():
    cases = grammar_cases(12, seed=3)
    written = GrammarPromptWriter(seed=3, split="test").write(12)
    assert [(case.prompt, case.scenario) for case in cases] == [(each.text, each.scenario) for each in written]
    assert [case.id for case in cases] == [f"{i:02d}" for i in range(12)]
    assert grammar_cases(12, seed=4)[0].prompt != cases[0].prompt
    with pytest.raises(ValueError, match="at least 1 prompt, got 0"):
        grammar_cases(0)


def test_a_text_file(tmp_path):
    path = tmp_path / "prompts.txt"
    path.write_text("a person jumps twice\n\n  something <script> odd  \n", encoding="utf-8")
    first, second = read_cases(path)
    assert first.scenario is not None and first.scenario.events == (Event("jump", 2),)
    assert second == Case("1", "something <script> odd")


def test_json_lines_with_scenarios(tmp_path):
    path = tmp_path / "prompts.jsonl"
    scenario = Scenario((Event("walk"), Event("jump", 2)), "temporal")
    rows = [{"prompt": "hop", "scenario": json.loads(scenario.to_json())}, {"prompt": "x", "scenario": None}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    assert [case.scenario for case in read_cases(path)] == [scenario, None]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("p.txt", "\n \n", "expected prompts, one a line, but the file is empty"),
        ("p.txt", "a\nb\na\n", "line 3: the prompt 'a' is in line 1 already"),
        ("p.jsonl", '{"prompt": "a"}\n{"text": "b"}\n', r"line 2: expected \{\"prompt\": \"a person jumps\"\}"),
        ("p.jsonl", "[1]\n", "line 1: expected"),
        ("p.jsonl", "[" * 100_000, "p.jsonl, line 1: expected"),
        ("p.jsonl", '{"prompt": "a \\udfff"}\n', "line 1: expected .*half of a character"),
        ("p.jsonl", '{"prompt": "a", "scenario": {"events": [{"action": "fly"}]}}\n', "line 1.*fly"),
    ],
)
def test_broken_files(tmp_path, name, text, message):
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        read_cases(tmp_path / name)


def test_cases_that_cannot_be_told_apart():
    with pytest.raises(ValueError, match="ours: the id 'a' is there twice"):
        check_cases([Case("a", "x"), Case("a", "y")], "ours")
    with pytest.raises(ValueError, match="the clip 'a' has an empty caption"):
        check_cases([Case("a", "  ")], "ours")
    assert named(list("abcdefg"), 3) == "a, b, c, … (7 in all)" and named(["a"]) == "a"
