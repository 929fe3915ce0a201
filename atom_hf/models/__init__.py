"""The motion tokenizer and the motion language model."""

try:
    import torch as torch
    import transformers as transformers
except ImportError as error:
    raise ImportError(
        f"The models need torch and transformers, and {error.name} is not installed: pip install 'atom_hf[train]'."
    ) from error

from .auto import register
from .evaluator import TextMotionEvaluator, TextMotionEvaluatorOutput
from .evaluator_config import TextMotionEvaluatorConfig
from .evaluator_text import learn_words
from .motiongpt import MotionGPTForPreference
from .motiongpt_config import MotionGPTConfig
from .original_evaluator import evaluator_from_original
from .pipeline import TextToMotionPipeline, register_pipeline
from .processing import MotionGPTProcessor
from .reward_model import MotionGPTForReward
from .tokenizer import add_motion_tokens, load_motion_tokenizer, train_tokenizer
from .value_model import MotionGPTForValue
from .vqvae import MotionVQVAE, MotionVQVAEOutput
from .vqvae_config import MotionVQVAEConfig

register()
register_pipeline()  # whoever imports a model can load it, and trainers its reference, through the Auto classes

__all__ = [
    "MotionGPTConfig",
    "MotionGPTForPreference",
    "MotionGPTForReward",
    "MotionGPTForValue",
    "MotionGPTProcessor",
    "MotionVQVAE",
    "MotionVQVAEConfig",
    "MotionVQVAEOutput",
    "TextMotionEvaluator",
    "TextMotionEvaluatorConfig",
    "TextMotionEvaluatorOutput",
    "TextToMotionPipeline",
    "add_motion_tokens",
    "evaluator_from_original",
    "learn_words",
    "load_motion_tokenizer",
    "train_tokenizer",
]
