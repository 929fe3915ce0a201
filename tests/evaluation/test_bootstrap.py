"""Intervals that hold what they promise, against SciPy's numbers, and sign flips counted by hand."""

import time

import numpy as np
import pytest

from atom_hf.evaluation.bootstrap import bootstrap_mean, resampling_counts, sign_flip_test


def test_interval_of_a_mean():
    """Large samples: mean ± 1.96 standard errors."""
    values = np.random.default_rng(0).normal(3, 2, 400)
    found = bootstrap_mean(values)
    error = values.std() / 20
    assert found.value == pytest.approx(values.mean())
    assert found.low == pytest.approx(values.mean() - 1.96 * error, abs=0.1 * error)
    assert found.high == pytest.approx(values.mean() + 1.96 * error, abs=0.1 * error)


def test_intervals_hold_what_they_promise():
    rng, inside = np.random.default_rng(0), {"percentile": 0, "bca": 0}
    for trial in range(200):
        values = rng.beta(4, 1, 40)
        for method in inside:
            found = bootstrap_mean(values, draws=500, seed=trial, method=method)
            inside[method] += found.low <= 0.8 <= found.high
    assert all(180 <= hits <= 198 for hits in inside.values())


def test_bca_as_scipy():
    """The ends are those of SciPy 1.17's bootstrap with 400,000 resamples."""
    values = [0.05, 0.2, 0.45, 0.6, 0.7, 0.8, 0.85, 0.9, 0.9, 0.95, 0.97, 1.0]
    bca = bootstrap_mean(values, draws=100_000, method="bca")
    percentile = bootstrap_mean(values, draws=100_000)
    assert bca[1:] == (pytest.approx(0.4875, abs=5e-3), pytest.approx(0.8375, abs=5e-3))
    assert percentile[1:] == (pytest.approx(0.5167, abs=5e-3), pytest.approx(0.8542, abs=5e-3))
    assert bca.low < percentile.low - 5e-3  # the long tail is on that side


def test_clusters_are_drawn_whole():
    """Ten copies of each value say nothing more than one."""
    values = np.random.default_rng(0).random(30)
    once = bootstrap_mean(values)
    copies = np.repeat(values, 10)
    clustered = bootstrap_mean(copies, clusters=[f"prompt {i // 10}" for i in range(300)])
    assert clustered.low == pytest.approx(once.low) and clustered.high == pytest.approx(once.high)
    naive = bootstrap_mean(copies)
    assert naive.high - naive.low < 0.4 * (once.high - once.low)


def test_degenerate_means():
    assert bootstrap_mean([0.3]) == (0.3, None, None)
    assert bootstrap_mean([0.3, 0.5], clusters=["a", "a"]) == (0.4, None, None)
    for method in ("percentile", "bca"):
        assert bootstrap_mean([1.0, 1.0, 1.0], method=method) == (1.0, 1.0, 1.0)


def test_the_same_seed_gives_the_same_interval():
    values = np.random.default_rng(0).random(50)
    assert bootstrap_mean(values, seed=1) == bootstrap_mean(values, seed=1) != bootstrap_mean(values, seed=2)


def test_resampling_counts():
    chunks = list(resampling_counts(1000, 5000, seed=0))
    assert [chunk.shape for chunk in chunks] == [(4000, 1000), (1000, 1000)]
    assert all((chunk.sum(axis=1) == 1000).all() for chunk in chunks)
    assert chunks[0].mean(axis=0) == pytest.approx(1, abs=0.1)


def test_sign_flips_by_hand():
    """1, 2, 3, all for B: only all signs one way are as extreme, 2 of 8."""
    assert sign_flip_test([1.0, 2.0, 3.0]) == 0.25
    assert sign_flip_test([-1.0, -2.0, -3.0]) == 0.25
    assert sign_flip_test([1.0, 2.0, 3.0, 0.0]) == 0.25
    assert sign_flip_test([1.0, 1.0, -2.0]) == 1 and sign_flip_test([0.0, 0.0]) == 1


def test_sign_flips_drawn_and_counted_agree():
    """Fourteen pairs are counted out; a fifteenth without weight is drawn."""
    rng = np.random.default_rng(0)
    for shift in (0.0, 0.3, 0.8):
        differences = rng.normal(shift, 1, 14)
        drawn = sign_flip_test([*differences, 1e-12], draws=40_000)
        assert drawn == pytest.approx(sign_flip_test(differences), abs=0.01)


def test_p_is_fair_where_nothing_differs():
    rng = np.random.default_rng(2)
    p = [sign_flip_test(rng.normal(size=30), draws=300, seed=seed) for seed in range(300)]
    assert 0.02 < np.mean(np.array(p) < 0.05) < 0.09 and 0.4 < np.mean(np.array(p) < 0.5) < 0.6
    assert min(p) >= 1 / 301


def test_ten_thousand_draws_are_fast():
    values = np.random.default_rng(0).random(1000)
    start = time.process_time()
    bootstrap_mean(values, draws=10_000)
    sign_flip_test(values - 0.5, draws=10_000)
    assert time.process_time() - start < 1.5


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bootstrap_mean([]), "row of finite numbers"),
        (lambda: bootstrap_mean([1.0, float("inf")]), "row of finite numbers"),
        (lambda: bootstrap_mean([1.0, 2.0], clusters=["a"]), "each of 2 values, got 1"),
        (lambda: bootstrap_mean([1.0], confidence=95), "between 0 and 1"),
        (lambda: bootstrap_mean([1.0], method="basic"), "'percentile' or 'bca'"),
        (lambda: sign_flip_test([]), "row of finite numbers"),
    ],
)
def test_mistakes_are_explained(call, message):
    with pytest.raises(ValueError, match=message):
        call()
