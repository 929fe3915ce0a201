"""The Parquet folder: what `load_dataset` makes of it offline, what is refused, nothing half written."""

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("datasets")

import pyarrow.parquet as pq
from datasets import get_dataset_config_names, load_dataset
from huggingface_hub.utils import filter_repo_objects

from atom_hf.data.build import rows_of
from atom_hf.data.card import CardFacts
from atom_hf.data.folder import num_codes_of, push_motionprefer, write_motionprefer
from atom_hf.data.pairs import PairReport, PairRule
from atom_hf.data.parts import PARTS, part_of
from atom_hf.data.places import BusyError
from atom_hf.data.schema import faults, features
from atom_hf.data.validate import validate_folder
from tests.data.made_annotations import make_row, write_annotations


@pytest.fixture(scope="module")
def annotations(tmp_path_factory) -> Path:
    return write_annotations(tmp_path_factory.mktemp("annotations"))


@pytest.fixture(scope="module")
def folder(annotations, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("written") / "motionprefer"
    summary = write_motionprefer(rows_of(annotations), folder)
    assert summary.folder == folder and summary.rows == len(list(rows_of(annotations)))
    return folder


@pytest.fixture
def load(tmp_path):
    return lambda folder, *args, **options: load_dataset(
        str(folder), *args, cache_dir=None if options.get("streaming") else str(tmp_path / "cache"), **options
    )


def rows(*numbers: int, split: str = "train", **changes: Any) -> list[tuple[str, dict[str, Any]]]:
    return [(split, make_row(number, **changes)) for number in numbers]


def tree(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# Reading -------------------------------------------------------------------------------------------------------------


def test_layout(folder):
    names = sorted(tree(folder))
    assert names[0] == "README.md"
    assert set(names[1:]) == {
        f"data/{part}/{split}-00000-of-00001.parquet" for part in PARTS for split in ("train", "test")
    }
    assert get_dataset_config_names(str(folder)) == ["integrity", "temporal", "frequency", "human", "all"]


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("config", [None, "integrity", "temporal", "frequency", "human", "all"])
def test_every_configuration_has_its_rows_in_their_order(folder, annotations, load, config, streaming):
    parts = PARTS if config in (None, "all") else (config,)
    made = list(rows_of(annotations))
    data = load(folder, *filter(None, [config]), streaming=streaming)
    assert list(data) == ["train", "test"]
    for split in ("train", "test"):
        expected = [row for part in parts for of, row in made if of == split and part_of(row) == part]
        read = list(data[split])
        assert [row["id"] for row in read] == [row["id"] for row in expected] and expected
        assert data[split].features == features()
        for one, other in zip(read, expected, strict=True):
            assert one == other | {  # scores are stored as float32
                name: other[name] and pytest.approx(other[name], rel=1e-6)
                for name in ("chosen_score", "rejected_score")
            }
            assert faults(one) == []


def test_no_prompt_is_in_both_splits(folder, load):
    data = load(folder)
    train, test = ({row["prompt"][0]["content"] for row in data[split]} for split in ("train", "test"))
    assert train and test and not train & test


def test_only_what_has_rows_is_named(tmp_path, load):
    write_motionprefer(rows(1, 2), tmp_path / "x")
    assert get_dataset_config_names(str(tmp_path / "x")) == ["temporal", "all"]
    data = load(tmp_path / "x")
    assert list(data) == ["train"] and data["train"]["id"] == ["p00001/0-1", "p00002/0-1"]


def test_shards_and_row_groups(tmp_path, load):
    summary = write_motionprefer(rows(*range(23)), tmp_path / "x", rows_per_group=3, rows_per_file=10)
    files = sorted((tmp_path / "x" / "data" / "temporal").iterdir())
    assert [file.name for file in files] == [f"train-0000{i}-of-00003.parquet" for i in range(3)]
    groups = [
        [meta.row_group(i).num_rows for i in range(meta.num_row_groups)] for meta in map(pq.read_metadata, files)
    ]
    assert groups == [[3, 3, 3, 1], [3, 3, 3, 1], [3]]
    assert load(tmp_path / "x", split="train")["prompt_id"] == [f"p{i:05d}" for i in range(23)]
    assert (summary.files, summary.prompts) == (3, 23)
    assert summary.num_bytes == sum(file.stat().st_size for file in files)
    assert str(summary).splitlines() == [
        f"{(tmp_path / 'x').resolve()}: 23 pairs of 23 prompts in 3 files",
        "  temporal: 23 train",
    ]


def test_same_rows_give_the_same_bytes(annotations, folder, tmp_path):
    write_motionprefer(rows_of(annotations), tmp_path / "motionprefer")
    assert tree(tmp_path / "motionprefer") == tree(folder)


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("config", ["temporal", "all"])
def test_rewritten_rows_are_read(tmp_path, load, config, streaming):
    """Of files of one name and one size, too: `datasets` keeps what it read, and looks at the card alone."""
    sizes = set()
    for judge in ("kinematic-1", "kinematic-2", "kinematic-1"):
        summary = write_motionprefer(rows(1, 2, judge=judge), tmp_path / "x", overwrite=True)
        sizes.add(summary.num_bytes)
        read = load(tmp_path / "x", config, split="train", streaming=streaming)
        assert {row["judge"] for row in read} == {judge}
    assert len(sizes) == 1
    write_motionprefer(rows(1, 2, 3, judge="other"), tmp_path / "x", overwrite=True)
    read = load(tmp_path / "x", config, split="train", streaming=streaming)
    assert [row["judge"] for row in read] == ["other"] * 3


def test_folders_of_one_name_have_rows_of_their_own(tmp_path, load):
    for name in "ab":
        write_motionprefer(rows(1, judge=name), tmp_path / name / "x")
        assert load(tmp_path / name / "x", split="train")["judge"] == [name]


def test_another_codebook(tmp_path):
    write_motionprefer(rows(1, num_codes=16), tmp_path / "x", num_codes=16)
    assert num_codes_of(tmp_path / "x") == 16 and num_codes_of(tmp_path) == 512
    assert "a codebook of 16" in (tmp_path / "x" / "README.md").read_text(encoding="utf-8")
    with pytest.raises(ValueError, match=r"expected the motion text of chosen_codes"):
        write_motionprefer(rows(1, num_codes=16), tmp_path / "y")


def test_filter_of_the_card_leaves_skipped_pairs_out(tmp_path, load):
    made = rows(1, 2) + rows(3, degree="skipped")
    write_motionprefer(made, tmp_path / "x")
    pairs = load(tmp_path / "x", split="train").filter(lambda degree: degree != "skipped", input_columns="degree")
    assert pairs["prompt_id"] == ["p00001", "p00002"]


# What is refused -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "text"),
    [
        ([], "Expected at least one pair, got none"),
        (rows(1, split="dev"), "Row 1: expected a split, one of train, test, got 'dev'"),
        ([*rows(1), ("train", make_row(2) | {"margin": 1.0})], "Row 2, id 'p00002/0-1': margin: expected 3 for"),
        ([("train", {"id": "x"})], "Row 1, id 'x': columns missing: prompt_id"),
        ([*rows(1, 2), *rows(1)], "Row 3: the id 'p00001/0-1' stands in an earlier row too"),
        (
            [*rows(1), *rows(1, split="test", id="other")],
            "Row 2, id 'other': expected prompt_id 'p00001' in one split, but it is in train and in test",
        ),
        (
            [*rows(1), *rows(2, split="test", prompt="PERSON 1, waves!")],
            r"Row 2, id 'p00002/0-1': expected prompt 'PERSON 1, waves!' in one split, but it is in train and in test",
        ),
    ],
)
@pytest.mark.parametrize("before", [None, "empty", "older"])
def test_a_fault_leaves_the_folder_as_it_was(tmp_path, made, text, before):
    folder = tmp_path / "x"
    if before == "empty":
        folder.mkdir()
    elif before == "older":
        write_motionprefer(rows(7), folder)
    old = tree(tmp_path)
    with pytest.raises(ValueError, match=text):
        write_motionprefer(made, folder, overwrite=True)
    assert tree(tmp_path) == old
    assert [path.name for path in tmp_path.iterdir()] == ([] if before is None else ["x"])


@pytest.mark.parametrize("item", [None, make_row(1), ("train", None), ("train", make_row(1), 3)])
def test_what_is_no_split_and_row(tmp_path, item):
    with pytest.raises(TypeError, match="Row 1: expected a split and a row, as rows_of has them, got "):
        write_motionprefer([item], tmp_path / "x")


def test_nothing_left_says_why(tmp_path):
    report = PairReport(prompts=3, left_out=Counter({"of equal scores": 7}))
    with pytest.raises(ValueError, match=r"got none; .*\n0 pairs of 0 of 3 prompts\n  left out: 7 of equal") as error:
        write_motionprefer([], tmp_path / "x", facts=CardFacts(report=report, rule=PairRule(1.5)))
    assert "a smaller min_gap (it is 1.5), a smaller min_score (it is 3), or more motions" in str(error.value)


def test_a_place_that_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError, match=r"file/x: expected a place to write, but .*file is a file"):
        write_motionprefer(rows(1), tmp_path / "file" / "x")
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(
        PermissionError, match=rf"{tmp_path}/a/x: expected a place .* {tmp_path} is read-only"
    ) as error:
        write_motionprefer(rows(1), tmp_path / "a" / "x")
    assert "x-" not in str(error.value) and not (tmp_path / "a").exists()


