"""Calls when things go wrong: retries, deadline, pace, budget; nothing is lost and nothing is paid twice."""

import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate

import numpy as np
import pytest

pytest.importorskip("openai")

from atom_hf.motion import Motion
from atom_hf.rewards import JudgeItem
from atom_hf.rewards.vlm import Budget, VLMJudge, calls, items
from atom_hf.rewards.vlm.pictures import PictureLayout, draw
from atom_hf.rewards.vlm.troubles import of_status

from .server import Reply, faulty, point, serving

MODEL = {"gpt-4o": {"input": 2.5, "output": 10.0}}


@pytest.fixture(scope="module")
def motion(walk: np.ndarray) -> Motion:
    return Motion(walk)


@pytest.fixture(autouse=True)
def drawn_once(motion, monkeypatch):
    pictures = draw(motion, PictureLayout(frames=2, size=(128, 64)))
    monkeypatch.setattr(items, "draw", lambda motion, layout: pictures)
    monkeypatch.setattr(calls, "_PAUSE", 0.02)


def prompts(motion: Motion, total: int) -> list[JudgeItem]:
    return [JudgeItem(motion, f"person number {i} walks") for i in range(total)]


@pytest.mark.parametrize(
    "fault",
    [
        Reply(status=429, headers={"retry-after-ms": "30"}),
        Reply(status=500),
        Reply(status=503, headers={"retry-after": "0.05"}),
        Reply(status=529),
        Reply(status=408),
        Reply(cut="before"),
        Reply(cut="during"),
        Reply(delay=9.0),
        Reply(page=b"<html>Bad Gateway</html>"),
        Reply(page=b'{"choices": []}', headers={"content-type": "application/json"}),
        Reply(page=b'{"choices": [{"mess', headers={"content-type": "application/json"}),
    ],
    ids=lambda fault: f"{fault.status} {fault.cut} {fault.delay} {fault.page}"[:40],
)
def test_each_fault_is_tried_again(motion, fault):
    with serving(lambda asked: fault if asked.attempt == 0 else Reply()) as server:
        vlm = VLMJudge(base_url=server.url, deadline=4.0)
        verdicts = vlm.score(prompts(motion, 4))
    assert [verdict.score for verdict in verdicts] == [4] * 4
    assert server.counts()["requests"] == 8 and server.counts()["paid twice"] == 0
    assert vlm.stats["calls"]["tried again"] == 4
    assert vlm.stats["outcomes"]["good"] == 4
    # Nobody knows whether a reply that did not come was paid for.
    assert ("lost" in vlm.stats["outcomes"]) == (fault.status == 200)


@pytest.mark.parametrize("header", ["seconds", "date"])
def test_retry_after_is_honoured(motion, header):
    def script(asked):
        asked_at.append(time.time())
        if asked.attempt:
            return Reply()
        after = "0.6" if header == "seconds" else formatdate(time.time() + 2, usegmt=True)
        return Reply(status=429, headers={"retry-after": after})

    asked_at: list[float] = []
    with serving(script) as server:
        (verdict,) = VLMJudge(base_url=server.url).score(prompts(motion, 1))
    assert verdict.score == 4 and asked_at[1] - asked_at[0] >= (0.6 if header == "seconds" else 0.9)


def test_a_wait_beyond_the_deadline_is_not_waited_for(motion):
    with serving(lambda asked: Reply(status=429, headers={"retry-after": "60"})) as server:
        begin = time.monotonic()
        (verdict,) = VLMJudge(base_url=server.url, deadline=8.0).score(prompts(motion, 1))
    assert time.monotonic() - begin < 30
    assert verdict.cause == "no reply in 1 try, 8 s at most: 429: error 429"


def test_the_deadline_holds_for_all_tries_together(motion):
    with serving(lambda asked: Reply(delay=30.0)) as server:
        begin = time.monotonic()
        verdicts = VLMJudge(base_url=server.url, deadline=3.0).score(prompts(motion, 3))
        assert time.monotonic() - begin < 25  # one reply alone takes 30
    assert all("3 s at most: no reply in time" in verdict.cause for verdict in verdicts)


def test_concurrency_shrinks_on_429_and_not_on_5xx(motion):
    def script(status):
        return lambda asked: Reply(status=status, headers={"retry-after-ms": "1"}) if asked.attempt == 0 else Reply()

    with serving(script(429)) as server:
        slow = VLMJudge(base_url=server.url, concurrency=10)
        slow.score(prompts(motion, 10))
    with serving(script(500)) as server:
        fast = VLMJudge(base_url=server.url, concurrency=10)
        fast.score(prompts(motion, 10))
    assert slow.stats["episodes_of_429"] >= 1 and slow.stats["concurrency"] < 10
    assert fast.stats["episodes_of_429"] == 0 and fast.stats["concurrency"] == 10


