"""Whether a body could move like that: sliding feet, a broken floor, hovering, shaking, bones that stretch.

physical_plausibility(joints, fps=20)  →  Physics(skating_ratio=0.02, penetration=0.0, floating=11.3, jerk=48.1, …)

All of it is measured on 22 joints, where papers often use the skin: compare with real motion measured here, not with
figures from elsewhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np

from ..motion import bone_length_deviation
from ..motion.arrays import Array, numpy_double
from ..motion.checks import check_fps, check_joints
from ..motion.layout import FPS
from ..motion.skeleton import JOINT_NAMES
from .valid_share import valid_share as valid_share

FEET = (JOINT_NAMES.index("left_foot"), JOINT_NAMES.index("right_foot"))
CONTACT_HEIGHT = 0.05  # metres: below that a foot is taken to stand (GMD)
SLIDING_SPEED = 0.5  # metres per second: above that a standing foot slides (GMD: 2.5 cm a frame at 20 fps)
TOLERANCE = 0.005  # metres: what PhysDiff forgives of floating and penetration
IN_THE_AIR = 0.10  # metres: with every joint higher than that, nothing carries the body
FARTHEST = 1e6  # metres from the origin: no body gets there, and cubes of much larger numbers overflow

_WINDOW = 5  # frames over which GMD averages the speed of a foot
_ESTIMATED_FLOOR = 5  # percentile of the lowest joint
_HALF_GRAVITY = 4.9  # m/s²: whoever accelerates downwards less than that does not fall freely


@dataclass(frozen=True)
class Physics:
    """Physical plausibility of one clip, or the mean of several.

    A clip that stands still is perfect in every one of these numbers, and one whose feet never come near the floor
    cannot skate: read them together with `contact_share`, with the row of real motion, and beside a measure of what
    the text asked for. None stands for what cannot be measured (too few frames, no foot on the floor).

    Args:
        skating_ratio (`float`, *optional*): share of frames, 0 to 1, in which a foot slides while it stands; lower is
            better. The foot skating ratio of GMD (Karunratanakul et al. 2023), see [`foot_skating`]. Feet that swing
            low over the floor count as well: motion capture has 0.08 to 0.13 here, not 0.
        sliding_contacts (`float`, *optional*): share of the steps between frames with a standing foot, 0 to 1, at
            which it moves faster than 0.5 m/s; lower is better.
        slide_speed (`float`, *optional*): mean horizontal speed of standing feet, cm/s; lower is better. Divided by
            fps and times 10, it is PhysDiff's skate in mm a frame. Feet that roll from heel to toe give a few cm/s in
            real motion, too.
        contact_share (`float`, *optional*): share of the steps between frames at which a foot stands, 0 to 1, mean of
            both feet; neither high nor low is good, but far from real motion is bad.
        penetration (`float`): mean depth of the lowest joint below the floor, mm; lower is better. 0 by definition for
            clips whose floor was put at their lowest joint.
        floating (`float`): mean height of the lowest joint above the floor, mm; lower is better, but jumps float, and
            joints lie some centimetres inside of the foot.
        unsupported (`float`): share of frames, 0 to 1, in which the body is in the air without falling; lower is
            better. Whoever climbs or sits on something that is not in the data is unsupported as well.
        jerk (`float`, *optional*): mean length of the third derivative of all joints, m/s³; far above real motion is
            shaking, far below is sluggish. Grows with the frame rate: compare equal rates only.
        limb_drift (`float`): standard deviation of a bone's length over time relative to its mean, mean over the 21
            bones, per cent; lower is better, 0 for a rigid body.
        worst_limb_drift (`float`): the same of the worst bone, per cent.
        clips (`int`, *optional*, defaults to 1): clips that the numbers are means of.
    """

    skating_ratio: float | None
    sliding_contacts: float | None
    slide_speed: float | None
    contact_share: float | None
    penetration: float
    floating: float
    unsupported: float
    jerk: float | None
    limb_drift: float
    worst_limb_drift: float
    clips: int = 1


class Skating(NamedTuple):
    """How feet slide while they stand; see [`Physics`] for what the numbers mean.

    Args:
        ratio (`float`, *optional*): share of frames with a sliding foot, 0 to 1; lower is better.
        of_contacts (`float`, *optional*): share of contacts that slide, 0 to 1; None without contact.
        speed (`float`, *optional*): mean horizontal speed in contact, cm/s; None without contact.
        contact_share (`float`, *optional*): share of contacts, 0 to 1.
    """

    ratio: float | None
    of_contacts: float | None
    speed: float | None
    contact_share: float | None


class FloorError(NamedTuple):
    """Where the lowest joint is relative to the floor; see [`Physics`] for what the numbers mean.

    Args:
        penetration (`float`): mean depth below the floor over all frames, mm; lower is better.
        floating (`float`): mean height above the floor over all frames, mm; lower is better.
        unsupported (`float`): share of frames in the air without falling, 0 to 1; lower is better.
    """

    penetration: float
    floating: float
    unsupported: float


def physical_plausibility(joints: Array, fps: float = FPS, floor: float | None = 0.0) -> Physics:
    """Everything that can be said about the physics of one clip from its joints.

    Args:
        joints (`Array`): positions `[T, 22, 3]` in metres, Y up, numpy or torch.
        fps (`float`, *optional*, defaults to 20.0): frames per second.
        floor (`float`, *optional*, defaults to 0.0): height of the floor in metres, 0 for HumanML3D clips; None takes
            the 5th percentile of the lowest joint, for clips that lie anywhere, which hides floors that are wrong.

    Returns:
        [`Physics`]: ten numbers; their units and directions stand there.

    Raises:
        TypeError: if the joints are no floating-point array or fps is no number.
        ValueError: if the shape is another one, or a value is not finite or beyond 1,000 km.
    """
    clip, fps = _clip(joints), check_fps(fps)
    skating = foot_skating(clip, fps, floor=floor)
    ground = floor_error(clip, fps, floor=floor)
    drift = bone_length_deviation(clip) * 100
    return Physics(
        skating_ratio=skating.ratio,
        sliding_contacts=skating.of_contacts,
        slide_speed=skating.speed,
        contact_share=skating.contact_share,
        penetration=ground.penetration,
        floating=ground.floating,
        unsupported=ground.unsupported,
        jerk=jerk(clip, fps),
        limb_drift=float(drift.mean()),
        worst_limb_drift=float(drift.max()),
    )


def mean_physics(results: Sequence[Physics]) -> Physics:
    """The mean over clips, each counting the same however long it is.

    Args:
        results (`Sequence[Physics]`): one for each clip.

    Returns:
        [`Physics`]: means; what a clip could not measure is left out of that mean only.

    Raises:
        ValueError: if there is none.
    """
    if not results:
        raise ValueError("Expected the physics of at least one clip, got none.")
    means: dict[str, Any] = {}
    for field in fields(Physics):
        values = [value for value in (getattr(result, field.name) for result in results) if value is not None]
        means[field.name] = float(np.mean(values)) if values else None
    return Physics(**means | {"clips": sum(result.clips for result in results)})


def foot_skating(
    joints: Array,
    fps: float = FPS,
    *,
    floor: float | None = 0.0,
    contact_height: float = CONTACT_HEIGHT,
    sliding_speed: float = SLIDING_SPEED,
) -> Skating:
    """How much the feet (toes, joints 10 and 11) slide over the floor while they stand on it.

    A foot stands between two frames if it is below `contact_height` in both. The ratio follows GMD (Karunratanakul et
    al. 2023, their released code): the share of frames in which either foot stands and is faster than `sliding_speed`,
    both now and in the mean over 5 frames. The mean speed of standing feet is PhysDiff's skate (Yuan et al. 2023).

    Args:
        joints (`Array`): positions `[T, 22, 3]` in metres, Y up, numpy or torch.
        fps (`float`, *optional*, defaults to 20.0): frames per second; published ratios are of 20.
        floor (`float`, *optional*, defaults to 0.0): height of the floor, metres; None estimates it.
        contact_height (`float`, *optional*, defaults to 0.05): metres above the floor.
        sliding_speed (`float`, *optional*, defaults to 0.5): metres per second.

    Returns:
        [`Skating`]: None throughout for a single frame.

    Raises:
        TypeError: if the joints are no floating-point array or fps is no number.
        ValueError: if the shape is another one, or a value is not finite or beyond 1,000 km.
    """
    clip, fps = _clip(joints), check_fps(fps)
    if len(clip) < 2:
        return Skating(None, None, None, None)
    feet = clip[:, FEET]
    low = feet[..., 1] - _floor(clip, floor) < contact_height
    stands = low[:-1] & low[1:]  # [T-1, 2]
    speed = np.linalg.norm(np.diff(feet[..., [0, 2]], axis=0), axis=-1) * fps
    kernel = np.full(_WINDOW, 1 / _WINDOW)  # zeros beyond the ends, as the original has it
    half = _WINDOW // 2
    smooth = np.stack([np.convolve(foot, kernel)[half : half + len(speed)] for foot in speed.T], axis=1)
    slides = stands & (speed > sliding_speed)
    ratio = float((slides & (smooth > sliding_speed)).any(axis=1).mean())
    contacts = int(stands.sum())
    if not contacts:
        return Skating(ratio, None, None, 0.0)
    of_contacts, slide = int(slides.sum()) / contacts, float(speed[stands].mean()) * 100
    return Skating(ratio, of_contacts, slide, contacts / stands.size)


def floor_error(joints: Array, fps: float = FPS, *, floor: float | None = 0.0) -> FloorError:
    """How far the lowest joint is below or above the floor, and whether the body hovers.

    Penetration and floating follow PhysDiff (Yuan et al. 2023) with joints instead of the skin: means over all frames,
    5 mm forgiven. Flights, in which every joint is more than 10 cm up, are unsupported unless the pelvis accelerates
    downwards with at least half of gravity, in a parabola fitted to its height; under 3 frames they do not count.

    Args:
        joints (`Array`): positions `[T, 22, 3]` in metres, Y up, numpy or torch.
        fps (`float`, *optional*, defaults to 20.0): frames per second.
        floor (`float`, *optional*, defaults to 0.0): height of the floor, metres; None estimates it.

    Returns:
        [`FloorError`]: millimetres and a share.

    Raises:
        TypeError: if the joints are no floating-point array or fps is no number.
        ValueError: if the shape is another one, or a value is not finite or beyond 1,000 km.
    """
    clip, fps = _clip(joints), check_fps(fps)
    lowest = clip[..., 1].min(axis=-1) - _floor(clip, floor)
    below, above = -lowest - TOLERANCE, lowest - TOLERANCE
    depth = np.where(below > 0, -lowest, 0.0).mean() * 1000
    height = np.where(above > 0, lowest, 0.0).mean() * 1000
    airborne = np.concatenate([[False], lowest > IN_THE_AIR, [False]])
    starts, ends = np.flatnonzero(np.diff(airborne.astype(int))).reshape(-1, 2).T
    hovering = 0
    for start, end in zip(starts, ends, strict=True):
        if end - start >= 3:
            times = np.arange(end - start) / fps
            acceleration = 2 * np.polyfit(times - times.mean(), clip[start:end, 0, 1], 2)[0]
            hovering += int(end - start) * bool(acceleration > -_HALF_GRAVITY)
    return FloorError(float(depth), float(height), hovering / len(clip))


def jerk(joints: Array, fps: float = FPS) -> float | None:
    """How abruptly joints move: mean length of the third derivative of position over frames and joints.

    Third differences times fps³. Noise of 1 mm gives 57 m/s³ at 20 fps and 1,500 at 60. The jitter of TransPose
    (Yi et al. 2021) and of motion capture papers is this in 100 m/s³, at 60 fps.

    Args:
        joints (`Array`): positions `[T, 22, 3]` in metres, numpy or torch.
        fps (`float`, *optional*, defaults to 20.0): frames per second.

    Returns:
        `float` or `None`: m/s³, best near that of real motion; None below 4 frames.

    Raises:
        TypeError: if the joints are no floating-point array or fps is no number.
        ValueError: if the shape is another one, or a value is not finite or beyond 1,000 km.
    """
    clip, fps = _clip(joints), check_fps(fps)
    if len(clip) < 4:
        return None
    return float(np.linalg.norm(np.diff(clip, n=3, axis=0), axis=-1).mean() * fps**3)


def _clip(joints: Array) -> np.ndarray:
    check_joints(joints)
    if joints.ndim != 3:
        raise ValueError(f"Expected the joints of one clip, [T, 22, 3], got {list(joints.shape)}.")
    clip = numpy_double(joints)
    far = np.abs(clip)
    if far.max() > FARTHEST:
        frame, joint, _ = (int(i) for i in np.unravel_index(far.argmax(), far.shape))
        raise ValueError(
            f"Expected joints in metres, within {FARTHEST:,.0f} m of the origin, but frame {frame}, joint {joint} "
            f"({JOINT_NAMES[joint]}) is at {far.max():.3g} m. Convert other units, and leave out broken clips."
        )
    return clip


def _floor(clip: np.ndarray, floor: float | None) -> float:
    return float(np.percentile(clip[..., 1].min(axis=-1), _ESTIMATED_FLOOR)) if floor is None else float(floor)
