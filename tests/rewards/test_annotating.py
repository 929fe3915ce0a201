"""Verdicts on many motions by their tasks, and which causes end a run."""

import pytest

from atom_hf.events import Event, Scenario
from atom_hf.motion import Motion
from atom_hf.rewards import KinematicJudge, Verdict
from atom_hf.rewards.annotating import Asked, Decoded, JudgeStopped, OrStop, annotate, stop_of, verdict_record

JUMPS = Scenario((Event("jump", count=2),), "frequency")
ASKED = [
    Asked("jumps twice", "frequency", JUMPS),
    Asked("jumps twice", "temporal", JUMPS),
    Asked("jumps twice", "overall", JUMPS),
    Asked("jumps twice", "integrity"),
    Asked("jumps twice"),
]


class Noting:
    """A judge that says what it was asked."""

    def __init__(self, task, seen):
        self.name, self.task, self.seen = "noting, x-1", task, seen

    def score(self, items):
        self.seen.append((self.task, [item.scenario and item.scenario.task for item in items]))
        return [Verdict(1.0 + len(item.motion) % 5, judge=self.name) for item in items]


@pytest.mark.parametrize(
    ("pictures", "groups"),
    [
        # A judge of pictures takes what has no scenario as overall, so that most of all goes to it at once.
        (True, [(None, ["frequency", "temporal", None, None]), ("integrity", [None])]),
        (False, [(None, ["frequency", "temporal"]), ("overall", ["frequency", None]), ("integrity", [None])]),
    ],
)
def test_each_by_its_own_task_and_in_order(walk, pictures, groups):
    seen = []
    motions = [Motion(walk[: 20 + i]) for i in range(5)]
    verdicts = annotate(lambda task: Noting(task, seen), ASKED, motions, pictures=pictures)
    assert [verdict.score for verdict in verdicts] == [1, 2, 3, 4, 5] and seen == groups


def test_the_kinematic_judge_scores_by_the_task(walk):
    verdicts = annotate(KinematicJudge, ASKED, [Motion(walk)] * 5)
    for verdict, (_, task, _) in zip(verdicts, ASKED, strict=True):
        assert verdict.score == pytest.approx(1 + 4 * verdict.raw[task])


def test_another_number_of_motions(walk):
    with pytest.raises(ValueError, match="Expected a motion for each of 5 prompts, got 1"):
        annotate(KinematicJudge, ASKED, [Motion(walk)])


def unscored(*causes):
    return [Verdict.unscored(cause) for cause in causes]


class Ended:
    """A judge whose run ended early, or did not."""

    name = "ended"

    def __init__(self, stopped: str | None, *causes: str) -> None:
        self.stopped, self.causes = stopped, causes

    def score(self, items):
        return unscored(*self.causes)


@pytest.mark.parametrize(
    ("stopped", "causes", "cause"),
    [
        ("the budget of $5 is used up", ["refused: no"], "the budget of $5 is used up"),
        ("interrupted", [], "interrupted"),  # partly voted: every motion has a score
        (None, ["no reply in 2 tries: a"] * 4, "not one of 4 motions got an answer; no reply in 2 tries: a"),
        (None, ["no reply in 2 tries: a"] * 3, None),
        (None, ["no reply in 2 tries: a"] * 9 + ["refused: no"], None),
        (None, ["refused: no"] * 9, None),
        (None, ["the budget of $5 is used up"], None),  # a judge's own words
        (None, [], None),
    ],
)
def test_what_ends_a_run(stopped, causes, cause):
    assert stop_of(Ended(stopped), unscored(*causes)) == cause
    assert stop_of(object(), unscored(*causes)) == (None if stopped else cause)  # judges of others say nothing


def test_a_stopped_judge_raises():
    made = []
    judge = OrStop(lambda: made.append(1) or Ended("the server does not take the key (401: who?)."), "broke")
    assert judge.name == "broke" and not made
    for _ in range(2):
        with pytest.raises(JudgeStopped, match=r"^The judge stopped: the server .* the key \(401: who\?\)\.$"):
            judge.score([])
    assert made == [1]


def test_records():
    record = verdict_record(Verdict(4.0, "Seen.", raw={"confidence": 0.5}, judge="a, b, temporal-1", reply="{}"))
    assert record == {
        "score": 4.0,
        "reason": "Seen.",
        "cause": None,
        "raw": {"confidence": 0.5},
        "judge": "a, b",
        "rules_version": "temporal-1",
        "reply": "{}",
    }
    record = verdict_record(Verdict.unscored("broken", "kinematic-1"))
    assert (record["judge"], record["rules_version"], record["cause"]) == ("kinematic-1", "kinematic-1", "broken")
    assert "reply" not in record


def test_motions_are_decoded_by_the_piece():
    calls = []

    def decode(codes):
        calls.append(codes)
        return [f"motion {code}" for (code,) in codes]

    motions = Decoded([[(1,), (2,)], [], [(3,)]], decode)
    assert len(motions) == 3 and [motions[i] for i in range(3)] == ["motion 1", "motion 2", "motion 3"]
    assert motions[-1] == "motion 3" and motions[1:] == ["motion 2", "motion 3"]
    assert calls[:2] == [[(1,), (2,)], [(3,)]]
