"""What the alignment examples share: a model and preferences in, an aligned model and a report out.

script, args = parse(AlignConfig, MotionDPOConfig, __doc__, output_dir="outputs/dpo")
trainer = MotionDPOTrainer(load_model(script), args=args, train_dataset=load_pairs(script)["train"], …)
train(trainer)
finish(trainer, script)
→ OUTPUT_DIR/{report.html, metrics.json, comparison.json, report.md, model/, adapter/}
"""

import json
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset, DatasetDict, load_dataset
from peft import PeftModel
from progress import last_checkpoint
from transformers import set_seed
from trl import TrlParser

from atom_hf import (
    DEFAULT_DATASET,
    DEFAULT_EVALUATOR,
    DEFAULT_MODEL,
    GrammarPromptWriter,
    KinematicJudge,
    MotionGPTForPreference,
    TextMotionEvaluator,
)
from atom_hf.data.views import preferred
from atom_hf.evaluation import ModelEmbedder
from atom_hf.evaluation.comparison import (
    alignment_metrics,
    alignment_summary,
    compare,
    grammar_cases,
    read_cases,
    sampled_system,
    synthesised_system,
    verdict,
    write_alignment,
)
from atom_hf.evaluation.report import training_charts
from atom_hf.trainer.monitor import MotionMonitor
from atom_hf.trainer.monitor_measures import longest, policy_numbers, token_scores, written_codes


@dataclass
class AlignConfig:
    """What is aligned, with what, and how it is measured."""

    model: str = field(default=DEFAULT_MODEL, metadata={"help": "base: a folder, a Hub repository, an original file"})
    dataset: str = field(default=DEFAULT_DATASET, metadata={"help": "MotionPrefer: a folder or a Hub repository"})
    dataset_config: str = field(default="all", metadata={"help": "integrity, temporal, frequency, human or all"})
    test_prompts: int = field(default=300, metadata={"help": "held-out prompts of the grammar; 0 for no evaluation"})
    test_prompts_file: str | None = field(default=None, metadata={"help": "prompts of your own, .txt or .jsonl"})
    samples: int = field(default=2, metadata={"help": "motions for each of them; two or more give MModality"})
    temperature: float | None = field(default=None, metadata={"help": "of these motions; the checkpoint's by default"})
    test_seed: int = field(default=5, metadata={"help": "of these prompts and of sampling"})
    min_score: float = field(default=0.0, metadata={"help": "keep pairs whose winner has more than this, 1 to 5"})
    min_gap: float = field(default=0.0, metadata={"help": "keep pairs whose scores differ by at least this"})
    shuffle_labels: bool = field(default=False, metadata={"help": "a control: who is chosen is drawn by chance"})
    evaluator: str = field(default=DEFAULT_EVALUATOR, metadata={"help": "text-motion evaluator; none for without"})
    monitor_prompts: int = field(default=32, metadata={"help": "fixed prompts to sample while training; 0 for none"})
    monitor_steps: int = field(default=50, metadata={"help": "steps between two samplings"})


def parse(config: type, args: type, doc: str, **defaults: Any) -> Any:
    """Flags and YAML (--config), with the defaults of the tiny world; refuses a folder that holds something."""
    parser = TrlParser((config, args), description=doc.partition("\n")[0])
    parser.set_defaults(**defaults)
    script, arguments = parser.parse_args_and_config()
    folder = Path(arguments.output_dir)
    if not arguments.resume_from_checkpoint and folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(
            f"{folder} is there already. Choose another --output_dir, remove it, or go on with its last checkpoint: "
            "--resume_from_checkpoint last."
        )
    set_seed(arguments.seed)
    return script, arguments


def run(main: Callable[[], None]) -> None:
    """Run a script; what users can mend is said in a line, anything else is a bug and keeps its traceback."""
    warnings.filterwarnings("ignore", category=FutureWarning)  # of libraries, to each other
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


def load_evaluator(script: AlignConfig) -> ModelEmbedder | None:
    """The evaluator that never saw the judge."""
    if script.evaluator == "none":
        return None
    model = TextMotionEvaluator.from_pretrained(script.evaluator).eval()
    tiny = script.evaluator == DEFAULT_EVALUATOR
    name = "tiny evaluator of atom_hf" if tiny else Path(script.evaluator).name
    return ModelEmbedder(model, "padded" if model.config.original else "packed", name)


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
    checkpoint = trainer.args.resume_from_checkpoint
    if checkpoint in ("last", "true", "True"):
        checkpoint = last_checkpoint(trainer.args.output_dir, "trainer_state.json")
        if checkpoint is None:
            raise ValueError(f"{trainer.args.output_dir} holds no checkpoint to go on from.")
    trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))


