"""HumanML3D features: joints `[T, 22, 3]` to the 263 numbers a frame that text-to-motion models use, and back.

    features = joints_to_features(joints)       # [T, 22, 3] → [T-1, 263], see layout.py for what stands where
    joints = features_to_joints(features)       # [T-1, 263] → [T-1, 22, 3]

Follows HumanML3D's `process_file` (Guo et al. 2022) with its peculiarities, because published models and numbers rest
on them.
"""

from collections.abc import Sequence
from typing import Literal, overload

import numpy as np
from array_api_compat import array_namespace, device

from .arrays import Array, at_least_float32, constant, take
from .checks import check_features, check_joints, check_lengths
from .clip_features import FIRST_OF_CHAIN, clip_features
from .layout import FEATURE_DIM, POSITIONS, ROOT_HEIGHT, ROOT_VELOCITY, ROTATIONS, YAW_RATE
from .rotation import Components, rotation_6d_to_matrix, yaw_apply
from .skeleton import NUM_JOINTS, PARENTS, UNIFORM_OFFSETS

CONTACT_THRESHOLD = 0.002  # square metres: the original compares a squared displacement
# Frames handled at once on a processor: enough to hide the cost of a call (torch's is higher), few enough for caches.
_NUMPY_CHUNK, _TORCH_CHUNK = 2048, 8192


@overload
def joints_to_features(
    joints: Sequence[Array], *, retarget: bool = ..., contact_threshold: float = ...
) -> list[Array]: ...
@overload
def joints_to_features(
    joints: Array, lengths: Sequence[int] | None = ..., *, retarget: bool = ..., contact_threshold: float = ...
) -> Array: ...
def joints_to_features(
    joints: Array | Sequence[Array],
    lengths: Sequence[int] | None = None,
    *,
    retarget: bool = True,
    contact_threshold: float = CONTACT_THRESHOLD,
) -> Array | list[Array]:
    """HumanML3D features of joint positions, as the original `process_file` computes them.

    Steps: uniform skeleton → floor at y = 0 → root at the origin → first heading to +Z → features (see `layout.py`).
    Kept from the original, because every published model and number rests on them: the heading of a frame is
    perpendicular to *shoulders minus hips* (its inverse kinematics swaps the hips), smoothed over time with σ = 20
    frames, and frame 0 is taken to face +Z; root velocity is turned by the heading of the later frame, joint
    velocities by that of the earlier one; arm rotations are relative to the root's heading; a foot is in contact where
    its squared displacement is below the threshold; and the yaw rate changes sign in the frame in which the heading
    passes -Z.

    Differentiable with torch, on any device; contacts carry no gradient. Padding never changes a result.

    Args:
        joints (`Array` or `Sequence[Array]`): positions in metres at 20 fps, Y up, numpy or torch: one clip
            `[T, 22, 3]`, a batch `[B, T, 22, 3]`, or a list of clips `[T_i, 22, 3]` of different lengths. At least 2
            frames.
        lengths (`Sequence[int]`, *optional*): frames of each clip `[B]` in a padded batch; what lies behind is
            ignored.
        retarget (`bool`, *optional*, defaults to `True`): bring the body to the uniform skeleton first. Models expect
            it.
        contact_threshold (`float`, *optional*, defaults to 0.002): squared displacement per frame, square metres.

    Returns:
        `Array` or `list[Array]`: features of T joints have T-1 frames: `[T-1, 263]`, `[B, T-1, 263]` with zeros behind
            the end of shorter clips, or a list of `[T_i - 1, 263]`. In the precision of the input; half precision
            becomes float32.

    Raises:
        TypeError: if the joints are no floating-point arrays.
        ValueError: if a shape or length is wrong, a value is not finite or a bone has no length; frame and joint are
            named.
    """
    if isinstance(joints, (list, tuple)):
        if lengths is not None:
            raise ValueError("Lengths belong to a padded batch [B, T, 22, 3]; the clips of a list have their own.")
        return _features_of_clips(joints, retarget, contact_threshold)
    batch: Array = joints
    if lengths is None:
        check_joints(batch, min_frames=2)
        batch = at_least_float32(batch)
        if batch.ndim == 3:
            return _features_of_batch(batch[None], retarget, contact_threshold)[0]
        if batch.ndim == 4:
            return _features_of_batch(batch, retarget, contact_threshold)
    if getattr(batch, "ndim", None) != 4:
        raise ValueError(
            "Expected one clip [T, 22, 3], a batch [B, T, 22, 3] with optional lengths, or a list of clips, got "
            f"{type(batch).__name__} of shape {list(getattr(batch, 'shape', []))}, lengths {lengths}."
        )
    sizes = check_lengths(lengths, batch.shape[0], batch.shape[1], minimum=2)
    clips = [batch[i, :size] for i, size in enumerate(sizes.tolist())]
    features = _features_of_clips(clips, retarget, contact_threshold)
    return array_namespace(batch).stack([_pad_zeros(f, batch.shape[1] - 1) for f in features])


