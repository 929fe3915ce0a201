"""One process at a time asks for a store: nothing is paid twice by two, and a budget counts what others spent."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("openai")

from atom_hf.motion import Motion
from atom_hf.rewards import JudgeItem
from atom_hf.rewards.vlm import BatchJudge, Budget, PictureLayout, Store, VLMJudge

from .server import Reply, serving

REPOSITORY = Path(__file__).parents[3]
PICTURE = PictureLayout(frames=2, size=(128, 64))
CALL = (1500 * 2.5 + 120 * 10) / 1e6

# Holds the store until its standard input ends; what it did before is one call of half a dollar.
HOLDER = """
import sys
from atom_hf.rewards.vlm.store import QUESTION, Store
store = Store(sys.argv[1])
with store.writing():
    call = store.begin("a", dict.fromkeys(QUESTION, "x"), 0, 0.5)
    store.end(call, "good", reply="{}", dollars=0.5)
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def items(walk: np.ndarray) -> list[JudgeItem]:
    return [JudgeItem(Motion(walk[: 20 + i]), f"person {i} walks forward") for i in range(4)]


@pytest.fixture
def held(tmp_path):
    """A store that another process is asking for."""
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "v.sqlite")]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment) as other:
        assert other.stdout.readline() == "held\n"
        yield tmp_path / "v.sqlite", other
        if other.poll() is None:
            other.kill()


def test_a_second_process_is_refused_until_the_first_is_gone_and_its_money_counts(items, held, tmp_path):
    path, other = held
    with serving() as server:
        options = {"base_url": server.url, "layout": PICTURE, "concurrency": 1}
        vlm = VLMJudge(store=path, budget=1.0, **options)
        words = rf"in use by another process \(pid {other.pid}\).*give each process a store of its own and merge them"
        with pytest.raises(ValueError, match=words):
            vlm.score(items)
        with pytest.raises(ValueError, match=words):
            vlm.compare([(items[0], items[0])])
        with pytest.raises(ValueError, match=words):
            BatchJudge(vlm).submit(items)
        with pytest.raises(ValueError, match=words):
            vlm.store.forget("unreadable")
        assert server.counts()["requests"] == 0 and not server.batches
        # Reading, and merging from it, is no matter.
        assert Store(path).find("a") is not None and vlm.estimate(items).requests == 4
        assert Store(tmp_path / "all.sqlite").merge([path]) == 1
        dry = VLMJudge(store=path, dry_run=True, **options).score(items[:1])
        assert dry[0].cause == "dry run: nothing is asked"
        os.kill(other.pid, signal.SIGKILL)
        other.wait()
        assert [verdict.score for verdict in vlm.score(items)] == [4] * 4
        assert vlm.budget.spent == pytest.approx(0.5 + 4 * CALL)


def test_what_another_process_spent_between_two_runs_counts(items, tmp_path):
    path = tmp_path / "v.sqlite"
    with serving() as server:
        vlm = VLMJudge(base_url=server.url, layout=PICTURE, store=path, budget=0.5 + 3 * CALL, concurrency=1)
        assert vlm.score(items[:1])[0].score == 4
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
        subprocess.run([sys.executable, "-c", HOLDER, str(path)], input="", text=True, env=environment, check=True)
        assert vlm.score(items[1:2])[0].cause.startswith("the budget of $0.51485 is used up but for $0.0099")
        assert vlm.budget.spent == pytest.approx(0.5 + CALL) == vlm.spent.dollars
        assert server.counts()["requests"] == 1


def test_judges_of_one_process_share_a_store_and_its_money(items, tmp_path):
    path = tmp_path / "v.sqlite"
    with serving(lambda asked: Reply(delay=0.05)) as server:
        budget, store = Budget(1.0), Store(path)
        options = {"base_url": server.url, "layout": PICTURE, "budget": budget}
        both = [VLMJudge(task=task, store=store, **options) for task in ("temporal", "integrity")]
        threads = [threading.Thread(target=judge.score, args=[items]) for judge in both]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert server.counts()["requests"] == 8
        third = VLMJudge(task="overall", store=path, **options)  # an object of its own, one after the other
        third.score(items)
        both[0].score(items)
        assert server.counts()["requests"] == 12 and budget.spent == pytest.approx(12 * CALL)


def test_two_objects_of_one_process_are_not_used_at_once(items, tmp_path):
    first, second = Store(tmp_path / "v.sqlite"), Store(tmp_path / "v.sqlite")
    with first.writing(), first.writing():
        with pytest.raises(ValueError, match=r"in use by another judge of this process.*store=Store\(path\)"):
            second.merge([first.path])
    with second.writing():
        pass


def test_where_no_lock_can_be_made_the_store_is_named(tmp_path):
    (tmp_path / "v.sqlite.lock").mkdir()
    with pytest.raises(ValueError, match=r"v\.sqlite\.lock cannot be .*, so .*v\.sqlite cannot be used"):
        Store(tmp_path / "v.sqlite").forget("unreadable")
