"""Verdicts: a score or a cause, never both, never a made-up number."""

import numpy as np
import pytest

from atom_hf.motion import Motion
from atom_hf.rewards import Judge, JudgeItem, KinematicJudge, Verdict


def test_a_verdict_has_a_score_or_a_cause():
    assert Verdict(3.5, "half of it").cause is None
    verdict = Verdict.unscored("refused", judge="a judge")
    assert verdict.score is None and verdict.cause == "refused" and verdict.judge == "a judge"


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"score": None}, "a score, or a cause why there is none, got score None, cause None"),
        ({"score": 3, "cause": "refused"}, "got score 3, cause 'refused'"),
        ({"score": 0.9}, "from 1 to 5, got 0.9"),
        ({"score": 5.1}, "got 5.1"),
        ({"score": float("nan")}, "got nan"),
    ],
)
def test_bad_verdicts(values, text):
    with pytest.raises(ValueError, match=text):
        Verdict(**values)


def test_judges_have_one_shape():
    class Silent:
        name = "silent"

        def score(self, items):
            return [Verdict.unscored("says nothing") for _ in items]

    assert isinstance(Silent(), Judge) and isinstance(KinematicJudge(), Judge)
    item = JudgeItem(Motion(np.zeros((3, 22, 3))), "a person walks")
    assert Silent().score([item, item])[1].cause == "says nothing"
