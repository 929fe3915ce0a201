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


@pytest.mark.parametrize(("depth", "hidden"), [(4.8, False), (SPINE + 0.05, False), (SPINE + 0.2, True)])
def test_a_limb_lies_before_or_behind_the_torso(depth, hidden):
    order = order_of({2: (depth, depth)})
    assert (order.index(2) < order.index(TORSO_PART)) == hidden


def test_a_bone_is_cut_where_another_passes_between():
    order = order_of({0: (4.0, 3.0), 1: (3.5, 3.5)})
    assert order.index(FIRST_HALVES) < order.index(1) < order.index(SECOND_HALVES) and 0 not in order
    assert 0 in order_of({0: (4.0, 3.0)})  # nothing between: one piece


def test_the_head_covers_its_neck():
    neck = len(BONES) - 1
    order = order_of({neck: (4.0, 4.0)}, head=4.5)
    assert order.index(neck) < order.index(HEAD_PART)
