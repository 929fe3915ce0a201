"""A value model for PPO: how much reward is to be expected after each token of a completion.

value = MotionGPTForValue.from_reward(reward)
values = value(input_ids, attention_mask).logits[..., 0]      # [B, L], 0 in the prompt
"""

from typing import Any

import torch
from torch import Tensor, nn
from transformers import initialization as init
from transformers.modeling_outputs import TokenClassifierOutput

from .motiongpt import MotionGPTForPreference
from .motiongpt_config import MotionGPTConfig
from .prefix_lm import prompt_end
from .reward_model import MotionGPTForReward


class MotionGPTForValue(MotionGPTForPreference):
    """Encoder and decoder of its own, and a linear head in place of the output layer (InstructMotion's value network).

    Args:
        config ([`MotionGPTConfig`]): sizes; the VQ-VAE is not carried.
    """

    def __init__(self, config: MotionGPTConfig) -> None:
        super().__init__(MotionGPTConfig.from_dict({**config.to_dict(), "vqvae_config": None, "motion_only": False}))
        self.v_head = nn.Linear(config.d_model, 1)
        self.post_init()

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if module is getattr(self, "v_head", None):
            init.normal_(module.weight, mean=0.0, std=0.2)
            init.zeros_(module.bias)

    @classmethod
    def from_reward(cls, reward: MotionGPTForReward) -> "MotionGPTForValue":
        """A value model that begins as a reward model, with a new head: weights N(0, 0.2), bias 0.

        Args:
            reward ([`MotionGPTForReward`]): whose encoder and decoder are copied.

        Returns:
            [`MotionGPTForValue`]: on the same device.
        """
        model = cls(reward.config).to(reward.device)
        missing, unexpected = model.load_state_dict(reward.transformer.state_dict(), strict=False)
        assert not unexpected and all(name.startswith(("lm_head.", "v_head.")) for name in missing)
        model._processor, model._hub_options = reward._processor, reward._hub_options
        return model

    def forward(  # type: ignore[override]
        self, input_ids: Tensor | None = None, attention_mask: Tensor | None = None, **_: Any
    ) -> TokenClassifierOutput:
        """Values of the states in which tokens were chosen.

        Args:
            input_ids (`Tensor`): `[B, L]`, `prompt </s> completion </s>`, padding on either side.
            attention_mask (`Tensor`, *optional*): `[B, L]`, 0 at padding.

        Returns:
            `TokenClassifierOutput`: logits `[B, L, 1]`; that of column t is the value before the token of
                column t + 1 is written, and 0 in the prompt.

        Raises:
            ValueError: if there are no ids.
        """
        if input_ids is None:
            raise ValueError("Expected input_ids [B, L], got none.")
        hidden = self.causal_hidden_states(input_ids, attention_mask)
        if self.config.scale_decoder_outputs:
            hidden = hidden * self.model_dim**0.5  # it was scaled for the output layer
        mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        boundary = prompt_end(input_ids, mask.bool(), self._eos)
        written = torch.arange(input_ids.shape[1], device=input_ids.device) >= boundary[:, None]
        return TokenClassifierOutput(logits=self.v_head(hidden) * written[..., None])
