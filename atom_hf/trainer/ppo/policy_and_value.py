"""Policy and value model as one module, which is what PPO's trainer trains, saves and synchronises.

pair = PolicyAndValue(policy, value)
logps, entropy, values = pair(input_ids, attention_mask, completion_mask)    # [B, C] each
"""

from pathlib import Path
from typing import Any, NamedTuple

import torch
from peft import PeftModel, set_peft_model_state_dict
from peft.utils import load_peft_weights
from torch import Tensor, nn

from ...models import MotionGPTForPreference, MotionGPTForValue
from ..policy import base_of

VALUE_FOLDER = "value_model"
_TOGETHER = (
    4096  # tokens that are scored at once where no gradient is wanted: 0.5 GiB with 32,615 tokens to choose from
)


class Scored(NamedTuple):
    """What policy and value model say of completions; 0 where nothing was written.

    Args:
        logps (`Tensor`): `[B, C]`, log-probability of each token, nats.
        entropy (`Tensor`): `[B, C]`, of the choice that each token was, nats; without a gradient.
        values (`Tensor`): `[B, C]`, reward that was to be expected before each token.
    """

    logps: Tensor
    entropy: Tensor
    values: Tensor


class PolicyAndValue(nn.Module):
    """Two models of their own, without shared weights.

    Args:
        policy ([`MotionGPTForPreference`] or `PeftModel` of one): writes motions.
        value ([`MotionGPTForValue`]): expects rewards.
        temperature (`float`, *optional*, defaults to 1.0): at which motions are drawn, and therefore scored.
    """

    def __init__(self, policy: Any, value: MotionGPTForValue, temperature: float = 1.0) -> None:
        super().__init__()
        self.policy = policy
        self.value = value
        self.temperature = temperature
        if value.lm_head.weight is not value.shared.weight:
            value.lm_head.requires_grad_(False)  # carried by its class, used by nobody

    @property
    def encoder(self) -> nn.Module:
        """The policy's encoder, where NEFTune's noise belongs."""
        encoder: nn.Module = base_of(self.policy).encoder
        return encoder

    def forward(self, input_ids: Tensor, attention_mask: Tensor, completion_mask: Tensor) -> Scored:
        """Score completions.

        Args:
            input_ids (`Tensor`): `[B, P + C]`, prompts padded on the left, then completions.
            attention_mask (`Tensor`): `[B, P + C]`.
            completion_mask (`Tensor`): `[B, C]`, 0 behind the end.

        Returns:
            [`Scored`]: `[B, C]` each.
        """
        columns = completion_mask.shape[1]
        logps, entropy = token_logps(self.policy, input_ids, attention_mask, completion_mask, self.temperature)
        values = self.value(input_ids, attention_mask).logits[:, -columns - 1 : -1, 0].float()
        return Scored(logps, entropy, values * completion_mask)

    def disable_dropout(self) -> None:
        """No dropout in either model, nor in an adapter: what was drawn and what is learnt from have to agree."""
        for module in self.modules():
            if isinstance(module, nn.Dropout):
                module.p = 0.0

    def activation_checkpointing_enable(self, *args: Any, **kwargs: Any) -> None:
        """As in transformers, of both models."""
        for model in (base_of(self.policy), self.value):
            enable = getattr(model, "activation_checkpointing_enable", None) or model.gradient_checkpointing_enable
            enable(*args, **kwargs)
        if isinstance(self.policy, PeftModel):
            base_of(self.policy).enable_input_require_grads()

    gradient_checkpointing_enable = activation_checkpointing_enable  # its name before transformers 5.20

    def save_pretrained(self, folder: str | Path) -> None:
        """The policy as an ordinary checkpoint (or its adapter), and the value model in a folder below.

        Args:
            folder (`str` or `Path`): where to.
        """
        self.policy.save_pretrained(folder)
        self.value.save_pretrained(Path(folder) / VALUE_FOLDER)

    @torch.no_grad()
    def load_weights(self, folder: str | Path) -> None:
        """Go on from what `save_pretrained` wrote.

        Args:
            folder (`str` or `Path`): where from.

        Raises:
            OSError: if one of the two is not there.
        """
        value_folder = Path(folder) / VALUE_FOLDER
        if not value_folder.is_dir():
            raise FileNotFoundError(
                f"{folder} has no {VALUE_FOLDER}/, so PPO cannot go on from it; begin anew with it as model."
            )
        if isinstance(self.policy, PeftModel):
            set_peft_model_state_dict(self.policy, load_peft_weights(str(folder), device="cpu"))
        else:
            saved = MotionGPTForPreference.from_pretrained(folder, dtype=self.policy.dtype)
            self.policy.load_state_dict(saved.state_dict())
        saved = MotionGPTForValue.from_pretrained(value_folder, dtype=self.value.dtype)
        self.value.load_state_dict(saved.state_dict())


def token_logps(
    policy: Any, input_ids: Tensor, attention_mask: Tensor, completion_mask: Tensor, temperature: float = 1.0
) -> tuple[Tensor, Tensor]:
    """Log-probabilities of what was written, and the entropy of each choice.

    Only columns in which something was written meet the output layer, and without gradients a few at a time.

    Args:
        policy ([`MotionGPTForPreference`] or `PeftModel` of one): who is asked.
        input_ids (`Tensor`): `[B, P + C]`, prompts, then completions.
        attention_mask (`Tensor`): `[B, P + C]`.
        completion_mask (`Tensor`): `[B, C]`, 0 behind the end.
        temperature (`float`, *optional*, defaults to 1.0): divides logits.

    Returns:
        `tuple[Tensor, Tensor]`: `[B, C]` each, nats; the entropy has no gradient.
    """
    base, columns = base_of(policy), completion_mask.shape[1]
    written = completion_mask.bool()
    hidden = base.causal_hidden_states(input_ids, attention_mask)[:, -columns - 1 : -1][written]
    tokens = input_ids[:, -columns:][written]
    chunk = max(1, len(tokens)) if torch.is_grad_enabled() else _TOGETHER
    found, spread = [], []
    for states, ids in zip(hidden.split(chunk), tokens.split(chunk), strict=True):
        logits = base.lm_head(states).float() / temperature
        log_z = logits.logsumexp(-1)
        found.append(logits.gather(-1, ids[:, None])[:, 0] - log_z)
        with torch.no_grad():
            spread.append(log_z - ((logits - log_z[:, None]).exp() * logits).sum(-1))
    blank = hidden.new_zeros(completion_mask.shape, dtype=torch.float32)
    return blank.masked_scatter(written, torch.cat(found)), blank.masked_scatter(written, torch.cat(spread))
