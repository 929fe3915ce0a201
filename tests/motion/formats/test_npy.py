"""`.npy` files: joints and features, told apart by shape."""

import numpy as np
import pytest

from atom_hf.motion import Motion, MotionFormatError, load_motion


def test_joints_and_features(walk, tmp_path):
    np.save(tmp_path / "joints.npy", walk)
    motion = load_motion(tmp_path / "joints.npy", fps=30)
    assert motion.fps == 30 and motion.features is None
    np.testing.assert_array_equal(motion.joints, walk)
    features = motion.to_features()
    np.save(tmp_path / "features.npy", features)
    motion = load_motion(str(tmp_path / "features.npy"))
    np.testing.assert_array_equal(motion.features, features)
    assert motion == Motion.from_features(features)


def test_stored_samples(shared):
    folder = shared / "humanml3d_samples"
    for name in ("000000", "012314"):
        features = load_motion(folder / "new_joint_vecs" / f"{name}.npy")
        joints = load_motion(folder / "new_joints" / f"{name}.npy")
        assert features.allclose(joints, atol=1e-5)


def test_whole_numbers_and_half_precision_become_float32(walk, tmp_path):
    for dtype in (np.int16, np.float16):
        np.save(tmp_path / "walk.npy", (walk * 100).astype(dtype))
        assert load_motion(tmp_path / "walk.npy").joints.dtype == np.float32


@pytest.mark.parametrize(
    ("array", "text"),
    [
        (
            np.zeros((5, 21, 3)),
            r"walk.npy: expected joints \[T, 22, 3\] or features \[T, 263\], got shape \[5, 21, 3\]",
        ),
        (np.zeros((5, 251)), r"got shape \[5, 251\]"),
        (np.zeros((0, 22, 3)), "walk.npy: Expected at least 1 frames"),
        (np.full((5, 22, 3), np.nan), r"walk.npy: .*frame 0, joint 0 \(pelvis\)"),
        (np.full((5, 263), np.inf), "walk.npy: .*frame 0, dimension 0"),
        (np.array(["text"]), "expected floating-point numbers"),
        (np.array([{"code": 1}]), "Python objects can run code"),
    ],
)
def test_bad_arrays(tmp_path, array, text):
    np.save(tmp_path / "walk.npy", array, allow_pickle=True)
    with pytest.raises(MotionFormatError, match=text):
        load_motion(tmp_path / "walk.npy")


def test_bad_use(walk, tmp_path):
    np.save(tmp_path / "features.npy", Motion(walk).to_features())
    with pytest.raises(MotionFormatError, match="features have 20 fps, but 30 were asked for"):
        load_motion(tmp_path / "features.npy", fps=30)
    with pytest.raises(MotionFormatError, match=r"expected a file ending in \.bvh, \.amc, \.npz, \.npy, got '\.fbx'"):
        load_motion(tmp_path / "walk.fbx")
    with pytest.raises(MotionFormatError, match="it is a folder; read_humanml3d"):
        load_motion(tmp_path)
    with pytest.raises(MotionFormatError, match=r"there is no such file\. Did you mean features\.npy\?"):
        load_motion(tmp_path / "feature.npy")
    with pytest.raises(FileNotFoundError):
        load_motion(tmp_path / "absent.npy")
    with pytest.warns(UserWarning, match="will not say that it has 30 fps"):
        Motion(walk, fps=30).save(tmp_path / "fast.npy")
    with pytest.raises(TypeError, match=r"\.npy files are read with the options fps, got scale"):
        load_motion(tmp_path / "features.npy", scale=2)
