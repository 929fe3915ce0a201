"""The motion tokenizer and the motion language model."""

from .auto import register
from .motiongpt import MotionGPTForPreference
from .motiongpt_config import MotionGPTConfig
from .processing import MotionGPTProcessor
from .reward_model import MotionGPTForReward
from .tokenizer import add_motion_tokens, load_motion_tokenizer, train_tokenizer
from .value_model import MotionGPTForValue
from .vqvae import MotionVQVAE, MotionVQVAEOutput
from .vqvae_config import MotionVQVAEConfig

register()  # whoever imports a model can load it, and trainers its reference, through the Auto classes

__all__ = [
    "MotionGPTConfig",
    "MotionGPTForPreference",
    "MotionGPTForReward",
    "MotionGPTForValue",
    "MotionGPTProcessor",
    "MotionVQVAE",
    "MotionVQVAEConfig",
    "MotionVQVAEOutput",
    "add_motion_tokens",
    "load_motion_tokenizer",
    "train_tokenizer",
]
