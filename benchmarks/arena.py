"""Does the arena keep every vote, and how fast is it, when fifty people vote at once and servers are killed?

    OMP_NUM_THREADS=1 python benchmarks/arena.py [--labellers 50] [--votes 200] [--servers 1] [--kills 0]

The server is a process of its own on this machine, tests/arena/loopback.py: the arena behind HTTP, without a page.
Each labeller is a thread that asks for a comparison, votes, and sends a vote again if no answer came. With `--kills`,
the servers are killed (SIGKILL) so often while people vote, and started again on the same folder. In the end there has
to be exactly one row for each vote that was acknowledged, under the ballot that it was acknowledged for.
"""

import argparse
import json
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))  # run from anywhere

from atom_hf.arena import Arena
from atom_hf.arena.store import Store
from tests.arena.loopback import at, crowd, served
from tests.arena.parts import PLAIN, pairs


class Servers:
    """So many servers of one folder, each on a port of its own."""

    def __init__(self, folder: Path, count: int) -> None:
        self.folder, self.ports = folder, [_free_port() for _ in range(count)]
        self.killed = 0
        self._contexts = [served(folder, port) for port in self.ports]
        for context in self._contexts:
            context.__enter__()

    def kill(self) -> None:
        """Kill all of them, and start others."""
        for context in self._contexts:
            context.__exit__(None, None, None)
        self.killed += 1
        self._contexts = [served(self.folder, port) for port in self.ports]
        for context in self._contexts:
            context.__enter__()

    def close(self) -> None:
        for context in self._contexts:
            context.__exit__(None, None, None)


def measure(labellers: int, votes: int, servers: int, kills: int, folder: Path) -> dict[str, object]:
    """Have people vote, and look at what is there."""
    with Arena(folder, PLAIN) as arena:
        arena.add_pairs(pairs(votes))
    running = Servers(folder, servers)
    ended = threading.Event()
    killer = threading.Thread(target=_kill, args=(running, kills, labellers * votes, folder, ended))
    killer.start()
    try:
        found = crowd(at(running.ports), labellers, votes)
    finally:
        ended.set()
        killer.join()
        running.close()
    store = Store(folder / "votes.sqlite")
    kept = dict(store.read("SELECT token, ballot FROM votes"))
    (couples,) = store.read("SELECT count(*) FROM (SELECT DISTINCT pair, labeller FROM votes)")[0]
    (whole,) = store.read("PRAGMA integrity_check")[0]
    store.close()
    begin = time.perf_counter()
    with Arena(folder) as arena:
        arena.agreement()
    return {
        "labellers": labellers,
        "servers": servers,
        "servers_killed": running.killed,
        "votes": labellers * votes,
        "rows": len(kept),
        "pairs_and_labellers": couples,
        "acknowledged": len(found.acknowledged),
        "acknowledged_and_lost": sum(kept.get(token) != ballot for token, ballot in found.acknowledged.items()),
        "sent_again": found.again,
        "lock_errors": sum("busy" in error for error in found.errors),
        "other_errors": sum("busy" not in error for error in found.errors),
        "integrity": whole,
        "votes_per_second": round(len(found.acknowledged) / found.total, 1),
        "milliseconds_p50": round(1000 * float(np.percentile(found.seconds, 50)), 1),
        "milliseconds_p99": round(1000 * float(np.percentile(found.seconds, 99)), 1),
        "agreement_seconds": round(time.perf_counter() - begin, 2),
    }


def _kill(running: Servers, kills: int, votes: int, folder: Path, ended: threading.Event) -> None:
    store = Store(folder / "votes.sqlite")
    try:
        for number in range(1, kills + 1):
            while store.read("SELECT count(*) FROM votes")[0][0] < votes * number / (kills + 1):
                if ended.wait(0.02):
                    return
            running.kill()
    finally:
        store.close()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--labellers", type=int, default=50)
    parser.add_argument("--votes", type=int, default=200)
    parser.add_argument("--servers", type=int, default=1)
    parser.add_argument("--kills", type=int, default=0)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        result = measure(options.labellers, options.votes, options.servers, options.kills, Path(name))
    print(json.dumps(result, indent=1))
    good = result["rows"] == result["acknowledged"] == result["pairs_and_labellers"] == result["votes"]
    return 0 if good and not result["acknowledged_and_lost"] and result["integrity"] == "ok" else 1


if __name__ == "__main__":
    sys.exit(main())
