import numpy as np
import pytest

from atom_hf.motion.arrays import numpy_double


def test_numpy_double():
    assert numpy_double([[1, 2]]).dtype == np.float64
    torch = pytest.importorskip("torch")
    for kind in (torch.bfloat16, torch.float32, torch.int64, torch.bool):
        found = numpy_double(torch.ones(2, 3, dtype=kind).requires_grad_(kind.is_floating_point))
        assert isinstance(found, np.ndarray) and found.dtype == np.float64 and found.shape == (2, 3) and found.all()
