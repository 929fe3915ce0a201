"""Steps that can be stopped anywhere: no piece is done twice, and the result does not depend on who did it."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from atom_hf.data.faults import AnnotationError
from atom_hf.data.json_lines import read_lines
from atom_hf.data.places import BusyError
from atom_hf.data.stage import AnnotationStage

SETTINGS = {"model": "m", "seed": 0}


def prompts(count=5):
    return [{"prompt": f"a man jumps {i} times", "task": "frequency"} for i in range(count)]


def begun(folder, **processes):
    stage = AnnotationStage(folder, **processes)
    if stage.process_index == 0:
        stage.begin(SETTINGS, prompts, piece=2)
    return stage


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def made(stage, asked=None):
    def work(name):
        if asked is not None:
            asked.append(name)
        return [{"prompt_id": prompt["prompt_id"], "sample": 0, "codes": [3]} for prompt in stage.prompts(name)]

    return work


def test_steps_in_pieces(tmp_path):
    stage = begun(tmp_path)
    assert stage.prompts("00001")[0] == {"prompt_id": "p00002", "prompt": "a man jumps 2 times", "task": "frequency"}
    asked = []
    assert stage.run("candidates", made(stage, asked)) == 3
    assert stage.run("candidates", made(stage, asked)) == 0
    assert asked == ["00000", "00001", "00002"]
    rows = [record for name in asked for _, record in read_lines(tmp_path / "candidates" / f"{name}.jsonl")]
    assert [row["prompt_id"] for row in rows] == [f"p0000{i}" for i in range(5)]


def test_any_number_of_processes_gives_the_same_folder(tmp_path):
    alone = begun(tmp_path / "alone")
    alone.run("candidates", made(alone))
    for index in range(3):
        stage = begun(tmp_path / "three", process_index=index, num_processes=3)
        assert stage.run("candidates", made(stage)) == 1
    assert files(tmp_path / "alone") == files(tmp_path / "three")


def test_a_failing_piece_leaves_the_others(tmp_path):
    stage = begun(tmp_path)

    def work(name):
        if name == "00001":
            yield {"half": "done"}
            raise RuntimeError("the machine is on fire")
        yield from made(stage)(name)

    with pytest.raises(RuntimeError, match="on fire"):
        stage.run("candidates", work)
    assert stage.left("candidates") == ["00001", "00002"]
    assert not list((tmp_path / "candidates").glob("*00001*"))


def test_prompts_are_written_once(tmp_path):
    begun(tmp_path)
    AnnotationStage(tmp_path).begin(SETTINGS, lambda: pytest.fail("asked again"), piece=2)


def test_stopped_while_prompts_were_written(tmp_path):
    begun(tmp_path)
    before = files(tmp_path)
    (tmp_path / "settings.json").unlink()
    (tmp_path / "prompts" / "00002.jsonl").unlink()
    begun(tmp_path)
    assert files(tmp_path) == before


def test_what_cannot_be_begun(tmp_path):
    with pytest.raises(ValueError, match="at least one prompt, got none"):
        AnnotationStage(tmp_path).begin({}, list)
    with pytest.raises(ValueError, match="at least one prompt, got piece=0"):
        AnnotationStage(tmp_path).begin({}, prompts, piece=0)
    with pytest.raises(ValueError, match="process from 0 to 1, got 2"):
        AnnotationStage(tmp_path, 2, 2)
    stage = begun(tmp_path)
    stage.run("candidates", made(stage))
    del stage
    with pytest.raises(ValueError, match=r"other settings: seed was 0 and is 1\. Go on with those"):
        AnnotationStage(tmp_path).begin(SETTINGS | {"seed": 1}, prompts, piece=2)
    (tmp_path / "foreign" / "candidates").mkdir(parents=True)
    (tmp_path / "foreign" / "candidates" / "a.jsonl").write_text("")
    with pytest.raises(ValueError, match="annotations that were not begun here"):
        AnnotationStage(tmp_path / "foreign").begin(SETTINGS, prompts)


def test_what_a_stopped_beginning_left_is_gone(tmp_path):
    begun(tmp_path)
    (tmp_path / "settings.json").unlink()
    (tmp_path / "prompts" / ".00003-x1y2z3_a.jsonl").write_text("{")
    AnnotationStage(tmp_path).begin(SETTINGS, lambda: prompts(1), piece=2)
    assert [path.name for path in (tmp_path / "prompts").iterdir()] == ["00000.jsonl"]
    assert len(AnnotationStage(tmp_path).prompts("00000")) == 1
    (tmp_path / "settings.json").unlink()
    (tmp_path / "prompts" / "mine.jsonl").write_text("{}")
    with pytest.raises(ValueError, match=r"holds prompts of others, mine.jsonl; choose another folder"):
        AnnotationStage(tmp_path).begin(SETTINGS, prompts, piece=2)
    assert len(list((tmp_path / "prompts").iterdir())) == 2


def test_settings_may_change_until_something_is_made(tmp_path):
    begun(tmp_path)
    AnnotationStage(tmp_path).begin(SETTINGS | {"model": "corrected"}, lambda: prompts(2), piece=2)
    assert json.loads((tmp_path / "settings.json").read_text())["model"] == "corrected"
    assert [path.name for path in (tmp_path / "prompts").iterdir()] == ["00000.jsonl"]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"task": "dancing"}, "00000.jsonl, row 2: expected a task, one of integrity"),
        ({"split": "dev"}, "00000.jsonl, row 2: expected a split, one of train, test"),
        ({"prompt_id": "p00000"}, "00000.jsonl, row 2: the id 'p00000' stands in"),
        ({"prompt": "A man jumps 0 times!", "split": "test"}, "in one split, but it is in train and in test"),
    ],
)
def test_prompts_with_a_fault_are_not_begun(tmp_path, change, text):
    good = prompts(2)
    bad = [good[0] | {"split": "train"}, good[1] | change]
    with pytest.raises(AnnotationError, match=text):
        AnnotationStage(tmp_path).begin(SETTINGS, lambda: bad, piece=2)
    assert not list(tmp_path.rglob("*.json*"))
    AnnotationStage(tmp_path).begin(SETTINGS, lambda: good, piece=2)


@pytest.mark.parametrize("text", ["", "[]", "{"])
def test_broken_settings(tmp_path, text):
    begun(tmp_path)
    (tmp_path / "settings.json").write_text(text)
    with pytest.raises(ValueError, match=r"settings.json: expected the settings .*, a JSON object, got .* Restore it"):
        begun(tmp_path)


def test_a_place_that_cannot_be_written(tmp_path, monkeypatch):
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(PermissionError, match=rf"{tmp_path}/a/settings.json: .* {tmp_path} is read-only"):
        begun(tmp_path / "a")


@pytest.mark.skipif(os.name != "posix", reason="locks are those of POSIX")
def test_two_runs_in_one_folder(tmp_path):
    """The second is refused, whichever process of the first is still at work, and leaves its files alone."""
    stages = [begun(tmp_path, num_processes=2), AnnotationStage(tmp_path, 1, 2)]
    first, worker = stages
    worker.run("candidates", made(worker))

    def disturbed(name):
        with pytest.raises(BusyError, match=f"{tmp_path}: another run is at work on it"):
            begun(tmp_path)
        return made(stages[0])(name)

    assert first.run("candidates", disturbed) == 2
    del first, stages[0]
    with pytest.raises(BusyError):
        begun(tmp_path)
    del worker, stages[0]
    begun(tmp_path)


_WORKER = textwrap.dedent("""
    import sys, time
    from atom_hf.data.stage import AnnotationStage
    folder, log = sys.argv[1:]
    stage = AnnotationStage(folder)
    stage.begin({}, lambda: [{"prompt": f"walks {i}"} for i in range(40)], piece=2)
    def work(name):
        for prompt in stage.prompts(name):
            time.sleep(0.004)
            yield {"prompt_id": prompt["prompt_id"], "sample": 0, "codes": [len(prompt["prompt"])]}
        with open(log, "a") as file:
            file.write(name + "\\n")
    stage.run("candidates", work)
    print("done")
