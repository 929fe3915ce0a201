"""Event scores: means by hand, intervals that hold what they promise, paired tests against SciPy's numbers."""

import time
from types import SimpleNamespace

import numpy as np
import pytest

from atom_hf.evaluation.event_scores import (
    bootstrap_mean,
    compare_systems,
    event_scores,
    resampling_counts,
    sign_flip_test,
    summarize_scores,
)
from atom_hf.events import Event, Scenario, synthesize
from atom_hf.motion import Motion
from atom_hf.rewards import JudgeItem, KinematicJudge


def verdict(score=None, cause=None, **raw):
    return SimpleNamespace(score=score, raw=raw, cause=cause)


def item(prompt, answer, task="integrity"):
    return SimpleNamespace(motion=answer, prompt=prompt, scenario=SimpleNamespace(task=task))


class Echo:
    """A judge that says what stands where the motion should be, and remembers how much it got at once."""

    def __init__(self):
        self.batches = []

    def score(self, items):
        self.batches.append(len(items))
        return [item.motion for item in items]


def test_means_are_over_prompts():
    """A prompt with three motions counts as much as one with a single motion."""
    raws = [{"integrity": 1.0}, {"integrity": 1.0}, {"integrity": 0.7}, {"integrity": 0.1, "temporal": 0.4}, None]
    found = summarize_scores(raws, ["walk", "walk", "walk", "run", "run"])
    assert found.tasks["integrity"].value == pytest.approx((0.9 + 0.1) / 2)
    assert found.tasks["integrity"][3:] == (4, 2)
    assert found.tasks["temporal"] == (0.4, None, None, 1, 1)
    assert (found.items, found.unscored, found.unscored_share) == (5, 1, 0.2)


def test_a_judge():
    judge = Echo()
    items = [
        item("a", verdict(5.0, integrity=1.0, overall=0.8)),
        item("a", verdict(cause="refused")),
        item("b", verdict(1.0, integrity=0.0, overall=0.2)),
        item("b", verdict(cause="refused")),
        item("c", verdict(cause="no motion")),
    ]
    found = event_scores(judge, items, batch_size=2)
    assert judge.batches == [2, 2, 1]
    assert found.tasks["integrity"].value == 0.5 and found.tasks["score"].value == 3
    assert found.tasks["overall"].value == pytest.approx(0.5)
    assert found.unscored == 3 and list(found.causes.items()) == [("refused", 2), ("no motion", 1)]
    assert found.tasks["score"].low == 1 and found.tasks["score"].high == 5


def test_own_task_only():
    items = [
        item("a", verdict(5.0, integrity=1.0, temporal=0.2, overall=0.6)),
        item("b", verdict(1.0, integrity=0.0, temporal=0.4, overall=0.2), task="temporal"),
    ]
    found = event_scores(Echo(), items, own_task_only=True).tasks
    assert found["integrity"][0] == 1 and found["temporal"][0] == 0.4 and found["overall"].prompts == 2
    assert event_scores(Echo(), items).tasks["integrity"].value == 0.5


def test_a_real_judge_tells_motions_apart():
    """The kinematic judge, handed in from above: motions that show their prompts score better than others' motions."""
    scenarios = [Scenario((Event("jump", count=2),)), Scenario((Event("walk"),)), Scenario((Event("sit_down"),))]
    motions = [[Motion(synthesize(s, seed=seed).joints) for s in scenarios] for seed in range(2)]
    texts = ["a person jumps twice", "a person walks", "a person sits down"]

    def items(shift):
        return [
            JudgeItem(row[(i + shift) % 3], texts[i], scenario)
            for row in motions
            for i, scenario in enumerate(scenarios)
        ]

    right, wrong = (event_scores(KinematicJudge(), items(shift)) for shift in (0, 1))
    assert right.tasks.keys() == {"integrity", "temporal", "frequency", "overall", "score"}
    assert right.unscored == 0 and right.tasks["integrity"].prompts == 3
    assert right.tasks["integrity"].value > wrong.tasks["integrity"].value + 0.5


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


def test_compare_systems():
    raws_a = [{"integrity": 0.2}, {"integrity": 0.4}, {"integrity": 0.5}, None, {"integrity": 0.1}]
    raws_b = [{"integrity": 0.9}, {"integrity": 0.9}, {"integrity": 0.4}, {"integrity": 1.0}, {"integrity": 0.6}]
    prompts = ["p", "p", "q", "r", "s"]
    found = compare_systems(raws_a, raws_b, prompts)["integrity"]
    assert (found.mean_a, found.mean_b) == (pytest.approx(0.3), pytest.approx((0.9 + 0.4 + 0.6) / 3))
    assert found.delta == pytest.approx((0.6 - 0.1 + 0.5) / 3)
    assert (found.prompts, found.left_out) == (3, 1) and found.p == 0.5  # 0.5 and 0.6 against -0.1: 4 of 8
    assert found.low < found.delta < found.high
    back = compare_systems(raws_b, raws_a, prompts)["integrity"]
    assert back.delta == pytest.approx(-found.delta) and back.p == found.p
    assert compare_systems(raws_a[2:], raws_b[:3], prompts[2:], prompts[:3])["integrity"].prompts == 1


def test_pairing_finds_what_separate_intervals_miss():
    """Prompts differ much more than systems; the paired comparison takes that out."""
    rng = np.random.default_rng(0)
    hard = rng.random(100) * 0.8
    prompts = list(range(100)) * 2
    a = [{"overall": float(hard[p] + rng.normal(0, 0.03))} for p in prompts]
    b = [{"overall": float(hard[p] + 0.05 + rng.normal(0, 0.03))} for p in prompts]
    alone = [summarize_scores(raws, prompts).tasks["overall"] for raws in (a, b)]
    assert alone[0].high > alone[1].low
    found = compare_systems(a, b, prompts)["overall"]
    assert found.low > 0.03 and found.high < 0.07 and found.p < 0.001


def test_ten_thousand_draws_are_fast():
    values = np.random.default_rng(0).random(1000)
    start = time.process_time()
    bootstrap_mean(values, draws=10_000)
    sign_flip_test(values - 0.5, draws=10_000)
    assert time.process_time() - start < 1.5


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: summarize_scores([], []), "at least one item"),
        (lambda: summarize_scores([{"a": 1.0}], []), "a prompt for each, got 1 and 0"),
        (lambda: summarize_scores([None, None], ["p", "q"]), "None of the 2 items has a score"),
        (lambda: summarize_scores([{"a": float("nan")}], ["p"]), "Item 0 has a nan; .* is None"),
        (lambda: compare_systems([{"a": 1.0}], [{"b": 1.0}], ["p"]), "No prompt has scores of both"),
        (lambda: compare_systems([{"a": 1.0}], [{"a": 1.0}], ["p"], ["q"]), "No prompt has scores of both"),
        (lambda: event_scores(SimpleNamespace(score=lambda items: []), [item("p", None)]), "0 verdicts for 1 items"),
        (lambda: event_scores(Echo(), [item("p", verdict(cause="no key"))]), r"none of 1 items; .* \(1\): no key"),
        (lambda: event_scores(Echo(), []), "at least one item"),
        (lambda: event_scores(Echo(), [item("p", verdict(1.0))], batch_size=0), "batch_size of at least 1"),
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
