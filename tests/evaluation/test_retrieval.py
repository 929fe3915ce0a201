"""R-precision and MM-Dist: the original's numbers, arithmetic by hand, and what ties and batches do."""

import json
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from atom_hf.evaluation.retrieval import FixedPairs, batch_free_r_precision, batches, matching_distance, r_precision

GOLDEN = Path(__file__).parent.parent / "golden"


@pytest.fixture(scope="module")
def golden():
    with np.load(GOLDEN / "e_metrics.npz") as data:
        return dict(data), json.loads((GOLDEN / "e_metrics.json").read_text(encoding="utf-8"))


def matching(seed: int, n: int, noise: float = 0.7, dims: int = 8) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    text = rng.normal(size=(n, dims))
    return text, text + noise * rng.normal(size=(n, dims))


@pytest.mark.parametrize("system", ["gt", "gen"])
def test_agrees_with_the_original(golden, backend, system):
    arrays, numbers = golden
    text, motion = backend(arrays["text"]), backend(arrays[system])
    as_it_is = np.arange(331)  # the original loader's order; 331 clips are ten batches and eleven that are dropped
    kept = batches(331, order=as_it_is)
    assert len(kept) == 320
    score, shares = numbers[system]["guo"]
    assert matching_distance(text, motion, kept) == pytest.approx(score, rel=1e-5)
    assert r_precision(text, motion, order=as_it_is) == pytest.approx(shares, rel=1e-5)
    assert numbers[system]["motiongpt"][1] == shares


def test_distances_of_a_batch_agree_with_the_original(golden):
    """Its trace is the sum of matching distances."""
    arrays, numbers = golden
    found = 32 * matching_distance(arrays["text"], arrays["gt"], np.arange(32))
    assert found == pytest.approx(numbers["calculate_matching_score_pairs_sum_first32"], rel=1e-5)
    assert found == pytest.approx(np.trace(arrays["dist_batch0_gt"]), rel=1e-5)
    hits = [round(32 * share) for share in r_precision(arrays["text"][:32], arrays["gt"][:32], seed=5)]
    assert hits == numbers["R_precision_fn_first32"]


def test_ranks_by_hand(backend):
    """On a line: texts at 0, 10, 20; the first finds its own first, the second second, the third third."""
    text = backend([[0.0], [10.0], [20.0]])
    motion = backend([[1.0], [14.0], [9.0]])
    # text 0: 1, 14, 9 → own at rank 1; text 1: 9, 4, 1 → rank 2; text 2: 19, 6, 11 → rank 2
    assert r_precision(text, motion, batch_size=3) == pytest.approx((1 / 3, 1.0, 1.0))
    assert matching_distance(text, motion) == pytest.approx((1 + 4 + 11) / 3)
    assert matching_distance(text, motion, np.array([0, 1])) == pytest.approx(2.5)


def test_seeds_make_batches():
    text, motion = matching(0, 100)
    assert r_precision(text, motion, seed=3) == r_precision(text, motion, seed=3)
    assert len({r_precision(text, motion, seed=seed) for seed in range(5)}) > 1
    order = np.random.default_rng(3).permutation(100)
    assert r_precision(text, motion, seed=3) == r_precision(text, motion, order=order)
    np.testing.assert_array_equal(batches(100, 32, seed=3), order[:96])
    assert len(batches(96, 32)) == 96


def test_always_the_same_motion_gets_chance(backend):
    """Counting only closer rivals would give it everything, an unstable sort anything."""
    text = backend(np.random.default_rng(0).normal(size=(64, 16)))
    motion = backend(np.tile(np.random.default_rng(1).normal(size=16), (64, 1)))
    expected = (1 / 32, 2 / 32, 3 / 32)
    assert r_precision(text, motion) == pytest.approx(expected)
    assert batch_free_r_precision(text, motion) == pytest.approx(expected)
    assert batch_free_r_precision(text, motion, None) == pytest.approx((1 / 64, 2 / 64, 3 / 64))


def test_batch_free_is_the_mean_over_all_pools(backend):
    """All pools of 4 among 8 that hold the own motion, one by one, with a pair of twins among the motions."""
    text, motion = matching(1, 8, noise=1.5, dims=2)
    motion[5] = motion[2]
    squares = ((text[:, None] - motion[None]) ** 2).sum(-1)
    hits = np.zeros(3)
    for i in range(8):
        others = [j for j in range(8) if j != i]
        pools = list(combinations(others, 3))
        for pool in pools:
            closer = sum(squares[i, j] < squares[i, i] - 1e-9 for j in pool)
            tied = sum(abs(squares[i, j] - squares[i, i]) <= 1e-9 for j in pool) + 1
            hits += [min(max((k - closer) / tied, 0), 1) / len(pools) / 8 for k in (1, 2, 3)]
    assert 0.2 < hits[0] < 0.9
    assert batch_free_r_precision(backend(text), backend(motion), 4) == pytest.approx(hits, rel=1e-9)


