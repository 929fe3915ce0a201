"""Motion VQ-VAE: features [B, T, 263] ↔ codes [B, T//4], the motion tokenizer of MotionGPT.

codes = vqvae.encode(vqvae.normalize(features))            # [B, T//4], -1 behind the end of shorter clips
features = vqvae.denormalize(vqvae.decode(codes))          # [B, T, 263]

Encoder, decoder and losses are those of T2M-GPT (arXiv 2301.06052) as MotionGPT uses them, with the same weight names.
Clips of different lengths share a batch: whatever lies behind a clip's end is zero before every convolution, just as
the padding of a clip alone is.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers import initialization as init
from transformers.utils import ModelOutput

from ..motion.layout import POSITIONS
from .codebook import Codebook
from .damaged_weights import explain_damaged_weights
from .feature_stats import WithFeatureStats
from .hub import WithCard
from .vqvae_config import MotionVQVAEConfig
from .vqvae_networks import Decoder, Encoder, inside

PADDING = -1  # stands behind the last code of a shorter clip


@dataclass
class MotionVQVAEOutput(ModelOutput):
    """What a training pass gives.

    Args:
        loss (`Tensor`): weighted sum of the three below, `[]`, unitless.
        reconstruction (`Tensor`): `[B, T, 263]`, normalised.
        codes (`Tensor`): `[B, T//4]`, -1 behind the end of shorter clips.
        feature_loss (`Tensor`): SmoothL1 of all features, `[]`.
        position_loss (`Tensor`): SmoothL1 of the joints' positions, `[]`.
        commitment_loss (`Tensor`): mean squared distance of latents from their codes, `[]`.
    """

    loss: Tensor | None = None
    reconstruction: Tensor | None = None
    codes: Tensor | None = None
    feature_loss: Tensor | None = None
    position_loss: Tensor | None = None
    commitment_loss: Tensor | None = None


class MotionVQVAE(WithFeatureStats, WithCard, PreTrainedModel):
    """Motion tokenizer: encoder, codebook and decoder.

    It computes in float32 whatever precision is asked for, since half precision moves latents across the borders
    between codes. Its mean and standard deviation are saved with it, identity until `set_stats`.

    Args:
        config ([`MotionVQVAEConfig`]): sizes.
    """

    config_class = MotionVQVAEConfig
    config: MotionVQVAEConfig
    base_model_prefix = "vqvae"
    main_input_name = "features"
    mean: Tensor
    std: Tensor

    def __init__(self, config: MotionVQVAEConfig) -> None:
        super().__init__(config)
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)
        self.quantizer = Codebook(config.num_codes, config.code_dim, config.codebook_decay, config.codebook_reset)
        self.register_buffer("mean", torch.zeros(config.feature_dim))
        self.register_buffer("std", torch.ones(config.feature_dim))
        self.post_init()
        self.float()  # also where a loader asks for another dtype, by way of torch's default

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: Any, *args: Any, **kwargs: Any) -> "MotionVQVAE":
        """As in transformers; in float32 whatever `dtype` says.

        Args:
            pretrained_model_name_or_path (`str` or `Path`): a folder or a Hub repository.

        Returns:
            [`MotionVQVAE`]: in evaluation mode.

        Raises:
            CheckpointError: if the weights are damaged.
        """
        kwargs.setdefault("use_safetensors", True)
        with explain_damaged_weights(pretrained_model_name_or_path):
            return super().from_pretrained(pretrained_model_name_or_path, *args, **kwargs)

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Conv1d):  # torch's own start; transformers' narrow normal one learns nothing here
            init.kaiming_uniform_(module.weight, a=math.sqrt(5))
            bound = 1 / math.sqrt(module.weight[0].numel())
            assert module.bias is not None
            init.uniform_(module.bias, -bound, bound)
        elif isinstance(module, Codebook):
            init.zeros_(module.codebook)
            init.zeros_(module.code_sum)
            init.ones_(module.code_count)
            init.zeros_(module.initialized)
        elif isinstance(module, MotionVQVAE):
            init.zeros_(module.mean)
            init.ones_(module.std)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> "MotionVQVAE":
        """Moves between devices, but keeps float32 where `half()`, `bfloat16()` or `to(dtype)` ask for less."""

        def keep_float32(tensor: Tensor) -> Tensor:
            moved = fn(tensor)
            if tensor.is_floating_point() and moved.dtype != tensor.dtype:
                return tensor.float().to(moved.device)
            return moved

        return super()._apply(keep_float32, recurse)

    def denormalize(self, features: Tensor) -> Tensor:
        """Undo `normalize`.

        Args:
            features (`Tensor`): `[..., 263]`, unitless.

        Returns:
            `Tensor`: `[..., 263]`, metres and radians.
        """
        return features * self.std + self.mean

    def encode(self, features: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Features to codes.

        Args:
            features (`Tensor`): normalised, `[B, T, 263]` or `[T, 263]`, at 20 fps.
            lengths (`Tensor`, *optional*): `[B]`, frames of each clip, where they differ.

        Returns:
            `Tensor`: `[B, T//4]` or `[T//4]`, int64; -1 behind the end of shorter clips.

        Raises:
            ValueError: if the shape is another one or a clip has fewer than 4 frames.
        """
        if features.ndim == 2:
            return self.encode(features[None], lengths)[0]
        lengths = self._check(features, lengths)
        codes = self.quantizer.codes(self._latents(features, lengths))
        if lengths is None:
            return codes
        return codes.masked_fill(~inside(lengths // self.config.frames_per_code, codes.shape[1]), PADDING)

    def decode(self, codes: Tensor) -> Tensor:
        """Codes to features.

        Args:
            codes (`Tensor`): `[B, n]` or `[n]`, integers from 0 to `num_codes - 1`; -1 behind the end of shorter
                clips.

        Returns:
            `Tensor`: normalised, `[B, 4 * n, 263]` or `[4 * n, 263]`; zeros behind the end of shorter clips.

        Raises:
            ValueError: if a code is outside of the codebook, a row is empty, or padding stands before a code.
        """
        if codes.ndim == 1:
            return self.decode(codes[None])[0]
        if codes.ndim != 2 or codes.is_floating_point() or not codes.numel():
            raise ValueError(f"Expected integer codes [B, n], n >= 1, got {codes.dtype} of shape {list(codes.shape)}.")
        padded = codes == PADDING
        if bool((padded[:, :-1] & ~padded[:, 1:]).any()) or bool(padded[:, 0].any()):
            raise ValueError(f"Padding ({PADDING}) stands behind the codes of a clip, never before or between them.")
        outside = codes[(codes >= self.config.num_codes) | (codes < PADDING)]
        if outside.numel():
            raise ValueError(
                f"Expected codes from 0 to {self.config.num_codes - 1}, got {outside[:5].tolist()}. "
                "Codes of a checkpoint belong to its own codebook."
            )
        counts = (~padded).sum(1) if bool(padded.any()) else None
        features = self._features(self.quantizer(codes.clamp_min(0)), counts)
        if counts is None:
            return features
        return features.masked_fill(~inside(counts * self.config.frames_per_code, features.shape[1])[..., None], 0)

    def forward(self, features: Tensor, lengths: Tensor | None = None, **_: Any) -> MotionVQVAEOutput:
        """Reconstruct features, with the losses.

        In training mode the codebook takes note of the batch (and its entries from the very first one); only
        `update_codebook` changes it.

        Args:
            features (`Tensor`): normalised, `[B, T, 263]`.
            lengths (`Tensor`, *optional*): `[B]`, frames of each clip, where they differ.

        Returns:
            [`MotionVQVAEOutput`]: losses, reconstruction `[B, T//4 * 4, 263]`, codes `[B, T//4]`.

        Raises:
            ValueError: if the shape is another one or a clip has fewer than 4 frames.
        """
        lengths = self._check(features, lengths)
        latents = self._latents(features, lengths)
        size = self.config.frames_per_code
        counts = None if lengths is None else lengths // size
        valid = (
            latents.new_ones(latents.shape[:2], dtype=torch.bool)
            if counts is None
            else inside(counts, latents.shape[1])
        )
        flat = latents[valid]
        learning = self.training and torch.is_grad_enabled()
        if learning:
            self.quantizer.initialize(flat)
        codes = self.quantizer.codes(latents)
        if learning:
            self.quantizer.observe(flat, codes[valid])
        quantized = self.quantizer(codes)
        commitment = nn.functional.mse_loss(flat, quantized[valid])
        straight = latents + (quantized - latents).detach()  # gradients pass the quantizer unchanged
        reconstruction = self._features(straight, counts)
        # Frames are chosen before they are compared: NaN behind a clip's end would pass through a zero gradient.
        frames = valid.repeat_interleave(size, 1)
        target = features[:, : reconstruction.shape[1]][frames].float()
        error = nn.functional.smooth_l1_loss(reconstruction[frames], target, reduction="none")
        everything, positions = error.mean(), error[:, POSITIONS].mean()
        loss = everything + self.config.position_weight * positions + self.config.commitment_weight * commitment
        return MotionVQVAEOutput(
            loss=loss,
            reconstruction=reconstruction,
            codes=codes.masked_fill(~valid, PADDING),
            feature_loss=everything.detach(),
            position_loss=positions.detach(),
            commitment_loss=commitment.detach(),
        )

    def update_codebook(self) -> Tensor:
        """Move the codebook towards the batches seen since the last call; to be called after each optimiser step.

        Returns:
            `Tensor`: perplexity of the codes in those batches, `[]`, unitless, from 1 to `num_codes`.

        Raises:
            RuntimeError: if there was no training pass since the last call.
        """
        return self.quantizer.update()

    def _latents(self, features: Tensor, lengths: Tensor | None) -> Tensor:
        with torch.autocast(features.device.type, enabled=False):
            return self.encoder(features.float().transpose(1, 2), lengths).transpose(1, 2)

    def _features(self, latents: Tensor, counts: Tensor | None) -> Tensor:
        with torch.autocast(latents.device.type, enabled=False):
            return self.decoder(latents.transpose(1, 2), counts).transpose(1, 2)

    def _check(self, features: Tensor, lengths: Tensor | None) -> Tensor | None:
        """Lengths as a tensor, or None where all clips fill the batch."""
        config = self.config
        if features.ndim != 3 or features.shape[-1] != config.feature_dim or not len(features):
            raise ValueError(
                f"Expected features [B, T, {config.feature_dim}], B >= 1, got shape {list(features.shape)}."
            )
        shortest = features.shape[1]
        if lengths is not None:
            lengths = torch.as_tensor(lengths, device=features.device)
            if lengths.shape != features.shape[:1] or int(lengths.max()) > features.shape[1]:
                raise ValueError(
                    f"Expected {features.shape[0]} lengths of at most {features.shape[1]} frames, "
                    f"got {lengths.tolist()}."
                )
            shortest = int(lengths.min())
        if shortest < config.frames_per_code:
            raise ValueError(
                f"A clip needs at least {config.frames_per_code} frames, which make one code, got {shortest}."
            )
        return None if lengths is None or bool((lengths == features.shape[1]).all()) else lengths
