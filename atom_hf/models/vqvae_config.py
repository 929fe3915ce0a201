"""Sizes of the motion VQ-VAE; the defaults are MotionGPT's."""

from typing import Any

from transformers import PretrainedConfig


class MotionVQVAEConfig(PretrainedConfig):
    """Configuration of a [`MotionVQVAE`].

    Args:
        feature_dim (`int`, *optional*, defaults to 263): width of one frame of HumanML3D features.
        num_codes (`int`, *optional*, defaults to 512): entries of the codebook.
        code_dim (`int`, *optional*, defaults to 512): width of one entry.
        width (`int`, *optional*, defaults to 512): channels of the convolutions.
        down_t (`int`, *optional*, defaults to 2): times the frame rate is halved; one code stands for `2 ** down_t`
            frames.
        depth (`int`, *optional*, defaults to 3): residual blocks a stage.
        dilation_growth_rate (`int`, *optional*, defaults to 3): dilation of block `i` is this to the power of `i`.
        codebook_decay (`float`, *optional*, defaults to 0.99): decay of the codebook's moving averages, unitless.
        codebook_reset (`float`, *optional*, defaults to 1.0): an entry that fewer latents than this choose in an
            average update is set to a latent of the batch.
        position_weight (`float`, *optional*, defaults to 0.5): weight of the loss on the joints' positions alone.
        commitment_weight (`float`, *optional*, defaults to 0.02): weight of the commitment loss.

    Raises:
        ValueError: if a size is not above zero, or the decay is outside of 0 to 1.
    """

    model_type = "motion_vqvae"

    feature_dim: int = 263
    num_codes: int = 512
    code_dim: int = 512
    width: int = 512
    down_t: int = 2
    depth: int = 3
    dilation_growth_rate: int = 3
    codebook_decay: float = 0.99
    codebook_reset: float = 1.0
    position_weight: float = 0.5
    commitment_weight: float = 0.02

    def __post_init__(self, **kwargs: object) -> None:
        for name in ("feature_dim", "num_codes", "code_dim", "width", "down_t", "depth", "dilation_growth_rate"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} of a motion VQ-VAE is at least 1, got {getattr(self, name)}.")
        if not 0 <= self.codebook_decay < 1:
            raise ValueError(f"codebook_decay is from 0 to below 1, got {self.codebook_decay}.")
        super().__post_init__(**kwargs)

    @property
    def frames_per_code(self) -> int:
        """Frames that one code stands for."""
        return int(2**self.down_t)

    def to_dict(self) -> dict[str, Any]:
        """The configuration as a dict, without the folder that it was read from: that stays on its machine.

        Returns:
            `dict[str, Any]`: for `from_dict`, or as `vqvae_config` of a [`MotionGPTConfig`].
        """
        return {name: value for name, value in super().to_dict().items() if name != "_name_or_path"}
