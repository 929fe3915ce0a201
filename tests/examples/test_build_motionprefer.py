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


# In this process -----------------------------------------------------------------------------------------------------


@pytest.fixture
def build(on_cpu, tmp_path, capsys):
    """Runs the example with what is given, and returns what it printed."""
    from build_motionprefer import BuildConfig, main
    from prompts import PromptConfig

    def run(prompts=4, test_share=0.5, prompts_file=None, overall_share=0.0, **options):
        options = {"candidates": 3, "piece": 2, "min_gap": 0.1, "output_dir": str(tmp_path / "out")} | options
        asked = PromptConfig(prompts, prompts_file, test_share, overall_share)
        main(BuildConfig(**options), asked)
        return capsys.readouterr().out

    return run


def test_the_dataset_is_made_anew_when_it_has_to_be(build, tmp_path):
    out, cache = tmp_path / "out", str(tmp_path / "cache")
    assert "Look at it" in build()
    assert "is there already" in build()
    before = files(out / "dataset")
    for path in (out / "dataset").rglob("*.parquet"):
        path.unlink()
    assert "Look at it" in build() and files(out / "dataset") == before
    rows = load_dataset(str(out / "dataset"), cache_dir=cache)
    vote = {"prompt_id": "p00000", "first": 0, "second": 1, "choice": "first", "degree": "better", "voter": "v"}
    (out / "annotations" / "votes").mkdir()
    (out / "annotations" / "votes" / "00000.jsonl").write_text(json.dumps(vote) + "\n")
    assert "Look at it" in build()
    more = load_dataset(str(out / "dataset"), cache_dir=cache)
    assert more["train"].num_rows == rows["train"].num_rows + 1 and "human" in more["train"]["judge"]
    verdicts = out / "annotations" / "verdicts" / "00001.jsonl"
    old = verdicts.read_bytes()
    verdicts.unlink()
    assert "is there already" in build() and verdicts.read_bytes() == old
    records = [json.loads(line) for line in old.splitlines()]
    verdicts.write_text("".join(json.dumps(record | {"score": 1.0}) + "\n" for record in records))
    assert "Look at it" in build()


@pytest.mark.slow
def test_prompts_that_all_three_tasks_judge_together(build, tmp_path):
    build(prompts=6, overall_share=1.0)
    annotations = tmp_path / "out" / "annotations"
    prompts = [json.loads(line) for file in (annotations / "prompts").iterdir() for line in file.open()]
    verdicts = [json.loads(line) for file in (annotations / "verdicts").iterdir() for line in file.open()]
    assert {prompt["task"] for prompt in prompts} == {"overall"}
    for verdict in verdicts:
        raw = verdict["raw"]
        mean = (raw["integrity"] + raw["temporal"] + raw["frequency"]) / 3
        assert verdict["score"] == pytest.approx(1 + 4 * mean)


def test_a_mistyped_model_does_not_stick(build, tmp_path):
    with pytest.raises(OSError, match="no/such_model"):
        build(model="no/such_model")
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_changed_file_of_prompts_is_noticed(build, tmp_path):
    from prompts import PromptConfig, write_prompts

    prompts = tmp_path / "prompts.txt"
    prompts.write_text("".join(f"{prompt['prompt']}\n" for prompt in write_prompts(PromptConfig(prompts=6))))
    build(prompts_file=str(prompts), min_score=0.0)
    (tmp_path / "elsewhere").mkdir()
    moved = prompts.rename(tmp_path / "elsewhere" / "prompts.txt")
    assert "is there already" in build(prompts_file=str(moved), min_score=0.0)
    moved.write_text("a person jumps three times\n" + moved.read_text())
    with pytest.raises(
        ValueError, match=r"other settings: prompts_file was 'prompts.txt, sha256 .* and is 'prompts.txt"
    ):
        build(prompts_file=str(moved), min_score=0.0)


def test_nothing_left_says_why(build):
    with pytest.raises(ValueError, match="two motions of a prompt, got --candidates 1"):
        build(candidates=1)
    with pytest.raises(ValueError, match=r"got none.*\n(.*\n)+ *left out: .*\n(.*\n)*More pairs come from a smaller"):
        build(min_gap=4.0, min_score=4.99)


def asked(path, **options):
    from prompts import PromptConfig, settings_of, write_prompts

    config = PromptConfig(prompts_file=str(path), **options)
    settings_of(config)
    return write_prompts(config)


def test_files_of_prompts(on_cpu, tmp_path):
    path = tmp_path / "prompts.TXT"
    path.write_bytes(b"\xef\xbb\xbfa man jumps\r\n\r\na man waves\r\n")
    assert [prompt["prompt"] for prompt in asked(path)] == ["a man jumps", "a man waves"]
    path = tmp_path / "prompts.JSONL"
    scenario = {"task": "frequency", "events": [{"action": "jump", "count": 2}]}
    records = [
        {"prompt_id": "mine", "prompt": "up"},
        {"prompt": "a man jumps twice", "scenario": json.dumps(scenario)},
    ]
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    mine, second = asked(path, test_share=0.0)
    assert mine == {"prompt_id": "mine", "prompt": "up", "task": "overall", "scenario": None, "split": "train"}
    assert second["task"] == "frequency" and second["scenario"]["events"][0]["count"] == 2


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("p.csv", b"a man", r"p.csv: expected .txt \(a prompt a line\) or .jsonl .*, got .csv; rename it"),
        ("p.json", b"[]", "got .json"),
        ("p.txt", None, "but there is no such file"),
        ("p.txt", b"a man \xe9\n", "p.txt: expected text in UTF-8, but .*; save it as UTF-8"),
        (
            "p.jsonl",
            b'{"text": "a man"}',
            "p.jsonl, row 1: expected 'prompt', what the person does, got None beside t",
        ),
        ("p.jsonl", b'{"prompt": " "}', "row 1: expected 'prompt'"),
        ("p.jsonl", b'{"prompt": "a", "task": "x"}', "row 1: expected a task, one of integrity, .*, got 'x'"),
        ("p.jsonl", b'\n{"prompt": "a", "split": "dev"}', "row 2: expected a split, one of train, test, got 'dev'"),
        ("p.jsonl", b'{"prompt": "a", "scenario": "jump"}', "row 1: Not the JSON of a scenario"),
        ("p.jsonl", b'{"prompt": "a", "scenario": [1]}', "row 1: Not a scenario"),
        ("p.jsonl", b'{"prompt": "a", "scenario": {"events": [{"action": "fly"}]}}', "row 1: "),
    ],
)
def test_files_that_are_no_prompts(on_cpu, tmp_path, name, content, text):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=text):
        asked(tmp_path / name)


def test_other_faults_of_prompts(on_cpu, tmp_path):
    (tmp_path / "p.txt").mkdir()
    with pytest.raises(ValueError, match=r"expected a .txt or .jsonl file of prompts, but there is a folder"):
        asked(tmp_path / "p.txt")
    for share in (2, -1):
        with pytest.raises(ValueError, match=f"--test_share is a share of the prompts, from 0 to 1, got {share}"):
            asked(tmp_path / "p.txt", test_share=share)


@pytest.mark.slow
def test_other_settings_are_refused(whole):
    process = start("--output_dir", whole[0], *OPTIONS, "--seed", 7)
    output = process.communicate()[0]
    assert process.returncode == 1
    assert "begun with other settings: seed was 0 and is 7" in output and "Traceback" not in output


@pytest.mark.slow
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
