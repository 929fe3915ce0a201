"""A reward model of motions, learnt from preferences.

trainer = MotionRewardTrainer("OpenMotionLab/MotionGPT-base", train_dataset=pairs, eval_dataset=others)
trainer.train()
trainer.model.score(["a person jumps"], [codes])           # [1], the higher the better
"""

import copy
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from datasets import IterableDataset
from peft import PeftModel
from transformers import EarlyStoppingCallback, set_seed
from trl import RewardTrainer
from trl.trainer.reward_trainer import DataCollatorForPreference

from ..data.degrees import UNSURE
from ..models import MotionGPTConfig, MotionGPTForPreference, MotionGPTForReward
from ..motion import text_to_codes
from .degree_use import degree_columns
from .motion_trainer import MotionTrainer
from .policy import base_of, load_policy
from .preference_rows import check_columns, prepare_pairs
from .reward_config import MotionRewardConfig
from .row_faults import content

_HEAD = "classification_head"
_IDS = ("chosen_ids", "rejected_ids")
_COLUMNS = (*_IDS, "margin", "unsure")
_logger = logging.getLogger(__name__)


@dataclass
class MotionRewardCollator(DataCollatorForPreference):
    """TRL's collator, which also keeps which pairs people were unsure of."""

    def torch_call(self, examples: list[dict[str, Any]]) -> dict[str, Any]:
        """A batch of pairs.

        Args:
            examples (`list[dict]`): rows with `chosen_ids`, `rejected_ids`.

        Returns:
            `dict[str, Tensor]`: chosen above rejected, `[2B, L]`; `margin` and `unsure` `[B]` where there are such.
        """
        batch = super().torch_call(examples)
        if "unsure" in examples[0]:
            batch["unsure"] = torch.tensor([bool(example["unsure"]) for example in examples])
        return batch


