"""Align a text-to-motion model online: PPO with a value model, as "RLHF" is published for it, and LoRA.

    accelerate launch examples/ppo.py
    accelerate launch examples/ppo.py --reward_model outputs/reward --output_dir outputs/ppo_reward_model
    accelerate launch examples/ppo.py --model OpenMotionLab/MotionGPT-base --reward_model outputs/reward_base \
        --output_dir outputs/ppo_base --prompts 20000 --learning_rate 1e-5 --value_learning_rate 1e-5 \
        --lam 0.95 --per_device_train_batch_size 8 --num_mini_batches 4 --num_ppo_epochs 4 --max_steps 10000

Without arguments the tiny model of the package is trained on prompts of the grammar, offline, in minutes on two cores,
and the kinematic judge says what happens in its motions. With --reward_model the score is that of a model trained on
preferences (examples/reward_model.py), as published. OUTPUT_DIR/report.html compares the aligned model with its base
on prompts that combine what training never combined.
"""

from dataclasses import dataclass, field
from typing import Any

from alignment import AlignConfig, load_model, monitor, parse, prompt_rows, run, train
from alignment_report import finish

from atom_hf import JudgeReward, KinematicJudge, MotionGPTForPreference, MotionGPTForReward
from atom_hf.trainer import MotionPPOConfig, MotionPPOTrainer

# What suits the tiny model; MotionPPOConfig's own defaults are the published ones, for the full-size one. A judge's
# reward stands at the end of a motion alone, and in so few rollouts values are rough: λ 1 does not lean on them.
TINY = {
    "output_dir": "outputs/ppo",
    "learning_rate": 2e-3,
    "value_learning_rate": 1e-3,
    "lam": 1.0,
    "max_steps": 64,
    "per_device_train_batch_size": 64,
    "num_mini_batches": 2,
    "num_ppo_epochs": 2,
    "save_steps": 32,
    "save_total_limit": 1,
    "logging_steps": 4,
    "report_to": "none",
}


@dataclass
class PPOScript(AlignConfig):
    """As every alignment, and what rewards."""

    prompts: int = field(default=512, metadata={"help": "prompts of the grammar to train on"})
    task: str | None = field(
        default=None, metadata={"help": "integrity, temporal, frequency or overall; by default each prompt's own"}
    )
    reward_model: str | None = field(
        default=None, metadata={"help": "a trained reward model; by default the kinematic judge rewards"}
    )


def reward(script: PPOScript, model: MotionGPTForPreference) -> Any:
    """Who says how good a motion is."""
    if script.reward_model is not None:
        return MotionGPTForReward.from_pretrained(script.reward_model)
    return JudgeReward(KinematicJudge(script.task), decode=model.decode_completions, name="kinematic")


def main() -> None:
    script, args = parse(PPOScript, MotionPPOConfig, __doc__, **TINY)
    model = load_model(script)
    trainer = MotionPPOTrainer(
        model,
        reward(script, model),
        args,
        train_dataset=prompt_rows(script.prompts, seed=args.seed),
        callbacks=monitor(script),
    )
    train(trainer)
    curve = [log["objective/scores"] for log in trainer.state.log_history if "objective/scores" in log]
    if trainer.is_world_process_zero() and len(curve) > 1:
        part = max(1, len(curve) // 4)
        first, last = sum(curve[:part]) / part, sum(curve[-part:]) / part
        print(f"mean score of the first {part} logs {first:.3f}, of the last {part} {last:.3f}")
    finish(trainer, script)


if __name__ == "__main__":
    run(main)
