"""Batches: submitted, polled, collected; over restarts, expiry, and being killed between two steps."""

import json

import numpy as np
import pytest

pytest.importorskip("openai")

import openai

from atom_hf.motion import Motion
from atom_hf.rewards import JudgeItem
from atom_hf.rewards.vlm import PictureLayout, VLMJudge, batch
from atom_hf.rewards.vlm.batch import BatchJudge, BatchStatus

from .server import Reply, Server, point, serving

PICTURE = PictureLayout(frames=2, size=(128, 64))


@pytest.fixture(scope="module")
def items(walk: np.ndarray) -> list[JudgeItem]:
    return [JudgeItem(Motion(walk[: 20 + i]), f"person {i} walks forward") for i in range(6)]


def batches(server: Server, path, **options) -> BatchJudge:
    vlm = VLMJudge(base_url=server.url, layout=PICTURE, store=path / "verdicts.sqlite", **options)
    return BatchJudge(vlm, poll_every=0.01)


def test_half_the_price(items, tmp_path):
    with serving(lambda asked: Reply(point(score=asked.number % 5 + 1)), batch_polls=3) as server:
        judge = batches(server, tmp_path)
        verdicts = judge.score(items)
        assert [verdict.score for verdict in verdicts] == [1, 2, 3, 4, 5, 1]
        assert judge.score(items) == verdicts == judge.judge.score(items)  # in the same store
        assert len(server.batches) == 1 and server.outcomes["POST chat/completions"] == 0
    request = json.loads(next(iter(server.files.values())).splitlines()[0])
    assert (request["method"], request["url"]) == ("POST", "/v1/chat/completions")
    assert judge.judge.spent.dollars == pytest.approx(6 * (1500 * 2.5 + 120 * 10) / 1e6 / 2)


def test_submitted_by_one_process_and_collected_by_another(items, tmp_path):
    with serving(batch_polls=2) as server:
        first = batches(server, tmp_path)
        assert (first.submit(items[:4]), first.submit(items[:4]), first.submit(items)) == (4, 0, 2)
        assert first.read(items)[0].cause == first.stopped == "under way: its batch is not over"
        first.store.close()
        second = batches(server, tmp_path)
        assert second.collect() == BatchStatus(under_way=2, waiting=6, collected=0)
        assert second.collect() == BatchStatus(under_way=0, waiting=0, collected=6)
        assert [verdict.score for verdict in second.score(items)] == [4] * 6 and second.stopped is None
        assert len(server.batches) == 2


def test_what_an_expired_batch_did_finish_is_kept_and_the_rest_submitted_anew(items, tmp_path):
    with serving(batch_share=0.5) as server:
        judge = batches(server, tmp_path)
        assert judge.submit(items) == 6
        assert judge.collect() == BatchStatus(0, 0, 3)
        verdicts = judge.read(items)
        assert [verdict.score for verdict in verdicts] == [4, 4, 4, None, None, None]
        assert verdicts[3].cause == "batch_expired"
        server.batch_share = 1.0
        assert [verdict.score for verdict in judge.score(items)] == [4] * 6
        assert [entry["request_counts"]["total"] for entry in server.batches.values()] == [6, 3]
        assert server.counts()["paid twice"] == 0
    assert judge.judge.spent.dollars == pytest.approx(6 * 0.00495 / 2)


def test_a_batch_that_never_finishes_anything_ends(items, tmp_path):
    with serving(batch_share=0.0) as server:
        verdicts = batches(server, tmp_path).score(items)
    assert {verdict.cause for verdict in verdicts} == {"batch_expired"} and len(server.batches) == 1


def test_replies_without_a_score(items, tmp_path):
    replies = [Reply(), Reply(refusal="no"), Reply("what?"), Reply(status=400, error={"message": "bad"}), Reply()]
    with serving(lambda asked: replies[asked.number % 5]) as server:
        verdicts = batches(server, tmp_path).score(items[:5])
        assert len(server.batches) == 1  # none of these is asked again in this run
    assert [verdict.score for verdict in verdicts] == [4, None, None, None, 4]
    assert [verdict.cause for verdict in verdicts[1:4]][::2] == ["refused: no", "400: bad"]
    assert verdicts[2].cause.startswith("unreadable") and verdicts[2].reply == "what?"


def test_parameters_that_the_model_does_not_take_are_changed(items, tmp_path):
    def script(asked):
        if "max_tokens" in asked.body:
            return Reply(status=400, error={"message": "Use 'max_completion_tokens'.", "param": "max_tokens"})
        return Reply()

    with serving(script) as server:
        assert [verdict.score for verdict in batches(server, tmp_path).score(items)] == [4] * 6
        assert len(server.batches) == 2


@pytest.mark.parametrize("submitted", [True, False])
def test_killed_while_it_submits(items, tmp_path, submitted, monkeypatch):
    with serving() as server:
        judge = batches(server, tmp_path)
        create = openai.resources.AsyncBatches.create

        async def killed(self, **request):
            if submitted:
                await create(self, **request)
            raise RuntimeError("killed")

        monkeypatch.setattr(openai.resources.AsyncBatches, "create", killed)
        with pytest.raises(RuntimeError, match=r"a batch could not be submitted \(killed\)"):
            judge.submit(items)
        monkeypatch.undo()
        judge.store.close()
        again = batches(server, tmp_path)
        assert [verdict.score for verdict in again.score(items)] == [4] * 6
        assert len(server.batches) == 1 and server.counts()["paid twice"] == 0


def test_budget(items, tmp_path):
    with serving() as server:
        judge = batches(server, tmp_path, budget=0.03)
        submitted = judge.submit(items)
        assert 0 < submitted < 6 and judge.judge.budget.spent + judge.judge.budget.held <= 0.03
        assert judge.read(items)[-1].cause == judge.stopped == "not asked: no batch has it"
        judge.store.close()
        second = batches(server, tmp_path, budget=0.03)  # it counts what is under way as spent, until it knows better
        assert second.judge.budget.spent > 0.02
        second.collect()
        assert second.judge.budget.spent == pytest.approx(submitted * 0.00495 / 2)
        assert second.judge.spent.dollars == pytest.approx(second.judge.budget.spent)


def test_large_jobs_are_several_batches(items, tmp_path, monkeypatch):
    monkeypatch.setattr(batch, "MOST_REQUESTS", 2)
    with serving() as server:
        judge = batches(server, tmp_path)
        assert judge.submit(items) == 6 and len(server.batches) == 3
        monkeypatch.setattr(batch, "MOST_BYTES", 10)
        assert judge.submit([JudgeItem(items[0].motion, "jumps"), JudgeItem(items[0].motion, "sits")]) == 2
        assert len(server.batches) == 5
        assert judge.collect().collected == 8


def test_a_judge_without_a_store():
    with pytest.raises(ValueError, match="Batches need a judge with a store"):
        BatchJudge(VLMJudge(base_url="http://127.0.0.1:9/v1"))
