"""What trainers share that sample while they train: prompts that are checked, rewards that are, a real reference.

class MotionGRPOTrainer(OnlineTrainer, GRPOTrainer): …
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor

from .motion_trainer import MotionTrainer
from .policy import base_of, frozen_copy, load_policy
from .preference_rows import as_conversations, check_columns, checked
from .reward_functions import LARGEST_REWARD, CheckedReward, checked_rewards, without_verdict
from .row_faults import content, prompt_fault

_log = logging.getLogger(__name__)


class OnlineTrainer(MotionTrainer):
    """Mixed in before TRL's `GRPOTrainer` and `RLOOTrainer`.

    Overrides `__init__`, `_generate_and_score_completions` and `_calculate_rewards`:

    - Prompts are checked before the first step, and texts become conversations, which ask in the model's words.
    - The reference of a run without adapter is the policy as it was handed in, not what its name may load.
    - Sampling and the reference are free of NEFTune's noise.
    - Rewards are checked; a batch without any stops the run.
    """

    _config_class: Any = None
    _trl: Any = None  # module of TRL's trainer
    _silent: frozenset[str] = frozenset()  # functions that were reported

    def __init__(
        self: Any,
        model: Any,
        reward_funcs: Any = None,
        args: Any = None,
        *,
        train_dataset: Any = None,
        eval_dataset: Any = None,
        processing_class: Any = None,
        peft_config: Any = None,
        **kwargs: Any,
    ) -> None:
        args = self._config_class(type(self).__name__) if args is None else args
        model = load_policy(model, **{"dtype": torch.float32, **(args.model_init_kwargs or {})})
        base = base_of(model)
        tokenizer = processing_class or base.processor.tokenizer
        if not kwargs.get("environment_factory") or reward_funcs is not None:
            reward_funcs = checked_rewards(reward_funcs, args.reward_weights)
        if train_dataset is None and not kwargs.get("environment_factory"):
            raise ValueError("Expected train_dataset, rows with a prompt; got none.")
        longest = base.processor.max_length
        if train_dataset is not None:
            train_dataset = prepare_prompts(train_dataset, "train", tokenizer, longest)
            check_number(train_dataset, args)
        if isinstance(eval_dataset, dict):
            eval_dataset = {
                name: prepare_prompts(rows, name, tokenizer, longest) for name, rows in eval_dataset.items()
            }
        elif eval_dataset is not None:
            eval_dataset = prepare_prompts(eval_dataset, "eval", tokenizer, longest)
        if base is model and peft_config is None:
            peft_config = args.lora()
        whole = base is model and peft_config is None
        with _reference(self._trl, frozen_copy(model) if whole and args.beta else None):
            super().__init__(  # type: ignore[call-arg]
                model=model,
                reward_funcs=reward_funcs,
                args=args,
                train_dataset=train_dataset,
                eval_dataset=eval_dataset,
                processing_class=tokenizer,
                peft_config=peft_config,
                **kwargs,
            )

    def _generate_and_score_completions(self, inputs: Any) -> Any:
        with self._without_noise(), self._sampling():
            return super()._generate_and_score_completions(inputs)  # type: ignore[misc]

    def _calculate_rewards(self: Any, inputs: Any, prompts: Any, completions: Any, completion_ids_list: Any) -> Tensor:
        """TRL's, `[N, functions]` over all processes, NaN where a function gave None."""
        with _without(self._trl.logger.logger, "All reward functions returned None"):
            rewards: Tensor = super()._calculate_rewards(  # type: ignore[misc]
                inputs, prompts, completions, completion_ids_list
            )
        if bool((rewards.abs() > LARGEST_REWARD).any()):  # of a module, which TRL calls itself
            raise ValueError(
                f"A reward model gave {float(rewards.nan_to_num().abs().max()):g}; expected rewards within "
                f"±{LARGEST_REWARD:g}, since groups of larger ones cannot be compared in float32."
            )
        processor = base_of(self.accelerator.unwrap_model(self.model)).processor
        whole = sum(processor.decode_codes(ids).complete for ids in completion_ids_list)
        self._log_metric("completions/whole_motions", whole / len(completion_ids_list))
        none = torch.isnan(rewards).all(0).tolist()
        if all(none):
            raise ValueError(
                f"No reward function gave a reward for any of {len(rewards)} completions, so there is nothing to "
                f"learn: {without_verdict(self.reward_funcs, len(completion_ids_list), whole)} "
                + _advice(self, whole, len(completion_ids_list))
            )
        for function, nothing in zip(self.reward_funcs, none, strict=True):
            name = function.__name__ if isinstance(function, CheckedReward) else ""
            if nothing and name and name not in self._silent:
                self._silent = self._silent | {name}
                _log.warning(
                    "The reward function %s gave no reward for any of %d completions: %s",
                    name, len(rewards), without_verdict([function], len(completion_ids_list), whole),
                )  # fmt: skip
        return rewards


