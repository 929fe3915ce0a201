"""Every fault is found, in its file and row, and nothing else is."""

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("datasets")

import pyarrow as pa
import pyarrow.parquet as pq

from atom_hf.data.annotations import read_annotations
from atom_hf.data.folder import write_motionprefer
from atom_hf.data.json_lines import write_lines
from atom_hf.data.schema import pair_row
from atom_hf.data.validate import Validation, kind_of, validate_folder

TRAIN = "data/frequency/train-00000-of-00001.parquet"
TEST = "data/frequency/test-00000-of-00001.parquet"


def row(number: int, **changes: Any) -> dict[str, Any]:
    judge = changes.pop("judge", "kinematic-1")
    scores = (None, None) if judge == "human" else (5.0, 3.0)
    made = pair_row(
        prompt_id=f"p{number}",
        prompt=f"a man jumps {number} times",
        task=changes.pop("task", "frequency"),
        scenario='{"task": "frequency", "events": [{"action": "jump"}]}',
        chosen={"codes": [5, 6, number], "score": scores[0], "sample": 0},
        rejected={"codes": [7, 8], "score": scores[1], "sample": 1},
        degree="much better",
        judge=judge,
    )
    return made | changes


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [("train", row(i)) for i in range(4)] + [("test", row(i)) for i in range(4, 6)]
    rows.append(("train", row(6, judge="human", votes=[{"voter": "a", "choice": "chosen", "degree": "better"}])))
    write_motionprefer(rows, tmp_path / "good")
    return tmp_path / "good"


def rewrite(path: Path, change: Any) -> None:
    """Change the rows of a file; the columns stay as they are."""
    table = pq.read_table(path)
    rows = table.to_pylist()
    pq.write_table(pa.Table.from_pylist(change(rows) or rows, schema=table.schema), path)


def found(validation: Validation) -> list[tuple[str, int | None, str]]:
    return [(fault.file, fault.row, fault.problem) for fault in validation.faults]


def only(validation: Validation) -> tuple[str, int | None, str]:
    (fault,) = found(validation)
    return fault


def test_a_good_folder(folder):
    validation = validate_folder(folder)
    assert validation.ok and validation.kind == "MotionPrefer" and validation.faults == []
    assert validation.counts == {"files": 3, "rows": 7, "prompts": 7}
    assert str(validation) == f"{folder}: MotionPrefer, 3 files, 7 rows, 7 prompts\nNo faults.\n"


def test_all_faulty_rows_are_told(folder):
    def spoil(rows):
        rows[1]["margin"] = 1.0
        rows[1]["chosen_score"] = 9.0
        rows[3]["degree"] = "best"
        rows[2]["scenario"] = "[1]"

    rewrite(folder / TRAIN, spoil)
    validation = validate_folder(folder)
    assert found(validation) == [
        (TRAIN, 2, "margin: expected 3 for 'much better', got 1.0"),
        (TRAIN, 2, "chosen_score: expected a score from 1 to 5, got 9.0"),
        (TRAIN, 3, "scenario: expected a JSON object with events, or null, got '[1]'"),
        (TRAIN, 4, found(validation)[3][2]),
    ]
    assert found(validation)[3][2].startswith("degree: expected one of much better, better")
    assert not validation.ok and validation.counts["rows"] == 7


def test_the_size_of_the_codebook_counts(folder):
    messages = [problem for _, _, problem in found(validate_folder(folder, num_codes=8))]
    assert len(messages) == 7 and all("expected codes from 0 to 7, got [8]" in text for text in messages)


def test_the_report_is_capped_and_counts_all(folder):
    def spoil(rows):
        for record in rows:
            record["margin"] = 0.0

    rewrite(folder / TRAIN, spoil)
    rewrite(folder / TEST, spoil)
    lines = validate_folder(folder).report(limit=3).splitlines()
    assert lines[1:4] == ["", TEST, "  row 1  margin: expected 3 for 'much better', got 0.0"]
    assert sum(line.startswith("  row") for line in lines) == 3
    assert "6 faults in 2 files; 3 are listed, --limit 6 lists all" in lines
    assert lines[-2] == "What to do" and sum(line.startswith("  - ") for line in lines) == 1
    assert "--limit" not in validate_folder(folder).report()


