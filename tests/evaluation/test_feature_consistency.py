"""Features that agree with each other, and parts of them changed by known amounts."""

import numpy as np
import pytest

from atom_hf.evaluation.feature_consistency import feature_consistency
from atom_hf.events import Event, Scenario, synthesize
from atom_hf.motion import joints_to_features
from atom_hf.motion.layout import CONTACTS, ROTATIONS, VELOCITIES


@pytest.fixture(scope="module")
def synthesised() -> list[np.ndarray]:
    actions = [(Event("walk"),), (Event("jump", count=2),), (Event("sit_down"),)]
    return [synthesize(Scenario(events), seed=0).joints for events in actions]


def test_consistent_features(synthesised, shared):
    for clip in synthesised:
        found = feature_consistency(joints_to_features(clip.astype(np.float64)))
        assert found == (pytest.approx(0, abs=1e-6), pytest.approx(0, abs=1e-6), 0.0)
    with np.load(shared / "golden" / "a_clip012314.npz") as data:
        original = feature_consistency(data["new_joint_vecs"])
    assert original.velocity < 1e-3 and original.rotation < 1e-3 and original.contact == 0


def test_inconsistent_features(synthesised):
    features = joints_to_features(synthesised[0].astype(np.float64))
    rows = len(features) - 1
    fast = features.copy()
    fast[:, VELOCITIES.start] += 0.01  # one of 22 joints, 1 cm a frame
    assert feature_consistency(fast).velocity == pytest.approx(20 / 22)
    turned = features.copy()
    turned[:, ROTATIONS] = np.roll(turned[:, ROTATIONS], 5, axis=0)
    assert feature_consistency(turned).rotation > 5
    flipped = features.copy()
    flipped[:3, CONTACTS.start] = 1 - flipped[:3, CONTACTS.start]
    assert feature_consistency(flipped).contact == pytest.approx(3 / (4 * rows))
    assert feature_consistency(features[:1])[::2] == (None, None)


def test_mistakes_are_explained():
    with pytest.raises(ValueError, match=r"one clip, \[T, 263\], got \[1, 2, 263\]"):
        feature_consistency(np.zeros((1, 2, 263)))
