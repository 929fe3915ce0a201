"""How long does a dataset of 100,000 pairs take: building, loading, streaming, validating? And how much memory?

    OMP_NUM_THREADS=1 python benchmarks/data.py [--pairs 100000] [--keep folder]

Raw annotations with random codes (six motions a prompt, scores that give four pairs) are made first, which is not
timed. Each row of the table is a process of its own: wall-clock seconds, and the most memory it ever had. Pages of
memory-mapped files count as memory, too, although the system may take them back.
"""

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))  # run from anywhere
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TQDM_DISABLE", "1")

from atom_hf.data.json_lines import write_lines
from atom_hf.data.schema import TASKS

SCORES = (5.0, 4.0, 3.5, 2.0, 1.5, 1.0)  # every prompt has four pairs by the standard rule
PAIRS_OF_PROMPT = 4
PIECE = 500  # prompts


def write_annotations(folder: Path, pairs: int) -> None:
    """Raw annotations that make so many pairs."""
    prompts = pairs // PAIRS_OF_PROMPT
    for piece, start in enumerate(range(0, prompts, PIECE)):
        numbers = range(start, min(start + PIECE, prompts))
        for part, records in (("prompts", _prompts), ("candidates", _candidates), ("verdicts", _verdicts)):
            write_lines(folder / part / f"{piece:05d}.jsonl", records(numbers))


def _prompts(numbers: range) -> Iterator[dict[str, Any]]:
    for number in numbers:
        events = [{"action": "jump", "count": number % 4 + 1}, {"action": "wave", "count": 1, "side": "left"}]
        yield {
            "prompt_id": f"p{number:07d}",
            "prompt": f"person number {number} jumps, then waves with the left hand",
            "task": TASKS[number % len(TASKS)],
            "scenario": {"events": events},
        }


def _candidates(numbers: range) -> Iterator[dict[str, Any]]:
    for number in numbers:
        rng = random.Random(number)
        for sample in range(len(SCORES)):
            codes = rng.choices(range(512), k=rng.randint(10, 49))
            yield {"prompt_id": f"p{number:07d}", "sample": sample, "codes": codes, "model": "random", "seed": number}


def _verdicts(numbers: range) -> Iterator[dict[str, Any]]:
    for number in numbers:
        for sample, score in enumerate(random.Random(-number).sample(SCORES, len(SCORES))):
            known = {"prompt_id": f"p{number:07d}", "sample": sample, "score": score, "reason": "drawn at random"}
            yield known | {"judge": "random-1", "rules_version": "random-1"}


# Steps: each runs in a process of its own, and says what it did ------------------------------------------------------


def build(annotations: Path, folder: Path) -> str:
    """Annotations → pairs → Parquet and its card."""
    from atom_hf.data.build import rows_of
    from atom_hf.data.folder import write_motionprefer

    summary = write_motionprefer(rows_of(annotations), folder)
    return f"{summary.rows:,} pairs, {summary.files} files, {summary.num_bytes / 1e6:.0f} MB"


def prepare(annotations: Path, folder: Path) -> str:
    """The same through the builder of `datasets`, into its cache."""
    from atom_hf.data.builder import MotionPrefer

    builder = MotionPrefer(data_dir=annotations, cache_dir=str(folder.with_name("cache_of_builder")))
    builder.download_and_prepare()
    return f"{sum(split.num_examples for split in builder.info.splits.values()):,} pairs"


def load(annotations: Path, folder: Path) -> str:
    """`load_dataset(folder)`, Parquet to the cache of `datasets`."""
    from datasets import load_dataset

    data = load_dataset(str(folder), cache_dir=str(folder.with_name("cache")))
    return f"{sum(map(len, data.values())):,} pairs"


def stream(annotations: Path, folder: Path) -> str:
    """`load_dataset(folder, streaming=True)`, every row once."""
    from datasets import load_dataset

    data = load_dataset(str(folder), streaming=True)
    return f"{sum(1 for split in data.values() for _ in split):,} pairs"


def validate(annotations: Path, folder: Path) -> str:
    """`validate_folder(folder)`."""
    from atom_hf.data.validate import validate_folder

    validation = validate_folder(folder)
    assert validation.ok, validation.report(limit=5)
    return ", ".join(f"{count:,} {name}" for name, count in validation.counts.items())


STEPS: tuple[Callable[[Path, Path], str], ...] = (build, prepare, load, stream, validate)


def run_step(name: str, annotations: Path, folder: Path) -> dict[str, Any]:
    """One step in a fresh process."""
    command = [sys.executable, __file__, "--step", name, "--annotations", str(annotations), "--folder", str(folder)]
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(run.stdout.splitlines()[-1])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=100_000)
    parser.add_argument("--keep", type=Path, help="folder for the data; removed without it")
    for name in ("--step", "--annotations", "--folder"):  # what run_step passes
        parser.add_argument(name, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.step:
        step = next(step for step in STEPS if step.__name__ == args.step)
        begin = time.perf_counter()
        result = step(Path(args.annotations), Path(args.folder))
        seconds = time.perf_counter() - begin
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
        print(json.dumps({"result": result, "seconds": seconds, "megabytes": peak}))
        return
    with tempfile.TemporaryDirectory() as name:
        place = args.keep or Path(name)
        write_annotations(place / "annotations", args.pairs)
        print("| step | seconds | peak memory, MiB | what |\n|---|---|---|---|")
        for step in STEPS:
            done = run_step(step.__name__, place / "annotations", place / "motionprefer")
            print(
                f"| {step.__name__} | {done['seconds']:.1f} | {done['megabytes']:.0f} | {done['result']} |", flush=True
            )


if __name__ == "__main__":
    main()
