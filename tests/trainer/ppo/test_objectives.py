"""PPO's arithmetic, written out, and against numbers that TRL 0.8 computed when it still had a PPO."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from atom_hf.trainer.ppo.kl_control import AdaptiveKL, FixedKL
from atom_hf.trainer.ppo.objectives import (
    KL_PENALTIES,
    Advantages,
    gae,
    kl_penalty,
    masked_mean,
    masked_whiten,
    policy_loss,
    token_rewards,
    value_loss,
)
from atom_hf.trainer.ppo.running_moments import RunningMoments


class Golden:
    """Arrays `ppo/…` as tensors, and the numbers beside them."""

    def __init__(self, folder: Path) -> None:
        with np.load(folder / "f_pref_losses.npz") as data:
            self.arrays = {name[4:]: data[name] for name in data.files if name.startswith("ppo/")}
        self.told: dict[str, Any] = json.loads((folder / "f_pref_losses.json").read_text())

    def __getitem__(self, name: str) -> Tensor:
        return torch.from_numpy(np.array(self.arrays[name]))


@pytest.fixture(scope="module")
def golden(shared: Path) -> Golden:
    return Golden(shared / "golden")


def near(found: Tensor | float, expected: Tensor | float, atol: float = 1e-6) -> None:
    np.testing.assert_allclose(np.asarray(found), np.asarray(expected), rtol=1e-5, atol=atol)


# Against TRL 0.8 -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [*KL_PENALTIES, "motion"])
def test_rewards_and_kl(golden, kind):
    """InstructMotion's `motion` penalty is the full divergence under another name."""
    full = kind in ("full", "motion")
    logps, ref = (golden[f"full_{n}" if full else n] for n in ("logprobs", "ref_logprobs"))
    kl = kl_penalty(logps, ref, "full" if full else kind)
    near(kl, golden[f"{kind}/kl"])
    near(token_rewards(golden["scores"], kl, golden["mask"], kl_coef=0.05), golden[f"{kind}/rewards"])


def estimated(golden: Golden, kind: str, whiten: int) -> Advantages:
    """Advantages and returns; with whitened rewards as TRL 0.8 has them, where padding counts as well."""
    values, rewards, mask = golden["values"], golden[f"{kind}/rewards"], golden["mask"]
    if not whiten:
        return gae(values, rewards, mask)
    leaking = masked_whiten(rewards * mask, mask, shift_mean=False)
    assert leaking[mask == 0].all()
    returns = gae(values * mask, leaking, torch.ones_like(mask)).returns
    return Advantages(masked_whiten(returns - values * mask, mask), returns)


def test_whitened_rewards_leave_zero_where_it_is(golden):
    """TRL 0.8 moves zeros, so that tokens cost something, and padding as well; by how much is written out here."""
    rewards, mask = golden["kl/rewards"], golden["mask"]
    inside = (rewards * mask)[mask == 1]
    scale = 1 / (inside.var() + 1e-8) ** 0.5
    found = gae(golden["values"], rewards, mask, whiten_rewards=True).returns
    near(found, gae(golden["values"], rewards * scale, mask).returns)
    # The one row that fills its batch differs from TRL's by the cost of its tokens, from the next-to-last on.
    cost = inside.mean() * (1 - scale)
    late = golden["kl/whiten1/returns"][0, -2:] - found[0, -2:]
    near(late, torch.stack([cost * (1 + 0.95), cost]), atol=1e-5)
    free = gae(torch.zeros(2, 4), torch.eye(4)[[1, 3]], torch.tensor([[1, 1, 0, 0], [1, 1, 1, 1]]), lam=1.0,
               whiten_rewards=True).returns  # fmt: skip
    near(free[0, :2], free[1, :2])  # one reward each, and it does not matter how many tokens wrote it


@pytest.mark.parametrize("whiten", [0, 1])
@pytest.mark.parametrize("kind", [*KL_PENALTIES, "motion"])
def test_advantages(golden, kind, whiten):
    found, mask = estimated(golden, kind, whiten), golden["mask"].bool()
    near(found.advantages[mask], golden[f"{kind}/whiten{whiten}/advantages"][mask], atol=2e-6)
    near(found.returns[mask], golden[f"{kind}/whiten{whiten}/returns"][mask], atol=2e-6)