def test_two_runs_at_once(tmp_path):
    def second():
        yield from rows(1)
        with pytest.raises(BusyError, match=r"x: another run is at work on it; wait until it is done"):
            write_motionprefer(rows(2), tmp_path / "x")

    write_motionprefer(second(), tmp_path / "x")
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
    assert validate_folder(tmp_path / "x").counts["rows"] == 1


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_stop_leaves_nothing(tmp_path, error):
    def stopped():
        yield from rows(*range(5))
        raise error

    with pytest.raises(error):
        write_motionprefer(stopped(), tmp_path / "x", rows_per_group=2)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten_silently(tmp_path):
    folder = tmp_path / "x"
    write_motionprefer(rows(1), folder)
    old = tree(folder)
    asked = []
    with pytest.raises(FileExistsError, match="pass overwrite=True to replace a MotionPrefer in it"):
        write_motionprefer((asked.append(row) or row for row in rows(2)), folder)
    assert tree(folder) == old and asked == []  # known before the first row is made


def test_overwriting_replaces_all_files_and_keeps_git(tmp_path, load):
    folder = tmp_path / "x"
    write_motionprefer(rows(*range(20)), folder, rows_per_group=2, rows_per_file=4)
    (folder / ".git").mkdir()
    (folder / ".git" / "HEAD").write_text("ref", encoding="utf-8")
    write_motionprefer(rows(3), folder, overwrite=True)
    assert sorted(tree(folder)) == [".git/HEAD", "README.md", "data/temporal/train-00000-of-00001.parquet"]
    assert load(folder, split="train")["prompt_id"] == ["p00003"]
    assert [path.name for path in tmp_path.iterdir() if path.name != "cache"] == ["x"]


