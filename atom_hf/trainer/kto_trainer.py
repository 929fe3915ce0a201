"""Kahneman-Tversky optimisation of motion models: from motions that are good or bad, in pairs or not.

trainer = MotionKTOTrainer("OpenMotionLab/MotionGPT-base", args=MotionKTOConfig("outputs/kto"), train_dataset=rows)
trainer.train()
"""

import logging
from typing import Any

import torch
from datasets import Dataset, IterableDataset
from torch import Tensor
from trl import KTOTrainer, unpair_preference_dataset

from ..data.degrees import SKIPPED
from ..data.views import unpaired
from ..models import MotionGPTConfig
from .kto_config import MotionKTOConfig, balanced_weights
from .losses import kto_pair_losses
from .motion_trainer import MotionTrainer
from .policy import base_of, policy_and_reference
from .preference_rows import as_conversations, check_columns, check_lengths, checked, of_degrees, prepare_pairs
from .row_faults import completion_fault, degree_fault, prompt_fault

_ROW_COLUMNS = ("prompt", "completion", "label")
_VIEW_COLUMNS = ("prompt_id", "chosen_codes", "rejected_codes", "margin", "degree")  # what `unpaired` reads
_logger = logging.getLogger(__name__)


class MotionKTOTrainer(MotionTrainer, KTOTrainer):
    """TRL's `KTOTrainer` for motion models, with a reference that is the real one, and the paired loss.

    Rows are brought into an order by chance once, since TRL takes the motion of the row before for a mismatched one,
    and in a dataset of pairs that one mostly belongs to the same prompt.

    `kto_pair` needs no pairs here: its KL terms are means over the good and over the bad motions of a batch, of
    whatever prompts, on all devices, and have no gradient. Of a batch of pairs it has the value of the published loss;
    [`MotionDPOTrainer`] has that one itself, where the two motions of a pair stay together and the KL terms have a
    gradient, as in TRL 0.8.1.

    Overrides of `KTOTrainer`: `_prepare_dataset`, `_compute_loss`.

    Args:
        model ([`MotionGPTForPreference`], `PeftModel` or `str`): what is trained; by name also original checkpoints.
        ref_model ([`MotionGPTForPreference`], *optional*): by default the model as it is now: without its adapter, or
            an exact copy.
        args ([`MotionKTOConfig`], *optional*): settings.
        train_dataset (`Dataset` or `IterableDataset`): `prompt`, `completion` and `label`, or pairs with `prompt`,
            `chosen` and `rejected`; as texts or conversations. MotionPrefer's pairs become motions that are good or
            bad by all pairs that they are in (`atom_hf.data.views.unpaired`); of other pairs each motion counts as
            often as it is in one. Skipped ones are left out.
        eval_dataset (`Dataset` or dictionary of them, *optional*): of the same form.
        processing_class (`PreTrainedTokenizerBase`, *optional*): the model's own by default.
        peft_config (`PeftConfig`, *optional*): by default the LoRA of `args`.
        kwargs (`Any`): all else of `KTOTrainer`, such as `callbacks`.

    Raises:
        TypeError: if a model is of another kind.
        ValueError: if data cannot be used, all labels are the same, or the reference has another vocabulary.
    """

    _name = "MotionKTO"
    desirable_weight: float
    undesirable_weight: float
    precompute_ref_logps: bool

    def __init__(
        self,
        model: Any,
        ref_model: Any = None,
        args: MotionKTOConfig | None = None,
        *,
        train_dataset: Any = None,
        eval_dataset: Any = None,
        processing_class: Any = None,
        peft_config: Any = None,
        **kwargs: Any,
    ) -> None:
        args = MotionKTOConfig("motion_kto") if args is None else args
        if train_dataset is None:
            raise ValueError("Expected train_dataset, motions with prompt, completion and label, or pairs; got none.")
        check_columns(train_dataset, (), "train")  # it has rows
        model, ref_model, peft_config = policy_and_reference(
            model, ref_model, args, peft_config=peft_config, rows=_most_motions(train_dataset)
        )
        base = base_of(model)
        self._config, self._longest_prompt = base.config, base.processor.max_length
        self._paired = args.loss_type == "kto_pair"
        if self._paired:
            args.loss_type = "apo_zero_unpaired"  # of those that TRL has, the one that reads no mismatched motions
        try:
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
        finally:
            if self._paired:
                args.loss_type = "kto_pair"

    def _prepare_dataset(self, dataset: Any, processing_class: Any, args: Any, dataset_name: str) -> Any:
        dataset = good_and_bad(dataset, dataset_name, self._config)
        whole = isinstance(dataset, Dataset)
        if whole:
            dataset = dataset.shuffle(seed=args.seed)
        if whole and dataset_name == "train":
            self._weigh(sum(map(bool, dataset["label"])), len(dataset), args)
        rows = len(dataset) if whole else 0
        dataset = super()._prepare_dataset(dataset, processing_class, args, dataset_name)
        if whole and len(dataset) < rows:
            raise ValueError(
                f"{rows - len(dataset)} prompts of the {dataset_name} dataset fill max_length={args.max_length}, and "
                "leave no room for a motion; raise max_length."
            )
        columns = ("completion_ids", "KL_completion_ids") if self.calculate_KL else ("completion_ids",)
        return check_lengths(dataset, columns, self._longest_prompt, args.max_length, dataset_name)

    def _weigh(self, good: int, rows: int, args: MotionKTOConfig) -> None:
        """Refuse motions that are all good or all bad, and weigh the rarer label."""
        if good in (0, rows):
            raise ValueError(
                f"All {rows} motions of the train dataset are labelled {'good' if good else 'bad'}; KTO learns from "
                "both. Add others, or pairs."
            )
        if args.balance and (self.desirable_weight, self.undesirable_weight) == (1.0, 1.0):
            self.desirable_weight, self.undesirable_weight = balanced_weights(good, rows - good)
            _logger.info(
                "%d good and %d bad motions count %.3f and %.3f each.",
                good, rows - good, self.desirable_weight, self.undesirable_weight,
            )  # fmt: skip

    def _compute_loss(self, model: Any, inputs: dict[str, Any], return_outputs: bool) -> Any:
        """TRL's loss and metrics, with a reference that sees no noise; the paired loss is computed here."""
        if "ref_logps" not in inputs:
            reference = self.ref_model if self.ref_model is not None else self.model
            with self._without_noise():
                scores = self.compute_ref_log_probs(reference, inputs)
            inputs = {**inputs, **dict(zip(("ref_logps", "ref_KL_logps"), scores, strict=True))}
        precomputed, self.precompute_ref_logps = self.precompute_ref_logps, True  # whoever computed them
        try:
            with self._recorded(model) as outputs:
                result = super()._compute_loss(model, inputs, return_outputs)
        finally:
            self.precompute_ref_logps = precomputed
        if not self._paired:
            return result
        loss = self._paired_loss(outputs[0].log_probs, inputs)
        return (loss, result[1]) if return_outputs else loss

    def _paired_loss(self, log_probs: Tensor, inputs: dict[str, Any]) -> Tensor:
        columns = inputs["completion_mask"].shape[1] - 1
        ratios = log_probs[:, -columns:].sum(1) - inputs["ref_logps"]
        good = inputs["label"].bool()
        sums = torch.stack([torch.stack([ratios[kind].detach().sum(), kind.sum()]) for kind in (good, ~good)])
        sums = self.accelerator.gather(sums[None]).sum(0)
        kl_of_good, kl_of_bad = (sums[:, 0] / sums[:, 1].clamp(min=1)).clamp(min=0)
        metrics = self._metrics["train" if self.model.training else "eval"]
        metrics["kl"][-1] = float(kl_of_good + kl_of_bad) / 2  # in place of TRL's 0
        losses = kto_pair_losses(ratios, good, kl_of_good, kl_of_bad, self.beta)
        weights = torch.where(good, float(self.desirable_weight), float(self.undesirable_weight))
        return (weights * losses).mean()


