"""One function for all files a motion can be taken away as."""

import numpy as np
import pytest

from atom_hf.motion import Motion, MotionFormatError, load_motion
from atom_hf.motion.foot_locking import lock_feet
from atom_hf.render import export
from atom_hf.render.export import WRITERS, ExportOptions, export_motion
from atom_hf.render.export_report import ExportReport
from examples.make_walk import walking
from tests.render.glb_file import GLB


@pytest.mark.parametrize("suffix", [".bvh", ".glb", ".obj", ".mp4", ".gif", ".webp", ".npy", ".npz"])
def test_every_format(walk, tmp_path, suffix):
    report = export_motion(Motion(walk[:8], text="a walk"), tmp_path / f"walk{suffix}")
    assert report.path.exists() and report.frames == 8 and report.fps == 20
    assert [path.name for path in tmp_path.iterdir()] == [report.path.name]
    # Only SMPL's file is of a body of other proportions.
    assert report.residual_max < 0.01 or (suffix == ".npz" and report.residual_max < 50)


def test_residual_is_that_of_the_file(walk, tmp_path):
    noisy = walk + np.random.default_rng(0).normal(0, 0.005, walk.shape).astype(np.float32)
    for suffix in (".bvh", ".npz"):
        report = export_motion(Motion(noisy), tmp_path / f"walk{suffix}")
        off = 1000 * np.linalg.norm(load_motion(report.path).joints - noisy, axis=-1)
        assert report.residual_mean == pytest.approx(off.mean(), abs=0.01)
        assert report.residual_max == pytest.approx(off.max(), abs=0.01)


def test_locked_feet(tmp_path):
    joints = walking(frames=40)
    joints = joints + 0.03 * np.sin(np.arange(40) / 4)[:, None, None].astype(np.float32) * np.float32([1, 0, 0])
    locked = lock_feet(Motion(joints)).joints
    report = export_motion(Motion(joints), tmp_path / "walk.glb", lock_feet=True)
    file = GLB.read(tmp_path / "walk.glb")
    found = np.stack([file.joints(frame) for frame in range(40)])
    assert np.abs(found - locked).max() < 1e-4 and np.abs(found - joints).max() > 0.01
    off = 1000 * np.linalg.norm(found - joints, axis=-1)
    assert report.residual_mean == pytest.approx(off.mean(), abs=0.05)
    assert report.residual_max == pytest.approx(off.max(), abs=0.2)


def test_frame_rates(walk, tmp_path):
    motion = Motion(walk, fps=40)
    assert export_motion(motion, tmp_path / "a.glb").fps == 40
    assert export_motion(motion, tmp_path / "a.npy").frames == 20  # .npy cannot say, so all take it for 20
    assert load_motion(export_motion(motion, tmp_path / "a.bvh", fps=10).path).fps == 10
    with pytest.raises(ValueError, match="fps"):
        export_motion(motion, tmp_path / "a.glb", fps=0)


def test_unknown_suffix(walk, tmp_path):
    with pytest.raises(MotionFormatError, match=r"walk.usd: expected a target ending in .bvh, .glb, .fbx.*got '.usd'"):
        export_motion(Motion(walk), tmp_path / "walk.usd")


def test_a_writer_more(walk, tmp_path, monkeypatch):
    """The table is open: another format is a function in it."""

    def write(motion: Motion, path, options: ExportOptions) -> ExportReport:
        path.write_text(f"{len(motion)} {options.floor}")
        return ExportReport.of(path, motion)

    monkeypatch.setitem(WRITERS, ".txt", write)
    assert export.export_motion(Motion(walk), tmp_path / "walk.txt", floor=False).residual_max == 0
    assert (tmp_path / "walk.txt").read_text() == "40 False"


def test_unwritable(walk, tmp_path):
    (tmp_path / "file").write_text("mine")
    for suffix in (".bvh", ".glb", ".obj", ".mp4", ".npy", ".npz"):
        with pytest.raises(OSError):
            export_motion(Motion(walk[:3]), tmp_path / "file" / f"walk{suffix}")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
