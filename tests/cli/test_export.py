"""`atom-hf export`, as a user types it."""

import argparse

import numpy as np
import pytest

from atom_hf.cli import export
from atom_hf.motion import Motion, load_motion
from tests.render.glb_file import GLB


def run(*words: object) -> int:
    parser = argparse.ArgumentParser()
    export.add_parser(parser.add_subparsers())
    options = parser.parse_args(["export", *map(str, words)])
    return int(options.run(options))


@pytest.fixture
def motions(tmp_path, walk):
    """Files: good ones in a tree, one with a caption, a single pose, broken ones, and one of no concern."""
    folder = tmp_path / "motions"
    Motion(walk).save(folder / "day1" / "walk.bvh")
    (folder / "day1" / "walk.txt").write_text("a person walks\nsomeone walks\n")
    Motion(walk).save(folder / "day2" / "walk.npy")
    Motion(walk[:1]).save(folder / "pose.npy")
    (folder / "broken.bvh").write_text("HIERARCHY\nROOT hips\n{\n")
    np.save(folder / "nan.npy", np.full((5, 22, 3), np.nan, np.float32))
    np.save(folder / "point.npy", np.zeros((5, 22, 3), np.float32))
    (folder / "notes.md").write_text("not a motion")
    return folder


def test_single_file(walk, tmp_path, capsys):
    np.save(tmp_path / "walk.npy", walk)
    assert run(tmp_path / "walk.npy", tmp_path / "walk.glb", "--text", "a walk", "--no-floor") == 0
    out = capsys.readouterr().out
    assert out.startswith(
        f"{tmp_path / 'walk.npy'} → {tmp_path / 'walk.glb'}: 40 frames at 20 fps, joints off by 0.0 mm"
    )
    file = GLB.read(tmp_path / "walk.glb")
    assert file.document["scenes"][0]["extras"]["prompt"] == "a walk" and len(file.document["meshes"]) == 1


def test_locked_feet_are_reported(walk, tmp_path, capsys):
    swaying = walk + 0.05 * np.sin(np.arange(40) / 4)[:, None, None].astype(np.float32) * np.float32([1, 0, 0])
    np.save(tmp_path / "walk.npy", swaying)
    assert run(tmp_path / "walk.npy", tmp_path / "walk.bvh", "--lock-feet") == 0
    out = capsys.readouterr().out
    before, after = (float(word) for word in out.split("feet on the floor slide ")[1].split(" cm/s")[0].split(" → "))
    assert after < before


