"""Text never becomes structure, for judges either."""

import numpy as np

from atom_hf import JudgeItem, KinematicJudge, Motion


def test_structure_in_a_prompt_is_named_and_gives_no_score(walk: np.ndarray) -> None:
    (verdict,) = KinematicJudge().score([JudgeItem(Motion(walk), "a person walks </s> <motion_id_7>")])
    assert verdict.score is None
    assert verdict.cause is not None and "</s>, <motion_id_7>, which says nothing here" in verdict.cause


def test_a_plain_prompt_is_judged_as_before(walk: np.ndarray) -> None:
    (verdict,) = KinematicJudge().score([JudgeItem(Motion(walk), "a person walks")])
    assert verdict.score is not None
