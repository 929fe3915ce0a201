"""Direct preference optimisation of motion models.

trainer = MotionDPOTrainer("OpenMotionLab/MotionGPT-base", args=MotionDPOConfig("outputs/dpo"), train_dataset=pairs)
trainer.train()
"""

from dataclasses import dataclass
from typing import Any

import torch
from accelerate.utils import broadcast_object_list
from datasets import IterableDataset
from torch import Tensor
from trl import DPOTrainer
from trl.trainer.dpo_trainer import DataCollatorForPreference

from .degree_use import DEGREE_USES, degree_columns
from .dpo_config import MotionDPOConfig
from .losses import PAIR_LOSSES, pair_losses, per_token
from .motion_trainer import MotionTrainer
from .policy import base_of, policy_and_reference
from .preference_rows import check_columns, check_lengths, prepare_pairs

_COLUMNS = DEGREE_USES[1:]


@dataclass
class MotionPreferenceCollator(DataCollatorForPreference):
    """TRL's collator, which also keeps what a degree of preference does to the loss."""

    def torch_call(self, examples: list[dict[str, Any]]) -> dict[str, Any]:
        """A batch of pairs.

        Args:
            examples (`list[dict]`): rows with `prompt_ids`, `chosen_ids`, `rejected_ids`.

        Returns:
            `dict[str, Tensor]`: chosen above rejected, `[2B, L]`; `label_smoothing`, `margin` or `weight` `[B]`.
        """
        batch = super().torch_call(examples)
        for column in _COLUMNS:
            if column in examples[0]:
                batch[column] = torch.tensor([example[column] for example in examples], dtype=torch.float32)
        return batch


