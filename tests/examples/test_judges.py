"""A vision judge in the examples: paid once, stopped where its money ends, gone on with, and named on the card."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("trl")
pytest.importorskip("openai")

from judges import KINEMATIC_CALIBRATION, JudgeConfig, Judges

from atom_hf.motion import Motion
from atom_hf.rewards import JudgeItem
from atom_hf.rewards.annotating import Asked, JudgeStopped, annotate
from atom_hf.rewards.calibration import calibrate
from atom_hf.rewards.calibration_items import calibration_items
from atom_hf.rewards.kinematic import KinematicJudge
from atom_hf.rewards.vlm import Store
from tests.rewards.vlm.server import Reply, serving, varied

EXAMPLE = Path(__file__).parents[2] / "examples" / "build_motionprefer.py"
KEY = "sk-not-to-be-written-0123456789abcdef"
SMALL = {"judge": "vlm", "layout": "strip:frames=2,size=128x64"}


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


answer = varied(lambda asked: Reply())


def key_is_nowhere_in(folder, *texts):
    written = [path for path in Path(folder).rglob("*") if path.is_file()]
    assert written
    assert [path for path in written if KEY.encode() in path.read_bytes()] == []
    assert all(KEY not in text for text in texts)


@pytest.fixture(scope="module")
def candidates(on_cpu, tmp_path_factory):
    """Three pieces of two prompts with two motions each, and no verdicts."""
    from build_motionprefer import BuildConfig, main
    from prompts import PromptConfig

    folder = tmp_path_factory.mktemp("candidates")
    config = BuildConfig(str(folder), candidates=2, piece=2, min_gap=0.1)
    main(config, PromptConfig(6, test_share=0.0, overall_share=0.4))
    for path in (folder / "annotations" / "verdicts", folder / "dataset", folder / "judge"):
        shutil.rmtree(path)
    (folder / "dataset.json").unlink()
    return folder


@pytest.fixture
def build(candidates, tmp_path, capfd):
    """Runs the example over these motions with a judge; returns what it printed."""
    from build_motionprefer import BuildConfig, main
    from prompts import PromptConfig

    out = tmp_path / "out"
    shutil.copytree(candidates, out)

    def run(**options):
        config = BuildConfig(str(out), candidates=2, piece=2, min_gap=0.1, min_score=2.0)
        try:
            main(config, PromptConfig(6, test_share=0.0, overall_share=0.4), JudgeConfig(**(SMALL | options)))
        finally:
            said = "".join(capfd.readouterr())
            key_is_nowhere_in(out, said)
        return said

    return run


def verdicts(folder):
    files = sorted((folder / "annotations" / "verdicts").glob("[0-9]*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]


def test_a_dataset_by_a_vision_judge(build, tmp_path):
    out = tmp_path / "out"
    with serving(answer) as server:
        said = build(judge_url=server.url)
    assert "Before anything is asked: 12 requests" in said and "12 requests, 18,000 input" in said
    counts = server.counts()
    assert counts["requests"] == counts["questions"] == 12
    assert all(asked.headers["authorization"] == f"Bearer {KEY}" for asked in server.requests)
    records = verdicts(out)
    assert len(records) == 12 and all(json.loads(record["reply"])["score"] == record["score"] for record in records)
    tasks = {
        prompt["prompt_id"]: prompt["task"]
        for file in (out / "annotations" / "prompts").iterdir()
        for prompt in map(json.loads, file.open())
    }
    assert "overall" in tasks.values() and len(set(tasks.values())) > 1
    for record in records:
        assert (record["judge"], record["rules_version"]) == ("gpt-4o", f"{tasks[record['prompt_id']]}-1")
    card = (out / "dataset" / "README.md").read_text(encoding="utf-8")
    assert "the vision judge gpt-4o, which looks at pictures of the motions (strip, 2 frames, 128x64" in card
    assert "overall-1" in card and "not done for this judge" in card
    with serving(answer) as server:
        assert "is there already" in build(judge_url=server.url) and server.counts()["requests"] == 0


def test_it_stops_where_the_budget_ends_and_goes_on(build, tmp_path):
    with serving(answer) as server:
        with pytest.raises(JudgeStopped, match=r"The judge stopped: the budget of \$0.05 is used up .*--budget"):
            build(judge_url=server.url, budget=0.05, concurrency=2)
        done = verdicts(tmp_path / "out")
        assert len(done) in (4, 8) and not (tmp_path / "out" / "dataset").exists()
        assert server.tokens[0] * 2.5e-6 + server.tokens[1] * 10e-6 <= 0.05
        paid = server.counts()["paid"]
        assert len(done) <= paid < 12
        said = build(judge_url=server.url, budget=1.0, concurrency=4)
        assert f"{12 - paid} requests" in said and server.counts()["requests"] == 12
    assert len(verdicts(tmp_path / "out")) == 12 and verdicts(tmp_path / "out")[: len(done)] == done


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        (Reply(status=401, error={"message": f"no such key {KEY}"}), "does not take the key"),
        (Reply(status=429, error={"code": "insufficient_quota", "message": "pay"}), "account has no more money"),
        (Reply(status=404, error={"message": "no such model"}), "does not know the model or the address"),
        (Reply(status=403, error={"message": "not from there"}), "not one of 4 motions got an answer; rejected: "),
    ],
)
def test_what_is_no_fault_of_the_motions_stops_it(candidates, tmp_path, build, reply, text):
    with serving(lambda asked: reply) as server, pytest.raises(JudgeStopped, match=text):
        build(judge_url=server.url)
    assert verdicts(tmp_path / "out") == []


def test_motions_without_a_score_are_written_with_the_cause(build, tmp_path):
    script = lambda asked: Reply(refusal="No.") if asked.number % 3 == 0 else answer(asked)  # noqa: E731
    with serving(script) as server:
        build(judge_url=server.url, concurrency=1)
    records = verdicts(tmp_path / "out")
    refused = [record for record in records if record["score"] is None]
    assert len(records) == 12 and len(refused) == 4
    assert {record["cause"] for record in refused} == {"refused: No."} and {r["reply"] for r in refused} == {"No."}


def test_the_judge_of_a_folder_stays_the_same(build, tmp_path):
    with serving(answer) as server:
        build(judge_url=server.url)
        with pytest.raises(ValueError, match=r"made otherwise \(detail was 'high'\)"):
            build(judge_url=server.url, detail="low")
        with pytest.raises(ValueError, match=r"made otherwise \(judge was 'gpt-4o', .*\) than now .*kinematic-1"):
            build(judge="kinematic")
        shutil.rmtree(tmp_path / "out" / "annotations" / "verdicts")
        assert "Look at it" in build(judge="kinematic") and server.counts()["requests"] == 12
        (tmp_path / "out" / "judge" / "settings.json").unlink()  # as older versions leave it
        with pytest.raises(ValueError, match=r"made otherwise \(judge was 'kinematic-1'\)"):
            build(judge_url=server.url)


def test_the_calibration_stands_on_the_card(build, tmp_path):
    items = calibration_items(40, 0)
    report = calibrate(KinematicJudge(), items, source="40 synthesised motions")
    (tmp_path / "kinematic.json").write_text(report.to_json(), encoding="utf-8")
    said = report.to_json().replace("kinematic-1", "gpt-4o, rules by task")
    (tmp_path / "gpt4o.json").write_text(said, encoding="utf-8")
    with serving(answer) as server:
        with pytest.raises(
            ValueError, match=r"kinematic.json is a calibration of kinematic-1, but the judge is gpt-4o"
        ):
            build(judge_url=server.url, calibration=str(tmp_path / "kinematic.json"))
        with pytest.raises(FileNotFoundError, match=r"none.json: expected a calibration, but there is no such file"):
            build(judge_url=server.url, calibration=str(tmp_path / "none.json"))
        assert server.counts()["requests"] == 0
        build(judge_url=server.url, calibration=str(tmp_path / "gpt4o.json"))
        card = (tmp_path / "out" / "dataset" / "README.md").read_text(encoding="utf-8")
        assert "of gpt-4o, rules by task: Cohen's κ 1.00 (1.00–1.00)" in card and "on 40 synthesised motions" in card
        assert "measured with other pictures than the judge saw here" in card
        low = json.loads(said) | {"warning": "Judge gpt-4o is not to be relied on by what it says.", "layout": "x"}
        (tmp_path / "gpt4o.json").write_text(json.dumps(low), encoding="utf-8")
        assert "Look at it" in build(judge_url=server.url, calibration=str(tmp_path / "gpt4o.json"))
        assert "not to be relied on" in (tmp_path / "out" / "dataset" / "README.md").read_text(encoding="utf-8")
        assert server.counts()["requests"] == 12


@pytest.mark.slow
def test_two_processes_then_one(candidates, tmp_path):
    """Each has half of the money; both stop in order, and one process goes on with the answers of both."""
    out = tmp_path / "out"
    shutil.copytree(candidates, out)
    words = ["--output_dir", out, "--prompts", 6, "--test_share", 0, "--overall_share", 0.4, "--candidates", 2]
    words += ["--piece", 2, "--min_gap", 0.1, "--min_score", 2, "--judge", "vlm", "--layout", SMALL["layout"]]
    two = ["-m", "accelerate.commands.launch", "--config_file", str(EXAMPLE.parent / "accelerate_configs/cpu_2.yaml")]
    env = os.environ | {"PYTHONPATH": str(EXAMPLE.parents[1]), "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}

    def start(url, budget, *launcher):
        command = [sys.executable, *launcher, EXAMPLE, *words, "--judge_url", url, "--budget", budget]
        done = subprocess.run([*map(str, command)], env=env, capture_output=True, text=True, timeout=240, check=False)
        key_is_nowhere_in(out, done.stdout, done.stderr)
        return done

    with serving(answer) as server:
        done = start(server.url, 0.06, *two)
        assert done.returncode == 1 and "build_motionprefer: The judge stopped: the budget of $0.03" in done.stderr
        paid = server.counts()["paid"]
        assert 2 <= paid < 12  # each of them has money for one, at least
        assert server.tokens[0] * 2.5e-6 + server.tokens[1] * 10e-6 <= 0.06
        done = start(server.url, 1.0)
        assert done.returncode == 0 and f"{12 - paid} requests" in done.stdout, done.stderr
        assert server.counts()["requests"] == 12 and server.counts()["paid twice"] == 0
    assert len(verdicts(out)) == 12


# Without the example ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def motions(walk):
    return [Motion(walk[: 20 + i]) for i in range(8)]


def test_another_number_of_processes_pays_nothing_twice(motions, tmp_path):
    """Three processes, one of them stopped early; then two with the rest of the money; then one."""
    asked = [Asked(f"person {i} walks", "temporal") for i in range(8)]

    def judged(index, of, places, budget=1.0):
        judges = Judges(JudgeConfig(**SMALL, judge_url=server.url, budget=budget), tmp_path, index, of)
        if index == 0:
            judges.gather()
        judges.open()
        found = annotate(judges.make, [asked[i] for i in places], [motions[i] for i in places], pictures=True)
        limit = judges._budget.dollars
        judges.close()
        return [verdict.score for verdict in found], limit

    with serving(answer) as server:
        three = [judged(index, 3, places) for index, places in enumerate(([0, 3], [1, 4], [2]))]
        assert server.counts()["requests"] == 5
        each = (1500 * 2.5 + 120 * 10) / 1e6
        spent, known = 5 * each, 2 * each  # the later processes know of the two calls of the first
        assert [limit for _, limit in three] == pytest.approx([1 / 3, *[known + (1 - known) / 3] * 2])
        first, limit = judged(0, 2, [0, 2, 4, 6])
        assert limit == pytest.approx(spent + (1 - spent) / 2)
        assert first[:3] == [three[0][0][0], three[2][0][0], three[1][0][1]] and server.counts()["requests"] == 6
        judged(1, 2, [1, 3, 5])
        assert server.counts()["requests"] == 7
        judged(0, 1, range(8))
        assert server.counts()["requests"] == 8
    assert sorted(path.name for path in (tmp_path / "judge").glob("*.sqlite")) == [f"0000{i}.sqlite" for i in range(3)]
    assert Store(tmp_path / "judge" / "00000.sqlite").totals.requests == 8


def test_pace_and_money_are_shared_by_the_processes(tmp_path):
    more = {"concurrency": 64, "requests_per_minute": 600, "tokens_per_minute": 1e6, "budget": 8.0}
    judges = Judges(JudgeConfig(**SMALL, judge_url="http://localhost:1/v1", **more), tmp_path, 3, 4)
    judge = judges.make("temporal")
    assert judge._caller.pace.bound == 16 and judge.budget.dollars == 2.0 and judge.name == "gpt-4o, temporal-1"
    assert judges.make(None).budget is judge.budget and judges.make(None).store is judge.store


def test_the_kinematic_judge(tmp_path, motions):
    judges = Judges(JudgeConfig(), tmp_path)
    assert judges.calibration == KINEMATIC_CALIBRATION and "no picture, no person" in judges.sentence()
    item = JudgeItem(motions[0], "a person walks forward")
    assert judges.make("temporal").score([item]) == KinematicJudge("temporal").score([item])
    assert not (tmp_path / "judge").exists()


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"judge": "human"}, "Expected --judge kinematic or vlm, got 'human'"),
        ({"judge": "vlm", "judge_model": "mine", "budget": 1.0}, "There is no price for 'mine'"),
        ({"judge": "vlm", "detail": "fine"}, "Expected detail low, high or auto, got 'fine'"),
        ({"judge": "vlm", "concurrency": 0}, "Expected numbers of at least 1"),
        ({"judge": "vlm", "layout": "film"}, "The kind of a layout is one of"),
        ({"judge": "vlm", "api_key_env": "NO_SUCH_KEY"}, "set the environment variable NO_SUCH_KEY"),
    ],
)
def test_what_is_refused_before_anything_is_made(options, text, tmp_path):
    with pytest.raises(ValueError, match=text):
        Judges(JudgeConfig(**options), tmp_path)
    assert list(tmp_path.iterdir()) == []
