"""The ablations of both papers as Markdown tables: every row is an alignment of its own, against the same base.

    python examples/reproduce_tables.py --output_dir outputs/tables
    python examples/reproduce_tables.py --tables controls --seeds 3 --steps 150 --prompts 300 \
        --output_dir outputs/controls
    python examples/reproduce_tables.py --tables controls --judge_model gpt-4o --judge_budget 5 \
        --output_dir outputs/layouts
    python examples/reproduce_tables.py --model OpenMotionLab/MotionGPT-base --dataset YOUR/MOTIONPREFER --steps 0 \
        --output_dir outputs/tables_base

Each row runs the example of its trainer (examples/dpo.py, kto.py, …) in a process of its own, and leaves its whole
report in OUTPUT_DIR/<row>. A row that is there is not run again, so a stopped run goes on. What a table varies is in
examples/ablations.py. OUTPUT_DIR/tables.md says what was found, with intervals over prompts, and over seeds where
there are several. On the tiny model numbers are those of a tiny world, and never stand beside published ones.
"""

import json
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ablations import LAYOUTS, TABLES, Arm
from transformers import HfArgumentParser

from atom_hf import DEFAULT_DATASET, DEFAULT_MODEL, PictureLayout, VLMJudge, calibrate_layouts, calibration_items
from atom_hf.evaluation.comparison import alignment_table
from atom_hf.rewards.vlm import Budget, Store

HERE = Path(__file__).parent


@dataclass
class TablesConfig:
    """What is run, and how long."""

    output_dir: str = field(default="outputs/tables", metadata={"help": "tables.md, and a folder a row"})
    tables: list[str] = field(default_factory=lambda: list(TABLES), metadata={"help": f"among {', '.join(TABLES)}"})
    model: str = field(default=DEFAULT_MODEL, metadata={"help": "base of all rows"})
    dataset: str = field(default=DEFAULT_DATASET, metadata={"help": "preferences of all rows"})
    steps: int = field(default=75, metadata={"help": "steps of each row; 0 for as many as its example takes"})
    prompts: int = field(default=150, metadata={"help": "held-out prompts of the evaluation"})
    samples: int = field(default=2, metadata={"help": "motions for each of them"})
    seeds: int = field(default=1, metadata={"help": "trainings of each row"})
    jobs: int = field(default=1, metadata={"help": "rows at once"})
    judge_model: str | None = field(
        default=None, metadata={"help": "a vision model to hold against known motions, by frame layout and stride"}
    )
    judge_url: str | None = field(default=None, metadata={"help": "its endpoint; OpenAI's by default"})
    judge_budget: float | None = field(default=None, metadata={"help": "the most dollars that it may cost"})
    judge_items: int = field(default=120, metadata={"help": "synthesised motions that it judges in each layout"})


def flags_of(arm: Arm, config: TablesConfig, seed: int, folder: Path) -> list[str]:
    """The command line of a row."""
    values: dict[str, Any] = {"output_dir": folder, "model": config.model, "dataset": config.dataset, "seed": seed}
    values |= {"test_prompts": config.prompts, "samples": config.samples, "monitor_prompts": 0, "save_strategy": "no"}
    if config.steps:
        values |= {"max_steps": config.steps}
    values |= {"shuffle_labels": True} if arm.shuffled else {}
    values |= {name: value for name, value in (("min_score", arm.min_score), ("min_gap", arm.min_gap)) if value}
    values |= {} if arm.temperature is None else {"test_temperature": arm.temperature}
    values |= {} if arm.trainer in ("grpo", "rloo", "ppo") else {"per_device_train_batch_size": 32}
    if arm.trainer in ("grpo", "rloo", "ppo"):  # which take prompts instead of pairs
        del values["dataset"]
    flags = []
    for name, value in (values | dict(arm.args)).items():
        flags += [f"--{name}", *(map(str, value) if isinstance(value, list) else [str(value)])]
    return flags


def name_of(arm: Arm, seed: int) -> str:
    """Folder of a row: what differs, so that tables share rows."""
    usual = Arm(arm.name)
    differs = {name: getattr(arm, name) for name in ("shuffled", "min_score", "min_gap", "temperature")}
    differs = {**arm.args, **{name: value for name, value in differs.items() if value != getattr(usual, name)}}
    parts = [arm.trainer, *(f"{name}-{value}" for name, value in differs.items()), f"seed-{seed}"]
    return re.sub(r"[^A-Za-z0-9.-]+", "_", "_".join(parts)).strip("_")