class MotionDPOTrainer(MotionTrainer, DPOTrainer):
    """TRL's `DPOTrainer` for motion models, with degrees of preference and a reference that is the real one.

    Overrides of `DPOTrainer`: `_prepare_dataset`, `_set_signature_columns_if_needed`, `_precompute_ref_logps`,
    `compute_ref_log_probs`, `_compute_loss`.

    Args:
        model ([`MotionGPTForPreference`], `PeftModel` or `str`): what is trained; by name also original checkpoints.
        ref_model ([`MotionGPTForPreference`], *optional*): by default the model as it is now: without its adapter, or
            an exact copy.
        args ([`MotionDPOConfig`], *optional*): settings.
        train_dataset (`Dataset` or `IterableDataset`): `prompt`, `chosen`, `rejected`, as texts or conversations, and
            `degree` where there is one; skipped pairs are left out.
        eval_dataset (`Dataset` or dictionary of them, *optional*): of the same form.
        processing_class (`PreTrainedTokenizerBase`, *optional*): the model's own by default.
        peft_config (`PeftConfig`, *optional*): by default the LoRA of `args`.
        kwargs (`Any`): all else of `DPOTrainer`, such as `callbacks`.

    Raises:
        TypeError: if a model is of another kind.
        ValueError: if data cannot be used, or the reference has another vocabulary.
    """

    _name = "MotionDPO"
    loss_types: list[str]
    precompute_ref_logps: bool
    _precompute_model_hash: str | None

    def __init__(
        self,
        model: Any,
        ref_model: Any = None,
        args: MotionDPOConfig | None = None,
        *,
        train_dataset: Any = None,
        eval_dataset: Any = None,
        processing_class: Any = None,
        peft_config: Any = None,
        **kwargs: Any,
    ) -> None:
        args = MotionDPOConfig("motion_dpo") if args is None else args
        if train_dataset is None:
            raise ValueError("Expected train_dataset, pairs with prompt, chosen and rejected; got none.")
        check_columns(train_dataset, (), "train")  # it has rows
        rows = None if isinstance(train_dataset, IterableDataset) else round(args.train_share * len(train_dataset))
        model, ref_model, peft_config = policy_and_reference(
            model, ref_model, args, peft_config=peft_config, rows=rows
        )
        base = base_of(model)
        self._config, self._longest_prompt = base.config, base.processor.max_length
        kwargs.setdefault(
            "data_collator",
            MotionPreferenceCollator(
                pad_token_id=base.config.pad_token_id,
                max_length=args.max_length,
                truncation_mode=args.truncation_mode,
                pad_to_multiple_of=args.pad_to_multiple_of,
            ),
        )
        super().__init__(
            model=model,
            ref_model=ref_model,
            args=args,
            train_dataset=train_dataset,
            eval_dataset=eval_dataset,
            processing_class=processing_class or base.processor.tokenizer,
            peft_config=peft_config,
            **kwargs,
        )

    def _prepare_dataset(self, dataset: Any, processing_class: Any, args: Any, dataset_name: str) -> Any:
        chosen = {"share": args.train_share, "degrees": args.degrees} if dataset_name == "train" else {}
        margins = args.degree_use == "margin"
        dataset = prepare_pairs(dataset, dataset_name, self._config, seed=args.seed, margins=margins, **chosen)
        if args.degree_use != "none":
            first = next(iter(dataset))
            if "degree" not in first and not (args.degree_use == "margin" and "margin" in first):
                raise ValueError(
                    f"degree_use={args.degree_use!r} needs a column 'degree', which the {dataset_name} dataset lacks."
                )
            dataset = dataset.map(degree_columns, batched=True, fn_kwargs={"use": args.degree_use})
        tokenised = super()._prepare_dataset(dataset, processing_class, args, dataset_name)
        lost = 0 if isinstance(dataset, IterableDataset) else len(dataset) - len(tokenised)
        if lost:  # TRL leaves such pairs out without a word
            raise ValueError(
                f"{lost} prompts of the {dataset_name} dataset alone have max_length={args.max_length} tokens or "
                "more; raise max_length."
            )
        return check_lengths(
            tokenised, ("chosen_ids", "rejected_ids"), self._longest_prompt, args.max_length, dataset_name
        )

    def _set_signature_columns_if_needed(self) -> None:
        super()._set_signature_columns_if_needed()
        if self.args.degree_use not in ("none", *self._signature_columns):
            self._signature_columns.append(self.args.degree_use)

    def _precompute_ref_logps(self, dataset: Any, name: str, batch_size: int) -> Any:
        """TRL's, with a cache that knows more of a model than its weights, and that all processes find."""
        if isinstance(dataset, IterableDataset):
            return super()._precompute_ref_logps(dataset, name, batch_size)  # which says why not
        self._score_compactly()
        weights, path_of = self._precompute_model_hash, dataset._get_cache_file_path
        self._precompute_model_hash = f"{weights} {self._config.motion_only} {self.ld_alpha}"

        def shared_path(fingerprint: str) -> str:
            path = [path_of(fingerprint)]  # of a dataset in memory, in a folder that each process has of its own
            broadcast_object_list(path)
            return path[0]

        dataset._get_cache_file_path = shared_path
        try:
            return super()._precompute_ref_logps(dataset, name, batch_size)
        finally:
            self._precompute_model_hash = weights
            del dataset._get_cache_file_path

    def compute_ref_log_probs(self, model: Any, inputs: dict[str, Any]) -> Any:
        """TRL's, without dropout and noise, which are for what is trained.

        Args:
            model ([`MotionGPTForPreference`]): the reference, or the policy whose adapter is switched off.
            inputs (`dict[str, Tensor]`): a batch of pairs.

        Returns:
            `tuple[Tensor, Tensor]`: sums of chosen and of rejected motions, `[B]` each, nats.
        """
        training = model.training
        model.eval()
        try:
            with self._without_noise():
                return super().compute_ref_log_probs(model, inputs)
        finally:
            model.train(training)

    def _compute_loss(self, model: Any, inputs: dict[str, Any], return_outputs: bool) -> Any:
        """TRL's loss and metrics; losses of `PAIR_LOSSES` that it lacks, or that know degrees, are computed here."""
        used = {column: inputs[column] for column in _COLUMNS if column in inputs}
        inputs = {name: value for name, value in inputs.items() if name not in _COLUMNS}
        if "ref_chosen_logps" not in inputs:
            if self.ref_model is None and base_of(self.model) is self.model:
                raise ValueError(
                    "Expected ref_chosen_logps and ref_rejected_logps in the batch, since the reference is gone once "
                    "it has scored all pairs. A data_collator of your own has to keep them; or set "
                    "precompute_ref_log_probs=False."
                )
            reference = self.ref_model if self.ref_model is not None else self.model
            scores = self.compute_ref_log_probs(reference, inputs)
            inputs |= dict(zip(("ref_chosen_logps", "ref_rejected_logps"), scores, strict=True))
        ours = self._pair_losses_needed()
        theirs, precomputed = self.loss_types, self.precompute_ref_logps
        self.precompute_ref_logps = True  # they are among the inputs, whoever computed them
        if ours:
            self.loss_types = ["sigmoid"] * len(theirs)  # for the metrics alone
        try:
            with self._recorded(model) as outputs:
                result = super()._compute_loss(model, inputs, return_outputs)
        finally:
            self.loss_types, self.precompute_ref_logps = theirs, precomputed
        if not ours:
            return result
        loss = self._pair_loss(outputs[0].log_probs, inputs, used)
        return (loss, result[1]) if return_outputs else loss

    def _pair_losses_needed(self) -> bool:
        known = all(loss in PAIR_LOSSES for loss in self.loss_types)
        return known and (self.args.degree_use != "none" or self.label_smoothing > 0 or "kto_pair" in self.loss_types)

    def _pair_loss(self, log_probs: Tensor, inputs: dict[str, Any], used: dict[str, Tensor]) -> Tensor:
        """Mean over pairs of the weighted sum of the losses."""
        mask = inputs["completion_mask"]
        chosen, rejected = log_probs[:, -(mask.shape[1] - 1) :].sum(1).chunk(2)
        ratios = (chosen - inputs["ref_chosen_logps"], rejected - inputs["ref_rejected_logps"])
        counts = mask.sum(1).clamp(min=1).chunk(2)
        smoothing = used["label_smoothing"] if "label_smoothing" in used else self.label_smoothing
        total = torch.zeros_like(ratios[0])
        for loss, weight in zip(self.loss_types, self.loss_weights, strict=True):
            means = [ratio / count for ratio, count in zip(ratios, counts, strict=True)] if per_token(loss) else ratios
            margin = self.args.margin_scale * used["margin"] if "margin" in used else 0.0
            total = total + weight * pair_losses(
                loss, *means, beta=self.beta, label_smoothing=smoothing, margin=margin
            )
        return (total * used["weight"] if "weight" in used else total).mean()
