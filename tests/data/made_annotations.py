"""Raw annotations for tests: forty prompts of all tasks in three pieces, with scores, votes, and some of neither."""

import random
from pathlib import Path
from typing import Any

from atom_hf.data.json_lines import write_lines
from atom_hf.data.schema import TASKS, pair_row

NUM_CODES = 512
WORSE = {"better": 3.5, "slightly better": 4.5, "negligibly better/unsure": 4.75}  # scores beside a 5


def write_annotations(folder: Path, prompts: int = 40, piece: int = 15) -> Path:
    """Prompts 0, 4, 8 … have votes too; of every tenth prompt nothing is scored. Always the same."""
    rng = random.Random(5)
    for number, start in enumerate(range(0, prompts, piece)):
        records: dict[str, list[dict[str, Any]]] = {
            part: [] for part in ("prompts", "candidates", "verdicts", "votes")
        }
        for i in range(start, min(start + piece, prompts)):
            name = {"prompt_id": f"p{i:05d}"}
            scenario = {"events": [{"action": "jump", "count": i}]}
            prompt = {"prompt": f"person {i} jumps, then “waves”", "task": TASKS[i % 4], "scenario": scenario}
            records["prompts"].append(name | prompt | ({"split": "test"} if i % 7 == 0 else {}))
            for sample in range(4):
                codes = [rng.randrange(NUM_CODES) for _ in range(rng.randint(1, 9))]
                motion = {"sample": sample, "codes": codes, "model": "motiongpt_tiny", "seed": sample + 10 * i}
                records["candidates"].append(name | motion)
                verdict = {"sample": sample, "judge": "kinematic-1", "rules_version": "kinematic-1"}
                score = {"cause": "no answer"} if i % 10 == 9 else {"score": rng.choice([1.0, 2.1, 3.4, 4.0, 5.0])}
                records["verdicts"].append(name | verdict | score)
            for voter in ("ann", "bob") if i % 4 == 0 else ():
                choice = rng.choice(["first", "second", "skipped"])
                degree = rng.choice(["much better", "better", "Slightly better"])
                vote = {"first": 0, "second": 1, "choice": choice, "degree": degree, "voter": voter}
                records["votes"].append(name | vote)
        for part, lines in records.items():
            write_lines(folder / part / f"{number:05d}.jsonl", lines)
    return folder


def make_row(number: int, **changes: Any) -> dict[str, Any]:
    """A row without faults; its prompt is one of its own, and its scores fit the degree. People give none."""
    scores: tuple[float | None, float | None] = (5.0, WORSE.get(changes.get("degree", ""), 1.5))
    if changes.get("judge") == "human":
        scores = (None, None)
    values: dict[str, Any] = {
        "prompt_id": f"p{number:05d}",
        "prompt": f"person {number} waves",
        "task": "temporal",
        "chosen": {"codes": [1, 2, number % NUM_CODES], "score": scores[0], "model": "a", "seed": number},
        "rejected": {"codes": [3], "score": scores[1], "model": "b"},
        "degree": "much better",
        "judge": "kinematic-1",
        "rules_version": "kinematic-1",
    }
    return pair_row(**(values | changes))
