"""Settings of REINFORCE leave-one-out on motions.

MotionRLOOConfig("outputs/rloo", max_steps=500)
"""

from dataclasses import dataclass, field

from trl import RLOOConfig

from .grpo_config import LONGEST_COMPLETION, check_sampling
from .training_defaults import LoraDefaults


@dataclass
class MotionRLOOConfig(LoraDefaults, RLOOConfig):
    """RLOO on motions; every argument of `trl.RLOOConfig` and `TrainingArguments` is there as well.

    The baseline of a motion is the mean reward of the others for the same prompt (Ahmadian et al. 2024), so that no
    value network is needed. Settings are those of [`MotionGRPOConfig`] but for `beta`: here the KL divergence of a
    whole motion, about fifty times that of a token, is taken from its reward, which is from 0 to 1 for judges.

    Args:
        beta (`float`, *optional*, defaults to 0.01): weight of the KL divergence a motion from the reference, in
            nats; 0 for none. TRL and "Exploring Text-to-Motion Generation with Human Preference" have 0.05, the
            latter with rewards that are not limited to 1.
        learning_rate (`float`, *optional*, defaults to 1e-4): highest rate.
        num_generations (`int`, *optional*, defaults to 8): motions a prompt.
        per_device_train_batch_size (`int`, *optional*, defaults to 64): motions a step on each device, a multiple of
            `num_generations` over all.
        per_device_eval_batch_size (`int`, *optional*, defaults to 64): as above, in evaluations.
        max_completion_length (`int`, *optional*, defaults to 52): tokens: 49 codes of 4 frames at 20 fps, start, end
            and `</s>`. A motion that is not finished by then gets no reward.
        disable_dropout (`bool`, *optional*, defaults to `True`): also of the adapter.
    """

    beta: float = field(default=0.01, metadata={"help": "Weight of the KL divergence from the reference."})
    learning_rate: float = field(default=1e-4, metadata={"help": "Highest learning rate."})
    num_generations: int | None = field(default=8, metadata={"help": "Motions a prompt."})
    per_device_train_batch_size: int = field(default=64, metadata={"help": "Motions a step on each device."})
    per_device_eval_batch_size: int = field(default=64, metadata={"help": "Motions at once in evaluation."})
    max_completion_length: int | None = field(
        default=LONGEST_COMPLETION, metadata={"help": "Tokens of a motion: codes, start, end and </s>."}
    )
    disable_dropout: bool = field(default=True, metadata={"help": "No dropout, so that sampling and scores agree."})

    def __post_init__(self) -> None:
        super().__post_init__()
        check_sampling(self)
