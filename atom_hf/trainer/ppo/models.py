"""The three models of PPO from what a user hands in: a policy, its reference, and a value model.

models = ppo_models(policy, ref_model=None, value_model=None, rewards=[reward], lora=LoraConfig(…))
models.policy, models.reference, models.value
"""

import copy
from collections.abc import Sequence
from typing import Any, NamedTuple

from peft import PeftModel, get_peft_model

from ...models import MotionGPTForReward, MotionGPTForValue
from ..policy import base_of, check_reference, frozen_copy


class PPOModels(NamedTuple):
    """What PPO computes with.

    Args:
        policy ([`MotionGPTForPreference`] or `PeftModel` of one): writes motions.
        reference ([`MotionGPTForPreference`], *optional*): frozen; None where it is the policy without its adapter.
        value ([`MotionGPTForValue`]): expects rewards.
    """

    policy: Any
    reference: Any
    value: MotionGPTForValue


def ppo_models(
    model: Any, *, ref_model: Any, value_model: Any, rewards: Sequence[MotionGPTForReward], lora: Any
) -> PPOModels:
    """Put them together.

    Args:
        model ([`MotionGPTForPreference`] or `PeftModel` of one): the policy.
        ref_model ([`MotionGPTForPreference`], *optional*): by default the policy as it is now.
        value_model ([`MotionGPTForValue`] or `str`, *optional*): by default it begins as the first reward model, or as
            the policy, with a head of its own.
        rewards (`Sequence[MotionGPTForReward]`): reward models, if any.
        lora (`PeftConfig`, *optional*): adapter of a policy that has none.

    Returns:
        [`PPOModels`]: the policy with its adapter.

    Raises:
        TypeError: if one is of another kind.
        ValueError: if vocabularies differ, or an adapter is frozen.
    """
    check_reference(model, ref_model)
    adapted = isinstance(model, PeftModel)
    if adapted and not any(parameter.requires_grad for parameter in model.parameters()):
        raise ValueError("The adapter is frozen: load it with PeftModel.from_pretrained(…, is_trainable=True).")
    if ref_model is not None:
        ref_model.requires_grad_(False).eval()
    elif adapted:  # as it is now, the policy is not what lies below its adapter
        ref_model = _merged_copy(model)
    elif lora is None:
        ref_model = frozen_copy(model)
    if value_model is None:
        start = rewards[0] if rewards else MotionGPTForReward.from_policy(_merged_copy(model) if adapted else model)
        value_model = MotionGPTForValue.from_reward(start)
    elif isinstance(value_model, str):
        value_model = MotionGPTForValue.from_pretrained(value_model)
    _check_value(value_model, base_of(model))
    value_model.requires_grad_(True)
    policy = model if adapted or lora is None else get_peft_model(model, lora)
    return PPOModels(policy, ref_model, value_model)


def _merged_copy(model: PeftModel) -> Any:
    base = base_of(model)
    processor, base._processor = base.processor, None  # not copied, since nobody changes it
    try:
        copied = copy.deepcopy(model).merge_and_unload()
    finally:
        base._processor = processor
    copied._processor = processor
    return copied.requires_grad_(False).eval()


def _check_value(value: Any, policy: Any) -> None:
    if not isinstance(value, MotionGPTForValue):
        raise TypeError(f"Expected a value model that is a MotionGPTForValue, got {type(value).__name__}.")
    mine, theirs = ((m.config.vocab_size, m.config.num_codes) for m in (policy, value))
    if mine != theirs:
        raise ValueError(
            f"The value model has another vocabulary: {theirs[0]} tokens, {theirs[1]} of them motion codes; the "
            f"policy has {mine[0]} and {mine[1]}. A value model begins as a reward model of the same vocabulary, or "
            "is given: value_model=MotionGPTForValue.from_reward(MotionGPTForReward.from_policy(model))."
        )
