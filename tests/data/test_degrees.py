"""Degrees of preference: from gaps of scores, from people's spelling, and with the published margins."""

import numpy as np
import pytest

from atom_hf.data.degrees import DEGREES, MARGINS, degree_of_gap, read_degree


@pytest.mark.parametrize(
    ("gap", "degree"),
    [
        (4.0, "much better"),
        (2.0, "much better"),
        (1.99, "better"),
        (1.0, "better"),
        (0.99, "slightly better"),
        (0.5, "slightly better"),
        (0.49, "negligibly better/unsure"),
        (4.1 - 3.6, "slightly better"),  # 0.49999999999999956
        (13 / 3 - 10 / 3, "better"),  # 0.9999999999999996
        (float(np.float32(3.8)) - float(np.float32(1.8)), "much better"),  # 1.9999999
        (0.5 - 2e-6, "negligibly better/unsure"),
        (0.0, "negligibly better/unsure"),
    ],
)
def test_degree_of_gap(gap, degree):
    assert degree_of_gap(gap) == degree


@pytest.mark.parametrize("gap", [-0.1, -1e-9, float("nan")])
def test_no_gap(gap):
    with pytest.raises(ValueError, match="A gap between scores is a number of at least 0, got"):
        degree_of_gap(gap)


def test_margins_are_the_published_ones():
    assert [MARGINS[degree] for degree in DEGREES] == [3.0, 2.0, 1.0, 0.0, 0.0]


@pytest.mark.parametrize("degree", DEGREES)
def test_peoples_spelling(degree):
    assert read_degree(f"  {degree.upper()} ") == read_degree(degree.capitalize()) == degree


@pytest.mark.parametrize(
    ("text", "hint"), [("much beter", "Did you mean 'much better'"), (None, "got None"), (3, "got 3"), ("", "got ''")]
)
def test_no_degree(text, hint):
    with pytest.raises(ValueError, match="one of 'much better', 'better', 'slightly better'") as error:
        read_degree(text)
    assert hint in str(error.value)
