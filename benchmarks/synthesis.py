"""How fast are motions synthesised, and how long are they?

    OMP_NUM_THREADS=1 python benchmarks/synthesis.py

One row an action, and one for scenarios of three events drawn at random. Times are processor time.
"""

import os
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from atom_hf.events import ACTIONS, Event, Scenario, synthesize

ROUNDS = 40


def three_events(seed: int) -> Scenario:
    """A scenario of three different actions that are done standing."""
    names = [name for name in ACTIONS if name not in ("sit_down", "stand_up", "lie_down")]
    rng = np.random.default_rng(seed)
    return Scenario(tuple(Event(str(name)) for name in rng.choice(names, size=3, replace=False)))


def measure(scenarios: list[Scenario]) -> tuple[float, float]:
    """Clips per second of processor time, and mean number of frames."""
    frames = 0
    begin = time.process_time()
    for seed, scenario in enumerate(scenarios):
        frames += len(synthesize(scenario, seed).joints)
    return len(scenarios) / (time.process_time() - begin), frames / len(scenarios)


def main() -> None:
    """Print the table."""
    synthesize(Scenario((Event("walk"),)))  # imports and caches
    rows = {name: [Scenario((Event(name, min(2, action.max_count)),))] * ROUNDS for name, action in ACTIONS.items()}
    rows["three events"] = [three_events(seed) for seed in range(4 * ROUNDS)]
    print("| scenario | clips/s | frames | frames/s |\n|---|---|---|---|")
    for name, scenarios in rows.items():
        rate, frames = max(measure(scenarios) for _ in range(3))
        count = "" if name not in ACTIONS or ACTIONS[name].max_count == 1 else " × 2"
        print(f"| {name}{count} | {rate:.0f} | {frames:.0f} | {rate * frames:.0f} |")


if __name__ == "__main__":
    main()
