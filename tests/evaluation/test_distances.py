"""FID, KID, precision and recall: the original's numbers, closed forms, and cases in which square roots fail."""

import json
import math
import warnings
from pathlib import Path

import numpy as np
import pytest

from atom_hf.evaluation.distances import (
    FrechetStatistics,
    frechet_distance,
    frechet_statistics,
    kernel_distance,
    precision_recall,
)

GOLDEN = Path(__file__).parent.parent / "golden"


@pytest.fixture(scope="module")
def golden():
    with np.load(GOLDEN / "e_metrics.npz") as data:
        return dict(data), json.loads((GOLDEN / "e_metrics.json").read_text(encoding="utf-8"))["fid"]


def fid(real, generated) -> float:
    return frechet_distance(frechet_statistics(real), frechet_statistics(generated))


def test_statistics_agree_with_the_original(golden, backend):
    arrays, _ = golden
    found = frechet_statistics(backend(arrays["gt"]))
    np.testing.assert_allclose(np.asarray(found.mean), arrays["gt_mu"], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(np.asarray(found.covariance), arrays["gt_cov"], rtol=1e-5, atol=1e-6)
    assert found.count == 331


def test_fid_agrees_with_the_original(golden, backend):
    arrays, numbers = golden
    real, generated, text = (backend(arrays[name]) for name in ("gt", "gen", "text"))
    assert fid(real, generated) == pytest.approx(numbers["exact_gt_gen"], rel=1e-7)
    assert fid(real, generated) == pytest.approx(numbers["gt_gen"], rel=1e-5)
    assert fid(real, text) == pytest.approx(numbers["gt_text"], rel=1e-5)
    assert fid(real, real) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.filterwarnings("ignore:FID from 20 real")
def test_fid_where_the_original_raises(golden, backend):
    """20 clips in 64 dimensions: its square root becomes complex."""
    arrays, numbers = golden
    assert "Imaginary" in numbers["rank_deficient_20"]
    with pytest.warns(UserWarning, match="FID from 20 generated motions in 64 dimensions.*far too high"):
        found = fid(backend(arrays["gt"][:20]), backend(arrays["gen"][:20]))
    assert found == pytest.approx(numbers["exact_rank_deficient_20"], rel=1e-7)


def test_fid_of_diagonal_gaussians(backend):
    """Standard deviations 1 and 3, 2 and 5, means 4 apart: 4² + (1-2)² + (3-5)²."""
    one = FrechetStatistics(backend([0.0, 0.0]), backend([[1.0, 0.0], [0.0, 9.0]]), 100)
    other = FrechetStatistics(backend([4.0, 0.0]), backend([[4.0, 0.0], [0.0, 25.0]]), 100)
    assert frechet_distance(one, other) == pytest.approx(16 + 1 + 4, rel=1e-12)
    assert frechet_distance(other, one) == pytest.approx(16 + 1 + 4, rel=1e-12)


@pytest.mark.parametrize("spread", [1.0, 1e-4, 1e4])
def test_fid_of_subspaces_that_do_not_meet(spread):
    """Both covariances are singular and their product is zero: nothing is shared."""
    rng = np.random.default_rng(0)
    real, generated = np.zeros((100, 6)), np.zeros((100, 6))
    real[:, :3], generated[:, 3:] = rng.normal(size=(2, 100, 3)) * spread
    expected = sum(np.trace(np.cov(x.T)) for x in (real, generated)) + ((real.mean(0) - generated.mean(0)) ** 2).sum()
    assert fid(real, generated) == pytest.approx(expected, rel=1e-9)


def test_fid_of_a_collapsed_generator_and_of_badly_conditioned_sets():
    rng = np.random.default_rng(1)
    real = rng.normal(size=(200, 8))
    same = np.tile(real[:1], (200, 1))
    expected = np.trace(np.cov(real.T)) + ((real.mean(0) - real[0]) ** 2).sum()
    assert fid(real, same) == pytest.approx(expected, rel=1e-6)  # no spread is shared
    scales = 10.0 ** np.arange(4, -4, -1)
    assert fid(real * scales, 2 * real * scales) == pytest.approx(fid(2 * real * scales, real * scales), rel=1e-9)
    # Twice the deviations in every direction: |m|² + tr C
    centred = (real - real.mean(0)) * scales
    assert fid(centred, 2 * centred) == pytest.approx(np.trace(np.cov(centred.T)), rel=1e-9)


def test_fid_warns_only_below_the_number_of_dimensions():
    rng = np.random.default_rng(2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fid(rng.normal(size=(9, 8)), rng.normal(size=(9, 8)))
        with pytest.raises(UserWarning, match="FID from 8 real motions in 8 dimensions"):
            fid(rng.normal(size=(8, 8)), rng.normal(size=(9, 8)))


def test_half_precision_counts_in_double():
    torch = pytest.importorskip("torch")
    motion = torch.tensor(np.random.default_rng(3).normal(size=(64, 8)) + 100).half()
    np.testing.assert_allclose(
        np.asarray(frechet_statistics(motion).covariance), np.cov(motion.double().numpy().T), rtol=1e-10, atol=1e-12
    )


def test_kid_by_hand(backend):
    """In one dimension k = (xy + 1)³: within 0, 1 → 1; within 1, 2 → 27; across: 1, 1, 8, 27 → 9.25."""
    real, generated = backend([[0.0], [1.0]]), backend([[1.0], [2.0]])
    found = kernel_distance(real, generated, draws=[(np.arange(2), np.arange(2))])
    assert found.value == pytest.approx(1 + 27 - 2 * 9.25)
    assert math.isnan(found.standard_error)  # of one subset


def test_kid_is_unbiased(backend):
    """Equal distributions, few motions: zero within its error over many sets, while FID is far from zero."""
    rng = np.random.default_rng(4)
    sets = [tuple(backend(rng.normal(size=(40, 4))) for _ in range(2)) for _ in range(60)]
    values = [kernel_distance(*pair, subsets=3).value for pair in sets]
    assert abs(np.mean(values)) < 3 * np.std(values) / math.sqrt(60)
    assert min(values) < 0
    assert np.mean([fid(*pair) for pair in sets]) > 0.1


def test_kid_of_subsets():
    rng = np.random.default_rng(5)
    real, generated = rng.normal(size=(300, 4)), rng.normal(size=(200, 4)) + 1
    found = kernel_distance(real, generated, subsets=20, subset_size=50)
    assert found == kernel_distance(real, generated, subsets=20, subset_size=50, seed=0)
    assert found != kernel_distance(real, generated, subsets=20, subset_size=50, seed=1)
    whole = kernel_distance(real, generated, draws=[(np.arange(300), np.arange(200))]).value
    assert 0 < found.standard_error < 0.2 * found.value and abs(found.value - whole) < 4 * found.standard_error
    draws = [(np.arange(50), np.arange(50)), (np.arange(50, 100), np.arange(50, 100))]
    each = [kernel_distance(real, generated, draws=[pair]).value for pair in draws]
    both = kernel_distance(real, generated, draws=draws)
    assert both.value == pytest.approx(np.mean(each))
    assert both.standard_error == pytest.approx(abs(each[0] - each[1]) / 2)  # std with n - 1, over √2
    larger = kernel_distance(real, generated, subsets=5)  # 1,000 wanted; 100, half of the smaller set, are taken
    assert larger == kernel_distance(real, generated, subsets=5, subset_size=100)


def test_precision_and_recall_by_hand(backend):
    """On a line, one neighbour: real balls 0±1, 1±1, 9±8 (from 1 to 17); generated balls 2±1, 3±1, 30±27."""
    real, generated = backend([[0.0], [1.0], [9.0]]), backend([[2.0], [3.0], [30.0]])
    found = precision_recall(real, generated, neighbours=1)
    assert found.precision == pytest.approx(2 / 3)  # 2 and 3 lie in 9 ± 8, 30 in none
    assert found.recall == pytest.approx(2 / 3)  # 1 lies in 2 ± 1, 9 in 30 ± 27, 0 in none


def test_precision_and_recall_tell_quality_from_coverage():
    rng = np.random.default_rng(6)
    real = rng.normal(size=(1100, 3))  # more than one block of rows
    narrow = precision_recall(real, 0.2 * rng.normal(size=(600, 3)))
    wide = precision_recall(real, 5 * rng.normal(size=(600, 3)))
    assert narrow.precision > 0.95 and narrow.recall < 0.3
    assert wide.precision < 0.2 and wide.recall > 0.9
    assert precision_recall(real, real.copy()) == (1.0, 1.0)
    assert precision_recall(real, real + 100) == (0.0, 0.0)


def test_precision_and_recall_with_an_offset(backend):
    rng = np.random.default_rng(9)
    real, generated = (np.round(8 * scale * rng.normal(size=(200, 3))) / 8 for scale in (1.0, 1.5))
    expected = precision_recall(real, generated)
    assert 0.2 < expected.precision < 0.95
    assert precision_recall(backend(real + 2.0**30), backend(generated + 2.0**30)) == expected


def test_twins_are_neighbours_but_nobody_is_its_own():
    real = np.array([[0.0], [0.0], [5.0]])
    assert precision_recall(real, np.array([[0.1], [0.0]]), 1).precision == 0.5 + 0.5  # 5 ± 5 reaches 0 and 0.1
    assert precision_recall(real[:2], np.array([[0.1], [0.0]]), 1).precision == 0.5  # twins have balls of size 0


@pytest.mark.parametrize("metric", [fid, kernel_distance, precision_recall])
def test_mistakes_are_explained(metric):
    rng = np.random.default_rng(7)
    real, generated = rng.normal(size=(20, 4)), rng.normal(size=(30, 4))
    broken = generated.copy()
    broken[:7, 0] = np.inf
    with pytest.raises(ValueError, match=r"7 of 30 clips have NaN or infinite values: index 0, 1, 2, 3, 4, …\."):
        metric(real, broken)
    with pytest.raises(ValueError, match="of one evaluator, but their shapes are"):
        metric(real, generated[:, :3])
    with pytest.raises(ValueError, match=r"of at most 1e\+40, but 30 of 30 clips have larger values"):
        metric(real, generated * 1e200)


def test_too_few_motions():
    rng = np.random.default_rng(8)
    real, generated = rng.normal(size=(20, 4)), rng.normal(size=(3, 4))
    with pytest.raises(ValueError, match="at least 2 motions for a covariance, got 1"):
        frechet_statistics(real[:1])
    with pytest.raises(ValueError, match="at least 4 of each in all; got 20 and 3"):
        kernel_distance(real, generated)
    with pytest.raises(ValueError, match="at least one subset"):
        kernel_distance(real, real, subsets=0)
    with pytest.raises(ValueError, match="neighbours from 1 to 2 for 3 motions, got 3"):
        precision_recall(real, generated)
