"""The builder: the rows of the Parquet folder in their order, whatever the source; changed options and files count."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("datasets")

import numpy as np
from datasets import load_dataset

from atom_hf.data.build import rows_of, shards_of, source_of
from atom_hf.data.builder import MotionPrefer
from atom_hf.data.faults import AnnotationError
from atom_hf.data.folder import write_motionprefer
from atom_hf.data.json_lines import write_lines
from atom_hf.data.pairs import PairReport, PairRule
from atom_hf.data.schema import CONFIGS, features
from tests.data.made_annotations import write_annotations


def write_instructmotion(folder: Path, rows: int = 30) -> Path:
    """InstructMotion's layout, made up here."""
    (folder / "tokens").mkdir(parents=True)
    lines = []
    for i in range(rows):
        for j in (1, 2):
            np.save(folder / "tokens" / f"{i}_{j}_token.npy", np.array([[i, j, 7]]))
        degree = ("Much better", "Slightly better", "skipped")[i % 3]
        choice = "skipped" if degree == "skipped" else f"sample_{i % 2 + 1}"
        samples = {f"sample_{j}": {"features": f"x/features/{i}_{j}.npy", "seed": j} for j in (1, 2)}
        chosen = [{"choice": choice, "degree of preference": degree, "user": "u"}]
        lines.append({"id": i, "prompt": f"a man does thing {i // 2}"} | samples | {"chosen": chosen})
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / "preference_labels.jsonl").write_text(text, encoding="utf-8")
    return folder


def write_atom(folder: Path) -> Path:
    for task in ("integrity", "temporal"):
        write_instructmotion(folder / task)
    return folder


SOURCES = {"annotations": write_annotations, "instructmotion": write_instructmotion, "atom": write_atom}


