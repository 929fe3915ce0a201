"""Align a text-to-motion model with motions that are good or bad: KTO (Kahneman-Tversky optimisation), with LoRA.

    accelerate launch examples/kto.py
    accelerate launch examples/kto.py --loss_type kto_pair --output_dir outputs/kto_pair
    accelerate launch examples/kto.py --model OpenMotionLab/MotionGPT-base --dataset YOUR/MOTIONPREFER \
        --output_dir outputs/kto_base --beta 0.1 --max_steps -1 --num_train_epochs 20

Without arguments the tiny model and the small dataset of the package are used, offline, in minutes on two cores. The
pairs of the dataset are turned into motions with a label: good if they won by more than they lost by. Rows of your own
need no pairs: `prompt`, `completion`, `label`. OUTPUT_DIR/report.html compares the aligned model with its base.
"""

from alignment import AlignConfig, load_model, load_pairs, monitor, parse, run, train
from alignment_report import finish

from atom_hf.trainer import MotionKTOConfig, MotionKTOTrainer

# What suits the tiny model; MotionKTOConfig's own defaults are those of the papers, for the full-size one.
TINY = {
    "output_dir": "outputs/kto",
    "beta": 0.1,
    "learning_rate": 1e-3,
    "max_steps": 150,
    "warmup_steps": 20,
    "per_device_train_batch_size": 32,
    "lora_dropout": 0.0,
    "save_steps": 50,
    "save_total_limit": 1,
    "logging_steps": 5,
    "report_to": "none",
}


def main() -> None:
    script, args = parse(AlignConfig, MotionKTOConfig, __doc__, **TINY)
    pairs = load_pairs(script)
    trainer = MotionKTOTrainer(
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
