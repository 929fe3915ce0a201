"""A server of chat completions, files and batches on this machine that looks at what it is asked, and misbehaves.

    with serving(lambda asked: Reply(point(score=4))) as server:
        VLMJudge("any", base_url=server.url)
    python tests/rewards/vlm/server.py --latency 0.2 --faults 0.3        a process of its own; prints its address

It decodes every picture, remembers how often each question came and was answered, and does what the script says:
answer, stall, 429, 500, cut the connection, send something broken, refuse. GET /counts tells what it has seen.
"""

import argparse
import asyncio
import base64
import hashlib
import json
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import Any, NamedTuple

from PIL import Image

USAGE = (1500, 120)  # tokens sent and received, of every reply that does not say otherwise


def point(score: int | None = 4, **more: Any) -> str:
    """A good reply about one motion."""
    finding = {"event": "jumps", "seen": "yes", "note": "at 1.0 s"}
    known = {"caption_gives_orders": False, "findings": [finding], "reason": "Seen.", "score": score}
    return json.dumps({**known, "confidence": 0.8, **more})


def pair(choice: str | None = "first", **more: Any) -> str:
    """A good reply about two motions."""
    finding = {"event": "jumps", "first": "yes", "second": "partly", "note": ""}
    known = {"caption_gives_orders": False, "findings": [finding], "reason": "Higher.", "choice": choice}
    return json.dumps({**known, "confidence": 0.7, **more})


@dataclass(frozen=True)
class Reply:
    """What the server does with one request."""

    content: str | None = None  # a good reply of the kind asked for, without it
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    error: dict[str, Any] = field(default_factory=dict)
    refusal: str | None = None
    finish_reason: str = "stop"
    page: bytes | None = None  # instead of JSON
    delay: float = 0.0
    cut: str = ""  # the connection, "before" the answer or "during" it
    usage: tuple[int, int] | None = USAGE


class Asked(NamedTuple):
    """One request for a completion."""

    number: int  # of all, from 0
    attempt: int  # of those for the same question, from 0; a repair is a question of its own
    question: str
    repair: bool
    kind: str
    pictures: list[tuple[int, int]]
    body: dict[str, Any]
    headers: dict[str, str]

    @property
    def text(self) -> str:
        """All words of the request."""
        return "\n".join(_texts(self.body["messages"]))


Script = Callable[[Asked], Reply]


