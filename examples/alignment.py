"""What the alignment examples share: flags, a model, preferences or prompts, and a monitor.

script, args = parse(AlignConfig, MotionDPOConfig, __doc__, output_dir="outputs/dpo")
trainer = MotionDPOTrainer(load_model(script), args=args, train_dataset=load_pairs(script)["train"], …)
train(trainer)
"""

import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cpu_threads
import numpy as np
import torch
from datasets import Dataset, DatasetDict, disable_progress_bars, load_dataset
from transformers import set_seed
from transformers.utils.logging import disable_progress_bar
from trl import TrlParser

from atom_hf import (
    DEFAULT_DATASET,
    DEFAULT_EVALUATOR,
    DEFAULT_MODEL,
    GrammarPromptWriter,
    KinematicJudge,
    MotionGPTForPreference,
)
from atom_hf.data.views import preferred
from atom_hf.evaluation import ModelEmbedder
from atom_hf.evaluation.comparison import Case, grammar_cases, read_cases
from atom_hf.evaluation.comparison.embedding_measures import LEAST_CLIPS
from atom_hf.trainer import MotionMonitor


@dataclass
class AlignConfig:
    """What is aligned, with what, and how it is measured."""

    model: str = field(default=DEFAULT_MODEL, metadata={"help": "base: a folder, a Hub repository, an original file"})
    dataset: str = field(default=DEFAULT_DATASET, metadata={"help": "MotionPrefer: a folder or a Hub repository"})
    dataset_config: str = field(default="all", metadata={"help": "integrity, temporal, frequency, human or all"})
    test_prompts: int = field(default=300, metadata={"help": "held-out prompts of the grammar; 0 for no evaluation"})
    test_prompts_file: str | None = field(default=None, metadata={"help": "prompts of your own, .txt or .jsonl"})
    samples: int = field(default=2, metadata={"help": "motions for each of them; two or more give MModality"})
    test_temperature: float | None = field(
        default=None, metadata={"help": "of these motions; the checkpoint's by default"}
    )
    test_seed: int = field(default=5, metadata={"help": "of these prompts and of sampling"})
    min_score: float = field(default=0.0, metadata={"help": "keep pairs whose winner has more than this, 1 to 5"})
    min_gap: float = field(default=0.0, metadata={"help": "keep pairs whose scores differ by at least this"})
    shuffle_labels: bool = field(default=False, metadata={"help": "a control: who is chosen is drawn by chance"})
    evaluator: str = field(default=DEFAULT_EVALUATOR, metadata={"help": "text-motion evaluator; none for without"})
    monitor_prompts: int = field(default=32, metadata={"help": "fixed prompts to sample while training; 0 for none"})
    monitor_steps: int = field(default=50, metadata={"help": "steps between two samplings"})

    def __post_init__(self) -> None:
        """Raise now what would stop the evaluation once the training is over."""
        for name, least in (("test_prompts", 0), ("samples", 1), ("monitor_prompts", 0), ("monitor_steps", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"Expected --{name} of at least {least}, got {getattr(self, name)}.")
        cases = held_out(self)
        if cases and self.evaluator != "none" and len(cases) < LEAST_CLIPS and all(case.scenario for case in cases):
            raise ValueError(
                f"The evaluator needs at least {LEAST_CLIPS} held-out prompts, a text chooses from that many, got "
                f"{len(cases)}. Give more, none with --test_prompts 0, or leave it out: --evaluator none."
            )


def parse(config: type, args: type, doc: str, **defaults: Any) -> Any:
    """Flags and YAML (--config), with the defaults of the tiny world; refuses a folder that holds something.

    Where a run cannot write at all, the trainer's configuration says so.
    """
    parser = TrlParser((config, args), description=doc.partition("\n")[0])
    parser.set_defaults(**defaults)
    script, arguments = parser.parse_args_and_config()
    folder = Path(arguments.output_dir)
    if not arguments.resume_from_checkpoint and folder.exists() and any(folder.iterdir()):
        raise FileExistsError(
            f"{folder} is there already. Choose another --output_dir, remove it, or go on with its last checkpoint: "
            "--resume_from_checkpoint last."
        )
    set_seed(arguments.seed)
    if arguments.device.type == "cpu":
        torch.set_num_threads(cpu_threads.cores_of_a_process(arguments.world_size))
    return script, arguments


def run(main: Callable[[], None]) -> None:
    """Run a script; what users can mend is said in a line, anything else is a bug and keeps its traceback."""
    warnings.filterwarnings("ignore", category=FutureWarning)  # of libraries, to each other
    disable_progress_bar()  # of loading and saving weights,
    disable_progress_bars()  # and of rows: what takes long has bars of its own
    try:
        main()
    except (ValueError, TypeError, OSError, FloatingPointError) as error:
        sys.exit(f"{Path(sys.argv[0]).stem}: {error}")


def load_model(script: AlignConfig) -> MotionGPTForPreference:
    """The base model in float32."""
    return MotionGPTForPreference.from_pretrained(script.model, dtype=torch.float32)


def load_pairs(script: AlignConfig) -> DatasetDict:
    """Train and test pairs that somebody preferred one motion of, and of the training pairs those that are wanted."""
    pairs = preferred(load_dataset(script.dataset, script.dataset_config))
    kept = pairs["train"]
    if script.min_score or script.min_gap:
        winners, losers = (np.asarray(kept[f"{side}_score"], dtype=float) for side in ("chosen", "rejected"))
        kept = kept.select(np.flatnonzero((winners > script.min_score) & (winners - losers >= script.min_gap - 1e-6)))
    if not len(kept):
        raise ValueError("No pair is left; lower --min_score or --min_gap.")
    if script.shuffle_labels:
        turned = np.random.default_rng(0).random(len(kept)) < 0.5
        kept = kept.map(lambda row, i: swapped(row) if turned[i] else row, with_indices=True)
    pairs["train"] = kept
    return pairs


def swapped(row: dict[str, Any]) -> dict[str, Any]:
    """A pair with its motions the other way round."""
    other = {"chosen": "rejected", "rejected": "chosen"}
    names = {name: name.replace(side, other[side]) for name in row for side in other if name.startswith(side)}
    return row | {name: row[source] for name, source in names.items()}


def prompt_rows(count: int, seed: int = 0, split: str = "train") -> Dataset:
    """Prompts of the grammar for online training, with their scenarios for the kinematic judge."""
    written = GrammarPromptWriter(seed=seed, split=split).write(count)
    rows = [{"prompt": [{"role": "user", "content": p.text}], "scenario": p.scenario.to_json()} for p in written]
    return Dataset.from_list(rows)


def held_out(script: AlignConfig) -> list[Case]:
    """Prompts that base and aligned model are compared on; none for no evaluation."""
    if script.test_prompts_file is not None:
        return read_cases(script.test_prompts_file)
    return grammar_cases(script.test_prompts, script.test_seed) if script.test_prompts else []


def load_evaluator(script: AlignConfig) -> ModelEmbedder | None:
    """The evaluator that never saw the judge."""
    return None if script.evaluator == "none" else ModelEmbedder.from_pretrained(script.evaluator)


def monitor(script: AlignConfig) -> list[MotionMonitor]:
    """What is sampled while training, as callbacks: prompts of the training split, so that no test is looked at."""
    if not script.monitor_prompts:
        return []
    prompts = GrammarPromptWriter(seed=script.test_seed + 1, split="train").write(script.monitor_prompts)
    return [
        MotionMonitor(
            prompts=prompts,
            judge=KinematicJudge(),
            embedder=load_evaluator(script),
            samples=2,
            every_steps=script.monitor_steps,
        )
    ]


def train(trainer: Any) -> None:
    """Train, or go on from a checkpoint: --resume_from_checkpoint last, or its folder."""
    named = trainer.args.resume_from_checkpoint
    trainer.train(resume_from_checkpoint=True if named in ("last", "true", "True") else named)