class MotionRewardTrainer(MotionTrainer, RewardTrainer):
    """TRL's `RewardTrainer` for [`MotionGPTForReward`], with margins by degree of preference and an early stop.

    Pairs become the ids that `model.score` reads: `prompt + separator + motion`, closed once. The loss is TRL's,
    −log σ(chosen − rejected − margin) pair by pair. As published, a pair that people were unsure of counts half as it
    is and half turned round, which draws its scores together. In an evaluation's accuracy each pair counts once; in
    TRL's mean over batches those of a smaller last batch count more.

    Overrides of `RewardTrainer`: `_prepare_dataset`, `_set_signature_columns_if_needed`, `compute_loss`.

    Args:
        model ([`MotionGPTForReward`], [`MotionGPTForPreference`], `PeftModel` of the first, or `str`): what is
            trained, or the policy that it begins as; by name also original checkpoints.
        args ([`MotionRewardConfig`], *optional*): settings.
        train_dataset (`Dataset` or `IterableDataset`): `prompt`, `chosen`, `rejected`, as texts or conversations, and
            `degree` or `margin` where there is one; skipped pairs are left out.
        eval_dataset (`Dataset` or dictionary of them, *optional*): of the same form; best with other prompts.
        processing_class (`PreTrainedTokenizerBase`, *optional*): the model's own by default.
        peft_config (`PeftConfig`, *optional*): an adapter; the head is trained beside it. All weights by default.
        callbacks (`list`, *optional*): besides the early stop.
        kwargs (`Any`): all else of `RewardTrainer`.

    Raises:
        TypeError: if the model is of another kind.
        ValueError: if data or settings cannot be used.
    """

    _name = "MotionReward"

    def __init__(
        self,
        model: Any,
        args: MotionRewardConfig | None = None,
        *,
        train_dataset: Any = None,
        eval_dataset: Any = None,
        processing_class: Any = None,
        peft_config: Any = None,
        callbacks: list[Any] | None = None,
        **kwargs: Any,
    ) -> None:
        args = MotionRewardConfig("motion_reward") if args is None else args
        if train_dataset is None:
            raise ValueError("Expected train_dataset, pairs with prompt, chosen and rejected; got none.")
        check_columns(train_dataset, (), "train")  # it has rows
        set_seed(args.seed)  # of the new head
        model = load_reward(model, **(args.model_init_kwargs or {}))
        self._reward = base_of(model)
        if eval_dataset is not None and args.early_stopping_patience is not None:
            args.stop_early(list(eval_dataset) if isinstance(eval_dataset, dict) else None)
            callbacks = [*(callbacks or []), EarlyStoppingCallback(args.early_stopping_patience)]
        kwargs.setdefault(
            "data_collator",
            MotionRewardCollator(
                pad_token_id=self._reward.config.pad_token_id, pad_to_multiple_of=args.pad_to_multiple_of
            ),
        )
        super().__init__(
            model=model,
            args=args,
            train_dataset=train_dataset,
            eval_dataset=eval_dataset,
            processing_class=processing_class or self._reward.processor.tokenizer,
            peft_config=with_head(peft_config),
            callbacks=callbacks,
            **kwargs,
        )

    def _prepare_dataset(self, dataset: Any, processing_class: Any, args: Any, dataset_name: str) -> Any:
        first: dict[str, Any] = next(iter(dataset), {})
        if all(column in first for column in _IDS):
            return super()._prepare_dataset(dataset, processing_class, args, dataset_name)
        chosen = {"share": args.train_share, "degrees": args.degrees} if dataset_name == "train" else {}
        dataset = prepare_pairs(
            dataset, dataset_name, self._reward.config, seed=args.seed, margins=args.use_margin, **chosen
        )
        margin = args.use_margin and ("margin" in first or "degree" in first)
        if args.use_margin and not margin:
            _logger.info("The %s dataset has neither margin nor degree, so all pairs count alike.", dataset_name)
        if margin:
            dataset = dataset.map(degree_columns, batched=True, fn_kwargs={"use": "margin"})
        dataset = dataset.map(self._row_ids)
        dataset = dataset.select_columns([column for column in _COLUMNS if column in next(iter(dataset))])
        if not args.use_margin and "margin" in next(iter(dataset)):
            dataset = dataset.remove_columns("margin")  # which TRL would take
        _check_lengths(dataset, args.max_length, dataset_name)
        return super()._prepare_dataset(dataset, processing_class, args, dataset_name)

    def _set_signature_columns_if_needed(self) -> None:
        super()._set_signature_columns_if_needed()
        self._signature_columns += [column for column in _COLUMNS if column not in self._signature_columns]

    def _row_ids(self, row: dict[str, Any]) -> dict[str, Any]:
        sides = {f"{side}_ids": row_ids(self._reward, row["prompt"], row[side]) for side in ("chosen", "rejected")}
        return sides | ({"unsure": row["degree"] == UNSURE} if "degree" in row else {})

    def compute_loss(self, model: Any, inputs: Any, return_outputs: bool = False, *args: Any, **kwargs: Any) -> Any:
        """TRL's loss and metrics, with the other half of pairs that people were unsure of.

        Returns:
            `Tensor`: the loss, a scalar; with `return_outputs` a tuple of it and the rewards.
        """
        inputs = dict(inputs)
        unsure = inputs.pop("unsure", None)
        loss, outputs = super().compute_loss(model, inputs, True, *args, **kwargs)
        if unsure is not None:
            chosen, rejected = outputs.logits[:, 0].chunk(2)
            # ½(−log σ(Δ) − log σ(−Δ)) is −log σ(Δ) + Δ/2, and such a pair has no margin
            loss = loss + (unsure * (chosen - rejected)).mean() / 2
        if not self.model.training:
            for name in ("accuracy", "margin"):
                values = self._metrics["eval"][name]
                values += values[-1:] * (len(inputs["input_ids"]) // 2 - 1)
        return (loss, outputs) if return_outputs else loss


def load_reward(model: Any, **init_kwargs: Any) -> Any:
    """The reward model to train: itself, loaded by name, or a policy with a new head.

    Args:
        model ([`MotionGPTForReward`], [`MotionGPTForPreference`], `PeftModel` of the first, or `str`): a name is a
            folder, a Hub repository or an original checkpoint, of a reward model or of a policy.
        init_kwargs (`Any`): of `from_pretrained`.

    Returns:
        [`MotionGPTForReward`], or one in PEFT.

    Raises:
        TypeError: if it is another kind of model.
    """
    if isinstance(model, str | Path):
        of_reward = "MotionGPTForReward" in _architectures(model)
        model = (MotionGPTForReward.from_pretrained if of_reward else load_policy)(model, **init_kwargs)
    if isinstance(model, MotionGPTForPreference):
        return MotionGPTForReward.from_policy(model)
    if not isinstance(base_of(model), MotionGPTForReward):
        merge = " Merge its adapter first (merge_and_unload)." if isinstance(model, PeftModel) else ""
        raise TypeError(
            "Expected a MotionGPTForReward, a MotionGPTForPreference to begin as, or the name of a checkpoint of one, "
            f"got {type(base_of(model)).__name__}{' in PEFT' if merge else ''}.{merge}"
        )
    return model


def with_head(peft_config: Any) -> Any:
    """An adapter's configuration that also trains and saves the head, which is new and would stay random.

    Args:
        peft_config (`PeftConfig`, *optional*): left as it is.

    Returns:
        `PeftConfig` or `None`: a copy.
    """
    if peft_config is None:
        return None
    peft_config = copy.deepcopy(peft_config)
    saved = list(getattr(peft_config, "modules_to_save", None) or [])
    peft_config.modules_to_save = saved if _HEAD in saved else [*saved, _HEAD]
    return peft_config


def row_ids(model: MotionGPTForReward, prompt: Any, motion: Any) -> list[int]:
    """Ids of a prompt with a motion, as `model.score` reads them.

    Args:
        model ([`MotionGPTForReward`]): whose processor is used.
        prompt (`list`): a conversation of one message.
        motion (`list`): of one message, in motion text.

    Returns:
        `list[int]`: closed by `</s>`.
    """
    codes = text_to_codes(content(motion), model.config.num_codes).codes
    return model.row_ids(content(prompt), codes)


def _architectures(name: str | Path) -> list[str]:
    """What a checkpoint holds; an original one says nothing, and holds a policy."""
    try:
        return list(MotionGPTConfig.from_pretrained(name).architectures or [])
    except OSError:
        return []


def _check_lengths(dataset: Any, max_length: int | None, name: str) -> None:
    """Raise where TRL would leave pairs out without a word."""
    if max_length is None or isinstance(dataset, IterableDataset):
        return
    lengths = [max(map(len, pair)) for pair in zip(*(dataset[column] for column in _IDS), strict=True)]
    if max(lengths) > max_length:
        i = lengths.index(max(lengths))
        raise ValueError(
            f"Row {i} of the {name} dataset has {lengths[i]} tokens and would be left out at max_length={max_length}; "
            "raise max_length."
        )
