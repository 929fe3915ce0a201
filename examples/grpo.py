"""Align a text-to-motion model online: GRPO, with the events that a prompt asks for as reward, and LoRA.

    accelerate launch examples/grpo.py
    accelerate launch examples/grpo.py --reward_model outputs/reward_model/model --reward_weights 1.0 0.2
    accelerate launch examples/grpo.py --model OpenMotionLab/MotionGPT-base --output_dir outputs/grpo_base \
        --prompts 20000 --beta 0.05 --learning_rate 1e-4 --max_steps 1000 --per_device_train_batch_size 64

Without arguments the tiny model of the package is trained on prompts of the grammar, offline, in minutes on two cores.
The model writes several motions for each prompt, the kinematic judge says what happens in them, and what did better
than its group becomes likelier. OUTPUT_DIR/report.html compares the aligned model with its base on prompts that
combine what training never combined.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from alignment import AlignConfig, load_model, monitor, parse, prompt_rows, run, train
from alignment_report import finish

from atom_hf import JudgeReward, KinematicJudge, MotionGPTForPreference, MotionGPTForReward
from atom_hf.rewards import ModelReward
from atom_hf.trainer import MotionGRPOConfig, MotionGRPOTrainer

# What suits the tiny model; MotionGRPOConfig's own defaults are for the full-size one.
TINY = {
    "output_dir": "outputs/grpo",
    "learning_rate": 3e-3,
    "beta": 0.05,
    "max_steps": 50,
    "warmup_steps": 3,
    "per_device_train_batch_size": 64,
    "num_generations": 8,
    "save_steps": 25,
    "save_total_limit": 1,
    "logging_steps": 1,
    "report_to": "none",
}


@dataclass
class OnlineConfig(AlignConfig):
    """As every alignment, and what rewards."""

    prompts: int = field(default=2000, metadata={"help": "prompts of the grammar to train on"})
    task: str | None = field(
        default=None, metadata={"help": "integrity, temporal, frequency or overall; by default each prompt's own"}
    )
    kinematic: bool = field(default=True, metadata={"help": "reward events that the kinematic judge sees"})
    reward_model: str | None = field(default=None, metadata={"help": "a reward model that is mixed in"})
    reward_scale: float = field(default=1.0, metadata={"help": "multiplies the reward model's scores"})


def rewards(script: OnlineConfig, model: MotionGPTForPreference, device: Any) -> list[Callable[..., Any]]:
    """Reward functions, in the order of --reward_weights: the kinematic judge, then the reward model."""
    functions: list[Callable[..., Any]] = []
    if script.kinematic:
        functions.append(JudgeReward(KinematicJudge(script.task), decode=model.decode_completions, name="kinematic"))
    if script.reward_model is not None:
        learned = MotionGPTForReward.from_pretrained(script.reward_model).to(device)
        functions.append(ModelReward(learned, scale=script.reward_scale, processor=model.processor))
    return functions


def main() -> None:
    script, args = parse(OnlineConfig, MotionGRPOConfig, __doc__, **TINY)
    model = load_model(script)
    trainer = MotionGRPOTrainer(
        model,
        rewards(script, model, args.device),
        args,
        train_dataset=prompt_rows(script.prompts, seed=args.seed),
        callbacks=monitor(script),
    )
    train(trainer)
    finish(trainer, script)


if __name__ == "__main__":
    run(main)