def _most_motions(dataset: Any) -> int | None:
    """How many motions there are at most: two of a pair; None for a stream."""
    if isinstance(dataset, IterableDataset):
        return None
    return len(dataset) * (1 if "completion" in dataset.column_names else 2)


def good_and_bad(dataset: Any, name: str, config: MotionGPTConfig) -> Any:
    """Motions that are good or bad, as conversations.

    Args:
        dataset (`Dataset` or `IterableDataset`): `prompt`, `completion` and `label`, or pairs.
        name (`str`): of the split, for messages.
        config ([`MotionGPTConfig`]): of the model; says how many codes there are.

    Returns:
        `Dataset` or `IterableDataset`: `prompt`, `completion`, `label`.

    Raises:
        ValueError: if columns are missing, a row is no motion with a label, or nothing is left.
    """
    first = next(iter(dataset), None)
    if first is not None and "completion" not in first and ("chosen" in first or "rejected" in first):
        known = all(column in first for column in _VIEW_COLUMNS)
        dataset = prepare_pairs(dataset, name, config, margins=known)
        return unpaired(dataset) if known else unpair_preference_dataset(dataset)
    check_columns(dataset, _ROW_COLUMNS, name)
    dataset = as_conversations(dataset, _ROW_COLUMNS[:2])
    return of_degrees(checked(dataset, lambda row: _row_fault(row, config.num_codes), name), None, name)


def _row_fault(row: dict[str, Any], num_codes: int) -> str | None:
    if row.get("degree") == SKIPPED:
        return None
    if row["label"] not in (True, False):
        return f"expected a label that is True (good) or False (bad), got {row['label']!r}."
    found = degree_fault(row) or prompt_fault(row["prompt"])
    return found or completion_fault(row["completion"], num_codes)