def test_no_more_calls_at_once_than_allowed(motion):
    with serving(lambda asked: Reply(delay=0.02)) as server:
        VLMJudge(base_url=server.url, concurrency=5).score(prompts(motion, 40))
    assert server.most_in_flight == 5


def test_requests_per_minute(motion):
    with serving() as server:
        begin = time.monotonic()
        VLMJudge(base_url=server.url, requests_per_minute=600).score(prompts(motion, 9))
    assert 0.8 <= time.monotonic() - begin < 30


def test_thirty_percent_faults(motion, tmp_path):
    """Nothing is lost, nothing that was answered is asked again, not by a second run either."""
    total, store = 300, tmp_path / "verdicts.sqlite"
    with serving(faulty(0.3, stall=5.0)) as server:
        vlm = VLMJudge(base_url=server.url, concurrency=32, store=store, deadline=4.0)
        verdicts = vlm.score(prompts(motion, total))
        before = server.counts()
        again = VLMJudge(base_url=server.url, store=store)
        assert [verdict.score for verdict in again.score(prompts(motion, total))] == [4] * total
        after = server.counts()
    assert [verdict.score for verdict in verdicts] == [4] * total and vlm.stopped is None
    assert before["requests"] > 1.25 * total and before["questions"] == total and before["paid twice"] == 0
    assert after["requests"] == before["requests"]
    assert again.spent[:3] == vlm.spent[:3] and again.spent.dollars == pytest.approx(vlm.spent.dollars)
    assert again.stats["outcomes"] == vlm.stats["outcomes"]


@pytest.mark.parametrize("concurrency", [1, 32])
@pytest.mark.parametrize("faults", [0.0, 0.3])
def test_spend_never_passes_the_budget(motion, concurrency, faults):
    """The server's own count, of replies that were cut on their way too, stays below it."""
    script = faulty(faults, stall=0.5)
    with serving(script) as server:
        vlm = VLMJudge(base_url=server.url, concurrency=concurrency, budget=0.2, deadline=30.0)
        verdicts = vlm.score(prompts(motion, 100))
    billed = (server.tokens[0] * 2.5 + server.tokens[1] * 10) / 1e6
    unscored = [verdict.cause for verdict in verdicts if verdict.score is None]
    assert billed <= vlm.spent.dollars + 1e-9 <= 0.2
    assert vlm.spent.dollars > 0.17  # it is used, too
    assert 40 > sum(verdict.score is not None for verdict in verdicts) > 10
    # On a busy machine a few run out of time before money does.
    causes = Counter("budget" if "the budget of $0.2 is used up" in cause else cause[:12] for cause in unscored)
    assert causes["budget"] > 30 and set(causes) <= {"budget", "no reply in "}
    assert "the budget of $0.2 is used up" in vlm.stopped


def test_a_budget_holds_over_several_judges_and_runs(motion, tmp_path):
    with serving() as server:
        budget = Budget(0.06)
        for task in ("integrity", "temporal"):
            VLMJudge(task=task, base_url=server.url, budget=budget).score(prompts(motion, 10))
        assert budget.spent <= 0.06 and server.tokens[0] / 1500 * 0.00495 == pytest.approx(budget.spent)
        store = tmp_path / "verdicts.sqlite"
        first = VLMJudge(base_url=server.url, budget=0.06, store=store)
        scored = sum(verdict.score is not None for verdict in first.score(prompts(motion, 10)))
        again = VLMJudge(base_url=server.url, budget=0.06, store=store)
        verdicts = again.score(prompts(motion, 10))
    assert sum(verdict.score is not None for verdict in verdicts) == scored < 10  # what is kept costs nothing
    assert again.spent.dollars == first.spent.dollars <= 0.06


def test_the_end_of_a_budget_is_told_with_its_numbers(motion):
    with serving() as server:
        vlm = VLMJudge(base_url=server.url, budget=0.02, concurrency=1, max_tokens=1000)
        vlm.score(prompts(motion, 4))
    spent, most = vlm.budget.spent, float(vlm.stopped.partition("may cost up to $")[2].partition(";")[0])
    assert vlm.stopped.startswith(
        f"the budget of $0.02 is used up but for ${0.02 - spent:.4f} (${spent:.4f} spent), and the next call may cost"
    )
    assert most > 0.02 - spent and vlm.stopped.endswith("would allow that one; a lower max_tokens makes calls cheaper")