@pytest.mark.parametrize("whiten", [0, 1])
def test_losses_gradients_and_statistics(golden, whiten):
    told, mask = golden.told[f"ppo_stats_whiten{whiten}"], golden["mask"]
    logps, values = (golden[name].requires_grad_() for name in ("logprobs", "vpreds"))
    estimate = estimated(golden, "kl", whiten)
    policy = policy_loss(logps, golden["old_logprobs"], estimate.advantages, mask)
    value = value_loss(values, golden["values"] * mask, estimate.returns, mask)
    (policy.loss + 0.1 * value.loss).backward()
    near(policy.loss.detach(), golden[f"loss/whiten{whiten}/pg_loss"])
    near(0.1 * value.loss.detach(), golden[f"loss/whiten{whiten}/vf_loss_scaled"])
    assert logps.grad is not None and values.grad is not None
    near(logps.grad, golden[f"loss/whiten{whiten}/grad_logprobs"])
    near(values.grad, golden[f"loss/whiten{whiten}/grad_vpreds"])
    near(policy.approxkl, told["policy/approxkl"])
    near(policy.clipfrac, told["policy/clipfrac"])
    near(value.clipfrac, told["val/clipfrac"])
    near(value.error, told["val/error"])
    near(masked_mean(estimate.returns, mask), told["returns/mean"])
    near(masked_mean(values.detach(), mask), told["val/vpred"])


def test_running_moments(golden):
    moments = RunningMoments()
    for step in golden.told["running_moments"]:
        x = torch.tensor(step["x"])
        moments.update(x)
        near(moments.mean, step["running_mean"])
        near(moments.std, step["running_std"])
        near(moments.var, step["running_var"])
        assert moments.count == step["count"]
        near(moments.scaled(x, shift=True), step["scaled_norm"])
        near(moments.scaled(x), step["scaled_only"])


def test_adaptive_kl(golden):
    told = golden.told["adaptive_kl"]
    control = AdaptiveKL(told["init"], told["target"], told["horizon"])
    for step in told["seq"]:
        control.update(step["kl"], step["n"])
        near(control.value, step["coef"], atol=0)


# Written out ---------------------------------------------------------------------------------------------------------


def test_penalties_by_hand():
    p, q = torch.tensor([[-1.0, -2.0]]), torch.tensor([[-1.5, -1.0]])
    assert kl_penalty(p, q).tolist() == [[0.5, -1.0]]
    assert kl_penalty(p, q, "abs").tolist() == [[0.5, 1.0]]
    assert kl_penalty(p, q, "mse").tolist() == [[0.125, 0.5]]
    half, skew = torch.tensor([[[0.5, 0.5]]]).log(), torch.tensor([[[0.9, 0.1]]]).log()
    near(kl_penalty(half, skew, "full"), [[0.5 * np.log(0.5 / 0.9) + 0.5 * np.log(0.5 / 0.1)]])
    assert kl_penalty(half, half, "full").tolist() == [[0.0]]


def test_the_score_is_the_last_tokens():
    mask = torch.tensor([[1, 1, 1], [1, 0, 0], [0, 0, 0]])
    kl = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [0.0, 0.0, 0.0]])
    found = token_rewards(torch.tensor([10.0, 20.0, 30.0]), kl, mask, kl_coef=0.5)
    assert found[0].tolist() == [-0.5, -1.0, 8.5]
    assert found[1].tolist() == [18.0, -2.5, -3.0]
    assert found[2].tolist() == [0.0, 0.0, 0.0]  # no token, no score


def test_advantages_by_hand():
    rewards, values = torch.tensor([[1.0, 0.0, 2.0]]), torch.tensor([[0.5, 1.0, 1.5]])
    found = gae(values, rewards, torch.ones(1, 3), gamma=0.9, lam=0.8)
    last = 2.0 - 1.5
    middle = (0.0 + 0.9 * 1.5 - 1.0) + 0.9 * 0.8 * last
    first = (1.0 + 0.9 * 1.0 - 0.5) + 0.9 * 0.8 * middle
    raw = np.array([first, middle, last])
    near(found.returns[0], raw + np.array([0.5, 1.0, 1.5]))
    near(found.advantages[0], (raw - raw.mean()) / raw.std(ddof=1))


