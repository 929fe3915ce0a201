"""The vision judge against a server on this machine: scores, preferences, votes, and everything that has no score."""

import asyncio
import json
import logging
import threading

import numpy as np
import pytest

pytest.importorskip("openai")

from atom_hf.events import Event, Scenario
from atom_hf.motion import Motion
from atom_hf.rewards import Judge, JudgeItem
from atom_hf.rewards.vlm import PictureLayout, VLMJudge

from .server import Reply, Server, pair, point, serving

PICTURE = PictureLayout(frames=2, size=(128, 64))


@pytest.fixture(scope="module")
def items(walk: np.ndarray) -> list[JudgeItem]:
    return [JudgeItem(Motion(walk[: 20 + i]), f"person {i} walks forward") for i in range(6)]


def judge(server: Server, model: str = "gpt-4o", task: str | None = None, **options) -> VLMJudge:
    return VLMJudge(model, task, **{"base_url": server.url, "layout": PICTURE, "deadline": 10.0, **options})


def test_scores_with_reason_reply_and_cost(items):
    with serving(lambda asked: Reply(point(score=asked.number % 5 + 1, reason=f"number {asked.number}"))) as server:
        vlm = judge(server, task="temporal", concurrency=1)
        verdicts = vlm.score(items)
    assert isinstance(vlm, Judge) and vlm.name == "gpt-4o, temporal-1"
    assert [verdict.score for verdict in verdicts] == [1, 2, 3, 4, 5, 1]
    assert verdicts[2].reason == "number 2" and json.loads(verdicts[2].reply)["score"] == 3
    assert verdicts[0].raw == {"confidence": 0.8, "caption_gives_orders": 0.0}
    assert verdicts[0].judge == "gpt-4o, temporal-1"
    spent = vlm.spent
    assert (spent.requests, spent.input_tokens, spent.output_tokens) == (6, 9000, 720)
    assert spent.dollars == pytest.approx((9000 * 2.5 + 720 * 10) / 1e6)
    request = server.requests[0]
    assert request.pictures == [(128, 64)] and "person 0 walks forward" in request.text
    form = request.body["response_format"]["json_schema"]
    assert form["strict"] and set(form["schema"]["required"]) > {"score", "confidence", "findings"}
    assert (request.body["temperature"], request.body["max_tokens"]) == (0.0, 1000)


def test_each_item_by_the_task_of_its_scenario(walk):
    scenario = Scenario((Event("walk"), Event("jump", count=2)), "frequency")
    with serving() as server:
        first, second = judge(server).score(
            [JudgeItem(Motion(walk), "walks, jumps twice", scenario), JudgeItem(Motion(walk), "walks")]
        )
    assert (first.judge, second.judge) == ("gpt-4o, frequency-1", "gpt-4o, overall-1")


@pytest.mark.parametrize(
    ("reply", "cause", "raw", "requests"),
    [
        (Reply(refusal="I cannot judge people."), "refused: I cannot judge people.", "I cannot judge people.", 1),
        (Reply(point(), finish_reason="content_filter"), "filtered: the server's content filter", point(), 1),
        (Reply('{"score"', finish_reason="length"), "truncated: the reply is longer than max_tokens=1000", '{"', 1),
        (Reply("a 4, I think"), "unreadable: it is no JSON", "a 4, I think", 2),
        (Reply(""), "unreadable: it is empty", "", 2),
        (Reply(point(score=6)), 'unreadable: "score" is a whole number from 1 to 5, or null, got 6', '"score": 6', 2),
        (Reply(point(score=None)), "the judge gave no score", '"score": null', 1),
        (Reply(status=403, error={"message": "not you"}), "rejected: the server rejects the request (403", "", 1),
        (Reply(status=400, error={"message": "too dark"}), "rejected: 400: too dark", "", 2),  # once more in words
        (Reply(status=400, error={"code": "content_policy_violation"}), "filtered: the server's content", "", 1),
    ],
)
def test_no_score_has_a_cause_and_the_raw_reply(items, reply, cause, raw, requests):
    with serving(lambda asked: reply if "person 1" in asked.text else Reply()) as server:
        verdicts = judge(server).score(items[:3])
    assert [verdict.score for verdict in verdicts] == [4, None, 4]
    assert verdicts[1].cause.startswith(cause) and raw in verdicts[1].reply
    assert server.counts()["requests"] == 2 + requests


