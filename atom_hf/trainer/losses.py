"""Preference losses where TRL has none, or none that knows how strong a preference is.

pair_losses("ipo", chosen, rejected, beta=0.1)                       →  [B]
pair_losses("sigmoid", chosen, rejected, beta=0.1, label_smoothing=torch.tensor([0.0, 0.3]))

A log-ratio is what a policy's log-probability of a completion exceeds its reference's by, in nats.
"""

import torch
from torch import Tensor, nn

PAIR_LOSSES = ("sigmoid", "hinge", "ipo", "kto_pair")
_PER_TOKEN = ("ipo",)  # of which the log-ratios are means over tokens


def pair_losses(
    loss_type: str,
    chosen_logratios: Tensor,
    rejected_logratios: Tensor,
    *,
    beta: float,
    label_smoothing: Tensor | float = 0.0,
    margin: Tensor | float = 0.0,
) -> Tensor:
    """Losses of pairs, as "Exploring Text-to-Motion Generation with Human Preference" compares them.

    With Δ the chosen log-ratio less the rejected one:

    - sigmoid: −log σ(βΔ − m) (Rafailov et al. 2023; a margin is the offset of Amini et al. 2024)
    - hinge: max(0, 1 − βΔ + m) (Zhao et al. 2023)
    - ipo: (Δ − m/β − 1/2β)² on means over tokens (Azar et al. 2023, eq. 17)
    - kto_pair: 1 − σ(β(chosen − KL of rejected)) and 1 − σ(β(KL of chosen − rejected)), where a KL is the batch's mean
      log-ratio, not below 0; the mean of both is a pair's loss. As in TRL 0.8.1, with which the paper was made, the
      KL has a gradient as well.

    A label that is wrong with probability ε counts (1 − ε) as it is and ε turned round (cDPO); for IPO that is a
    target of (1 − 2ε)/2β. A margin says by how much more a strong preference has to show.

    Args:
        loss_type (`str`): one of `PAIR_LOSSES`.
        chosen_logratios (`Tensor`): `[B]`, nats; of IPO divided by the number of tokens.
        rejected_logratios (`Tensor`): `[B]`.
        beta (`float`): above 0; how much a log-ratio counts.
        label_smoothing (`Tensor` or `float`, *optional*, defaults to 0): ε, `[B]` or one for all, 0 to 0.5.
        margin (`Tensor` or `float`, *optional*, defaults to 0): m, `[B]` or one for all, in units of βΔ.

    Returns:
        `Tensor`: `[B]`.

    Raises:
        ValueError: if there is no such loss, it knows no margin or smoothing, shapes differ, or beta is not above 0.
    """
    if loss_type not in PAIR_LOSSES:
        raise ValueError(f"Expected a loss among {', '.join(PAIR_LOSSES)}, got {loss_type!r}.")
    if not beta > 0:
        raise ValueError(f"Expected a beta above 0, got {beta}.")
    if chosen_logratios.shape != rejected_logratios.shape or chosen_logratios.ndim != 1:
        raise ValueError(
            f"Expected log-ratios [B] and [B], got {list(chosen_logratios.shape)} and "
            f"{list(rejected_logratios.shape)}."
        )
    if loss_type == "kto_pair":
        if _any(label_smoothing) or _any(margin):
            raise ValueError("kto_pair has neither margin nor label smoothing; use degrees as weights.")
        return _kto_pair(chosen_logratios, rejected_logratios, beta)
    delta = chosen_logratios - rejected_logratios
    shift = margin / beta
    if not _any(label_smoothing):
        return _one_way(loss_type, delta - shift, beta)
    right, wrong = _one_way(loss_type, delta - shift, beta), _one_way(loss_type, -delta - shift, beta)
    return (1 - label_smoothing) * right + label_smoothing * wrong


def kto_pair_losses(ratios: Tensor, good: Tensor, kl_of_good: Tensor, kl_of_bad: Tensor, beta: float) -> Tensor:
    """Losses of the paired form of KTO, motion by motion.

    A good motion's is 1 − σ(β(its log-ratio − KL of the bad ones)), a bad one's 1 − σ(β(KL of the good ones − its
    log-ratio)).

    Args:
        ratios (`Tensor`): `[B]`, log-ratios in nats.
        good (`Tensor`): `[B]`, booleans.
        kl_of_good (`Tensor`): a scalar, nats, at least 0.
        kl_of_bad (`Tensor`): a scalar.
        beta (`float`): above 0; how much a log-ratio counts.

    Returns:
        `Tensor`: `[B]`, 0 to 1.
    """
    return 1 - torch.sigmoid(beta * torch.where(good, ratios - kl_of_bad, kl_of_good - ratios))


def per_token(loss_type: str) -> bool:
    """Whether a loss takes means over tokens instead of sums.

    Args:
        loss_type (`str`): one of `PAIR_LOSSES`.

    Returns:
        `bool`: True for IPO, whose squares would otherwise grow with the length of a motion.
    """
    return loss_type in _PER_TOKEN


def margin_losses(chosen_rewards: Tensor, rejected_rewards: Tensor, margin: Tensor | float = 0.0) -> Tensor:
    """Losses of a reward model: −log σ(chosen − rejected − margin), element by element (Touvron et al. 2023).

    Args:
        chosen_rewards (`Tensor`): `[B]`.
        rejected_rewards (`Tensor`): `[B]`.
        margin (`Tensor` or `float`, *optional*, defaults to 0): `[B]` or one for all; larger for stronger preferences.

    Returns:
        `Tensor`: `[B]`.

    Raises:
        ValueError: if shapes are not `[B]`; `[B, 1]` less `[B]` would be `[B, B]` without a word.
    """
    shapes = [list(chosen_rewards.shape), list(rejected_rewards.shape)]
    shapes += [list(margin.shape)] if isinstance(margin, Tensor) and margin.ndim else []
    if chosen_rewards.ndim != 1 or any(shape != shapes[0] for shape in shapes):
        raise ValueError(f"Expected rewards and margins [B], got {', '.join(map(str, shapes))}.")
    return -nn.functional.logsigmoid(chosen_rewards - rejected_rewards - margin)


def _one_way(loss_type: str, delta: Tensor, beta: float) -> Tensor:
    if loss_type == "sigmoid":
        return -nn.functional.logsigmoid(beta * delta)
    if loss_type == "hinge":
        return torch.relu(1 - beta * delta)
    return (delta - 1 / (2 * beta)) ** 2


def _kto_pair(chosen: Tensor, rejected: Tensor, beta: float) -> Tensor:
    kl_of_chosen, kl_of_rejected = (ratios.mean().clamp(min=0) for ratios in (chosen, rejected))
    both = torch.cat([chosen, rejected])
    good = torch.arange(len(both), device=both.device) < len(chosen)
    return kto_pair_losses(both, good, kl_of_chosen, kl_of_rejected, beta).view(2, -1).mean(0)


def _any(value: Tensor | float) -> bool:
    return bool((value != 0).any()) if isinstance(value, Tensor) else value != 0
