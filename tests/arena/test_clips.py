"""Motions in the store: packed small, off by at most 0.05 mm."""

import numpy as np
import pytest

from atom_hf.arena import ArenaError
from atom_hf.arena.clips import MOST_FRAMES, pack, shown, unpack
from atom_hf.motion import Motion
from tests.arena.parts import motion


def test_there_and_back(walk):
    frames, packed = pack(Motion(walk))
    assert frames == len(walk)
    assert np.abs(unpack(frames, packed) - walk).max() <= 0.0000501


def test_real_motion(real_clips):
    for joints in real_clips:
        frames, packed = pack(Motion(joints))
        assert np.abs(unpack(frames, packed) - joints).max() <= 0.00006
        assert len(packed) < 0.55 * joints.nbytes
        seen = shown(frames, packed).joints
        lengths = [np.linalg.norm(clip[:, 1] - clip[:, 4], axis=-1) for clip in (seen, joints)]
        assert np.abs(lengths[0] - lengths[1]).max() < 0.002  # moved and turned, and otherwise the same


def test_other_frame_rates(walk):
    frames, _ = pack(Motion(np.repeat(walk, 2, axis=0), fps=40))
    assert frames == len(walk)


def test_too_short_too_long_too_far(walk):
    with pytest.raises(ArenaError, match="Expected 5 to 2400 frames at 20 fps, got 4"):
        pack(Motion(walk[:4]))
    with pytest.raises(ArenaError, match="Expected at most 120 s of motion, got 125 s; cut it"):
        pack(Motion(np.zeros((MOST_FRAMES + 100, 22, 3), np.float32)))
    with pytest.raises(ArenaError, match="within 1000 m of the origin; are they in metres"):
        pack(Motion(walk * 10_000))
    with pytest.raises(TypeError, match="Expected a Motion, got ndarray"):
        pack(walk)


def test_a_damaged_length_unpacks_no_more(walk):
    frames, packed = pack(motion("a"))
    assert len(unpack(frames - 10, packed)) == frames - 10
