"""How fast is the vision judge, how much memory does it take, and does it lose anything when all goes wrong?

    OMP_NUM_THREADS=1 python benchmarks/vlm_judge.py [--only throughput|faults|kills] [--quick]

The server is a process of its own on this machine, tests/rewards/vlm/server.py: it decodes the pictures, waits 200 ms
and answers, or does something worse. The judge is a process of its own, too, with the real client. Pictures are drawn
once and used again under other prompts: drawing is measured by benchmarks/render.py.

- throughput: share of the bound, which is requests in flight / latency, with 16 in flight; requests a second with 64;
  memory over 20,000 requests.
- faults: 30 % of all requests fail over 10,000 items (429, 500, 503, cut connections, stalls, web pages, broken JSON,
  scores out of range). Nothing may be lost, nothing answered may be asked again.
- kills: the judge is killed (SIGKILL) at ten seeded points and run again. The server may see at most as many requests
  as there are items, and those that were in flight.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))  # run from anywhere

from atom_hf.motion import Motion
from atom_hf.rewards import JudgeItem
from examples.make_walk import walking

ROOT = Path(__file__).parent.parent
LATENCY = 0.2  # seconds


class Prompts(Sequence[JudgeItem]):
    """As many items as one likes, all of one motion."""

    def __init__(self, total: int) -> None:
        self.total, self.motion = total, Motion(walking(frames=40))

    def __len__(self) -> int:
        return self.total

    def __getitem__(self, i: Any) -> Any:
        return JudgeItem(self.motion, f"person number {i} walks forward")


# The judge's process -------------------------------------------------------------------------------------------------


def judge(options: dict[str, Any]) -> None:
    """Judge so many items and print what came of it; a process of its own."""
    from atom_hf.rewards.vlm import VLMJudge, items

    drawn = items.draw(Prompts(1)[0].motion)
    items.draw = lambda motion, layout: drawn  # type: ignore[assignment]
    vlm = VLMJudge(
        base_url=options["url"],
        concurrency=options["concurrency"],
        store=options.get("store"),
        progress=False,
    )
    vlm.score(Prompts(options["concurrency"]))  # connections are made, code is loaded
    memory = [_memory()]
    watched = _Watched(options["items"], memory)
    begin, used = time.perf_counter(), time.process_time()
    verdicts = vlm.score(watched)
    seconds, used = time.perf_counter() - begin, time.process_time() - used
    causes: dict[str, int] = {}
    for verdict in verdicts:
        if verdict.cause is not None:
            causes[verdict.cause] = causes.get(verdict.cause, 0) + 1
    result = {
        "seconds": seconds,
        "used": used,
        "scored": sum(verdict.score is not None for verdict in verdicts),
        "causes": dict(sorted(causes.items(), key=lambda item: -item[1])[:5]),
        "memory": [*memory, _memory()],
        "dollars": vlm.spent.dollars,
        "stats": vlm.stats,
    }
    sys.stdout.write(json.dumps(result) + "\n")


class _Watched(Prompts):
    """Notes the memory ten times on the way."""

    def __init__(self, total: int, memory: list[float]) -> None:
        super().__init__(total)
        self.memory = memory

    def __getitem__(self, i: Any) -> Any:
        if i and i % max(1, self.total // 10) == 0:
            self.memory.append(_memory())
        return super().__getitem__(i)


def _memory() -> float:
    """MB that the process has now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


# The processes around it ---------------------------------------------------------------------------------------------


@contextmanager
def server(**options: float) -> Iterator[str]:
    """The server in a process of its own, until the block ends."""
    flags = [text for name, value in options.items() for text in (f"--{name}", str(value))]
    command = [sys.executable, str(ROOT / "tests/rewards/vlm/server.py"), *flags]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def counts(url: str) -> dict[str, Any]:
    """What the server has seen."""
    with urllib.request.urlopen(url.removesuffix("/v1") + "/counts") as answer:
        return json.load(answer)