def test_a_reply_that_cannot_be_read_is_repaired_once(items):
    with serving(lambda asked: Reply(point(score=2)) if asked.repair else Reply("```\nwell")) as server:
        vlm = judge(server)
        (verdict,) = vlm.score(items[:1])
    assert verdict.score == 2 and vlm.stats["calls"]["repairs"] == 1
    said = server.requests[1].body["messages"][2:]
    assert said[0] == {"role": "assistant", "content": "```\nwell"}
    assert "it is no JSON" in said[1]["content"]
    assert vlm.spent.requests == 2


def test_servers_without_a_schema_are_asked_in_words(items):
    def script(asked):
        if "response_format" in asked.body:
            return Reply(status=400, error={"message": "response_format is not supported"})
        return Reply(f"```json\n{point()}\n```") if '"findings"' in asked.text else Reply("what?")

    with serving(script) as server:
        verdicts = judge(server, concurrency=1).score(items)
    assert [verdict.score for verdict in verdicts] == [4] * 6
    assert server.counts()["requests"] <= 8  # learnt at the first one; the next was on its way


def test_servers_that_ignore_the_schema_are_asked_in_words(items):
    with serving(lambda asked: Reply() if '"caption_gives_orders": false' in asked.text else Reply("4")) as server:
        verdicts = judge(server, concurrency=1).score(items)
    assert [verdict.score for verdict in verdicts] == [4] * 6
    assert server.counts()["requests"] == 6 + 3


@pytest.mark.parametrize("concurrency", [1, 6])
def test_models_that_take_other_parameters(items, concurrency):
    def script(asked):
        if "max_tokens" in asked.body:
            return Reply(status=400, error={"message": "Use 'max_completion_tokens'.", "param": "max_tokens"})
        if "temperature" in asked.body:
            return Reply(status=400, error={"message": "Only the default of 1.", "param": "temperature"})
        return Reply()

    with serving(script) as server:
        verdicts = judge(server, concurrency=concurrency).score(items)
    assert [verdict.score for verdict in verdicts] == [4] * 6
    last = server.requests[-1].body
    assert last["max_completion_tokens"] == 1000 and "response_format" in last
    assert server.counts()["requests"] <= 6 + 2 * (concurrency + 1)  # those under way learn it, too


def test_bad_items_do_not_stop_the_others(items):
    class Broken:
        def __len__(self):
            return 5

        def __getitem__(self, i):
            if i == 3:
                raise OSError("the disk is gone")
            return [items[0], "a motion", JudgeItem(items[1].motion, "   "), None, items[4]][i]

    with serving() as server:
        vlm = judge(server)
        verdicts = vlm.score(Broken())
    assert [verdict.score for verdict in verdicts] == [4, None, None, None, 4]
    causes = [verdict.cause for verdict in verdicts[1:4]]
    assert causes[0] == "no picture: Expected a JudgeItem, got str."
    assert "a blank one" in causes[1] and causes[2] == "no picture: the disk is gone"
    assert vlm.stats["unscored"] == {"no picture": 3}


def test_the_same_item_is_asked_once(items):
    with serving() as server:
        verdicts = judge(server).score([items[0]] * 20)
    assert server.counts()["requests"] == 1 and [verdict.score for verdict in verdicts] == [4] * 20