def test_text_of_a_file_cannot_steer_the_terminal(folder):
    def spoil(rows):
        rows[0]["task"] = "\x1b[2Jgone"

    rewrite(folder / TRAIN, spoil)
    text = str(validate_folder(folder))
    assert "\x1b" not in text and "[2Jgone" in text


def test_truncated_and_foreign_files(folder):
    path = folder / TRAIN
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    file, number, problem = only(validate_folder(folder))
    assert (file, number) == (TRAIN, None)
    assert problem.startswith(f"expected a Parquet file, but its {len(whole) // 2:,} bytes cannot be read (")
    path.write_bytes(b"")
    assert "cannot be read" in only(validate_folder(folder))[2]
    pq.write_table(pa.table({"text": ["a"], "label": [1]}), path)
    problems = [problem for _, _, problem in found(validate_folder(folder))]
    assert problems[0] == "columns that do not belong: text, label."
    assert problems[1].startswith("columns missing: id, prompt_id, task, ") and len(problems) == 2


def test_a_page_in_the_middle_is_damaged(folder):
    path = folder / TRAIN
    data = bytearray(path.read_bytes())
    data[4:2000] = b"\xff" * 1996  # the footer stays, so that only reading the rows finds it
    path.write_bytes(bytes(data))
    file, _, problem = only(validate_folder(folder))
    assert file == TRAIN and problem.startswith("from row 1 on: expected Parquet, but it cannot be read (")


def test_columns_of_other_types(folder):
    path = folder / TRAIN
    table = pq.read_table(path)
    place = table.schema.get_field_index("margin")
    table = table.set_column(place, "margin", table["margin"].cast(pa.float64()))
    pq.write_table(table.append_column("note", pa.array(["x"] * len(table))), path)
    assert found(validate_folder(folder)) == [
        (TRAIN, None, "columns that do not belong: note."),
        (TRAIN, None, "margin: expected float, got double."),
    ]
    codes = table["chosen_codes"].cast(pa.list_(pa.int64()))
    pq.write_table(table.set_column(table.schema.get_field_index("chosen_codes"), "chosen_codes", codes), path)
    assert (TRAIN, None, "chosen_codes: expected list<int32>, got list<int64>.") in found(validate_folder(folder))


def test_names_of_list_items_make_no_difference(folder):
    path = folder / TRAIN
    table = pq.read_table(path)
    kind = pa.list_(pa.field("element", pa.int32(), nullable=False))
    codes = pa.array(table["chosen_codes"].to_pylist(), kind)
    pq.write_table(table.set_column(table.schema.get_field_index("chosen_codes"), "chosen_codes", codes), path)
    assert validate_folder(folder).ok


def test_a_prompt_id_with_two_prompts(folder):
    def spoil(rows):
        rows[1]["prompt_id"] = "p0"

    rewrite(folder / TRAIN, spoil)
    validation = validate_folder(folder)
    problem = "expected one prompt of prompt_id 'p0', but it had another one before 'a man jumps 1 times'."
    assert only(validation) == (TRAIN, 2, problem)
    assert validation.faults[0].cure.startswith("Give each prompt a prompt_id of its own")


def test_degrees_are_those_of_the_scores(folder):
    def spoil(rows):
        rows[1] |= {"chosen_score": 3.8, "rejected_score": 1.8}  # 1.9999999 as they are stored
        rows[2] |= {"chosen_score": 3.8, "rejected_score": 1.8, "degree": "better", "margin": 2.0}

    rewrite(folder / TRAIN, spoil)
    assert only(validate_folder(folder)) == (
        TRAIN,
        3,
        "degree: expected 'much better' for scores of 3.8 and 1.8, got 'better'",
    )


def test_what_was_written_for_another_codebook(tmp_path):
    large = pair_row(
        prompt_id="p", prompt="a man", task="overall", chosen={"codes": [600]}, rejected={"codes": [1]},
        degree="better", judge="j", num_codes=1024,
    )  # fmt: skip
    write_motionprefer([("train", large)], tmp_path / "large", num_codes=1024)
    assert validate_folder(tmp_path / "large").ok
    assert not validate_folder(tmp_path / "large", num_codes=512).ok


