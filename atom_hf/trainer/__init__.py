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

__all__ = ["MotionDPOConfig", "MotionDPOTrainer"]
