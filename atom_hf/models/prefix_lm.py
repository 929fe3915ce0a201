"""An encoder-decoder seen as a causal language model over `prompt </s> completion </s>`.

    columns    [pad]  a  man  jumps  </s>  <m_512>  <m_7>  <m_513>  </s>  [pad]
    encoder           a  man  jumps  </s>
    decoder                        start  <m_512>  <m_7>  <m_513>

The first attended `</s>` closes the prompt, and the decoder's start token stands in its place. Hidden states go back
to the columns they came from, so that column t scores the token in column t + 1, as every trainer for causal models
expects. T5's positions are relative, therefore padding on either side changes nothing, nor between the two.
"""

from typing import NamedTuple

import torch
from torch import Tensor

ONE_PROMPT_ONE_COMPLETION = (
    "Rows of this model are prompt </s> completion </s>. Give trainers conversational rows, as processor.as_messages "
    "makes them, with the tokenizer of the checkpoint as processing_class; its chat template closes both."
)
SCORED_PROMPT = (
    "Labels stand in the prompt, which the encoder reads and nothing predicts; score completions only "
    f"(completion_only_loss in SFTConfig). {ONE_PROMPT_ONE_COMPLETION}"
)

_GROUP = 16  # rows; fewer leave a core waiting, more bring padding back


class PrefixBatch(NamedTuple):
    """A batch, cut at the end of its prompts.

    Args:
        encoder_ids (`Tensor`): `[B, P]`.
        encoder_mask (`Tensor`): `[B, P]`, int64.
        decoder_ids (`Tensor`): `[B, C]`, beginning with the decoder's start token.
        decoder_mask (`Tensor`): `[B, C]`, int64.
        boundary (`Tensor`): `[B]`, column of the `</s>` that closes the prompt.
        step (`Tensor`): `[B, L]`, the decoder's step at each column of the row: 0 at the boundary, -1 before it.
    """

    encoder_ids: Tensor
    encoder_mask: Tensor
    decoder_ids: Tensor
    decoder_mask: Tensor
    boundary: Tensor
    step: Tensor


def prompt_end(input_ids: Tensor, mask: Tensor, eos: int) -> Tensor:
    """Column of the first attended `</s>` of each row, or the last column where there is none.

    Args:
        input_ids (`Tensor`): `[B, L]`.
        mask (`Tensor`): `[B, L]`, bool.
        eos (`int`): id of `</s>`.

    Returns:
        `Tensor`: `[B]`.
    """
    closing = (input_ids == eos) & mask
    return torch.where(closing.any(1), closing.int().argmax(1), input_ids.shape[1] - 1)


def split(input_ids: Tensor, mask: Tensor, *, eos: int, pad: int, start: int) -> PrefixBatch:
    """Cut rows into what the encoder and what the decoder reads.

    Args:
        input_ids (`Tensor`): `[B, L]`, `prompt </s> completion </s>` with padding on either side and between the two.
        mask (`Tensor`): `[B, L]`, bool, false at padding.
        eos (`int`): id of `</s>`.
        pad (`int`): id of the padding.
        start (`int`): id that the decoder starts with.

    Returns:
        [`PrefixBatch`]: with P and C as narrow as the batch allows.
    """
    boundary = prompt_end(input_ids, mask, eos)
    columns = torch.arange(input_ids.shape[1], device=input_ids.device)
    width = int(boundary.max()) + 1
    encoder_mask = (mask & (columns <= boundary[:, None]))[:, :width]
    encoder_ids = input_ids[:, :width].masked_fill(~encoder_mask, pad)
    # Attended columns behind the boundary, counted: padding between prompt and completion takes no step.
    written = mask & (columns > boundary[:, None])
    step = written.cumsum(1)
    taken = step[:, -1:]
    decoder_mask = torch.arange(int(taken.max()) + 1, device=input_ids.device) <= taken
    decoder_ids = torch.full_like(decoder_mask, pad, dtype=input_ids.dtype)
    decoder_ids.scatter_(1, step * written, input_ids)  # what is not written lands in the first column
    decoder_ids[:, 0] = start
    step = step.masked_fill(columns < boundary[:, None], -1)
    return PrefixBatch(encoder_ids, encoder_mask.long(), decoder_ids, decoder_mask.long(), boundary, step)


def length_groups(mask: Tensor) -> list[tuple[Tensor, int]]:
    """Rows of like length together, so that a group is as wide as its own longest row and not as the batch's.

    Args:
        mask (`Tensor`): `[B, C]`, 1 for the first steps of each row.

    Returns:
        `list[tuple[Tensor, int]]`: rows `[n]`, at most 16, and their width.
    """
    lengths, order = mask.sum(1).sort()
    return [(rows, int(longest[-1])) for rows, longest in zip(order.split(_GROUP), lengths.split(_GROUP), strict=True)]