def _pad_zeros(features: Array, frames: int) -> Array:
    return array_namespace(features).concat([features, _zeros(features, frames - features.shape[0])], axis=0)


def _zeros(like: Array, *shape: int) -> Array:
    return array_namespace(like).zeros((*shape, FEATURE_DIM), dtype=like.dtype, device=device(like))


def _features_of_batch(joints: Array, retarget: bool, contact_threshold: float) -> Array:
    """Features of clips of one length, `[B, T, 22, 3]`."""
    total, frames = joints.shape[:2]
    if total == 0:
        return _zeros(joints, 0, frames - 1)
    count, many = _clips_at_once(joints[0], total), total > 1
    starts = range(0, total, count)
    chunks = (
        clip_features(joints[i : i + count], retarget, contact_threshold, range(i, i + count) if many else None)
        for i in starts
    )
    if not isinstance(joints, np.ndarray):
        return array_namespace(joints).concat(list(chunks), axis=0)
    features = np.empty((total, frames - 1, FEATURE_DIM), dtype=joints.dtype)
    for i, chunk in zip(starts, chunks, strict=True):
        features[i : i + count] = chunk  # a chunk at a time, so that its memory is used again by the next
    return features


def _features_of_clips(clips: Sequence[Array], retarget: bool, contact_threshold: float) -> list[Array]:
    """Features of clips `[T_i, 22, 3]`: clips of similar length are padded by their last frame and computed together.

    The repeated frame changes neither the lowest joint nor, because smoothing repeats the last value too, the heading.
    """
    for index, clip in enumerate(clips):
        try:
            check_joints(clip, min_frames=2)
            if clip.ndim != 3:
                raise ValueError(f"Expected joints of shape [T, 22, 3], got {list(clip.shape)}.")
        except (TypeError, ValueError) as error:
            raise type(error)(f"Clip {index}: {error}") from None
    results: list[Array] = [None] * len(clips)
    order = sorted(range(len(clips)), key=lambda i: clips[i].shape[0])
    while order:
        longest = clips[order[-1]]
        chunk = [order.pop() for _ in range(min(_clips_at_once(longest, len(order)), len(order)))]
        xp, frames = array_namespace(longest), longest.shape[0]
        padded = [take(clips[i], np.minimum(np.arange(frames), clips[i].shape[0] - 1), axis=0) for i in chunk]
        features = clip_features(at_least_float32(xp.stack(padded)), retarget, contact_threshold, chunk)
        for row, i in enumerate(chunk):
            own = features[row, : clips[i].shape[0] - 1]
            results[i] = own.copy() if isinstance(own, np.ndarray) else own.contiguous()  # no more a view
    return results


