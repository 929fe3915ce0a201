"""The kinematic judge: what is asked for and shown scores 5, nothing scores 1, what cannot be judged gets no score."""

import numpy as np
import pytest

from atom_hf.events import Event, Scenario, synthesize, with_fault
from atom_hf.motion import Motion
from atom_hf.rewards import JudgeItem, KinematicJudge

SCENARIO = Scenario((Event("walk", direction="forward"), Event("jump", 2), Event("wave", side="right")), "temporal")


@pytest.fixture(scope="module")
def motion() -> Motion:
    return Motion(synthesize(SCENARIO, seed=2).joints)


def standing(frames: int = 60) -> Motion:
    return Motion(np.repeat(synthesize(SCENARIO, seed=2).joints[:1], frames, axis=0))


@pytest.mark.parametrize("task", [None, "integrity", "temporal", "frequency", "overall"])
def test_perfect_and_empty(motion, task):
    judge = KinematicJudge(task)
    good, empty = judge.score([JudgeItem(motion, "", SCENARIO), JudgeItem(standing(), "", SCENARIO)])
    assert good.score == 5 and good.raw["integrity"] == 1 and good.judge == "kinematic-1"
    assert empty.score == 1 and set(empty.raw.values()) == {0.0}
    assert "jump" in good.reason and "jump" in empty.reason


def test_the_task_of_the_scenario_counts():
    """Three jumps where two were asked for: all is there and in order, but not so often."""
    asked, shown = (Scenario((Event("walk"), Event("jump", n)), "frequency") for n in (2, 3))
    item = JudgeItem(Motion(synthesize(shown, seed=1).joints), "", asked)
    (verdict,) = KinematicJudge().score([item])
    assert verdict.raw["integrity"] == verdict.raw["temporal"] == 1 > verdict.raw["frequency"]
    assert verdict.score == 1 + 4 * verdict.raw["frequency"]
    assert KinematicJudge("integrity").score([item])[0].score == 5


def test_prompts_are_parsed_where_there_is_no_scenario(motion):
    (verdict,) = KinematicJudge().score([JudgeItem(motion, "a person walks forward, then jumps twice and waves")])
    assert verdict.score == 5


def test_faults_score_less(motion):
    judge = KinematicJudge("overall")
    for seed, kind in enumerate(("drop", "swap", "count")):
        fault = with_fault(SCENARIO, kind, seed)
        worse = Motion(synthesize(fault.scenario, seed=seed).joints)
        assert judge.score([JudgeItem(worse, "", SCENARIO)])[0].score < 5, fault


def test_unscored_with_a_cause(motion):
    items = [
        JudgeItem(motion, "eine Person springt zweimal"),
        JudgeItem(motion, ""),
        JudgeItem(Motion(motion.joints[:1]), "", SCENARIO),
        JudgeItem(Motion(motion.joints * 1e5), "", SCENARIO),
        JudgeItem(motion, "", SCENARIO),
    ]
    verdicts = KinematicJudge().score(items)
    assert [verdict.score for verdict in verdicts] == [None] * 4 + [5.0]  # one bad item does not stop the others
    assert "not understood" in verdicts[0].cause and "not understood" in verdicts[1].cause
    assert "cannot be read" in verdicts[2].cause and "cannot be read" in verdicts[3].cause


def test_unknown_task():
    with pytest.raises(ValueError, match="integrity, temporal, frequency, overall, got 'beauty'"):
        KinematicJudge("beauty")