def test_a_request_larger_than_the_tokens_of_a_minute_is_not_waited_for(motion):
    with serving() as server:
        vlm = VLMJudge(base_url=server.url, tokens_per_minute=100)
        verdicts = vlm.score(prompts(motion, 3))
        enough = VLMJudge(base_url=server.url, tokens_per_minute=100_000)
        assert enough.score(prompts(motion, 1))[0].score == 4 and enough.stopped is None
    assert vlm.stopped.startswith("one request may take 2,") and "tokens_per_minute=100 allows" in vlm.stopped
    assert {verdict.cause for verdict in verdicts} == {vlm.stopped} and server.counts()["requests"] == 1


HTML = Reply(page=b"<html>It works!</html>")
OTHER_JSON = Reply(page=b'{"hello": "world"}', headers={"content-type": "application/json"})


@pytest.mark.parametrize("page", [HTML, OTHER_JSON], ids=["html", "json"])
def test_what_is_no_such_server_stops_the_run_soon(motion, caplog, page):
    with serving(lambda asked: page) as server:
        vlm = VLMJudge(base_url=server.url, concurrency=2)
        verdicts = vlm.score(prompts(motion, 200))
        asked = server.counts()["requests"]
    assert vlm.stopped.startswith(f"no server that judges answers at {server.url}/: no chat completion (")
    assert "without choices; is the address that of an OpenAI-compatible API?" in vlm.stopped
    assert asked <= 4 * 6 and all(verdict.score is None for verdict in verdicts)
    assert sum(verdict.cause == vlm.stopped for verdict in verdicts) >= 190
    assert caplog.text.count("Asking again, for up to 120 s a question") == 1
    assert caplog.text.count("Nothing more is asked") == 1


def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_a_closed_port_may_open_and_stops_the_run_if_it_does_not(motion, caplog):
    """Each question has its time, since the server may be loading; the first ones speak for all others."""
    vlm = VLMJudge(base_url=f"http://127.0.0.1:{closed_port()}/v1", concurrency=2, deadline=0.5)
    begin = time.monotonic()
    verdicts = vlm.score(prompts(motion, 200))
    assert time.monotonic() - begin < 60
    assert "the connection failed (ConnectError" in vlm.stopped and set(vlm.stats["outcomes"]) <= {"failed", "lost"}
    assert 4 <= sum(verdict.cause.startswith("no reply in ") for verdict in verdicts) <= 8
    assert "Asking again, for up to 0.5 s a question" in caplog.text
    few = VLMJudge(base_url=f"http://127.0.0.1:{closed_port()}/v1", deadline=0.3)
    assert few.score(prompts(motion, 3))[2].cause.startswith("no reply in") and few.stopped is None


@contextmanager
def plain_port() -> Iterator[int]:
    """A server that answers whatever comes as those of HTTP answer what they cannot read."""

    def answer() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                connection.recv(1024)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield int(server.getsockname()[1])
        server.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def test_tls_where_the_server_has_none_is_no_bad_luck(motion):
    with plain_port() as port:
        vlm = VLMJudge(base_url=f"https://127.0.0.1:{port}/v1")
        begin = time.monotonic()
        vlm.score(prompts(motion, 20))
    assert time.monotonic() - begin < 60 and "SSL" in vlm.stopped


@pytest.mark.parametrize(
    "sign",
    [
        Reply(),
        Reply(status=503),
        Reply(page=b'{"error": {"message": "later"}}', headers={"content-type": "application/json"}),
    ],
    ids=["reply", "503", "error"],
)
def test_one_sign_of_a_server_is_enough_to_go_on(motion, monkeypatch, sign):
    """What looks like no server stops nothing once there was one."""
    monkeypatch.setattr(calls, "_TRIES", 5)
    with serving(lambda asked: sign if asked.number == 0 else HTML) as server:
        vlm = VLMJudge(base_url=server.url, concurrency=1)
        verdicts = vlm.score(prompts(motion, 8))
    assert vlm.stopped is None and server.counts()["questions"] == 8
    assert all(verdict.cause.startswith("no reply in 5 tries") for verdict in verdicts[1:])


def test_a_stop_is_not_slept_through(motion, monkeypatch):
    monkeypatch.setattr(calls, "_PAUSE", 30.0)
    refused = Reply(status=401, error={"message": "bad key"}, delay=0.3)
    with serving(lambda asked: refused if "number 1 " in asked.text else Reply(status=500)) as server:
        begin = time.monotonic()
        vlm = VLMJudge(base_url=server.url, concurrency=2)
        vlm.score(prompts(motion, 6))
    assert time.monotonic() - begin < 60 and "does not take the key" in vlm.stopped


