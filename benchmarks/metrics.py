"""How fast is the published evaluation, against a straightforward implementation measured in the same run?

    OMP_NUM_THREADS=1 python benchmarks/metrics.py

The straightforward implementation does what the field's scripts do, as they are written down: in each replication, for
each row, a distance matrix, a sort and a loop over ranks for every batch of 32, means and covariances of both sets,
and SciPy's `sqrtm` of their product; MModality by a loop over texts. It draws with the same seeds, and all its numbers
are compared with ours before a row is printed. Ours computes once what no seed can change (of fixed motions: distances
and FID), and neither sorts nor takes the square root of a matrix. "Regenerated" rows have other motions in each
replication, as in the published protocol, so that nothing about them can be kept; real motions stay. Embeddings are
drawn at random. Times are processor time, one run each; set --straightforward-replications to wait less for the slow
one, whose time is then scaled up.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parent.parent))  # run from anywhere

import numpy as np
from scipy.linalg import sqrtm

from atom_hf.evaluation.embeddings import Embeddings
from atom_hf.evaluation.protocol import Evaluator, Protocol, Regenerated, evaluate_protocol

BATCH, TIMES, TEXTS, SAMPLES, PAIRS = 32, 300, 100, 30, 10


def distance_matrix(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Euclidean distances [n, m] by the binomial formula."""
    squares = -2 * np.dot(a, b.T) + np.sum(np.square(a), axis=1, keepdims=True) + np.sum(np.square(b), axis=1)
    return np.sqrt(np.maximum(squares, 0))


def top_k(distances: np.ndarray, k: int = 3) -> np.ndarray:
    """Whether the own motion is among the first 1 to k, [n, k]."""
    order = np.argsort(distances, axis=1)
    found = order == np.arange(len(order))[:, None]
    correct, columns = np.zeros(len(order), dtype=bool), []
    for i in range(k):
        correct = correct | found[:, i]
        columns.append(correct[:, None])
    return np.concatenate(columns, axis=1)


def frechet(real: np.ndarray, generated: np.ndarray) -> float:
    """FID by the matrix square root."""
    mu, cov = np.mean(real, axis=0), np.cov(real, rowvar=False)
    mu2, cov2 = np.mean(generated, axis=0), np.cov(generated, rowvar=False)
    root = sqrtm(cov.dot(cov2))
    difference = mu - mu2
    return float(difference.dot(difference) + np.trace(cov) + np.trace(cov2) - 2 * np.trace(root.real))


def straightforward(real: Embeddings, row: Embeddings, seed: int) -> dict[str, float]:
    """One replication of one row, batch by batch."""
    rng = np.random.default_rng(seed)
    count = len(row.motion)
    order = rng.permutation(count)
    first, second = (rng.choice(count, TIMES, replace=False) for _ in range(2))
    distance, hits, size = 0.0, np.zeros(3), 0
    for start in range(0, count - BATCH + 1, BATCH):
        batch = order[start : start + BATCH]
        distances = distance_matrix(row.text[batch], row.motion[batch])
        distance += float(distances.trace())
        hits += top_k(distances).sum(axis=0)
        size += BATCH
    values = dict(zip(("R@1", "R@2", "R@3"), (hits / size).tolist(), strict=True))
    values["MM-Dist"] = distance / size
    if row.samples is not None:
        texts = rng.choice(len(row.samples), TEXTS, replace=False)
        one, other = (rng.choice(SAMPLES, PAIRS, replace=False) for _ in range(2))
        means = [np.linalg.norm(row.samples[t][one] - row.samples[t][other], axis=1).mean() for t in texts]
        values["MModality"] = float(np.mean(means))
    values["FID"] = frechet(real.motion, row.motion)
    values["Diversity"] = float(np.linalg.norm(row.motion[first] - row.motion[second], axis=1).mean())
    return values


def test_set(clips: int, dims: int, seed: int, text: np.ndarray) -> Embeddings:
    """Motions around texts, with a spectrum that falls off, and several samples of some texts."""
    rng = np.random.default_rng(seed)
    motion = (text + rng.normal(size=(clips, dims)) * np.linspace(2.5, 0.3, dims)).astype(np.float32)
    samples = rng.normal(size=(TEXTS, SAMPLES, dims)).astype(np.float32)
    return Embeddings(motion, text, samples=samples)


def seconds(function: Callable[[], object]) -> tuple[float, object]:
    """Processor time, and what came out."""
    start = time.process_time()
    result = function()
    return time.process_time() - start, result


def main() -> None:
    """Measure, compare, and print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=4000)
    parser.add_argument("--dims", type=int, default=512)
    parser.add_argument("--replications", type=int, default=20)
    parser.add_argument(
        "--straightforward-replications", type=int, default=None, help="of the slow one; all by default"
    )
    options = parser.parse_args()
    slow_ones = options.straightforward_replications or options.replications
    text = np.random.default_rng(0).normal(size=(options.clips, options.dims)).astype(np.float32)
    real = test_set(options.clips, options.dims, 1, text)
    real = Embeddings(real.motion, text)
    made = {seed: test_set(options.clips, options.dims, 100 + seed, text) for seed in range(options.replications)}
    protocol = Protocol(replications=options.replications)
    evaluator = Evaluator("random numbers")

    print(
        f"{options.replications} replications over {options.clips} clips, {options.dims} numbers each, MModality of "
        f"{TEXTS} × {SAMPLES}; rows: real motion and one system; one thread, NumPy {np.__version__}\n"
    )
    print("| motions | straightforward, s | atom_hf, s | times as fast | largest relative difference |")
    print("|---|---|---|---|---|")
    for name, system in (("fixed", made[0]), ("regenerated", Regenerated(made.__getitem__, "drawn"))):

        def slow(name: str = name) -> list[list[dict[str, float]]]:
            return [
                [straightforward(real, row, seed) for row in (real, made[0] if name == "fixed" else made[seed])]
                for seed in range(slow_ones)
            ]

        def fast(system: Embeddings | Regenerated = system) -> object:
            return evaluate_protocol(real, {"system": system}, protocol, evaluator=evaluator)

        ours, result = seconds(fast)
        theirs, expected = seconds(slow)
        theirs *= options.replications / slow_ones
        worst = 0.0
        for seed, pair in enumerate(expected):
            for row, values in zip(result.rows, pair, strict=True):
                for metric, value in values.items():
                    found = row.metrics[metric].values[seed]
                    worst = max(worst, abs(found - value) / max(1.0, abs(value)))
        if worst > 1e-4:
            raise SystemExit(f"The two disagree by {worst:.1e}; times of different numbers say nothing.")
        print(f"| {name} | {theirs:.1f} | {ours:.1f} | {theirs / ours:.1f} | {worst:.0e} |", flush=True)


if __name__ == "__main__":
    main()
