"""FBX through Blender: a stand-in that plays Blender, and, where there is one, Blender itself as the reader of
others for BVH, GLB and FBX."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from atom_hf.motion import JOINT_NAMES, Motion, inverse_kinematics
from atom_hf.motion.kinematics import forward_kinematics
from atom_hf.render import fbx
from atom_hf.render.fbx import find_blender, write_fbx
from atom_hf.render.glb import write_glb

PRETENDED = """#!{python}
import pathlib, sys, time
words = sys.argv[sys.argv.index("--") + 1:]
assert pathlib.Path(words[0]).read_bytes()[:4] == b"glTF" and sys.argv[1:3] == ["--background", "--factory-startup"]
{behaviour}
"""


@pytest.fixture
def blender(tmp_path):
    """Makes a program that is called like Blender."""

    def make(behaviour: str) -> Path:
        path = tmp_path / "programs" / "blender"
        path.parent.mkdir(exist_ok=True)
        path.write_text(PRETENDED.format(python=sys.executable, behaviour=behaviour))
        path.chmod(0o755)
        return path

    return make


def test_writes_what_blender_wrote(walk, blender, tmp_path):
    program = blender("pathlib.Path(words[1]).write_text('Kaydara ' + words[2]); print('atom_hf: wrote', words[1])")
    report = write_fbx(Motion(walk, fps=29.97), tmp_path / "new" / "walk.fbx", blender=program)
    assert (tmp_path / "new" / "walk.fbx").read_text() == "Kaydara 29.97"
    assert report.path == tmp_path / "new" / "walk.fbx" and report.frames == 40 and report.residual_max < 0.01
    assert len(list((tmp_path / "new").iterdir())) == 1


@pytest.mark.parametrize(
    ("behaviour", "text"),
    [
        ("print('Segmentation fault'); sys.exit(11)", r"could not write the FBX file \(exit status 11\).*\n.*Segm"),
        ("print('Error: no exporter')", r"could not write the FBX file \(exit status 0\).*\nError: no exporter"),
        ("pathlib.Path(words[1]).unlink(missing_ok=True); print('atom_hf: wrote')", "ended well but wrote no FBX"),
        ("time.sleep(30)", "was stopped after 1 seconds; pass a longer timeout"),
    ],
)
def test_when_blender_fails(walk, blender, tmp_path, behaviour, text):
    (tmp_path / "walk.fbx").write_text("old")
    with pytest.raises(OSError, match=text):
        write_fbx(Motion(walk), tmp_path / "walk.fbx", blender=blender(behaviour), timeout=1)
    assert (tmp_path / "walk.fbx").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["programs", "walk.fbx"]


def test_where_blender_is_looked_for(blender, tmp_path, monkeypatch):
    program = blender("")
    monkeypatch.setattr(fbx.importlib.util, "find_spec", lambda name: None)
    monkeypatch.delenv("ATOM_HF_BLENDER", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        FileNotFoundError, match=r"(?s)Install it from blender.org.*--blender PATH.*write .glb or .bvh"
    ):
        find_blender()
    monkeypatch.setenv("PATH", str(program.parent))
    assert find_blender() == str(program)
    monkeypatch.setenv("ATOM_HF_BLENDER", sys.executable)
    assert find_blender() == sys.executable
    assert find_blender(program) == str(program)
    with pytest.raises(FileNotFoundError, match="--blender says /nowhere/blender, but that is no program"):
        find_blender("/nowhere/blender")
    monkeypatch.setenv("ATOM_HF_BLENDER", "/nowhere/blender")
    with pytest.raises(FileNotFoundError, match="ATOM_HF_BLENDER says /nowhere/blender"):
        find_blender()
    monkeypatch.delenv("ATOM_HF_BLENDER")
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(fbx.importlib.util, "find_spec", lambda name: name == "bpy" or None)
    assert find_blender() == sys.executable


# --- the reader of others: ATOM_HF_BLENDER names a Python that has bpy, or Blender

_READ = """
import sys
import bpy, numpy
words = sys.argv[sys.argv.index("--") + 1:] if "--" in sys.argv else sys.argv[1:]
source, target, fps = words[0], words[1], int(words[2])
bpy.ops.wm.read_factory_settings(use_empty=True)
scene = bpy.context.scene
scene.render.fps = fps
if source.endswith(".glb"):
    bpy.ops.import_scene.gltf(filepath=source)
elif source.endswith(".bvh"):
    bpy.ops.import_anim.bvh(filepath=source, global_scale=0.01)
else:
    bpy.ops.import_scene.fbx(filepath=source)
assert scene.render.fps == fps, scene.render.fps
(armature,) = [thing for thing in scene.objects if thing.type == "ARMATURE"]
first, last = armature.animation_data.action.frame_range
names, places = [bone.name for bone in armature.pose.bones], []
for frame in range(round(first), round(last) + 1):
    scene.frame_set(frame)
    places.append([list(armature.matrix_world @ bone.head) for bone in armature.pose.bones])
numpy.savez(target, names=names, places=places)
"""


def read_in_blender(path: Path, fps: int = 20) -> np.ndarray:
    """Joints [T, 22, 3] as Blender has them, Y up."""
    program = os.environ["ATOM_HF_BLENDER"]
    script, target = path.with_suffix(".read.py"), path.with_suffix(".read.npz")
    script.write_text(_READ)
    words = [str(path), str(target), str(fps)]
    python = Path(program).name.startswith("python")
    command = (
        [program, str(script), *words] if python else [program, "--background", "--python", str(script), "--", *words]
    )
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    subprocess.run(command, check=True, capture_output=True, env=environment)
    with np.load(target) as data:
        names, places = data["names"].tolist(), data["places"]
    places = places[:, [names.index(name) for name in JOINT_NAMES]]
    return np.stack([places[..., 0], places[..., 2], -places[..., 1]], axis=-1)  # Blender is Z up


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".bvh", ".glb", ".fbx"])
def test_blender_sees_the_same_joints(walk, real_clips, tmp_path, suffix):
    if "ATOM_HF_BLENDER" not in os.environ:
        pytest.skip("needs ATOM_HF_BLENDER: Blender, or a Python that has bpy")
    for number, joints in enumerate([walk, *real_clips[::4], walk[:1]]):
        motion, path = Motion(joints), tmp_path / f"clip{number}{suffix}"
        if suffix == ".bvh":
            motion.save(path)
        else:
            (write_glb if suffix == ".glb" else write_fbx)(motion, path)
        found = read_in_blender(path)
        solved = inverse_kinematics(joints.astype(np.float64))
        rig = forward_kinematics(solved.rotations, solved.root_positions, solved.offsets)
        assert len(found) == len(joints)
        off = np.linalg.norm(found - rig, axis=-1).max()
        assert off < 1e-4, (number, off)  # a tenth of a millimetre
        assert (np.linalg.norm(found - joints, axis=-1) < solved.residual + 1e-4).all()


@pytest.mark.slow
def test_blender_sees_other_frame_rates(walk, tmp_path):
    if "ATOM_HF_BLENDER" not in os.environ:
        pytest.skip("needs ATOM_HF_BLENDER: Blender, or a Python that has bpy")
    write_fbx(Motion(walk, fps=30), tmp_path / "walk.fbx", lock_feet=True, floor=True)
    assert len(read_in_blender(tmp_path / "walk.fbx", fps=30)) == 40
