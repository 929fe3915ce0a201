"""The store: what is kept, what is not, merging, exporting, and being killed at any moment."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("openai")

from atom_hf.motion import Motion
from atom_hf.rewards import JudgeItem
from atom_hf.rewards.vlm import PictureLayout, Store, VLMJudge
from atom_hf.rewards.vlm.export import export_parquet
from atom_hf.rewards.vlm.store import QUESTION

from .server import Reply, Server, pair, point, serving

PICTURE = PictureLayout(frames=2, size=(128, 64))
QUESTION_FACTS = dict.fromkeys(QUESTION, "x")
REPOSITORY = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def items(walk: np.ndarray) -> list[JudgeItem]:
    return [JudgeItem(Motion(walk[: 20 + i]), f"person {i} walks forward") for i in range(4)]


def judge(server: Server, path: Path, model: str = "gpt-4o", task: str | None = None, **options) -> VLMJudge:
    return VLMJudge(model, task, **{"base_url": server.url, "layout": PICTURE, "store": path, **options})


def test_nothing_is_asked_twice_and_everything_else_is_another_question(items, tmp_path):
    path = tmp_path / "new" / "verdicts.sqlite"
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "overall.md").write_text("How good is it, from 1 to 5?")
    with serving() as server:
        first = judge(server, path).score(items[:1])
        assert judge(server, path).score(items[:1]) == first
        assert server.counts()["requests"] == 1
        others = [
            {"model": "gpt-4o-mini"},
            {"task": "temporal"},
            {"temperature": 0.5},
            {"max_tokens": 900},
            {"detail": "low"},
            {"layout": PictureLayout(frames=3, size=(128, 64))},
            {"rules": rules},
            {"structured": False},
        ]
        for number, options in enumerate(others):
            judge(server, path, **options).score(items[:1])
            assert server.counts()["requests"] == 2 + number, options
        motion = Motion(items[0].motion.joints + np.float32(0.3) * np.linspace(0, 1, 20, dtype="f4")[:, None, None])
        for number, item in enumerate([JudgeItem(motion, items[0].prompt), JudgeItem(items[0].motion, "jumps")]):
            judge(server, path).score([item])
            assert server.counts()["requests"] == 10 + number
        more = {"temperature": 0.5, "votes": 2, "concurrency": 3, "deadline": 9.0}
        judge(server, path, **more).score(items[:1])  # only the second vote is new
        assert server.counts()["requests"] == 12


@pytest.mark.parametrize(
    ("reply", "kept"),
    [
        (Reply(refusal="no"), False),
        (Reply(point(), finish_reason="content_filter"), False),
        (Reply(status=403), False),
        (Reply("what?"), True),
        (Reply('{"sc', finish_reason="length"), True),
        (Reply(point(score=None)), True),
    ],
)
def test_refusals_are_asked_again_and_what_was_paid_is_kept(items, tmp_path, reply, kept):
    with serving(lambda asked: reply) as server:
        first = judge(server, tmp_path / "v.sqlite").score(items[:1])
        asked = server.counts()["requests"]
        second = judge(server, tmp_path / "v.sqlite").score(items[:1])
        assert second == first and first[0].score is None
        assert server.counts()["requests"] == (asked if kept else 2 * asked)


def test_forgotten_replies_are_asked_again_and_still_counted(items, tmp_path):
    with serving(lambda asked: Reply("what?") if asked.number < 2 else Reply()) as server:
        vlm = judge(server, tmp_path / "v.sqlite")
        assert vlm.score(items[:1])[0].score is None
        assert vlm.store.forget("unreadable") == 2
        assert vlm.score(items[:1])[0].score == 4
        assert vlm.spent.requests == 3
    with pytest.raises(ValueError, match="one of no score, truncated, unreadable, got 'good'"):
        vlm.store.forget("good")


def test_a_run_that_ended_between_reply_and_repair_goes_on_with_the_repair(items, tmp_path):
    path = tmp_path / "v.sqlite"
    with serving(lambda asked: Reply("what?") if not asked.repair else Reply(status=403)) as server:
        assert judge(server, path).score(items[:1])[0].cause.startswith("unreadable: it is no JSON")
    with serving() as server:
        assert judge(server, path).score(items[:1])[0].score == 4
        assert [asked.repair for asked in server.requests] == [True]


def test_statistics_and_cost_survive(items, tmp_path):
    path = tmp_path / "v.sqlite"
    with serving(lambda asked: Reply(refusal="no") if asked.number == 1 else Reply()) as server:
        first = judge(server, path, concurrency=1)
        first.score(items)
        second = judge(server, path)
        assert second.spent == first.spent and second.stats["outcomes"] == {"good": 3, "refused": 1}


def test_calls_that_were_under_way_may_have_been_paid(tmp_path):
    store = Store(tmp_path / "v.sqlite")
    store.begin("a", QUESTION_FACTS, 0, 0.25)
    store.end(store.begin("b", QUESTION_FACTS, 0, 0.25), "good", reply="{}", dollars=0.1)
    store.close()  # as when it was killed
    cost = Store(tmp_path / "v.sqlite").totals.cost(True)
    assert cost.dollars == pytest.approx(0.35) and cost.requests == 2
    assert "$0.1000, and up to $0.2500 for calls whose reply never came" in cost.explanation


def test_stores_of_workers_are_merged(items, tmp_path):
    with serving() as server:
        for worker in range(2):
            judge(server, tmp_path / f"{worker}.sqlite").score(items[2 * worker : 2 * worker + 2])
        whole = Store(tmp_path / "all.sqlite")
        shards = [tmp_path / "0.sqlite", tmp_path / "1.sqlite"]
        assert (whole.merge(shards), whole.merge(shards)) == (4, 0)
        vlm = judge(server, tmp_path / "none.sqlite", store=whole)
        assert [verdict.score for verdict in vlm.score(items)] == [4] * 4
        assert server.counts()["requests"] == 4 and vlm.spent.requests == 4
    with pytest.raises(FileNotFoundError, match="Expected a store of a vision judge, but there is no file"):
        whole.merge([tmp_path / "2.sqlite"])


def test_a_shard_merged_while_it_was_being_written_is_brought_up_to_date(tmp_path):
    shard, whole = Store(tmp_path / "shard.sqlite"), Store(tmp_path / "all.sqlite")
    call = shard.begin("a", QUESTION_FACTS, 0, 0.25)
    whole.merge([shard.path])
    assert whole.find("a") is None and whole.totals.uncertain == 0.25
    shard.end(call, "good", reply="{}", dollars=0.1)
    whole.merge([shard.path])
    assert whole.find("a").reply == "{}" and (whole.totals.dollars, whole.totals.uncertain) == (0.1, 0)


def test_parquet(items, tmp_path):
    pq = pytest.importorskip("pyarrow.parquet")
    replies = [Reply(point(score=5)), Reply(refusal="no"), Reply(pair("first")), Reply(pair("second"))]
    with serving(lambda asked: replies[asked.number]) as server:
        vlm = judge(server, tmp_path / "v.sqlite", concurrency=1)
        vlm.score(items[:2])
        vlm.compare([(items[0], JudgeItem(items[1].motion, items[0].prompt))])
    assert export_parquet(vlm.store, tmp_path / "out" / "v.parquet") == 4
    rows = pq.read_table(tmp_path / "out" / "v.parquet").to_pylist()
    assert [row["outcome"] for row in rows] == ["good", "refused", "good", "good"]
    assert (rows[0]["score"], rows[0]["prompt"], rows[0]["rules"]) == (5.0, "person 0 walks forward", "overall-1")
    assert (rows[1]["score"], rows[1]["cause"], rows[1]["reply"]) == (None, "refused: no", "no")
    assert [row["choice"] for row in rows[2:]] == ["first", "second"]
    assert json.loads(rows[2]["reply"])["confidence"] == pytest.approx(rows[2]["confidence"])
    assert sum(row["dollars"] for row in rows) == pytest.approx(vlm.spent.dollars)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["v.parquet"]


def test_other_files_are_refused(tmp_path):
    (tmp_path / "text").write_text("no database at all, but long enough to be looked at" * 100)
    with pytest.raises(ValueError, match="text is no store of a vision judge: file is not a database"):
        Store(tmp_path / "text")
    other = sqlite3.connect(tmp_path / "other.sqlite")
    other.execute("CREATE TABLE films (title TEXT)")
    other.close()
    with pytest.raises(ValueError, match="it is a database of something else"):
        Store(tmp_path / "other.sqlite")
    other = sqlite3.connect(tmp_path / "newer.sqlite")
    other.execute("PRAGMA user_version = 7")
    other.close()
    with pytest.raises(ValueError, match="its format is 7, expected 1"):
        Store(tmp_path / "newer.sqlite")


def test_places_where_no_store_can_be(tmp_path):
    with pytest.raises(ValueError, match="is a folder; expected a file for a judge's store"):
        Store(tmp_path)
    with pytest.raises(ValueError, match="cannot be opened as a judge's store: unable to open database file"):
        Store("/proc/v.sqlite")


def test_a_damaged_store_is_told(tmp_path):
    path = tmp_path / "v.sqlite"
    store = Store(path)
    for i in range(300):
        store.end(store.begin(str(i), QUESTION_FACTS, 0, 0.0), "good", reply="x" * 2000)
    store.close()
    data = bytearray(path.read_bytes())
    for page in range(len(data) // 4096 // 2, len(data) // 4096):
        data[page * 4096 : page * 4096 + 100] = b"\xff" * 100
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"v\.sqlite is damaged \(database disk image is malformed\)\. Move it"):
        Store(path)


def test_a_store_on_a_network_file_system_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("atom_hf.rewards.vlm.store.network_file_system", lambda path: "nfs4")
    with pytest.raises(ValueError, match=r"is on a network file system \(nfs4\).*Use a path on a local disk"):
        Store(tmp_path / "v.sqlite")
    assert list(tmp_path.iterdir()) == []


# Loads everything once, then forks a judge for each line it reads: (store, number of items) → pid.
WORKER = """
import json, os, sys
import openai, numpy
from atom_hf.motion import Motion
from atom_hf.rewards import JudgeItem
from atom_hf.rewards.vlm import VLMJudge, items
from atom_hf.rewards.vlm.pictures import PictureLayout, draw
from examples.make_walk import walking
motion = Motion(walking(frames=20))
pictures = draw(motion, PictureLayout(frames=2, size=(128, 64)))
items.draw = lambda motion, layout: pictures
for line in sys.stdin:
    url, store, total = json.loads(line)
    pid = os.fork()
    if pid == 0:
        vlm = VLMJudge(base_url=url, store=store, concurrency=8)
        verdicts = vlm.score([JudgeItem(motion, f"person {i} walks") for i in range(total)])
        os._exit(0 if [verdict.score for verdict in verdicts] == [4] * total else 1)
    print(pid, flush=True)
    print(os.waitpid(pid, 0)[1], flush=True)