def test_votes(items):
    scores = iter([5, 2, 5])

    def script(asked):
        return Reply(point(score=next(scores)))

    with serving(script) as server:
        (verdict,) = judge(server, votes=3, temperature=1.0, concurrency=1).score(items[:1])
    assert verdict.score == 4 and verdict.raw["votes"] == 3 and verdict.raw["spread"] == pytest.approx(2**0.5)
    with serving(lambda asked: Reply(refusal="no") if asked.number % 2 else Reply()) as server:
        half, most = (
            judge(server, votes=votes, temperature=0.7, concurrency=1).score(items[:1])[0] for votes in (2, 3)
        )
    assert half.cause == "refused: no"  # half is not enough
    assert most.score == 4 and most.raw["votes"] == 2


def test_a_pair_is_asked_in_both_orders(items):
    first, second = items[0], JudgeItem(items[1].motion, items[0].prompt)

    def by_picture(asked):  # prefers one motion, wherever it is shown
        urls = [p["image_url"]["url"] for p in asked.body["messages"][1]["content"] if p["type"] == "image_url"]
        return Reply(pair("first" if urls[0] == good else "second", reason="it walks"))

    with serving(by_picture) as server:
        vlm = judge(server)
        content = vlm.preview(first)["messages"][1]["content"]
        good = next(part["image_url"]["url"] for part in content if part["type"] == "image_url")
        preferences = vlm.compare([(first, second), (second, first)])
    assert [each.choice for each in preferences] == ["first", "second"]
    assert preferences[0].orders == ("first", "first") and preferences[0].consistent
    assert preferences[0].reason == "it walks" and len(preferences[0].replies) == 2
    assert server.counts()["requests"] == 2  # the second pair is the first one in the other order
    assert vlm.stats["position_bias"] == {"pairs": 2, "consistent": 1.0, "first_shown": 0.0, "second_shown": 0.0}


def test_position_bias_makes_ties(items):
    pairs = [(items[i], JudgeItem(items[i + 1].motion, items[i].prompt)) for i in range(4)]
    with serving(lambda asked: Reply(pair("second"))) as server:
        vlm = judge(server)
        preferences = vlm.compare(pairs)
    assert {each.choice for each in preferences} == {"tie"} and not preferences[0].consistent
    assert "order" in preferences[0].reason
    assert vlm.stats["position_bias"] == {"pairs": 4, "consistent": 0.0, "first_shown": 0.0, "second_shown": 1.0}


def test_pairs_without_an_answer_or_with_two_prompts(items):
    same = JudgeItem(items[1].motion, items[0].prompt)
    with serving(lambda asked: Reply(refusal="no") if asked.number == 1 else Reply(pair())) as server:
        half, two = judge(server, concurrency=1).compare([(items[0], same), (items[0], items[1])])
    assert half.choice is None and half.cause == "refused: no" and len(half.replies) == 2
    assert two.cause.startswith("no picture: Expected two motions for one prompt")


def test_terminal_errors_stop_the_run(items, caplog):
    out_of_money = Reply(status=429, error={"code": "insufficient_quota", "message": "You exceeded your quota."})
    for reply, cause in [
        (out_of_money, "the account has no more money"),
        (Reply(status=401, error={"message": "bad key"}), "the server does not take the key"),
        (Reply(status=404, error={"message": "no such model"}), "the server does not know the model"),
    ]:
        with serving(lambda asked, reply=reply: reply if asked.number >= 2 else Reply()) as server:
            verdicts = judge(server, concurrency=1).score(items)
        assert [verdict.score for verdict in verdicts] == [4, 4, None, None, None, None]
        assert all(verdict.cause.startswith(cause) for verdict in verdicts[2:])
        assert server.counts()["requests"] == 3
    assert "Nothing more is asked" in caplog.text


