"""Diversity and MModality: the original's numbers with its own draws, and arithmetic by hand."""

import json
from pathlib import Path

import numpy as np
import pytest

from atom_hf.evaluation.diversity import diversity, multimodality

GOLDEN = Path(__file__).parent.parent / "golden"


@pytest.fixture(scope="module")
def golden():
    with np.load(GOLDEN / "e_metrics.npz") as data:
        return dict(data), json.loads((GOLDEN / "e_metrics.json").read_text(encoding="utf-8"))


def test_agree_with_the_original(golden, backend):
    arrays, numbers = golden
    found = diversity(backend(arrays["gen"]), draws=(arrays["div_first"], arrays["div_second"]))
    assert found == pytest.approx(numbers["diversity"]["value"], rel=1e-5)
    samples = backend(arrays["mm_activations"])
    found = multimodality(samples, draws=(arrays["mm_first"], arrays["mm_second"]))
    assert found == pytest.approx(numbers["multimodality"]["value"], rel=1e-5)
    assert numbers["protocol"]["diversity_times"] == len(arrays["div_first"]) == 300
    assert numbers["protocol"]["mm_num_times"] == len(arrays["mm_first"]) == 10


def test_diversity_by_hand(backend):
    motion = backend([[0.0, 0.0], [3.0, 4.0], [0.0, 10.0]])
    assert diversity(motion, draws=(np.array([0, 1]), np.array([1, 1]))) == pytest.approx((5 + 0) / 2)
    assert diversity(motion, draws=(np.array([0, 2]), np.array([2, 0]))) == pytest.approx(10)


def test_multimodality_by_hand(backend):
    """Two texts with three motions each; the same places are compared for both."""
    samples = backend([[[0.0], [1.0], [5.0]], [[2.0], [2.0], [12.0]]])
    assert multimodality(samples, draws=(np.array([0, 1]), np.array([2, 0]))) == pytest.approx((5 + 1 + 10 + 0) / 4)


def test_draws_are_without_replacement_and_come_from_the_seed():
    rng = np.random.default_rng(0)
    motion = rng.normal(size=(400, 3))
    assert diversity(motion, seed=1) == diversity(motion, seed=1) != diversity(motion, seed=2)
    everything = np.arange(8.0)[:, None]
    found = {diversity(everything, 8, seed) * 8 for seed in range(20)}
    assert all(total % 2 == 0 for total in found)  # Σ|i - π(i)| of a permutation is even; with replacement it is not
    samples = rng.normal(size=(4, 30, 3))
    assert multimodality(samples, seed=1) == multimodality(samples, seed=1) != multimodality(samples, seed=2)


def test_all_alike_have_no_diversity(backend):
    assert diversity(backend(np.ones((300, 4)))) == 0.0
    assert multimodality(backend(np.ones((2, 10, 4)))) == 0.0


def test_mistakes_are_explained():
    rng = np.random.default_rng(0)
    motion, samples = rng.normal(size=(299, 3)), rng.normal(size=(5, 9, 3))
    with pytest.raises(ValueError, match="Diversity draws 300 of the motions without replacement, but there are 299"):
        diversity(motion)
    with pytest.raises(
        ValueError, match="MModality draws 10 of the samples a text without replacement, but there are 9"
    ):
        multimodality(samples)
    with pytest.raises(ValueError, match=r"shape \[N, S, D\] with at least one row, got \[299, 3\]"):
        multimodality(motion)
    samples[3, 2, 1] = np.nan
    with pytest.raises(ValueError, match=r"1 of 5 clips have NaN or infinite values: index 3\."):
        multimodality(samples, 5)
    motion[298] = np.nan
    with pytest.raises(ValueError, match=r"1 of 299 clips have NaN or infinite values: index 298\."):
        diversity(motion, 10)
