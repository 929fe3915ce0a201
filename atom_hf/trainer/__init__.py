"""Trainers of motion models: TRL's, with the settings, losses and checks that motion needs."""

try:
    import peft as peft
    import trl as trl
except ImportError as error:
    raise ImportError(
        f"The trainers need TRL and PEFT, and {error.name} is not installed: pip install 'atom_hf[train]'."
    ) from error

from .dpo_config import MotionDPOConfig
from .dpo_trainer import MotionDPOTrainer
from .grpo_config import MotionGRPOConfig
from .grpo_trainer import MotionGRPOTrainer
from .kto_config import MotionKTOConfig
from .kto_trainer import MotionKTOTrainer
from .monitoring import MotionMonitor
from .ppo_config import MotionPPOConfig
from .ppo_trainer import MotionPPOTrainer
from .reward_config import MotionRewardConfig
from .reward_trainer import MotionRewardTrainer
from .rloo_config import MotionRLOOConfig
from .rloo_trainer import MotionRLOOTrainer

__all__ = [
    "MotionDPOConfig",
    "MotionDPOTrainer",
    "MotionGRPOConfig",
    "MotionGRPOTrainer",
    "MotionKTOConfig",
    "MotionKTOTrainer",
    "MotionMonitor",
    "MotionPPOConfig",
    "MotionPPOTrainer",
    "MotionRLOOConfig",
    "MotionRLOOTrainer",
    "MotionRewardConfig",
    "MotionRewardTrainer",
]