def run_arm(arm: Arm, config: TablesConfig, seed: int) -> dict[str, Any]:
    """Metrics of a row, run now or before."""
    out, name = Path(config.output_dir), name_of(arm, seed)
    folder, log = out / name, out / f"{name}.log"
    if not (folder / "metrics.json").exists():
        if folder.exists():
            folder.rename(out / f"stopped-{time.time_ns()}-{name}")  # nothing is thrown away
        print(f"{arm.name}, seed {seed} → {folder}", flush=True)
        command = [sys.executable, str(HERE / f"{arm.trainer}.py"), *flags_of(arm, config, seed, folder)]
        with log.open("w") as file:
            code = subprocess.run(command, stdout=file, stderr=subprocess.STDOUT).returncode
        if code:
            raise RuntimeError(f"{arm.name} stopped with code {code}; see {log}.")
    metrics: dict[str, Any] = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    return metrics


def same_settings(config: TablesConfig, file: Path) -> None:
    """Raise where rows that are there already were made with other settings: a table would mix them up."""
    mine = {name: getattr(config, name) for name in ("model", "dataset", "steps", "prompts", "samples")}
    theirs = json.loads(file.read_text(encoding="utf-8")) if file.exists() else mine
    for name in mine:
        if mine[name] != theirs[name]:
            raise ValueError(
                f"The rows of {file.parent} were made with --{name} {theirs[name]}, not {mine[name]}; choose another "
                "--output_dir."
            )
    file.write_text(json.dumps(mine, indent=1), encoding="utf-8")


def heading(config: TablesConfig, found: list[dict[str, Any]]) -> str:
    """What the numbers are, how they were made, and how long it took."""
    minutes = sum(sum(metrics["seconds"].values()) for metrics in found) / 60
    tiny = config.model == DEFAULT_MODEL
    what = "the tiny model and the small dataset of the package" if tiny else f"{config.model} and {config.dataset}"
    lines = [f"`python examples/reproduce_tables.py {' '.join(sys.argv[1:])}`", ""]
    lines.append(f"On {what}: {len(found)} alignments, {minutes:.0f} minutes of training and evaluation in all.")
    lines += ["", *(f"> {note}\n>" for note in dict.fromkeys(note for metrics in found for note in metrics["notes"]))]
    return "\n".join([*lines, ""])


def write_layouts(config: TablesConfig, out: Path) -> None:
    """How much a vision judge sees, by layout: layouts.md; what was paid for stays in a store."""
    budget = None if config.judge_budget is None else Budget(config.judge_budget)
    store = Store(out / "layouts.sqlite")

    def judge(layout: PictureLayout) -> VLMJudge:
        return VLMJudge(config.judge_model, base_url=config.judge_url, layout=layout, budget=budget, store=store)

    found = calibrate_layouts(judge, LAYOUTS, calibration_items(config.judge_items))
    (out / "layouts.md").write_text(found.to_markdown(), encoding="utf-8")
    print(f"layouts → {out / 'layouts.md'}")


def main(config: TablesConfig) -> None:
    unknown = [name for name in config.tables if name not in TABLES]
    if unknown:
        raise ValueError(f"Expected tables among {', '.join(TABLES)}, got {unknown[0]!r}.")
    out = Path(config.output_dir)
    out.mkdir(parents=True, exist_ok=True)
    same_settings(config, out / "settings.json")
    arms = {name_of(arm, seed): (arm, seed) for name in config.tables for arm in TABLES[name].arms
            for seed in range(config.seeds)}  # fmt: skip
    with ThreadPoolExecutor(config.jobs) as pool:
        metrics = pool.map(lambda key: run_arm(key[0], config, key[1]), arms.values())
        found = dict(zip(arms, metrics, strict=True))
    if config.judge_model is not None:
        write_layouts(config, out)
    parts = [heading(config, list(found.values()))]
    for name in config.tables:
        rows = {arm.name: [found[name_of(arm, s)] for s in range(config.seeds)] for arm in TABLES[name].arms}
        parts.append(alignment_table(TABLES[name].title, rows).markdown())
    (out / "tables.md").write_text("\n".join(parts), encoding="utf-8")
    print(f"tables → {out / 'tables.md'}")


if __name__ == "__main__":
    try:
        main(*HfArgumentParser(TablesConfig).parse_args_into_dataclasses())
    except (ValueError, RuntimeError, OSError) as error:  # what users can mend
        sys.exit(f"reproduce_tables: {error}")
