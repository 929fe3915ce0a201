"""The arithmetic of PPO on completions: penalties, rewards, advantages and losses, as pure functions.

rewards = token_rewards(scores, kl_penalty(logps, ref_logps), mask, kl_coef=0.05)      →  [B, C]
advantages, returns = gae(values, rewards, mask)                                       →  [B, C] each
policy_loss(new_logps, logps, advantages, mask).loss.backward()

B completions of C tokens; masks are 1 at what was written, `</s>` included, and 0 behind it and in completions that
nobody could score. Sums over processes go through `total`, so that all of them whiten by the same numbers.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

KL_PENALTIES = ("kl", "abs", "mse", "full")
Total = Callable[[Tensor], Tensor]  # a tensor's sum over all processes
_TINY = 1e-8


class Advantages(NamedTuple):
    """What `gae` finds.

    Args:
        advantages (`Tensor`): `[B, C]`, whitened, 0 where nothing was written.
        returns (`Tensor`): `[B, C]`, what the value model is to learn.
    """

    advantages: Tensor
    returns: Tensor


class PolicyLoss(NamedTuple):
    """What `policy_loss` finds.

    Args:
        loss (`Tensor`): scalar, with a gradient.
        clipfrac (`Tensor`): share of tokens whose ratio was clipped.
        approxkl (`Tensor`): half of the mean squared change of log-probability.
        ratio (`Tensor`): mean ratio of probabilities, new by old.
    """

    loss: Tensor
    clipfrac: Tensor
    approxkl: Tensor
    ratio: Tensor


class ValueLoss(NamedTuple):
    """What `value_loss` finds.

    Args:
        loss (`Tensor`): scalar, with a gradient.
        clipfrac (`Tensor`): share of tokens whose value was clipped.
        error (`Tensor`): mean squared error, not clipped.
    """

    loss: Tensor
    clipfrac: Tensor
    error: Tensor


def _here(values: Tensor) -> Tensor:
    return values


def masked_mean(values: Tensor, mask: Tensor, count: Tensor | float | None = None, total: Total = _here) -> Tensor:
    """Mean of what the mask leaves; 0 where it leaves nothing.

    Args:
        values (`Tensor`): `[B, C]`.
        mask (`Tensor`): `[B, C]`.
        count (`Tensor` or `float`, *optional*): divides the sum; the mask's own number by default.
        total (`Callable`, *optional*): sums over processes.

    Returns:
        `Tensor`: scalar.
    """
    summed = total(values.masked_fill(mask == 0, 0).sum())
    return summed / (total(mask.sum()).clamp(min=1) if count is None else count)


def masked_whiten(values: Tensor, mask: Tensor, *, shift_mean: bool = True, total: Total = _here) -> Tensor:
    """Values with variance 1, of what the mask leaves.

    Args:
        values (`Tensor`): `[B, C]`.
        mask (`Tensor`): `[B, C]`.
        shift_mean (`bool`, *optional*, defaults to `True`): also subtract the mean.
        total (`Callable`, *optional*): sums over processes.

    Returns:
        `Tensor`: `[B, C]`; what the mask leaves out is whitened by the same numbers. Values unchanged where fewer
            than two are left.
    """
    mean, scale = _moments(values, mask, total)
    whitened = (values - mean) * scale
    return whitened if shift_mean else whitened + mean


def _moments(values: Tensor, mask: Tensor, total: Total) -> tuple[Tensor, Tensor]:
    """Mean, and one over the deviation; 0 and 1 where there are fewer than two numbers."""
    count = total(mask.sum())
    if count < 2:
        return values.new_zeros(()), values.new_ones(())
    mean = masked_mean(values, mask, count, total)
    return mean, torch.rsqrt(masked_mean((values - mean) ** 2, mask, count - 1, total) + _TINY)


def kl_penalty(logps: Tensor, ref_logps: Tensor, kind: str = "kl") -> Tensor:
    """How far each token's probability is from the reference's.

    Args:
        logps (`Tensor`): `[B, C]` nats, of the tokens written; for `full` `[B, C, V]`, of all tokens.
        ref_logps (`Tensor`): of the same shape, from the reference.
        kind (`str`, *optional*, defaults to `"kl"`): `kl` (difference), `abs` (its size), `mse` (half its square), or
            `full` (Kullback-Leibler divergence).

    Returns:
        `Tensor`: `[B, C]`, nats.

    Raises:
        ValueError: if there is no such kind, or shapes differ.
    """
    if kind not in KL_PENALTIES:
        raise ValueError(f"Expected a KL penalty among {', '.join(KL_PENALTIES)}, got {kind!r}.")
    if logps.shape != ref_logps.shape or logps.ndim != (3 if kind == "full" else 2):
        wanted = "[B, C, V]" if kind == "full" else "[B, C]"
        raise ValueError(f"Expected two {wanted}, got {list(logps.shape)} and {list(ref_logps.shape)}.")
    difference = logps - ref_logps
    if kind == "full":
        return (logps.exp() * difference).sum(-1)
    if kind == "abs":
        return difference.abs()
    return 0.5 * difference**2 if kind == "mse" else difference


def token_rewards(scores: Tensor, kl: Tensor, mask: Tensor, *, kl_coef: float) -> Tensor:
    """Rewards of tokens: −kl_coef·KL each, and the completion's score at its last one.

    Args:
        scores (`Tensor`): `[B]`, unitless.
        kl (`Tensor`): `[B, C]`, nats.
        mask (`Tensor`): `[B, C]`; a row without any token gets no score.
        kl_coef (`float`): how much a nat costs.

    Returns:
        `Tensor`: `[B, C]`; not masked.

    Raises:
        ValueError: if shapes do not fit; `[B, 1]` scores would spread over the batch without a word.
    """
    if scores.shape != mask.shape[:1] or kl.shape != mask.shape or mask.ndim != 2:
        raise ValueError(
            f"Expected scores [B], KL [B, C] and mask [B, C], got {list(scores.shape)}, {list(kl.shape)} and "
            f"{list(mask.shape)}."
        )
    columns = torch.arange(mask.shape[1], device=mask.device)
    last = torch.where(mask != 0, columns, -1).amax(1, keepdim=True)
    return -kl_coef * kl + torch.where(columns == last, scores[:, None], 0.0)


def gae(
    values: Tensor,
    rewards: Tensor,
    mask: Tensor,
    *,
    gamma: float = 1.0,
    lam: float = 0.95,
    whiten_rewards: bool = False,
    total: Total = _here,
) -> Advantages:
    """Generalised advantage estimation (Schulman et al. 2016), whitened.

    With `whiten_rewards` rewards are divided by their deviation. The original also moves them, away from 0, so that
    each token costs something for being there (mean · (1/σ − 1), which is much, since nearly all tokens have a reward
    of almost 0); and it lets the moved zeros behind the end count, up to the width of the batch. Where only one of the
    two is mended, motions become shorter and shorter. Here 0 stays 0, and padding has no say.

    Args:
        values (`Tensor`): `[B, C]`, expected before each token.
        rewards (`Tensor`): `[B, C]`.
        mask (`Tensor`): `[B, C]`; nothing is worth anything behind the end.
        gamma (`float`, *optional*, defaults to 1): what a later reward counts.
        lam (`float`, *optional*, defaults to 0.95): between one step (0) and whole completions (1).
        whiten_rewards (`bool`, *optional*, defaults to `False`): rewards are divided by their deviation.
        total (`Callable`, *optional*): sums over processes.

    Returns:
        [`Advantages`]: without gradients.
    """
    values, rewards, mask = values.detach(), rewards.detach(), mask.to(values.dtype)
    values = values * mask
    rewards = rewards.masked_fill(mask == 0, 0)
    if whiten_rewards:
        rewards = rewards * _moments(rewards, mask, total)[1]
    later = torch.zeros_like(values[:, 0])
    following = torch.zeros_like(later)
    found = torch.zeros_like(values)
    for t in reversed(range(values.shape[1])):
        delta = rewards[:, t] + gamma * following - values[:, t]
        later = delta + gamma * lam * later
        found[:, t], following = later, values[:, t]
    advantages = masked_whiten(found, mask, total=total)
    return Advantages(advantages, found + values)


def policy_loss(
    logps: Tensor,
    old_logps: Tensor,
    advantages: Tensor,
    mask: Tensor,
    *,
    cliprange: float = 0.2,
    count: Tensor | float | None = None,
) -> PolicyLoss:
    """PPO's clipped objective (Schulman et al. 2017), negated.

    Args:
        logps (`Tensor`): `[B, C]` nats, with a gradient.
        old_logps (`Tensor`): `[B, C]`, when the tokens were drawn.
        advantages (`Tensor`): `[B, C]`.
        mask (`Tensor`): `[B, C]`.
        cliprange (`float`, *optional*, defaults to 0.2): how far a ratio may go from 1 for gain.
        count (`Tensor` or `float`, *optional*): divides the loss; by default the mask's number of tokens.

    Returns:
        [`PolicyLoss`]: loss and statistics.
    """
    change = (logps - old_logps).masked_fill(mask == 0, 0)
    ratio = change.exp()
    plain, clipped = -advantages * ratio, -advantages * ratio.clamp(1 - cliprange, 1 + cliprange)
    return PolicyLoss(
        masked_mean(torch.max(plain, clipped), mask, count),
        masked_mean((clipped > plain).to(ratio.dtype), mask).detach(),
        0.5 * masked_mean(change**2, mask).detach(),
        masked_mean(ratio, mask).detach(),
    )


def value_loss(
    values: Tensor,
    old_values: Tensor,
    returns: Tensor,
    mask: Tensor,
    *,
    cliprange: float = 0.2,
    count: Tensor | float | None = None,
) -> ValueLoss:
    """Half the squared error of values, of the worse of the value and its clipped form.

    Args:
        values (`Tensor`): `[B, C]`, with a gradient.
        old_values (`Tensor`): `[B, C]`, when the tokens were drawn.
        returns (`Tensor`): `[B, C]`.
        mask (`Tensor`): `[B, C]`.
        cliprange (`float`, *optional*, defaults to 0.2): how far a value may go from what it was.
        count (`Tensor` or `float`, *optional*): divides the loss; by default the mask's number of tokens.

    Returns:
        [`ValueLoss`]: loss and statistics.
    """
    near = torch.max(torch.min(values, old_values + cliprange), old_values - cliprange)
    plain, clipped = (values - returns) ** 2, (near - returns) ** 2
    return ValueLoss(
        0.5 * masked_mean(torch.max(plain, clipped), mask, count),
        masked_mean((clipped > plain).to(values.dtype), mask).detach(),
        masked_mean(plain, mask).detach(),
    )