def scatter(hidden: Tensor, step: Tensor) -> Tensor:
    """Hidden states of decoder steps at the columns that they belong to; zeros in the prompt.

    Args:
        hidden (`Tensor`): `[B, C, d]`.
        step (`Tensor`): `[B, L]`, step of each column, -1 in the prompt.

    Returns:
        `Tensor`: `[B, L, d]`.
    """
    index = step.clamp_min(0)[..., None].expand(-1, -1, hidden.shape[-1])
    return hidden.gather(1, index) * (step >= 0)[..., None].to(hidden.dtype)


def check_rows(input_ids: Tensor, mask: Tensor, eos: int) -> None:
    """Refuse rows that a causal model would learn from and this one would mislearn.

    Args:
        input_ids (`Tensor`): `[B, L]`.
        mask (`Tensor`): `[B, L]`, bool.
        eos (`int`): id of `</s>`.

    Raises:
        ValueError: if a row has nothing behind its first `</s>` (prompt and completion were joined without it), or
            something behind its second one (several turns, or rows packed together).
    """
    ends = ((input_ids == eos) & mask).int().cumsum(1)
    opened = ((ends >= 1) & mask).sum(1) - 1  # attended columns behind the first </s>
    missing = opened < 1
    if bool(missing.any()):
        raise ValueError(
            f"{int(missing.sum())} of {len(missing)} rows have nothing behind the first </s>: their prompt is not "
            f"closed, or they have no completion. {ONE_PROMPT_ONE_COMPLETION}"
        )
    # The second </s> and what follows it: more than one column means that something comes after the completion.
    longer = ((ends >= 2) & mask).sum(1) > 1
    if bool(longer.any()):
        raise ValueError(
            f"{int(longer.sum())} of {len(longer)} rows go on behind their second </s>: several turns, packed rows, "
            f"or a typed </s>. {ONE_PROMPT_ONE_COMPLETION}"
        )


def check_gradient(gradient: Tensor, boundary: Tensor) -> None:
    """Refuse a loss that scores columns of the prompt; as a hook on hidden states, before anything is learnt from it.

    Trainers that apply the output layer themselves keep their labels to themselves, but what they score sends a
    gradient. Plain strings come out like that: the trainer appends a `</s>`, the tokenizer another one, and the first
    of them closes a "prompt" in which the completion stands as well.

    Args:
        gradient (`Tensor`): `[B, L, d]`, of the loss with respect to the hidden states.
        boundary (`Tensor`): `[B]`, column of the `</s>` that closes the prompt; it and those behind it may be scored.

    Raises:
        ValueError: if a column before the boundary has a gradient.
    """
    columns = torch.arange(gradient.shape[1], device=gradient.device)
    if bool((gradient.abs().amax(-1) * (columns < boundary[:, None]) > 0).any()):
        raise ValueError(SCORED_PROMPT)


def check_closed_once(input_ids: Tensor, mask: Tensor, eos: int) -> None:
    """Refuse prompts of an encoder-decoder call that were closed by a chat template, and again by the tokenizer.

    Args:
        input_ids (`Tensor`): `[B, P]`.
        mask (`Tensor`): `[B, P]`, bool.
        eos (`int`): id of `</s>`.

    Raises:
        ValueError: if the last two tokens of every row are `</s>`.
    """
    twice = (input_ids[:, 1:] == eos) & (input_ids[:, :-1] == eos) & mask[:, 1:] & mask[:, :-1]
    last = torch.nn.functional.pad(mask[:, 2:], (0, 1), value=False)  # is something behind the pair?
    if bool((twice & ~last).any(1).all()):
        raise ValueError(
            "All prompts end with </s> twice: once from the chat template, once from the tokenizer, as in trainers "
            "that know encoder-decoders themselves (CPO, ORPO). Give those rows of plain strings; the tokenizer "
            "closes them."
        )


def unique_rows(ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor] | None:
    """Which rows of a batch differ, so that each is encoded once.

    Args:
        ids (`Tensor`): `[B, P]`, with one and the same id wherever the mask is 0.
        mask (`Tensor`): `[B, P]`.

    Returns:
        `tuple[Tensor, Tensor] | None`: indices of one row of each kind `[U]`, and for each row its kind `[B]`; None
            where all rows differ.
    """
    joined = torch.where(mask.bool(), ids, -1)
    _, kind = torch.unique(joined, dim=0, return_inverse=True)
    count = int(kind.max()) + 1
    if count == len(ids):
        return None
    first = torch.full((count,), len(ids), device=ids.device, dtype=torch.long)
    first.scatter_reduce_(0, kind, torch.arange(len(ids), device=ids.device), "amin")
    return first, kind
