"""How likely a model finds motions: log-probabilities of the tokens that write them.

completion_logps(model, ["a person jumps"], [codes])[0]   →  tensor [n + 3]: start, codes, end, </s>
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from .motion_coding import batches
from .motiongpt import MotionGPTForPreference


@torch.no_grad()
def completion_logps(
    model: MotionGPTForPreference, prompts: Sequence[str], codes: Sequence[Any], batch_size: int = 32
) -> list[Tensor]:
    """Log-probabilities of motions, token by token, at temperature 1.

    Args:
        model ([`MotionGPTForPreference`]): who is asked.
        prompts (`Sequence[str]`): what the motions are for; neutralised.
        codes (`Sequence`): codes of a motion for each prompt, `[n]` integers.
        batch_size (`int`, *optional*, defaults to 32): motions at once.

    Returns:
        `list[Tensor]`: for each motion `[n + 3]`, float32 on the CPU, nats: start, codes, end and `</s>`.

    Raises:
        ValueError: if there are not as many prompts as motions, or a prompt is empty or too long.
    """
    if len(prompts) != len(codes):
        raise ValueError(f"Expected a motion for each prompt, got {len(prompts)} prompts and {len(codes)} motions.")
    processor = model.processor
    asked = [processor.prompt_ids(prompt) for prompt in prompts]
    written = [processor.motion_ids(motion) for motion in codes]
    found: list[Tensor] = [torch.empty(0)] * len(prompts)
    training = model.training
    model.eval()
    try:
        for part in batches([a + b for a, b in zip(asked, written, strict=True)], batch_size):
            rows = [torch.tensor(asked[i] + written[i], device=model.device) for i in part]
            ids = nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=model.config.pad_token_id)
            mask = nn.utils.rnn.pad_sequence([torch.ones_like(row) for row in rows], batch_first=True)
            logits = model(input_ids=ids, attention_mask=mask).logits[:, :-1].float()
            logps = logits.log_softmax(-1).gather(-1, ids[:, 1:, None])[..., 0].cpu()
            for row, i in zip(logps, part, strict=True):
                start = len(asked[i]) - 1
                found[i] = row[start : start + len(written[i])].clone()
    finally:
        model.train(training)
    return found
