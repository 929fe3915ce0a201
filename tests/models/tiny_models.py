"""Models small enough to be made in every test: a VQ-VAE of 16 codes, and a T5 of two layers that writes them."""

import torch

from atom_hf.models import MotionVQVAE, MotionVQVAEConfig
from atom_hf.models.motiongpt import MotionGPTForPreference
from atom_hf.models.motiongpt_config import MotionGPTConfig

PAD, EOS = 0, 1
TEXT = 40  # ids below this are text; then 16 codes, start (56), end (57) and mask (58)
START, END = 56, 57
_VQVAE = {"num_codes": 16, "code_dim": 8, "width": 16, "depth": 2}


def tiny_vqvae(seed: int = 0, **options) -> MotionVQVAE:
    """A motion VQ-VAE in evaluation mode, with entries about where its latents are."""
    torch.manual_seed(seed)
    model = MotionVQVAE(MotionVQVAEConfig(**{**_VQVAE, **options})).eval()
    _fill_codebook(model)
    return model


def tiny_config(**options) -> MotionGPTConfig:
    """A language model of 40 text tokens and 19 motion tokens, with a VQ-VAE."""
    sizes = {"vocab_size": TEXT + 19, "d_model": 32, "d_kv": 8, "num_heads": 4, "d_ff": 48, "num_layers": 2}
    return MotionGPTConfig(
        **{**sizes, "num_codes": 16, "feed_forward_proj": "gated-gelu", "vqvae_config": dict(_VQVAE), **options}
    )


def tiny_motiongpt(seed: int = 0, **options) -> MotionGPTForPreference:
    """A MotionGPT in evaluation mode, whose next token depends on everything before it."""
    torch.manual_seed(seed)
    model = MotionGPTForPreference(tiny_config(**options)).eval()
    torch.manual_seed(seed + 8)  # anew, as versions of transformers draw other numbers; with 8, greedy motions differ
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if not name.startswith("vqvae.") and weight.ndim == 2:
                weight.normal_(0, 0.5 if "relative" in name or "shared" in name else 1.3 / weight.shape[1] ** 0.5)
        if model.config.untied_lm_head:
            model.lm_head.weight.normal_(0, 0.5)
    if model.vqvae is not None:
        _fill_codebook(model.vqvae)
    return model


def _fill_codebook(model: MotionVQVAE) -> None:
    with torch.no_grad():
        latents = model.encoder(torch.randn(1, 263, 400), None)[0].t()
    wanted = model.config.num_codes
    model.quantizer.set(latents[:: len(latents) // wanted][:wanted])
