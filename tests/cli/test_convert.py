"""`atom-hf convert`, as a user types it."""

import json
import subprocess
import sys

import numpy as np
import pytest

from atom_hf.cli import main
from atom_hf.motion import Motion, MotionStats, features_to_joints, load_motion, read_humanml3d


@pytest.fixture
def mocap(tmp_path, walk):
    """A folder of files: two good ones, two that share a name, two broken ones, and one of no concern."""
    folder = tmp_path / "mocap"
    Motion(walk).save(folder / "day1" / "walk.bvh")
    Motion(walk).save(folder / "day2" / "walk.npz")
    Motion(walk).save(folder / "day2" / "walk.bvh")
    (folder / "broken.bvh").write_text("HIERARCHY\nROOT hips\n{\n")
    np.save(folder / "wrong.npy", np.zeros((5, 7)))
    (folder / "notes.txt").write_text("not a motion")
    return folder


def test_bvh_to_features_and_back(walk, tmp_path, capsys):
    Motion(walk).save(tmp_path / "walk.bvh")
    assert main(["convert", str(tmp_path / "walk.bvh"), str(tmp_path / "walk.npy"), "--features"]) == 0
    assert "walk.npy: features [39, 263] at 20 fps" in capsys.readouterr().out
    features = np.load(tmp_path / "walk.npy")
    assert features.dtype == np.float32
    np.testing.assert_allclose(features, Motion(walk).to_features(), atol=2e-3)
    assert main(["convert", str(tmp_path / "walk.npy"), str(tmp_path / "back.bvh")]) == 0
    assert "39 frames at 20 fps (1.95 s)" in capsys.readouterr().out
    back = load_motion(tmp_path / "back.bvh")
    np.testing.assert_allclose(back.joints, features_to_joints(features), atol=2e-3)


@pytest.mark.filterwarnings("ignore:.*will not say")
@pytest.mark.parametrize("source", [".bvh", ".npz", ".npy"])
@pytest.mark.parametrize("target", [".bvh", ".npz", ".npy"])
def test_every_pair(walk, tmp_path, source, target):
    Motion(walk).save(tmp_path / f"in{source}")
    assert main(["convert", str(tmp_path / f"in{source}"), str(tmp_path / f"out{target}"), "--fps", "10"]) == 0
    motion = load_motion(tmp_path / f"out{target}", **({"fps": 10} if target == ".npy" else {}))
    assert len(motion) == 20 and motion.fps == 10