_KILLED = """
import os, sys
from pathlib import Path
from atom_hf.data.folder import write_motionprefer
from tests.data.made_annotations import make_row
folder, moment = Path(sys.argv[1]), sys.argv[2]
rename, count = Path.rename, 0
def killed(path, target):
    result = rename(path, target)
    if moment == "between renamings" and Path(target).name == "before":
        os._exit(9)
    if moment == "before .git is moved" and Path(target) == folder:
        os._exit(9)
    return result
Path.rename = killed
def rows():
    yield "train", make_row(2)
    if moment == "among rows":
        os._exit(9)
write_motionprefer(rows(), folder, overwrite=True, rows_per_group=1)
"""


@pytest.mark.skipif(os.name != "posix", reason="locks are those of POSIX")
@pytest.mark.parametrize("moment", ["among rows", "between renamings", "before .git is moved"])
def test_killed_while_it_replaced_a_folder(tmp_path, moment):
    """The older data is put back, nothing stays beside it, and what others keep there is not touched."""
    folder = tmp_path / "x"
    write_motionprefer(rows(1), folder)
    (folder / ".git").mkdir()
    (folder / ".git" / "HEAD").write_text("ref", encoding="utf-8")
    old = tree(folder)
    (tmp_path / ".x-mine0000").mkdir()
    (tmp_path / ".x-mine0000" / "notes.txt").write_text("mine")
    run = [sys.executable, "-c", _KILLED, str(folder), moment]
    assert subprocess.run(run, env=os.environ | {"PYTHONPATH": os.getcwd()}, check=False).returncode == 9
    assert len(list(tmp_path.glob(".x-????????"))) == 2
    with pytest.raises(ValueError, match="got none"):
        write_motionprefer([], folder, overwrite=True)
    new = {"README.md", ".git/HEAD", "data/temporal/train-00000-of-00001.parquet"}
    assert tree(folder) == old if moment != "before .git is moved" else set(tree(folder)) == new
    assert sorted(path.name for path in tmp_path.iterdir()) == [".x-mine0000", "x"]
    write_motionprefer(rows(3), folder, overwrite=True)
    assert set(tree(folder)) == new