def test_files_without_rows_and_pipes(folder):
    pq.write_table(pq.read_table(folder / TEST).slice(0, 0), folder / TEST)
    os.mkfifo(folder / "data/frequency/train-00001-of-00002.parquet")
    assert found(validate_folder(folder)) == [
        (TEST, None, "expected at least one row, got none."),
        ("data/frequency/train-00001-of-00002.parquet", None, "expected a file, got a pipe, a socket or a device."),
    ]


def test_a_pipe_among_annotations(tmp_path):
    annotations(tmp_path)
    (tmp_path / "votes").mkdir()
    os.mkfifo(tmp_path / "votes/00000.jsonl")
    assert only(validate_folder(tmp_path))[::2] == (
        "votes/00000.jsonl",
        "expected a JSON Lines file, but it is a pipe, a socket or a device.",
    )


def test_configs_of_one_name(folder):
    readme = folder / "README.md"
    readme.write_text(readme.read_text().replace("config_name: human", "config_name: frequency"))
    assert only(validate_folder(folder)) == (
        "README.md",
        None,
        "expected one config of each name, got 2 of 'frequency'.",
    )


def test_limits_below_zero(folder):
    with pytest.raises(ValueError, match="limit is a number of faults, at least 0, got -3"):
        validate_folder(folder).report(limit=-3)


def test_ids_that_stand_twice(folder):
    def spoil(rows):
        rows[1]["id"] = "p0/0-1"

    rewrite(folder / TEST, spoil)
    assert only(validate_folder(folder)) == (
        TRAIN,
        1,
        f"the id of this pair stands in {TEST}, row 2, too.",
    )


def test_prompts_in_two_splits(folder):
    def spoil(rows):
        rows[0]["prompt_id"] = "p0"
        rows[1]["prompt"] = [{"role": "user", "content": "A man  jumps 1 times!"}]

    rewrite(folder / TEST, spoil)
    faults = found(validate_folder(folder))
    assert [(file, number) for file, number, _ in faults] == [(TRAIN, 1), (TRAIN, 2)]
    assert "expected prompt_id 'p0' in one split, but it is in test and in train" in faults[0][2]
    assert "expected prompt 'a man jumps 1 times' in one split" in faults[1][2]


def test_rows_of_another_part(folder):
    def spoil(rows):
        rows[0] |= {"judge": "human", "chosen_score": None, "rejected_score": None}
        rows[1]["task"] = "temporal"

    rewrite(folder / TEST, spoil)
    assert found(validate_folder(folder)) == [
        (TEST, 1, "expected rows of 'frequency' in this file, got one of 'human' (task 'frequency', judge 'human')"),
        (
            TEST,
            2,
            "expected rows of 'frequency' in this file, got one of 'temporal' (task 'temporal', judge 'kinematic-1')",
        ),
    ]


def test_shards_and_names(folder):
    (folder / TEST).rename(folder / "data/frequency/test-00001-of-00002.parquet")
    (folder / TRAIN).rename(folder / "data/frequency/all.parquet")
    problems = {file: problem for file, _, problem in found(validate_folder(folder)) if file != "README.md"}
    lost = "data/frequency/test-00000-of-00002.parquet"
    assert problems == {
        "data/frequency/all.parquet": "expected a name like data/<part>/<split>-00000-of-00001.parquet, part one of "
        "integrity, temporal, frequency, overall, human, split one of train, test.",
        "data/frequency/test-00001-of-00002.parquet": f"expected 2 shards of frequency/test, but {lost} is not there.",
    }
    cards = [problem for file, _, problem in found(validate_folder(folder)) if file == "README.md"]
    assert "no config loads data/frequency/all.parquet." in cards


def test_the_readme(folder):
    readme = folder / "README.md"
    text = readme.read_text()
    readme.unlink()
    assert only(validate_folder(folder))[2].startswith("expected a README.md whose YAML says which files")
    for broken in ("no header", "---\nconfigs: [\n---\n", "---\nlicense: mit\n---\n", "---\nconfigs:\n- a\n---\n"):
        readme.write_text(broken)
        file, _, problem = only(validate_folder(folder))
        assert file == "README.md" and problem.startswith("expected "), problem
    readme.write_text(
        "---\nconfigs:\n- config_name: all\n  data_files:\n  - {split: train, path: ['data/*/train-*', ../x]}\n"
        f"  - {{split: train, path: {TEST}}}\n  - {{split: test, path: data/overall/*.parquet}}\n---\n"
    )
    assert [problem for _, _, problem in found(validate_folder(folder))] == [
        "config 'all', split 'train': '../x' is no file of the folder.",
        f"config 'all': expected files of the split 'train', got {TEST}.",
        "config 'all', split 'test': 'data/overall/*.parquet' is no file of the folder.",
    ]
    readme.write_text(text)
    assert validate_folder(folder).ok


