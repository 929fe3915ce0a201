"""Settings of [`MotionKTOTrainer`]."""

from dataclasses import dataclass, field

from trl import KTOConfig

from .training_defaults import LoraDefaults

KTO_LOSSES = ("kto", "apo_zero_unpaired", "kto_pair")
LOWEST_RATIO, HIGHEST_RATIO = (
    1.0,
    4 / 3,
)  # of good to bad motions, each times its weight: Ethayarajh et al. 2024, eq. 8


@dataclass
class MotionKTOConfig(LoraDefaults, KTOConfig):
    """KTO on motions that are good or bad; every argument of `trl.KTOConfig` and `TrainingArguments` is there as well.

    Learning rate, its course, rows a step and the adapter are those of "Exploring Text-to-Motion Generation with Human
    Preference", whose KTO is `kto_pair`.

    Args:
        loss_type (`str`, *optional*, defaults to `"kto"`): `kto` compares with the KL divergence that mismatched
            prompts and motions show; `apo_zero_unpaired` with nothing; `kto_pair`, the paired form, compares good
            motions with the mean log-ratio of the bad ones of the batch, and bad ones with that of the good ones.
        beta (`float`, *optional*, defaults to 0.1): how much log-ratios count; smaller moves further.
        balance (`bool`, *optional*, defaults to `True`): as long as both weights are 1, raise that of the rarer label
            until good : bad, each times its weight, is at least 1 and at most 4/3. The weights are TRL's
            `desirable_weight` and `undesirable_weight`.
        learning_rate (`float`, *optional*, defaults to 1e-3): highest learning rate.
        lr_scheduler_type (`str`, *optional*, defaults to `"cosine"`): course of the learning rate.
        warmup_steps (`float`, *optional*, defaults to 150): steps of linear warm-up; below 1 a share of all.
        per_device_train_batch_size (`int`, *optional*, defaults to 64): motions a step on each device.
        num_train_epochs (`float`, *optional*, defaults to 20): times that each motion is seen.
        precompute_ref_log_probs (`bool`, *optional*): the reference scores each motion once, and what it said is
            cached beside the dataset. By default where the run sees as many motions as there are, so that it pays.

    Raises:
        ValueError: if an option is out of range, or two do not go together.
    """

    loss_type: str = field(
        default="kto",
        metadata={
            "help": "What the loss compares with: KL, nothing, or the other label.",
            "choices": list(KTO_LOSSES),
        },
    )
    beta: float = field(default=0.1, metadata={"help": "How much log-ratios count; smaller moves further."})
    balance: bool = field(
        default=True, metadata={"help": "Weigh the rarer label more, as long as both weights are 1."}
    )
    learning_rate: float = field(default=1e-3, metadata={"help": "Highest learning rate."})
    lr_scheduler_type: str = field(default="cosine", metadata={"help": "Course of the learning rate."})
    warmup_steps: float = field(default=150, metadata={"help": "Steps of linear warm-up; below 1 a share of all."})
    per_device_train_batch_size: int = field(default=64, metadata={"help": "Motions a step on each device."})
    num_train_epochs: float = field(default=20, metadata={"help": "Times that each motion is seen."})
    precompute_ref_log_probs: bool | None = field(
        default=None,
        metadata={"help": "Score each motion with the reference once, and cache it. By default where it pays."},
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.beta > 0:
            raise ValueError(f"Expected a beta above 0, got {self.beta}.")
        if self.loss_type not in KTO_LOSSES:
            raise ValueError(f"Expected a loss_type among {', '.join(KTO_LOSSES)}, got {self.loss_type!r}.")
        if not (self.desirable_weight > 0 and self.undesirable_weight > 0):
            raise ValueError(
                "Expected desirable_weight and undesirable_weight above 0, got "
                f"{self.desirable_weight} and {self.undesirable_weight}."
            )
        if self.loss_type != "apo_zero_unpaired" and self.per_device_train_batch_size < 2:
            raise ValueError(
                f"Expected per_device_train_batch_size of at least 2, got {self.per_device_train_batch_size}: "
                f"{self.loss_type} compares a motion with the others of its batch, and gradient accumulation makes no "
                "larger ones. loss_type='apo_zero_unpaired' compares with nothing."
            )


def balanced_weights(good: int, bad: int) -> tuple[float, float]:
    """Weights of good and bad motions, of which the rarer ones get more.

    With n the counts and λ the weights, n_good λ_good / (n_bad λ_bad) comes into the range from 1 to 4/3
    (Ethayarajh et al. 2024, eq. 8), by as little as it takes.

    Args:
        good (`int`): how many motions are good; at least 1.
        bad (`int`): how many are bad; at least 1.

    Returns:
        `tuple[float, float]`: of the good and of the bad ones; one of them is 1.

    Raises:
        ValueError: if there are none of a kind.
    """
    if good < 1 or bad < 1:
        raise ValueError(f"Expected good and bad motions, got {good} and {bad}.")
    ratio = good / bad
    return max(1.0, LOWEST_RATIO / ratio), max(1.0, ratio / HIGHEST_RATIO)
