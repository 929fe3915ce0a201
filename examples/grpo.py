"""Align a text-to-motion model online: GRPO, with the events that a prompt asks for as reward, and LoRA.

    accelerate launch examples/grpo.py
    accelerate launch examples/grpo.py --reward_model outputs/reward_model/model --reward_weights 1.0 0.2
    accelerate launch examples/grpo.py --judge vlm --judge_url http://localhost:8000/v1 \
        --judge_model Qwen/Qwen2.5-VL-7B-Instruct --concurrency 64 --reward_weights 1.0 0.5
    accelerate launch examples/grpo.py --model OpenMotionLab/MotionGPT-base --output_dir outputs/grpo_base \
        --prompts 20000 --beta 0.05 --learning_rate 1e-4 --max_steps 1000 --per_device_train_batch_size 64

Without arguments the tiny model of the package is trained on prompts of the grammar, offline, in minutes on two cores.
The model writes several motions for each prompt, the kinematic judge says what happens in them, and what did better
than its group becomes likelier; a vision judge or a reward model may be mixed in. OUTPUT_DIR/report.html compares the
aligned model with its base on prompts that combine what training never combined.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from accelerate import PartialState
from alignment import AlignConfig, load_model, monitor, parse, prompt_rows, run, train
from alignment_report import finish
from judges import JudgeConfig, Judges

from atom_hf import JudgeReward, KinematicJudge, MotionGPTForPreference, MotionGPTForReward
from atom_hf.rewards import ModelReward
from atom_hf.rewards.annotating import OrStop
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
class OnlineConfig(AlignConfig, JudgeConfig):
    """As every alignment, and what rewards: --judge vlm adds a vision judge to what else is there."""

    prompts: int = field(default=2000, metadata={"help": "prompts of the grammar to train on"})
    task: str | None = field(
        default=None, metadata={"help": "integrity, temporal, frequency or overall; by default each prompt's own"}
    )
    kinematic: bool = field(default=True, metadata={"help": "reward events that the kinematic judge sees"})
    reward_model: str | None = field(default=None, metadata={"help": "a reward model that is mixed in"})
    reward_scale: float = field(default=1.0, metadata={"help": "multiplies the reward model's scores"})


def rewards(script: OnlineConfig, model: MotionGPTForPreference, args: Any) -> list[Callable[..., Any]]:
    """Reward functions, in the order of --reward_weights: the kinematic judge, the vision judge, the reward model."""
    functions: list[Callable[..., Any]] = []
    if script.kinematic:
        functions.append(JudgeReward(KinematicJudge(script.task), decode=model.decode_completions, name="kinematic"))
    judges = Judges(script, Path(args.output_dir), args.process_index, args.world_size)
    if judges.pictures:  # where its budget ends the training stops: it would go on without this reward otherwise

        def opened() -> Any:
            if args.process_index == 0:
                judges.gather()
            PartialState().wait_for_everyone()
            judges.open()
            PartialState().wait_for_everyone()  # all of them divide the same sum
            return judges.make(script.task)

        judge = OrStop(opened, script.judge_model)
        functions.append(JudgeReward(judge, decode=model.decode_completions, name="vision"))
    if script.reward_model is not None:
        learned = MotionGPTForReward.from_pretrained(script.reward_model).to(args.device)
        functions.append(ModelReward(learned, scale=script.reward_scale, processor=model.processor))
    return functions


def main() -> None:
    script, args = parse(OnlineConfig, MotionGRPOConfig, __doc__, **TINY)
    model = load_model(script)
    trainer = MotionGRPOTrainer(
        model,
        rewards(script, model, args),
        args,
        train_dataset=prompt_rows(script.prompts, seed=args.seed),
        callbacks=monitor(script),
    )
    train(trainer)
    finish(trainer, script)


if __name__ == "__main__":
    run(main)
