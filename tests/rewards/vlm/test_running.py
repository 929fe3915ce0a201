"""Asynchronous work from plain code: Ctrl-C, forks, and calls from where they would wait for ever."""

import os
import signal
import threading

import numpy as np
import pytest

pytest.importorskip("openai")

from atom_hf.motion import Motion
from atom_hf.rewards import JudgeItem
from atom_hf.rewards.vlm import PictureLayout, VLMJudge
from atom_hf.rewards.vlm.running import background_loop, run

from .server import Reply, serving


def test_ctrl_c_keeps_what_is_paid_and_asks_nothing_more(walk: np.ndarray, tmp_path, interruptible: None):
    items = [JudgeItem(Motion(walk[:20]), f"person {i} walks") for i in range(60)]
    started = threading.Event()

    def script(asked):
        if asked.number == 4:
            started.set()
        return Reply(delay=0.1)

    def interrupt():
        started.wait()
        os.kill(os.getpid(), signal.SIGINT)

    with serving(script) as server:
        vlm = VLMJudge(
            base_url=server.url,
            layout=PictureLayout(frames=2, size=(128, 64)),
            concurrency=2,
            store=tmp_path / "v.sqlite",
        )
        threading.Thread(target=interrupt).start()
        with pytest.raises(KeyboardInterrupt):
            vlm.score(items)
        asked = server.counts()["requests"]
        assert 5 <= asked < 30
        assert vlm.stats["outcomes"] == {"good": asked}  # none is open, none is lost
        assert [verdict.score for verdict in vlm.score(items)] == [4] * 60
        assert server.counts()["requests"] == 60


def test_a_forked_process_gets_a_loop_of_its_own():
    async def answer():
        return os.getpid()

    run(answer())
    pid = os.fork()
    if pid == 0:
        os._exit(0 if run(answer()) == os.getpid() else 1)
    assert os.waitpid(pid, 0)[1] == 0


def test_waiting_for_oneself_is_an_error():
    async def inner():
        return 1

    async def outer():
        return run(inner())

    with pytest.raises(RuntimeError, match="Called from inside of a judge's own event loop"):
        run(outer())
    assert background_loop().is_running()
