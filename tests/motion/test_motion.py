"""`Motion`: construction, cutting, comparing, and its way to features and back."""

import sys

import numpy as np
import pytest

from atom_hf import Motion, load_motion


def test_what_it_is(walk):
    motion = Motion(walk, text="a person walks to the left", codes=range(10))
    assert len(motion) == 40 and motion.duration == 2.0 and motion.fps == 20
    assert motion.joints.dtype == np.float32 and motion.codes.tolist() == list(range(10))
    assert repr(motion) == "Motion(40 frames at 20 fps, 2.00 s, 10 codes, 'a person walks to the left')"


def test_takes_lists_integers_and_torch(walk):
    assert Motion(walk.tolist()).joints.dtype == np.float64
    assert Motion((walk * 1000).astype(np.int16)).joints.dtype == np.float32
    torch = pytest.importorskip("torch")
    for dtype in (torch.bfloat16, torch.float32):
        joints = torch.tensor(walk, dtype=dtype, requires_grad=True)
        assert Motion(joints).joints.dtype == np.float32


def test_cutting(walk):
    features = Motion(walk).to_features()
    motion = Motion(walk, features=features, codes=np.arange(10), text="walk")
    part = motion[8:20]
    np.testing.assert_array_equal(part.joints, walk[8:20])
    np.testing.assert_array_equal(part.features, features[8:20])
    assert part.codes.tolist() == [2, 3, 4] and part.text == "walk"
    assert motion[3:20].codes is None and motion[-8:].codes.tolist() == [8, 9] and len(motion[:]) == 40
    assert motion[39:].features is None  # computed features are one frame shorter than the joints


def test_equality_has_a_tolerance(walk):
    motion = Motion(walk)
    assert motion == Motion(walk + 5e-5) and motion != Motion(walk + 5e-4)
    assert motion.allclose(Motion(walk + 5e-4), atol=1e-3)
    assert motion != motion[:39] and motion != Motion(walk, fps=30) and motion != Motion(walk, text="a")
    assert motion != Motion(walk, codes=[1]) and motion != "motion"


def test_features_and_back(walk):
    motion = Motion(walk, text="walk")
    features = motion.to_features()
    back = Motion.from_features(features, text="walk")
    assert features.shape == (39, 263) and len(back) == 39 and back.fps == 20
    assert back.to_features() is back.features
    again = Motion(back.joints).to_features()
    np.testing.assert_allclose(again[:30, :67], features[:30, :67], atol=2e-2)  # smoothing sees another end


def test_other_frame_rates_are_resampled_for_features(walk):
    fast = Motion(walk).resample(60)
    assert fast.fps == 60 and fast.duration == pytest.approx(2.0, abs=0.05)
    np.testing.assert_allclose(fast.to_features(), Motion(walk).to_features(), atol=1e-4)
    assert Motion(walk).resample(20).fps == 20


def test_mirror(walk):
    motion = Motion(walk, features=Motion(walk).to_features(), codes=[1], text="turns left")
    mirrored = motion.mirror()
    assert mirrored.text == "turns right" and mirrored.codes is None
    assert mirrored.mirror().allclose(Motion(walk, text="turns left"))
    np.testing.assert_allclose(mirrored.mirror().features, motion.features)


@pytest.mark.parametrize("suffix", [".bvh", ".npz", ".npy"])
def test_saves_by_suffix(walk, tmp_path, suffix):
    path = tmp_path / "new" / f"walk{suffix}"
    Motion(walk).save(path)
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    assert len(load_motion(path)) == 40 and load_motion(path).fps == 20


@pytest.mark.parametrize(
    ("values", "error", "text"),
    [
        ({"joints": np.zeros((5, 21, 3))}, ValueError, r"\[..., T, 22, 3\], got \[5, 21, 3\]"),
        ({"joints": np.zeros((0, 22, 3))}, ValueError, "at least 1 frames, got 0"),
        ({"joints": np.zeros((2, 5, 22, 3))}, ValueError, "A motion is one clip"),
        ({"joints": np.full((5, 22, 3), np.nan)}, ValueError, "frame 0, joint 0"),
        ({"joints": np.array(["a"])}, TypeError, "Expected numbers"),
        ({"fps": 0}, ValueError, "above zero, got 0"),
        ({"fps": "20"}, TypeError, "got str"),
        ({"features": np.zeros((3, 263))}, ValueError, r"\[5, 263\] or one frame less, got \[3, 263\]"),
        ({"features": np.zeros((5, 251))}, ValueError, "KIT-ML"),
        ({"codes": [0.5]}, ValueError, "row of integers"),
        ({"text": 5}, TypeError, "string or None, got int"),
    ],
)
def test_bad_values(values, error, text):
    with pytest.raises(error, match=text):
        Motion(**({"joints": np.zeros((5, 22, 3))} | values))


def test_bad_use(walk, tmp_path):
    motion = Motion(walk)
    for index in (slice(5, 5), slice(0, 10, 2), slice(50, 60), slice(None, None, -1)):
        with pytest.raises(ValueError, match="start < stop within 40 frames"):
            motion[index]
    with pytest.raises(ValueError, match=r"got \[50:60\]; motion\.resample"):
        motion[50:60]
    with pytest.raises(TypeError, match=r"motion\[start:stop\], got an index of type int"):
        motion[3]
    with pytest.raises(ValueError, match=r"expected a target ending in \.bvh, \.glb, .* got '\.xyz'"):
        motion.save(tmp_path / "walk.xyz")
    with pytest.raises(ValueError, match=r"one clip, features \[T, 263\]"):
        Motion.from_features(np.zeros((2, 5, 263)))
    assert not list(tmp_path.iterdir())
    with pytest.raises(TypeError, match="unhashable"):
        hash(motion)


def test_what_the_renderer_writes(walk, tmp_path):
    motion = Motion(walk, text="a person walks </script>")
    motion.save(tmp_path / "walk.glb")
    motion.save(tmp_path / "walk.html")
    assert (tmp_path / "walk.glb").read_bytes()[:4] == b"glTF"
    page = (tmp_path / "walk.html").read_text(encoding="utf-8")
    assert "data-atom-viewer" in page and "a person walks &lt;/script&gt;" in page
    assert sorted(path.name for path in tmp_path.iterdir()) == ["walk.glb", "walk.html"]


def test_in_a_notebook(walk, monkeypatch):
    motion = Motion(walk, text="a person walks")
    shown = motion._repr_html_()
    assert shown.startswith("<iframe") and 'sandbox="allow-scripts"' in shown and "a person walks" in shown
    monkeypatch.setitem(sys.modules, "atom_hf.render.viewer", None)
    assert motion._repr_html_() is None  # notebooks fall back on text
