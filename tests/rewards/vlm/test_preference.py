"""Preferences from replies in both orders, and position bias."""

import pytest

from atom_hf.rewards.position_bias import PositionBias
from atom_hf.rewards.vlm.preference import Preference, combine, position_bias
from atom_hf.rewards.vlm.replies import PairReply


def replies(*choices):
    return [PairReply(choice, 0.5, (), choice) for choice in choices]


@pytest.mark.parametrize(
    ("shown", "choice"),
    [
        (["first", "second"], "first"),  # the second time the first motion is shown second
        (["second", "first"], "second"),
        (["first", "first"], "tie"),
        (["tie", "tie"], "tie"),
        (["first", "tie"], "tie"),
        (["first", "second", "first", "second", "second", "first"], "first"),
        (["first", "second", "second", "first"], "tie"),
    ],
)
def test_a_motion_is_preferred_where_both_orders_say_so(shown, choice):
    assert combine(replies(*shown)).choice == choice


def test_position_bias_counts_what_was_shown():
    pairs = [combine(replies(*shown)) for shown in [("first", "first"), ("first", "second"), ("second", "second")]]
    bias = position_bias([*pairs, Preference(None, cause="refused")])
    assert bias.pairs == 3 and bias.consistent == bias.first_shown == bias.second_shown == pytest.approx(1 / 3)
    assert position_bias([]) == PositionBias(0, None, None, None)


def test_bad_preferences():
    with pytest.raises(ValueError, match="got 'first', cause 'refused'"):
        Preference("first", cause="refused")
    with pytest.raises(ValueError, match="got None, cause None"):
        Preference(None)
    with pytest.raises(ValueError, match="one of first, second, tie, got 'both'"):
        Preference("both")
