"""Counts of small folders that can be counted by hand, and examples that are spread and always the same."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("datasets")

import pyarrow as pa
import pyarrow.parquet as pq

from atom_hf.data.folder import write_motionprefer
from atom_hf.data.json_lines import write_lines
from atom_hf.data.schema import pair_row
from atom_hf.data.stats import dataset_stats, example_rows, read_rows
from atom_hf.data.stats_tables import table


def row(name: str, task: str = "temporal", degree: str = "better", **changes: Any) -> dict[str, Any]:
    prompt, pair = name.split("/")
    scores = (4.5, {"much better": 2.3, "slightly better": 3.8}.get(degree, 3.3))
    if changes.get("judge") == "human":
        scores = (None, None)
    settings = {
        "id": name,
        "prompt_id": prompt,
        "prompt": f"a man does {prompt}",
        "task": task,
        "chosen": {"codes": [1] * 10, "score": scores[0], "model": "new"},
        "rejected": {"codes": [2] * int(pair), "score": scores[1], "model": "old"},
        "degree": degree,
        "judge": "kinematic-1",
        "scenario": json.dumps({"events": [{"action": "jump"}, {"action": "walk"}, {"action": "jump"}]}),
    }
    return pair_row(**settings | changes)


ROWS = [
    ("train", row("a/5")),
    ("train", row("a/15", degree="much better")),
    ("train", row("a/25", scenario=None, chosen={"codes": [1] * 10, "model": "old"})),
    ("test", row("b/5", task="integrity")),
    ("test", row("b/10", degree="skipped", judge="human")),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_motionprefer(ROWS, tmp_path / "pairs")
    return tmp_path / "pairs"


def test_counts(folder):
    stats = dataset_stats(folder)
    assert stats.kind == "MotionPrefer" and stats.pairs == 5 and stats.prompts == 2 and stats.skipped == 0.2
    assert list(stats.parts) == ["integrity", "temporal", "human"]
    assert stats.parts == {"integrity": {"test": 1}, "temporal": {"train": 3}, "human": {"test": 1}}
    assert dict(stats.tasks) == {"integrity": 1, "temporal": 4}
    assert list(stats.degrees.items()) == [("much better", 1), ("better", 3), ("skipped", 1)]
    assert dict(stats.judges) == {"kinematic-1": 4, "human": 1}
    assert dict(stats.actions) == {"jump": 4, "walk": 4}  # pairs, not events
    assert dict(stats.models) == {"new": 4, "old": 6}
    assert (stats.wins["new"], stats.compared["new"], stats.wins["old"], stats.compared["old"]) == (3, 3, 1, 5)
    assert dict(stats.scores["chosen"]) == {4.5: 3, None: 2}
    assert dict(stats.scores["rejected"]) == {3.5: 3, 2.5: 1, None: 1}
    assert dict(stats.pairs_per_prompt) == {3: 1, 2: 1} and stats.left_out is None


def test_lengths_are_seconds(folder):
    stats = dataset_stats(folder)
    assert stats.seconds("chosen") == {"min": 2.0, "median": 2.0, "mean": 2.0, "max": 2.0}
    # 5, 15, 25, 5 and 10 codes of 0.2 s
    assert stats.seconds("rejected") == pytest.approx({"min": 1.0, "median": 2.0, "mean": 2.4, "max": 5.0})
    stats.lengths["chosen"].clear()
    assert stats.seconds("chosen") == {}


def test_json(folder):
    stats = dataset_stats(folder).to_dict()
    assert json.loads(json.dumps(stats)) == stats
    assert stats["models"] == {
        "old": {"motions": 6, "chosen": 1, "compared": 5},
        "new": {"motions": 4, "chosen": 3, "compared": 3},
    }
    assert stats["scores"] == {
        "chosen": {"4.5": 3, "none": 2},
        "rejected": {"2.5": 1, "3.5": 3, "none": 1},
    }
    assert stats["degrees"] == {"better": 3, "much better": 1, "skipped": 1}


def test_tables(folder):
    text = str(dataset_stats(folder))
    lines = text.splitlines()
    assert lines[:2] == [
        f"{folder}: MotionPrefer",
        "5 pairs of 2 prompts (2 to 3, 2.5 a prompt on average), 20.0% skipped",
    ]
    start = lines.index(next(line for line in lines if line.startswith("pairs ")))
    assert [line.split() for line in lines[start : start + 5]] == [
        ["pairs", "train", "test", "all"],
        ["integrity", "0", "1", "1"],
        ["temporal", "3", "0", "3"],
        ["human", "0", "1", "1"],
        ["all", "3", "2", "5"],
    ]
    assert len({len(line) for line in lines[start : start + 5]}) == 1  # aligned
    (better,) = (line for line in lines if line.startswith("  better "))
    assert better.split() == ["better", "3", "60.0%", "█" * 24]
    assert not any(line != line.rstrip() for line in lines)


def test_long_tables_and_names():
    rows = [[f"model {i}", str(i)] for i in range(25)]
    lines = table(["model", "motions"], rows)
    assert len(lines) == 22 and lines[-1] == "  … and 5 more; --json has all"
    (line,) = table(["model", "motions"], [["\x1b[2J" + "x" * 99, "1"]])[1:]
    assert "\x1b" not in line and line.endswith("…         1")


def test_annotations_are_counted_through_their_pairs(tmp_path):
    prompts = [{"prompt_id": "p0", "prompt": "a man jumps", "task": "frequency", "split": "test"}]
    candidates = [{"prompt_id": "p0", "sample": i, "codes": [i], "model": "m"} for i in range(4)]
    verdicts = [
        {"prompt_id": "p0", "sample": i, "score": score, "judge": "j"} for i, score in enumerate([5.0, 3.0, 3.0])
    ]
    verdicts.append({"prompt_id": "p0", "sample": 3, "score": None, "cause": "no picture"})
    votes = [{"prompt_id": "p0", "first": 3, "second": 0, "choice": "skipped"}]
    parts = {"prompts": prompts, "candidates": candidates, "verdicts": verdicts, "votes": votes}
    for part, records in parts.items():
        write_lines(tmp_path / part / "00000.jsonl", records)
    stats = dataset_stats(tmp_path)
    assert stats.kind == "annotations"
    assert stats.parts == {"frequency": {"test": 2}, "human": {"test": 1}} and stats.skipped == pytest.approx(1 / 3)
    assert stats.left_out is not None and dict(stats.left_out.left_out) == {"of equal scores": 1}
    text = str(stats)
    assert "of equal scores" in text and "no picture" in text
    assert [split for split, _ in read_rows(tmp_path)] == ["test"] * 3


def test_a_folder_without_pairs(tmp_path):
    write_lines(tmp_path / "prompts/00000.jsonl", [{"prompt_id": "p0", "prompt": "a man jumps"}])
    write_lines(tmp_path / "candidates/00000.jsonl", [{"prompt_id": "p0", "sample": 0, "codes": [1]}])
    stats = dataset_stats(tmp_path)
    assert stats.pairs == 0 and "0 pairs of 0 prompts, 0.0% skipped" in str(stats)
    assert stats.to_dict()["seconds"] == {"chosen": {}, "rejected": {}} and example_rows(tmp_path, 3) == []


def test_examples_are_spread_and_always_the_same(tmp_path):
    rows = [row(f"p{i}/{i + 2}", task=("integrity", "temporal")[i % 2]) for i in range(20)]
    rows += [row("q/7", task="frequency", degree="much better"), row("q/8", degree="slightly better")]
    write_motionprefer([("train", one) for one in rows], tmp_path / "a")
    write_motionprefer([("train", one) for one in reversed(rows)], tmp_path / "b")
    chosen = example_rows(tmp_path / "a", 4)
    assert sorted((one["task"], one["degree"]) for one in chosen) == [
        ("frequency", "much better"),
        ("integrity", "better"),
        ("temporal", "better"),
        ("temporal", "slightly better"),
    ]
    ids = [one["id"] for one in example_rows(tmp_path / "a", 7)]
    assert ids == [one["id"] for one in example_rows(tmp_path / "b", 7)] and len(set(ids)) == 7
    assert ids[:4] == [one["id"] for one in chosen]
    assert len(example_rows(tmp_path / "a", 99)) == 22 and example_rows(tmp_path / "a", 0) == []
    with pytest.raises(ValueError, match="at least 0, got -1"):
        example_rows(tmp_path / "a", -1)


def test_broken_scenarios_and_values_do_not_stop_the_count(folder):
    path = folder / "data/temporal/train-00000-of-00001.parquet"
    stored = pq.read_table(path)
    rows = stored.to_pylist()
    for one, scenario in zip(rows, ['{"events": [1]}', "[", '{"events": 3}'], strict=True):
        one["scenario"] = scenario
    rows[0]["chosen_score"] = float("nan")
    pq.write_table(pa.Table.from_pylist(rows, schema=stored.schema), path)
    stats = dataset_stats(folder)
    assert dict(stats.actions) == {"jump": 2, "walk": 2} and stats.scores["chosen"][None] == 3


def test_bad_folders(folder, tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match="there is no such folder"):
        dataset_stats(tmp_path / "x")
    path = folder / "data/temporal/train-00000-of-00001.parquet"
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(ValueError, match=r"train-00000-of-00001.parquet: expected Parquet, but it cannot be read"):
        dataset_stats(folder)
    pq.write_table(pa.table({"text": ["a"]}), path)
    with pytest.raises(ValueError, match="columns missing: id, prompt_id"):
        dataset_stats(folder)
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(ImportError, match=r'pip install "atom_hf\[train\]"'):
        dataset_stats(folder)
