"""Settings of group relative policy optimisation on motions.

MotionGRPOConfig("outputs/grpo", max_steps=500, reward_weights=[1.0, 0.5])
"""

from dataclasses import dataclass, field

from trl import GRPOConfig

from .online_defaults import OnlineDefaults


@dataclass
class MotionGRPOConfig(OnlineDefaults, GRPOConfig):
    """GRPO on motions; every argument of `trl.GRPOConfig` and `TrainingArguments` is there as well.

    "Exploring Text-to-Motion Generation with Human Preference" trains online with PPO, a KL coefficient of 0.05 and a
    learning rate of 1e-5 for all weights, without dropout. KL and dropout are taken over, and the adapter, which wants
    about ten times the rate of all weights, gets 1e-4. What is sampled is what is scored: temperature 1, no top-k, no
    dropout.

    Sizes, rates and lengths are those of [`OnlineDefaults`].

    Args:
        beta (`float`, *optional*, defaults to 0.05): weight of the KL divergence a token from the reference, in nats;
            0 for none.
    """

    beta: float = field(default=0.05, metadata={"help": "Weight of the KL divergence from the reference."})