def test_folder(mocap, tmp_path, capsys):
    assert main(["convert", str(mocap), str(tmp_path / "out"), "--to", ".npy"]) == 0
    files = sorted(p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*.*"))
    assert files == ["day1/walk.npy", "day2/walk_bvh.npy", "day2/walk_npz.npy"]
    out = capsys.readouterr().out
    assert "3 clips written" in out and "skipped 2:" in out
    assert "broken.bvh, line" in out and "wrong.npy: expected joints" in out and "notes" not in out


def test_folder_to_humanml3d_and_on(mocap, tmp_path, capsys):
    corpus = tmp_path / "corpus"
    assert main(["convert", str(mocap), str(corpus), "--to", "humanml3d"]) == 0
    assert [clip.name for clip in read_humanml3d(corpus)] == ["day1_walk", "day2_walk_bvh", "day2_walk_npz"]
    assert main(["convert", str(corpus), str(tmp_path / "bvh"), "--to", ".bvh"]) == 0
    assert len(list((tmp_path / "bvh").glob("*.bvh"))) == 3
    assert main(["convert", str(corpus), str(tmp_path / "features"), "--features", "--split", "all"]) == 0
    features = np.load(tmp_path / "features" / "day1_walk.npy")
    np.testing.assert_array_equal(features, np.load(corpus / "new_joint_vecs" / "day1_walk.npy"))
    assert "skipped 2" in capsys.readouterr().out


def test_captions_beside_the_files(mocap, tmp_path, capsys):
    (mocap / "day1" / "walk.txt").write_text("a person walks to the left\n\nsomeone walks\n")
    (mocap / "day2" / "walk.txt").write_text("a man walks#a/DET man/NOUN walk/VERB#0.0#1.0\n")
    corpus = tmp_path / "corpus"
    assert main(["convert", str(mocap), str(corpus), "--to", "humanml3d"]) == 0
    assert "3 clips written, 3 with captions; Mean.npy and Std.npy" in capsys.readouterr().out
    clips = {clip.name: clip for clip in read_humanml3d(corpus)}
    assert [c.text for c in clips["day1_walk"].captions] == ["a person walks to the left", "someone walks"]
    assert clips["day2_walk_bvh"].captions[0].end == 1.0
    assert MotionStats.load(corpus).std.shape == (263,)
    assert main(["convert", str(corpus), str(tmp_path / "again"), "--to", "humanml3d"]) == 0
    assert [clip.captions for clip in read_humanml3d(tmp_path / "again")] == [clip.captions for clip in clips.values()]
    assert main(["convert", str(mocap), str(corpus), "--to", "humanml3d"]) == 1
    assert "holds a corpus already; choose a new folder" in capsys.readouterr().err


def test_one_file_is_a_corpus_too(mocap, tmp_path, capsys):
    arguments = ["convert", str(mocap / "day1" / "walk.bvh"), str(tmp_path / "corpus"), "--to", "humanml3d"]
    assert main(arguments) == 0
    assert "1 clip written, 0 with captions" in capsys.readouterr().out
    assert [clip.name for clip in read_humanml3d(tmp_path / "corpus")] == ["walk"]


def test_npy_files_have_20_fps(walk, tmp_path, capsys):
    """They cannot say what they have, so what is written has what readers take them for."""
    Motion(walk).resample(60).save(tmp_path / "fast.bvh")
    assert main(["convert", str(tmp_path / "fast.bvh"), str(tmp_path / "usual.npy")]) == 0
    assert "40 frames at 20 fps" in capsys.readouterr().out
    with pytest.warns(UserWarning, match="will not say that it has 60 fps"):
        main(["convert", str(tmp_path / "fast.bvh"), str(tmp_path / "fast.npy"), "--fps", "60"])
    assert len(np.load(tmp_path / "fast.npy")) == 118


def test_options_reach_the_readers(walk, tmp_path, capsys):
    np.save(tmp_path / "fast.npy", walk)
    arguments = [
        "convert",
        str(tmp_path / "fast.npy"),
        str(tmp_path / "slow.bvh"),
        "--source-fps",
        "40",
        "--fps",
        "20",
    ]
    assert main(arguments) == 0 and "20 frames at 20 fps" in capsys.readouterr().out
    Motion(walk).save(tmp_path / "odd.bvh")
    text = (tmp_path / "odd.bvh").read_text().replace("left_hip", "Alpha").replace("right_hip", "Beta")
    (tmp_path / "odd.bvh").write_text(text)
    assert main(["convert", str(tmp_path / "odd.bvh"), str(tmp_path / "odd.npy")]) == 1
    assert "left_hip" in capsys.readouterr().err
    (tmp_path / "map.json").write_text(json.dumps({"left_hip": "Alpha", "right_hip": "Beta"}))
    arguments = [
        "convert",
        str(tmp_path / "odd.bvh"),
        str(tmp_path / "odd.npy"),
        "--joint-map",
        str(tmp_path / "map.json"),
    ]
    assert main(arguments) == 0
    np.testing.assert_allclose(np.load(tmp_path / "odd.npy"), walk, atol=1e-3)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["absent.bvh", "out.npy"], "absent.bvh: expected a file, but there is no such file"),
        (["walk.npy", "out.fbx"], "out.fbx: expected a file ending in .bvh, .npz, .npy, got '.fbx'"),
        (["walk.npy", "out.bvh", "--features"], "--features writes .npy files, but the target is"),
        (["walk.npy", "out.bvh", "--to", ".bvh"], "--to is for folders"),
        (["walk.npy", "out.bvh", "--fps", "0"], "above zero, got 0"),
        ([".", "out"], "say what to write with --to, one of .bvh, .npz, .npy, humanml3d; and . is a folder"),
        ([".", "out", "--to", "fbx"], "one of .bvh, .npz, .npy, humanml3d; got --to fbx"),
        ([".", "walk.npy", "--to", ".bvh"], "the target of a folder is a folder, but walk.npy is named like a file"),
        ([".", "new.npy", "--to", ".npy"], "the target of a folder is a folder, but new.npy is named like a file"),
        ([".", "out", "--to", "humanml3d", "--features"], "humanml3d has features anyway; got --to humanml3d"),
        (["walk.npy", "walk.npy"], "walk.npy is source and target; choose another target, so that nothing is lost"),
        ([".", ".", "--to", ".bvh"], ". is source and target"),
        (["absent", "out", "--to", ".bvh"], "absent: there is no such file or folder"),
        (["wlak.npy", "out.bvh"], "there is no such file. Did you mean walk.npy?"),
        (["walk.npy", "out.npy", "--features", "--fps", "30"], "--features are at 20 fps"),
        ([".", "out", "--to", "humanml3d", "--fps", "30"], "humanml3d folders are at 20 fps"),
        (["walk.npy", "out.bvh", "--split", "test"], "--split is for HumanML3D folders, and the source is a file"),
        ([".", "out", "--to", ".bvh", "--split", "test"], "--split is for HumanML3D folders, and . is none"),
        (["walk.npy", "out.bvh", "--scale", "2"], "--scale is for .bvh, .amc files, and the source has none"),
        (["walk.npy", "out.bvh", "--body-model", "x.npz"], "--body-model is for .npz files"),
        ([".", "out", "--to", ".bvh", "--skeleton", "x.asf"], "--skeleton is for .amc files"),
        (["walk.npy", "out.bvh", "--joint-map", "none.json"], "none.json: expected a JSON object such as"),
        (["walk.npy", "out.bvh", "--joint-map", "walk.npy"], "walk.npy: expected a JSON object such as"),
        (["empty", "out", "--to", ".bvh"], "empty holds no motion files"),
    ],
)
def test_wrong_use(walk, tmp_path, monkeypatch, capsys, arguments, text):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    np.save("walk.npy", walk)
    before = sorted(tmp_path.rglob("*"))
    assert main(["convert", *arguments]) == 1
    captured = capsys.readouterr()
    assert text in captured.err and captured.err.startswith("atom-hf convert: ") and not captured.out
    assert sorted(tmp_path.rglob("*")) == before  # nothing half-written


def test_nothing_written_is_a_failure(tmp_path, capsys):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.bvh").write_text("nonsense")
    assert main(["convert", str(tmp_path / "in"), str(tmp_path / "out"), "--to", ".npy"]) == 1
    assert "0 clips written" in capsys.readouterr().out


def test_as_a_command():
    run = subprocess.run(
        [sys.executable, "-m", "atom_hf", "convert", "--help"], capture_output=True, text=True, check=True
    )
    assert "HumanML3D features" in run.stdout
    run = subprocess.run([sys.executable, "-m", "atom_hf", "--version"], capture_output=True, text=True, check=True)
    assert run.stdout.startswith("atom-hf 0.")
    run = subprocess.run([sys.executable, "-m", "atom_hf"], capture_output=True, text=True, check=False)
    assert run.returncode == 2 and "COMMAND" in run.stderr
