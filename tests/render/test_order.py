import numpy as np
import pytest

from atom_hf.render.body import BONES, LONG_BONES, TORSO
from atom_hf.render.order import FIRST_HALVES, HEAD_PART, SECOND_HALVES, TORSO_PART, Points, painters_order

SPINE = 5.0  # metres from the camera


def order_of(depths: dict[int, tuple[float, float]], head: float = SPINE) -> list[int]:
    """Parts from far to near; bones lie beside each other, at the spine's depth unless `depths` says otherwise."""
    count = len(BONES)
    start, end = np.full((1, count), SPINE), np.full((1, count), SPINE)
    for bone, (near, far) in depths.items():
        start[0, bone], end[0, bone] = near, far
    xy = np.stack([np.arange(count) * 10.0, np.zeros(count)], axis=-1)[None]
    torso_xy = np.zeros((1, len(TORSO), 2))
    torso_xy[..., 1] = np.linspace(0, 60, len(TORSO))
    down = np.array([0, 30])
    places = Points(xy, xy + down, xy[:, :LONG_BONES] + down / 2, torso_xy, np.full((1, 1, 2), 70.0))
    middle = (start + end)[:, :LONG_BONES] / 2
    depth = Points(start, end, middle, np.full((1, len(TORSO)), SPINE), np.full((1, 1), head))
    return painters_order(places, depth).parts[0]


def test_far_before_near():
    order = order_of({0: (4, 4), 1: (6, 6), 2: (3, 3)})
    assert order.index(1) < order.index(0) < order.index(2)
    assert sorted(order) == sorted([*range(len(BONES)), TORSO_PART, HEAD_PART])  # every part once, no halves


@pytest.mark.parametrize(
    ("depths", "hidden"), [((4.8, 4.8), False), ((SPINE, SPINE + 0.09), False), ((SPINE + 0.2, SPINE + 0.2), True)]
)
def test_a_limb_lies_before_or_behind_the_torso(depths, hidden):
    order = order_of({2: depths})
    assert (order.index(2) < order.index(TORSO_PART)) == hidden


def test_the_far_side_is_hidden_and_the_neck_is_put_into_the_torso():
    beside, far = order_of({0: (5.0, 5.08)}), order_of({0: (5.08, 5.0)})  # thighs: depth of hip, depth of knee
    assert beside.index(0) > beside.index(TORSO_PART) and far.index(0) < far.index(TORSO_PART)
    forearm = order_of({2: (5.1, 5.05), 3: (4.99, 4.91)})  # of the far arm, which reaches around the chest
    assert forearm.index(2) < forearm.index(TORSO_PART) < forearm.index(3)
    neck = len(BONES) - 1
    upright, bowing = order_of({}), order_of({neck: (4.8, 4.7)}, head=4.6)
    assert upright.index(neck) < upright.index(TORSO_PART) and bowing.index(neck) > bowing.index(TORSO_PART)


def test_a_bone_is_cut_where_another_passes_between():
    order = order_of({0: (4.0, 3.0), 1: (3.5, 3.5)})
    assert order.index(FIRST_HALVES) < order.index(1) < order.index(SECOND_HALVES) and 0 not in order
    assert 0 in order_of({0: (4.0, 3.0)})  # nothing between: one piece


def test_the_head_covers_its_neck():
    neck = len(BONES) - 1
    order = order_of({neck: (4.0, 4.0)}, head=4.5)
    assert order.index(neck) < order.index(HEAD_PART)
