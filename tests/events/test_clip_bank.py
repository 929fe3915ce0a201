"""A bank joins clips without a jump, on one skeleton and on the floor, and says what it has not."""

import csv
from pathlib import Path

import numpy as np
import pytest

from atom_hf.events import BankClip, ClipBank, Event, Scenario, synthesize
from atom_hf.motion import UNIFORM_OFFSETS, joints_to_features
from atom_hf.motion.kinematics import bones_of

FPS = 20
UNIFORM = np.linalg.norm(UNIFORM_OFFSETS[1:], axis=-1)


def clip(
    action: str, side: str | None = None, direction: str | None = None, count: int = 1, seed: int = 0
) -> BankClip:
    """A clip of the primitives, with another body for every seed, somewhere and facing anywhere."""
    made = synthesize(Scenario((Event(action, count, side, direction),)), seed)
    x, z = made.joints[..., 0].copy(), made.joints[..., 2].copy()
    joints = made.joints.copy()
    joints[..., 0], joints[..., 2] = 3 + z, 1 - x  # a quarter turn
    return BankClip(joints, action, side, direction, tuple((s.start, s.end) for s in made.segments if s.event == 0))


@pytest.fixture(scope="module")
def bank() -> ClipBank:
    return ClipBank(
        [
            clip("walk", direction="forward", seed=1),
            clip("jump", direction="up", count=2, seed=2),
            clip("kick", "right", "forward", seed=3),
            clip("turn", direction="left", seed=4),
        ]
    )


def check(joints: np.ndarray, fastest: float = 12.0, hardest: float = 160.0) -> None:
    joints = joints.astype(np.float64)
    assert np.allclose(np.linalg.norm(bones_of(joints), axis=-1), UNIFORM, atol=1e-4)
    assert joints[..., 1].min() > -0.01
    velocity = np.diff(joints, axis=0) * FPS
    assert np.linalg.norm(velocity, axis=-1).max() < fastest
    assert np.linalg.norm(np.diff(velocity, axis=0) * FPS, axis=-1).max() < hardest


def test_clips_are_joined_on_one_skeleton(bank):
    scenario = Scenario((Event("walk"), Event("jump", 2), Event("kick", side="right")))
    synthesis = bank.synthesize(scenario, 0)
    assert synthesis.joints.dtype == np.float32
    assert 40 <= len(synthesis.joints) <= 196
    assert [segment.event for segment in synthesis.segments] == [0, 1, 1, 2]
    check(synthesis.joints)
    assert np.isfinite(joints_to_features(synthesis.joints)).all()


def test_a_motion_starts_at_the_origin_facing_z(bank):
    joints = bank.synthesize(Scenario((Event("walk"),))).joints
    assert np.allclose(joints[0, 0, [0, 2]], 0, atol=1e-5)
    left = joints[0, 1] - joints[0, 2] + joints[0, 16] - joints[0, 17]
    assert abs(left[2]) < 1e-4 < left[0]
    assert joints[-1, 0, 2] > 1


def test_later_clips_follow_the_heading_of_earlier_ones(bank):
    joints = bank.synthesize(Scenario((Event("turn", direction="left"), Event("walk")))).joints
    assert joints[-1, 0, 0] - joints[0, 0, 0] > 1  # to what was the left


def test_standing_feet_stay_where_they_are_between_clips(bank):
    synthesis = bank.synthesize(Scenario((Event("walk"), Event("kick"))), 0)
    start, end = synthesis.segments[0].end, synthesis.segments[1].start
    slide = np.ptp(synthesis.joints[start - 1 : end + 1, [7, 8]][..., [0, 2]], axis=0).max(axis=-1)
    assert slide.min() < 0.03


def test_repetitions_are_cut_and_repeated(bank):
    for count in (1, 2, 5):
        synthesis = bank.synthesize(Scenario((Event("jump", count),)), max_frames=400)
        assert len(synthesis.segments) == count
        for segment in synthesis.segments:
            flight = synthesis.joints[segment.start : segment.end, [10, 11], 1].min(axis=1)
            assert flight.max() > 0.05


def test_the_other_side_is_the_mirrored_clip(bank):
    assert bank.can(Event("kick", 1, "left"))
    synthesis = bank.synthesize(Scenario((Event("kick", 1, "left"),)))
    assert synthesis.segments[0].side == "left"
    assert synthesis.joints[:, 7, 1].max() > 0.4 > synthesis.joints[:, 8, 1].max()
    turn = bank.synthesize(Scenario((Event("turn", direction="right"),)))
    assert turn.segments[0].direction == "right"


