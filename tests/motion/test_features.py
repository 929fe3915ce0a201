"""HumanML3D features: agreement with the original, padding, gradients, and what bad input is told."""

from pathlib import Path

import numpy as np
import pytest

from atom_hf.motion import Motion, features_to_joints, joints_to_features, to_uniform_skeleton
from atom_hf.motion.layout import CONTACTS, FEATURE_DIM, POSITIONS, ROOT_HEIGHT, ROTATIONS, VELOCITIES, YAW_RATE

GOLDEN = Path(__file__).parent.parent / "golden"
TOLERANCE = 3e-5  # of features, the original against itself in other precision
RECOVERY = 3e-6
SYNTHETIC = ("s0_native", "s1_bones_yaw", "s4_min2", "s5_static")
CLIPS = ("012314", "000000", "007005", "M010968")


def assert_agree(features: np.ndarray, expected: np.ndarray) -> None:
    np.testing.assert_allclose(features[:, : CONTACTS.start], expected[:, : CONTACTS.start], rtol=0, atol=TOLERANCE)
    np.testing.assert_array_equal(features[:, CONTACTS], expected[:, CONTACTS])


def with_last_frame(joints: np.ndarray, features: np.ndarray) -> np.ndarray:
    """HumanML3D stores one frame less than it computed features from; the last velocity tells where joints went."""
    yaw = 2 * features[:-1, 0].sum(dtype=np.float64)
    cosine, sine = np.cos(yaw), np.sin(yaw)
    x, y, z = features[-1, VELOCITIES].reshape(22, 3).T
    move = np.stack([cosine * x - sine * z, y, sine * x + cosine * z], axis=-1)
    return np.concatenate([joints, (joints[-1] + move)[None]])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("case", SYNTHETIC)
