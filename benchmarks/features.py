"""How fast are HumanML3D features, against a straightforward implementation measured in the same run?

    OMP_NUM_THREADS=1 python benchmarks/features.py

The straightforward implementation follows the steps of the field's code as they are written down: a clip at a time, a
joint at a time, quaternions as `[T, 4]` arrays, retargeting by inverse and forward kinematics, SciPy's Gaussian
filter. It gives the same features (checked here before anything is timed), so the ratios compare like with like. Times
are processor time.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parent.parent))  # for the walk of examples/

import numpy as np
from scipy.ndimage import gaussian_filter1d

from atom_hf.motion import UNIFORM_OFFSETS, features_to_joints, joints_to_features
from atom_hf.motion.skeleton import CHAINS
from examples.make_walk import walking


def multiply(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Product of quaternions [T, 4]."""
    w = a[:, :1] * b[:, :1] - (a[:, 1:] * b[:, 1:]).sum(-1, keepdims=True)
    return np.concatenate([w, a[:, :1] * b[:, 1:] + b[:, :1] * a[:, 1:] + cross(a[:, 1:], b[:, 1:])], axis=-1)


def cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Cross products [T, 3], without the overhead of np.cross."""
    return a[:, [1, 2, 0]] * b[:, [2, 0, 1]] - a[:, [2, 0, 1]] * b[:, [1, 2, 0]]


def inverse(q: np.ndarray) -> np.ndarray:
    """Inverse of unit quaternions [T, 4]."""
    return q * np.array([1, -1, -1, -1], dtype=q.dtype)


def rotate(q: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Vectors [T, 3] turned by quaternions [T, 4]."""
    t = 2 * cross(q[:, 1:], v)
    return v + q[:, :1] * t + cross(q[:, 1:], t)