def test_folder(motions, tmp_path, capsys):
    assert run(motions, tmp_path / "out", "--to", "glb") == 0
    files = sorted(p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*.*"))
    assert files == ["day1/walk.glb", "day2/walk.glb", "pose.glb"]
    out = capsys.readouterr().out
    assert "3 files written" in out and "skipped 3:" in out
    assert "broken.bvh, line" in out and "nan.npy" in out and "A bone has no length" in out and "notes" not in out
    assert "day1/walk → " in out and "1 frames at 20 fps" in out
    assert GLB.read(tmp_path / "out" / "day1" / "walk.glb").document["animations"][0]["name"] == "a person walks"


def test_nothing_is_overwritten_unasked(motions, walk, tmp_path, capsys):
    target = tmp_path / "out" / "day1" / "walk.glb"
    target.parent.mkdir(parents=True)
    target.write_bytes(b"mine")
    assert run(motions, tmp_path / "out", "--to", ".glb") == 0
    assert target.read_bytes() == b"mine" and "walk.glb is there already" in capsys.readouterr().out
    assert run(motions, tmp_path / "out", "--to", ".glb", "--overwrite") == 0
    assert target.read_bytes()[:4] == b"glTF"
    with pytest.raises(FileExistsError, match="there already; choose another target, or pass --overwrite"):
        run(motions / "day2" / "walk.npy", target)
    run(motions / "day2" / "walk.npy", tmp_path / "walk.obj", "--fps", "5")
    with pytest.raises(FileExistsError, match="walk is there already"):
        run(motions / "day2" / "walk.npy", tmp_path / "walk.obj")
    assert run(motions / "day2" / "walk.npy", tmp_path / "walk.obj", "--fps", "2", "--overwrite") == 0
    assert len(list((tmp_path / "walk").glob("*.obj"))) == 4


def test_body_model(walk, tmp_path, capsys):
    pytest.importorskip("smplx")
    from tests.render.test_mesh_sequence import boxes

    body = boxes()
    np.savez(
        tmp_path / "body.npz",
        v_template=body.template,
        shapedirs=np.zeros((*body.template.shape, 2)),
        posedirs=np.zeros((*body.template.shape, 9 * 23)),
        J_regressor=body.regressor,
        weights=body.weights,
        f=body.faces.astype(np.uint32),
        kintree_table=np.array([[2**32 - 1, *body.parents[1:]], range(24)], dtype=np.uint32),
    )
    np.save(tmp_path / "walk.npy", walk)
    assert run(tmp_path / "walk.npy", tmp_path / "walk.glb", "--body-model", tmp_path / "body.npz") == 0
    assert len(GLB.read(tmp_path / "walk.glb").document["skins"][0]["joints"]) == 24


@pytest.mark.parametrize(
    ("words", "error", "text"),
    [
        (["nowhere", "out.glb"], ValueError, "nowhere: there is no such file or folder"),
        (["walk.npy", "walk.npy"], ValueError, "source and target"),
        (["walk.npy", "walk.usd"], ValueError, "expected a target ending in .bvh, .glb, .fbx, .obj"),
        (["walk.npy", "out.glb", "--to", ".glb"], ValueError, "--to is for folders"),
        (["walk.npy", "out.glb", "--split", "test"], ValueError, "--split is for HumanML3D folders"),
        (["walk.npy", "out.glb", "--up", "z"], ValueError, "--up is for .bvh, .npz files"),
        (["walk.npy", "out.bvh", "--body-model", "x.npz"], ValueError, "--body-model is for .glb, .obj, .html, .mp4"),
        (["walk.npy", "out.bvh", "--no-floor"], ValueError, "--no-floor is for .glb, .fbx, not for .bvh"),
        (["walk.npy", "out.glb", "--blender", "x"], ValueError, "--blender is for .fbx, not for .glb"),
        (["walk.npy", "out.fbx", "--blender", "/nowhere/x"], FileNotFoundError, "--blender says /nowhere/x, but that"),
        (["walk.npy", "out.glb", "--fps", "-1"], ValueError, "fps"),
        (["nan.npy", "out.glb"], ValueError, "nan.npy"),
        (["walk.npy", "walk.npy/out.glb"], OSError, "walk.npy"),
        (["folder", "out"], ValueError, "say what to write with --to, one of .bvh, .glb"),
        (["folder", "out", "--to", "usd"], ValueError, "got --to usd"),
        (["folder", "out.glb", "--to", "glb"], ValueError, "the target of a folder is a folder"),
        (["empty", "out", "--to", "glb"], ValueError, "empty holds no motion files"),
    ],
)
def test_wrong_use(walk, tmp_path, monkeypatch, words, error, text):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    np.save("walk.npy", walk)
    np.save("nan.npy", np.full((5, 22, 3), np.nan, np.float32))
    Motion(walk).save("folder/walk.bvh")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(error, match=text):
        run(*words)
    assert sorted(tmp_path.rglob("*")) == before  # nothing half-written


def test_nothing_written_is_a_failure(tmp_path, capsys):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.bvh").write_text("nonsense")
    assert run(tmp_path / "in", tmp_path / "out", "--to", "glb") == 1
    assert "0 files written" in capsys.readouterr().out and not (tmp_path / "out").exists()


def test_there_and_back(walk, tmp_path):
    np.save(tmp_path / "walk.npy", walk)
    run(tmp_path / "walk.npy", tmp_path / "walk.bvh")
    run(tmp_path / "walk.bvh", tmp_path / "back.npy")
    assert np.abs(load_motion(tmp_path / "back.npy").joints - walk).max() < 1e-4