def test_leftovers_and_links(folder, tmp_path):
    (folder / "data/human/.train-x1y2.parquet").write_bytes(b"half")
    (folder / "data/human/train.parquet.incomplete").write_bytes(b"half")
    (folder / ".gitattributes").write_text("*.parquet filter=lfs\n")
    outside = tmp_path / "outside.md"
    outside.write_text("secret")
    os.symlink(outside, folder / "notes.md")
    os.symlink(tmp_path / "nowhere", folder / "gone.md")
    os.symlink(folder / "README.md", folder / "inside.md")
    problems = {file: problem for file, _, problem in found(validate_folder(folder))}
    assert set(problems) == {
        "data/human/.train-x1y2.parquet",
        "data/human/train.parquet.incomplete",
        "notes.md",
        "gone.md",
    }
    assert "never finished" in problems["data/human/.train-x1y2.parquet"]
    assert problems["notes.md"] == f"expected a file of the folder, got a link to {outside}."


def test_a_download_of_the_hub_is_links_and_fine(folder, tmp_path):
    snapshot = tmp_path / "datasets--me--x" / "snapshots" / "abc"
    blobs = tmp_path / "datasets--me--x" / "blobs"
    blobs.mkdir(parents=True)
    for i, path in enumerate(sorted(path for path in folder.rglob("*") if path.is_file())):
        path.rename(blobs / str(i))
        link = snapshot / path.relative_to(folder)
        link.parent.mkdir(parents=True, exist_ok=True)
        os.symlink(os.path.relpath(blobs / str(i), link.parent), link)
    assert validate_folder(snapshot).ok


def annotations(folder: Path) -> Path:
    prompts = [{"prompt_id": f"p{i}", "prompt": f"a man jumps {i} times", "task": "frequency"} for i in range(3)]
    samples = [{"prompt_id": f"p{i}", "sample": s, "codes": [s, 2], "model": "m"} for i in range(3) for s in range(2)]
    verdicts = [{"prompt_id": c["prompt_id"], "sample": c["sample"], "score": 4.0 + c["sample"]} for c in samples]
    for part, records in (("prompts", prompts), ("candidates", samples), ("verdicts", verdicts)):
        write_lines(folder / part / "00000.jsonl", records)
    return folder


def test_good_annotations(tmp_path):
    validation = validate_folder(annotations(tmp_path))
    assert validation.ok and validation.kind == "annotations"
    assert validation.counts == {"prompts": 3, "candidates": 6, "verdicts": 6, "votes": 0}


def test_all_faults_of_annotations(tmp_path):
    annotations(tmp_path)
    write_lines(
        tmp_path / "prompts/00000.jsonl",
        [{"prompt_id": "p0", "prompt": "a"}, {"prompt_id": "p1", "prompt": " "}, {"prompt_id": "p2", "prompt": "c"}],
    )
    with (tmp_path / "candidates/00000.jsonl").open("a") as file:
        file.write(
            '{"prompt_id": "p0", "sample": 2, "codes": [999]}\n{"prompt_id": "p9", "sample": 0, "codes": [1]}\n'
        )
    with (tmp_path / "verdicts/00000.jsonl").open("a") as file:
        file.write('{"prompt_id": "p0", "sample": 2, "score": 3}\n{"prompt_id": "p0", "sample": 7, "score": 3}\n{"pro')
    write_lines(tmp_path / "votes/00001.jsonl", [])
    faults = found(validate_folder(tmp_path))
    assert faults == [
        ("candidates/00000.jsonl", 7, "expected codes from 0 to 511, got [999]."),
        ("candidates/00000.jsonl", 8, "there is no prompt 'p9' in prompts/00000.jsonl."),
        ("prompts/00000.jsonl", 2, "expected a prompt, got an empty one."),
        ("verdicts/00000.jsonl", 8, "'p0' has no candidate with sample 7."),
        ("verdicts/00000.jsonl", 9, faults[4][2]),
        ("votes/00001.jsonl", None, "expected prompts/00001.jsonl beside it, but it is not there."),
    ]  # what is said of the empty prompt p1, and of the refused candidate 2, are no faults of their own
    assert faults[4][2].endswith("The line has no end: the file is cut off.")


