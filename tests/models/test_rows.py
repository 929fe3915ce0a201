"""One motion or several are told apart, whatever they are given as, and rows are padded."""

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from atom_hf.models.rows import as_list, as_numpy, codes_of, normalized, pad
from atom_hf.motion import Motion, MotionStats

MOTION = Motion(np.random.default_rng(0).normal(size=(8, 22, 3)), codes=[5, 7])


@pytest.mark.parametrize(
    "one",
    [[5, 7], (5, 7), np.array([5, 7]), torch.tensor([5, 7]), [np.int64(5)], list(torch.tensor([5, 7])), [], MOTION],
)
def test_one_motion(one):
    (found,) = as_list(one)
    assert found is one
    assert codes_of(found).tolist() in ([5, 7], [5], [])


@pytest.mark.parametrize(
    "several", [[[5, 7], [9]], [np.array([5, 7])], np.array([[5, 7], [1, 2]]), torch.tensor([[5, 7]]), [MOTION, [5]]]
)
def test_several_motions(several):
    assert len(as_list(several)) == len(several)
    assert codes_of(as_list(several)[0]).tolist() == [5, 7]


def test_no_codes():
    with pytest.raises(ValueError, match=r"a motion with codes, got Motion\(8 frames.*model\.encode_motion"):
        codes_of(Motion(MOTION.joints))


def test_tensors_with_gradients_become_arrays():
    array = as_numpy(torch.ones(2, requires_grad=True) * 2)
    assert isinstance(array, np.ndarray) and array.tolist() == [2, 2]


def test_pad():
    assert pad([[1, 2], [3]], 0, "right") == [[1, 2], [3, 0]]
    assert pad([[1, 2], [3]], -100, "left") == [[1, 2], [-100, 3]]
    with pytest.raises(ValueError, match="'left' or 'right', got 'top'"):
        pad([[1]], 0, "top")


def test_normalized_features():
    stats = MotionStats(np.full(263, 1.0), np.full(263, 2.0))
    found = normalized([np.full((2, 263), 5.0), torch.full((3, 263), 2.0)], stats)
    assert found.lengths == [2, 3] and found.features.dtype == np.float32
    assert found.features[:, :, 0].tolist() == [[2, 2, 0], [0.5, 0.5, 0.5]]
