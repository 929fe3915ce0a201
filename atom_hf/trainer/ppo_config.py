"""Settings of [`MotionPPOTrainer`], with the published ones as defaults where there are any."""

from dataclasses import dataclass, field
from typing import Any

from transformers import TrainingArguments

from .ppo.kl_control import AdaptiveKL, FixedKL
from .training_defaults import LoraDefaults

PENALTIES = ("kl", "abs", "mse")  # those that need the probability of the tokens written alone


@dataclass
class MotionPPOConfig(LoraDefaults, TrainingArguments):
    """PPO with a separate value model; every argument of `TrainingArguments` is there as well.

    Published ("Exploring Text-to-Motion Generation with Human Preference"): 32 motions a rollout, learning rate 1e-5,
    a fixed KL coefficient of 0.05, whitened rewards, scores scaled by their deviation, NEFTune's α 0.1, no dropout,
    γ 1, λ 0.95, clipping at 0.2. Names are those of TRL's PPOConfig, while it was there.

    A rollout is `per_device_train_batch_size · gradient_accumulation_steps · num_mini_batches` motions on each device,
    of which `num_ppo_epochs · num_mini_batches` optimiser steps are made. `max_steps`, `save_steps`, `logging_steps`
    and the like count optimiser steps, `num_train_epochs` passes over the prompts.

    Args:
        learning_rate (`float`, *optional*, defaults to 1e-5): of the policy.
        lr_scheduler_type (`str`, *optional*, defaults to `"constant"`): course of the learning rate.
        per_device_train_batch_size (`int`, *optional*, defaults to 8): motions of a mini-batch on each device.
        per_device_eval_batch_size (`int`, *optional*, defaults to 32): prompts at once in evaluations.
        neftune_noise_alpha (`float`, *optional*, defaults to 0.1): NEFTune's noise while training.
        lora_dropout (`float`, *optional*, defaults to 0.0): of the adapter's input.
        logging_steps (`float`, *optional*, defaults to 16): steps between two logs; by default those of a rollout.
        remove_unused_columns (`bool`, *optional*, defaults to `False`): reward functions may need any column.
        num_mini_batches (`int`, *optional*, defaults to 4): optimiser steps in which a rollout is gone through once.
        num_ppo_epochs (`int`, *optional*, defaults to 4): times that a rollout is gone through.
        max_completion_length (`int`, *optional*, defaults to 55): tokens of a completion: 49 codes of the longest
            motion, its start and end, `</s>`, and a few to spare.
        temperature (`float`, *optional*, defaults to 1.0): at which motions are drawn and scored; there is no top-k.
        kl_coef (`float`, *optional*, defaults to 0.05): what a nat of divergence from the reference costs, in rewards.
        kl_penalty (`str`, *optional*, defaults to `"kl"`): `kl`, `abs` or `mse`; see `ppo_math.kl_penalty`.
        adaptive_kl (`bool`, *optional*, defaults to `False`): move `kl_coef` towards a target.
        kl_target (`float`, *optional*, defaults to 6.0): that target, nats a completion.
        kl_horizon (`int`, *optional*, defaults to 10000): completions in which a wrong coefficient is put right.
        gamma (`float`, *optional*, defaults to 1.0): what a later reward counts.
        lam (`float`, *optional*, defaults to 0.95): λ of generalised advantage estimation.
        cliprange (`float`, *optional*, defaults to 0.2): of ratios of probabilities.
        cliprange_value (`float`, *optional*, defaults to 0.2): of values.
        vf_coef (`float`, *optional*, defaults to 0.1): what the value model's loss counts.
        whiten_rewards (`bool`, *optional*, defaults to `True`): rewards of tokens are divided by their deviation;
            unlike in the original 0 stays 0 (see `ppo_math.gae`).
        scale_scores (`bool`, *optional*, defaults to `True`): scores are divided by the deviation of all so far.
        norm_scores (`bool`, *optional*, defaults to `False`): their mean is subtracted as well.
        score_clip (`float`, *optional*): scores are brought into ± this, after scaling.
        missing_eos_penalty (`float`, *optional*): subtracted from the scaled score of a completion without `</s>`.
        reward_weights (`list[float]`, *optional*): of several reward functions; 1 each by default.
        value_learning_rate (`float`, *optional*): of the value model; `learning_rate` by default.
        disable_dropout (`bool`, *optional*, defaults to `True`): none in policy, adapter and value model.
        model_init_kwargs (`dict`, *optional*): of `from_pretrained`, where the model is given by name.

    Raises:
        ValueError: if an option is out of range.
    """

    _VALID_DICT_FIELDS = [*TrainingArguments._VALID_DICT_FIELDS, "model_init_kwargs"]  # noqa: RUF012

    learning_rate: float = field(default=1e-5, metadata={"help": "Learning rate of the policy."})
    value_learning_rate: float | None = field(
        default=None, metadata={"help": "Learning rate of the value model; the policy's by default."}
    )
    lr_scheduler_type: str = field(default="constant", metadata={"help": "Course of the learning rate."})
    per_device_train_batch_size: int = field(default=8, metadata={"help": "Motions of a mini-batch on each device."})
    per_device_eval_batch_size: int = field(default=32, metadata={"help": "Prompts at once when evaluating."})
    num_mini_batches: int = field(default=4, metadata={"help": "Optimiser steps that go through a rollout once."})
    num_ppo_epochs: int = field(default=4, metadata={"help": "Times that a rollout is gone through."})
    max_completion_length: int = field(default=55, metadata={"help": "Most tokens of a completion."})
    temperature: float = field(default=1.0, metadata={"help": "At which motions are drawn and scored."})
    kl_coef: float = field(default=0.05, metadata={"help": "What a nat of divergence costs."})
    kl_penalty: str = field(default="kl", metadata={"help": "Form of the penalty.", "choices": list(PENALTIES)})
    adaptive_kl: bool = field(default=False, metadata={"help": "Move kl_coef towards kl_target."})
    kl_target: float = field(default=6.0, metadata={"help": "Wanted divergence of a completion, in nats."})
    kl_horizon: int = field(default=10_000, metadata={"help": "Completions in which a wrong kl_coef is put right."})
    gamma: float = field(default=1.0, metadata={"help": "What a later reward counts."})
    lam: float = field(default=0.95, metadata={"help": "Lambda of generalised advantage estimation."})
    cliprange: float = field(default=0.2, metadata={"help": "Clipping of ratios of probabilities."})
    cliprange_value: float = field(default=0.2, metadata={"help": "Clipping of values."})
    vf_coef: float = field(default=0.1, metadata={"help": "What the loss of the value model counts."})
    whiten_rewards: bool = field(default=True, metadata={"help": "Divide rewards of tokens by their deviation."})
    scale_scores: bool = field(default=True, metadata={"help": "Divide scores by the deviation of all so far."})
    norm_scores: bool = field(default=False, metadata={"help": "Subtract the mean of all scores so far, too."})
    score_clip: float | None = field(default=None, metadata={"help": "Bring scores into plus and minus this."})
    missing_eos_penalty: float | None = field(
        default=None, metadata={"help": "Subtracted from the score of a completion that does not end."}
    )
    reward_weights: list[float] | None = field(default=None, metadata={"help": "Weights of reward functions."})
    neftune_noise_alpha: float | None = field(default=0.1, metadata={"help": "NEFTune's noise; 0 or none for none."})
    lora_dropout: float = field(default=0.0, metadata={"help": "Dropout of the adapter's input."})
    disable_dropout: bool = field(default=True, metadata={"help": "No dropout in policy, adapter and value model."})
    remove_unused_columns: bool = field(default=False, metadata={"help": "Rewards may need any column."})
    logging_steps: float = field(default=16, metadata={"help": "Steps between two logs; by default a rollout's."})
    model_init_kwargs: dict[str, Any] | str | None = field(
        default=None, metadata={"help": "Arguments of from_pretrained, where the model is a name."}
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        self.neftune_noise_alpha = self.neftune_noise_alpha or None
        self.kl_control()
        for name in ("num_mini_batches", "num_ppo_epochs", "max_completion_length"):
            if getattr(self, name) < 1:
                raise ValueError(f"Expected {name} of at least 1, got {getattr(self, name)}.")
        for name in ("temperature", "cliprange", "cliprange_value"):
            if not getattr(self, name) > 0:
                raise ValueError(f"Expected {name} above 0, got {getattr(self, name)}; sampling is never greedy here.")
        for name in ("gamma", "lam"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"Expected {name} from 0 to 1, got {getattr(self, name)}.")
        if self.kl_penalty not in PENALTIES:
            raise ValueError(f"Expected kl_penalty among {', '.join(PENALTIES)}, got {self.kl_penalty!r}.")

    @property
    def rollout_size(self) -> int:
        """Motions of a rollout on each device."""
        return self.per_device_train_batch_size * self.gradient_accumulation_steps * self.num_mini_batches

    @property
    def steps_per_rollout(self) -> int:
        """Optimiser steps that are made of a rollout."""
        return self.num_ppo_epochs * self.num_mini_batches

    def kl_control(self) -> FixedKL:
        """The coefficient, fixed or adaptive.

        Returns:
            [`FixedKL`]: or an [`AdaptiveKL`].

        Raises:
            ValueError: if a number is out of range.
        """
        if self.adaptive_kl:
            return AdaptiveKL(self.kl_coef, self.kl_target, self.kl_horizon)
        return FixedKL(self.kl_coef)
