"""The language-model writer against a fake endpoint: replies, retries, resume, cost, and no key anywhere."""

import json
import logging
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

pytest.importorskip("openai")
pytest.importorskip("pydantic")

from atom_hf.events import ACTIONS, Event, Scenario
from atom_hf.events import prompts as prompts_module
from atom_hf.events.prompt_replies import instruction, read_reply, schema
from atom_hf.events.prompts import GrammarPromptWriter, LLMPromptWriter, Prompt, PromptWriterError

from .fake_server import FakeServer, Reply, Request, serving

KEY = "sk-test-5f3a9c"


@pytest.fixture(autouse=True)
def _fast_and_keyed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prompts_module, "_PAUSE", 0.002)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


def item(text: str, *events: Event) -> dict:
    """A prompt as a model answers it."""
    keys = ("action", "count", "side", "direction")
    return {"text": text, "events": [{key: getattr(event, key) for key in keys} for event in events]}


def reply(*items: dict, **more: object) -> Reply:
    """A good answer with these prompts."""
    return Reply(json.dumps({"prompts": list(items)}), **more)


def task_of(request: Request) -> str:
    asked = request.body["messages"][1]["content"]
    return next(task for task in prompts_module.TASKS if instruction(task).splitlines()[0][15:] in asked)


def fresh_replies(per_request: int = 3) -> Callable[[int, Request], Reply]:
    """Good answers without end, from the grammar."""
    writers = {task: iter(GrammarPromptWriter(seed=5, tasks=(task,))) for task in prompts_module.TASKS}

    def script(_: int, request: Request) -> Reply:
        new = [next(writers[task_of(request)]) for _ in range(per_request)]
        return reply(*[item(prompt.text, *prompt.scenario.events) for prompt in new])

    return script


def writer(server: FakeServer, **more: object) -> LLMPromptWriter:
    return LLMPromptWriter(server.url, "tiny", **{"per_request": 3, "workers": 1, **more})


def test_good_replies_become_prompts() -> None:
    with serving(fresh_replies()) as server:
        written = writer(server).write(9)
    assert len(written) == 9 and len(server.requests) == 3
    assert [prompt.scenario.task for prompt in written] == 3 * ["integrity"] + 3 * ["temporal"] + 3 * ["frequency"]
    body = server.requests[0].body
    assert (
        body["response_format"]["json_schema"]["schema"] == schema()
        and body["response_format"]["json_schema"]["strict"]
    )
    assert all(f"- {name} (" in body["messages"][0]["content"] for name in ACTIONS)
    assert "Write 3 captions" in body["messages"][1]["content"]


def test_several_workers_write_as_many() -> None:
    with serving(fresh_replies()) as server:
        written = writer(server, workers=4).write(20)
        assert len(written) == len({prompt.text for prompt in written}) == 20
        assert 7 <= len(server.requests) <= 11


def test_captions_seed_the_requests() -> None:
    captions = [f"caption number {i}" for i in range(40)]
    with serving(fresh_replies()) as server:
        writer(server, examples=captions).write(6)
    seeds = [[c for c in captions if f"- {c}\n" in r.body["messages"][1]["content"] + "\n"] for r in server.requests]
    assert all(len(seed) == 5 for seed in seeds) and seeds[0] != seeds[1]


def test_schema_is_strict() -> None:
    def check(node: object) -> None:
        if isinstance(node, dict):
            if node.get("type") == "object":
                assert node["additionalProperties"] is False and set(node["required"]) == set(node["properties"])
            for value in node.values():
                check(value)

    check(schema())
    check(next(iter(schema()["$defs"].values())))


def test_server_without_json_schema_is_asked_in_words() -> None:
    good = fresh_replies()

    def script(i: int, request: Request) -> Reply:
        if "response_format" in request.body:
            return Reply(status=400, error={"message": "response_format is not supported"})
        assert "Answer with one JSON object" in request.body["messages"][1]["content"]
        fenced = good(i, request)
        return Reply(f"```json\n{fenced.content}\n```")

    with serving(script) as server:
        assert len(writer(server).write(6)) == 6
    assert ["response_format" in request.body for request in server.requests] == [True, False, False]


