"""Fields that the configs of trainers share which sample a group of motions for each prompt: GRPO and RLOO."""

import logging
from dataclasses import dataclass, field
from typing import Any

from .training_defaults import LoraDefaults

LONGEST_COMPLETION = 52  # start, 49 codes for 196 frames, end and </s>

_log = logging.getLogger(__name__)


@dataclass
class OnlineDefaults(LoraDefaults):
    """Mixed in before TRL's config; what is sampled is what is scored.

    Args:
        learning_rate (`float`, *optional*, defaults to 1e-4): highest rate.
        num_generations (`int`, *optional*, defaults to 8): motions a prompt, which are compared with each other.
        per_device_train_batch_size (`int`, *optional*, defaults to 64): motions a step on each device, a multiple of
            `num_generations` over all.
        per_device_eval_batch_size (`int`, *optional*, defaults to 64): as above, in evaluations.
        max_completion_length (`int`, *optional*, defaults to 52): tokens: 49 codes of 4 frames at 20 fps, start, end
            and `</s>`. A motion that is not finished by then gets no reward.
        disable_dropout (`bool`, *optional*, defaults to `True`): also of the adapter.
    """

    learning_rate: float = field(default=1e-4, metadata={"help": "Highest learning rate."})
    num_generations: int | None = field(default=8, metadata={"help": "Motions a prompt."})
    per_device_train_batch_size: int = field(default=64, metadata={"help": "Motions a step on each device."})
    per_device_eval_batch_size: int = field(default=64, metadata={"help": "Motions at once in evaluation."})
    max_completion_length: int | None = field(
        default=LONGEST_COMPLETION, metadata={"help": "Tokens of a motion: codes, start, end and </s>."}
    )
    disable_dropout: bool = field(default=True, metadata={"help": "No dropout, so that sampling and scores agree."})

    def __post_init__(self) -> None:
        if self.num_generations is None or self.num_generations < 2:  # TRL would divide by it first
            raise ValueError(
                f"Expected num_generations of at least 2, got {self.num_generations}: motions for a prompt are "
                "compared with each other."
            )
        super().__post_init__()
        check_sampling(self)


def check_sampling(args: Any) -> None:
    """Raise where no motion can be sampled; warn where what is sampled is not what is scored.

    Args:
        args ([`MotionGRPOConfig`] or [`MotionRLOOConfig`]): settings.

    Raises:
        ValueError: if completions are too short for a motion, beta is below 0, or the temperature is not above 0.
    """
    if args.max_completion_length is None or args.max_completion_length < 4:
        raise ValueError(
            "Expected max_completion_length of at least 4, for start, a code, end and </s>, got "
            f"{args.max_completion_length}."
        )
    if not args.beta >= 0:
        raise ValueError(f"Expected beta of 0 or above, got {args.beta}.")
    if not args.temperature > 0:
        raise ValueError(
            f"Expected a temperature above 0, since rewards of equal motions say nothing, got {args.temperature}."
        )
    cut = {"top_k": 0, "top_p": 1.0, "min_p": None, "repetition_penalty": 1.0}
    changed = [f"{name}={value}" for name, none in cut.items() if (value := getattr(args, name)) not in (none, None)]
    if changed:
        _log.warning(
            "Motions are sampled with %s, but scored without: the policy learns from samples of another distribution.",
            ", ".join(changed),
        )
