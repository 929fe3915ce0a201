"""A checkpoint that everything works with: a random MotionGPT of 16 codes, its VQ-VAE, tokenizer and processor.

tiny_checkpoint(folder)  →  folder, for `MotionGPTForPreference.from_pretrained`, `pipeline` and `atom-hf generate`
"""

from pathlib import Path

from atom_hf.models import MotionGPTForPreference, MotionGPTProcessor, train_tokenizer
from tests.models.tiny_models import tiny_motiongpt

CAPTIONS = ["a person walks forward slowly and waves", "the man jumps", "someone runs in a circle", "she sits down"]


def tiny_model() -> MotionGPTForPreference:
    """The model in memory."""
    tokenizer = train_tokenizer([f"Generate motion: {caption}" for caption in CAPTIONS] * 5, 400, num_codes=16)
    model = tiny_motiongpt(vocab_size=len(tokenizer))
    assert model.vqvae is not None
    model.processor = MotionGPTProcessor(tokenizer, stats=model.vqvae.stats)
    return model


def tiny_checkpoint(folder: Path) -> Path:
    """The model in a folder."""
    tiny_model().save_pretrained(folder)
    return folder
