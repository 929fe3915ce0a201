"""Stretches, turning points and rates of series, worked out by hand."""

import numpy as np

from atom_hf.events.series import rate_of, smooth, spans, stretch_around, turning_points


def test_spans() -> None:
    mask = np.array([1, 1, 0, 1, 0, 0, 0, 1], bool)
    assert spans(mask) == [(0, 2), (3, 4), (7, 8)]
    assert spans(mask, gap=1) == [(0, 4), (7, 8)]
    assert spans(mask, gap=1, shortest=2) == [(0, 4)]
    assert spans(np.zeros(3, bool)) == []


def test_turning_points() -> None:
    assert turning_points(np.array([0, 1, 2, 1.8, 3, 0, 0.1, 2.0]), 1.0) == [0, 4, 5, 7]
    assert turning_points(np.array([0, 0.1, 0, 0.2]), 1.0) == []


def test_stretch_around() -> None:
    mask = np.array([0, 1, 1, 0, 1, 1, 1], bool)
    assert stretch_around(mask, 2) == (1, 3)
    assert stretch_around(mask, 4) == (4, 7)
    assert stretch_around(np.ones(3, bool), 1) == (0, 3)


def test_rate_is_per_second() -> None:
    assert rate_of(np.array([0.0, 1.0, 4.0])).tolist() == [20, 40, 60]  # 20 fps


def test_smoothing_keeps_constants_and_shape() -> None:
    x = np.full((7, 2, 3), 2.5)
    assert np.allclose(smooth(x, 0.1), x)
