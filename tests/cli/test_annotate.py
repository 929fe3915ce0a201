"""`atom-hf annotate`, as a user types it: motion files and annotations in, verdicts out, nothing paid twice."""

import json
import random

import numpy as np
import pytest

from atom_hf.cli import main
from atom_hf.events import Scenario, synthesize
from tests.data.made_annotations import write_annotations
from tests.rewards.vlm.server import Reply, point, serving

KEY = "sk-not-to-be-written-0123456789abcdef"
VISION = ["--out", "v.jsonl", "--judge", "vlm"]
LAYOUT = ["--layout", "strip:frames=2,size=128x64"]
PROMPTS = {"a": "a person jumps twice", "b": "a person waves, then jumps", "deep/c": "a person does the tango"}


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


@pytest.fixture
def run(capsys):
    def call(*words):
        status = main(["annotate", *map(str, words)])
        out, err = capsys.readouterr()
        assert KEY not in out + err
        return status, out, err

    return call


@pytest.fixture
def folder(tmp_path):
    """Three motions without prompts."""
    made = tmp_path / "made"
    (made / "deep").mkdir(parents=True)
    for i, (name, prompt) in enumerate(PROMPTS.items()):
        scenario = Scenario.parse(prompt if name != "deep/c" else "a person walks forward")
        np.save(made / f"{name}.npy", synthesize(scenario, seed=i).joints)
    return made


@pytest.fixture
def captioned(folder):
    for name, prompt in PROMPTS.items():
        (folder / f"{name}.txt").write_text(f"{prompt}\n", encoding="utf-8")
    return folder