def test_a_folder_without_its_data_is_replaced(tmp_path, load):
    write_motionprefer(rows(1), tmp_path / "x")
    next((tmp_path / "x").rglob("*.parquet")).unlink()
    write_motionprefer(rows(2), tmp_path / "x", overwrite=True)
    assert load(tmp_path / "x", split="train")["prompt_id"] == ["p00002"]


@pytest.mark.parametrize("name", ["notes.txt", "data/temporal/notes.txt", "data/mine/train.parquet"])
def test_what_is_not_ours_is_never_replaced(tmp_path, name):
    folder = tmp_path / "x"
    write_motionprefer(rows(1), folder)
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text("mine", encoding="utf-8")
    with pytest.raises(FileExistsError, match=f"only a MotionPrefer is replaced, and it holds {name}"):
        write_motionprefer(rows(2), folder, overwrite=True)
    assert (folder / name).read_text(encoding="utf-8") == "mine"


def test_a_folder_that_only_looks_like_ours(tmp_path):
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "README.md").write_text("mine", encoding="utf-8")
    with pytest.raises(FileExistsError, match="only a MotionPrefer is replaced, and no file in it says so"):
        write_motionprefer(rows(2), tmp_path / "x", overwrite=True)
    (tmp_path / "y").write_text("mine", encoding="utf-8")
    with pytest.raises(FileExistsError, match="expected a folder, but it is a file"):
        write_motionprefer(rows(2), tmp_path / "y", overwrite=True)
    assert tree(tmp_path) == {"x/README.md": b"mine", "y": b"mine"}


@pytest.mark.skipif(os.name != "posix", reason="permissions are those of POSIX")
def test_others_may_read_it(tmp_path):
    write_motionprefer(rows(1), tmp_path / "x")
    umask = os.umask(0)
    os.umask(umask)
    for path in [tmp_path / "x", *(tmp_path / "x").rglob("*")]:
        assert path.stat().st_mode & 0o777 == (0o777 if path.is_dir() else 0o666) & ~umask, path


# Pushing -------------------------------------------------------------------------------------------------------------


