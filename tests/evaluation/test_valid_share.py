"""Which outputs of a model are motions at all."""

import numpy as np
import pytest

from atom_hf.evaluation import physics
from atom_hf.evaluation.valid_share import valid_share
from atom_hf.motion import T_POSE_OFFSETS
from atom_hf.motion.skeleton import NUM_JOINTS, PARENTS


@pytest.fixture
def standing() -> np.ndarray:
    """Forty frames of a body that does not move, [40, 22, 3]."""
    pose = np.zeros((NUM_JOINTS, 3))
    for joint in range(1, NUM_JOINTS):
        pose[joint] = pose[PARENTS[joint]] + T_POSE_OFFSETS[joint]
    return np.repeat(pose[None], 40, axis=0)


def test_valid_share(standing):
    broken = standing.copy()
    broken[3, 4, 1] = np.nan
    torn = standing.copy()
    torn[10:, 20, 0] += 2.0  # 40 m/s
    found = valid_share([standing, None, standing[:1], broken, torn])
    assert found.share == 0.2 and found.valid == (True, False, False, False, False)
    assert found.causes == {"nothing": 1, "too short": 1, "not finite": 1, "too fast": 1}
    assert valid_share([torn], fps=5).share == 1


def test_mistakes_of_lists(standing):
    with pytest.raises(ValueError, match="at least one output"):
        valid_share([])
    with pytest.raises(ValueError, match=r"\[T, 22, 3\], got \[40, 21, 3\]"):
        valid_share([standing[:, :21]])


def test_is_found_among_physics_as_well():
    assert physics.valid_share is valid_share