def test_of_whole_completions_returns_are_what_is_still_to_come():
    rewards = torch.tensor([[1.0, 2.0, 4.0, 0.0], [8.0, 16.0, 0.0, 0.0]])
    mask = torch.tensor([[1, 1, 1, 0], [1, 1, 0, 0]])
    found = gae(torch.randn(2, 4), rewards, mask, lam=1.0)
    near(found.returns, [[7.0, 6.0, 4.0, 0.0], [24.0, 16.0, 0.0, 0.0]])


def test_what_stands_behind_the_end_changes_nothing():
    torch.manual_seed(0)
    values, rewards = torch.randn(2, 5), torch.randn(2, 5)
    mask = torch.tensor([[1, 1, 1, 0, 0], [1, 1, 1, 1, 0]])
    found = gae(values, rewards, mask, whiten_rewards=True)
    values, rewards = (x.masked_fill(mask == 0, 1e4) for x in (values, rewards))
    again = gae(values, rewards, mask, whiten_rewards=True)
    wider = gae(*(torch.nn.functional.pad(x, (0, 3)) for x in (values, rewards, mask)), whiten_rewards=True)
    for other in (again.advantages, wider.advantages[:, :5]):
        near(found.advantages[mask.bool()], other[mask.bool()])
    rewards[mask == 0] = float("nan")
    assert bool(gae(values, rewards, mask).advantages[mask.bool()].isfinite().all())


def test_a_completion_without_a_score_changes_nothing():
    torch.manual_seed(1)
    values, rewards, mask = torch.randn(3, 4), torch.randn(3, 4), torch.ones(3, 4)
    mask[1] = 0
    found, without = gae(values, rewards, mask), gae(values[[0, 2]], rewards[[0, 2]], mask[[0, 2]])
    near(found.advantages[[0, 2]], without.advantages)
    for losses in (policy_loss, value_loss):
        third = (values if losses is value_loss else -values).clone().requires_grad_()
        args = (rewards, found.advantages) if losses is policy_loss else (values + 0.3, found.returns)
        loss = losses(third, *args, mask).loss
        loss.backward()
        assert third.grad is not None and not third.grad[1].any() and third.grad[0].any()
        kept = [x[[0, 2]] for x in (third.detach(), *args, mask)]
        near(loss.detach(), losses(*kept).loss)


def test_no_completion_with_a_score():
    x, mask = torch.randn(2, 3, requires_grad=True), torch.zeros(2, 3)
    estimate = gae(x, torch.randn(2, 3), mask, whiten_rewards=True)
    loss = policy_loss(x, x.detach() + 1, estimate.advantages, mask).loss + value_loss(x, x, x, mask).loss
    loss.backward()
    assert loss == 0 and x.grad is not None and not x.grad.any()


def test_policy_loss_by_hand():
    # ratios 1, 2, 0.5 and 2: only gain is clipped, never harm
    old = torch.zeros(1, 4)
    new = torch.tensor([[1.0, 2.0, 0.5, 2.0]]).log().requires_grad_()
    found = policy_loss(new, old, torch.tensor([[1.0, 1.0, -1.0, -1.0]]), torch.ones(1, 4))
    near(found.loss.detach(), (-1.0 - 1.2 + 0.8 + 2.0) / 4)
    near(found.ratio, 5.5 / 4)
    near(found.approxkl, 0.5 * 3 * np.log(2) ** 2 / 4)
    assert found.clipfrac == 0.5
    found.loss.backward()
    assert new.grad is not None
    near(new.grad, [[-0.25, 0.0, 0.0, 0.5]])  # d/dx of −A·eˣ; nothing where it is clipped


def test_value_loss_by_hand():
    old, returns = torch.zeros(1, 3), torch.tensor([[1.0, 1.0, -1.0]])
    values = torch.tensor([[0.1, 0.5, 0.5]], requires_grad=True)
    found = value_loss(values, old, returns, torch.ones(1, 3))
    near(found.loss.detach(), 0.5 * (0.9**2 + 0.8**2 + 1.5**2) / 3)  # 0.5 is clipped to 0.2, where that is worse
    near(found.error, (0.9**2 + 0.5**2 + 1.5**2) / 3)
    near(found.clipfrac, 1 / 3)
    found.loss.backward()
    assert values.grad is not None
    near(values.grad, [[-0.3, 0.0, 0.5]])