def rows(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def answer(asked):
    return Reply(point(score=random.Random(asked.question).randint(1, 5)))


def key_is_nowhere_in(folder):
    assert [path for path in folder.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()] == []


def test_the_kinematic_judge(captioned, tmp_path, run):
    np.save(captioned / "bad.npy", np.zeros((4, 3)))
    (captioned / "bad.txt").write_text("a person waves\n", encoding="utf-8")
    out, table = tmp_path / "x" / "verdicts.jsonl", tmp_path / "x" / "verdicts.parquet"
    status, said, err = run(captioned, "--out", out, table)
    assert status == 0 and "2 of 4 motions have a score, 5.00 of 5 on average" in said, err
    assert "1 without: cannot be read" in said and "1 without: The prompt is not understood" in said
    found = rows(out)
    assert [(row["name"], row["task"], row["score"]) for row in found] == [
        ("a", "frequency", 5.0),
        ("b", "temporal", 5.0),
        ("bad", "overall", None),
        ("deep/c", "overall", None),
    ]
    assert found[0]["judge"] == found[0]["rules_version"] == "kinematic-1" and found[0]["raw"]["frequency"] == 1
    assert found[0]["prompt"] == PROMPTS["a"] and found[2]["cause"].startswith("cannot be read: ")
    pq = pytest.importorskip("pyarrow.parquet")
    read = pq.read_table(table)
    assert read.column("score").to_pylist() == [5.0, 5.0, None, None]
    assert json.loads(read.schema.metadata[b"atom_hf"]) == {"judge": "kinematic-1"}
    assert json.loads(read.column("raw").to_pylist()[0]) == found[0]["raw"]
    status, _, err = run(captioned, "--out", out, table)
    assert status == 1 and "is there already. Choose another --out, or give --overwrite" in err
    assert run(captioned, "--out", out, table, "--overwrite", "--task", "integrity")[0] == 0
    assert {row["task"] for row in rows(out)} == {"integrity"}


def test_a_vision_judge_stopped_and_gone_on_with(captioned, tmp_path, run):
    out = tmp_path / "verdicts.jsonl"
    with serving(answer) as server:
        words = [captioned, "--judge", "vlm", "--base-url", server.url, "--concurrency", 1, *LAYOUT]
        status, said, err = run(*words, "--dry-run", "--out", out)
        assert status == 0 and said.startswith("3 motions: 3 requests") and "$0.0" in said and err == ""
        assert not list(tmp_path.glob("verdicts*")) and server.counts()["requests"] == 0
        status, said, err = run(*words, "--out", out, "--budget", 0.035)
        assert status == 1 and said == "" and not out.exists()
        assert "Before anything is asked: 3 requests" in err
        assert "The judge stopped: the budget of $0.035 is used up" in err and "Nothing is written;" in err
        paid = server.counts()["paid"]
        assert 0 < paid < 3
        status, said, err = run(*words, "--dry-run", "--out", out)
        assert f"{3 - paid} requests" in said and f"{paid} items are answered already" in said
        status, said, err = run(*words, "--out", out, "--budget", 1)
        assert status == 0 and "3 of 3 motions have a score" in said and "3 requests, 4,500 input" in said
        assert server.counts()["requests"] == 3
        assert run(*words, "--out", out, "--overwrite")[0] == 0 and server.counts()["requests"] == 3
    found = rows(out)
    assert [row["rules_version"] for row in found] == ["frequency-1", "temporal-1", "overall-1"]
    assert [json.loads(row["reply"])["score"] for row in found] == [row["score"] for row in found]
    assert found[0]["judge"] == "gpt-4o"
    key_is_nowhere_in(tmp_path)


@pytest.mark.parametrize("name", ["p.jsonl", "p.csv", "p.txt"])
def test_prompts_of_a_file(folder, tmp_path, run, name):
    """By name, whatever the order; a text file by the order of names."""
    path, out = tmp_path / name, tmp_path / "verdicts.jsonl"
    given = dict(reversed(PROMPTS.items()))
    if name == "p.jsonl":
        lines = [json.dumps({"name": f"{key}.npy", "prompt": text, "task": "temporal"}) for key, text in given.items()]
    elif name == "p.csv":
        lines = ["said,name", *(f'"{text}",{key}' for key, text in given.items())]
    else:
        lines = list(PROMPTS.values())
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    column = ["--column", "said"] if name == "p.csv" else []
    assert run(folder, "--prompts", path, *column, "--out", out)[0] == 0
    assert {row["name"]: row["prompt"] for row in rows(out)} == PROMPTS
    assert {row["task"] for row in rows(out)} == (
        {"temporal"} if name == "p.jsonl" else {"frequency", "temporal", "overall"}
    )


@pytest.mark.parametrize("name", ["p.jsonl", "p.csv", "p.txt"])
def test_separators_in_a_caption_do_not_cut_it(folder, tmp_path, run, name):
    """U+2028 and its like end no line of a file; neither does a caption that has the replacement character end it."""
    given = {key: f"a person jumps\u2028twice \x85 {key} \ufffd" for key in PROMPTS}
    if name == "p.jsonl":
        lines = [json.dumps({"name": key, "prompt": text}, ensure_ascii=False) for key, text in given.items()]
    elif name == "p.csv":
        lines = ["name,prompt", *(f"{key},{text}" for key, text in given.items())]
    else:
        lines = list(given.values())
    (tmp_path / name).write_text("\r\n".join(lines), encoding="utf-8", newline="")
    status, _, err = run(folder, "--prompts", tmp_path / name, "--out", tmp_path / "v.jsonl")
    assert status == 0, err
    found = (tmp_path / "v.jsonl").read_text(encoding="utf-8").split("\n")
    assert {row["name"]: row["prompt"] for row in map(json.loads, filter(None, found))} == given


def test_captions_in_latin_1_are_told(captioned, tmp_path, run):
    (captioned / "a.txt").write_bytes("une personne marche après\n".encode("latin-1"))
    status, out, err = run(captioned, "--out", tmp_path / "v.jsonl")
    assert status == 1 and out == "" and "the caption of 'a' is not in UTF-8" in err and "Save the file" in err


def test_two_commands_with_one_store(captioned, tmp_path, run):
    """The second says who is there, asks nothing and writes nothing."""
    from atom_hf.rewards.vlm import Store

    with serving(answer) as server, Store(tmp_path / "r.sqlite").writing():
        words = [captioned, "--judge", "vlm", "--base-url", server.url, "--store", tmp_path / "r.sqlite", *LAYOUT]
        status, _, err = run(*words, "--out", tmp_path / "v.jsonl")
    assert status == 1 and "r.sqlite is in use by another judge" in err and server.counts()["requests"] == 0
    assert not (tmp_path / "v.jsonl").exists()


def test_one_prompt_for_all_comes_before_captions(captioned, tmp_path, run):
    (tmp_path / "p.txt").write_text("a person jumps\n", encoding="utf-8")
    assert run(captioned, "--prompts", tmp_path / "p.txt", "--out", tmp_path / "v.jsonl")[0] == 0
    assert {row["prompt"] for row in rows(tmp_path / "v.jsonl")} == {"a person jumps"}


def test_annotations_by_another_judge(tmp_path, run):
    """A folder that a dataset can be made from, with the votes of people and the verdicts of this judge."""
    pytest.importorskip("transformers")
    source, out = write_annotations(tmp_path / "annotations", prompts=3, piece=2), tmp_path / "by_gpt4o"
    before = {path: path.read_bytes() for path in source.rglob("*.jsonl")}
    with serving(answer) as server:
        words = [source, "--judge", "vlm", "--base-url", server.url, *LAYOUT]
        status, _, err = run(*words, "--out", out, tmp_path / "v.jsonl")
        assert status == 0 and server.counts()["requests"] == 12, err
        assert run(*words, "--out", source)[0] == 1
        assert run(*words, "--out", source, "--overwrite")[0] == 1
    assert {path: path.read_bytes() for path in source.rglob("*.jsonl")} == before
    assert (out / "votes" / "00000.jsonl").read_bytes() == (source / "votes" / "00000.jsonl").read_bytes()
    assert json.loads((out / "judge.json").read_text()) == {"judge": "gpt-4o", "layout": "strip, 2 frames, 128x64"}
    from atom_hf.data.annotations import read_annotations

    made = list(read_annotations(out))
    assert [c.judge for prompt in made for c in prompt.candidates.values()] == ["gpt-4o"] * 12
    assert [c.rules_version for c in made[1].candidates.values()] == [f"{made[1].task}-1"] * 4
    listed = {(row["prompt_id"], row["sample"]): row["score"] for row in rows(tmp_path / "v.jsonl")}
    assert listed == {(p.prompt_id, c.sample): c.score for p in made for c in p.candidates.values()}
    key_is_nowhere_in(tmp_path)


def test_a_batch(captioned, tmp_path, run, monkeypatch):
    from atom_hf.rewards.vlm import batch

    monkeypatch.setattr(batch.time, "sleep", lambda seconds: None)
    with serving(answer) as server:
        words = [captioned, "--judge", "vlm", "--base-url", server.url, "--batch", *LAYOUT]
        status, said, err = run(*words, "--out", tmp_path / "v.jsonl")
    assert status == 0 and "3 of 3 motions have a score" in said, err
    assert server.outcomes["POST batches"] == 1 and server.counts()["paid"] == 3


def test_batches_of_all_tasks_are_waited_for_together(captioned, tmp_path, run, monkeypatch):
    """Two groups: what has a scenario, and what a task alone says."""
    from atom_hf.rewards.vlm import batch

    monkeypatch.setattr(batch.time, "sleep", lambda seconds: None)
    with serving(answer, batch_polls=2) as server:
        words = [captioned, "--judge", "vlm", "--base-url", server.url, "--batch", "--task", "integrity", *LAYOUT]
        status, _, err = run(*words, "--out", tmp_path / "v.jsonl")
        order = list(server.outcomes)
    assert status == 0, err
    assert server.outcomes["POST batches"] == 2 and server.counts()["paid"] == 3
    assert len(rows(tmp_path / "v.jsonl")) == 3 and order.index("POST batches") < order.index("GET batches")


def test_a_batch_that_is_not_taken(captioned, tmp_path, run, monkeypatch):
    with serving(answer) as server:
        monkeypatch.setattr(type(server), "_new_batch", lambda self, request: {}["x"])
        words = [captioned, "--judge", "vlm", "--base-url", server.url, "--batch", *LAYOUT]
        status, out, err = run(*words, "--out", tmp_path / "v.jsonl")
    assert status == 1 and out == "" and "The judge stopped: " in err and "could not be submitted" in err
    assert not (tmp_path / "v.jsonl").exists()


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ([], "Say where the verdicts go"),
        (["--out", "v.txt"], "v.txt: verdicts are written as .jsonl or .parquet, or into a folder"),
        (["--out", "v"], "--out v: expected .jsonl or .parquet; a folder is for verdicts on annotations"),
        (["--out", "v.jsonl", "v.jsonl"], "--out has the same place twice"),
        (["--out", "v.jsonl", "--batch"], "--batch is for --judge vlm"),
        (["--out", "v.jsonl", "--decoder", "x"], "--decoder is for annotations"),
        (["--out", "v.jsonl", "--calibration", "c.json"], "c.json: expected a calibration, but there is no such file"),
        (["--out", "v.jsonl", "--judge", "vlm", "--api-key-env", "NO_SUCH"], "environment variable NO_SUCH"),
        (["--out", "v.jsonl", "--judge", "vlm", "--model", "mine", "--budget", "1"], "no price for 'mine'"),
        (["--out", "v.jsonl", "--prompts", "p.doc"], "expected .jsonl, .csv or .txt, got .doc"),
        (["--out", "v.jsonl", "--prompts", "two.txt"], "expected a line for each of 3 motions"),
        (["--out", "v.jsonl", "--prompts", "part.csv"], "3 motions have no caption"),
        (["--out", "v.jsonl", "--prompts", "more.csv"], "there is no motion 'x'"),
        (["--out", "v.jsonl", "--prompts", "twice.csv"], "twice.csv, line 3: the name 'a' is there twice"),
        (["--out", "v.jsonl", "--prompts", "bad.jsonl"], "bad.jsonl, line 1: expected a JSON object"),
        (["--out", "v.jsonl", "--prompts", "task.jsonl"], "task.jsonl, line 1: expected a task"),
        (["--out", "v.jsonl"], "3 of 3 motions have no caption"),
        ([*VISION, "--temperature", "nan"], "The temperature is a number from 0 on"),
        ([*VISION, "--votes", "2"], "2 votes at temperature 0 are 2 times the same reply"),
        ([*VISION, "--model", ""], "Expected the model's name at the endpoint, got ''"),
        ([*VISION, "--budget", "nan"], "A budget is an amount of dollars above zero, got nan"),
        (
            [*VISION, "--budget", "1", "--prices", "nan.json"],
            "the input price of 'gpt-4o' is nan, no number from 0 on",
        ),
        ([*VISION, "--base-url", "localhost:8000"], "base_url is an address such as"),
        ([*VISION, "--tokens-per-minute", "nan"], "tokens_per_minute is above zero, got nan"),
        (
            [*VISION, "--store", "made", "--task", "overall", "--prompts", "one.txt"],
            "made is a folder; expected a file",
        ),
        (["--out", "v.jsonl", "--prompts", "latin.csv"], "latin.csv, line 3: expected UTF-8, got the byte 0xe9"),
        (["--out", "v.jsonl", "--prompts", "wide.txt"], "wide.txt, line 1: expected UTF-8, got UTF-16. Save the file"),
        (["--out", "v.jsonl", "--prompts", "long.csv"], "long.csv: expected a table of name and prompt, got none"),
    ],
)
def test_what_is_refused(words, text, folder, tmp_path, monkeypatch, run):
    files = {
        "two.txt": "a\nb\n",
        "part.csv": "name,prompt\nx,y\n",
        "more.csv": "name,prompt\na,x\nb,x\ndeep/c,x\nx,y\n",
        "twice.csv": "name,prompt\na,x\na.npy,x\n",
        "bad.jsonl": "[]\n",
        "task.jsonl": '{"name": "a", "prompt": "x", "task": "beauty"}\n',
        "p.doc": "x\n",
        "one.txt": "a person walks\n",
        "nan.json": '{"gpt-4o": {"input": NaN, "output": 1}}',
        "latin.csv": "name,prompt\na,x\nb,un café\n".encode("latin-1"),
        "wide.txt": "a person walks\n".encode("utf-16"),
        "long.csv": "name,prompt\na," + "x" * 200_000 + "\n",
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    monkeypatch.chdir(tmp_path)
    status, out, err = run(folder, *words)
    assert status == 1 and out == "" and text in err
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*files, "made"])


def test_folders_that_are_none(tmp_path, run):
    assert "there is no such folder" in run(tmp_path / "x", "--dry-run")[2]
    source = write_annotations(tmp_path / "annotations", prompts=1)
    assert "--fps is for motion files" in run(source, "--dry-run", "--fps", 20)[2]
    candidates = source / "candidates" / "00000.jsonl"
    candidates.write_text(candidates.read_text().replace("motiongpt_tiny", "MotionGPT-base"))
    assert "has motions of MotionGPT-base, whose codes only its own VQ-VAE decodes" in run(source, "--dry-run")[2]
