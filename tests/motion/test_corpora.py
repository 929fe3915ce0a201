"""Every clip of the real corpora goes through the core: features, kinematics, resampling, mirroring."""

import numpy as np
import pytest

from atom_hf.motion import (
    bone_length_deviation,
    features_to_joints,
    inverse_kinematics,
    joints_to_features,
    mirror_joints,
    resample_joints,
)
from atom_hf.motion.layout import CONTACTS, ROOT_HEIGHT

CORPORA = {"cmu_gait_amc": 69, "cmu_iclone_bvh": 61, "cmu_eval_expmap": 90, "bandai_namco": 406}


@pytest.mark.parametrize("corpus", CORPORA)
def test_features_of_every_clip(shared, corpus):
    with np.load(shared / "mocap" / f"{corpus}.npz") as data:
        joints, starts, lengths = data["joints_mm"] / np.float32(1000), data["starts"], data["lengths"]
    clips = [joints[start : start + length] for start, length in zip(starts, lengths, strict=True)]
    assert len(clips) == CORPORA[corpus]
    for clip, features in zip(clips, joints_to_features(clips), strict=True):
        assert features.shape == (len(clip) - 1, 263) and np.isfinite(features).all()
        assert 0.1 < features[:, ROOT_HEIGHT].mean() < 1.7  # sitting on the ground to hanging from a ladder
        back = features_to_joints(features)
        assert back[..., 1].min() > -1e-4  # nobody sinks into the floor
    contacts = np.concatenate([f[:, CONTACTS] for f in joints_to_features(clips)])
    assert 0.2 < contacts.mean() < 1  # feet stand more often than they fly


@pytest.mark.parametrize("corpus", CORPORA)
def test_kinematics_of_every_tenth_clip(shared, corpus):
    with np.load(shared / "mocap" / f"{corpus}.npz") as data:
        joints, starts, lengths = data["joints_mm"] / 1000, data["starts"], data["lengths"]
    for start, length in list(zip(starts, lengths, strict=True))[::10]:
        clip = joints[start : start + length]
        assert inverse_kinematics(clip).residual.mean() < 0.012
        resampled = resample_joints(clip, 20, 30)
        assert bone_length_deviation(resampled).max() < bone_length_deviation(clip).max() * 1.2 + 1e-3
        np.testing.assert_array_equal(mirror_joints(mirror_joints(clip)), clip)