def between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Quaternions [T, 4] from unit vectors [T, 3] to unit vectors [T, 3]."""
    q = np.concatenate([1 + (a * b).sum(-1, keepdims=True), cross(a, b)], axis=-1)
    return q / np.linalg.norm(q, axis=-1, keepdims=True)


def unit(v: np.ndarray) -> np.ndarray:
    """Vectors [T, 3] of length 1."""
    return v / np.linalg.norm(v, axis=-1, keepdims=True)


def local_rotations(joints: np.ndarray, rest: np.ndarray, smooth: bool) -> np.ndarray:
    """Local quaternions [T, 22, 4] by walking the chains; heading from shoulders minus hips."""
    across = unit(joints[:, 1] - joints[:, 2] + joints[:, 17] - joints[:, 16])
    forward = np.cross(np.array([[0, 1, 0]], dtype=joints.dtype), across)
    if smooth:
        forward = gaussian_filter1d(forward, 20, axis=0, mode="nearest")
    ahead = np.array([[0, 0, 1]], dtype=joints.dtype).repeat(len(joints), axis=0)
    heading = between(unit(forward), ahead)
    heading[0] = [1, 0, 0, 0]
    rotations = np.zeros((len(joints), 22, 4), dtype=joints.dtype)
    rotations[:, 0] = heading
    for chain in CHAINS:
        current = heading
        for parent, joint in pairwise(chain):
            axis = np.repeat(unit(rest[joint : joint + 1]), len(joints), axis=0)
            bone = between(axis, unit(joints[:, joint] - joints[:, parent]))
            rotations[:, joint] = multiply(inverse(current), bone)
            current = multiply(current, rotations[:, joint])
    return rotations


def straightforward(joints: np.ndarray) -> np.ndarray:
    """Features [T-1, 263] of one clip [T, 22, 3]."""
    rest = UNIFORM_OFFSETS.astype(joints.dtype)
    leg = sum(np.linalg.norm(joints[0, j] - joints[0, p]) for j, p in ((5, 2), (8, 5)))
    root = joints[:, 0] * ((np.abs(rest[5]).max() + np.abs(rest[8]).max()) / leg)
    rotations = local_rotations(joints, rest, smooth=False)
    uniform = np.zeros_like(joints)
    uniform[:, 0] = root
    for chain in CHAINS:
        current = rotations[:, 0]
        for parent, joint in pairwise(chain):
            current = multiply(current, rotations[:, joint])
            offset = np.repeat(rest[joint : joint + 1], len(joints), axis=0)
            uniform[:, joint] = uniform[:, parent] + rotate(current, offset)
    uniform[..., 1] -= uniform[..., 1].min()
    uniform -= uniform[0, 0] * np.array([1, 0, 1], dtype=joints.dtype)
    across = unit((uniform[0, 2] - uniform[0, 1] + uniform[0, 17] - uniform[0, 16])[None])
    forward = unit(np.cross(np.array([[0, 1, 0]], dtype=joints.dtype), across))
    turn = between(forward, np.array([[0, 0, 1]], dtype=joints.dtype)).repeat(len(joints), axis=0)
    for joint in range(22):
        uniform[:, joint] = rotate(turn, uniform[:, joint])

    rotations = local_rotations(uniform, rest, smooth=True)
    heading = rotations[:, 0]
    step = np.diff(uniform, axis=0)
    moved = (step**2).sum(-1)
    contacts = [(moved[:, joint : joint + 1] < 0.002).astype(joints.dtype) for joint in (7, 10, 8, 11)]
    yaw = np.arcsin(multiply(heading[1:], inverse(heading[:-1]))[:, 2:3])
    velocity = rotate(heading[1:], step[:, 0])[:, [0, 2]]
    local = uniform - uniform[:, :1] * np.array([1, 0, 1], dtype=joints.dtype)
    positions = [rotate(heading, local[:, joint])[:-1] for joint in range(1, 22)]
    columns = []
    for joint in range(1, 22):
        w, x, y, z = rotations[:-1, joint].T
        columns.append(np.stack([1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y)], axis=-1))
        columns.append(np.stack([2 * (x * y - w * z), 1 - 2 * (x * x + z * z), 2 * (y * z + w * x)], axis=-1))
    velocities = [rotate(heading[:-1], step[:, joint]) for joint in range(22)]
    height = uniform[:-1, 0, 1:2]
    return np.concatenate([yaw, velocity, height, *positions, *columns, *velocities, *contacts], axis=-1)


def seconds(function: Callable[[], object], rounds: int) -> float:
    """Least processor time of several rounds."""
    best = float("inf")
    for _ in range(rounds):
        start = time.process_time()
        function()
        best = min(best, time.process_time() - start)
    return best


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=64, help="clips in a batch")
    parser.add_argument("--frames", type=int, default=197, help="frames of a clip")
    parser.add_argument("--rounds", type=int, default=9, help="rounds of which the best counts")
    options = parser.parse_args()

    rng = np.random.default_rng(0)
    walk = walking(frames=options.frames)
    batch = np.stack([walk * rng.uniform(0.8, 1.2) + rng.normal(0, 0.003, walk.shape) for _ in range(options.clips)])
    batch = batch.astype(np.float32)
    lengths = rng.integers(options.frames // 4, options.frames + 1, options.clips)
    clips = [clip[:n] for clip, n in zip(batch, lengths, strict=True)]
    difference = max(np.abs(straightforward(clip) - joints_to_features(clip))[:, :259].max() for clip in clips[:8])
    assert difference < 1e-4, difference
    features = joints_to_features(batch)

    few = clips[:8]
    slow = seconds(lambda: [straightforward(clip) for clip in batch[:8]], options.rounds) / 8
    slow_mixed = seconds(lambda: [straightforward(clip) for clip in few], options.rounds) / sum(map(len, few))

    def per_clip(function: Callable[[], object]) -> float:
        return seconds(function, options.rounds) / options.clips

    rows = [
        (f"numpy, batch of {options.clips}", slow, per_clip(lambda: joints_to_features(batch))),
        ("numpy, one clip", slow, seconds(lambda: joints_to_features(batch[0]), options.rounds)),
        (
            f"numpy, {options.clips} clips of {lengths.min()} to {lengths.max()} frames",
            slow_mixed * lengths.mean(),
            per_clip(lambda: joints_to_features(clips)),
        ),
    ]
    try:
        import torch
    except ImportError:
        print("torch is not installed; its row is left out")
    else:
        torch.set_num_threads(1)
        tensor = torch.tensor(batch)
        rows.append((f"torch, batch of {options.clips}", slow, per_clip(lambda: joints_to_features(tensor))))
    back = seconds(lambda: features_to_joints(features), options.rounds) / options.clips
    print(f"Features of {options.frames}-frame clips, one thread; agreement with the reference {difference:.0e}\n")
    print("| joints_to_features | straightforward, ms a clip | atom_hf, ms a clip | times as fast |")
    print("|---|---|---|---|")
    for name, reference, ours in rows:
        print(f"| {name} | {reference * 1e3:.2f} | {ours * 1e3:.2f} | {reference / ours:.0f} |")
    print(f"\nfeatures_to_joints: {back * 1e3:.3f} ms a clip")


if __name__ == "__main__":
    main()