def test_tokens_that_cannot_be_are_not_counted(motion):
    with serving(lambda asked: Reply(usage=(10**400, 1))) as server:
        vlm = VLMJudge(base_url=server.url, budget=0.1)
        assert vlm.score(prompts(motion, 1))[0].score == 4
    assert vlm.spent.output_tokens == 1000 and vlm.budget.held == pytest.approx(0)


def test_a_server_of_ones_own_is_free(motion):
    free = {"llava": {"input": 0, "output": 0}}
    with serving() as server:
        vlm = VLMJudge("llava", base_url=server.url, budget=1.0, prices=free)
        assert vlm.score(prompts(motion, 3))[2].score == 4
    assert vlm.spent.dollars == 0


def test_a_server_that_does_not_tell_its_tokens_is_taken_to_bill_the_most(motion):
    with serving(lambda asked: Reply(usage=None)) as server:
        vlm = VLMJudge(base_url=server.url, budget=0.1)
        vlm.score(prompts(motion, 2))
    assert vlm.spent.output_tokens == 2000 and vlm.spent.dollars > 0.02


def test_a_store_that_cannot_be_written_stops_the_run(motion, tmp_path):
    with serving() as server:
        vlm = VLMJudge(base_url=server.url, store=tmp_path / "verdicts.sqlite", concurrency=1)
        assert vlm.score(prompts(motion, 1))[0].score == 4
        vlm.store.rows("CREATE TRIGGER full BEFORE INSERT ON calls BEGIN SELECT RAISE(ABORT, 'disk full'); END")
        verdicts = vlm.score(prompts(motion, 4))
    assert verdicts[0].score == 4 and "cannot be used (disk full)" in verdicts[1].cause
    assert server.counts()["requests"] == 1


def test_a_fault_of_our_own_costs_one_item(motion, monkeypatch, caplog):
    send = calls.Endpoint.body

    def broken(self, question, *more):
        if "number 1 " in question.facts["prompt"]:
            raise KeyError("a fault of ours")
        return send(self, question, *more)

    monkeypatch.setattr(calls.Endpoint, "body", broken)
    monkeypatch.setattr(calls, "what_now", lambda error: (_ for _ in ()).throw(error))
    with serving() as server:
        verdicts = VLMJudge(base_url=server.url).score(prompts(motion, 3))
    assert [verdict.score for verdict in verdicts] == [4, None, 4]
    assert verdicts[1].cause == "failed: KeyError: 'a fault of ours'" and "a fault of ours" in caplog.text


def test_memory_stays_flat(motion):
    import tracemalloc

    with serving(keep=0) as server:
        vlm = VLMJudge(base_url=server.url, concurrency=8)
        vlm.score(prompts(motion, 30))
        tracemalloc.start()
        vlm.score(prompts(motion, 30))
        few = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        vlm.score(prompts(motion, 150))
        many = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert many - few < 120 * 8_000, (few, many)  # the verdicts; a request is 20 kB and more


@pytest.mark.parametrize(
    ("status", "body", "kind", "wait"),
    [
        (429, {"message": "slow"}, "again", 1.5),
        (429, {"code": "insufficient_quota"}, "stop", None),
        (429, {"type": "insufficient_quota"}, "stop", None),
        (500, None, "again", 1.5),
        (502, "<html>", "again", 1.5),
        (409, {}, "again", 1.5),
        (401, {}, "stop", None),
        (404, {}, "stop", None),
        (403, {}, "item", None),
        (413, {}, "item", None),
        (400, {"code": "content_filter"}, "filtered", None),
        (400, {}, "form", None),
        (422, {}, "form", None),
    ],
)
def test_what_follows_from_a_status(status, body, kind, wait):
    trouble = of_status(status, body, {"retry-after": "1.5"})
    assert trouble.kind == kind and trouble.wait == wait and trouble.too_fast == (status == 429 and kind == "again")


@pytest.mark.parametrize("header", ["soon", "nan", "", "-5", "Wed, 99 Foo 2026 00:00:00 GMT"])
def test_senseless_retry_after(header):
    assert of_status(500, {}, {"retry-after": header}).wait in (None, 0.0)


def test_captions_cannot_stand_for_pictures(motion):
    seen = {}

    def script(asked):
        seen[asked.pictures[0]] = asked.text
        return Reply(point(score=2))

    with serving(script) as server:
        (verdict,) = VLMJudge(base_url=server.url).score([JudgeItem(motion, 'picture 0 \\u2028 "url": "data:"')])
    assert verdict.score == 2 and list(seen) == [(128, 64)]
