"""`atom-hf render`, as a user types it."""

import sys

import numpy as np
import pytest
from PIL import Image

from atom_hf.cli import main
from atom_hf.motion import Motion


@pytest.fixture
def clip(tmp_path, walk):
    Motion(walk).save(tmp_path / "walk.bvh")
    return str(tmp_path / "walk.bvh")


@pytest.mark.parametrize("suffix", ["png", "jpg", "jpeg", "PNG"])
def test_picture(clip, tmp_path, capsys, suffix):
    target = tmp_path / "out" / f"walk.{suffix}"
    assert main(["render", clip, str(target)]) == 0
    assert Image.open(target).size == (1024, 768)
    assert capsys.readouterr().out == f"{clip} → {target}: 1024 x 768 pixels\n"


def test_options_of_pictures(clip, tmp_path):
    target = tmp_path / "walk.png"
    options = ["--layout", "grid", "--frames", "4", "--columns", "2", "--stride", "5", "--size", "200x160"]
    assert main(["render", clip, str(target), *options, "--camera", "side", "--fixed", "--text", "a walk"]) == 0
    first = target.read_bytes()
    assert Image.open(target).size == (200, 160)
    assert main(["render", clip, str(target), *options, "--no-labels", "--no-trail"]) == 0
    assert target.read_bytes() != first


@pytest.mark.parametrize("layout", ["strip", "views", "trajectory"])
def test_layouts(clip, tmp_path, layout):
    assert main(["render", clip, str(tmp_path / "walk.png"), "--layout", layout, "--size", "240x120"]) == 0
    assert Image.open(tmp_path / "walk.png").size == (240, 120)


def test_frames_are_files_of_their_own(clip, tmp_path, capsys):
    target = tmp_path / "walk.png"
    arguments = ["render", clip, str(target), "--layout", "frames", "--frames", "3", "--size", "64x64"]
    assert main(arguments) == 0
    assert sorted(p.name for p in tmp_path.glob("*.png")) == ["walk_00.png", "walk_20.png", "walk_39.png"]
    assert "walk_00.png … walk_39.png: 3 pictures" in capsys.readouterr().out
    assert main([*arguments, "--text", "a walk"]) == 1
    assert "--text and --columns are for several frames in one picture" in capsys.readouterr().err


@pytest.mark.parametrize("suffix", ["mp4", "gif", "webp"])
def test_video(clip, tmp_path, capsys, suffix):
    pytest.importorskip("av")
    target = tmp_path / f"walk.{suffix}"
    assert main(["render", clip, str(target), "--size", "64x64", "--fps", "10"]) == 0
    assert target.stat().st_size > 500
    assert capsys.readouterr().out.endswith(f"{target}: 2.00 s\n")


def test_comparison(clip, tmp_path, capsys, walk):
    pytest.importorskip("av")
    np.save(tmp_path / "slow.npy", walk)
    target = tmp_path / "pair.gif"
    options = ["--compare", str(tmp_path / "slow.npy"), "--source-fps", "10", "--size", "128x64", "--labels", "a", "b"]
    assert main(["render", clip, str(target), *options, "--fps", "5"]) == 0
    assert Image.open(target).n_frames == 20  # as long as the slow one
    assert "pair.gif: 4.00 s, beside" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["walk.txt"], "expected a file ending in .png, .jpg, .jpeg, .mp4, .gif, .webp, got '.txt'"),
        (["walk.png", "--size", "big"], "Expected --size as WIDTHxHEIGHT, such as 1024x768, got 'big'"),
        (["walk.png", "--layout", "circle"], "Expected a layout from grid, strip, views, trajectory, got 'circle'"),
        (["walk.png", "--camera", "below"], "Expected a camera from front, three-quarter"),
        (["walk.png", "--compare", "b.npy"], "--compare is not for pictures"),
        (["walk.mp4", "--frames", "3"], "--frames is not for videos"),
        (["walk.mp4", "--labels", "a", "b"], "--labels names two motions; add --compare FILE"),
        (["walk.png", "--body-model", "smpl.txt"], "smpl.txt"),
    ],
)
def test_errors(clip, tmp_path, capsys, arguments, message):
    target, *options = arguments
    assert main(["render", clip, str(tmp_path / target), *options]) == 1
    error = capsys.readouterr().err
    assert error.startswith("atom-hf render: ") and message in error
    assert [p.name for p in tmp_path.iterdir()] == ["walk.bvh"]


def test_without_pillow(clip, tmp_path, capsys, monkeypatch):
    for name in [name for name in sys.modules if name.startswith("atom_hf.render")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "PIL", None)
    assert main(["render", clip, str(tmp_path / "walk.png")]) == 1
    assert 'try: pip install "atom_hf[render]"' in capsys.readouterr().err
