"""A chat endpoint on this machine that answers from a script and remembers what it was asked."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


@dataclass(frozen=True)
class Reply:
    """One answer: the message's content or a refusal, or an error with its status and headers."""

    content: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    refusal: str | None = None
    finish_reason: str = "stop"
    error: dict[str, Any] = field(default_factory=dict)
    page: bytes = b""


class Request(NamedTuple):
    """What came in."""

    body: dict[str, Any]
    headers: dict[str, str]


class FakeServer:
    """Answers request number i with `script(i, request)`."""

    def __init__(self, url: str, requests: list[Request]) -> None:
        self.url, self.requests = url, requests


@contextmanager
def serving(script: Callable[[int, Request], Reply]) -> Iterator[FakeServer]:
    """A server on a free port of the loopback interface, until the block ends."""
    requests: list[Request] = []
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            with lock:
                number = len(requests)
                requests.append(Request(body, {name.lower(): value for name, value in self.headers.items()}))
            reply = script(number, requests[number])
            message = {"role": "assistant", "content": reply.content, "refusal": reply.refusal}
            completion = {
                "id": "x",
                "object": "chat.completion",
                "created": 0,
                "model": body["model"],
                "choices": [{"index": 0, "message": message, "finish_reason": reply.finish_reason}],
                "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100},
            }
            answer = reply.page or json.dumps(completion if reply.status == 200 else {"error": reply.error}).encode()
            self.send_response(reply.status)
            for name, value in {"content-type": "application/json", **reply.headers}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield FakeServer(f"http://127.0.0.1:{server.server_address[1]}/v1", requests)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