class Server:
    """Counts and answers; `start` it in an event loop."""

    def __init__(self, script: Script, keep: int = 1000, batch_polls: int = 1, batch_share: float = 1.0) -> None:
        self.script, self.keep = script, keep
        self.url = ""
        self.requests: list[Asked] = []  # the first `keep`
        self.attempts: Counter[str] = Counter()
        self.paid: Counter[str] = Counter()  # replies that went out whole, by question
        self.outcomes: Counter[str] = Counter()
        self.tokens = [0, 0]  # of all replies that were made, cut ones too: what a server may bill
        self.in_flight = self.most_in_flight = 0
        self.files: dict[str, bytes] = {}
        self.batches: dict[str, dict[str, Any]] = {}
        self.batch_polls, self.batch_share = batch_polls, batch_share
        self._looked_at: dict[str, tuple[int, int]] = {}
        self._number = 0

    async def start(self, port: int = 0) -> asyncio.Server:
        server = await asyncio.start_server(self._connection, "127.0.0.1", port, backlog=512)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        return server

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                method, path, _ = head[0].split(" ", 2)
                headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in head[1:] if line)}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                self.in_flight += 1
                self.most_in_flight = max(self.most_in_flight, self.in_flight)
                try:
                    if not await self._answer(method, path.partition("?")[0], headers, body, reader, writer):
                        return
                finally:
                    self.in_flight -= 1
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _answer(
        self,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> bool:
        """Answer one request; False where the connection is to be closed."""
        if (method, path) != ("POST", "/v1/chat/completions"):
            status, content = self._other(method, path, headers, body)
            writer.write(_response(status, content))
            await writer.drain()
            return True
        problem, asked = self._look(json.loads(body), headers)
        broken = Reply(status=400, error={"message": problem, "code": "invalid_image"})
        reply = broken if problem else self.script(asked)
        if reply.delay:
            await asyncio.sleep(reply.delay)
        if reader.at_eof():  # nobody waits any more
            self.outcomes["gone"] += 1
            return False
        if reply.cut == "before":
            self.outcomes["cut before"] += 1
            writer.transport.abort()
            return False
        content = self._made(asked, reply)
        if reply.cut == "during":
            self.outcomes["cut during"] += 1
            writer.write(_response(200, content)[:-20])
            await writer.drain()
            writer.close()
            return False
        self.outcomes[_outcome(reply)] += 1
        if _outcome(reply) in ("good", "broken", "refused", "filtered", "truncated"):
            self.paid[asked.question] += 1
        kind = "application/json" if reply.page is None else "text/html"
        writer.write(_response(reply.status, content, {"content-type": kind, **reply.headers}))
        await writer.drain()
        return True

    def _made(self, asked: Asked, reply: Reply) -> bytes:
        if reply.page is not None:
            return reply.page
        if reply.status != 200:
            return json.dumps({"error": reply.error or {"message": f"error {reply.status}"}}).encode()
        return json.dumps(self._completion(asked, reply)).encode()

    def _completion(self, asked: Asked, reply: Reply) -> dict[str, Any]:
        content = reply.content
        if content is None and reply.refusal is None:
            content = point() if asked.kind == "point" else pair("tie")
        usage = None
        if reply.usage is not None:
            sent, received = reply.usage
            self.tokens[0] += sent
            self.tokens[1] += received
            usage = {"prompt_tokens": sent, "completion_tokens": received, "total_tokens": sent + received}
        message = {"role": "assistant", "content": content, "refusal": reply.refusal}
        return {
            "id": f"c{asked.number}",
            "object": "chat.completion",
            "created": 0,
            "model": asked.body["model"],
            "choices": [{"index": 0, "message": message, "finish_reason": reply.finish_reason, "logprobs": None}],
            "usage": usage,
        }

    def _look(self, body: dict[str, Any], headers: dict[str, str]) -> tuple[str, Asked]:
        """What is asked, and what is wrong with it."""
        digest, pictures, problem = hashlib.sha256(), [], ""
        for message in body["messages"][1:2]:
            for part in message["content"]:
                if part["type"] == "text":
                    digest.update(part["text"].encode())
                    continue
                url = part["image_url"]["url"]
                name = hashlib.sha256(url.encode()).hexdigest()
                digest.update(name.encode())
                try:
                    pictures.append(self._looked_at.get(name) or self._decode(url, name))
                except Exception as error:
                    problem = f"not a picture: {error}"
        if not pictures:
            problem = problem or "no picture"
        repair = len(body["messages"]) > 2
        kind = "pair" if any("FIRST clip" in text for text in _texts(body["messages"][1:2])) else "point"
        question = digest.hexdigest()[:20] + ("r" if repair else "")
        asked = Asked(self._number, self.attempts[question], question, repair, kind, pictures, body, headers)
        self._number += 1
        self.attempts[question] += 1
        if len(self.requests) < self.keep:
            self.requests.append(asked)
        return problem, asked

    def _decode(self, url: str, name: str) -> tuple[int, int]:
        kind, _, data = url.partition(",")
        if kind != "data:image/jpeg;base64":
            raise ValueError(f"expected a JPEG, got {kind[:40]!r}")
        with Image.open(BytesIO(base64.b64decode(data, validate=True))) as image:
            if image.format != "JPEG":
                raise ValueError(f"expected JPEG, got {image.format}")
            image.load()
            if len(image.getcolors(1 << 24) or "") < 50:
                raise ValueError("nothing to be seen")
            self._looked_at[name] = image.size
            return image.size

    # Files and batches --------------------------------------------------------------------------------------------

    def _other(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        parts = path.strip("/").split("/")[1:]
        if path == "/counts":
            return 200, json.dumps(self.counts()).encode()
        self.outcomes[f"{method} {'/'.join(part for part in parts if '-' not in part)}"] += 1
        match method, parts:
            case "POST", ["files"]:
                name = f"file-{len(self.files)}"
                self.files[name] = _uploaded(headers["content-type"], body)
                return 200, json.dumps(self._file(name)).encode()
            case "GET", ["files", name, "content"] if name in self.files:
                return 200, self.files[name]
            case "POST", ["batches"]:
                return 200, json.dumps(self._new_batch(json.loads(body))).encode()
            case "GET", ["batches"]:
                listed = {"object": "list", "data": list(self.batches.values()), "has_more": False}
                return 200, json.dumps(listed).encode()
            case "GET", ["batches", name] if name in self.batches:
                return 200, json.dumps(self._polled(name)).encode()
        return 404, b'{"error": {"message": "no such thing"}}'

    def _file(self, name: str) -> dict[str, Any]:
        known = {"id": name, "object": "file", "bytes": len(self.files[name]), "created_at": 0}
        return {**known, "filename": "requests.jsonl", "purpose": "batch", "status": "processed"}

    def _new_batch(self, request: dict[str, Any]) -> dict[str, Any]:
        name = f"batch-{len(self.batches)}"
        self.batches[name] = {
            "id": name,
            "object": "batch",
            "endpoint": request["endpoint"],
            "input_file_id": request["input_file_id"],
            "completion_window": request["completion_window"],
            "metadata": request.get("metadata"),
            "created_at": int(time.time()),
            "status": "in_progress",
            "polls": 0,
        }
        return self.batches[name]

    def _polled(self, name: str) -> dict[str, Any]:
        batch = self.batches[name]
        batch["polls"] += 1
        if batch["status"] == "in_progress" and batch["polls"] >= self.batch_polls:
            lines = [json.loads(line) for line in self.files[batch["input_file_id"]].splitlines()]
            finished = round(len(lines) * self.batch_share)
            good, bad = [], []
            for line in lines[:finished]:
                problem, asked = self._look(line["body"], {})
                reply = Reply(status=400, error={"message": problem}) if problem else self.script(asked)
                content = json.loads(self._made(asked, reply))
                if reply.status == 200:
                    self.paid[asked.question] += 1
                answer = {"status_code": reply.status, "request_id": "x", "body": content}
                out = {"id": "x", "custom_id": line["custom_id"], "response": answer, "error": None}
                (good if reply.status == 200 else bad).append(out)
            for line in lines[finished:]:
                error = {"code": "batch_expired", "message": "This request could not be executed in time."}
                bad.append({"id": "x", "custom_id": line["custom_id"], "response": None, "error": error})
            for kind, rows in (("output_file_id", good), ("error_file_id", bad)):
                if rows:
                    batch[kind] = f"file-{len(self.files)}"
                    self.files[batch[kind]] = "\n".join(map(json.dumps, rows)).encode() + b"\n"
            batch["status"] = "completed" if self.batch_share == 1 else "expired"
            batch["request_counts"] = {"total": len(lines), "completed": len(good), "failed": len(bad)}
        return batch

    def counts(self) -> dict[str, Any]:
        """What it has seen, as numbers."""
        first = [question for question in self.attempts if not question.endswith("r")]
        return {
            "requests": self._number,
            "questions": len(first),
            "paid twice": sum(count > 1 for count in self.paid.values()),
            "paid": self.paid.total(),
            "outcomes": dict(self.outcomes),
            "most in flight": self.most_in_flight,
            "tokens": self.tokens,
        }


def _outcome(reply: Reply) -> str:
    if reply.status != 200:
        return str(reply.status)
    if reply.page is not None:
        return "page"
    if reply.refusal is not None:
        return "refused"
    if reply.finish_reason != "stop":
        return {"length": "truncated"}.get(reply.finish_reason, "filtered")
    try:
        return "good" if reply.content is None or isinstance(json.loads(reply.content), dict) else "broken"
    except ValueError:
        return "broken"


def _texts(messages: list[dict[str, Any]]) -> Iterator[str]:
    for message in messages:
        if isinstance(message["content"], str):
            yield message["content"]
        else:
            yield from (part["text"] for part in message["content"] if part["type"] == "text")


def _uploaded(content_type: str, body: bytes) -> bytes:
    """The file of a multipart form."""
    boundary = content_type.partition("boundary=")[2].strip('"').encode()
    for part in body.split(b"--" + boundary):
        head, _, content = part.partition(b"\r\n\r\n")
        if b"filename=" in head:
            return content.removesuffix(b"\r\n")
    raise ValueError("no file in the form")


_REASONS = {200: "OK", 400: "Bad Request", 429: "Too Many Requests", 500: "Internal Server Error"}


def _response(status: int, content: bytes, headers: dict[str, str] | None = None) -> bytes:
    known = {"content-type": "application/json", "content-length": str(len(content)), **(headers or {})}
    lines = [f"HTTP/1.1 {status} {_REASONS.get(status, 'Error')}", *(f"{k}: {v}" for k, v in known.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


def faulty(share: float, latency: float = 0.0, seed: int = 0, stall: float = 2.0) -> Script:
    """A script in which so large a share of all requests fails in ways of all kinds; the same each time."""
    faults = [
        Reply(status=429, headers={"retry-after-ms": "40"}),
        Reply(status=500),
        Reply(status=503, headers={"retry-after": "0.05"}),
        Reply(cut="before"),
        Reply(cut="during"),
        Reply(delay=stall, cut="before"),
        Reply(page=b"<html>Bad Gateway</html>"),
        Reply(content='{"score": 4, "reas'),
        Reply(content=point(score=7)),
    ]

    def script(asked: Asked) -> Reply:
        rng = random.Random(f"{seed} {asked.question} {asked.attempt}")
        # A repair that is broken again makes an item unscored; that is right, and counted by another test.
        kinds = faults[:7] if asked.repair else faults
        reply = rng.choice(kinds) if rng.random() < share else Reply()
        return Reply(**{**reply.__dict__, "delay": reply.delay + latency})

    return script


def varied(script: Script) -> Script:
    """The same with scores from 1 to 5 and choices that depend on the question alone: pairs can be made of them."""

    def with_scores(asked: Asked) -> Reply:
        reply = script(asked)
        if reply.content is not None or reply.status != 200:
            return reply
        rng = random.Random(asked.question)
        choice, score = rng.choice(("first", "second", "tie")), rng.randint(1, 5)
        return replace(reply, content=pair(choice) if asked.kind == "pair" else point(score))

    return with_scores


@contextmanager
def serving(script: Script = lambda asked: Reply(), **options: Any) -> Iterator[Server]:
    """A server in a thread, until the block ends."""
    server = Server(script, **options)
    loop = asyncio.new_event_loop()
    loop.run_until_complete(server.start())
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()


async def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--faults", type=float, default=0.0, help="share of requests that fail")
    parser.add_argument("--stall", type=float, default=2.0, help="seconds that a stalled request takes")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--port", type=int, default=0, help="any that is free, by default")
    parser.add_argument("--varied", action="store_true", help="scores from 1 to 5 instead of always 4")
    options = parser.parse_args()
    script = faulty(options.faults, options.latency, options.seed, options.stall)
    server = Server(varied(script) if options.varied else script, keep=0)
    running = await server.start(options.port)
    sys.stdout.write(server.url + "\n")
    sys.stdout.flush()
    await running.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
