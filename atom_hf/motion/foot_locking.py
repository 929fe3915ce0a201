"""Foot locking: feet that stand do not slide. Legs follow by two-bone inverse kinematics.

    still = lock_feet(motion)        # a new motion: rigid bones, standing feet pinned, the rest as it was

A foot stands where ankle or toes are low and slow; they are pinned to one place as long as that lasts, and the way
there and back is spread smoothly over the frames between. What cannot be reached lowers the pelvis by what is missing.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from .kinematics import forward_kinematics, inverse_kinematics
from .motion import Motion
from .rotation import quaternion_apply, rotation_between
from .skeleton import JOINT_NAMES
from .smoothing import gaussian_smooth


class _Leg(NamedTuple):
    """Joints of a leg, by their numbers."""

    hip: int
    knee: int
    ankle: int
    toes: int


class _Targets(NamedTuple):
    """Where ankle and toes of a foot should be, each `[T, 3]` in metres."""

    ankle: np.ndarray
    toes: np.ndarray


_LEGS = tuple(
    _Leg(*(JOINT_NAMES.index(f"{side}_{joint}") for joint in ("hip", "knee", "ankle", "foot")))
    for side in ("left", "right")
)
_ABOVE = [j for j in range(len(JOINT_NAMES)) if not any(j in leg[1:] for leg in _LEGS)]  # what moves with the pelvis

# When ankle or toes begin to stand, and when they cease to: metres above where they stand, metres per second.
_LOW, _LEFT = 0.03, 0.08
_SLOW, _FAST = 0.45, 0.75
_SHORTEST = 0.1  # seconds of contact
_FARTHEST = 0.12  # metres that a foot may slide and still be pinned to one place
_SAME_PLACE = 0.03  # metres between contacts that are one
_CHANGE = 0.3  # metres per second by which corrections change between contacts
_AT_MOST = (0.16, 0.08)  # metres between the lowest joint and an ankle, and toes, of a foot that stands
_STANDING = 10  # percentile of a joint's height that is taken for its height when it stands
_EASE = 0.12  # seconds over which a correction fades in and out
_PIN = 1e4  # how much harder pins are than the beam
_REACH = 0.998  # of the length of a leg: straighter knees snap
_STRAIGHT = 0.02  # metres: knees that are less beside the line from hip to ankle point to the body's front
_CALM = 0.1  # seconds: how smoothly the pelvis comes down, and straight knees move
_LITTLE = 0.004  # metres that an ankle gives way before the pelvis does
_MOST_LOWERING = 0.12  # metres: beyond that the foot lets go instead


def lock_feet(motion: Motion) -> Motion:
    """Keep standing feet from sliding.

    Bones get their mean lengths over the clip first, as in every rigged file, so that the result is met by rigs
    exactly. Ankle and toes are then pinned where they stand, each for itself, so that feet still roll over heel and
    toes. Knees keep the direction they bend to, the pelvis its place, unless a leg were too short: then it is lowered
    by what is missing. Sliding on purpose, as on skates, is taken away too; stairs are not found, since contact needs
    the height of the floor.

    Args:
        motion ([`Motion`]): the clip, at any frame rate.

    Returns:
        [`Motion`]: a new motion of as many frames, with text; without features and codes, which no longer fit. A
            single frame is returned with its bones as they are.

    Raises:
        ValueError: if a bone has no length in the whole clip.
    """
    if len(motion) < 2:
        return Motion(motion.joints, motion.fps, text=motion.text)
    given = motion.joints.astype(np.float64)
    solved = inverse_kinematics(given)
    joints = forward_kinematics(solved.rotations, solved.root_positions, solved.offsets)
    stands = np.split(contacts(given, motion.fps), 2, axis=1)
    targets = [_targets(given, joints, s, leg, motion.fps) for s, leg in zip(stands, _LEGS, strict=True)]
    lowered = joints.copy()
    lowered[:, _ABOVE, 1] -= _lowering(joints, targets, motion.fps)[:, None]
    front = solved.rotations[:, 0, :, 2]
    for leg, target in zip(_LEGS, targets, strict=True):
        _bend(lowered, joints, leg, target, front, motion.fps)
    return Motion(lowered.astype(motion.joints.dtype), motion.fps, text=motion.text)


def contacts(joints: np.ndarray, fps: float) -> np.ndarray:
    """When ankles and toes stand on the floor.

    Args:
        joints (`np.ndarray`): positions `[T, 22, 3]` in metres, Y up.
        fps (`float`): frames per second.

    Returns:
        `np.ndarray`: booleans `[T, 4]`: left ankle and toes, right ankle and toes. Contact begins where a joint is low
            and slow, and lasts until it is higher or faster by a margin.
    """
    points = joints[:, [joint for leg in _LEGS for joint in leg[2:]]]
    # Left and right foot find the floor together: one of them may never stand.
    standing = np.percentile(points[..., 1], _STANDING, axis=0).reshape(2, 2).min(axis=0)
    floor = np.percentile(
        joints[..., 1].min(axis=1), _STANDING
    )  # feet in the air do not stand, however still they are
    standing = np.minimum(standing, floor + np.array(_AT_MOST))
    height = points[..., 1] - np.tile(standing, 2)
    speed = (
        np.linalg.norm(np.gradient(points, 1 / fps, axis=0), axis=-1) if len(points) > 1 else np.zeros(height.shape)
    )
    begins = (height < _LOW) & (speed < _SLOW)
    stays = (height.clip(_LOW) - _LOW) / (_LEFT - _LOW) + speed / _FAST < 1  # what is lifted already has to be slow
    result = np.zeros(stays.shape, dtype=bool)
    for column in range(4):
        places = points[:, column, [0, 2]]
        runs = [(start, end) for start, end in _runs(stays[:, column]) if begins[start:end, column].any()]
        runs = [piece for start, end in runs for piece in _at_one_place(start, end, places)]
        for start, end in _settled(runs, places, fps):
            result[start:end, column] = end - start >= _SHORTEST * fps
    return result


def _at_one_place(start: int, end: int, places: np.ndarray) -> Iterator[tuple[int, int]]:
    """Pieces of a contact that stay near their first place: who slides farther stands anew somewhere else."""
    while start < end:
        strayed = np.linalg.norm(places[start:end] - places[start], axis=-1) > _FARTHEST
        stop = start + int(strayed.argmax()) if strayed.any() else end
        yield start, stop
        start = stop


def _settled(runs: list[tuple[int, int]], places: np.ndarray, fps: float) -> list[tuple[int, int]]:
    """Runs of contact, first frames and ends: those at one place become one, and those whose
    corrections differ are cut until there is time to go from one to the other."""
    settled: list[tuple[int, int]] = []
    for start, end in runs:
        if settled:
            first, last = settled[-1]
            before, after = places[first:last].mean(axis=0), places[start:end].mean(axis=0)
            change = float(np.linalg.norm((before - places[last - 1]) - (after - places[start])))
            lacking = int(np.ceil(change / _CHANGE * fps)) - (start - last)
            if np.linalg.norm(before - after) < _SAME_PLACE and start - last < _SHORTEST * fps + 1:
                settled[-1] = (first, end)
                continue
            if lacking > 0:
                settled[-1] = (first, max(last - (lacking + 1) // 2, first + 1))
                start = min(start + lacking // 2, end - 1)
        settled.append((start, end))
    return settled


def _runs(mask: np.ndarray) -> np.ndarray:
    """First frames and ends of the runs of True, `[n, 2]`."""
    edges = np.diff(np.concatenate([[0], mask.astype(np.int8), [0]]))
    return np.stack([np.flatnonzero(edges > 0), np.flatnonzero(edges < 0)], axis=1)


def _targets(given: np.ndarray, joints: np.ndarray, stands: np.ndarray, leg: _Leg, fps: float) -> _Targets:
    """Where ankle and toes of the rigid `joints` should be; heights are those of the `given` joints while they stand,
    and places the mean of them over each contact."""
    pair = [leg.ankle, leg.toes]
    wanted = np.zeros((len(given), 2, 3))
    for column in range(2):
        for start, end in _runs(stands[:, column]):
            place = given[start:end, pair[column]].copy()
            place[:, [0, 2]] = place[:, [0, 2]].mean(axis=0)
            wanted[start:end, column] = place - joints[start:end, pair[column]]
    # Where only one of the two stands, the other is drawn along without being pinned: the foot moves as a whole.
    alone = stands & ~stands[:, ::-1]
    wanted[:, ::-1][alone] = wanted[alone]
    corrected = joints[:, pair] + _eased(wanted, stands, fps)
    ankle, toes = corrected[:, 0], corrected[:, 1]
    length = np.linalg.norm(joints[:, leg.toes] - joints[:, leg.ankle], axis=-1, keepdims=True)
    return _Targets(toes + length * _unit(ankle - toes), toes)


def _eased(wanted: np.ndarray, pinned: np.ndarray, fps: float) -> np.ndarray:
    """Corrections `[T, 2, 3]` that are `wanted` where pinned, drawn to it elsewhere, and without kinks: an elastic
    beam on a soft ground (least squares of the distance to what is wanted and of the second difference)."""
    frames = len(wanted)
    stiffness = (_EASE * fps) ** 4
    weights = np.where(pinned, _PIN * stiffness, 1.0)  # [T, 2]
    bends = np.zeros((3, frames))  # diagonals of the second difference's square
    for offsets, share in (((0, 0), 1), ((1, 1), 4), ((2, 2), 1)):
        bends[0, offsets[0] : frames - 2 + offsets[0]] += share
    bends[1, : frames - 2] -= 2
    bends[1, 1 : frames - 1] -= 2
    bends[2, : frames - 2] += 1
    bends *= stiffness
    main = weights + bends[0][:, None]
    return _solve_banded(main, bends[1], bends[2], weights[..., None] * wanted)


def _solve_banded(main: np.ndarray, next_: np.ndarray, after: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Solve symmetric systems of five diagonals, main `[T, n]` and the two beside it `[T]`, for values `[T, n, 3]`."""
    frames, count = main.shape
    pivots, first, second = np.zeros((frames, count)), np.zeros((frames, count)), np.zeros((frames, count))
    result = values.copy()
    for i in range(frames):
        pivot, beside = main[i].copy(), np.full(count, next_[i])
        if i:
            pivot -= first[i - 1] ** 2 * pivots[i - 1]
            beside -= first[i - 1] * second[i - 1] * pivots[i - 1]
            result[i] -= first[i - 1, :, None] * result[i - 1]
        if i > 1:
            pivot -= second[i - 2] ** 2 * pivots[i - 2]
            result[i] -= second[i - 2, :, None] * result[i - 2]
        pivots[i], first[i], second[i] = pivot, beside / pivot, after[i] / pivot
    result /= pivots[..., None]
    for i in range(frames - 2, -1, -1):
        result[i] -= first[i, :, None] * result[i + 1]
        if i < frames - 2:
            result[i] -= second[i, :, None] * result[i + 2]
    return result


