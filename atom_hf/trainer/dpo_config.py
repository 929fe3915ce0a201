"""Settings of [`MotionDPOTrainer`], with the best published ones as defaults."""

from dataclasses import dataclass, field

from trl import DPOConfig

from .degree_use import DEGREE_USES
from .losses import PAIR_LOSSES
from .training_defaults import LoraDefaults


@dataclass
class MotionDPOConfig(LoraDefaults, DPOConfig):
    """DPO on motion preferences; every argument of `trl.DPOConfig` and `TrainingArguments` is there as well.

    Defaults are those that did best in "Exploring Text-to-Motion Generation with Human Preference": IPO with β 0.1,
    learning rate 1e-3 on a cosine after 150 steps of warm-up, 64 pairs a step, 20 epochs, LoRA of rank 8.

    Args:
        loss_type (`list[str]`, *optional*, defaults to `["ipo"]`): any of TRL's, or `kto_pair`, the paired
            form of KTO.
        beta (`float`, *optional*, defaults to 0.1): for IPO half of the inverse of the wanted gap of mean log-ratios a
            token: 0.1 wants a gap of 5 nats, 1.0 one of 0.5.
        degree_use (`str`, *optional*, defaults to `"none"`): what the column `degree` does: `label_smoothing`
            (0 / 0.2 / 0.3 / 0.5 as published), `margin` (3 / 2 / 1 / 0) or `weight` (1 / 0.6 / 0.4 / 0).
        margin_scale (`float`, *optional*, defaults to 1.0): margins are multiplied by it.
        degrees (`list[str]`, *optional*): train on pairs of these degrees only.
        train_share (`float`, *optional*, defaults to 1.0): train on this share of the pairs.
        learning_rate (`float`, *optional*, defaults to 1e-3): highest learning rate.
        lr_scheduler_type (`str`, *optional*, defaults to `"cosine"`): course of the learning rate.
        warmup_steps (`float`, *optional*, defaults to 150): steps of linear warm-up; below 1 a share of all.
        per_device_train_batch_size (`int`, *optional*, defaults to 64): pairs a step on each device.
        num_train_epochs (`float`, *optional*, defaults to 20): times that each pair is seen.
        precompute_ref_log_probs (`bool`, *optional*): the reference scores each pair once, and what it said is cached
            beside the dataset. By default where the run sees as many pairs as there are, so that it pays.

    Raises:
        ValueError: if an option is out of range, or two do not go together.
    """

    loss_type: list[str] = field(
        default_factory=lambda: ["ipo"], metadata={"help": f"One or several of TRL's losses, or {PAIR_LOSSES[-1]}."}
    )
    beta: float = field(default=0.1, metadata={"help": "How much log-ratios count; smaller moves further."})
    degree_use: str = field(
        default="none",
        metadata={"help": "What a degree of preference does.", "choices": list(DEGREE_USES)},
    )
    margin_scale: float = field(default=1.0, metadata={"help": "Multiplies margins."})
    degrees: list[str] | None = field(default=None, metadata={"help": "Degrees of preference to train on."})
    train_share: float = field(default=1.0, metadata={"help": "Share of the pairs to train on."})
    learning_rate: float = field(default=1e-3, metadata={"help": "Highest learning rate."})
    lr_scheduler_type: str = field(default="cosine", metadata={"help": "Course of the learning rate."})
    warmup_steps: float = field(default=150, metadata={"help": "Steps of linear warm-up; below 1 a share of all."})
    per_device_train_batch_size: int = field(default=64, metadata={"help": "Pairs a step on each device."})
    num_train_epochs: float = field(default=20, metadata={"help": "Times that each pair is seen."})
    precompute_ref_log_probs: bool | None = field(
        default=None,
        metadata={"help": "Score each pair with the reference once, and cache it. By default where it pays."},
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.beta > 0:
            raise ValueError(f"Expected a beta above 0, got {self.beta}.")
        if self.degree_use not in DEGREE_USES:
            raise ValueError(f"Expected degree_use among {', '.join(DEGREE_USES)}, got {self.degree_use!r}.")
        if not 0 <= self.label_smoothing <= 0.5:
            raise ValueError(f"Expected label_smoothing from 0 to 0.5, got {self.label_smoothing}.")
        self._check_combination()

    def _check_combination(self) -> None:
        """Raise where an option would be ignored without a word."""
        others = [loss for loss in self.loss_type if loss not in PAIR_LOSSES]
        if others and self.degree_use != "none":
            raise ValueError(
                f"degree_use={self.degree_use!r} goes with {', '.join(PAIR_LOSSES)}, not with {', '.join(others)}."
            )
        if "kto_pair" in self.loss_type and self.degree_use in ("label_smoothing", "margin"):
            raise ValueError("kto_pair has neither margin nor label smoothing; use degree_use='weight'.")
        if "kto_pair" in self.loss_type and others:
            raise ValueError(
                f"kto_pair is mixed with {', '.join(PAIR_LOSSES[:-1])} only, not with {', '.join(others)}."
            )
        ours = "kto_pair" in self.loss_type or self.degree_use != "none"
        if self.label_smoothing > 0 and len(others) < len(self.loss_type):
            if others:
                raise ValueError(
                    f"label_smoothing={self.label_smoothing} goes with {', '.join(PAIR_LOSSES[:-1])}, or with TRL's "
                    f"losses that know it, but not with both: {', '.join(self.loss_type)}."
                )
            if self.degree_use == "label_smoothing":
                raise ValueError("degree_use='label_smoothing' takes the place of label_smoothing; leave one out.")
            ours = True
        theirs = {"ld_alpha": None, "use_weighting": False, "f_divergence_type": "reverse_kl"}
        changed = [name for name, usual in theirs.items() if getattr(self, name) != usual]
        if ours and changed:
            raise ValueError(
                f"{', '.join(changed)} goes with TRL's own losses, not with degree_use, label_smoothing or kto_pair."
            )
