"""`atom-hf data`, as a user types it."""

import json
import sys
from pathlib import Path

import pytest

pytest.importorskip("datasets")

from atom_hf.cli import main
from atom_hf.data.folder import write_motionprefer
from atom_hf.data.schema import pair_row
from atom_hf.motion import Motion
from tests.data.made_annotations import write_annotations


def data(*words: object) -> int:
    return main(["data", *map(str, words)])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = []
    for i in range(6):
        row = pair_row(
            prompt_id=f"p{i}",
            prompt=f"a man jumps {i} times <b>\x1b[2J",
            task=("temporal", "frequency")[i % 2],
            chosen={"codes": [5, 6, i], "score": 5.0, "model": "m"},
            rejected={"codes": [7, 8], "score": 2.0 + 1 / 3, "model": "m"},
            degree="skipped" if i == 5 else "much better",
            judge="kinematic-1",
        )
        rows.append(("test" if i == 4 else "train", row))
    write_motionprefer(rows, tmp_path / "pairs")
    return tmp_path / "pairs"


def test_validate(folder, capsys):
    assert data("validate", folder) == 0
    assert capsys.readouterr().out == f"{folder}: MotionPrefer, 3 files, 6 rows, 6 prompts\nNo faults.\n"
    (folder / "README.md").unlink()
    (folder / "data/temporal/train-00000-of-00001.parquet").write_bytes(b"PAR1")
    assert data("validate", folder, "--limit", 1) == 1
    text = capsys.readouterr().out
    assert "2 faults in 2 files; 1 is listed, --limit 2 lists all" in text and "What to do\n  - " in text


def test_validate_takes_the_codebook_from_the_files(folder, tmp_path, capsys):
    row = pair_row(
        prompt_id="p",
        prompt="a man jumps",
        task="overall",
        chosen={"codes": [1000]},
        rejected={"codes": [7]},
        degree="better",
        judge="j",
        num_codes=1024,
    )
    write_motionprefer([("train", row)], tmp_path / "large", num_codes=1024)
    assert data("validate", tmp_path / "large") == 0
    assert data("validate", tmp_path / "large", "--num-codes", 512) == 1
    assert "expected codes from 0 to 511, got [1000]" in capsys.readouterr().out
    assert data("validate", tmp_path / "large", "--num-codes", 0) == 1
    assert "--num-codes is at least 1, got 0" in capsys.readouterr().err


