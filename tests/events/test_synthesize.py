"""Every action, side and direction: a body of constant size on the floor, moving as bodies can, and its segments."""

import itertools

import numpy as np
import pytest

from atom_hf.events import ACTIONS, Event, Scenario, Synthesis, synthesize
from atom_hf.events.primitives import GRAVITY, PRIMITIVES
from atom_hf.motion import joints_to_features
from atom_hf.motion.kinematics import bones_of
from atom_hf.motion.skeleton import MIRROR, UNIFORM_BONE_LENGTHS

FPS = 20
ANKLES, TOES = (7, 8), (10, 11)
WRISTS = {"left": 20, "right": 21}
SHOULDERS = {"left": 16, "right": 17}
LOW = ("sit_down", "stand_up", "lie_down")

VARIANTS = [
    (action.name, side, direction)
    for action in ACTIONS.values()
    for side in (None, *action.sides)
    for direction in (None, *action.directions)
]


def make(*events: Event, seed: int = 0, **options: int) -> Synthesis:
    return synthesize(Scenario(events), seed, **options)


def one(action: str, side: str | None = None, direction: str | None = None, count: int = 1, seed: int = 0):
    synthesis = make(Event(action, count, side, direction), seed=seed)
    return synthesis.joints.astype(np.float64), [s for s in synthesis.segments if s.event == 0]