@pytest.mark.parametrize("broken", ["Sure! Here you go: {", '{"captions": []}', '{"prompts": [{"caption": "x"}]}', ""])
def test_unreadable_reply_is_repaired_once(broken: str) -> None:
    good = fresh_replies()
    with serving(lambda i, request: Reply(broken) if i == 0 else good(i, request)) as server:
        assert len(writer(server).write(3)) == 3
    repair = server.requests[1].body["messages"]
    assert len(server.requests) == 2 and repair[-2]["content"] == broken
    assert repair[-1]["content"].startswith("That answer can't be used: ")


def test_reply_cut_off_is_repaired_and_counts() -> None:
    good = fresh_replies()
    with serving(lambda i, r: Reply('{"prompts', finish_reason="length") if i == 0 else good(i, r)) as server:
        llm = writer(server)
        llm.write(3)
    assert llm.spent.input_tokens == 2000
    assert "cut off" in server.requests[1].body["messages"][-1]["content"]


def test_endless_nonsense_ends(tmp_path: Path) -> None:
    path = tmp_path / "prompts.jsonl"
    with serving(lambda i, request: Reply("no")) as server:
        with pytest.raises(
            PromptWriterError, match=r"5 requests in a row gave nothing new \(unreadable reply: it is no JSON"
        ):
            writer(server, path=path).write(3)
        assert len(server.requests) == 10  # each with one repair
    records = [json.loads(line) for line in path.read_text().splitlines()][1:]
    assert [record["raw"] for record in records] == ["no"] * 5
    assert all(record["failed"].startswith("unreadable reply") for record in records)


def test_refusal_is_no_prompt_and_asked_again_later(tmp_path: Path) -> None:
    good = fresh_replies()
    refused = Reply(refusal=f"I can't do that, {KEY}")
    path = tmp_path / "prompts.jsonl"
    with serving(lambda i, request: refused if i == 0 else good(i, request)) as server:
        assert len(writer(server, path=path).write(3)) == 3
        assert len(server.requests) == 2
        assert writer(server, path=path)._store.finished == {1}
    assert "refusal: I can't do that, [key]" in path.read_text()


def test_items_that_do_not_fit_are_left_out() -> None:
    items = [
        item("a person jumps twice", Event("jump", 2)),
        {"text": "a person flies", "events": [{"action": "fly", "count": 1, "side": None, "direction": None}]},
        {"text": "jumps 9 times", "events": [{"action": "jump", "count": 9, "side": None, "direction": None}]},
        {"text": "jumps", "events": [{"action": "jump", "count": True, "side": None, "direction": None}]},
        {"text": "waves", "events": [{"action": "wave", "count": 1, "side": "up", "direction": None}]},
        item("a person squats three times", Event("squat", 2)),
        item("a person claps", Event("clap")),
        item("a person stands up twice, then claps twice", Event("stand_up"), Event("clap", 2)),
        item("", Event("clap", 2)),
        item("a person nods thrice like mad \x07", Event("clap", 2)),
        {"text": "empty", "events": []},
        "text",
        item("hands meet in applause, two times", Event("clap", 2)),
    ]
    good, bad = read_reply(json.dumps({"prompts": items}), "frequency")
    assert good == [
        Prompt("a person jumps twice", Scenario((Event("jump", 2),), "frequency")),
        Prompt("hands meet in applause, two times", Scenario((Event("clap", 2),), "frequency")),
    ]
    for rejected, reason in zip(
        bad,
        (
            "events.0.action: Input should be",
            "count of jump is from 1 to 6",
            "events.0.count: Input should be a valid integer",
            "events.0.side",
            '"count": 3',
            "no count above 1",
            "stand_up needs sitting or lying",
            "1 to 300 printable characters",
            "printable",
            "at least one event",
            "Not of the form",
        ),
        strict=True,
    ):
        assert reason in rejected.reason


def test_missing_details_mean_not_said() -> None:
    good, _ = read_reply('{"prompts": [{"text": "someone bows", "events": [{"action": "bow"}]}]}', "integrity")
    assert good == [Prompt("someone bows", Scenario((Event("bow"),)))]