def test_a_run_inside_of_a_running_loop_and_from_many_threads(items):
    with serving(lambda asked: Reply(delay=0.05)) as server:
        vlm = judge(server)

        async def both():
            plain = vlm.score(items[:1])  # as in a notebook, where a loop is running
            ticks = 0

            async def tick():
                nonlocal ticks
                while True:
                    await asyncio.sleep(0.005)
                    ticks += 1

            ticking = asyncio.create_task(tick())
            verdicts = await vlm.score_async(items[1:3])
            preferences = await vlm.compare_async([(items[0], JudgeItem(items[1].motion, items[0].prompt))])
            ticking.cancel()
            return plain + verdicts, preferences, ticks

        verdicts, preferences, ticks = asyncio.run(both())
        found: list = []
        threads = [threading.Thread(target=lambda i=i: found.extend(vlm.score([items[i]]))) for i in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [verdict.score for verdict in verdicts] == [4, 4, 4] and preferences[0].choice == "tie"
    assert ticks >= 3  # the caller's loop went on
    assert [verdict.score for verdict in found] == [4] * 6


def test_dry_run_and_preview_ask_nothing(items, tmp_path):
    store = tmp_path / "verdicts.sqlite"
    with serving() as server:
        judge(server, store=store).score(items[:2])
        vlm = judge(server, store=store, dry_run=True)
        verdicts = vlm.score(items[:3])
        body = vlm.preview(items[2])
    assert [verdict.score for verdict in verdicts] == [4, 4, None]
    assert verdicts[2].cause == "dry run: nothing is asked"
    assert server.counts()["requests"] == 2
    assert body["model"] == "gpt-4o" and body["messages"][1]["content"][2]["type"] == "image_url"
    assert VLMJudge(dry_run=True, layout=PICTURE).score(items[:1])[0].score is None  # without a key


def test_estimate(items, tmp_path):
    with serving() as server:
        vlm = judge(server, store=tmp_path / "verdicts.sqlite", votes=2, temperature=0.7)
        before = vlm.estimate(items)
        vlm.score(items[:2])
        after = vlm.estimate(items)
        assert server.counts()["requests"] == 4
        local = judge(server, "llava").estimate(items)
        pairs = judge(server).estimate([(items[0], JudgeItem(items[1].motion, items[0].prompt))])
    assert (before.requests, after.requests, pairs.requests) == (12, 8, 2)
    assert before.dollars == pytest.approx((before.input_tokens * 2.5 + 12 * 250 * 10) / 1e6, rel=1e-3)
    assert "2 items are answered already" in after.explanation and "at most $" in after.explanation
    assert local.dollars is None and "no price is known for 'llava'" in local.explanation
    assert 1000 < before.input_tokens / 12 < 4000


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"task": "beauty"}, "The task of a judge is one of integrity, temporal, frequency, overall, got 'beauty'"),
        ({"detail": "best"}, "detail low, high or auto, got 'best'"),
        (
            {"votes": 0},
            "Expected numbers of at least 1 .whole ones. for votes, max_tokens and concurrency.*got votes=0",
        ),
        ({"concurrency": 0}, "concurrency=0"),
        ({"deadline": 0}, "deadline=0"),
        ({"model": "llava", "budget": 1.0}, "no price for 'llava', so a budget cannot be kept"),
        ({"budget": -1}, "A budget is an amount of dollars above zero, got -1"),
        ({"requests_per_minute": 0}, "requests_per_minute is above zero, got 0"),
        ({"base_url": None}, "There is no key: set the environment variable NO_SUCH_KEY"),
        ({"client": "me"}, "Expected a client or a base_url, got both"),
    ],
)
def test_bad_settings(options, text):
    known = {"base_url": "http://127.0.0.1:9/v1", "api_key_env": "NO_SUCH_KEY"}
    with pytest.raises(ValueError, match=text):
        VLMJudge(**{**known, **options})


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"temperature": float("nan")}, "The temperature is a number from 0 on, or None .* got nan"),
        ({"temperature": -3}, "The temperature is a number from 0 on, or None .* got -3"),
        ({"temperature": "hot"}, "The temperature is a number from 0 on, or None .* got 'hot'"),
        ({"max_tokens": float("nan")}, "got votes=1, max_tokens=nan"),
        ({"concurrency": 2.5}, "whole ones.*concurrency=2.5"),
        ({"votes": 1.5, "temperature": 1}, "whole ones.*votes=1.5"),
        ({"votes": True, "temperature": 1}, "whole ones.*votes=True"),
        ({"deadline": "soon"}, "deadline='soon'"),
        ({"deadline": float("inf")}, "deadline=inf"),
        ({"votes": 2}, "2 votes at temperature 0 are 2 times the same reply.* set a temperature"),
        ({"model": " "}, "Expected the model's name at the endpoint, got ' '"),
        ({"budget": "5"}, "A budget is an amount of dollars above zero, got '5'"),
        ({"prices": {"nobody": 2}}, "the price of 'nobody' is 2, without input and output"),
        ({"budget": 1.0, "prices": {"gpt-4o": {"input": float("nan"), "output": 1}}}, "the input price of 'gpt-4o'"),
        ({"tokens_per_minute": float("nan")}, "tokens_per_minute is above zero, got nan"),
        ({"requests_per_minute": "60"}, "requests_per_minute is above zero, got '60'"),
        ({"base_url": "localhost:8000/v1"}, "base_url is an address such as .* got 'localhost:8000/v1'"),
        ({"base_url": "not a url"}, "base_url is an address such as"),
        ({"base_url": ""}, "base_url is an address such as .* got ''"),
        ({"base_url": "ftp://localhost/v1"}, "with http or https"),
        ({"base_url": "http://localhost:99999/v1"}, "a port up to 65535, got 'http://localhost:99999/v1'"),
        ({"base_url": "http://:8000/v1"}, "a host and a port"),
        ({"base_url": "http://local host/v1"}, "base_url is an address such as"),
        ({"base_url": "ftp://me:secret-of-mine@localhost/v1"}, "got 'localhost/v1'"),
        ({"base_url": 8000}, "base_url is an address such as .* got no text"),
    ],
)
def test_settings_that_cannot_be_meant(options, text, tmp_path):
    store = tmp_path / "v.sqlite"
    with pytest.raises(ValueError, match=text):
        VLMJudge(**{"base_url": "http://127.0.0.1:9/v1", "store": store, **options})
    assert not store.exists()


