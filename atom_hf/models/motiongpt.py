"""MotionGPT as one Hugging Face model that every trainer knows how to handle.

model = MotionGPTForPreference.from_pretrained(atom_hf.DEFAULT_MODEL)
model.generate_motion(["a person walks forward, then jumps twice"])  →  [Motion]

A T5 with motion tokens in its vocabulary and the VQ-VAE that they come from. Called with decoder inputs it is T5;
called without, it is a causal language model over `prompt </s> completion </s>`, which is what TRL's trainers train.
"""

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from transformers import T5ForConditionalGeneration
from transformers.activations import NewGELUActivation
from transformers.modeling_outputs import BaseModelOutput, BaseModelOutputWithPast, CausalLMOutputWithPast
from transformers.models.t5.modeling_t5 import T5Attention, T5Stack

from .carries_processor import CarriesProcessor
from .damaged_weights import explain_damaged_weights
from .motion_generation import MotionGeneration
from .motion_head import MotionHead
from .motiongpt_config import MotionGPTConfig
from .prefix_lm import (
    ONE_PROMPT_ONE_COMPLETION,
    SCORED_PROMPT,
    PrefixBatch,
    check_closed_once,
    check_gradient,
    check_rows,
    length_groups,
    prompt_end,
    scatter,
    split,
    unique_rows,
)
from .vqvae import MotionVQVAE


class _CausalView:
    """What `model.base_model` gives to trainers that score hidden states with the output layer themselves.

    No module, so that nothing is registered twice.
    """

    def __init__(self, model: "MotionGPTForPreference") -> None:
        self.model = model

    def __call__(self, input_ids: Tensor, attention_mask: Tensor | None = None, **_: Any) -> BaseModelOutputWithPast:
        hidden = self.model.causal_hidden_states(input_ids, attention_mask, checked=True)
        if hidden.requires_grad:
            mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
            boundary = prompt_end(input_ids, mask.bool(), self.model._eos)
            hidden.register_hook(partial(check_gradient, boundary=boundary))
        if self.model._scored is not None:
            hidden = hidden[:, :-1][self.model._scored.places][None]
        return BaseModelOutputWithPast(last_hidden_state=hidden)

    def __getattr__(self, name: str) -> Any:
        if name == "model":  # not yet there: the view is being copied
            raise AttributeError(name)
        return getattr(self.model, name)