def _clips_at_once(clip: Array, total: int) -> int:
    """How many clips like this one to compute at once: a cache-full on a processor, all of them on an accelerator."""
    if isinstance(clip, np.ndarray):
        return max(1, _NUMPY_CHUNK // clip.shape[0])
    on_cpu = getattr(device(clip), "type", "cpu") == "cpu"
    return max(1, _TORCH_CHUNK // clip.shape[0]) if on_cpu else total


def features_to_joints(features: Array, *, source: Literal["positions", "rotations"] = "positions") -> Array:
    """Joint positions of HumanML3D features; the original's `recover_from_ric` and `recover_from_rot`.

    Args:
        features (`Array`): not normalised, `[T, 263]` or `[..., T, 263]`; metres, radians, 20 fps.
        source (`str`, *optional*, defaults to `"positions"`): read the local positions, or pose the uniform skeleton
            with the 6D rotations. Both agree for features of one motion; a model's output may differ between them.

    Returns:
        `Array`: joints `[..., T, 22, 3]` in metres, Y up; the root starts above the origin facing +Z. In the precision
            of the input; half precision becomes float32.

    Raises:
        TypeError: if the features are no floating-point array.
        ValueError: if the shape is another one, a value is not finite, or `source` is unknown.
    """
    check_features(features)
    if source not in ("positions", "rotations"):
        raise ValueError(f"Expected source 'positions' or 'rotations', got {source!r}.")
    xp = array_namespace(features)
    features = at_least_float32(features)
    zero = xp.zeros_like(features[..., :1, 0])
    angle = xp.cumulative_sum(xp.concat([zero, features[..., :-1, YAW_RATE][..., 0]], axis=-1), axis=-1)
    heading = (xp.cos(angle), xp.sin(angle))
    back = (heading[0], -heading[1])
    velocity = features[..., :-1, ROOT_VELOCITY]
    step_x, step_z = (xp.concat([zero, velocity[..., i]], axis=-1) for i in range(2))
    root_x, root_z = (xp.cumulative_sum(step, axis=-1) for step in yaw_apply(back, step_x, step_z))
    height = features[..., ROOT_HEIGHT][..., 0]
    if source == "rotations":
        return _pose(features, heading, xp.stack([root_x, height, root_z], axis=-1))
    local = xp.reshape(features[..., POSITIONS], (*features.shape[:-1], NUM_JOINTS - 1, 3))
    x, z = yaw_apply((back[0][..., None], back[1][..., None]), local[..., 0], local[..., 2])
    x = xp.concat([root_x[..., None], x + root_x[..., None]], axis=-1)
    y = xp.concat([height[..., None], local[..., 1]], axis=-1)
    z = xp.concat([root_z[..., None], z + root_z[..., None]], axis=-1)
    return xp.stack([x, y, z], axis=-1)


def _pose(features: Array, yaw: Components, root: Array) -> Array:
    """The uniform skeleton under the features' 6D rotations, in which both arms hang on the root's heading."""
    xp = array_namespace(features)
    six = xp.reshape(features[..., ROTATIONS], (*features.shape[:-1], NUM_JOINTS - 1, 6))
    local = rotation_6d_to_matrix(six)
    zero, one = xp.zeros_like(yaw[0]), xp.ones_like(yaw[0])
    x_axis, z_axis = yaw_apply(yaw, one, zero), yaw_apply(yaw, zero, one)
    heading = xp.stack(
        [
            xp.stack([x_axis[0], zero, x_axis[1]], axis=-1),
            xp.stack([zero, one, zero], axis=-1),
            xp.stack([z_axis[0], zero, z_axis[1]], axis=-1),
        ],
        axis=-1,
    )
    offsets = constant(UNIFORM_OFFSETS, features)
    rotations: list[Array] = [heading] * NUM_JOINTS
    joints: list[Array] = [root] * NUM_JOINTS
    for joint in range(1, NUM_JOINTS):
        before = heading if joint in FIRST_OF_CHAIN else rotations[PARENTS[joint]]
        rotations[joint] = before @ local[..., joint - 1, :, :]
        joints[joint] = joints[PARENTS[joint]] + (rotations[joint] @ offsets[joint][:, None])[..., 0]
    return xp.stack(joints, axis=-2)
