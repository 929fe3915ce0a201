"""Train a reward model on preferences: a number for a prompt with a motion, higher for the better motion.

    accelerate launch examples/reward_model.py
    accelerate launch examples/reward_model.py --use_margin false --output_dir outputs/reward_without_margin
    accelerate launch examples/reward_model.py --model OpenMotionLab/MotionGPT-base --dataset YOUR/MOTIONPREFER \
        --output_dir outputs/reward_base --learning_rate 2e-4 --max_steps -1 --num_train_epochs 20

Without arguments the tiny model and the small dataset of the package are used, offline, in minutes on two cores. Some
prompts of the training split are set aside for the early stop; the test split is scored once, at the end. OUTPUT_DIR
becomes a model for MotionGPTForReward.from_pretrained, with metrics.json: accuracy, also by degree of preference.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from alignment import parse, run, train
from datasets import Dataset, load_dataset

from atom_hf import DEFAULT_DATASET, DEFAULT_MODEL
from atom_hf.data.degrees import DEGREES
from atom_hf.data.views import preferred
from atom_hf.trainer import MotionRewardConfig, MotionRewardTrainer

# What suits the tiny model; MotionRewardConfig's own defaults are for the full-size one.
TINY = {
    "output_dir": "outputs/reward",
    "learning_rate": 5e-4,
    "lr_scheduler_type": "cosine",
    "warmup_steps": 20,
    "num_train_epochs": 4,
    "logging_steps": 10,
    "report_to": "none",
}


@dataclass
class RewardScript:
    """What is trained, and on what."""

    model: str = field(default=DEFAULT_MODEL, metadata={"help": "to begin as: a folder, a Hub repository, a file"})
    dataset: str = field(default=DEFAULT_DATASET, metadata={"help": "MotionPrefer: a folder or a Hub repository"})
    dataset_config: str = field(default="all", metadata={"help": "integrity, temporal, frequency, human or all"})
    held_out: float = field(default=0.1, metadata={"help": "share of the training prompts for the early stop"})


def main() -> None:
    script, args = parse(RewardScript, MotionRewardConfig, __doc__, **TINY)
    pairs = preferred(load_dataset(script.dataset, script.dataset_config))
    rest, held_out = by_prompt(pairs["train"], script.held_out, args.seed)
    trainer = MotionRewardTrainer(script.model, args, train_dataset=rest, eval_dataset=held_out)
    train(trainer)
    trainer.save_model()
    if trainer.is_world_process_zero():
        metrics = {"steps": trainer.state.global_step, "seed": args.seed}
        metrics |= {"held_out": agreement(trainer.model, held_out), "test": agreement(trainer.model, pairs["test"])}
        out = Path(args.output_dir)
        (out / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
        print("\n".join(f"{name}: {said(metrics[name])}" for name in ("held_out", "test")), f"\nmodel → {out}")


def by_prompt(pairs: Dataset, share: float, seed: int) -> tuple[Dataset, Dataset]:
    """Two parts that have no prompt in common: a reward model remembers motions of a prompt."""
    prompts = sorted(set(pairs["prompt_id"]))
    chosen = np.random.default_rng(seed).permutation(prompts)[: max(1, round(share * len(prompts)))]
    apart = np.isin(pairs["prompt_id"], chosen)
    return pairs.select(np.flatnonzero(~apart)), pairs.select(np.flatnonzero(apart))


def agreement(model: Any, pairs: Dataset) -> dict[str, Any]:
    """How often the better motion has the higher reward: of all pairs, and by degree of preference."""
    prompts = [prompt[-1]["content"] for prompt in pairs["prompt"]]
    chosen, rejected = (model.score(prompts, pairs[f"{side}_codes"]) for side in ("chosen", "rejected"))
    right = (chosen > rejected).cpu().numpy()
    degrees = np.asarray(pairs["degree"])
    found = {degree: degrees == degree for degree in DEGREES if (degrees == degree).any()}
    by_degree = {degree: {"accuracy": float(right[of].mean()), "pairs": int(of.sum())} for degree, of in found.items()}
    return {"accuracy": float(right.mean()), "pairs": len(right), "by_degree": by_degree}


def said(metrics: dict[str, Any]) -> str:
    """A line for people."""
    degrees = "; ".join(f"{degree} {part['accuracy']:.1%}" for degree, part in metrics["by_degree"].items())
    return f"{metrics['accuracy']:.1%} of {metrics['pairs']} pairs right ({degrees})"


if __name__ == "__main__":
    run(main)
