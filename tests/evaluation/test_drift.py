"""Drift monitors: divergences worked out by hand, estimators on samples, and the published runs' loss of variety."""

import math

import numpy as np
import pytest

from atom_hf.evaluation.drift import (
    drift_warning,
    exact_kl,
    kl_estimate,
    token_entropy,
    unique_share,
    variety_ratio,
)

P, Q = np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.3, 0.5])
KL = 0.3 * math.log(2.5)  # 0.5 log(5/2) + 0.2 log(2/5)


def test_estimators_by_hand():
    """A token at -1 under the policy and -1.5 under the reference: r = -0.5."""
    assert kl_estimate(np.array([[-1.0]]), np.array([[-1.5]]), estimator="k1").per_token == pytest.approx(0.5)
    found = kl_estimate(np.array([[-1.0]]), np.array([[-1.5]]))
    assert found.per_token == pytest.approx(math.exp(-0.5) - 1 + 0.5) and found.standard_error is None
    assert kl_estimate(np.array([-1.0, -2.0]), np.array([-1.0, -2.0])) == (0.0, 0.0, None, 2)


def test_sums_and_means():
    policy = np.array([[-1.0, -1.0, -1.0], [-1.0, -9.0, np.nan]])
    ref = np.array([[-2.0, -1.0, -1.5], [-4.0, -9.0, 0.0]])
    found = kl_estimate(policy, ref, np.array([[1, 1, 1], [1, 0, 0]]), estimator="k1")
    assert found.tokens == 4 and found.per_token == pytest.approx(4.5 / 4)
    assert found.per_sequence == pytest.approx(2.25) and found.standard_error == pytest.approx(0.75)


@pytest.mark.parametrize("estimator", ["k1", "k3"])
def test_estimators_are_unbiased(estimator):
    tokens = np.random.default_rng(0).choice(3, size=(4000, 10), p=P)
    found = kl_estimate(np.log(P)[tokens], np.log(Q)[tokens], estimator=estimator)
    assert found.per_token == pytest.approx(KL, abs=0.01)
    assert found.per_sequence == pytest.approx(10 * KL, abs=4 * found.standard_error)


def test_k3_is_never_negative(backend):
    rng = np.random.default_rng(0)
    policy, ref = -rng.random((2, 8, 5))
    assert kl_estimate(backend(policy), backend(ref)).per_token > 0
    assert kl_estimate(backend(policy), backend(policy + 0.2), estimator="k1").per_token == pytest.approx(-0.2)
    assert kl_estimate(np.array([-800.0]), np.array([-1.0])).per_token == math.inf


def test_exact_kl(backend):
    both = np.log(np.stack([P, Q])), np.log(np.stack([Q, Q]))
    assert exact_kl(*map(backend, both)) == pytest.approx(KL / 2)
    assert exact_kl(*map(backend, both), mask=backend(np.array([1.0, 0.0]))) == pytest.approx(KL)
    assert exact_kl(both[0], both[0]) == 0
    with np.errstate(divide="ignore"):
        certain = np.log(np.array([[1.0, 0.0, 0.0]]))
    assert exact_kl(certain, np.log(Q)[None]) == pytest.approx(-math.log(0.2))
    assert exact_kl(np.log(Q)[None], certain) == math.inf


def test_entropy(backend):
    uniform = np.full((2, 4, 512), -math.log(512))
    assert token_entropy(backend(uniform)) == pytest.approx(math.log(512))
    with np.errstate(divide="ignore"):
        certain = np.log(np.eye(4))
    assert token_entropy(backend(certain)) == 0
    half = np.log(np.array([[0.5, 0.5], [0.999999, 0.000001]]))
    assert token_entropy(half, mask=[1, 0]) == pytest.approx(math.log(2))


def test_unique_share():
    assert unique_share([[1, 2], [1, 2], [1, 2, 3], [4]]) == 0.75
    assert unique_share([np.array([1, 2]), [1, 2]]) == 0.5 and unique_share([[]]) == 1


def test_published_loss_of_variety():
    """HumanML3D: MModality of MotionGPT 3.495, RLHF 3.196, IPO 2.523; R@1 rises in both."""
    assert variety_ratio(2.523, 3.495) == pytest.approx(0.722, abs=5e-4)
    ipo = drift_warning([0.405, 0.426], [3.495, 2.523])
    assert ipo.diversity_change == pytest.approx(-0.278, abs=5e-4) and ipo.reward_change == pytest.approx(0.021)
    assert ipo.step == 1 and "fell by 28 %" in ipo.message and "beta" in ipo.message
    assert drift_warning([0.405, 0.415], [3.495, 3.196]) is None
    assert drift_warning([0.405, 0.415], [3.495, 3.196], max_drop=0.05) is not None


def test_warning_needs_both():
    falling, rising = [10, 9, 8, 7, 5], [1, 2, 3, 4, 5]
    assert drift_warning(rising, falling).step == 3  # at 8 exactly the allowed loss
    assert drift_warning(rising[::-1], falling) is None
    assert drift_warning(rising, rising) is None
    assert drift_warning(rising, falling, min_gain=4) is None
    assert drift_warning(rising, [10, 5, 5, 5, 9]) is None  # it came back


def test_windows_and_base():
    rewards, variety = [0, 0, 1, 1], [10, 10, 10, 5]
    assert drift_warning(rewards, variety) is not None
    assert drift_warning(rewards, variety, window=2, max_drop=0.3) is None  # 7.5 of 10
    assert drift_warning([0, 1], [7, 7]) is None
    warned = drift_warning([0, 1], [7, 7], base_diversity=10)
    assert warned.step == 0 and warned.diversity_change == pytest.approx(-0.3)
    assert drift_warning([1], [1]) is None and drift_warning([], []) is None


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: kl_estimate(np.zeros((1, 2)), np.zeros((1, 3))), r"one shape, got \[1, 2\] and \[1, 3\]"),
        (lambda: kl_estimate(np.zeros(2), np.zeros(2), estimator="k2"), "got 'k2'"),
        (lambda: kl_estimate(np.array([np.nan]), np.zeros(1)), "not finite; leave padding out"),
        (lambda: kl_estimate(np.zeros(2), np.zeros(2), np.zeros(2)), "No token counts"),
        (lambda: kl_estimate(np.zeros((2, 3)), np.zeros((2, 3)), np.ones(2)), r"mask of shape \[2, 3\], got \[2\]"),
        (lambda: token_entropy(np.zeros((2, 3))), "logits need log_softmax"),
        (lambda: exact_kl(np.log(P)[None], np.full((1, 2), math.log(0.5))), "of one shape"),
        (lambda: unique_share([]), "at least one sequence"),
        (lambda: variety_ratio(1.0, 0.0), "base above 0"),
        (lambda: variety_ratio(float("nan"), 1.0), "got nan"),
        (lambda: drift_warning([1, 2], [1]), "as many rewards"),
        (lambda: drift_warning([1, float("nan")], [1, 1]), "not finite"),
        (lambda: drift_warning([1, 2], [0, 0]), "no variety to lose"),
        (lambda: drift_warning([1, 2], [1, 1], max_drop=20), "max_drop between 0 and 1"),
        (lambda: drift_warning([1, 2], [1, 1], window=0), "window of at least 1"),
    ],
)
def test_mistakes_are_explained(call, message):
    with pytest.raises(ValueError, match=message):
        call()
