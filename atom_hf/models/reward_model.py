"""A reward model for preferences: one number for `prompt + separator + motion`.

reward = MotionGPTForReward.from_policy(model)
rewards = reward.score(["a person jumps"], [codes])        # [1], the higher the better

The form is InstructMotion's ("Exploring Text-to-Motion Generation with Human Preference"): T5 reads the row twice, as
encoder input and, shifted, as decoder input, and a head of two layers reads the state at the row's last `</s>`.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from transformers import T5ForSequenceClassification
from transformers import initialization as init
from transformers.modeling_outputs import SequenceClassifierOutput

from ..motion import codes_to_text
from .carries_processor import CarriesProcessor
from .motion_coding import batches
from .motiongpt import MotionGPTForPreference, follow_dropout, fuse_activations
from .motiongpt_config import MotionGPTConfig

SEPARATOR = " \n "


class MotionGPTForReward(CarriesProcessor, T5ForSequenceClassification):
    """Scalar reward of a prompt with its motion; TRL's `RewardTrainer` trains it as it is.

    Give the trainer rows of plain strings, `chosen` and `rejected`, each `prompt + " \\n " + motion` as `row_ids` has
    it. It takes conversational rows too, but `score` reads the plain form.

    Overrides of `T5ForSequenceClassification`: `forward`, which pools at the last attended `</s>` however many a row
    has, and `train`, for the dropout of attention. `</s></s>` counts as one, since TRL closes rows of plain strings
    and the tokenizer closes them again.

    Args:
        config ([`MotionGPTConfig`]): sizes; the VQ-VAE is not carried.
    """

    config_class = MotionGPTConfig
    config: MotionGPTConfig

    def __init__(self, config: MotionGPTConfig) -> None:
        config.num_labels = 1
        super().__init__(config)
        fuse_activations(self)

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        head = getattr(self, "classification_head", None)
        if head is not None and module in (head.dense, head.out_proj):  # which T5 would begin with weights of N(0, 1)
            init.normal_(module.weight, mean=0.0, std=(self.config.d_model + 1) ** -0.5)
            init.zeros_(module.bias)

    @classmethod
    def from_policy(cls, policy: MotionGPTForPreference) -> "MotionGPTForReward":
        """A reward model that begins as a policy's encoder and decoder, with a new head.

        Args:
            policy ([`MotionGPTForPreference`]): whose weights are copied.

        Returns:
            [`MotionGPTForReward`]: on the same device, with the same processor.
        """
        config = MotionGPTConfig.from_dict({**policy.config.to_dict(), "vqvae_config": None, "motion_only": False})
        config._name_or_path = policy.config._name_or_path
        model = cls(config).to(policy.device)
        weights = {name: w for name, w in policy.state_dict().items() if not name.startswith(("lm_head.", "vqvae."))}
        model.transformer.load_state_dict(weights)
        model._processor, model._hub_options = policy._processor, policy._hub_options
        return model

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
        **_: Any,
    ) -> SequenceClassifierOutput:
        """Rewards of rows.

        Args:
            input_ids (`Tensor`): `[B, L]`, rows that end in `</s>`, padding on either side.
            attention_mask (`Tensor`, *optional*): `[B, L]`, 0 at padding; by default where the padding token stands.
            labels (`Tensor`, *optional*): `[B]`, rewards to learn by squared error.

        Returns:
            `SequenceClassifierOutput`: logits `[B, 1]`, and a loss where labels are given.

        Raises:
            ValueError: if a row has no `</s>`, or there are no ids.
        """
        if input_ids is None:
            raise ValueError("Expected input_ids [B, L], got none; embeddings have no </s> to read the reward at.")
        mask = (input_ids != self.config.pad_token_id) if attention_mask is None else attention_mask.bool()
        closing = (input_ids == self.config.eos_token_id) & mask
        again = closing & nn.functional.pad(closing, (1, 0))[:, :-1]
        closing, mask = closing & ~again, mask & ~again
        if not bool(closing.any(1).all()):
            raise ValueError(
                f"{int((~closing.any(1)).sum())} of {len(closing)} rows have no </s>, at which the reward is read. "
                "They may be cut off: raise max_length."
            )
        hidden = self.transformer(
            input_ids=input_ids,
            attention_mask=mask.long(),
            decoder_input_ids=self._shift_right(input_ids),
            decoder_attention_mask=mask.long(),  # the start token, which is the padding token, stands before the row
            use_cache=False,
        )[0]
        columns = torch.arange(input_ids.shape[1], device=input_ids.device)
        last = torch.where(closing, columns, -1).amax(1)
        logits = self.classification_head(hidden[torch.arange(len(hidden), device=hidden.device), last])
        loss = None if labels is None else nn.functional.mse_loss(logits[:, 0].float(), labels.float().flatten())
        return SequenceClassifierOutput(loss=loss, logits=logits)

    @torch.no_grad()
    def score(self, prompts: Sequence[str], codes: Sequence[Any], batch_size: int = 32) -> Tensor:
        """Rewards of motions for prompts.

        Args:
            prompts (`Sequence[str]`): what was asked for.
            codes (`Sequence`): codes of a motion for each prompt, `[n]` integers.
            batch_size (`int`, *optional*, defaults to 32): rows at once.

        Returns:
            `Tensor`: `[len(prompts)]`, float32, the higher the better; unitless.

        Raises:
            ValueError: if there are not as many prompts as motions, a prompt is empty or too long, or `batch_size` is
                below 1.
        """
        if len(prompts) != len(codes):
            raise ValueError(
                f"Expected a motion for each prompt, got {len(prompts)} prompts and {len(codes)} motions."
            )
        rows = [self.row_ids(prompt, motion) for prompt, motion in zip(prompts, codes, strict=True)]
        rewards = torch.zeros(len(rows), device=self.device)
        training = self.training
        self.eval()
        try:
            for part in batches(rows, batch_size):
                tensors = [torch.tensor(rows[i], device=self.device) for i in part]
                ids = nn.utils.rnn.pad_sequence(tensors, batch_first=True, padding_value=self.config.pad_token_id)
                rewards[part] = self(input_ids=ids).logits[:, 0].float()
        finally:
            self.train(training)
        return rewards

    def row_ids(self, prompt: str, codes: Any) -> list[int]:
        """Ids of `prompt + separator + motion </s>`.

        Args:
            prompt (`str`): what was asked for; neutralised.
            codes (`Sequence[int]`): `[n]`, of the motion, 4 frames each.

        Returns:
            `list[int]`: such as the reward model was trained on.

        Raises:
            ValueError: if the prompt is empty or too long.
        """
        asked = self.processor.prompt_text(prompt)
        motion = codes_to_text(codes, self.config.num_codes)
        return list(self.processor.tokenizer(f"{asked}{SEPARATOR}{motion}").input_ids)

    def train(self, mode: bool = True) -> "MotionGPTForReward":
        """As in torch; attention drops what the layers around it drop.

        Args:
            mode (`bool`, *optional*, defaults to `True`): training or evaluation.

        Returns:
            [`MotionGPTForReward`]: itself.
        """
        super().train(mode)
        for stack in (self.transformer.encoder, self.transformer.decoder):
            follow_dropout(stack)
        return self