@pytest.mark.parametrize("step", ["validate", "stats"])
def test_what_is_no_data(step, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("x")
    for name, words in (("x", "no such folder"), ("empty", "it is empty"), ("file", "it is a file")):
        assert data(step, tmp_path / name) == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith(f"atom-hf data: {tmp_path / name}: expected ") and words in line


def test_without_datasets(folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    for words in (["validate", folder], ["stats", folder], ["export", folder, tmp_path / "x", "--format", "trl"]):
        assert data(*words) == 1
        assert 'pip install "atom_hf[train]"' in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_stats(folder, tmp_path, capsys):
    assert data("stats", folder) == 0
    text = capsys.readouterr().out
    assert "6 pairs of 6 prompts (1.0 a prompt on average), 16.7% skipped" in text
    assert data("stats", folder, "--json", "--out", tmp_path / "out") == 0
    printed = capsys.readouterr()
    stats = json.loads(printed.out)
    assert stats == json.loads((tmp_path / "out/stats.json").read_text()) and stats["pairs"] == 6
    assert "stats.json" in printed.err
    assert data("stats", folder, "--sheets", 2) == 1
    assert "--sheets writes pictures; say where with --out FOLDER" in capsys.readouterr().err
    assert data("stats", folder, "--sheets", -1, "--out", tmp_path) == 1


def test_sheets(folder, tmp_path, capsys, monkeypatch, walk):
    image_module = pytest.importorskip("PIL.Image")

    class Model:
        def decode_motion(self, codes):
            return [Motion(walk[: 4 * len(row)]) for row in codes]

    monkeypatch.setattr("atom_hf.cli.data._load_model", lambda options: Model())
    assert data("stats", folder, "--out", tmp_path / "look", "--sheets", 2) == 0
    assert "pictures of 2 pairs" in capsys.readouterr().out
    names = sorted(path.name for path in (tmp_path / "look").iterdir())
    assert names == [
        "000-temporal-much-better.png",
        "001-frequency-much-better.png",
        "stats.json",
    ]
    with image_module.open(tmp_path / "look" / names[0]) as image:
        width, height = image.size
        pixels = image.convert("RGB")
        edge = [pixels.getpixel((3, y)) for y in range(height)]
        assert (35, 134, 78) in edge and (186, 60, 53) in edge  # green for chosen, above red for rejected
        assert edge.index((35, 134, 78)) < edge.index((186, 60, 53)) and width > 1500
        assert len(pixels.getcolors(1 << 24)) > 200  # somebody is in it


def test_export_and_import(folder, tmp_path, capsys):
    labels, back = tmp_path / "labels", tmp_path / "back"
    assert data("export", folder, labels, "--format", "instructmotion") == 0
    assert capsys.readouterr().out == f"{folder} → {labels}: 6 pairs\n"
    assert data("import", labels, back, "--test-share", 0.5) == 0
    text = capsys.readouterr().out
    assert text.startswith(f"{labels} (InstructMotion): 6 pairs of 6 of 6 prompts\n") and f"{back}: 6 pairs" in text
    assert data("validate", back) == 0
    assert data("import", labels, back) == 1
    assert "expected an empty folder" in capsys.readouterr().err
    assert data("import", labels, back, "--overwrite", "--test-share", 0) == 0
    assert not list(back.glob("data/*/test-*"))
    assert data("import", back, tmp_path / "again") == 1
    assert "is MotionPrefer already" in capsys.readouterr().err


def test_import_leaves_out_what_cannot_be_used(folder, tmp_path, capsys):
    labels = tmp_path / "labels"
    assert data("export", folder, labels, "--format", "instructmotion") == 0
    lines = (labels / "preference_labels.jsonl").read_text().splitlines()
    (labels / "preference_labels.jsonl").write_text("\n".join(["{", *lines[1:]]) + "\n")
    capsys.readouterr()
    assert data("validate", labels) == 1
    assert "  row 1  expected a JSON object" in capsys.readouterr().out
    assert data("import", labels, tmp_path / "strict", "--strict") == 1
    assert "row 1: expected a JSON object" in capsys.readouterr().err and not (tmp_path / "strict").exists()
    assert data("import", labels, tmp_path / "back") == 0
    text = capsys.readouterr().out
    assert "5 pairs of 5 of 5 prompts" in text and "left out: 1 in a line that is no JSON" in text


def test_export_for_trl(folder, tmp_path, capsys):
    assert data("export", folder, tmp_path / "train.jsonl", "--format", "trl", "--split", "train") == 0
    assert capsys.readouterr().out.endswith("train.jsonl: 4 pairs; left out: 1 that people skipped\n")
    lines = (tmp_path / "train.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 4 and set(json.loads(lines[0])) == {"prompt", "chosen", "rejected"}


def test_export_of_features(folder, tmp_path, capsys):
    pytest.importorskip("torch")
    import numpy as np

    assert data("export", folder, tmp_path / "out", "--format", "features") == 0
    assert "5 pairs; left out: 1 that people skipped" in capsys.readouterr().out
    first = json.loads((tmp_path / "out/pairs.jsonl").read_text().splitlines()[0])
    assert np.load(tmp_path / "out" / first["chosen"]).shape == (12, 263)  # three codes of four frames


def test_export_for_trl_replaces_nothing_by_itself(folder, tmp_path, capsys):
    target, card = tmp_path / "train.jsonl", (folder / "README.md").read_bytes()
    assert data("export", folder, target, "--format", "trl") == 0
    before = target.read_bytes()
    for words, text in (
        (
            (folder, target),
            f"{target}: expected the name of a new file, but it is there; choose another name, or pass --o",
        ),
        (
            (folder, folder / "README.md", "--overwrite"),
            "README.md: expected the name of a new file, but it is there; ch",
        ),
        ((folder, folder), f"{folder}: expected a file to write, but it is a folder; name a file in it, such as "),
        ((folder, target, "--overwrite", "--format", "instructmotion"), "--overwrite is for --format trl"),
    ):
        assert data("export", "--format", "trl", *words) == 1
        assert text in capsys.readouterr().err
    assert target.read_bytes() == before and (folder / "README.md").read_bytes() == card
    assert data("export", folder, target, "--format", "trl", "--split", "test", "--overwrite") == 0
    assert len(target.read_text().splitlines()) == 1


def test_export_of_nothing(folder, tmp_path, capsys):
    for path in folder.glob("data/*/test-*"):
        path.unlink()
    assert data("export", folder, tmp_path / "x.jsonl", "--format", "trl", "--split", "test") == 1
    assert "Expected at least one pair to write, got none." in capsys.readouterr().err
    assert not list(tmp_path.glob("*x*"))


@pytest.mark.parametrize("step", ["import", "export"])
def test_a_place_that_cannot_be_written(folder, tmp_path, capsys, monkeypatch, step):
    words = ("--format", "trl") if step == "export" else ()
    source = folder if step == "export" else write_annotations(tmp_path / "annotations")
    monkeypatch.setattr("os.access", lambda path, mode: False)
    assert data(step, source, tmp_path / "out", *words) == 1
    assert f"{tmp_path}/out: expected a place to write, but {tmp_path} is read-only" in capsys.readouterr().err


def test_import_says_why_nothing_is_left(folder, tmp_path, capsys):
    labels = tmp_path / "labels"
    assert data("export", folder, labels, "--format", "instructmotion") == 0
    for path in (labels / "tokens").iterdir():
        path.unlink()
    assert data("import", labels, tmp_path / "x") == 1
    text = capsys.readouterr().err
    assert "left out: 6 with a token file that is not there" in text and "row 1: expected codes at tokens/" in text
    annotations = write_annotations(tmp_path / "annotations")
    (annotations / "votes" / "00000.jsonl").unlink()
    for name in ("00001", "00002"):
        (annotations / "votes" / f"{name}.jsonl").unlink()
    assert data("import", annotations, tmp_path / "x", "--min-gap", 4, "--min-score", 4.99) in (0, 1)
    capsys.readouterr()
    for path in (annotations / "verdicts").iterdir():
        path.unlink()
    assert data("import", annotations, tmp_path / "y", "--min-gap", 4) == 1
    text = capsys.readouterr().err
    assert (
        "unscored: 160 no verdict" in text and "a smaller --min-gap (it is 4), a smaller --min-score (it is 3)" in text
    )


def test_the_rule_of_annotations(tmp_path, capsys):
    annotations = write_annotations(tmp_path / "annotations")
    counts = []
    for words in ((), ("--min-gap", 2), ("--max-pairs", 1)):
        assert data("import", annotations, tmp_path / "x", "--overwrite", *words) == 0
        counts.append(int(capsys.readouterr().out.split(": ")[1].split(" pairs")[0]))
    assert counts[0] > counts[1] > 0 and counts[0] > counts[2] > 0
    card = (tmp_path / "x" / "README.md").read_text(encoding="utf-8")
    assert "at most 1 pairs of a prompt" in card and "Pair rule" not in card


def test_cures_are_options_of_the_command(folder, tmp_path, capsys):
    labels, unnamed = tmp_path / "labels", tmp_path / "unnamed"
    assert data("export", folder, labels, "--format", "instructmotion") == 0
    lines = (labels / "preference_labels.jsonl").read_text().splitlines()
    records = [{k: v for k, v in json.loads(line).items() if k != "task"} for line in lines]
    (labels / "preference_labels.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    (unnamed / "x").mkdir(parents=True)
    labels.rename(unnamed / "x" / "y")
    assert data("import", unnamed, tmp_path / "a", "--strict") == 1
    text = capsys.readouterr().err
    assert (
        "say it with --task" in text and "without --strict such rows are left out" in text and "on_fault" not in text
    )
    assert data("import", unnamed, tmp_path / "a", "--task", "dancing") == 1
    assert "task is one of integrity" in capsys.readouterr().err
    assert data("import", unnamed, tmp_path / "a", "--task", "temporal") == 0
    assert data("import", unnamed, tmp_path / "a", "--task", "temporal") == 1
    text = capsys.readouterr().err
    assert "--overwrite replaces a MotionPrefer in it" in text and "overwrite=True" not in text
    assert data("import", unnamed / "x" / "y", tmp_path / "b", "--task", "temporal") == 1
    assert "--task is for AToM" in capsys.readouterr().err


def test_the_help_says_what_raises(capsys):
    with pytest.raises(SystemExit):
        data("import", "--help")
    assert "raw annotations are your own, and the first fault in them stops" in capsys.readouterr().out


@pytest.mark.parametrize("step", ["validate", "stats", "import", "export"])
def test_help_has_examples(step, capsys):
    with pytest.raises(SystemExit) as stop:
        data(step, "--help")
    text = capsys.readouterr().out
    assert stop.value.code == 0 and text.count(f"atom-hf data {step} ") >= 3  # usage, and two examples


def test_who_judged_annotations_stands_on_the_card(tmp_path, capsys):
    annotations = write_annotations(tmp_path / "annotations")
    file = annotations / "judge.json"
    file.write_text(json.dumps({"judge": "eyes, temporal-1", "calibration": "not to be relied on", "layout": "sheet"}))
    assert data("import", annotations, tmp_path / "x") == 0
    card = (tmp_path / "x" / "README.md").read_text(encoding="utf-8")
    assert "eyes, temporal-1" in card and "not to be relied on" in card
    file.write_text("[1]")
    assert data("import", annotations, tmp_path / "y") == 1
    assert "judge.json: expected who judged, as atom-hf annotate writes it" in capsys.readouterr().err
