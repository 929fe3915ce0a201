"""Align a text-to-motion model with preferences: direct preference optimisation, IPO with SFT and LoRA by default.

    accelerate launch examples/dpo.py
    accelerate launch examples/dpo.py --rebuild --output_dir outputs/dpo_rebuilt
    accelerate launch examples/dpo.py --config examples/configs/dpo_motiongpt.yaml

Without arguments the tiny model and the small dataset of the package are used, offline, in minutes on two cores. The
aligned model is compared with its base on prompts that neither training nor dataset has seen: by the kinematic judge,
and by an evaluator that never saw the judge. OUTPUT_DIR/report.html shows all of it, with the largest wins and losses.
"""

from dataclasses import dataclass, field
from pathlib import Path

import build_motionprefer
from alignment import AlignConfig, load_model, load_pairs, monitor, parse, run, train
from alignment_report import finish
from prompts import PromptConfig

from atom_hf.trainer import MotionDPOConfig, MotionDPOTrainer

# What suits the tiny model; MotionDPOConfig's own defaults are those of the papers, for the full-size one. IPO alone
# makes both motions of a pair less likely, if the worse one more so; SFT on the better one holds it where it was.
TINY = {
    "output_dir": "outputs/dpo",
    "loss_type": ["ipo", "sft"],
    "beta": 0.5,
    "learning_rate": 1e-3,
    "max_steps": 200,
    "warmup_steps": 20,
    "per_device_train_batch_size": 32,
    "min_gap": 1.0,
    "lora_r": 16,
    "lora_alpha": 32,
    "lora_dropout": 0.0,
    "lora_target_modules": ["q", "k", "v", "o", "wi_0", "wi_1", "wo"],
    "save_steps": 50,
    "save_total_limit": 1,
    "logging_steps": 5,
    "report_to": "none",
}


@dataclass
class DPOScript(AlignConfig):
    """As every alignment, and a dataset that is made anew."""

    rebuild: bool = field(default=False, metadata={"help": "make a fresh dataset with the base model first"})
    rebuild_prompts: int = field(default=400, metadata={"help": "prompts of a fresh dataset"})


def main() -> None:
    script, args = parse(DPOScript, MotionDPOConfig, __doc__, **TINY)
    if script.rebuild:
        if args.world_size > 1:
            raise ValueError("--rebuild is for one process; run examples/build_motionprefer.py first, then --dataset.")
        made = Path(f"{args.output_dir}_motionprefer")
        build_motionprefer.main(
            build_motionprefer.BuildConfig(output_dir=str(made), model=script.model, seed=args.seed),
            PromptConfig(prompts=script.rebuild_prompts, prompt_seed=args.seed),
        )
        script.dataset = str(made / "dataset")
    pairs = load_pairs(script)
    trainer = MotionDPOTrainer(
        load_model(script),
        args=args,
        train_dataset=pairs["train"],
        eval_dataset=pairs["test"] if args.eval_strategy != "no" else None,
        callbacks=monitor(script),
    )
    train(trainer)
    finish(trainer, script)


if __name__ == "__main__":
    run(main)
