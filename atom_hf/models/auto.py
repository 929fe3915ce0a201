"""Makes transformers' Auto classes know the models of this package.

import atom_hf.models
AutoModelForCausalLM.from_pretrained("a/checkpoint")    →  MotionGPTForPreference

Trainers load their reference model this way, from the folder that the policy came from. The processor is not
registered with AutoProcessor, which therefore gives the tokenizer: TRL takes whatever has a processor for a
vision-language model.
"""

from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    AutoModelForSequenceClassification,
)

from .evaluator import TextMotionEvaluator
from .evaluator_config import TextMotionEvaluatorConfig
from .motiongpt import MotionGPTForPreference
from .motiongpt_config import MotionGPTConfig
from .reward_model import MotionGPTForReward
from .vqvae import MotionVQVAE
from .vqvae_config import MotionVQVAEConfig


def register() -> None:
    """Tell the Auto classes of transformers which class reads which `model_type`; twice does no harm."""
    AutoConfig.register(MotionGPTConfig.model_type, MotionGPTConfig, exist_ok=True)
    AutoConfig.register(MotionVQVAEConfig.model_type, MotionVQVAEConfig, exist_ok=True)
    AutoModel.register(MotionVQVAEConfig, MotionVQVAE, exist_ok=True)
    for auto in (AutoModel, AutoModelForCausalLM, AutoModelForSeq2SeqLM):
        auto.register(MotionGPTConfig, MotionGPTForPreference, exist_ok=True)
    AutoConfig.register(TextMotionEvaluatorConfig.model_type, TextMotionEvaluatorConfig, exist_ok=True)
    AutoModel.register(TextMotionEvaluatorConfig, TextMotionEvaluator, exist_ok=True)
    AutoModelForSequenceClassification.register(MotionGPTConfig, MotionGPTForReward, exist_ok=True)