class FakeApi:
    """What `HfApi` is asked for."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []

    def __call__(self, token: Any = None) -> "FakeApi":
        self.calls.append(("token", token))
        return self

    def create_repo(self, repo_id: str, **options: Any) -> SimpleNamespace:
        self.calls.append(("create_repo", options))
        return SimpleNamespace(repo_id=f"me/{repo_id}")

    def create_branch(self, repo_id: str, **options: Any) -> None:
        self.calls.append(("create_branch", options))

    def upload_folder(self, **options: Any) -> SimpleNamespace:
        self.calls.append(("upload_folder", options))
        return SimpleNamespace(commit_url="https://hub/commit", pr_url="https://hub/pr")


@pytest.fixture
def hub(monkeypatch) -> FakeApi:
    api = FakeApi()
    monkeypatch.setattr("huggingface_hub.HfApi", api)
    return api


def test_push(folder, hub, caplog, capsys):
    assert push_motionprefer(folder, "data", private=True, token="hf_secret", revision="v2") == "https://hub/commit"
    calls = dict(hub.calls)
    assert calls["token"] == "hf_secret"
    assert calls["create_repo"] == {"repo_type": "dataset", "private": True, "exist_ok": True}
    assert calls["create_branch"] == {"repo_type": "dataset", "branch": "v2", "exist_ok": True}
    upload = calls["upload_folder"]
    assert (upload["repo_id"], upload["repo_type"], upload["folder_path"]) == ("me/data", "dataset", folder)
    assert upload["revision"] == "v2"
    on_hub = ["README.md", ".gitattributes", "data/human/train-00001-of-00002.parquet"]
    assert list(filter_repo_objects(on_hub, allow_patterns=upload["delete_patterns"])) == on_hub[2:]
    sent = list(filter_repo_objects([*tree(folder), "notes.txt"], allow_patterns=upload["allow_patterns"]))
    assert sorted(sent) == sorted(tree(folder))
    assert "hf_secret" not in caplog.text + "".join(capsys.readouterr())


def test_push_as_a_pull_request(folder, hub):
    assert push_motionprefer(folder, "data", create_pr=True) == "https://hub/pr"
    assert [name for name, _ in hub.calls] == ["token", "create_repo", "upload_folder"]


def test_faults_are_not_pushed(tmp_path, hub):
    write_motionprefer(rows(*range(3)), tmp_path / "x")
    (path,) = (tmp_path / "x").rglob("*.parquet")
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ValueError, match="without faults, nothing was uploaded") as error:
        push_motionprefer(tmp_path / "x", "data")
    assert "train-00000-of-00001.parquet" in str(error.value) and hub.calls == []


def test_annotations_are_not_pushed(annotations, hub):
    with pytest.raises(ValueError, match="Expected a folder of MotionPrefer without faults"):
        push_motionprefer(annotations, "data")
    assert hub.calls == []


# Training ------------------------------------------------------------------------------------------------------------


def test_the_python_of_the_card(folder, tmp_path, monkeypatch):
    """Loading, filtering, and a step of TRL's own DPO trainer, as the card has them."""
    pytest.importorskip("trl")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    code = "\n".join(re.findall(r"```python\n(.*?)```", (folder / "README.md").read_text(encoding="utf-8"), re.DOTALL))
    few = 'max_steps=1, per_device_train_batch_size=4, report_to="none", save_strategy="no"'
    code = code.replace("path/to/motionprefer", str(folder)).replace("beta=0.1", f"beta=0.1, {few}")
    code = code.replace("train_dataset=pairs)", "train_dataset=pairs.select(range(4)))")
    code = code.replace("DPOTrainer(model,", "trainer = DPOTrainer(model,").replace(").train()", ")\ntrainer.train()")
    names: dict[str, Any] = {}
    exec(code, names)
    pairs, trainer = names["pairs"], names["trainer"]
    assert "skipped" not in pairs["degree"] and next(iter(names["test"]))["task"] == "integrity"
    log = trainer.state.log_history[-1]
    assert log["train_loss"] == pytest.approx(25.0, rel=1e-3)  # (0 - 1 / 2β)², as the policy is the reference
    row = trainer.train_dataset[0]
    assert {"prompt_ids", "chosen_ids", "rejected_ids"} <= set(row), list(row)
    assert len(row["chosen_ids"]) == len(pairs[0]["chosen_codes"]) + 3  # start, end, </s>
