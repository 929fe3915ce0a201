"""Settings of [`MotionRewardTrainer`]."""

from dataclasses import dataclass, field
from typing import Any

from trl import RewardConfig

from .training_defaults import TrainingDefaults


@dataclass
class MotionRewardConfig(TrainingDefaults, RewardConfig):
    """A reward model of motions; every argument of `trl.RewardConfig` and `TrainingArguments` is there as well.

    Learning rate and margins are those of "Exploring Text-to-Motion Generation with Human Preference", whose reward
    model is trained whole. It overfits soon, so where there is an eval_dataset the run stops once its accuracy rises
    no more, and the best checkpoint counts.

    Args:
        learning_rate (`float`, *optional*, defaults to 2e-4): highest learning rate.
        per_device_train_batch_size (`int`, *optional*, defaults to 32): pairs a step on each device.
        per_device_eval_batch_size (`int`, *optional*, defaults to 32): pairs at once in evaluations.
        num_train_epochs (`float`, *optional*, defaults to 20): times that each pair is seen at most.
        use_margin (`bool`, *optional*, defaults to `True`): the scores of a pair should differ by its `margin`, or by
            that of its `degree` (3 / 2 / 1 / 0); without both columns, and with False, there is none.
        degrees (`list[str]`, *optional*): train on pairs of these degrees only.
        train_share (`float`, *optional*, defaults to 1.0): train on this share of the pairs.
        early_stopping_patience (`int`, *optional*, defaults to 3): with an eval_dataset, stop after so many
            evaluations that did not improve `metric_for_best_model` (by default the accuracy; of several splits
            the loss of the first, since TRL calls the accuracies of all the same), and go back to the best. A
            checkpoint is saved at each evaluation, which is after every epoch unless `eval_strategy` says otherwise.
            None trains to the end.
        save_total_limit (`int`, *optional*, defaults to 2): checkpoints that are kept; the best is always one of them.

    Raises:
        ValueError: if an option is out of range, or early stopping lacks its checkpoints.
    """

    learning_rate: float = field(default=2e-4, metadata={"help": "Highest learning rate."})
    per_device_train_batch_size: int = field(default=32, metadata={"help": "Pairs a step on each device."})
    per_device_eval_batch_size: int = field(default=32, metadata={"help": "Pairs at once when evaluating."})
    num_train_epochs: float = field(default=20, metadata={"help": "Times that each pair is seen at most."})
    use_margin: bool = field(default=True, metadata={"help": "Ask more of pairs with a strong preference."})
    degrees: list[str] | None = field(default=None, metadata={"help": "Degrees of preference to train on."})
    train_share: float = field(default=1.0, metadata={"help": "Share of the pairs to train on."})
    early_stopping_patience: int | None = field(
        default=3, metadata={"help": "Evaluations without improvement until the run stops; none for no early stop."}
    )
    save_total_limit: int | None = field(default=2, metadata={"help": "Checkpoints that are kept."})

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.early_stopping_patience is not None and self.early_stopping_patience < 1:
            raise ValueError(
                f"Expected early_stopping_patience of at least 1, got {self.early_stopping_patience}; None trains to "
                "the end."
            )

    def stop_early(self: Any, splits: list[str] | None) -> None:
        """Settings under which the best checkpoint is there to go back to.

        Args:
            splits (`list[str]`, *optional*): names of evaluation splits, if there are several; the first counts.

        Raises:
            ValueError: if no checkpoints are saved.
        """
        if self.save_strategy == "no":
            raise ValueError(
                "early_stopping_patience goes back to the best checkpoint, and save_strategy='no' leaves none. Save "
                "checkpoints, or set early_stopping_patience=None."
            )
        if self.eval_strategy == "no":
            self.eval_strategy = type(self.eval_strategy)("epoch")
        if self.save_strategy != "best":
            self.save_strategy = type(self.save_strategy)(self.eval_strategy.value)
            self.save_steps = self.eval_steps or self.save_steps
        self.load_best_model_at_end = True
        if self.metric_for_best_model is None:
            self.metric_for_best_model = f"eval_{splits[0]}_loss" if splits else "eval_accuracy"
        if self.greater_is_better is None:
            self.greater_is_better = not self.metric_for_best_model.endswith("loss")