def _lowering(joints: np.ndarray, targets: list[_Targets], fps: float) -> np.ndarray:
    """By how much the pelvis comes down so that all ankles are reached, `[T]` in metres; smooth over time."""
    missing = np.zeros(len(joints))
    for leg, target in zip(_LEGS, targets, strict=True):
        away = joints[:, leg.hip] - target.ankle
        reach = _reach(joints, leg)
        height = np.sqrt(np.maximum(reach**2 - away[:, 0] ** 2 - away[:, 2] ** 2, 0.0))
        too_far = np.linalg.norm(away, axis=-1) > reach + 1e-9
        missing = np.maximum(missing, np.where(too_far, away[:, 1] - height, 0.0))
    missing = (missing - _LITTLE).clip(0.0, _MOST_LOWERING)
    if not missing.any():
        return missing
    # The largest of the neighbourhood first, so that the smooth curve stays above what is needed.
    sigma = _CALM * fps
    radius = int(2 * sigma + 0.5)
    padded = np.pad(missing, radius, mode="edge")
    largest = np.lib.stride_tricks.sliding_window_view(padded, 2 * radius + 1).max(axis=-1)
    smooth: np.ndarray = gaussian_smooth(largest, sigma)
    return smooth


def _reach(joints: np.ndarray, leg: _Leg) -> np.ndarray:
    """How far an ankle may be from its hip, `[T]` in metres: nearly the length of the leg, or as far as it was."""
    thigh, shin = (np.linalg.norm(joints[:, b] - joints[:, a], axis=-1) for a, b in (leg[:2], leg[1:3]))
    was = np.linalg.norm(joints[:, leg.ankle] - joints[:, leg.hip], axis=-1)
    return np.maximum(_REACH * (thigh + shin), was)