@pytest.fixture(scope="module", params=SOURCES)
def source(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def labels(source, tmp_path_factory) -> Path:
    return SOURCES[source](tmp_path_factory.mktemp(source) / "labels")


@pytest.fixture(scope="module")
def folder(labels, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("written") / "motionprefer"
    write_motionprefer(rows_of(labels), folder)
    return folder


@pytest.fixture(scope="module")
def annotations(tmp_path_factory) -> Path:
    return write_annotations(tmp_path_factory.mktemp("annotations"))


def prepared(*args: Any, num_proc: int | None = None, **options: Any) -> Any:
    builder = MotionPrefer(*args, **options)
    builder.download_and_prepare(num_proc=num_proc)
    return builder.as_dataset()


@pytest.mark.parametrize("config", CONFIGS)
def test_builder_and_folder_have_the_same_rows(source, labels, folder, config, tmp_path):
    assert source_of(labels) == source
    try:
        read = load_dataset(str(folder), config, cache_dir=str(tmp_path / "cache"))
    except ValueError as error:
        assert "not found" in str(error)
        with pytest.raises(ValueError, match=f"expected at least one pair for the configuration '{config}'"):
            MotionPrefer(config, data_dir=labels, cache_dir=str(tmp_path)).as_streaming_dataset()
        return
    built = prepared(config, data_dir=labels, cache_dir=str(tmp_path))
    streamed = MotionPrefer(config, data_dir=labels, cache_dir=str(tmp_path)).as_streaming_dataset()
    read_streaming = load_dataset(str(folder), config, streaming=True)
    assert list(built) == list(read) == list(streamed) == list(read_streaming) == ["train", "test"]
    for split in read:
        assert built[split].features == streamed[split].features == read[split].features == features()
        rows = list(read[split])
        assert rows and all(list(other[split]) == rows for other in (built, streamed, read_streaming))


def test_several_processes_give_the_same_rows(annotations, tmp_path):
    one = prepared(data_dir=annotations, cache_dir=str(tmp_path / "1"))
    two = prepared(data_dir=annotations, cache_dir=str(tmp_path / "2"), num_proc=2)
    assert all(list(one[split]) == list(two[split]) for split in one)


def test_all_is_the_default(annotations, tmp_path):
    assert MotionPrefer(data_dir=annotations, cache_dir=str(tmp_path)).config.name == "all"


def test_shards(annotations):
    shards = shards_of(annotations, parts=("temporal", "human"))
    expected = [(part, f"0000{piece}") for part in ("temporal", "human") for piece in range(3)]
    assert shards["train"] == expected and set(shards["test"]) <= set(expected)


def test_prompts_keep_their_own_split(annotations):
    splits = {row["prompt_id"]: split for split, row in rows_of(annotations, test_share=0.0)}
    own = {f"p{i:05d}" for i in range(0, 40, 7)}
    assert {name for name, split in splits.items() if split == "test"} == own & splits.keys() != set()


def test_report_counts_each_prompt_once(annotations):
    report = PairReport()
    rows = list(rows_of(annotations, report=report))
    assert report.prompts == 40 and report.pairs == len(rows)
    assert report.paired == len({row["prompt_id"] for _, row in rows}) and report.unscored == {"no answer": 16}


def test_options_reach_the_pairs(annotations, tmp_path):
    options = {"min_gap": 1.5, "min_score": 4.5, "max_pairs": 1, "test_share": 0.5, "split_seed": 3}
    built = prepared("temporal", data_dir=annotations, cache_dir=str(tmp_path), **options)
    expected = rows_of(annotations, PairRule(1.5, 4.5, 1), test_share=0.5, split_seed=3, parts=("temporal",))
    ids = {"train": [], "test": []}
    for split, row in expected:
        ids[split].append(row["id"])
    assert {split: list(built[split]["id"]) for split in built} == ids and all(ids.values())
    assert min(built["train"]["chosen_score"]) > 4.5


def test_import_options_reach_the_importer(tmp_path):
    labels = write_instructmotion(tmp_path / "labels")
    (labels / "tokens" / "4_1_token.npy").unlink()
    with pytest.raises(AnnotationError, match=r"row 5: expected codes at tokens/4_1_token.npy"):
        MotionPrefer(data_dir=labels, cache_dir=str(tmp_path)).as_streaming_dataset()
    with pytest.warns(UserWarning, match="left out"):
        built = prepared(data_dir=labels, cache_dir=str(tmp_path), import_options={"on_fault": "skip"})
    assert sum(map(len, built.values())) == 29


# The cache is never stale --------------------------------------------------------------------------------------------


def config_id(folder: Path, cache: Path, *args: Any, **options: Any) -> str:
    return MotionPrefer(*args, data_dir=folder, cache_dir=str(cache), **options).config_id


@pytest.mark.parametrize(
    "options",
    [
        {"min_gap": 0.6},
        {"min_score": 2.0},
        {"max_pairs": 3},
        {"test_share": 0.2},
        {"split_seed": 1},
        {"num_codes": 1024},
        {"source": "annotations"},
        {"import_options": {"on_fault": "skip"}},
    ],
)
def test_options_have_caches_of_their_own(annotations, tmp_path, options):
    assert config_id(annotations, tmp_path, **options) != config_id(annotations, tmp_path)


def test_the_same_options_share_a_cache(annotations, tmp_path, monkeypatch):
    plain = config_id(annotations, tmp_path)
    assert config_id(annotations, tmp_path, "all", min_gap=0.5, max_pairs=4) == plain
    monkeypatch.chdir(annotations.parent)
    assert config_id(Path(annotations.name), tmp_path) == plain


@pytest.mark.parametrize("change", ["edit", "touch", "add", "remove"])
def test_changed_files_are_noticed(tmp_path, change):
    folder = write_annotations(tmp_path / "annotations")
    before = prepared(data_dir=folder, cache_dir=str(tmp_path / "cache"))
    old = config_id(folder, tmp_path)
    votes = folder / "votes" / "00000.jsonl"
    if change == "edit":  # the same length, so that only the time tells
        votes.write_text(votes.read_text(encoding="utf-8").replace('"ann"', '"eve"'), encoding="utf-8")
    elif change == "touch":
        os.utime(votes, ns=(1, 1))
    elif change == "add":
        write_lines(folder / "prompts" / "00009.jsonl", [])
        write_lines(folder / "candidates" / "00009.jsonl", [])
    else:
        votes.unlink()
    assert config_id(folder, tmp_path) != old
    after = prepared(data_dir=folder, cache_dir=str(tmp_path / "cache"))
    same = all(list(before[split]) == list(after[split]) for split in before)
    assert same == (change in ("touch", "add"))


# What is refused -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"data_dir": "nowhere"}])
def test_without_labels(tmp_path, monkeypatch, options):
    monkeypatch.chdir(tmp_path)
    builder = MotionPrefer(cache_dir=str(tmp_path), **options)
    for use in (builder.as_streaming_dataset, builder.download_and_prepare):
        with pytest.raises(FileNotFoundError, match=r"Pass data_dir: a folder of raw annotations \(prompts/\*.jsonl"):
            use()


def test_data_files_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"takes a folder, not data_files. Pass data_dir"):
        MotionPrefer(data_files="x.jsonl", cache_dir=str(tmp_path))


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"min_gap": -1.0}, "min_gap is above 0"),
        ({"test_share": 2.0}, "test_share is a share of the prompts, from 0 to 1, got 2.0"),
        ({"source": "csv"}, "source is one of annotations, instructmotion, atom, or None to find out, got 'csv'"),
        ({"config_name": "overall"}, "'overall' not found. Available"),
        ({"speed": 1}, "doesn't have a 'speed' key"),
    ],
)
def test_options_that_are_none(annotations, tmp_path, options, text):
    with pytest.raises(ValueError, match=text):
        MotionPrefer(data_dir=annotations, cache_dir=str(tmp_path), **options)