class MotionGPTForPreference(MotionGeneration, MotionHead, CarriesProcessor, T5ForConditionalGeneration):
    """A text-to-motion model that trainers for causal language models can align.

    Overrides of `T5ForConditionalGeneration`: `forward`, `generate`, `base_model`, `get_output_embeddings`,
    `resize_token_embeddings`, `train`, `save_pretrained`, `from_pretrained`.

    Args:
        config ([`MotionGPTConfig`]): sizes, motion tokens, and the VQ-VAE's sizes.
    """

    config_class = MotionGPTConfig
    config: MotionGPTConfig
    _keep_in_fp32_modules_strict = ["vqvae"]  # noqa: RUF012

    def __init__(self, config: MotionGPTConfig) -> None:
        if config.untied_lm_head:  # read by tying, resizing and saving; per instance, since checkpoints differ
            tied = T5ForConditionalGeneration._tied_weights_keys
            self._tied_weights_keys = {k: v for k, v in tied.items() if not k.startswith("lm_head")}
        super().__init__(config)
        fuse_activations(self)
        self._restrict_head()
        if config.vqvae_config is not None:
            self.vqvae: MotionVQVAE | None = MotionVQVAE(config.vqvae_config)
            self.vqvae.requires_grad_(False)
        else:
            self.vqvae = None
        self.post_init()

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: Any, *args: Any, **kwargs: Any) -> Any:
        """As in transformers; the VQ-VAE stays frozen and in float32.

        Checkpoints of the original MotionGPT, and those that InstructMotion and AToM trained from it, are converted in
        memory. Trainers that load their reference model by name need one that `convert` has written into a folder.

        Args:
            pretrained_model_name_or_path (`str` or `Path`): a folder, a Hub repository, or the file of an original.
            **kwargs (*optional*): transformers' own; for originals also `stats`, `tokenizer`, `base`, `vqvae` and
                `lora_alpha` of `atom_hf.models.convert.convert`.

        Returns:
            [`MotionGPTForPreference`]: in evaluation mode.

        Raises:
            CheckpointError: if the weights are damaged, or those of another model.
            OSError: if there is no such checkpoint, or no network.
        """
        from .convert import is_original, loading_arguments  # which needs this class

        source, processor = pretrained_model_name_or_path, None
        if is_original(source):
            kwargs, processor = loading_arguments(source, kwargs)
            source = None
        with explain_damaged_weights(source):
            result = super().from_pretrained(source, *args, **kwargs)
        model = result[0] if isinstance(result, tuple) else result
        model._processor = processor
        if model.vqvae is not None:
            model.vqvae.requires_grad_(False)  # loading makes all weights anew, and trainable
        return result

    # Encoder-decoder and causal calls --------------------------------------------------------------------------------

    @property
    def base_model(self) -> Any:
        """The model as trainers see it that apply the output layer themselves: causal hidden states."""
        return _CausalView(self)

    def causal_hidden_states(
        self, input_ids: Tensor, attention_mask: Tensor | None = None, *, checked: bool = False
    ) -> Tensor:
        """Hidden states over `prompt </s> completion </s>`; that of column t scores the token in column t + 1.

        Prompts that occur several times in the batch are encoded once, unless dropout is active.

        Args:
            input_ids (`Tensor`): `[B, L]`, padding on either side.
            attention_mask (`Tensor`, *optional*): `[B, L]`, 0 at padding.
            checked (`bool`, *optional*, defaults to `False`): refuse rows without a completion.

        Returns:
            `Tensor`: `[B, L, d_model]`, scaled for the output layer; zeros in the columns of the prompt.

        Raises:
            ValueError: if `checked`, and a row is not one prompt and one completion.
        """
        mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        mask = mask.bool()
        if checked:
            check_rows(input_ids, mask, self._eos)
        start = self.config.decoder_start_token_id
        assert start is not None
        batch = split(input_ids, mask, eos=self._eos, pad=self.config.pad_token_id, start=start)
        hidden = self._decode(batch)
        if self.config.scale_decoder_outputs:
            hidden = hidden * self.model_dim**-0.5
        return scatter(hidden, batch.step)

    def _decode(self, batch: PrefixBatch) -> Tensor:
        """Decoder states `[B, C, d_model]`; on the CPU rows of like length together, so that little is padding."""
        states = self._encode_once(batch.encoder_ids, batch.encoder_mask)

        def decode(rows: Any, width: int | None) -> Tensor:
            hidden: Tensor = self.decoder(
                input_ids=batch.decoder_ids[rows, :width],
                attention_mask=batch.decoder_mask[rows, :width],
                encoder_hidden_states=states[rows],
                encoder_attention_mask=batch.encoder_mask[rows],
                use_cache=False,
            )[0]
            return hidden

        groups = length_groups(batch.decoder_mask) if states.device.type == "cpu" else []
        if len(groups) < 2:
            return decode(slice(None), None)
        decoded = [decode(rows, width) for rows, width in groups]
        longest = batch.decoder_ids.shape[1]
        padded = [nn.functional.pad(part, (0, 0, 0, longest - part.shape[1])) for part in decoded]
        return torch.cat(padded)[torch.cat([rows for rows, _ in groups]).argsort()]

    def _encode_once(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Encoder states `[B, P, d_model]`; equal rows share one pass."""
        dropping = self.training and self.encoder.dropout.p > 0
        rows = None if dropping else unique_rows(ids, mask)
        if rows is None:
            return self.encoder(input_ids=ids, attention_mask=mask)[0]
        first, kind = rows
        return self.encoder(input_ids=ids[first], attention_mask=mask[first])[0][kind]

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        decoder_input_ids: Tensor | None = None,
        decoder_attention_mask: Tensor | None = None,
        encoder_outputs: Any = None,
        past_key_values: Any = None,
        inputs_embeds: Tensor | None = None,
        decoder_inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        use_cache: bool | None = None,
        **kwargs: Any,
    ) -> Any:
        """T5's own call, or a causal language model's.

        It is T5's where decoder inputs or encoder outputs are given, or labels that are not the input itself. It is
        causal where there are no labels, or every unmasked label equals `input_ids` at its place: the loss is then
        the mean cross-entropy of column t's logits with column t + 1's label.

        Args:
            input_ids (`Tensor`, *optional*): `[B, L]`; prompts, or `prompt </s> completion </s>`.
            attention_mask (`Tensor`, *optional*): `[B, L]`, 0 at padding.
            decoder_input_ids (`Tensor`, *optional*): `[B, C]`, as in T5.
            decoder_attention_mask (`Tensor`, *optional*): `[B, C]`.
            encoder_outputs (*optional*): states that the encoder gave before.
            past_key_values (*optional*): the decoder's cache.
            inputs_embeds (`Tensor`, *optional*): `[B, L, d_model]`, as in T5.
            decoder_inputs_embeds (`Tensor`, *optional*): `[B, C, d_model]`, as in T5.
            labels (`Tensor`, *optional*): `[B, C]` as in T5 or `[B, L]` causal; -100 is not scored.
            use_cache (`bool`, *optional*): as in T5.

        Returns:
            `Seq2SeqLMOutput` or `CausalLMOutputWithPast`: with logits `[B, C, vocab]` or `[B, L, vocab]`.

        Raises:
            ValueError: if a causal label stands in the prompt, rows have no completion, or all prompts of a training
                batch are closed twice.
        """
        given = (decoder_input_ids, encoder_outputs, decoder_inputs_embeds, inputs_embeds)
        # T5 takes the number of labels in an accumulated batch and ignores it, so that every part would count alike.
        count = kwargs.pop("num_items_in_batch", None)
        if any(value is not None for value in given) or not _is_causal(input_ids, labels):
            if self.training and input_ids is not None and encoder_outputs is None:
                mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
                check_closed_once(input_ids, mask.bool(), self._eos)
            target = None if count is None else labels
            if target is not None and decoder_input_ids is None and decoder_inputs_embeds is None:
                decoder_input_ids = self._shift_right(target)
            output = super().forward(
                input_ids=input_ids,
                attention_mask=attention_mask,
                decoder_input_ids=decoder_input_ids,
                decoder_attention_mask=decoder_attention_mask,
                encoder_outputs=encoder_outputs,
                past_key_values=past_key_values,
                inputs_embeds=inputs_embeds,
                decoder_inputs_embeds=decoder_inputs_embeds,
                labels=labels if target is None else None,
                use_cache=use_cache,
                **kwargs,
            )
            if target is not None:
                output.loss = _cross_entropy(output.logits, target, count)
            return output
        assert input_ids is not None
        if labels is not None:
            self._check_labels(input_ids, attention_mask, labels)
        logits = self.lm_head(self.causal_hidden_states(input_ids, attention_mask, checked=labels is not None))
        if labels is None:
            return CausalLMOutputWithPast(logits=logits)
        loss = _cross_entropy(logits[:, :-1].float(), labels[:, 1:], count)
        return CausalLMOutputWithPast(loss=loss, logits=logits)

    def _check_labels(self, input_ids: Tensor, attention_mask: Tensor | None, labels: Tensor) -> None:
        mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        boundary = prompt_end(input_ids, mask.bool(), self._eos)
        columns = torch.arange(labels.shape[1], device=labels.device)
        if bool(((labels != -100) & (columns <= boundary[:, None])).any()):
            raise ValueError(SCORED_PROMPT)

    @torch.no_grad()
    def generate(
        self, inputs: Tensor | None = None, *args: Any, return_prompt: bool | None = None, **kwargs: Any
    ) -> Any:
        """`GenerationMixin.generate`, with the prompt before the completion as causal models return it.

        Args:
            inputs (`Tensor`, *optional*): prompts `[B, L]`, or as `input_ids=`.
            return_prompt (`bool`, *optional*): whether the result is prompt and completion, or the decoder's output
                with its start token as in T5. By default the config's `generate_returns_prompt`, and the decoder's
                output where `labels`, `decoder_input_ids` or `encoder_outputs` are among the arguments, as
                `Seq2SeqTrainer` gives them.

        Returns:
            `Tensor` or `ModelOutput`: `[B * num_return_sequences, L + new]`, or the decoder's output `[…, 1 + new]`.

        Raises:
            ValueError: if a prompt is not closed by exactly one `</s>` where the prompt is to be returned.
        """
        prompts = inputs if inputs is not None else kwargs.pop("input_ids", None)
        native = any(kwargs.get(name) is not None for name in ("labels", "decoder_input_ids", "encoder_outputs"))
        if return_prompt is None:
            return_prompt = self.config.generate_returns_prompt and not native
        if prompts is None or "encoder_outputs" in kwargs:
            return super().generate(prompts, *args, **kwargs)
        mask = kwargs.get("attention_mask")
        if mask is None:
            mask = kwargs["attention_mask"] = (prompts != self.config.pad_token_id).long()
        if return_prompt:
            ends = ((prompts == self._eos) & mask.bool()).int()
            behind = (ends.cumsum(1) - ends) * mask  # attended columns behind a </s>
            wrong = (ends.sum(1) != 1) | behind.any(1)
            if bool(wrong.any()):
                raise ValueError(
                    f"{int(wrong.sum())} of {len(prompts)} prompts do not hold exactly one </s>, at their end. "
                    f"{ONE_PROMPT_ONE_COMPLETION}"
                )
        states = BaseModelOutput(last_hidden_state=self._encode_once(prompts, mask))
        result = super().generate(prompts, *args, encoder_outputs=states, **kwargs)
        if not return_prompt:
            return result
        sequences = result if isinstance(result, Tensor) else result.sequences
        repeated = prompts.repeat_interleave(len(sequences) // len(prompts), 0)
        sequences = torch.cat([repeated, sequences[:, 1:]], 1)  # without the decoder's start token
        if isinstance(result, Tensor):
            return sequences
        result.sequences = sequences
        return result

    def train(self, mode: bool = True) -> "MotionGPTForPreference":
        """As in torch, but the motion tokenizer stays as it is, and attention drops what the layers around it drop.

        T5 keeps the dropout of attention as a number of its own, which survives whoever sets all dropout layers to 0.

        Args:
            mode (`bool`, *optional*, defaults to `True`): training or evaluation.

        Returns:
            [`MotionGPTForPreference`]: itself.
        """
        super().train(mode)
        if self.vqvae is not None:
            self.vqvae.eval()
        for stack in (self.encoder, self.decoder):
            follow_dropout(stack)
        return self


def _cross_entropy(logits: Tensor, labels: Tensor, count: Tensor | int | None) -> Tensor:
    """Mean over unmasked labels, or their sum divided by a given count."""
    how = "mean" if count is None else "sum"
    loss = nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction=how)
    return loss if count is None else loss / count


def _is_causal(input_ids: Tensor | None, labels: Tensor | None) -> bool:
    if input_ids is None:
        return False
    if labels is None:
        return True
    return labels.shape == input_ids.shape and bool(((labels == -100) | (labels == input_ids)).all())


def follow_dropout(stack: T5Stack) -> None:
    for module in stack.modules():
        if isinstance(module, T5Attention):
            module.dropout = stack.dropout.p


def fuse_activations(model: nn.Module) -> None:
    """Compute what T5's configs call gelu_new in one pass over memory instead of eight; the same function."""
    for module in model.modules():
        if isinstance(getattr(module, "act", None), NewGELUActivation):
            module.act = nn.GELU(approximate="tanh")
