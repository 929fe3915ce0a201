"""Every threshold of detection in one place; lengths in body heights (bh), times in seconds, angles in degrees.

Parameters().jump_clearance  →  0.025 bh, about 4 cm of a person of 1.7 m
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Parameters:
    """Thresholds of [`detect_events`]; the defaults come from anatomy and physics with margins.

    Units: bh is one body height, bh/s a speed; seconds; degrees. A standing pelvis is about 0.53 bh above the floor, a
    leg (thigh and shank) is 0.49 bh long, an arm 0.31 bh, a forearm 0.15 bh.
    """

    # Smoothing, as standard deviations in seconds.
    smooth_joints: float = 0.05
    smooth_heading: float = 0.07
    floor_window: float = 1.0  # the floor is the lowest joint within this time, before and after

    # Body: what is still a person in metres.
    min_height: float = 0.3
    max_height: float = 4.0
    max_distance: float = 1000.0  # from the origin

    # Steps: a foot swings when it is faster than a share of the pelvis plus a constant.
    swing_speed: float = 0.16  # bh/s
    swing_share: float = 0.55  # of the pelvis's own speed: a foot that slides along with the body does not swing
    swing_peak: float = 0.30  # bh/s, over the share of the pelvis
    swing_time: float = 0.1
    step_length: float = 0.07  # bh, between where the foot was and where it is put down
    step_pause: float = 0.9  # longest stop within a bout
    bout_steps: int = 4  # fewer are single steps
    both_feet: float = 0.5  # two swings that share this much of the longer one are a jump

    # Running: the pelvis is high while the feet are apart, and no foot is on the floor for part of a stride.
    run_speed: float = 0.75  # bh/s
    run_surely: float = 1.4  # bh/s, 2.4 m/s: nobody walks like that
    run_air: float = 0.028  # bh, lower foot over the floor, once a step
    run_trade: float = 0.5  # how much less bounce is asked for with each bh/s more
    run_bounce: float = 0.45  # or correlation of pelvis height and distance of the feet; below zero in walking
    run_share: float = 0.4  # of a bout's steps; it takes some to gather speed
    run_window: float = 0.5  # before and after a step

    # Flights.
    contact_clearance: float = 0.018  # bh above where the foot rests
    jump_clearance: float = 0.025  # bh, of the lower foot, at the top
    hop_clearance: float = 0.024  # bh, of the free foot throughout
    jump_time: float = 0.1
    leap_time: float = 0.4  # flights of runners are shorter
    jump_travel: float = 0.075  # bh: less is up
    jump_fall: float = 0.2  # share of free fall that the pelvis shows at least

    # Turns.
    turn_smooth: float = 0.1  # seconds, to see whether a turn goes on
    turn_rate: float = 35.0  # degrees/s, reached at least once
    turn_slow: float = 10.0  # degrees/s where a turn begins and ends
    turn_angle: float = 60.0
    around_angle: float = 135.0
    turn_place: float = 0.2  # bh: a turn that carries the body further is part of a walk, and its steps count
    turn_dip: float = 0.55  # two turns where the rate falls to this share in between
    turn_feet: float = 0.5  # share of the turn that the feet make, too: a twisted trunk is no turn
    turn_settle: float = 0.3  # time for the feet to come along

    # Kicks.
    kick_clearance: float = 0.12  # bh
    kick_reach: float = 0.20  # bh, foot from pelvis, level, forward or sideways
    kick_speed: float = 1.0  # bh/s, of the foot relative to the pelvis
    low_kick_clearance: float = 0.045  # bh: a ball is kicked low, but fast and far
    low_kick_reach: float = 0.28  # bh
    low_kick_speed: float = 2.6  # bh/s
    kick_support: float = 0.05  # bh: the other foot may rise on its toes
    kick_forward: float = 50.0  # degrees from straight ahead; beyond it is sideways,
    kick_sideways: float = 125.0  # and beyond that backward
    kick_time: float = 1.2  # from the floor to the floor

    # Arms.
    raise_height: float = 0.03  # bh over the shoulder: chin height and higher
    raise_low: float = -0.04  # bh: below this the arm is down
    raise_time: float = 0.2
    both_share: float = 0.5  # overlap of left and right for "both"
    wave_stroke: float = 0.04  # bh, of the wrist about the elbow
    wave_strokes: int = 4  # raising and lowering the hand are two of them
    wave_lift: float = 0.05  # bh, wrist over elbow, on average
    wave_tilt: float = 45.0  # degrees, trunk: who lies or gets up does not wave
    wave_height: float = -0.08  # bh, wrist over shoulder, on average
    wave_pause: float = 1.2  # longest stroke
    clap_distance: float = 0.105  # bh, wrist to wrist
    clap_opening: float = 0.05  # bh, how far the hands part between two claps
    clap_speed: float = 0.35  # bh/s, at which the hands come and go
    clap_apart: float = 0.02  # bh, left hand to the left of the right one: arms that cross do not clap
    clap_tilt: float = 0.06  # bh, hands at about the same height
    clap_travel: float = 0.8  # bh/s, pelvis: pumping arms of runners meet, too
    clap_height: float = 0.05  # bh over the pelvis
    clap_time: float = 0.5  # within which they come and go; hands that stay together are folded
    punch_reach: float = 0.80  # of the arm's length
    punch_fold: float = 0.70  # of the arm's length, before
    punch_angle: float = 60.0  # degrees from straight ahead
    jab_fold: float = 0.50  # an arm folded like that in a guard may also stretch sideways,
    jab_angle: float = 100.0  # degrees, as boxers stand
    punch_gain: float = 0.16  # of the arm's length, how far it stretches and comes back
    punch_guard: float = -0.2  # bh, lowest height of the folded hand from the shoulder
    punch_low: float = -0.18  # bh, stretched hand from the shoulder: chest
    punch_high: float = 0.13  # bh: face
    punch_speed: float = 0.6  # bh/s
    punch_time: float = 0.7  # to stretch, and to come back
    throw_speed: float = 1.6  # bh/s
    throw_reach: float = 0.15  # bh, from behind to the front
    throw_bend: float = 0.85  # of the arm's length: drawn back, the arm is bent
    throw_front: float = 0.1  # bh, wrist before the shoulder at the end
    throw_back: float = 0.0  # bh, wrist behind the shoulder
    raise_tilt: float = 50.0  # degrees, trunk: who lies does not raise an arm above the shoulder
    throw_tilt: float = 60.0  # degrees, trunk: who rolls over does not throw
    throw_time: float = 0.8  # from furthest back to furthest forward

    # Postures.
    standing: tuple[float, float] = (0.95, 1.2)  # legs, pelvis above the floor, of different skeletons
    stand_height: float = 0.86  # of a standing pelvis
    low_height: float = 0.78  # of a standing pelvis
    floor_height: float = 0.29  # of a standing pelvis, of somebody who sits or lies on the floor
    squat_depth: float = 0.15  # of a standing pelvis, down and up
    lying_height: float = 0.45  # of a standing pelvis
    seat_balance: float = 0.05  # bh, centre of mass behind the ankles: nobody balances like that
    posture_time: float = 0.4
    still_speed: float = 0.08  # bh/s, neck, over a posture_time: who sits still for a posture_time has sat down
    lying_tilt: float = 60.0  # degrees, trunk from upright
    bow_tilt: float = 20.0
    bow_upright: float = 50.0  # degrees, trunk before and after
    stand_tilt: float = 50.0  # degrees, trunk
    bow_deepest: float = 60.0
    bow_deep: float = 40.0  # a bow less deep than this is one only with both feet at rest
    bow_gain: float = 14.0
    bow_drop: float = 0.07  # bh: the pelvis keeps its height, standing or seated,
    bow_deepest_drop: float = 0.13  # bh, but the deepest bows pull it back and down
    bow_steps: int = 3  # who makes so many steps meanwhile does not bow