def test_parquet_needs_no_builder(folder, tmp_path):
    with pytest.raises(ValueError, match=r"it is MotionPrefer already; use datasets.load_dataset"):
        MotionPrefer(data_dir=folder, cache_dir=str(tmp_path)).as_streaming_dataset()


def test_no_pair_at_all(annotations, tmp_path):
    builder = MotionPrefer("frequency", data_dir=annotations, cache_dir=str(tmp_path), min_gap=4.0, min_score=4.99)
    empty = not list(rows_of(annotations, PairRule(4.0, 4.99), parts=("frequency",)))
    assert not empty  # the data has a 5 and a 1 somewhere, so that the next lines test something else
    builder.as_streaming_dataset()
    write_lines(tmp_path / "a" / "prompts" / "00000.jsonl", [{"prompt_id": "p", "prompt": "a man"}])
    write_lines(tmp_path / "a" / "candidates" / "00000.jsonl", [])
    with pytest.raises(ValueError, match=r"another configuration .* or a smaller min_gap \(0.5\) or min_score \(3\)"):
        MotionPrefer(data_dir=tmp_path / "a", cache_dir=str(tmp_path)).as_streaming_dataset()


@pytest.mark.parametrize(
    ("prompts", "text"),
    [
        (["a man", "a man"], "the id 'p' stands in 00000.jsonl, row 1 too"),
        (["A man!", "a  man"], "in one split, but it is in train and in test"),
    ],
)
def test_prompts_are_checked_across_pieces(tmp_path, prompts, text):
    splits = ("train", "test") if "split" in text else (None, None)
    for i, (prompt, split) in enumerate(zip(prompts, splits, strict=True)):
        record = {"prompt_id": f"p{i}" if split else "p", "prompt": prompt} | ({"split": split} if split else {})
        write_lines(tmp_path / "a" / "prompts" / f"0000{i}.jsonl", [record])
        write_lines(tmp_path / "a" / "candidates" / f"0000{i}.jsonl", [])
    with pytest.raises(AnnotationError, match=text):
        list(rows_of(tmp_path / "a"))
    with pytest.raises(AnnotationError, match=text):
        MotionPrefer(data_dir=tmp_path / "a", cache_dir=str(tmp_path)).as_streaming_dataset()


def test_no_torch():
    import subprocess
    import sys

    code = (
        "import sys, atom_hf.data.builder, atom_hf.data.folder; "
        "print(*[name for name in ('torch', 'transformers', 'trl') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == []
