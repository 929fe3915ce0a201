"""Physical plausibility: faults built by hand with known sizes, synthesised motion, and motion capture."""

import re

import numpy as np
import pytest

from atom_hf.evaluation.physics import (
    FEET,
    Physics,
    floor_error,
    foot_skating,
    jerk,
    mean_physics,
    physical_plausibility,
)
from atom_hf.events import Event, Scenario, synthesize
from atom_hf.motion import T_POSE_OFFSETS, to_floor
from atom_hf.motion.skeleton import NUM_JOINTS, PARENTS

GRAVITY = 9.81


@pytest.fixture
def standing() -> np.ndarray:
    """Forty frames of a body that does not move, toes on the floor, [40, 22, 3]."""
    pose = np.zeros((NUM_JOINTS, 3))
    for joint in range(1, NUM_JOINTS):
        pose[joint] = pose[PARENTS[joint]] + T_POSE_OFFSETS[joint]
    pose[:, 1] -= pose[:, 1].min()
    return np.repeat(pose[None], 40, axis=0)


@pytest.fixture(scope="module")
def synthesised() -> list[np.ndarray]:
    actions = [(Event("walk"),), (Event("run"),), (Event("jump", count=2),), (Event("sit_down"),), (Event("kick"),)]
    return [synthesize(Scenario(events), seed=seed).joints for seed in range(2) for events in actions]


def test_standing_still_is_perfect(standing):
    found = physical_plausibility(standing)
    assert found == Physics(0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, found.limb_drift, found.worst_limb_drift)
    assert found.worst_limb_drift < 1e-9


def test_a_body_that_slides(standing):
    """3.5 cm a frame at 20 fps are 70 cm/s; the window of 5 frames reaches over the ends, where it sees 3 and 4."""
    standing[..., 0] += 0.035 * np.arange(40)[:, None]
    found = foot_skating(standing)
    assert found.speed == pytest.approx(70)
    assert found.of_contacts == 1 and found.contact_share == 1
    assert found.ratio == pytest.approx((39 - 2) / 39)  # 3/5 of 70 cm/s is below 50, 4/5 is above
    slow = foot_skating(standing, fps=10)
    assert slow.speed == pytest.approx(35) and slow.of_contacts == 0 and slow.ratio == 0


def test_one_foot_slides_for_a_while(standing):
    standing[10:20, FEET[1], 2] += 0.1 * np.arange(10)
    standing[20:, FEET[1], 2] += 0.9
    found = foot_skating(standing)
    assert found.of_contacts == pytest.approx(9 / 78) and found.speed == pytest.approx(200 * 9 / 78)
    assert found.ratio == pytest.approx(9 / 39)  # frames in which either foot slides


def test_a_single_jump_of_the_foot_is_no_skating(standing):
    """At 100 cm/s for a frame, the mean over five frames is 20 cm/s."""
    standing[20:, FEET[0], 2] += 0.05
    found = foot_skating(standing)
    assert found.ratio == 0 and found.of_contacts == pytest.approx(1 / 78)


def test_a_foot_stands_only_where_both_frames_are_low(standing):
    standing[20, FEET, 1] += 0.2
    standing[20:, FEET, 2] += 0.3  # while it is up
    found = foot_skating(standing)
    assert found.contact_share == pytest.approx(37 / 39) and found.speed == 0


def test_feet_in_the_air_cannot_skate(standing):
    standing[..., 0] += 0.1 * np.arange(40)[:, None]
    standing[..., 1] += 0.2
    found = foot_skating(standing)
    assert found == (0.0, None, None, 0.0)
    assert foot_skating(standing, floor=0.2).contact_share == 1


def test_a_sunk_body(standing):
    standing[::2, :, 1] -= 0.03
    standing[1, :, 1] -= 0.004  # forgiven
    assert floor_error(standing) == (pytest.approx(15.0), 0.0, 0.0)
    assert floor_error(standing, floor=-0.03).penetration == 0


def test_a_hovering_body(standing):
    standing[10:, :, 1] += 0.2
    found = floor_error(standing)
    assert found.floating == pytest.approx(150) and found.penetration == 0
    assert found.unsupported == pytest.approx(30 / 40)
    standing[10:, :, 1] -= 0.15
    assert floor_error(standing).unsupported == 0  # within reach of the floor


def test_falling_is_no_hovering(standing):
    time = np.arange(13) / 20
    standing[10:23, :, 1] += (GRAVITY / 2 * time * (12 / 20 - time))[:, None]
    found = floor_error(standing)
    assert found.unsupported == 0 and found.floating > 50
    standing[10:23, :, 1] = standing[10:23, :, 1] * 0.3 + standing[:1, :, 1] * 0.7  # as on the moon
    assert floor_error(standing).unsupported > 0.1


def test_estimated_floor(standing):
    found = physical_plausibility(standing + np.array([0, 1.7, 0]), floor=None)
    assert found.penetration == 0 and found.floating == 0 and found.contact_share == 1


def test_jerk_of_a_cubic(standing):
    """x = t³ has the third derivative 6, whatever the frame rate."""
    for fps in (20.0, 60.0):
        assert jerk(standing + ((np.arange(40) / fps) ** 3)[:, None, None] * [1, 0, 0], fps) == pytest.approx(6)


def test_shaking(standing):
    """Independent noise of 1 mm: third differences have the variance 1 + 9 + 9 + 1."""
    noise = np.random.default_rng(0).normal(size=(400, NUM_JOINTS, 3)) * 1e-3
    expected = 1e-3 * np.sqrt(20) * np.sqrt(8 / np.pi) * 20**3  # the mean length of a normal vector is √(8/π)
    assert jerk(np.repeat(standing, 10, axis=0) + noise) == pytest.approx(expected, rel=0.02)


def test_a_bone_that_stretches(standing):
    """Half of the frames at 0.9 and half at 1.1 of the forearm's length: a standard deviation of 10 %."""
    bone = standing[:, 20] - standing[:, 18]
    standing[:, 20] += bone * np.where(np.arange(40) % 2, 0.1, -0.1)[:, None]
    found = physical_plausibility(standing)
    assert found.worst_limb_drift == pytest.approx(10) and found.limb_drift == pytest.approx(10 / 21)


def test_short_clips(standing):
    one = physical_plausibility(standing[:1])
    assert one.skating_ratio is None and one.slide_speed is None and one.contact_share is None and one.jerk is None
    assert one.floating == 0 and one.limb_drift == 0
    assert physical_plausibility(standing[:3]).jerk is None and physical_plausibility(standing[:4]).jerk == 0


def test_means(standing):
    moved = physical_plausibility(standing + 0.2)
    mean = mean_physics([moved, physical_plausibility(standing), physical_plausibility(standing[:1])])
    assert mean.clips == 3 and mean.floating == pytest.approx(200 / 3)
    assert mean.contact_share == pytest.approx(0.5)  # of the two clips that have one
    assert mean.slide_speed == 0
    assert mean_physics([moved]).slide_speed is None
    with pytest.raises(ValueError, match="at least one clip, got none"):
        mean_physics([])


def test_torch_and_numpy_agree(synthesised, backend):
    expected = physical_plausibility(synthesised[0])
    assert physical_plausibility(backend(synthesised[0])) == expected
    assert all(value is None or type(value) in (float, int) for value in vars(expected).values())


def test_where_it_lies_does_not_matter(synthesised):
    clip = synthesised[1].astype(np.float64)
    there, here = physical_plausibility(clip + np.array([50.0, 0.0, -80.0])), physical_plausibility(clip)
    for name, value in vars(here).items():
        assert getattr(there, name) == pytest.approx(value, rel=1e-6, abs=1e-9), name


def test_synthesised_motion(synthesised):
    for clip in synthesised:
        found = physical_plausibility(clip)
        assert found.penetration == 0 and found.unsupported == 0 and found.worst_limb_drift < 1e-3
        assert 5 < found.jerk < 250 and found.floating < 60


def test_faults_stand_out_from_motion_capture(real_clips):
    """Each fault moves its own number far beyond what real motion has, clip by clip."""
    rng = np.random.default_rng(0)
    for clip in map(to_floor, real_clips):
        real = physical_plausibility(clip)
        drift = np.zeros(clip.shape)
        drift[..., 0] += 0.04 * np.arange(len(clip))[:, None]
        low = clip - np.array([0, 0.05, 0])
        assert physical_plausibility(clip + drift).slide_speed > real.slide_speed + 20
        assert physical_plausibility(low).penetration > 4 + real.penetration
        assert physical_plausibility(clip + np.array([0, 0.15, 0])).floating == pytest.approx(
            real.floating + 150, abs=5
        )
        assert physical_plausibility(clip + rng.normal(size=clip.shape) * 0.01).jerk > 2 * real.jerk
        assert real.penetration == 0 and real.limb_drift < 1 and 10 < real.jerk < 400
        assert physical_plausibility(clip * (1 + 0.05 * np.sin(np.arange(len(clip))))[:, None, None]).limb_drift > 3


def test_motion_capture_does_not_hover(real_clips):
    found = [physical_plausibility(clip, floor=None) for clip in real_clips]
    assert mean_physics(found).unsupported < 0.05
    assert 0 < mean_physics(found).skating_ratio < 0.3  # feet that swing low count, so it is not 0


@pytest.mark.parametrize("function", [physical_plausibility, foot_skating, floor_error, jerk])
def test_mistakes_are_explained(standing, function):
    with pytest.raises(ValueError, match=r"one clip, \[T, 22, 3\], got \[1, 40, 22, 3\]"):
        function(standing[None])
    with pytest.raises(ValueError, match="finite"):
        function(np.where(standing == standing.max(), np.nan, standing))
    for far in (1.5e6, -1e160):
        standing[7, 20, 2] = far
        place = r"within 1,000,000 m of the origin, but frame 7, joint 20 \(left_wrist\) is at "
        with pytest.raises(ValueError, match=place + re.escape(f"{abs(far):.3g} m")):
            function(standing)
    standing[7, 20, 2] = 0
    with pytest.raises(TypeError, match="floating-point"):
        function((standing * 1000).astype(int))
    with pytest.raises(ValueError, match="fps"):
        function(standing, 0)
