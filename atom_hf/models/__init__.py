"""The motion tokenizer and the motion language model."""

from .vqvae import MotionVQVAE, MotionVQVAEOutput
from .vqvae_config import MotionVQVAEConfig

__all__ = ["MotionVQVAE", "MotionVQVAEConfig", "MotionVQVAEOutput"]