""")


def test_killed_at_any_moment(tmp_path):
    """Killed again and again, a run gives the folder of an undisturbed one; it repeats at most what was under way."""
    script = tmp_path / "worker.py"
    script.write_text(_WORKER)

    def start(name):
        command = [sys.executable, str(script), str(tmp_path / name), str(tmp_path / f"{name}.log")]
        return subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": os.getcwd()})

    assert start("whole").communicate()[0] == b"done\n"
    kills = 0
    while True:
        worker = start("killed")
        waited = time.monotonic() + 20
        before = len(list((tmp_path / "killed").glob("candidates/[0-9]*.jsonl")))
        while worker.poll() is None and time.monotonic() < waited and kills < 4:
            if len(list((tmp_path / "killed").glob("candidates/[0-9]*.jsonl"))) >= before + 3:
                worker.send_signal(signal.SIGKILL)
        worker.wait()
        if worker.returncode == 0:
            break
        assert worker.returncode == -signal.SIGKILL
        kills += 1
    assert kills >= 3
    assert files(tmp_path / "killed") == files(tmp_path / "whole")
    done = (tmp_path / "killed.log").read_text().split()
    assert sorted(set(done)) == [f"{i:05d}" for i in range(20)]
    assert len(done) <= 20 + kills  # a piece may be finished and lost between its last record and its renaming


def test_settings_are_plain_data(tmp_path):
    begun(tmp_path)
    assert json.loads((tmp_path / "settings.json").read_text()) == SETTINGS | {"piece": 2}
