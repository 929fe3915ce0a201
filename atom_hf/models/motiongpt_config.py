"""Configuration of MotionGPT: a T5 whose vocabulary ends in motion tokens, with the VQ-VAE that they come from."""

import copy
from typing import Any, ClassVar

from transformers import T5Config

from ..motion.codes import NUM_CODES
from .vqvae_config import MotionVQVAEConfig

SPECIAL_MOTION_TOKENS = 3  # start, end and mask stand behind the codes


class MotionGPTConfig(T5Config):
    """Configuration of a [`MotionGPTForPreference`]: everything of a `T5Config`, and what follows.

    Dropout is 0 by default, as preference training needs it; set `dropout_rate` for pretraining.

    Args:
        dropout_rate (`float`, *optional*, defaults to 0.0): share of activations dropped in training; T5 has 0.1.
        decoder_start_token_id (`int`, *optional*, defaults to 0): the padding token, as in T5.
        motion_token_start (`int`, *optional*): id of `<motion_id_0>`; by default the motion tokens are the last
            `num_codes + 3` of the vocabulary. Start, end and mask follow the codes.
        num_codes (`int`, *optional*, defaults to 512): motion codes, as many as the codebook has entries.
        vqvae_config ([`MotionVQVAEConfig`] or `dict`, *optional*): sizes of the motion tokenizer that the model
            carries; without it the model reads and writes motion tokens but cannot turn them into motion.
        motion_only (`bool`, *optional*, defaults to `False`): whether everything that the model writes is motion:
            logits of all other tokens but `</s>` are lowered by 10,000, in training, sampling and in a reference model
            that is loaded from the same folder.
        untied_lm_head (`bool`, *optional*, defaults to `False`): whether the output layer has weights of its own, as
            flan-T5 and MotionGPT have; read from `tie_word_embeddings: false` of such checkpoints.
        generate_returns_prompt (`bool`, *optional*, defaults to `True`): whether `generate` returns prompt and
            completion, as TRL's trainers expect, or what the decoder wrote alone, as T5 does.

    Raises:
        TypeError: if `vqvae_config` is neither a configuration nor a dict.
        ValueError: if the motion tokens do not fit into the vocabulary, or the codebook has another size.
    """

    model_type = "motiongpt"
    # TRL reads it without asking when it loads a reference model; None would break saving.
    auto_map: ClassVar[dict[str, str]] = {}

    dropout_rate: float | int = 0.0
    motion_token_start: int | None = None
    num_codes: int = NUM_CODES
    vqvae_config: Any = None
    motion_only: bool = False
    untied_lm_head: bool = False
    generate_returns_prompt: bool = True
    decoder_start_token_id: int | None = 0

    def __post_init__(self, **kwargs: Any) -> None:
        # T5Config forgets it after deciding on the scale of the decoder's output.
        if kwargs.get("tie_word_embeddings") is False:
            self.untied_lm_head = True
        super().__post_init__(**kwargs)
        if isinstance(self.vqvae_config, dict):
            self.vqvae_config = MotionVQVAEConfig(**self.vqvae_config)
        elif self.vqvae_config is not None and not isinstance(self.vqvae_config, MotionVQVAEConfig):
            raise TypeError(f"vqvae_config is a MotionVQVAEConfig or a dict, got {type(self.vqvae_config).__name__}.")
        if self.vqvae_config is not None and self.vqvae_config.num_codes != self.num_codes:
            raise ValueError(
                f"The model writes {self.num_codes} motion codes and the VQ-VAE has {self.vqvae_config.num_codes}; "
                "a language model works with the codebook that it was trained on."
            )
        if self.motion_token_start is None:
            self.motion_token_start = self.vocab_size - self.num_codes - SPECIAL_MOTION_TOKENS
        if not 0 <= self.motion_token_start <= self.vocab_size - self.num_codes - SPECIAL_MOTION_TOKENS:
            raise ValueError(
                f"{self.num_codes} + {SPECIAL_MOTION_TOKENS} motion tokens from id {self.motion_token_start} do not "
                f"fit into a vocabulary of {self.vocab_size}."
            )

    def get_text_config(self, decoder: Any = None, encoder: Any = None) -> Any:
        """As in transformers, which makes as many layers of cache as this says: the decoder's.

        Args:
            decoder (`bool`, *optional*): the decoder alone is asked about.
            encoder (`bool`, *optional*): the encoder alone is asked about.

        Returns:
            [`MotionGPTConfig`]: itself, or a copy whose `num_layers` is that of the decoder.
        """
        config = super().get_text_config(decoder=decoder, encoder=encoder)
        if not decoder or encoder or config.num_layers == config.num_decoder_layers:
            return config
        config = copy.copy(config)
        config.num_layers = config.num_decoder_layers
        return config

    @property
    def motion_start_id(self) -> int:
        """Id of the token that opens a motion, `<motion_id_512>` of MotionGPT."""
        assert self.motion_token_start is not None
        return self.motion_token_start + self.num_codes

    @property
    def motion_end_id(self) -> int:
        """Id of the token that closes a motion."""
        return self.motion_start_id + 1

    @property
    def motion_token_range(self) -> range:
        """Ids of all motion tokens: codes, start, end and mask."""
        assert self.motion_token_start is not None
        return range(self.motion_token_start, self.motion_token_start + self.num_codes + SPECIAL_MOTION_TOKENS)