def test_agrees_with_original_on_synthetic_motion(backend, case, dtype):
    with np.load(GOLDEN / "a_synth.npz") as golden:
        joints, expected = golden[f"{case}/joints_in"], golden[f"{case}/feats"]
        uniform, recovered = golden[f"{case}/uniform"], golden[f"{case}/recovered_ric"]
        from_rotations = golden[f"{case}/recovered_rot"]
    joints = backend(joints.astype(dtype))
    features = joints_to_features(joints)
    assert features.dtype == joints.dtype
    assert_agree(np.asarray(features), expected)
    np.testing.assert_allclose(np.asarray(to_uniform_skeleton(joints)), uniform, rtol=0, atol=1e-5)
    stored = backend(expected.astype(dtype))
    np.testing.assert_allclose(np.asarray(features_to_joints(stored)), recovered, rtol=0, atol=RECOVERY)
    posed = features_to_joints(stored, source="rotations")
    np.testing.assert_allclose(np.asarray(posed), from_rotations, rtol=0, atol=1e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_agrees_with_original_on_reference_clip(shared, backend, dtype):
    path = shared / "golden" / "a_clip012314.npz"
    if not path.exists():
        pytest.skip("the reference clip is not here")
    with np.load(path) as golden:
        clip = {name: golden[name] for name in golden}
    for frames, name in ((clip["joints_171"], "feats_from_171"), (clip["new_joints"], "feats_from_170")):
        assert_agree(np.asarray(joints_to_features(backend(frames.astype(dtype)))), clip[name])
    stored = backend(clip["new_joint_vecs"].astype(dtype))
    np.testing.assert_allclose(np.asarray(features_to_joints(stored)), clip["recovered_ric"], rtol=0, atol=RECOVERY)
    posed = features_to_joints(stored, source="rotations")
    np.testing.assert_allclose(np.asarray(posed), clip["recovered_rot"], rtol=0, atol=1e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", CLIPS)
def test_agrees_with_stored_pairs(shared, name, dtype):
    folder = shared / "humanml3d_samples"
    if not folder.exists():
        pytest.skip("no HumanML3D samples here")
    joints, features = (np.load(folder / part / f"{name}.npy") for part in ("new_joints", "new_joint_vecs"))
    np.testing.assert_allclose(features_to_joints(features.astype(dtype)), joints, rtol=0, atol=RECOVERY)
    whole = with_last_frame(joints.astype(dtype), features.astype(dtype))
    assert_agree(joints_to_features(whole.astype(dtype)), features.astype(dtype))


def test_features_without_joints_make_a_body(shared):
    path = shared / "humanml3d_samples" / "new_joint_vecs" / "000612.npy"
    if not path.exists():
        pytest.skip("no HumanML3D samples here")
    features = np.load(path)
    joints = features_to_joints(features)
    assert joints.shape == (199, 22, 3) and 0.7 < joints[:, 0, 1].mean() < 1.1
    posed = features_to_joints(features, source="rotations")
    # The two halves of the features tell one story until the heading passes -Z in frame 142, where the stored yaw rate
    # has the wrong sign for a frame: HumanML3D's peculiarity, kept by joints_to_features.
    assert np.degrees(2 * features[:142, 0].sum()) == pytest.approx(176.6, abs=0.1) and features[142, 0] < 0
    assert np.abs(posed - joints)[:142].max() < 1e-5 < np.abs(posed - joints)[143:].max()


def test_what_the_numbers_mean(walk):
    """The layout, spelled out on a clip whose body is not retargeted."""
    features = joints_to_features(walk, retarget=False)
    assert features.shape == (len(walk) - 1, FEATURE_DIM)
    np.testing.assert_allclose(features[:, ROOT_HEIGHT][:, 0], walk[:-1, 0, 1] - walk[..., 1].min(), atol=1e-5)
    root_to_head = np.linalg.norm(walk[:-1, 15] - walk[:-1, 0], axis=-1)
    local = features[:, POSITIONS].reshape(-1, 21, 3)
    local[..., 1] -= features[:, ROOT_HEIGHT]
    np.testing.assert_allclose(np.linalg.norm(local[:, 14], axis=-1), root_to_head, atol=1e-5)
    speed = np.linalg.norm(np.diff(walk, axis=0), axis=-1)
    np.testing.assert_allclose(np.linalg.norm(features[:, VELOCITIES].reshape(-1, 22, 3), axis=-1), speed, atol=1e-5)
    np.testing.assert_array_equal(features[:, CONTACTS], (speed[:, [7, 10, 8, 11]] ** 2 < 0.002).astype(np.float32))
    columns = features[:, ROTATIONS].reshape(-1, 21, 2, 3)
    np.testing.assert_allclose(np.linalg.norm(columns, axis=-1), 1, atol=1e-5)
    np.testing.assert_allclose((columns[:, :, 0] * columns[:, :, 1]).sum(-1), 0, atol=1e-5)


def test_round_trip_of_a_uniform_body(walk):
    uniform = to_uniform_skeleton(walk)
    joints = features_to_joints(joints_to_features(walk))
    # Turned to face +Z and moved to the origin: distances between joints are what stays.
    for a, b in ((15, 10), (20, 21), (0, 7)):
        expected = np.linalg.norm(uniform[:-1, a] - uniform[:-1, b], axis=-1)
        np.testing.assert_allclose(np.linalg.norm(joints[:, a] - joints[:, b], axis=-1), expected, atol=1e-5)
    np.testing.assert_allclose(joints[0, 0, [0, 2]], 0, atol=1e-6)


def test_padding_and_batching_change_nothing(walk, backend):
    lengths = [40, 2, 17, 33]
    clips = [backend(walk[:n] * (1 + 0.05 * i)) for i, n in enumerate(lengths)]
    alone = [np.asarray(joints_to_features(clip)) for clip in clips]
    listed = joints_to_features(clips)
    padded = np.full((4, 40, 22, 3), np.nan, dtype=np.float32)
    for i, clip in enumerate(clips):
        padded[i, : lengths[i]] = np.asarray(clip)
    batch = np.asarray(joints_to_features(backend(padded), lengths))
    for i, n in enumerate(lengths):
        np.testing.assert_allclose(np.asarray(listed[i]), alone[i], rtol=0, atol=5e-6)
        np.testing.assert_allclose(batch[i, : n - 1], alone[i], rtol=0, atol=5e-6)
        assert not batch[i, n - 1 :].any()
    same = np.asarray(joints_to_features(backend(np.stack([walk] * 3))))
    np.testing.assert_allclose(same, np.stack([alone[0]] * 3), rtol=0, atol=5e-6)
    for features in (alone[0], np.asarray(listed[2]), batch, same):
        assert features.flags.c_contiguous


def test_half_precision_is_computed_in_float32(walk):
    torch = pytest.importorskip("torch")
    for half in (walk.astype(np.float16), torch.tensor(walk).bfloat16()):
        whole = joints_to_features(np.asarray(torch.as_tensor(half).float()))
        for features in (joints_to_features(half), joints_to_features(half[None])[0], joints_to_features([half])[0]):
            assert str(features.dtype).endswith("float32")
            np.testing.assert_allclose(np.asarray(features), whole, atol=1e-5)
    assert str(features_to_joints(torch.zeros(5, 263, dtype=torch.float16)).dtype) == "torch.float32"


def test_no_clips_at_all(backend):
    assert joints_to_features(backend(np.zeros((0, 5, 22, 3)))).shape == (0, 4, 263)
    assert joints_to_features([]) == []


def test_many_long_clips_cross_chunks(walk):
    long = np.concatenate([walk] * 60)  # 2,400 frames, more than a block of the smoothing
    features = joints_to_features(np.stack([long, long * 1.1, long]))
    np.testing.assert_allclose(features[0], joints_to_features(long), rtol=0, atol=5e-6)
    np.testing.assert_allclose(features[0], features[2], rtol=0, atol=5e-6)


def test_real_motion_of_other_bodies(real_clips):
    """Bodies of every proportion come out with the uniform skeleton's bones."""
    for joints, features in zip(real_clips, joints_to_features(real_clips), strict=True):
        assert np.isfinite(features).all() and features.shape == (len(joints) - 1, FEATURE_DIM)
        back = features_to_joints(features)
        assert np.linalg.norm(back[:, 4] - back[:, 1], axis=-1) == pytest.approx(0.39362319, abs=1e-4)
        np.testing.assert_allclose(features_to_joints(features, source="rotations"), back, atol=2e-3)


def test_gradients_agree_with_finite_differences(walk):
    torch = pytest.importorskip("torch")
    still = np.random.default_rng(0).normal(0, 0.01, (6, 22, 3))  # no two frames share the lowest point
    joints = torch.tensor(walk[:6] + still, requires_grad=True)
    weights = torch.linspace(-1, 1, 5 * 259, dtype=torch.float64).reshape(5, 259)
    loss = (joints_to_features(joints)[:, :259] * weights).sum()
    loss.backward()
    for frame, joint, axis in ((0, 0, 1), (2, 20, 0), (3, 7, 2), (5, 16, 1), (0, 5, 1)):
        shifted = [joints.detach().clone() for _ in range(2)]
        for sign, values in zip((1, -1), shifted, strict=True):
            values[frame, joint, axis] += sign * 1e-6
        high, low = ((joints_to_features(v)[:, :259] * weights).sum() for v in shifted)
        assert joints.grad[frame, joint, axis].item() == pytest.approx((high - low).item() / 2e-6, rel=1e-4, abs=1e-4)


def test_gradients_stay_finite_behind_the_end_of_padded_clips(walk):
    torch = pytest.importorskip("torch")
    joints = torch.tensor(np.stack([walk, walk]), requires_grad=True)
    joints_to_features(joints, [40, 10]).sum().backward()
    assert torch.isfinite(joints.grad).all()
    assert not joints.grad[1, 10:].any() and joints.grad[1, :10].any()
    features = joints_to_features(torch.tensor(walk)).requires_grad_()
    features_to_joints(features).sum().backward()
    assert torch.isfinite(features.grad).all()


def test_opposite_directions_have_finite_rotations(walk):
    """A bone that points exactly against its rest direction, and a body that faces exactly -Z."""
    joints = walk.astype(np.float64).copy()
    for joint, parent in ((18, 16), (20, 18)):  # the left arm straight up; it hangs down at rest
        joints[:, joint] = joints[:, parent] + [0, 0.25, 0]
    features = joints_to_features(joints)
    assert np.isfinite(features).all()
    np.testing.assert_allclose(
        features_to_joints(features, source="rotations"), features_to_joints(features), atol=1e-6
    )
    backwards = walk * np.array([-1, 1, -1], dtype=np.float32)
    np.testing.assert_allclose(joints_to_features(backwards), joints_to_features(walk), atol=TOLERANCE)


def test_standing_and_turning(walk):
    features = joints_to_features(np.repeat(walk[:1], 5, axis=0))
    assert features[:, CONTACTS].all() and not features[:, VELOCITIES].any()
    np.testing.assert_allclose(features[1:, :3], 0, atol=1e-7)  # the first heading is taken to be +Z, whatever it is
    angle = np.arange(30) * 0.05
    x, y, z = np.moveaxis(np.repeat(walk[:1], 30, axis=0).astype(np.float64), -1, 0)
    cosine, sine = np.cos(angle)[:, None], np.sin(angle)[:, None]
    turning = np.stack([cosine * x + sine * z, y, cosine * z - sine * x], axis=-1)
    rate = joints_to_features(turning)[:, YAW_RATE][:, 0]
    assert (np.abs(rate[1:]) < 0.05).all() and np.sign(rate[1:]).tolist() == [
        -1.0
    ] * 28  # HumanML3D's sign of a left turn


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda walk: walk[:1], ValueError, "at least 2 frames, got 1"),
        (lambda walk: walk[:, :21], ValueError, r"\[..., T, 22, 3\], got \[40, 21, 3\]"),
        (lambda walk: np.zeros((5, 24, 3), np.float32), ValueError, "the first 22 are the body"),
        (lambda walk: np.zeros((5, 22, 263), np.float32), ValueError, "features_to_joints first"),
        (lambda walk: walk.astype(int), TypeError, "floating-point numbers, got int64"),
        (lambda walk: "walk.npy", TypeError, "numpy array or a torch tensor, got str"),
        (lambda walk: Motion(walk), TypeError, r"got Motion. A Motion holds them: motion\.joints"),
        (lambda walk: np.where(np.arange(40)[:, None, None] == 7, np.nan, walk), ValueError, "frame 7, joint 0"),
        (lambda walk: np.where(np.arange(22)[:, None] == 9, np.inf, walk), ValueError, "frame 0, joint 9 .spine3"),
        (lambda walk: walk * (np.arange(40) != 5)[:, None, None], ValueError, "no length in frame 5"),
        (lambda walk: np.stack([walk, walk * 0]), ValueError, "no length in clip 1, frame 0"),
        (lambda walk: [walk, walk[:, :3]], ValueError, "Clip 1: Expected joints"),
        (lambda walk: [walk, walk[None]], ValueError, r"Clip 1: .*\[T, 22, 3\]"),
        (lambda walk: walk[None, None], ValueError, "one clip .T, 22, 3., a batch"),
    ],
)  # fmt: skip
def test_bad_joints(walk, make, error, text):
    with pytest.raises(error, match=text):
        joints_to_features(make(walk))


@pytest.mark.parametrize("lengths", [[40], [40, 1], [40, 41], [40, 40, 40]])
def test_bad_lengths(walk, lengths):
    with pytest.raises(ValueError, match="Expected 2 lengths from 2 to 40 frames"):
        joints_to_features(np.stack([walk, walk]), lengths)
    with pytest.raises(ValueError, match="clips of a list have their own"):
        joints_to_features([walk, walk], lengths)


@pytest.mark.parametrize(
    ("features", "error", "text"),
    [
        (np.zeros((4, 251), np.float32), ValueError, r"got \[4, 251\]. 251 is KIT-ML"),
        (np.zeros((0, 263), np.float32), ValueError, "at least 1 frame"),
        (np.full((4, 263), np.nan, np.float32), ValueError, "frame 0, dimension 0"),
        (np.zeros((4, 263), int), TypeError, "floating-point numbers"),
    ],
)
def test_bad_features(features, error, text):
    with pytest.raises(error, match=text):
        features_to_joints(features)
    with pytest.raises(ValueError, match="'positions' or 'rotations', got 'joints'"):
        features_to_joints(np.zeros((4, 263), np.float32), source="joints")