def test_a_judge_needs_a_name():
    with pytest.raises(TypeError, match='Expected the model\'s name as text, such as "gpt-4o", got None'):
        VLMJudge(None)


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("sk-secret-0123456789\n", "character 21 of 21 is white space"),
        ("sk-sécret-0123456789", "character 5 of 20 is no ASCII"),
        ("sk secret-0123456789", "character 3 of 20 is white space"),
    ],
)
def test_a_key_that_cannot_be_sent(monkeypatch, key, text):
    monkeypatch.setenv("A_KEY", key)
    with pytest.raises(ValueError, match=f"The key in A_KEY cannot be sent: {text}. Copy it anew") as caught:
        VLMJudge(api_key_env="A_KEY")
    assert "0123456789" not in str(caught.value)


def test_an_address_of_the_environment_is_looked_at_too(monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", "localhost:8000")
    with pytest.raises(ValueError, match="OPENAI_BASE_URL is an address such as"):
        VLMJudge(dry_run=True)


def test_what_is_no_sequence_of_items(items):
    with serving() as server:
        vlm = judge(server)
        with pytest.raises(TypeError, match=r"Expected a sequence of JudgeItems, as score\(\[item\]\), got JudgeItem"):
            vlm.score(items[0])
        with pytest.raises(TypeError, match=r"Expected a sequence of JudgeItems.* got generator"):
            vlm.score(item for item in items)
        with pytest.raises(TypeError, match=r"Expected a sequence of JudgeItems.* got a tuple at 1"):
            vlm.score([items[0], (items[0], items[1])])
        with pytest.raises(
            TypeError, match=r"pairs of JudgeItems, as compare\(\[\(first, second\)\]\), got a single JudgeI"
        ):
            vlm.compare([items[0]])
        with pytest.raises(TypeError, match=r"Expected a sequence of .* got int"):
            vlm.estimate(3)
        assert server.counts()["requests"] == 0

        # What is found out only when it is read costs one item.
        pair, single = vlm.compare(ReadLater([(items[0], items[0]), items[0]]))
        both = vlm.score(ReadLater([items[0], (items[0], items[1])]))
    assert pair.choice == "tie" and single.cause == "no picture: Expected a pair of JudgeItems, got JudgeItem."
    assert [verdict.cause for verdict in both] == [None, "no picture: Expected a JudgeItem, got tuple."]


class ReadLater:
    """A sequence of which nothing is known before it is read."""

    def __init__(self, items):
        self.items = items

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        return self.items[i]


def test_items_without_a_motion_or_a_prompt(items):
    with serving() as server:
        joints, words = judge(server).score(
            [JudgeItem(items[0].motion.joints, "walks"), JudgeItem(items[0].motion, None)]
        )
    assert (
        joints.cause == "no picture: Expected a Motion in a JudgeItem, got ndarray; make one: Motion(joints, fps=20)."
    )
    assert words.cause == "no picture: Expected text as the prompt of a JudgeItem, got NoneType."


def test_a_client_of_ones_own(items):
    import openai

    with serving() as server:
        for kind in (openai.OpenAI, openai.AsyncOpenAI):
            client = kind(base_url=server.url, api_key="of-my-own-client", default_headers={"x-team": "motion"})
            verdicts = VLMJudge(client=client, layout=PICTURE).score(items[:1])
            assert verdicts[0].score == 4
    assert {request.headers["authorization"] for request in server.requests} == {"Bearer of-my-own-client"}
    assert {request.headers["x-team"] for request in server.requests} == {"motion"}
    with pytest.raises(TypeError, match=r"Expected an openai\.AsyncOpenAI or openai\.OpenAI as client, got str"):
        VLMJudge(client="me")


def test_the_bar_tells_cost_so_far_and_to_come(items, capsys, monkeypatch):
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    with serving() as server:
        judge(server, progress=True, concurrency=1).score(items)
        judge(server, progress=False).score(items)
    shown = capsys.readouterr().err
    assert "6/6" in shown and "motion" in shown and "$0.03 so far, $0.00 to come" in shown


def test_the_key_is_written_nowhere(items, tmp_path, monkeypatch, caplog, capfd):
    """Every file, log line, verdict, error, and number that is made while a server repeats the key at us."""
    key = 'sk-secret"0123456789'
    monkeypatch.setenv("A_KEY", key)
    caplog.set_level(logging.DEBUG)
    answers = [
        Reply(status=500, headers={"retry-after-ms": "1"}, error={"message": f"Incorrect key {key}"}),
        Reply(f"not for {key}"),
        Reply(f"again not for {key}"),
        Reply(refusal=f"Not with {key}"),
        Reply(point(reason=f"You are {key}")),
        Reply(status=400, error={"message": f"bad {key}"}),
        Reply(status=400, error={"message": f"bad {key}"}),
        Reply(status=401, error={"message": f"Incorrect API key provided: {key}"}),
    ]
    with serving(lambda asked: answers[min(asked.number, 7)]) as server:
        vlm = judge(server, api_key_env="A_KEY", store=tmp_path / "v.sqlite", concurrency=1)
        verdicts = vlm.score(items)
    from atom_hf.rewards.vlm.export import export_parquet

    assert export_parquet(vlm.store, tmp_path / "v.parquet") == 4
    assert server.requests[0].headers["authorization"] == f"Bearer {key}"
    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert {"v.sqlite", "v.sqlite-wal", "v.parquet"} <= written.keys()
    caught = capfd.readouterr()
    said = "\n".join([str(verdicts), repr(vlm), str(vlm.stats), str(vlm.spent), caplog.text, caught.out, caught.err])
    assert "[key]" in verdicts[0].reply and any("[key]" in (verdict.cause or "") for verdict in verdicts)
    for name, content in {**written, "said": said.encode()}.items():
        assert b"0123456789" not in content, name