def start(**options: Any) -> "subprocess.Popen[str]":
    """Start a judge."""
    command = [sys.executable, __file__, "--judge", json.dumps(options)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def result_of(process: "subprocess.Popen[str]") -> dict[str, Any]:
    """Wait for a judge and read what it says."""
    written, _ = process.communicate()
    if process.returncode:
        raise SystemExit(f"The judge ended with {process.returncode}.")
    return json.loads(written)


# Tables --------------------------------------------------------------------------------------------------------------


def throughput(quick: bool) -> None:
    """Rates against the bound, and memory."""
    print(f"\nThroughput, latency {LATENCY * 1000:.0f} ms, with a store; one process\n")
    print("| in flight | requests | requests/s | of the bound | CPU a request | memory, MB |")
    print("|---|---|---|---|---|---|")
    for concurrency, total in ((16, 1600), (64, 4000 if quick else 20_000)):
        with server(latency=LATENCY) as url, tempfile.TemporaryDirectory() as folder:
            result = result_of(start(url=url, concurrency=concurrency, items=total, store=f"{folder}/verdicts.sqlite"))
        assert result["scored"] == total, result
        asked = total - concurrency  # the first ones were asked before
        rate = asked / result["seconds"]
        memory = " → ".join(f"{each:.0f}" for each in result["memory"][:: max(1, len(result["memory"]) // 4)])
        print(
            f"| {concurrency} | {asked:,} | {rate:.0f} | {rate * LATENCY / concurrency:.0%} | "
            f"{result['used'] / asked * 1000:.1f} ms | {memory} |",
            flush=True,
        )


def faults(quick: bool) -> None:
    """A third of everything fails."""
    total = 1000 if quick else 10_000
    with server(faults=0.3, latency=0.01, stall=2.0) as url, tempfile.TemporaryDirectory() as folder:
        store = f"{folder}/verdicts.sqlite"
        options = {"url": url, "concurrency": 64, "items": total, "store": store}
        first = result_of(start(**options))
        before = counts(url)
        again = result_of(start(**options))
        seen = counts(url)
    print(f"\nFaults, 30 % of all requests, {total:,} items, 64 in flight\n")
    print("| | |")
    print("|---|---|")
    print(f"| items with a score | {first['scored']:,} of {total:,} |")
    print(f"| without one, with the cause | {first['causes']} |")
    print(f"| requests | {before['requests']:,}: {before['outcomes']} |")
    print(f"| questions answered twice | {seen['paid twice']} |")
    print(
        f"| run again from the store: scored, requests | {again['scored']:,}, "
        f"{seen['requests'] - before['requests']} |"
    )
    print(f"| seconds | {first['seconds']:.0f}, then {again['seconds']:.0f} |", flush=True)


def kills(quick: bool) -> None:
    """Killed and run again."""
    total, concurrency = 400, 16
    print(f"\nKilled and run again, {total} items, {concurrency} in flight\n")
    print("| killed at request | requests in all | at most | asked again | scored |")
    print("|---|---|---|---|---|")
    rng = random.Random(0)
    for point in sorted(rng.sample(range(20, total - 20), 3 if quick else 10)):
        with server(latency=0.05) as url, tempfile.TemporaryDirectory() as folder:
            options = {"url": url, "concurrency": concurrency, "items": total, "store": f"{folder}/v.sqlite"}
            process = start(**options)
            while (seen := counts(url)["requests"]) < point:
                time.sleep(0.005)
            process.send_signal(signal.SIGKILL)
            process.wait()
            result = result_of(start(**options))
            requests = counts(url)["requests"]
        assert result["scored"] == total and requests <= total + concurrency, (result, requests)
        print(f"| {seen} | {requests} | {total + concurrency} | {requests - total} | {result['scored']} |", flush=True)


TABLES = {"throughput": throughput, "faults": faults, "kills": kills}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=TABLES, help="one table")
    parser.add_argument("--quick", action="store_true", help="fewer items")
    parser.add_argument("--judge", type=json.loads, help=argparse.SUPPRESS)
    flags = parser.parse_args()
    if flags.judge is not None:
        judge(flags.judge)
    else:
        for name, table in TABLES.items():
            if flags.only in (None, name):
                table(flags.quick)