def test_what_the_bank_has_not_is_an_error(bank):
    assert bank.actions == ("walk", "jump", "turn", "kick")
    assert not bank.can(Event("wave"))
    with pytest.raises(
        ValueError, match=r"no clip of wave; it has jump up, kick right forward.*or make the bank with fill=True"
    ):
        bank.synthesize(Scenario((Event("walk"), Event("wave"))))
    with pytest.raises(ValueError, match="no clip of walk backward"):
        bank.synthesize(Scenario((Event("walk", direction="backward"),)))


def test_a_bank_can_fill_what_is_missing_with_primitives():
    bank = ClipBank([clip("walk", direction="forward")], fill=True)
    scenario = Scenario((Event("walk"), Event("wave"), Event("sit_down"), Event("walk")))
    synthesis = bank.synthesize(scenario, 0, max_frames=300)
    assert [(s.event, s.action) for s in synthesis.segments] == [
        (0, "walk"),
        (1, "wave"),
        (2, "sit_down"),
        (-1, "stand_up"),
        (3, "walk"),
    ]
    check(synthesis.joints)
    assert len(ClipBank([], fill=True).synthesize(Scenario((Event("hop", 2),))).segments) == 2


def test_postures_are_left_and_entered_where_needed():
    bank = ClipBank([clip("walk", direction="forward"), clip("sit_down", seed=1)])
    with pytest.raises(ValueError, match="no clip of stand_up; it has sit_down, walk forward"):
        bank.synthesize(Scenario((Event("sit_down"), Event("walk"))))
    bank = ClipBank([clip("walk", direction="forward")], fill=True)
    for actions, expected in (
        (("sit_down", "wave", "walk"), [0, 1, -1, 2]),
        (("walk", "stand_up", "walk"), [0, -1, 1, 2]),
        (("sit_down", "stand_up", "walk"), [0, 1, 2]),
    ):
        synthesis = bank.synthesize(Scenario(tuple(map(Event, actions))), 1, max_frames=300)
        assert [segment.event for segment in synthesis.segments] == expected
        check(synthesis.joints)


def test_seeds_pick_clips():
    bank = ClipBank([clip("walk", direction="forward", seed=seed) for seed in range(4)])
    scenario = Scenario((Event("walk"),))
    lengths = {len(bank.synthesize(scenario, seed).joints) for seed in range(10)}
    assert len(lengths) > 1
    first, again = bank.synthesize(scenario, 5), bank.synthesize(scenario, 5)
    assert np.array_equal(first.joints, again.joints)


def test_long_bouts_are_cut_and_the_rest_is_sped_up(bank):
    scenario = Scenario((Event("walk"), Event("jump", 2)))
    free, tight = bank.synthesize(scenario), bank.synthesize(scenario, max_frames=70)
    assert len(tight.joints) <= 70 < len(free.joints)
    assert tight.segments[-1].end <= len(tight.joints)
    with pytest.raises(ValueError, match=r"does not fit: its clips have \d+ frames, expected at most 40"):
        bank.synthesize(Scenario((Event("jump", 6),)), max_frames=40)


def test_clips_that_do_not_fit_the_table_are_refused():
    good = clip("walk", direction="forward")
    with pytest.raises(ValueError, match=r"Clip 1 of the bank \(fly\): Unknown action 'fly'"):
        ClipBank([good, good._replace(action="fly")])
    with pytest.raises(ValueError, match=r"Clip 0 of the bank \(walk\): The side of walk is none, got 'left'"):
        ClipBank([good._replace(side="left")])
    with pytest.raises(ValueError, match=r"expected repetitions with 0 <= start < end <= \d+, got \(5, 5000\)"):
        ClipBank([good._replace(repetitions=((5, 5000),))])
    with pytest.raises(ValueError, match="at least one clip"):
        ClipBank([])


def test_real_clips_are_joined(shared: Path):
    clips = []
    for corpus, labels in (
        ("cmu_gait_amc", {"walk": "walk"}),
        ("cmu_eval_expmap", {"running": "run", "walking": "walk"}),
    ):
        rows = list(csv.DictReader((shared / "mocap" / f"{corpus}.csv").open()))
        with np.load(shared / "mocap" / f"{corpus}.npz") as data:
            joints, starts, lengths = data["joints_mm"] / 1000, data["starts"], data["lengths"]
        for row, start, length in zip(rows, starts, lengths, strict=True):
            if row["label"] in labels and len(clips) < 24:
                clips.append(BankClip(joints[start : start + length], labels[row["label"]], None, "forward"))
    bank = ClipBank(clips, fill=True)
    for seed in range(6):
        synthesis = bank.synthesize(Scenario((Event("walk"), Event("jump"), Event("run"))), seed)
        assert [segment.action for segment in synthesis.segments] == ["walk", "jump", "run"]
        assert len(synthesis.joints) <= 196
        check(synthesis.joints, fastest=14.0, hardest=260.0)