def planted(joints: np.ndarray, foot: int) -> np.ndarray:
    """Frames in which a foot is flat on the floor, without those in which it comes down or leaves, `[T]`."""
    ankle, toe = joints[:, ANKLES[foot], 1], joints[:, TOES[foot], 1]
    flat = (toe < 0.004) & (ankle < np.median(np.sort(ankle)[: len(ankle) // 5]) + 0.006)
    inner = flat.copy()
    inner[1:] &= flat[:-1]
    inner[:-1] &= flat[1:]
    return inner


def runs(mask: np.ndarray) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(int)))
    return list(zip(edges[::2], edges[1::2], strict=True))


def heading(joints: np.ndarray) -> np.ndarray:
    """Degrees to the left of +Z, unwrapped, `[T]`."""
    left = joints[:, 1] - joints[:, 2] + joints[:, 16] - joints[:, 17]
    return np.degrees(np.unwrap(np.arctan2(-left[:, 2], left[:, 0])))


def test_there_is_a_primitive_for_every_action():
    assert set(PRIMITIVES) == set(ACTIONS)


@pytest.mark.parametrize(("action", "side", "direction"), VARIANTS)
def test_every_variant_is_a_possible_motion(action, side, direction):
    for seed, count in itertools.product(range(3), {1, min(2, ACTIONS[action].max_count)}):
        synthesis = make(Event(action, count, side, direction), seed=seed)
        joints = synthesis.joints
        assert joints.dtype == np.float32 and joints.shape[1:] == (22, 3)
        assert 40 <= len(joints) <= 196
        assert np.isfinite(joints).all()
        joints = joints.astype(np.float64)

        lengths = np.linalg.norm(bones_of(joints), axis=-1)
        assert np.ptp(lengths, axis=0).max() < 1e-4
        assert joints[..., 1].min() > -0.01

        velocity = np.diff(joints, axis=0) * FPS
        speed = np.linalg.norm(velocity, axis=-1)
        acceleration = np.linalg.norm(np.diff(velocity, axis=0) * FPS, axis=-1)
        assert speed.max() < 12
        assert acceleration.max() < (210 if action in ("throw", "kick") else 160)

        for foot in range(2):
            for start, end in runs(planted(joints, foot)):
                slide = np.ptp(joints[start:end, [ANKLES[foot], TOES[foot]]][..., [0, 2]], axis=0).max()
                assert slide < 0.01, (seed, foot, start, end)

        segments = [s for s in synthesis.segments if s.event == 0]
        assert len(segments) == count
        for segment in segments:
            assert segment.action == action
            assert 0 <= segment.start < segment.end <= len(joints)
            assert segment.direction == direction or direction is None
        for first, second in itertools.pairwise(segments):
            assert first.end <= second.start
        if side is not None:
            assert segments[0].side == side
        assert np.isfinite(joints_to_features(synthesis.joints)).all()


@pytest.mark.parametrize(
    "action", [a for a in ACTIONS if a not in (*LOW, "jump", "hop", "run")]
)  # those that keep the floor
def test_who_does_not_jump_keeps_a_foot_on_the_floor(action):
    for seed in range(4):
        joints, _ = one(action, seed=seed)
        assert joints[:, TOES, 1].min(axis=1).max() < 0.03


@pytest.mark.parametrize("direction", ACTIONS["jump"].directions)
def test_jumps_fly_as_a_thrown_stone(direction):
    for seed in range(4):
        joints, segments = one("jump", direction=direction, count=3, seed=seed)
        flights = [run for run in runs(joints[:, TOES, 1].min(axis=1) > 0.005) if run[1] - run[0] > 2]
        assert len(flights) == 3
        for (start, end), segment in zip(flights, segments, strict=True):
            assert segment.start < start < end <= segment.end
            height = joints[start + 1 : end - 1, 0, 1]
            assert np.diff(height, 2) * FPS**2 == pytest.approx(-GRAVITY, abs=0.7)


@pytest.mark.parametrize("side", ["left", "right"])
def test_hops_leave_and_reach_the_floor_with_the_same_foot(side):
    for seed in range(4):
        joints, segments = one("hop", side, count=3, seed=seed)
        stands, free = (TOES if side == "left" else TOES[::-1])[:2]
        for segment in segments:
            assert (joints[segment.start : segment.end, free, 1] > 0.08).all()
            assert joints[segment.start : segment.end, stands, 1].max() > 0.03
            assert joints[segment.end - 1, stands, 1] < 0.02


@pytest.mark.parametrize("action", ["walk", "step", "jump"])
@pytest.mark.parametrize("direction", ["forward", "backward", "left", "right"])
def test_directions_are_those_of_the_body(action, direction):
    for seed in range(4):
        joints, _ = one(action, direction=direction, count=min(2, ACTIONS[action].max_count), seed=seed)
        x, _, z = joints[-1, 0] - joints[0, 0]
        ahead, aside = {"forward": (z, x), "backward": (-z, x), "left": (x, z), "right": (-x, z)}[direction]
        assert ahead > 0.25
        assert abs(aside) < 0.1


def test_directions_follow_the_body_when_it_has_turned():
    synthesis = make(Event("turn", direction="left"), Event("walk", direction="forward"), seed=2)
    way = synthesis.joints[-1, 0] - synthesis.joints[0, 0]
    assert way[0] > 1.5  # its left at the start


@pytest.mark.parametrize(("direction", "low", "high"), [("left", 75, 105), ("right", -105, -75), ("around", 165, 195)])
def test_turns_step_round(direction, low, high):
    for seed in range(4):
        joints, _ = one("turn", direction=direction, seed=seed)
        angle = heading(joints)
        turned = angle[-1] - angle[0]
        assert low < (abs(turned) if direction == "around" else turned) < high
        for toe in TOES:  # both feet are lifted on the way
            assert joints[:, toe, 1].max() > 0.03


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("direction", ["forward", "left", "right"])
def test_kicks_use_the_leg_and_the_direction_asked_for(side, direction):
    for seed in range(4):
        joints, _ = one("kick", side, direction, seed=seed)
        leg, other = (ANKLES if side == "left" else ANKLES[::-1])[:2]
        lifted = joints[:, leg] - joints[0, leg]
        assert lifted[:, 1].max() > 0.3
        assert joints[:, other, 1].max() < 0.15
        way = lifted[lifted[:, 1].argmax()]
        assert {"forward": way[2], "left": way[0], "right": -way[0]}[direction] > 0.25


@pytest.mark.parametrize("action", ["punch", "wave", "raise_arm"])
@pytest.mark.parametrize("side", ["left", "right", "both"])
def test_arms_do_what_is_asked_of_their_side(action, side):
    for seed in range(4):
        joints, _ = one(action, side, seed=seed)
        for which in WRISTS:
            wrist, shoulder = joints[:, WRISTS[which]], joints[:, SHOULDERS[which]]
            above, ahead = (wrist - shoulder)[:, 1].max(), (wrist - joints[:, 0])[:, 2].max()
            used = side in (which, "both")
            if action == "punch":
                assert (ahead > 0.4) == used
            else:
                assert (above > 0.1) == used


def test_claps_bring_the_wrists_together_once_each():
    for seed in range(4):
        joints, segments = one("clap", count=4, seed=seed)
        gap = np.linalg.norm(joints[:, 20] - joints[:, 21], axis=-1)
        for segment in segments:
            assert gap[segment.start : segment.end].min() < 0.13
            assert gap[segment.end - 1] > 0.18


def test_waves_swing_at_least_twice():
    for seed in range(6):
        joints, segments = one("wave", "right", seed=seed)
        part = joints[segments[0].start : segments[0].end]
        wrist = part[:, 21] - part[:, 19]
        up = wrist[:, 1] > 0.05
        side = np.diff(wrist[up, 0])
        assert (np.diff(np.sign(side[np.abs(side) > 0.004])) != 0).sum() >= 3


def test_throws_pass_the_head():
    for seed in range(4):
        joints, _ = one("throw", "right", seed=seed)
        hand = joints[:, 21] - joints[:, 17]
        assert hand[:, 1].max() > 0.1
        assert hand[:, 2].max() > 0.35
        assert hand[: hand[:, 2].argmax(), 2].min() < 0.05


@pytest.mark.parametrize("action", ["squat", "bow"])
def test_squats_and_bows_come_up_again(action):
    for seed in range(4):
        joints, segments = one(action, count=2, seed=seed)
        height = joints[:, 0 if action == "squat" else 15, 1]
        for segment in segments:
            assert height[segment.start : segment.end].min() < 0.88 * height[0]
            assert height[segment.end - 1] > 0.93 * height[0]


def test_sitting_and_lying_stay_there():
    for seed in range(8):
        sat, _ = one("sit_down", seed=seed)
        assert sat[-1, 0, 1] < 0.6
        assert sat[-1, 12, 1] - sat[-1, 0, 1] > 0.3
        lain, _ = one("lie_down", seed=seed)
        assert abs(lain[-1, 12, 1] - lain[-1, 0, 1]) < 0.2
        assert lain[-1, 0, 1] < 0.25
        risen, _ = one("stand_up", seed=seed)
        assert risen[0, 0, 1] < 0.65
        assert risen[-1, 0, 1] > 0.8


def test_walks_make_at_least_four_steps():
    for seed in range(6):
        joints, _ = one("walk", seed=seed)
        steps = sum(len([run for run in runs(joints[:, toe, 1] > 0.012) if run[1] - run[0] > 2]) for toe in TOES)
        assert steps >= 4


def test_steps_alternate_from_the_side_asked_for():
    _, segments = one("step", "left", "forward", count=3)
    assert [segment.side for segment in segments] == ["left", "right", "left"]


def test_knees_bend_forward_and_never_backward():
    for action in ("walk", "run", "jump", "squat", "kick", "hop"):
        joints, _ = one(action, seed=1)
        angle = np.radians(heading(joints))
        ahead = np.stack([np.sin(angle), 0 * angle, np.cos(angle)], axis=-1)
        for hip, knee, ankle in ((1, 4, 7), (2, 5, 8)):
            middle = (joints[:, hip] + joints[:, ankle]) / 2
            upright = joints[:, hip, 1] - joints[:, ankle, 1] > 0.5
            assert (((joints[:, knee] - middle) * ahead).sum(-1)[upright] > -0.03).all()


def test_bodies_are_symmetric_and_near_the_uniform_one():
    sizes = []
    for seed in range(10):
        joints, _ = one("wave", seed=seed)
        lengths = np.concatenate([[0], np.linalg.norm(bones_of(joints[0]), axis=-1)])
        assert np.allclose(lengths, lengths[list(MIRROR)], atol=1e-5)
        uniform = np.array(UNIFORM_BONE_LENGTHS)
        uniform = (uniform + uniform[list(MIRROR)]) / 2
        ratio = lengths[1:] / uniform[1:]
        assert (abs(ratio - 1) < 0.1).all()
        sizes.append(ratio.mean())
    assert np.ptp(sizes) > 0.02


def test_a_clip_starts_at_the_origin_facing_z():
    joints, _ = one("walk", seed=3)
    assert np.linalg.norm(joints[0, 0, [0, 2]]) < 0.05
    assert abs(heading(joints)[0]) < 6


def test_the_same_seed_gives_the_same_motion_and_another_one_another():
    scenario = Scenario((Event("walk"), Event("jump", 2)))
    first, again, different = (synthesize(scenario, seed) for seed in (0, 0, 1))
    assert np.array_equal(first.joints, again.joints)
    assert first.segments == again.segments
    assert first.joints.shape != different.joints.shape or not np.allclose(first.joints, different.joints, atol=0.01)


def test_sides_left_open_are_mostly_right():
    sides = [one("kick", seed=seed)[1][0].side for seed in range(30)]
    assert sides.count("right") > 18
    assert "left" in sides


def test_events_follow_each_other_in_order():
    events = (Event("walk"), Event("turn", direction="left"), Event("wave", side="right"), Event("jump", 2))
    synthesis = make(*events, seed=5)
    assert [segment.event for segment in synthesis.segments] == [0, 1, 2, 3, 3]
    starts = [segment.start for segment in synthesis.segments]
    assert starts == sorted(starts)


def test_a_needed_change_of_posture_is_an_event_of_its_own():
    synthesis = make(Event("sit_down"), Event("walk"), seed=0)
    assert [(s.event, s.action) for s in synthesis.segments] == [(0, "sit_down"), (-1, "stand_up"), (1, "walk")]
    synthesis = make(Event("walk"), Event("stand_up"), seed=0)
    assert [(s.event, s.action) for s in synthesis.segments] == [(0, "walk"), (-1, "sit_down"), (1, "stand_up")]
    seated = make(Event("sit_down"), Event("wave"), Event("stand_up"), seed=0)
    assert [s.event for s in seated.segments] == [0, 1, 2]


def test_random_scenarios_of_three_are_possible_motions():
    rng = np.random.default_rng(0)
    names = list(ACTIONS)
    for seed in range(60):
        events = tuple(Event(names[i]) for i in rng.integers(len(names), size=3))
        joints = synthesize(Scenario(events), seed, max_frames=400).joints.astype(np.float64)
        velocity = np.diff(joints, axis=0) * FPS
        assert joints[..., 1].min() > -0.01, events
        assert np.linalg.norm(velocity, axis=-1).max() < 12, events
        assert np.linalg.norm(np.diff(velocity, axis=0) * FPS, axis=-1).max() < 210, events


def test_what_does_not_fit_is_sped_up_first():
    events = (Event("walk"), Event("jump", 2), Event("wave"))
    free, tight = make(*events, max_frames=400), make(*events, max_frames=130)
    assert len(free.joints) > 130 >= len(tight.joints)
    assert len(free.segments) == len(tight.segments)


def test_what_does_not_fit_at_all_is_an_error():
    events = (Event("lie_down"), Event("walk"), Event("lie_down"), Event("walk"))
    with pytest.raises(
        ValueError, match=r"does not fit: 4 event\(s\) need \d+ frames even when done fast, expected at most 100"
    ):
        make(*events, max_frames=100)


@pytest.mark.parametrize("second", ["sit_down", "lie_down", "squat"])
def test_going_down_from_a_long_step_keeps_the_feet_on_the_floor(second):
    for seed in range(12):
        joints = make(Event("step", direction="forward"), Event(second), seed=seed).joints
        assert joints[..., 1].min() > -0.01


def test_seated_arms_do_not_pass_through_the_floor_or_the_thighs():
    for action, seed in itertools.product(("bow", "throw", "punch", "wave"), range(12)):
        joints = make(Event("sit_down"), Event(action), seed=seed).joints
        assert joints[..., 1].min() > -0.01
        middle_of_thighs = (joints[:, (1, 2)] + joints[:, (4, 5)]) / 2
        for wrist in WRISTS.values():
            assert np.linalg.norm(joints[:, wrist, None] - middle_of_thighs, axis=-1).min() > 0.05
