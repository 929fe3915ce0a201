"""Looking at a policy in the middle of its training without leaving a trace, and at what it is compared with."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from peft import PeftModel
from trl.trainer.utils import use_adapter

from ..policy import base_of


@contextmanager
def undisturbed(model: Any) -> Iterator[None]:
    """In evaluation mode and without gradients; afterwards every module has its mode, every generator its state.

    So that a training with a look at it takes the same course as one without.

    Args:
        model (`nn.Module`): what is trained.
    """
    modes = [(module, module.training) for module in model.modules()]
    device = next(model.parameters()).device
    drawn = random.getstate(), np.random.get_state()
    try:
        with torch.random.fork_rng([device] if device.type == "cuda" else []), torch.no_grad():
            model.eval()
            yield
    finally:
        random.setstate(drawn[0])
        np.random.set_state(drawn[1])
        for module, training in modes:
            module.training = training


@contextmanager
def reference_of(model: Any, trainer: Any = None, reference: Any = None) -> Iterator[Any]:
    """What a policy is compared with, if there is anything.

    Args:
        model (`Any`): the policy, in PEFT or not.
        trainer (`Trainer`, *optional*): its `ref_model` is taken, if it keeps one.
        reference ([`MotionGPTForPreference`], *optional*): taken before all others.

    Yields:
        [`MotionGPTForPreference`]: the reference in evaluation mode: that model, the policy with the adapter that it
            had before or with none; or None.
    """
    kept = None if trainer is None else getattr(trainer, "ref_model", None)
    if reference is None and kept is not None:
        reference = trainer.accelerator.unwrap_model(kept)
    if reference is not None:
        base = base_of(reference)
        if base.device != base_of(model).device:
            base.to(base_of(model).device)
        base.eval()
        yield base
    elif isinstance(model, PeftModel):
        # An adapter that was there before is copied by TRL's trainers, under this name.
        with use_adapter(model, "ref" if "ref" in model.peft_config else None):
            yield base_of(model)
    else:
        yield None
