"""Settings of REINFORCE leave-one-out on motions.

MotionRLOOConfig("outputs/rloo", max_steps=500)
"""

from dataclasses import dataclass, field

from trl import RLOOConfig

from .online_defaults import OnlineDefaults


@dataclass
class MotionRLOOConfig(OnlineDefaults, RLOOConfig):
    """RLOO on motions; every argument of `trl.RLOOConfig` and `TrainingArguments` is there as well.

    The baseline of a motion is the mean reward of the others for the same prompt (Ahmadian et al. 2024), so that no
    value network is needed. Settings are those of [`MotionGRPOConfig`] but for `beta`: here the KL divergence of a
    whole motion, about fifty times that of a token, is taken from its reward, which is from 0 to 1 for judges.

    Sizes, rates and lengths are those of [`OnlineDefaults`].

    Args:
        beta (`float`, *optional*, defaults to 0.01): weight of the KL divergence a motion from the reference, in
            nats; 0 for none. TRL and "Exploring Text-to-Motion Generation with Human Preference" have 0.05, the
            latter with rewards that are not limited to 1.
    """

    beta: float = field(default=0.01, metadata={"help": "Weight of the KL divergence from the reference."})
