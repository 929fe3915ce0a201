"""Embeddings: names in any form, values that squares cannot hold, and offsets that all rows share."""

import numpy as np
import pytest

from atom_hf.evaluation.embeddings import Clips, Embeddings, as_double, squared_distances, without_offset


@pytest.mark.parametrize("ids", [range(3), np.arange(3), [np.int64(0), 1, "2"], np.array(["0", "1", "2"])])
def test_ids_are_kept_as_texts(ids):
    assert Embeddings(np.zeros((3, 2)), ids=ids).ids == ["0", "1", "2"]
    assert Clips(["a", "b", "c"], ids=ids).ids == ["0", "1", "2"]
    assert Embeddings(np.zeros((3, 2))).ids is None


@pytest.mark.parametrize("axes", [2, 3])
def test_values_whose_squares_overflow_are_named(backend, axes):
    rows = np.ones((8, 3) if axes == 2 else (8, 2, 3))
    assert float(as_double(backend(rows * 1e40), "samples", axes).max()) == 1e40
    rows[[1, 6]] = -1e200
    message = r"Expected samples of at most 1e\+40, but 2 of 8 clips have larger values, up to 1e\+200: index 1, 6\."
    with pytest.raises(ValueError, match=message):
        as_double(backend(rows), "samples", axes)


def test_sets_around_the_origin_stay_as_they_are(backend):
    rng = np.random.default_rng(0)
    first, second = backend(rng.normal(size=(50, 4))), backend(rng.normal(size=(30, 4)) + 0.3)
    for given, found in zip((first, second), without_offset(first, second), strict=True):
        assert bool((given == found).all())


@pytest.mark.parametrize("offset", [1e7, -3e12, 1e-3, [1e9, 0.0, -1e5]])
def test_an_offset_goes_without_rounding(backend, offset):
    rng = np.random.default_rng(1)
    first, second = rng.normal(size=(50, 3)) + offset, rng.normal(size=(30, 3)) + offset
    expected = ((first[:, None] - second[None]) ** 2).sum(-1)
    moved = without_offset(backend(first), backend(second))
    np.testing.assert_allclose(np.asarray(squared_distances(*moved)), expected, rtol=1e-9, atol=1e-12)
    assert max(float(abs(each).max()) for each in moved) < 20
    np.testing.assert_array_equal(np.asarray(moved[0])[:1] - np.asarray(moved[0])[1:], first[:1] - first[1:])


def test_an_offset_of_equal_rows(backend):
    same = backend(np.tile([1e40, -3.0, 0.0], (4, 1)))
    for found in without_offset(same, same):
        assert np.isfinite(np.asarray(found)).all()
        assert bool((found == found[0]).all())
