"""Prompts → candidates → verdicts → pairs → Parquet: resumable, the same however it is cut up, and loadable."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("trl")

from datasets import load_dataset

from atom_hf.data.builder import MotionPrefer

EXAMPLE = Path(__file__).parents[2] / "examples" / "build_motionprefer.py"
OPTIONS = ["--prompts", "8", "--candidates", "3", "--piece", "2", "--test_share", "0.5", "--min_gap", "0.1"]


def start(*options, command=(sys.executable,)):
    env = os.environ | {"PYTHONPATH": str(EXAMPLE.parents[1]), "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [*command, str(EXAMPLE), *map(str, options)],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(process):
    output = process.communicate(timeout=240)[0]
    assert process.returncode == 0, output
    return output


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """An undisturbed run, with what it printed."""
    folder = tmp_path_factory.mktemp("whole")
    return folder, finish(start("--output_dir", folder, *OPTIONS))


def test_load_dataset_and_builder_give_the_same_rows(whole, tmp_path):
    folder, output = whole
    assert "pairs of" in output and "left out" in output
    loaded = load_dataset(str(folder / "dataset"), cache_dir=str(tmp_path))
    builder = MotionPrefer(data_dir=str(folder / "annotations"), min_gap=0.1, cache_dir=str(tmp_path))
    builder.download_and_prepare()
    built = builder.as_dataset()
    assert set(loaded) == set(built) and sum(map(len, loaded.values())) > 4
    for split, rows in loaded.items():
        assert rows.to_list() == built[split].to_list()
        assert rows.features == built[split].features


def test_verdicts_say_why(whole):
    lines = (whole[0] / "annotations" / "verdicts" / "00000.jsonl").read_text().splitlines()
    verdicts = [json.loads(line) for line in lines]
    assert len(verdicts) == 6
    assert all(verdict["reason"] and verdict["judge"] == "kinematic-1" for verdict in verdicts)


def test_killed_and_started_again(whole, tmp_path):
    """Killed among the candidates, again among the verdicts, and finished by two processes: the same, byte by byte."""
    for part in ("candidates", "verdicts"):
        process = start("--output_dir", tmp_path, *OPTIONS)
        until = time.monotonic() + 120
        while process.poll() is None and time.monotonic() < until:
            if list((tmp_path / "annotations" / part).glob("[0-9]*.jsonl")):
                process.send_signal(signal.SIGKILL)
            time.sleep(0.005)
        process.communicate()
        assert process.returncode == -signal.SIGKILL
    done = files(tmp_path / "annotations")
    assert not (tmp_path / "dataset").exists()
    finish(start("--output_dir", tmp_path, *OPTIONS))
    after = files(tmp_path / "annotations")
    assert after == files(whole[0] / "annotations")
    assert all(after[name] == data for name, data in done.items() if not Path(name).name.startswith("."))
    assert files(tmp_path / "dataset") == files(whole[0] / "dataset")


@pytest.mark.slow
def test_two_processes_give_the_same(whole, tmp_path):
    config = EXAMPLE.parent / "accelerate_configs" / "cpu_2.yaml"
    command = (sys.executable, "-m", "accelerate.commands.launch", "--config_file", str(config))
    finish(start("--output_dir", tmp_path, *OPTIONS, command=command))
    for part in ("annotations", "dataset"):
        assert files(tmp_path / part) == files(whole[0] / part)


def test_other_settings_are_refused(whole):
    process = start("--output_dir", whole[0], *OPTIONS, "--seed", 7)
    output = process.communicate()[0]
    assert process.returncode == 1
    assert "begun with other settings: seed was 0 and is 7" in output


def test_own_prompts_and_sheets(tmp_path):
    prompts = tmp_path / "prompts.txt"
    prompts.write_text("a person walks forward\n\na man does the tango\n", encoding="utf-8")
    options = ("--prompts_file", prompts, "--candidates", 2, "--sheets", "true", "--min_gap", "0.1", "--min_score", 1)
    process = start("--output_dir", tmp_path / "out", *options)
    output = process.communicate()[0]
    records = [
        json.loads(line)
        for path in sorted((tmp_path / "out" / "annotations").rglob("0*.jsonl"))
        for line in path.read_text().splitlines()
    ]
    assert [record["task"] for record in records if "task" in record] == ["integrity", "overall"]
    unscored = [record for record in records if record.get("cause")]
    assert len(unscored) == 2 and "tango" in unscored[0]["cause"]
    assert len(list((tmp_path / "out" / "sheets").glob("*.jpg"))) == 4
    assert "pair" in output
