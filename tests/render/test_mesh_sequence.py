"""Body models as GLB and OBJ sequences, with a body made in tests; real ones have licences of their own."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from atom_hf.motion import JOINT_NAMES, PARENTS, T_POSE_OFFSETS, Motion
from atom_hf.render.body import head_tilt, place_body
from atom_hf.render.glb.rig import posed
from atom_hf.render.glb.write import figure_rig
from atom_hf.render.mesh import MeshBody
from atom_hf.render.mesh_sequence import body_rig, vertex_normals, write_body_glb, write_obj_sequence
from tests.render.glb_file import GLB


def boxes(joints: int = 24) -> MeshBody:
    """A body of boxes around its joints, each moved by its joint alone; joints beyond the 22 hang on the wrists."""
    parents = [*PARENTS, *(20 + i % 2 for i in range(joints - 22))]
    rest = np.zeros((joints, 3))
    for joint in range(1, joints):
        offset = T_POSE_OFFSETS[joint] if joint < 22 else np.array([0.08 if joint % 2 == 0 else -0.08, 0, 0])
        rest[joint] = rest[parents[joint]] + offset
    rest += [0, -0.2, 0.03]  # the pelvis of SMPL is not at its origin
    corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) * 0.03
    sides = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    faces = np.array([t for a, b, c, d in sides for t in ((a, b, c), (a, c, d))])
    return MeshBody(
        (rest[:, None] + corners).reshape(-1, 3).astype(np.float32),
        np.kron(np.eye(joints), np.full((1, 8), 1 / 8)).astype(np.float32),
        np.array([-1, *parents[1:]]),
        np.kron(np.eye(joints), np.ones((8, 1))).astype(np.float32),
        np.zeros((9 * (joints - 1), 3 * 8 * joints), np.float32),
        (np.arange(joints)[:, None, None] * 8 + faces).reshape(-1, 3),
    )


def read_obj(path: Path) -> tuple[np.ndarray, np.ndarray, list[str]]:
    lines = [line.split() for line in path.read_text().splitlines()]
    vertices = np.array([[float(x) for x in line[1:]] for line in lines if line[0] == "v"])
    faces = np.array([[int(x) for x in line[1:]] for line in lines if line[0] == "f"]) - 1
    return vertices, faces, [line[1] for line in lines if line[0] == "usemtl"]


@pytest.mark.parametrize("joints", [24, 52])
def test_body_as_glb(walk, tmp_path, joints):
    body = boxes(joints)
    report = write_body_glb(Motion(walk, text="a walk"), tmp_path / "body.glb", body)
    assert report.residual_max < 1  # the same proportions
    file = GLB.read(tmp_path / "body.glb")
    names = [file.document["nodes"][i]["name"] for i in file.document["skins"][0]["joints"]]
    assert names[:22] == list(JOINT_NAMES) and len(set(names)) == joints
    assert names[22:24] == (["left_hand", "right_hand"] if joints == 24 else ["joint_22", "joint_23"])
    for frame in (None, 0, 25):
        assert np.abs(file.joints(frame)[:22] - walk[frame or 0]).max() < 1e-3
        pieces = file.skin(frame)
        assert sorted(pieces) == ["head", "left", "right", "torso"]
        knee = walk[frame or 0, JOINT_NAMES.index("left_knee")]
        around = np.linalg.norm(pieces["left"] - knee, axis=1)
        assert (np.abs(around - 0.03 * 3**0.5) < 2e-3).sum() >= 8  # the corners of the knee's box
    assert "floor" in [node["name"] for node in file.document["nodes"]]


def test_size_and_residual_of_another_person(walk, tmp_path):
    small = Motion((walk * 0.8).astype(np.float32))
    assert write_body_glb(small, tmp_path / "small.glb", boxes(), floor=False).residual_max < 1
    long_arms = walk.copy()
    for side in ("left", "right"):
        shoulder, elbow, wrist = (JOINT_NAMES.index(f"{side}_{name}") for name in ("shoulder", "elbow", "wrist"))
        bone = walk[:, elbow] - walk[:, shoulder]
        long_arms[:, [elbow, wrist]] += 0.2 * bone[:, None]
    assert 20 < write_body_glb(Motion(long_arms), tmp_path / "arms.glb", boxes()).residual_max < 80


def test_obj_sequence_of_the_figure(walk, tmp_path):
    report = write_obj_sequence(Motion(walk), tmp_path / "new" / "walk.obj")
    folder = tmp_path / "new" / "walk"
    assert report.path == folder and report.frames == 40
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["body.mtl", *(f"walk_{i:04d}.obj" for i in range(40))]
    materials = [line.split()[1] for line in (folder / "body.mtl").read_text().splitlines() if "newmtl" in line]
    rig, _ = figure_rig(Motion(walk))
    body = place_body(walk, head_tilt(walk))
    for frame in (0, 39):
        vertices, faces, used = read_obj(folder / f"walk_{frame:04d}.obj")
        assert used == materials and faces.max() == len(vertices) - 1 and faces.min() == 0
        np.testing.assert_allclose(vertices, posed(rig, np.array([frame]))[0], atol=1e-5)
        around = np.linalg.norm(vertices - body.head[frame], axis=1)
        assert (np.abs(around - 0.118) < 0.005).sum() > 500
        normals = vertex_normals(vertices, faces)
        centre = body.head[frame]
        ball = np.abs(around - 0.118) < 1e-3
        assert ((vertices[ball] - centre) * normals[ball]).sum(axis=1).mean() > 0.11  # turned outwards


def test_obj_sequence_of_a_body(walk, tmp_path):
    pytest.importorskip("smplx")
    body, motion = boxes(), Motion(walk[:5])
    write_obj_sequence(motion, tmp_path / "walk.obj", body)
    vertices, faces, _ = read_obj(tmp_path / "walk" / "walk_0004.obj")
    assert sorted(map(tuple, faces.tolist())) == sorted(map(tuple, body.faces.tolist()))
    np.testing.assert_allclose((body.regressor @ vertices)[:22], walk[4], atol=1e-3)
    np.testing.assert_allclose(
        _in_order(posed(body_rig(motion, body), np.array([4]))[0]), _in_order(vertices), atol=1e-3
    )


def _in_order(points: np.ndarray) -> np.ndarray:
    return points[np.lexsort(np.round(points, 2).T)]


def test_old_sequences_are_replaced_and_other_folders_refused(walk, tmp_path):
    write_obj_sequence(Motion(walk[:6]), tmp_path / "walk.obj")
    write_obj_sequence(Motion(walk[:3]), tmp_path / "walk.obj")
    assert len(list((tmp_path / "walk").glob("*.obj"))) == 3
    with pytest.raises(FileExistsError, match="holds files; choose another"):
        write_obj_sequence(Motion(walk), tmp_path / "walk.obj", replace=False)
    (tmp_path / "walk" / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="holds files; choose another"):
        write_obj_sequence(Motion(walk), tmp_path / "walk.obj")
    (tmp_path / "file").write_text("mine")
    with pytest.raises(FileExistsError, match="but it is a file"):
        write_obj_sequence(Motion(walk), tmp_path / "file.obj")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "walk"]


def test_nothing_is_half_written(tmp_path):
    still = Motion(np.zeros((3, 22, 3), np.float32))
    for write in (
        lambda: write_obj_sequence(still, tmp_path / "a.obj"),
        lambda: write_body_glb(still, tmp_path / "a.glb", boxes()),
    ):
        with pytest.raises(ValueError, match="A bone has no length"):
            write()
    assert list(tmp_path.iterdir()) == []


def test_normals_of_a_vertex_without_triangles():
    vertices = np.array([[0.0, 0, 0], [0, 0, 1], [1, 0, 0], [5, 5, 5]])
    np.testing.assert_allclose(vertex_normals(vertices, np.array([[0, 1, 2]])), [[0, 1, 0]] * 4)


@pytest.mark.slow
def test_validator_of_khronos(walk, tmp_path):
    package = os.environ.get("ATOM_HF_GLTF_VALIDATOR", "gltf-validator")
    if shutil.which("node") is None or not Path(package).is_dir():
        pytest.skip("needs node, and ATOM_HF_GLTF_VALIDATOR with the folder of the npm package gltf-validator")
    from tests.render.test_glb import VALIDATE

    write_body_glb(Motion(walk), tmp_path / "body.glb", boxes(52))
    command = ["node", "-e", VALIDATE, package, str(tmp_path / "body.glb")]
    issues = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert issues["messages"] == []