def test_parts_of_a_batch_sum_up_to_it():
    """With the whole's count, losses of parts are summands: what accumulation and processes rely on."""
    torch.manual_seed(2)
    new, old, advantages, mask = torch.randn(4, 5), torch.randn(4, 5), torch.randn(4, 5), torch.ones(4, 5)
    mask[0, 1:] = 0
    for losses in (policy_loss, value_loss):
        whole = losses(new, old, advantages, mask).loss
        parts = [
            losses(*(x[i] for x in (new, old, advantages, mask)), count=mask.sum()).loss for i in ([0], [1, 2, 3])
        ]
        near(sum(parts), whole)


def test_processes_whiten_by_the_same_numbers():
    torch.manual_seed(3)
    values, rewards, mask = torch.randn(4, 5), torch.randn(4, 5), torch.ones(4, 5)
    mask[0, 2:] = 0
    whole = gae(values, rewards, mask, whiten_rewards=True)
    # Two processes, each with half of the rows; what one of them asks to be summed, the other answers in turn.
    asked: list[list[Tensor]] = [[], []]
    for _ in range(10):  # fixed point: each round one more of the sums is known
        for rank, rows in enumerate((slice(0, 2), slice(2, 4))):
            mine: list[Tensor] = []
            other = asked[1 - rank]

            def total(x: Tensor, mine: list[Tensor] = mine, other: list[Tensor] = other) -> Tensor:
                mine.append(x)
                return x + other[len(mine) - 1] if len(mine) <= len(other) else x

            found = gae(values[rows], rewards[rows], mask[rows], whiten_rewards=True, total=total)
            asked[rank] = mine
            if _ == 9:
                near(found.advantages, whole.advantages[rows], atol=1e-5)
                near(found.returns, whole.returns[rows], atol=1e-5)


def test_whitening_keeps_the_mean():
    x = torch.tensor([[1.0, 3.0, 100.0]])
    mask = torch.tensor([[1, 1, 0]])
    near(masked_whiten(x, mask)[0, :2], [-(0.5**0.5), 0.5**0.5])
    near(masked_whiten(x, mask, shift_mean=False)[0, :2], [2 - 0.5**0.5, 2 + 0.5**0.5])
    assert torch.equal(masked_whiten(x, torch.tensor([[0, 1, 0]])), x)  # one number has no deviation


def test_moments_of_few_and_of_equal_numbers():
    moments = RunningMoments()
    moments.update(torch.empty(0))
    assert (moments.count, moments.std) == (0, 1.0)
    moments.update(torch.tensor([5.0]))
    assert (moments.mean, moments.std) == (5.0, 1.0)
    moments.update(torch.tensor([5.0, 5.0]))
    assert moments.std == 1.0 and moments.scaled(torch.tensor([5.0])).tolist() == [5.0]
    moments.update(torch.tensor([1.0]))
    near(moments.std, np.std([5, 5, 5, 1], ddof=1))
    assert moments.scaled(torch.tensor([50.0, -50.0]), clip=2.0).tolist() == [2.0, -2.0]
    other = RunningMoments()
    other.load_state_dict(moments.state_dict())
    assert vars(other) == vars(moments)


def test_coefficients():
    fixed, adaptive = FixedKL(0.05), AdaptiveKL(0.05, target=6, horizon=100)
    for control in (fixed, adaptive):
        control.update(600.0, 32)
    assert fixed.value == 0.05
    near(adaptive.value, 0.05 * (1 + 0.2 * 32 / 100))


def test_errors():
    x = torch.zeros(2, 3)
    with pytest.raises(ValueError, match="Expected a KL penalty among kl, abs, mse, full, got 'kll'"):
        kl_penalty(x, x, "kll")
    with pytest.raises(ValueError, match=r"Expected two \[B, C, V\], got \[2, 3\]"):
        kl_penalty(x, x, "full")
    with pytest.raises(ValueError, match=r"Expected scores \[B\].*got \[2, 1\]"):
        token_rewards(torch.zeros(2, 1), x, x, kl_coef=0.1)
    with pytest.raises(ValueError, match="at least 0, got -1"):
        FixedKL(-1)
    with pytest.raises(ValueError, match=r"above 0, got 0\.1, 0 and 10"):
        AdaptiveKL(0.1, target=0, horizon=10)
