"""Log-probabilities of the tokens that count, among the tokens that are possible.

score_compactly(model)   # after trl.trainer.utils.add_fused_lm_head(model)

Without Triton, TRL's fused head projects every column of a batch on the whole vocabulary, and masks what it did not
want afterwards. Of a batch of motions that is prompts, padding, and all words of a language: most of the work.
"""

from functools import wraps
from types import MethodType
from typing import Any

from torch import Tensor

_PER_TOKEN = ("log_probs", "entropy", "log_sum_sq_probs", "mean_logits", "is_top1")


def score_compactly(model: Any) -> None:
    """Give TRL's fused head the scored places of a batch alone, on the CPU; elsewhere it picks them itself.

    Args:
        model ([`MotionGPTForPreference`]): to which TRL has added its head; treated once, it stays as it is.
    """
    if not isinstance(model.forward, MethodType) or hasattr(model.forward.__func__, "compact"):
        return  # wrapped by somebody else, who knows where it runs; or by us
    fused: Any = model.forward.__func__

    @wraps(fused)
    def forward(
        self: Any, *args: Any, fused_lm_head: bool = False, labels: Any = None, shift_labels: Any = None, **kwargs: Any
    ) -> Any:
        if not fused_lm_head or labels is None or shift_labels is not None or labels.device.type != "cpu":
            given = {"fused_lm_head": fused_lm_head, "labels": labels, "shift_labels": shift_labels}
            return fused(self, *args, **given, **kwargs)
        places = labels[:, 1:] != -100
        with self.scored_at(places, labels[:, 1:][places]) as targets:
            output = fused(self, *args, fused_lm_head=True, shift_labels=targets[None], **kwargs)
        for name in _PER_TOKEN:
            setattr(output, name, _at(places, getattr(output, name)))
        output.label_mask = places
        return output

    forward.compact = True  # type: ignore[attr-defined]
    model.forward = MethodType(forward, model)


def _at(places: Tensor, values: Tensor | None) -> Tensor | None:
    """`[B, L - 1]`, zeros but for the places."""
    return None if values is None else values.new_zeros(places.shape).masked_scatter(places, values[0])
