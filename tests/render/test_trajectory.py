import numpy as np
import pytest

from atom_hf.motion import Motion
from atom_hf.render import render_trajectory
from atom_hf.render.trajectory import _with_room
from examples.make_walk import walking as walk_of


def heads(image, tones):
    """How many heads there are: runs of columns with skin."""
    columns = tones(image)["skin"].any(0)
    return int((np.diff(columns.astype(int)) == 1).sum() + columns[0])


def test_poses_along_the_way(tones):
    motion = Motion(walk_of(frames=80, turn=0.0))
    image = render_trajectory(motion, camera="side", frames=5, size=(800, 300), label=False)
    assert image.size == (800, 300)
    blue, orange = tones(image)["blue"], tones(image)["orange"]
    assert np.ptp(np.nonzero(orange)[1]) > 300 and blue.any()
    few = render_trajectory(motion, camera="side", frames=2, size=(800, 300), label=False)
    assert tones(few)["orange"].sum() < orange.sum()


def test_early_poses_are_faded():
    image = render_trajectory(Motion(walk_of(frames=80, turn=0.0)), camera="side", size=(800, 300), label=False)
    outlines = (np.asarray(image).max(-1) < 75).sum(0)
    columns = np.flatnonzero((np.asarray(image).max(-1) < 150).any(0))
    middle = (columns.min() + columns.max()) // 2
    assert outlines[middle:].sum() > 3 * outlines[:middle].sum()


def test_who_stays_is_seen_once(standing, tones):
    image = render_trajectory(standing, size=(300, 200), label=False)
    assert heads(image, tones) == 1


def test_times_are_written_below(walking):
    plain, labelled = (
        np.asarray(render_trajectory(walking, size=(500, 300), label=label)).astype(int) for label in (False, True)
    )
    assert (np.abs(plain - labelled).sum(-1) > 100).sum() > 50


def test_room():
    row = [[x, 0, x + 10, 20] for x in range(0, 100, 2)]
    chosen = _with_room(np.array(row), 50)
    assert chosen[-1] == 49 and chosen[0] == 0 and len(chosen) >= 7
    assert min(np.diff(chosen)) * 2 >= 7  # at most a quarter of a box is shared
    assert len(_with_room(np.array(row), 3)) == 3 and _with_room(np.array(row), 1) == [49]
    assert _with_room(np.array([[0, 0, 10, 20]] * 30), 8) == [29]


def test_errors(walking):
    with pytest.raises(ValueError, match="Expected frames to be an integer"):
        render_trajectory(walking, frames=0)
    with pytest.raises(TypeError, match="Expected a Motion"):
        render_trajectory("walk.bvh")