def test_near_duplicates_are_left_out() -> None:
    walk_jump, jump_walk = (Event("walk"), Event("jump")), (Event("jump"), Event("walk"))
    replies = [
        item("A person walks, then jumps.", *walk_jump),
        item("a person WALKS then jumps", *walk_jump),  # the same words
        item("The person walks, then jumps.", *walk_jump),  # 4 of 6 words in common: new
        item("A person walks and then jumps.", *walk_jump),  # 5 of 6: nearly the same
        item("A person jumps, then walks.", *jump_walk),  # the same words, other events
    ]
    with serving(lambda i, request: reply(*replies)) as server:
        written = writer(server, tasks=("temporal",), per_request=5).write(3)
        assert [prompt.text for prompt in written] == [replies[0]["text"], replies[2]["text"], replies[4]["text"]]
        with pytest.raises(PromptWriterError, match=r"5 requests in a row gave nothing new \(duplicates\); 3 of 4"):
            writer(server, tasks=("temporal",), per_request=5).write(4)


@pytest.mark.parametrize(
    ("failure", "least"),
    [
        (Reply(status=429, headers={"retry-after": "0.2"}, error={"message": "slow down"}), 0.2),
        (Reply(status=429, headers={"retry-after-ms": "150"}, error={"message": "slow down"}), 0.15),
        (Reply(status=429, headers={"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, error={}), 0.0),
        (Reply(status=500, headers={"retry-after": "soon"}, error={"message": "oops"}), 0.0),
        (Reply(status=503, headers={"retry-after": "nan"}, error={"message": "oops"}), 0.0),
    ],
)
def test_passing_failures_are_retried(failure: Reply, least: float, monkeypatch: pytest.MonkeyPatch) -> None:
    naps: list[float] = []
    monkeypatch.setattr(prompts_module.time, "sleep", naps.append)
    good = fresh_replies()
    with serving(lambda i, request: failure if i < 2 else good(i, request)) as server:
        assert len(writer(server).write(3)) == 3
        assert len(server.requests) == 3  # and no retries of the client on top
    assert len(naps) == 2 and all(least <= nap <= max(least, 0.1) for nap in naps)


@pytest.mark.parametrize(
    ("failure", "requests", "message"),
    [
        (Reply(status=500, error={"message": f"oops {KEY}"}), 8, r"no reply in 8 tries.*oops \[key\]"),
        (Reply(status=401, error={"message": f"bad key {KEY}"}), 1, r"no reply: .*bad key \[key\]"),
        (Reply(status=429, error={"message": "pay", "code": "insufficient_quota"}), 1, "no reply: .*pay"),
        (Reply(status=429, headers={"retry-after": "3600"}, error={"message": "later"}), 1, "180 s at most: .*later"),
        (Reply(status=400, error={"message": "no such thing"}), 2, "refuses the request: .*no such thing"),
    ],
)
def test_lasting_failures_end(failure: Reply, requests: int, message: str) -> None:
    with serving(lambda i, request: failure) as server:
        with pytest.raises(PromptWriterError, match=message) as caught:
            writer(server).write(3)
        assert len(server.requests) == requests
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    "page",
    [
        Reply(page=b"<html>Welcome</html>", headers={"content-type": "text/html"}),
        Reply(page=b"<html>Welcome</html>"),
        Reply(page=b'{"choices": []}'),
        Reply(page=b"[]"),
    ],
)
def test_a_server_of_something_else(page: Reply) -> None:
    with serving(lambda i, request: page) as server:
        with pytest.raises(PromptWriterError, match=r"gave no chat completion .*is the address that of an OpenAI"):
            writer(server).write(1)


def test_failed_repair_keeps_what_was_paid(tmp_path: Path) -> None:
    with serving(lambda i, request: Reply("no") if i % 2 == 0 else Reply(status=401)) as server:
        llm = writer(server, path=tmp_path / "prompts.jsonl")
        with pytest.raises(PromptWriterError, match="5 requests in a row"):
            llm.write(3)
    assert llm.spent.input_tokens == 5000


def test_requests_differ_and_name_every_action() -> None:
    with serving(fresh_replies()) as server:
        writer(server).write(90)
    asked = [request.body["messages"][1]["content"] for request in server.requests]
    assert len(set(asked)) == len(asked) == 30
    assert all(any(name in ask for ask in asked) for name in ACTIONS)
    assert not any("{" in ask for ask in asked)


def test_no_server_at_all() -> None:
    with serving(fresh_replies()) as server:
        pass
    with pytest.raises(PromptWriterError, match="no reply in 8 tries"):
        writer(server).write(1)


def test_resume_asks_only_for_what_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "prompts.jsonl"
    with serving(fresh_replies()) as server:
        first = writer(server, path=path).write(9)
        with path.open("ab") as file:
            file.write(b'{"request": 3, "task": "integ')  # a crash in the middle of a line
        again = writer(server, path=path)
        assert again.write(9) == first and len(server.requests) == 3
        assert again.write(15)[:9] == first and len(server.requests) == 5
        assert again.spent.requests == 5 and again.spent.input_tokens == 5000
        lines = path.read_text().splitlines()
    assert [json.loads(line)["request"] for line in lines[1:]] == [0, 1, 2, 3, 4]


def test_what_was_answered_before_a_failure_is_kept(tmp_path: Path) -> None:
    path, good = tmp_path / "prompts.jsonl", fresh_replies()
    with serving(lambda i, r: Reply(status=401, error={}) if i == 2 else good(i, r)) as server:
        with pytest.raises(PromptWriterError):
            writer(server, path=path).write(9)
        assert len(writer(server, path=path)._store.prompts) == 6
        assert len(writer(server, path=path).write(9)) == 9
        assert len(server.requests) == 4


def test_file_of_other_settings_or_broken_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "prompts.jsonl"
    with serving(fresh_replies()) as server:
        writer(server, path=path).write(3)
        with pytest.raises(
            ValueError, match=r"written with other settings: expected .*Use the same settings or another"
        ):
            writer(server, path=path, per_request=4)
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join([lines[0], "{}\n", *lines[1:]]))
        with pytest.raises(ValueError, match=r"prompts.jsonl, line 2: expected 'atom_hf prompts 1', got b'\{\}'"):
            writer(server, path=path)


def test_cost_before_and_after(tmp_path: Path) -> None:
    prices = tmp_path / "prices.json"
    prices.write_text('{"tiny": {"input": 2.0, "output": 10.0}}')
    with serving(fresh_replies()) as server:
        llm = writer(server, prices=prices)
        before = llm.estimate(7)
        assert server.requests == []
        assert before.requests == 3 and 1500 < before.input_tokens < 10_000 and before.output_tokens == 540
        assert before.dollars == pytest.approx((2 * before.input_tokens + 10 * 540) / 1e6)
        llm.write(7)
        assert llm.spent.dollars == pytest.approx(3 * (2 * 1000 + 10 * 100) / 1e6)
        assert llm.estimate(7).requests == 0
        assert llm.spent.explanation == "3 requests, 3,000 input and 300 output tokens: $0.0090"
        unpriced = writer(server).estimate(7)
    assert unpriced.dollars is None and "no price for 'tiny'" in unpriced.explanation
    with pytest.raises(ValueError, match="Not a table of prices: expected"):
        LLMPromptWriter("http://localhost", "tiny", prices={"tiny": {"input": 1.0}})


def test_key_goes_to_the_endpoint_and_nowhere_else(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path, good = tmp_path / "prompts.jsonl", fresh_replies()
    caplog.set_level(logging.DEBUG)

    def script(i: int, request: Request) -> Reply:
        if i == 0:
            return Reply(status=400, error={"message": f"no schema for {request.headers['authorization']}"})
        return Reply(f"your key is {KEY}") if i == 1 else good(i, request)

    with serving(script) as server:
        llm = writer(server, path=path)
        llm.write(6)
        assert {request.headers["authorization"] for request in server.requests} == {f"Bearer {KEY}"}
        assert all(KEY not in json.dumps(request.body) for request in server.requests)
    assert KEY not in path.read_text()
    assert all(KEY not in record.getMessage() for record in caplog.records)
    assert KEY not in repr(llm) and KEY not in json.dumps(llm._settings())


def test_endpoint_without_a_key_needs_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    with serving(fresh_replies()) as server:
        assert len(writer(server).write(3)) == 3
        assert server.requests[0].headers["authorization"] == "Bearer none"


def test_client_of_ones_own() -> None:
    from openai import OpenAI

    answers = count()
    good = fresh_replies()
    with serving(lambda i, r: Reply(status=500, error={}) if next(answers) == 0 else good(i, r)) as server:
        client = OpenAI(base_url=server.url, api_key="sk-own", max_retries=5)
        assert len(LLMPromptWriter(client, "tiny", per_request=3, workers=1).write(3)) == 3
        assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"tasks": ("order",)}, r"Tasks are some of .* got \['order'\]"),
        ({"workers": 0}, "at least 1, got per_request=10, workers=0"),
    ],
)
def test_wrong_arguments(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LLMPromptWriter("http://localhost", "tiny", **arguments)