"""


def test_killed_at_ten_points_and_resumed(tmp_path):
    """SIGKILL at seeded requests, ten times in one run; the server sees each item once, and what was in flight."""
    total, at_once, path = 120, 8, tmp_path / "verdicts.sqlite"
    points = sorted(random.Random(0).sample(range(5, 110), 10))
    doomed: list[int] = []
    killed: list[int] = []

    def script(asked):
        if points and asked.number >= points[0] and doomed and doomed[-1] not in killed:
            points.pop(0)
            killed.append(doomed[-1])
            os.kill(doomed[-1], signal.SIGKILL)
        return Reply(delay=0.01)

    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, "-c", WORKER]
    with (
        serving(script, keep=0) as server,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment) as worker,
    ):
        kills = 0
        while True:
            worker.stdin.write(json.dumps([server.url, str(path), total]) + "\n")
            worker.stdin.flush()
            doomed.append(int(worker.stdout.readline()))
            status = int(worker.stdout.readline())
            if status == 0:
                break
            assert status == signal.SIGKILL
            kills += 1
        worker.stdin.close()
        seen = server.counts()
    assert kills == 10
    assert seen["questions"] == total and total < seen["requests"] <= total + kills * at_once
    store = Store(path)
    assert store.totals.outcomes["good"] == total
    assert seen["requests"] - total <= store.totals.outcomes["open"] <= kills * at_once  # each is on the books
