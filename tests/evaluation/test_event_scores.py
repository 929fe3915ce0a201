"""Event scores: means by hand, judges that cannot judge, and what a paired comparison finds."""

from types import SimpleNamespace

import numpy as np
import pytest

from atom_hf.evaluation.event_scores import compare_systems, event_scores, summarize_scores
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
    ],
)
def test_mistakes_are_explained(call, message):
    with pytest.raises(ValueError, match=message):
        call()