def test_batch_free_is_the_mean_over_shuffles():
    text, motion = matching(2, 331, noise=1.5)
    shuffled = np.mean([r_precision(text, motion, seed=seed) for seed in range(200)], axis=0)
    assert batch_free_r_precision(text, motion) == pytest.approx(shuffled, abs=0.003)


def test_batch_free_over_everything_is_a_plain_ranking():
    text, motion = matching(3, 700)  # more than one block of rows
    squares = ((text[:, None] - motion[None]) ** 2).sum(-1)
    rank = (squares < np.diag(squares)[:, None]).sum(1)
    expected = [(rank < k).mean() for k in range(1, 6)]
    assert batch_free_r_precision(text, motion, None, top_k=5) == pytest.approx(expected, rel=1e-12)
    assert batch_free_r_precision(text, motion, 700, top_k=5) == pytest.approx(expected, rel=1e-12)


def test_fixed_pairs_give_the_same_numbers(backend):
    text, motion = matching(5, 600)  # more than one block of rows
    motion[7] = motion[500]
    pairs = FixedPairs(backend(text), backend(motion))
    for seed in range(3):
        order = np.random.default_rng(seed).permutation(600)
        assert pairs.r_precision(order) == pytest.approx(r_precision(text, motion, order=order), rel=1e-12)
        kept = batches(600, order=order)
        assert pairs.matching_distance(kept) == pytest.approx(matching_distance(text, motion, kept), rel=1e-12)
    assert pairs.batch_free_r_precision() == pytest.approx(batch_free_r_precision(text, motion), rel=1e-12)
    with pytest.raises(ValueError, match="permutation of the 600 clips, got 599 indices"):
        pairs.r_precision(np.arange(599))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_an_offset_that_all_share_changes_nothing(backend, dtype):
    """Squares of 2⁴⁰ have no digits left for distances of 1; eighths are exact in both precisions."""
    text, motion = (np.round(8 * array) / 8 for array in matching(6, 96))
    order = np.random.default_rng(0).permutation(96)
    near, free = r_precision(text, motion, order=order), batch_free_r_precision(text, motion)
    assert near[0] > 0.5
    text, motion = (backend((array + 2.0**20).astype(dtype)) for array in (text, motion))
    assert r_precision(text, motion, order=order) == pytest.approx(near, rel=1e-12)
    assert FixedPairs(text, motion).r_precision(order) == pytest.approx(near, rel=1e-12)
    assert batch_free_r_precision(text, motion) == pytest.approx(free, rel=1e-12)


@pytest.mark.parametrize("metric", [r_precision, batch_free_r_precision, matching_distance])
def test_values_whose_squares_overflow_are_refused(metric):
    text, motion = matching(4, 40)
    with pytest.raises(ValueError, match=r"motion embeddings of at most 1e\+40, but 40 of 40 clips"):
        metric(text, motion * 1e200)


@pytest.mark.parametrize("metric", [r_precision, batch_free_r_precision, matching_distance])
def test_mistakes_are_explained(metric):
    text, motion = matching(4, 40)
    broken = motion.copy()
    broken[[3, 17], 2] = np.nan, np.inf
    with pytest.raises(ValueError, match=r"2 of 40 clips have NaN or infinite values: index 3, 17\."):
        metric(text, broken)
    with pytest.raises(
        ValueError, match=r"one row of text embeddings and of motion embeddings .*\[40, 8\] and \[39, 8"
    ):
        metric(text, motion[:-1])
    with pytest.raises(ValueError, match=r"of one evaluator, but their shapes are \[40, 8\] and \[40, 7\]"):
        metric(text, motion[:, :7])
    with pytest.raises(ValueError, match=r"shape \[N, D\] with at least one row, got \[40, 8, 1\]"):
        metric(text[..., None], motion)
    with pytest.raises(TypeError, match="floating-point numbers, got int64"):
        metric(text.astype(int), motion)
    with pytest.raises(TypeError, match="numpy array or a torch tensor, got list"):
        metric(text.tolist(), motion)


def test_libraries_are_not_mixed():
    torch = pytest.importorskip("torch")
    text, motion = matching(4, 40)
    with pytest.raises(TypeError, match="of one library, got ndarray and Tensor"):
        matching_distance(text, torch.tensor(motion))


def test_too_few_clips():
    text, motion = matching(4, 31)
    with pytest.raises(ValueError, match=r"at least one batch of 32 clips, got 31\. Evaluate more clips"):
        r_precision(text, motion)
    with pytest.raises(ValueError, match="at least one batch of 32 clips, got 31"):
        batch_free_r_precision(text, motion)
    with pytest.raises(ValueError, match="top_k from 1 to the 4 motions to choose from, got 5"):
        r_precision(text, motion, 4, top_k=5)
    with pytest.raises(ValueError, match="permutation of the 31 clips, got 31 indices"):
        r_precision(text, motion, 4, order=np.zeros(31, dtype=int))
    with pytest.raises(ValueError, match="permutation of the 31 clips, got 30 indices"):
        r_precision(text, motion, 4, order=np.arange(30))
    with pytest.raises(ValueError, match="at least 2 motions to choose from, got 1"):
        batches(31, 1)