def _bend(moved: np.ndarray, joints: np.ndarray, leg: _Leg, target: _Targets, front: np.ndarray, fps: float) -> None:
    """Put knee, ankle and toes of a leg into `moved`, whose hips are in place; `joints` say where the knee points."""
    hip = moved[:, leg.hip]
    thigh, shin = (np.linalg.norm(joints[:, b] - joints[:, a], axis=-1, keepdims=True) for a, b in (leg[:2], leg[1:3]))
    away = target.ankle - hip
    distance = np.linalg.norm(away, axis=-1, keepdims=True)
    axis = away / np.maximum(distance, 1e-9)
    distance = np.clip(distance, np.abs(thigh - shin) + 1e-6, _reach(joints, leg)[:, None])
    along = (thigh**2 - shin**2 + distance**2) / (2 * distance)
    across = np.sqrt(np.maximum(thigh**2 - along**2, 0.0))
    # A millimetre at the ankle moves a straight knee by centimetres: that knee is calmed, and the ankle gives way.
    calm = _calmed(across, fps)
    across = across + np.exp(-((calm / (2 * _STRAIGHT)) ** 2)) * (calm - across)
    across = np.minimum(across, np.minimum(thigh, shin))
    along = np.sqrt(thigh**2 - across**2) * np.where(along < 0, -1.0, 1.0)
    distance = along + np.sqrt(shin**2 - across**2) * np.where(along < distance, 1.0, -1.0)

    before = _unit(joints[:, leg.ankle] - joints[:, leg.hip])
    knee = joints[:, leg.knee] - joints[:, leg.hip]
    out = knee - (knee * before).sum(-1, keepdims=True) * before
    shows = np.linalg.norm(out, axis=-1, keepdims=True)
    turn = rotation_between(before, axis)
    out = out + np.exp(-((shows / (2 * _STRAIGHT)) ** 2)) * (_calmed(out, fps) + _STRAIGHT * front)
    pole = quaternion_apply(turn, out)
    pole = _unit(pole - (pole * axis).sum(-1, keepdims=True) * axis)

    moved[:, leg.knee] = hip + along * axis + across * pole
    moved[:, leg.ankle] = hip + distance * axis
    length = np.linalg.norm(joints[:, leg.toes] - joints[:, leg.ankle], axis=-1, keepdims=True)
    moved[:, leg.toes] = moved[:, leg.ankle] + length * _unit(target.toes - moved[:, leg.ankle])


def _calmed(series: np.ndarray, fps: float) -> np.ndarray:
    """A series `[T, n]` smoothed over time."""
    smooth: np.ndarray = gaussian_smooth(series.T, _CALM * fps).T
    return smooth


def _unit(vectors: np.ndarray) -> np.ndarray:
    unit: np.ndarray = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
    return unit
