"""Policies and references: what is trained, and what it may not move far from.

model, ref_model, peft_config = policy_and_reference(model, None, args, peft_config=None, rows=2000)
"""

import copy
from pathlib import Path
from typing import Any

from accelerate.utils import parse_flag_from_env
from peft import PeftModel
from trl.trainer.utils import disable_dropout_in_model

from ..models import MotionGPTForPreference


def policy_and_reference(
    model: Any, ref_model: Any, args: Any, *, peft_config: Any, rows: int | None
) -> tuple[Any, Any, Any]:
    """What a trainer with a reference begins with.

    Args:
        model ([`MotionGPTForPreference`], `PeftModel` or `str`): what is trained; by name also original checkpoints.
        ref_model ([`MotionGPTForPreference`], *optional*): by default the model as it is now: without its adapter, or
            an exact copy.
        args ([`MotionDPOConfig`] or [`MotionKTOConfig`]): settings; what cannot be done is switched off in them.
        peft_config (`PeftConfig`, *optional*): by default the LoRA of `args`.
        rows (`int`, *optional*): to train on; None for a stream, where there is no place to keep a reference's scores.

    Returns:
        `tuple`: model, reference and adapter for TRL; no reference where TRL makes it of the model, or needs none.

    Raises:
        TypeError: if a model is of another kind.
        ValueError: if the reference is the policy itself, or has another vocabulary.
    """
    model = load_policy(model, **(args.model_init_kwargs or {}))
    check_reference(model, ref_model)
    without_dropout(model, args)
    if rows is None:
        args.precompute_ref_log_probs = False
    elif args.precompute_ref_log_probs is None:
        args.precompute_ref_log_probs = precomputing_pays(args, rows)
    if base_of(model) is not model:
        return model, ref_model, peft_config
    peft_config = args.lora() if peft_config is None else peft_config
    sharded = bool(args.fsdp) or parse_flag_from_env("ACCELERATE_USE_FSDP")  # needs one to precompute as well
    if peft_config is None and ref_model is None and (sharded or not args.precompute_ref_log_probs):
        ref_model = frozen_copy(model)
    return model, ref_model, peft_config


def precomputing_pays(args: Any, rows: int) -> bool:
    """Whether a run sees so many rows that its reference had better score each of them once, before it begins.

    A short run sees few of them, and none twice; then the reference scores what is seen.

    Args:
        args ([`MotionDPOConfig`] or [`MotionKTOConfig`]): settings.
        rows (`int`): how many there are at most.

    Returns:
        `bool`: False as well for a reference that moves (`sync_ref_model`).
    """
    if getattr(args, "sync_ref_model", False):
        return False
    if args.max_steps <= 0:
        return bool(args.num_train_epochs >= 1)
    seen = args.max_steps * args.train_batch_size * args.gradient_accumulation_steps * args.world_size
    return bool(seen >= rows)


def load_policy(model: Any, **init_kwargs: Any) -> Any:
    """The model to train: itself, or loaded by name.

    Args:
        model ([`MotionGPTForPreference`], `PeftModel` of one, or `str`): a name is a folder, a Hub repository or an
            original checkpoint.
        init_kwargs (`Any`): of `from_pretrained`.

    Returns:
        The model.

    Raises:
        TypeError: if it is another kind of model.
    """
    if isinstance(model, str | Path):
        model = MotionGPTForPreference.from_pretrained(model, **init_kwargs)
    if not isinstance(base_of(model), MotionGPTForPreference):
        raise TypeError(
            f"Expected a MotionGPTForPreference, one in PEFT, or the name of a checkpoint, got {type(model).__name__}."
        )
    return model


def base_of(model: Any) -> Any:
    """A model without the adapter around it.

    Args:
        model (`Any`): in PEFT or not.

    Returns:
        The model below.
    """
    return model.get_base_model() if isinstance(model, PeftModel) else model


def without_dropout(model: Any, args: Any) -> None:
    """Switch a model's dropout off before it gets its adapter, so that the adapter's stays.

    TRL's `disable_dropout` comes after the adapter and would silence `lora_dropout` as well; what it was asked for is
    done here, and it is told so.

    Args:
        model (`Any`): in PEFT already, it is left to TRL.
        args (`Any`): of the trainer; `disable_dropout` becomes False.
    """
    if args.disable_dropout and base_of(model) is model:
        disable_dropout_in_model(model)
        args.disable_dropout = False


def frozen_copy(model: Any) -> Any:
    """A reference: the same weights, without gradients. Loading them by name again might bring other ones.

    Args:
        model ([`MotionGPTForPreference`]): not in PEFT, where the reference is the model without its adapter.

    Returns:
        [`MotionGPTForPreference`]: in evaluation mode.
    """
    processor, model._processor = model._processor, None  # not copied, since nobody changes it
    try:
        reference = copy.deepcopy(model)
    finally:
        model._processor = processor
    reference._processor = processor
    return reference.requires_grad_(False).eval()


def check_reference(model: Any, reference: Any) -> None:
    """Raise where a reference cannot score what the policy writes.

    Args:
        model ([`MotionGPTForPreference`]): the policy, in PEFT or not.
        reference (`Any`): a model, or None.

    Raises:
        TypeError: if it is no model of this kind.
        ValueError: if it is the policy itself, or has another vocabulary.
    """
    if reference is None:
        return
    if reference is model:
        raise ValueError("The reference is the policy itself; leave ref_model out, and a copy is made.")
    policy, other = base_of(model).config, getattr(base_of(reference), "config", None)
    if not isinstance(base_of(reference), MotionGPTForPreference) or other is None:
        raise TypeError(f"Expected a reference that is a MotionGPTForPreference, got {type(reference).__name__}.")
    mine, theirs = ((c.vocab_size, c.num_codes) for c in (policy, other))
    if mine != theirs:
        raise ValueError(
            f"The reference has another vocabulary: {theirs[0]} tokens, {theirs[1]} of them motion codes; the policy "
            f"has {mine[0]} and {mine[1]}. Take the checkpoint that the policy began as, or leave ref_model out."
        )
