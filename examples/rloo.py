"""Align a text-to-motion model online: REINFORCE leave-one-out, with the events that a prompt asks for as reward.

    accelerate launch examples/rloo.py
    accelerate launch examples/rloo.py --reward_model outputs/reward_model/model --reward_weights 1.0 0.2
    accelerate launch examples/rloo.py --judge vlm --judge_model gpt-4o --budget 10 --reward_weights 1.0 0.5
    accelerate launch examples/rloo.py --model OpenMotionLab/MotionGPT-base --output_dir outputs/rloo_base \
        --prompts 20000 --beta 0.01 --learning_rate 1e-4 --max_steps 1000 --per_device_train_batch_size 64

Without arguments the tiny model of the package is trained on prompts of the grammar, offline, in minutes on two cores.
As examples/grpo.py, but a motion's baseline is the mean reward of the others for its prompt, and the divergence from
the base model is taken from the reward.
"""

from alignment import load_model, monitor, parse, prompt_rows, run, train
from alignment_report import finish
from grpo import OnlineConfig, rewards

from atom_hf.trainer import MotionRLOOConfig, MotionRLOOTrainer

# What suits the tiny model; MotionRLOOConfig's own defaults are for the full-size one.
TINY = {
    "output_dir": "outputs/rloo",
    "learning_rate": 2e-3,
    "beta": 0.01,
    "max_steps": 50,
    "warmup_steps": 3,
    "per_device_train_batch_size": 64,
    "num_generations": 8,
    "save_steps": 25,
    "save_total_limit": 1,
    "logging_steps": 1,
    "report_to": "none",
}


def main() -> None:
    script, args = parse(OnlineConfig, MotionRLOOConfig, __doc__, **TINY)
    model = load_model(script)
    trainer = MotionRLOOTrainer(
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
