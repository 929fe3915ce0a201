"""An arena behind HTTP on this machine, in a process of its own, and a crowd that votes in it.

python tests/arena/loopback.py FOLDER      prints the port, then serves until it is killed
crowd([port], labellers=8, votes=50)       →  Votes(acknowledged={token: ballot}, seconds=[…], errors=[], …)

POST /sign_in, /next and /vote with JSON; what the arena refuses comes as 400, what its store cannot do as 503.
"""

import http.client
import itertools
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))  # run from anywhere

from atom_hf.arena import Arena, ArenaError, StoreError


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    arena: Arena

    def do_POST(self) -> None:
        said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        try:
            status, answer = 200, self._answer(said)
        except ArenaError as error:
            status, answer = 400, {"error": str(error)}
        except StoreError as error:
            status, answer = 503, {"error": str(error)}
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _answer(self, said: dict[str, Any]) -> Any:
        arena = self.arena
        if self.path == "/sign_in":
            session = arena.sign_in(said["name"])
            arena.consent(session)
            return {"key": session.key}
        if self.path == "/next":
            ballot = arena.next_ballot(said["key"])
            return ballot and ballot.to_dict()
        return arena.vote(said["key"], said["ballot"], said["answer"], said["token"])._asdict()

    def log_message(self, *_: Any) -> None:
        pass


class _Server(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True


def main() -> None:
    """Serve the arena in a folder."""
    _Handler.arena = Arena(sys.argv[1])
    server = _Server(("127.0.0.1", int(sys.argv[2]) if len(sys.argv) > 2 else 0), _Handler)
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


@contextmanager
def served(folder: Path, port: int = 0) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A server in a process of its own; it is killed at the end."""
    process = subprocess.Popen([sys.executable, __file__, str(folder), str(port)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process, int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


@dataclass
class Votes:
    """What a crowd was told.

    Args:
        acknowledged (`dict[str, str]`): token to ballot, for every vote that was acknowledged.
        seconds (`list[float]`): from sending a vote to its acknowledgement, of those that were sent once.
        errors (`list[str]`): what servers refused.
        again (`int`): votes that were sent again, as no answer had come.
        total (`float`): seconds from the first vote to the last.
    """

    acknowledged: dict[str, str] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    again: int = 0
    total: float = 0.0


def crowd(
    port: Callable[[], int], labellers: int, votes: int, *, think: float = 0.0, names: str = "labeller"
) -> Votes:
    """Have so many people vote so often at once; a request without an answer is sent again."""
    found, lock = Votes(), threading.Lock()
    threads = [
        threading.Thread(target=_labeller, args=(port, f"{names} {i}", votes, think, found, lock), daemon=True)
        for i in range(labellers)
    ]
    begin = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found.total = time.perf_counter() - begin
    return found


def _labeller(
    port: Callable[[], int], name: str, votes: int, think: float, found: Votes, lock: threading.Lock
) -> None:
    client = _Client(port, found, lock)
    key = client.ask("/sign_in", {"name": name})["key"]
    for i in range(votes):
        ballot = client.ask("/next", {"key": key})
        if ballot is None:
            with lock:
                found.errors.append(f"{name}: nothing left after {i} votes")
            return
        time.sleep(think)
        answer = {"choice": ("first", "second")[i % 2], "degree": "better", "seconds": think}
        said = {"key": key, "ballot": ballot["id"], "answer": answer, "token": f"{name} vote {i}"}
        begin, before = time.perf_counter(), client.again
        told = client.ask("/vote", said)
        with lock:
            if told and told["token"] == said["token"]:
                found.acknowledged[said["token"]] = said["ballot"]
            if client.again == before:
                found.seconds.append(time.perf_counter() - begin)


class _Client:
    def __init__(self, port: Callable[[], int], found: Votes, lock: threading.Lock) -> None:
        self._port, self._found, self._lock = port, found, lock
        self._connection: http.client.HTTPConnection | None = None
        self.again = 0

    def ask(self, path: str, said: dict[str, Any]) -> Any:
        while True:
            try:
                if self._connection is None:
                    self._connection = http.client.HTTPConnection("127.0.0.1", self._port(), timeout=60)
                self._connection.request("POST", path, json.dumps(said))
                response = self._connection.getresponse()
                answer = json.loads(response.read())
            except (OSError, http.client.HTTPException):
                self.again += 1
                with self._lock:
                    self._found.again += path == "/vote"
                self._connection = None
                time.sleep(0.05)
                continue
            if response.status == 200:
                return answer
            with self._lock:
                self._found.errors.append(f"{path}: {answer['error']}")
            if response.status == 400:
                return {}


def at(ports: Sequence[int]) -> Callable[[], int]:
    """Ports in turn."""
    turns, lock = itertools.cycle(ports), threading.Lock()

    def port() -> int:
        with lock:
            return next(turns)

    return port


if __name__ == "__main__":
    main()