def save(trainer: Any) -> MotionGPTForPreference:
    """The aligned model in model/ and its adapter in adapter/."""
    folder, model = Path(trainer.args.output_dir), trainer.accelerator.unwrap_model(trainer.model)
    if isinstance(model, PeftModel):
        model.save_pretrained(folder / "adapter")
        model = model.merge_and_unload()
    model = model.eval()
    model.save_pretrained(folder / "model")
    return model


def finish(trainer: Any, script: AlignConfig) -> dict[str, Any] | None:
    """Save, evaluate base and aligned model on held-out prompts, write the report, and say what improved."""
    trainer.accelerator.wait_for_everyone()
    if not trainer.is_world_process_zero():
        return None
    folder = Path(trainer.args.output_dir)
    aligned = save(trainer)
    if not script.test_prompts and script.test_prompts_file is None:
        print(f"model → {folder / 'model'}")
        return None
    started = time.perf_counter()
    base = load_model(script).to(aligned.device).eval()
    cases = grammar_cases(script.test_prompts, script.test_seed)
    if script.test_prompts_file is not None:
        cases = read_cases(script.test_prompts_file)
    sampling = {} if script.temperature is None else {"temperature": script.temperature}
    systems = []
    for name, model in (("base", base), ("aligned", aligned)):
        print(f"{name}: {len(cases)} held-out prompts, {script.samples} motions each", flush=True)
        systems.append(sampled_system(name, model, cases, samples=script.samples, seed=script.test_seed, **sampling))
    known = all(case.scenario is not None for case in cases)
    comparison = compare(
        systems,
        real=synthesised_system(cases, "real (synthesised)") if known else None,
        judge=KinematicJudge(),
        embedder=load_evaluator(script),
        seed=script.test_seed,
    )
    firsts = systems[1].firsts
    asked, written = [clip.prompt for clip in firsts], [written_codes(clip.motion) for clip in firsts]
    numbers = policy_numbers(*(token_scores(model, asked, written, longest(196)) for model in (aligned, base)))
    logs = trainer.state.log_history
    trained = next((log["train_runtime"] for log in reversed(logs) if "train_runtime" in log), 0.0)
    metrics = alignment_metrics(
        comparison,
        kl={"per_token": numbers["sample_kl"], "per_sequence": numbers["sample_kl_sequence"]},
        seconds={"training": trained, "evaluation": time.perf_counter() - started},
        training=settings(trainer, script),
    )
    title = f"{type(trainer).__name__.removeprefix('Motion').removesuffix('Trainer')} alignment"
    write_alignment(comparison, folder, metrics, charts=training_charts(logs), title=title, overwrite=True)
    write_card(folder, metrics, title)
    print("\n".join(["", verdict(metrics), *alignment_summary(metrics), "", f"report → {folder / 'report.html'}"]))
    return metrics


def settings(trainer: Any, script: AlignConfig) -> dict[str, Any]:
    """Settings of the training that readers of its numbers ask for."""
    names = ("loss_type", "beta", "learning_rate", "max_steps", "num_train_epochs", "per_device_train_batch_size")
    names += ("gradient_accumulation_steps", "use_peft", "lora_r", "degree_use", "train_share", "seed")
    found = {name: getattr(trainer.args, name) for name in names if hasattr(trainer.args, name)}
    found["model"] = "the tiny model of atom_hf" if script.model == DEFAULT_MODEL else script.model
    found["dataset"] = "the small dataset of atom_hf" if script.dataset == DEFAULT_DATASET else script.dataset
    return found | {"steps": trainer.state.global_step, "processes": trainer.accelerator.num_processes}


def write_card(folder: Path, metrics: dict[str, Any], title: str) -> None:
    """What was done and measured, on the card of the saved model."""
    said = json.dumps(metrics["training"], ensure_ascii=False, indent=1)
    lines = ["", f"## {title}", "", verdict(metrics), "", "```", *alignment_summary(metrics), "```", ""]
    lines += [f"> {note}\n>" for note in metrics["notes"]] + ["", "Settings:", "", "```json", said, "```", ""]
    card = folder / "model" / "README.md"
    card.write_text(card.read_text(encoding="utf-8").rstrip("\n") + "\n" + "\n".join(lines), encoding="utf-8")