def prepare_prompts(dataset: Any, name: str, tokenizer: Any, longest: int) -> Any:
    """Prompts to sample for, as conversations, with all other columns.

    Args:
        dataset (`Dataset` or `IterableDataset`): with `prompt`, as text or conversation.
        name (`str`): of the split, for messages.
        tokenizer (`PreTrainedTokenizerBase`): with the model's chat template.
        longest (`int`): tokens that the model reads.

    Returns:
        `Dataset` or `IterableDataset`: of the same kind.

    Raises:
        ValueError: if there are no prompts, or some are empty, too long, or of several messages.
    """
    check_columns(dataset, ("prompt",), name)

    def fault(row: dict[str, Any]) -> str | None:
        if (found := prompt_fault(row["prompt"])) is not None:
            return found
        text = tokenizer.apply_chat_template(row["prompt"], tokenize=False)
        count = len(tokenizer(text, add_special_tokens=False).input_ids)
        if count <= longest:
            return None
        return f"the prompt has {count} tokens, and the model reads {longest}: {content(row['prompt'])[:60]!r}…"

    return checked(as_conversations(dataset, ("prompt",)), fault, name)


def check_number(dataset: Any, args: Any) -> None:
    """Raise where there are fewer prompts than one step samples for; TRL would end at step 0 without a word.

    Args:
        dataset (`Dataset` or `IterableDataset`): prompts; those of a stream are not counted.
        args ([`MotionGRPOConfig`] or [`MotionRLOOConfig`]): settings.

    Raises:
        ValueError: if there are too few.
    """
    needed = args.generation_batch_size // args.num_generations
    if hasattr(dataset, "__len__") and len(dataset) < needed:
        raise ValueError(
            f"The train dataset has {len(dataset)} prompts, and one generation needs {needed}: generation_batch_size "
            f"{args.generation_batch_size} for num_generations {args.num_generations}. Add prompts, or lower "
            "per_device_train_batch_size."
        )


@contextmanager
def _reference(module: Any, model: Any) -> Iterator[None]:
    """Where TRL would load a reference by the policy's name, it gets this one. None leaves TRL alone."""
    if model is None:
        yield
        return
    with patch.object(module, "create_model_from_path", lambda *_, **__: model):
        yield


@contextmanager
def _without(logger: logging.Logger, beginning: str) -> Iterator[None]:
    """Without messages that begin so: an unfinished motion is nothing unusual, and its ids tell nobody anything."""

    def others(record: logging.LogRecord) -> bool:
        return beginning not in str(record.msg)

    logger.addFilter(others)
    try:
        yield
    finally:
        logger.removeFilter(others)


def _advice(trainer: Any, whole: int, count: int) -> str:
    if whole == count:
        return "Look at the reward functions' columns: a judge of events reads the column 'scenario', or the prompt."
    if base_of(trainer.accelerator.unwrap_model(trainer.model)).config.motion_only:
        return f"Raise max_completion_length (now {trainer.max_completion_length}), or begin with a better model."
    return (
        f"Raise max_completion_length (now {trainer.max_completion_length}), or let the model write motion alone: "
        "model.restrict_to_motion()."
    )