def test_a_missing_file_of_annotations_is_one_fault(tmp_path):
    annotations(tmp_path)
    (tmp_path / "candidates/00000.jsonl").unlink()
    assert only(validate_folder(tmp_path)) == (
        "candidates/00000.jsonl",
        None,
        "expected a JSON Lines file, but there is none of this name.",
    )


def test_what_is_collected_is_what_is_raised(tmp_path):
    annotations(tmp_path)
    with (tmp_path / "verdicts/00000.jsonl").open("a") as file:
        file.write("[]\n")
    with pytest.raises(ValueError, match="expected a JSON object") as error:
        list(read_annotations(tmp_path))
    file, number, problem = only(validate_folder(tmp_path))
    assert str(error.value) == f"{tmp_path / file}, row {number}: {problem}"
    assert len(list(read_annotations(tmp_path, on_fault=lambda error: None))) == 3


def test_annotations_with_a_prompt_in_two_splits(tmp_path):
    annotations(tmp_path)
    write_lines(
        tmp_path / "prompts/00000.jsonl",
        [{"prompt_id": f"p{i}", "prompt": "a man jumps", "split": ("train", "test")[i % 2]} for i in range(3)],
    )
    assert "'a man jumps' in one split, but it is in train and in test" in only(validate_folder(tmp_path))[2]


def test_labels_of_instructmotion_and_atom(folder, tmp_path):
    from atom_hf.data.exporters import write_instructmotion

    labels = tmp_path / "im"
    write_instructmotion(labels, [row(i) for i in range(30)])
    validation = validate_folder(labels)
    assert validation.ok and validation.kind == "InstructMotion" and validation.counts == {"pairs": 30, "prompts": 30}
    lines = (labels / "preference_labels.jsonl").read_text().splitlines()
    broken = [json.dumps(json.loads(line) | {"prompt": ""}) for line in lines[:25]]
    (labels / "preference_labels.jsonl").write_text("\n".join([*broken, *lines[25:]]) + "\n")
    faults = found(validate_folder(labels))
    assert [(file, number) for file, number, _ in faults] == [("preference_labels.jsonl", i) for i in range(1, 26)]
    assert len({problem for _, _, problem in faults}) == 1 and faults[0][2].startswith("expected")
    (tmp_path / "atom").mkdir()
    labels.rename(tmp_path / "atom/temporal")
    validation = validate_folder(tmp_path / "atom")
    assert validation.kind == "AToM" and len(validation.faults) == 25
    assert validation.faults[0].file == "temporal/preference_labels.jsonl"


def test_faults_inside_archives(tmp_path):
    (tmp_path / "made/temporal").mkdir(parents=True)
    (tmp_path / "made/temporal/preference_labels.jsonl").write_text("{}\n[]\n")
    (tmp_path / "data").mkdir()
    archive = Path(shutil.make_archive(str(tmp_path / "data/all"), "zip", tmp_path / "made"))
    for path, file in (
        (archive, "temporal/preference_labels.jsonl"),
        (archive.parent, "all.zip: temporal/preference_labels.jsonl"),
    ):
        validation = validate_folder(path)
        assert [fault[:2] for fault in validation.faults] == [(file, 1), (file, 2)]
        assert validation.faults[0].problem.startswith("expected ")
    archive.write_bytes(archive.read_bytes()[:40])
    assert only(validate_folder(archive))[:2] == ("all.zip", None)
    assert only(validate_folder(archive.parent))[:2] == ("all.zip", None)


def test_no_such_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="expected a folder of preference data, but there is no such folder"):
        kind_of(tmp_path / "x")
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError, match="but it is a file"):
        kind_of(tmp_path / "file")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=r"expected MotionPrefer \(data/.*but it is empty\."):
        validate_folder(tmp_path / "empty")
    with pytest.raises(ValueError, match=r"but it has empty/, file\."):
        validate_folder(tmp_path)


def test_without_datasets(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(ImportError, match=r'Parquet needs datasets.*pip install "atom_hf\[train\]"'):
        validate_folder(folder)
