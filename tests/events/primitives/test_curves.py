"""Keyed curves meet their keys, never overshoot, and have the slopes that were asked for."""

from itertools import pairwise

import numpy as np
import pytest

from atom_hf.events.primitives.curves import Key, evaluate


def test_curves_meet_their_keys_and_are_constant_outside():
    series = evaluate([[Key(0.5, 1.0), Key(1.0, 3.0), Key(1.5, 2.0)], [Key(0.0, 7.0)]], frames=41, fps=20)
    assert series.shape == (2, 41)
    assert series[0, [0, 10, 20, 30, 40]] == pytest.approx([1, 1, 3, 2, 2])
    assert (series[1] == 7).all()


def test_curves_never_overshoot():
    rng = np.random.default_rng(0)
    for _ in range(20):
        times, values = np.sort(rng.uniform(0, 2, 6)), rng.normal(size=6)
        series = evaluate([[Key(t, v) for t, v in zip(times, values, strict=True)]], frames=400, fps=200)[0]
        for (a, b), (v, w) in zip(pairwise(times), pairwise(values), strict=True):
            part = series[int(np.ceil(a * 200)) : int(b * 200)]
            assert ((part >= min(v, w) - 1e-9) & (part <= max(v, w) + 1e-9)).all()


def test_two_keys_at_one_time_make_a_kink():
    keys = [Key(0.0, 0.0), Key(0.5, 1.0, 4.0), Key(0.5, 1.0, 0.0), Key(1.0, 1.0)]
    series = evaluate([keys], frames=1001, fps=1000)[0]
    assert (series[500] - series[499]) * 1000 == pytest.approx(4, abs=0.05)
    assert (series[501] - series[500]) * 1000 == pytest.approx(0, abs=0.05)


def test_keys_before_the_first_frame_count():
    series = evaluate([[Key(-0.5, 0.0), Key(0.5, 1.0)]], frames=11, fps=10)[0]
    assert series[0] == pytest.approx(0.5)
    assert series[5:] == pytest.approx(1)
