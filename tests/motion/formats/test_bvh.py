"""BVH: what we write comes back, another reader agrees, all kinds of rigs are read, broken files say where."""

import re
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from atom_hf.motion import JOINT_NAMES, T_POSE_OFFSETS, Motion, MotionFormatError, inverse_kinematics
from atom_hf.motion.formats import bvh as bvh_module
from atom_hf.motion.formats.bvh import BVH, parse_bvh, read_bvh, write_bvh
from atom_hf.motion.kinematics import forward_kinematics
from atom_hf.motion.rotation import euler_to_matrix, matrix_to_euler
from examples.make_walk import walking

# Channels in odd orders, position channels that replace offsets (one of an inner joint), a joint with one rotation.
ODD = """HIERARCHY
ROOT Hips
{
    OFFSET 1 2 3
    CHANNELS 6 Yrotation Xposition Zrotation Yposition Xrotation Zposition
    JOINT Spine
    {
        OFFSET 4 -1 2
        CHANNELS 3 Yrotation Zrotation Xrotation
        JOINT Chest
        {
            OFFSET 3 3 0
            CHANNELS 1 Zrotation
            JOINT Neck
            {
                OFFSET 0 2 2
                CHANNELS 6 Zrotation Yrotation Xrotation Zposition Xposition Yposition
                End Site
                {
                    OFFSET 1 1 1
                }
            }
        }
    }
}
MOTION
Frames: 2
Frame Time: 0.0333333
30 10 50 20 -40 30 11 22 33 55 77 12 23 34 2 0.5
0 -7 90 0.25 0 1e1 0 0 -180 1 2 3 4 5 6 7
"""


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def ik_result(joints: np.ndarray) -> np.ndarray:
    found = inverse_kinematics(np.asarray(joints, dtype=np.float64))
    return forward_kinematics(found.rotations, found.root_positions, found.offsets)


def bvhio_positions(path: Path, bvh: BVH) -> np.ndarray:
    bvhio = pytest.importorskip("bvhio")
    root = bvhio.readAsHierarchy(str(path))
    joints = {joint.Name: joint for joint, _, _ in root.layout()}
    frames = []
    for frame in range(len(bvh.values)):
        root.loadPose(frame)
        frames.append([list(joints[name].PositionWorld) for name in bvh.skeleton.names])
    return np.array(frames)


# --- writing, and reading it back


@pytest.mark.parametrize("fps", [20.0, 30.0, 120.0, 29.97, 12.5, 1.0])
def test_round_trip(tmp_path: Path, fps: float) -> None:
    joints = walking(frames=50, fps=fps)
    write_bvh(Motion(joints, fps=fps), tmp_path / "new" / "walk.bvh")
    back = read_bvh(tmp_path / "new" / "walk.bvh")
    assert back.fps == fps and back.joints.dtype == np.float32
    assert np.abs(back.joints - ik_result(joints)).max() < 2e-6
    assert np.abs(back.joints - joints).max() < 1e-4


def test_round_trip_of_a_single_frame(tmp_path: Path) -> None:
    joints = walking(frames=1)
    write_bvh(Motion(joints), tmp_path / "pose.bvh")
    assert np.abs(read_bvh(tmp_path / "pose.bvh").joints - joints).max() < 1e-4


def test_round_trip_of_real_motion(tmp_path: Path, real_clips: list[np.ndarray]) -> None:
    for joints in real_clips:
        write_bvh(Motion(joints), tmp_path / "clip.bvh")
        back = read_bvh(tmp_path / "clip.bvh").joints
        assert np.abs(back - ik_result(joints)).max() < 5e-6
        residual = inverse_kinematics(joints.astype(np.float64)).residual
        assert (np.linalg.norm(back - joints, axis=-1) < residual + 1e-4).all()


def test_round_trip_of_humanml3d(tmp_path: Path, shared: Path) -> None:
    clips = sorted((shared / "humanml3d_samples" / "new_joints").glob("*.npy"))[:5]
    assert clips
    for clip in clips:
        joints = np.load(clip)
        write_bvh(Motion(joints), tmp_path / "clip.bvh")
        assert np.abs(read_bvh(tmp_path / "clip.bvh").joints - joints).max() < 1e-4  # rigid bones: no residual


def test_layout_of_what_is_written(tmp_path: Path) -> None:
    joints = walking(frames=3)
    write_bvh(Motion(joints, fps=20), tmp_path / "walk.bvh")
    lines = (tmp_path / "walk.bvh").read_text().splitlines()
    assert lines[:5] == [
        "HIERARCHY",
        "ROOT pelvis",
        "{",
        "\tOFFSET 0.00000 0.00000 0.00000",
        "\tCHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation",
    ]
    motion = lines.index("MOTION")
    assert lines[motion + 1 : motion + 3] == ["Frames: 3", "Frame Time: 0.05"] and len(lines) == motion + 6
    bvh = parse_bvh(tmp_path / "walk.bvh")
    assert sorted(bvh.skeleton.names) == sorted(JOINT_NAMES)
    assert set(bvh.channels[1:]) == {("Zrotation", "Xrotation", "Yrotation")}
    assert list(bvh.end_sites) == ["left_foot", "right_foot", "head", "left_wrist", "right_wrist"]
    offsets = bvh.skeleton.offsets[[bvh.skeleton.names.index(name) for name in JOINT_NAMES]]
    np.testing.assert_allclose(offsets / 100, T_POSE_OFFSETS, atol=2e-3)  # T-pose, centimetres
    np.testing.assert_allclose(bvh.values[0, :3] / 100, joints[0, 0], atol=1e-6)  # the first frame is real motion
    assert "-0.00000" not in " ".join(lines)


def test_angles_go_on_without_jumps(tmp_path: Path) -> None:
    """Three turns about the vertical: Y goes on to 1080 degrees."""
    joints = np.repeat(walking(frames=1).astype(np.float64), 121, axis=0)
    turns = np.linspace(0, 6 * np.pi, 121)
    zero = np.zeros(121)
    joints = joints @ euler_to_matrix(np.stack([zero, turns, zero], axis=-1), "XYZ").swapaxes(-1, -2)
    write_bvh(Motion(joints), tmp_path / "spin.bvh")
    angles = parse_bvh(tmp_path / "spin.bvh").values[:, 3:]
    assert abs(angles[-1, 2] - angles[0, 2]) == pytest.approx(1080, abs=0.01)
    assert np.abs(np.diff(angles, axis=0)).max() < 20


@pytest.mark.parametrize("tilt", [0.0, 1e-4, 0.02])
def test_angles_over_the_pole(tilt: float) -> None:
    """A somersault passes X = 90 degrees, where Z and Y turn about one axis; curves stay smooth, rotations equal."""
    t = np.linspace(0, 2 * np.pi, 73)
    angles = np.stack([0.7 + 0 * t, t, tilt + 0.3 * np.ones_like(t)], axis=-1)
    matrices = euler_to_matrix(angles, "ZXY")[:, None]
    smooth = bvh_module._continuous(matrix_to_euler(matrices, "ZXY"))
    np.testing.assert_allclose(euler_to_matrix(smooth, "ZXY"), matrices, atol=1e-9)
    assert np.degrees(np.abs(np.diff(smooth, axis=0))).max() < 5.1
    assert np.degrees(smooth[-1, 0, 1] - smooth[0, 0, 1]) == pytest.approx(360)


def test_nothing_is_left_half_written(tmp_path: Path) -> None:
    old = write(tmp_path / "walk.bvh", "old")
    joints = walking(frames=3)
    joints[:, JOINT_NAMES.index("head")] = joints[:, JOINT_NAMES.index("neck")]
    with pytest.raises(ValueError, match="no length"):
        write_bvh(Motion(joints), old)
    assert old.read_text() == "old" and list(tmp_path.iterdir()) == [old]


# --- agreement with another reader


def test_bvhio_agrees_on_what_we_write(tmp_path: Path) -> None:
    write_bvh(Motion(walking(frames=8)), tmp_path / "walk.bvh")
    bvh = parse_bvh(tmp_path / "walk.bvh")
    np.testing.assert_allclose(bvh.positions(), bvhio_positions(tmp_path / "walk.bvh", bvh), atol=2e-3)  # centimetres


def test_bvhio_agrees_on_odd_channels(tmp_path: Path) -> None:
    path = write(tmp_path / "odd.bvh", ODD)
    bvh = parse_bvh(path)
    np.testing.assert_allclose(bvh.positions(), bvhio_positions(path, bvh), atol=1e-4)


# --- parsing


def test_odd_channels_by_hand(tmp_path: Path) -> None:
    bvh = parse_bvh(write(tmp_path / "odd.bvh", ODD))
    assert bvh.fps == 30.0 and bvh.values.shape == (2, 16)
    assert bvh.skeleton.names == ("Hips", "Spine", "Chest", "Neck") and bvh.skeleton.parents == (-1, 0, 1, 2)
    assert bvh.channels[2] == ("Zrotation",)
    positions = bvh.positions(end_sites=True)
    assert positions.shape == (2, 5, 3)
    # Frame 1: the root at (-7, 0.25, 10) turned 90 degrees about Z, which brings (x, y) to (-y, x).
    np.testing.assert_allclose(positions[1, 0], [-7, 0.25, 10])
    np.testing.assert_allclose(positions[1, 1], [-7 + 1, 0.25 + 4, 10 + 2])
    # Spine: -180 degrees about X before that: Chest's offset (3, 3, 0) → (3, -3, 0) → (3, 3, 0).
    np.testing.assert_allclose(positions[1, 2], [-6 + 3, 4.25 + 3, 12])
    np.testing.assert_allclose(bvh.rest_positions(end_sites=True)[-1], [4 + 3 + 0 + 1, -1 + 3 + 2 + 1, 2 + 0 + 2 + 1])


def test_many_frames_are_posed_in_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_bvh(Motion(walking(frames=11)), tmp_path / "walk.bvh")
    bvh = parse_bvh(tmp_path / "walk.bvh")
    whole = bvh.positions()
    monkeypatch.setattr(bvh_module, "_CHUNK_FRAMES", 4)
    np.testing.assert_array_equal(bvh.positions(), whole)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", "\r"),
        lambda text: "\ufeff" + text,
        lambda text: text.replace("    ", "\t").replace(" ", "  \t"),
        lambda text: text.replace("\n", "\n\n").replace("Frame  Time", "Frame Time") + "\n  \n",
        lambda text: re.sub(r"\n\s*\{", " {", text),
        lambda text: text.replace("HIERARCHY", "Hierarchy").replace("position", "POSITION").replace("JOINT", "Joint"),
        lambda text: text.replace("Frames: 2", "FRAMES :\t2").replace("Frame Time: 0.0", "frame time:0.0"),
        lambda text: text.rstrip("\n"),
        lambda text: text.replace("Spine", "Bip01 Spine"),
    ],
    ids=["crlf", "cr", "bom", "tabs", "blank", "braces", "case", "header", "no newline", "space in name"],
)
def test_other_ways_to_write_the_same(tmp_path: Path, change) -> None:
    expected = parse_bvh(write(tmp_path / "odd.bvh", ODD))
    (tmp_path / "other.bvh").write_bytes(change(ODD).encode())
    bvh = parse_bvh(tmp_path / "other.bvh")
    np.testing.assert_array_equal(bvh.values, expected.values)
    np.testing.assert_array_equal(bvh.skeleton.offsets, expected.skeleton.offsets)
    assert bvh.channels == expected.channels and bvh.fps == expected.fps
    assert [name.replace("Bip01 ", "") for name in bvh.skeleton.names] == list(expected.skeleton.names)


@pytest.mark.parametrize(
    ("frame_time", "fps"),
    [
        ("0.0333333", 30.0),
        (".033333", 30.0),
        ("0.0083333", 120.0),
        ("0.016667", 60.0),
        ("0.05", 20.0),
        ("4.166667e-2", 24.0),
        ("0.0333667", pytest.approx(29.97, abs=1e-4)),
        ("0.0417083", pytest.approx(23.976, abs=1e-4)),
        ("0.08", 12.5),
        ("2", 0.5),
    ],
)
def test_frame_rate(tmp_path: Path, frame_time: str, fps: float) -> None:
    assert parse_bvh(write(tmp_path / "a.bvh", ODD.replace("0.0333333", frame_time))).fps == fps


def test_very_deep_nesting(tmp_path: Path) -> None:
    depth = 3000
    text = "HIERARCHY\n" + "".join(
        f"{'JOINT' if i else 'ROOT'} j{i} {{\nOFFSET 0 1 0\nCHANNELS 1 Zrotation\n" for i in range(depth)
    )
    text += "}\n" * depth + "MOTION\nFrames: 1\nFrame Time: 0.1\n" + " ".join(["0"] * depth)
    bvh = parse_bvh(write(tmp_path / "deep.bvh", text))
    np.testing.assert_allclose(bvh.positions()[0, -1], [0, depth, 0])


# --- from any rig to our joints: units and names are in test_joint_maps.py


def rewrite(path: Path, joints: np.ndarray, rest: np.ndarray, root: np.ndarray, rotations: np.ndarray) -> None:
    """Write joints with another rest pose (turned by `rest`), root positions and local rotations `[T, 22, 3, 3]`."""
    write_bvh(Motion(joints), path)
    order = [JOINT_NAMES.index(name) for name in parse_bvh(path).skeleton.names]
    lines = path.read_text().splitlines()
    for i, line in enumerate(lines):
        if "OFFSET" in line:
            lines[i] = "OFFSET {:.6f} {:.6f} {:.6f}".format(*rest @ np.array(line.split()[1:], float))
    angles = np.degrees(matrix_to_euler(rotations, "ZXY"))[:, order].reshape(len(joints), -1)
    values = np.concatenate([root * 100, angles], axis=1)
    lines[lines.index("MOTION") + 3 :] = [" ".join(f"{value:.6f}" for value in row) for row in values]
    path.write_text("\n".join(lines) + "\n")


def test_z_up_is_turned(tmp_path: Path) -> None:
    joints = walking(frames=20).astype(np.float64)
    found = inverse_kinematics(joints)
    up = euler_to_matrix(np.radians(np.array([90.0])), "X")  # brings Y to Z
    rewrite(tmp_path / "z.bvh", joints, up, found.root_positions @ up.T, up @ found.rotations @ up.T)
    np.testing.assert_allclose(read_bvh(tmp_path / "z.bvh").joints, joints, atol=1e-5)
    np.testing.assert_allclose(read_bvh(tmp_path / "z.bvh", up="Z").joints, joints, atol=1e-5)
    lying = read_bvh(tmp_path / "z.bvh", up="y").joints
    np.testing.assert_allclose(lying, np.stack([joints[..., 0], -joints[..., 2], joints[..., 1]], -1), atol=1e-5)


@pytest.mark.parametrize("angles", [(90, 0, 0), (0, 0, -90), (180, 0, 0)], ids=["along Z", "along X", "upside down"])
def test_rest_pose_may_lie_where_the_body_stands(tmp_path: Path, angles: tuple[float, float, float]) -> None:
    """Reallusion's rest pose lies along Z and the root sets it upright; LAFAN1's has its bones along X."""
    joints = walking(frames=20).astype(np.float64)
    found = inverse_kinematics(joints)
    turn = euler_to_matrix(np.radians(np.array(angles, dtype=float)), "XYZ")
    rotations = turn @ found.rotations @ turn.T
    rotations[:, 0] = found.rotations[:, 0] @ turn.T
    rewrite(tmp_path / "rest.bvh", joints, turn, found.root_positions, rotations)
    np.testing.assert_allclose(read_bvh(tmp_path / "rest.bvh").joints, joints, atol=1e-5)


def test_someone_who_lies_is_not_turned(tmp_path: Path) -> None:
    joints = walking(frames=20)
    lying = np.stack([joints[..., 0], -joints[..., 2] + 1, joints[..., 1]], axis=-1)  # along Z, with Y up
    write_bvh(Motion(lying), tmp_path / "lying.bvh")
    np.testing.assert_allclose(read_bvh(tmp_path / "lying.bvh").joints, lying, atol=1e-4)


def test_names_that_are_not_known(tmp_path: Path) -> None:
    write_bvh(Motion(walking(frames=2)), tmp_path / "walk.bvh")
    text = (tmp_path / "walk.bvh").read_text().replace("left_hip", "LeftHipp")
    path = write(tmp_path / "odd.bvh", text)
    problem = (
        r"odd\.bvh: 1 of the 22 joints could not be placed: left_hip\. The skeleton's joints are pelvis, LeftHipp, .*"
    )
    with pytest.raises(
        MotionFormatError, match=problem + r"Say which is which with joint_map=\{'left_hip': 'LeftHipp'"
    ):
        read_bvh(path)
    back = read_bvh(path, joint_map={"left_hip": "LeftHipp"})
    np.testing.assert_allclose(back.joints, walking(frames=2), atol=1e-4)
    with pytest.raises(MotionFormatError, match=r"joint_map places 'head' at 'skull', but there is no such joint"):
        read_bvh(path, joint_map={"head": "skull"})
    with pytest.raises(ValueError, match=r"up is the file's vertical axis, 'y' or 'z', got 'x'\."):
        read_bvh(path, up="x")


# --- broken files


@pytest.mark.parametrize(
    ("old", "new", "line", "problem"),
    [
        (ODD, "", 1, "expected a BVH file, whose first word is HIERARCHY, but the file is empty."),
        (ODD, "\n \n", 1, "expected a BVH file, whose first word is HIERARCHY, but the file is empty."),
        (ODD, "\nPK\x03\x04 abc", 2, "first word is HIERARCHY, but it starts with 'PK\\x03\\x04 abc'."),
        ("HIERARCHY\n", "", 1, "first word is HIERARCHY, but it starts with 'ROOT Hips'."),
        ("ROOT Hips\n{\n", "", 2, "expected ROOT, got 'OFFSET 1 2 3'; are braces balanced?"),
        (
            "JOINT Spine\n    {\n",
            "JOINT Spine\n",
            7,
            "expected '{' after 'Spine', got 'OFFSET 4 -1 2'; braces are not",
        ),
        ("}\nMOTION", "MOTION", 25, "braces are not balanced: expected '}' for 'Hips' (opened in line 2)"),
        ("}\nMOTION", "}\n}\nMOTION", 26, "expected MOTION, got '}'; are braces balanced?"),
        ("ROOT Hips\n{", "ROOT Hips\n{\n{", 4, "expected ROOT, JOINT or End Site before '{', got '{'; braces are not"),
        ("        OFFSET 4 -1 2\n", "", 6, "expected OFFSET in the braces of 'Spine', got none."),
        ("OFFSET 1 1 1\n", "\n", 18, "expected OFFSET in the braces of 'Neck End Site', got none."),
        ("CHANNELS 1 Zrotation\n", "\n", 10, "expected CHANNELS in the braces of 'Chest', got none."),
        ("OFFSET 3 3 0", "OFFSET 3 3", 12, "expected three finite numbers after OFFSET, got '3 3'."),
        ("OFFSET 3 3 0", "OFFSET 3 nan 0", 12, "expected three finite numbers after OFFSET, got '3 nan 0'."),
        ("OFFSET 3 3 0", "OFFSET 3 x 0", 12, "expected three finite numbers after OFFSET, got '3 x 0'."),
        ("CHANNELS 1 Z", "CHANNELS 2 Z", 13, "a number, and as many different names, got '2' and 1 names: Zrotation."),
        ("CHANNELS 1 Zrotation", "CHANNELS", 13, "a number, and as many different names, got '' and 0 names"),
        ("1 Zrotation\n", "2 Zrotation Zrotation\n", 13, "as many different names, got '2' and 2 names"),
        ("CHANNELS 1 Z", "CHANNELS 1 XYZ", 13, "unknown channel 'XYZrotation'; there are Xposition, Yposition, "),
        ("1 Zrotation", "1 Zrotatoin", 13, ", Zrotation. Did you mean Zrotation?"),
        ("JOINT Chest", "JOINT Spine", 10, "expected a name of its own for each joint, got the name 'Spine' twice"),
        ("JOINT Chest", "JOINT", 10, "expected a name of its own for each joint, got JOINT without a name."),
        ("JOINT Spine", "ROOT Spine", 6, "expected one ROOT, got a second one, 'Spine'; make a file of each."),
        ("ROOT Hips", "JOINT Hips", 2, "expected JOINT within a joint's braces, got it outside of them."),
        ("OFFSET 1 1 1", "OFFSET 1 1 1\nEnd Site {", 21, "expected END within a joint's braces, got it outside"),
        ("OFFSET 3 3 0", "OFFSET 3 3 0\nSCALE 1", 13, "or OFFSET, CHANNELS, JOINT, End Site in it; got 'SCALE 1'."),
        (ODD[ODD.index("MOTION") :], "", 25, "the file ends within the hierarchy; MOTION is missing."),
        (
            ODD[ODD.index("            JOINT Neck") :],
            "",
            13,
            "the file ends within the hierarchy; MOTION and a '}' for 'Chest' (opened in line 10) is missing.",
        ),
        ("ROOT", "MOTION\nROOT", 2, "expected ROOT, got 'MOTION'"),
        ("Frames: 2\n", "", 27, "expected 'Frames: <number>' after MOTION, got 'Frame Time: 0.0333333'."),
        ("Frame Time: 0.0333333\n", "", 28, "expected 'Frame Time: <number>' after MOTION, got '30 10 50 20 -40"),
        (ODD[ODD.index("Frames") :], "", 27, "expected 'Frames: <number>' after MOTION, got 'the end of the file'."),
        ("Frames: 2", "Frames: 0", 27, "expected 'Frames:' from 1 to 1000000, got '0'."),
        ("Frames: 2", "Frames: -3", 27, "expected 'Frames:' from 1 to 1000000, got '-3'."),
        ("Frames: 2", "Frames: 2.5", 27, "expected 'Frames:' from 1 to 1000000, got '2.5'."),
        ("Frames: 2", "Frames: 2000000000", 27, "expected 'Frames:' from 1 to 1000000, got '2000000000'."),
        ("Frames: 2", f"Frames: {'9' * 5000}", 27, "expected 'Frames:' from 1 to 1000000, got '99999"),
        (
            "Frames: 2",
            "Frames: 9000",
            27,
            "announces 9000 frames, but 2 are there; the file is cut off. To read these, write 'Frames: 2'.",
        ),
        (
            "Frames: 2",
            "Frames: 1",
            27,
            "'Frames: 1' announces 1 frames, but 2 are there. To read these, write 'Frames: 2'.",
        ),
        (
            "6 7\n",
            "6 7\n1 2 3",
            27,
            "announces 2 frames, but 2 are there. To read these, write 'Frames: 2' and delete",
        ),
        ("0.0333333", "0", 28, "expected 'Frame Time:' as seconds above zero, got '0'; 30 fps are 0.0333333."),
        ("0.0333333", "-0.1", 28, "expected 'Frame Time:' as seconds above zero, got '-0.1'"),
        ("0.0333333", "nan", 28, "expected 'Frame Time:' as seconds above zero, got 'nan'"),
        ("0.0333333", "inf", 28, "expected 'Frame Time:' as seconds above zero, got 'inf'"),
        ("0.0333333", "1e-320", 28, "expected 'Frame Time:' as seconds above zero, got '1e-320'"),
        ("0.0333333", "fast", 28, "expected 'Frame Time:' as seconds above zero, got 'fast'"),
        ("\n0 -7", "\n-7", 30, "expected 16 numbers, one a channel, got 15 in frame 1."),
        ("\n30 10", "\n1 30 10", 29, "expected 16 numbers, one a channel, got 17 in frame 0."),
        ("77 12", "77-12 0", 29, "expected a number, got '77-12' in frame 0."),
        ("-7 90", "-7 abc", 30, "expected a number, got 'abc' in frame 1."),
        ("0 -7", "0 -7,5", 30, "expected a number, got '-7,5' in frame 1. Decimals are written with a point."),
        ("-7 90", "-7 0x10", 30, "expected a number, got '0x10' in frame 1."),
        ("-7 90", "-7 1_0", 30, "expected a number, got '1_0' in frame 1."),
        ("-7 90", "-7 NaN", 30, "expected finite numbers below 1e+09, got nan in frame 1, Zrotation of joint 'Hips'."),
        ("-180 1", "-inf 1", 30, "got -inf in frame 1, Xrotation of joint 'Spine'."),
        ("-180 1", "1e300 1", 30, "got 1e+300 in frame 1, Xrotation of joint 'Spine'."),
    ],
)
def test_broken_files_say_where(tmp_path: Path, old: str, new: str, line: int, problem: str) -> None:
    assert old in ODD
    path = tmp_path / "broken.bvh"
    path.write_bytes(ODD.replace(old, new, 1).encode())
    with pytest.raises(MotionFormatError) as error:
        parse_bvh(path)
    assert str(error.value).startswith(f"{path}, line {line}: ")
    assert problem in str(error.value)


def test_no_channels_at_all(tmp_path: Path) -> None:
    text = "HIERARCHY\nROOT a\n{\nOFFSET 0 0 0\nCHANNELS 0\n}\nMOTION\nFrames: 1\nFrame Time: 0.1\n"
    with pytest.raises(MotionFormatError, match="line 7: expected a joint with channels, got none; nothing can move"):
        parse_bvh(write(tmp_path / "still.bvh", text))


def test_absent_file(tmp_path: Path) -> None:
    with pytest.raises(MotionFormatError, match=r"none\.bvh: expected a file, but there is no such file"):
        read_bvh(tmp_path / "none.bvh")


def test_legs_without_length(tmp_path: Path) -> None:
    write_bvh(Motion(walking(frames=2)), tmp_path / "walk.bvh")
    text = re.sub(r"(_(knee|ankle)\n\s*\{\n\s*OFFSET).*", r"\1 0 0 0", (tmp_path / "walk.bvh").read_text())
    with pytest.raises(MotionFormatError, match="the legs have no length to guess the unit from; pass scale"):
        read_bvh(write(tmp_path / "legs.bvh", text))


def test_claims_cost_neither_memory_nor_time(tmp_path: Path) -> None:
    def tree(count: int, body: str) -> str:
        return "HIERARCHY\n" + "".join(f"{'JOINT' if i else 'ROOT'} j{i} {{\n{body}" for i in range(count))

    claims = write(tmp_path / "claims.bvh", ODD.replace("Frames: 2", "Frames: 1000000"))
    deep = write(tmp_path / "deep.bvh", tree(99_999, ""))
    wide = tree(4000, "OFFSET 0 0 0\nCHANNELS 0\n").replace("CHANNELS 0", "CHANNELS 1 Zrotation", 1) + "}" * 4000
    wide = write(tmp_path / "wide.bvh", wide + "\nMOTION\nFrames: 9000\nFrame Time: 0.1\n" + "0\n" * 9000)
    lines = write(tmp_path / "lines.bvh", ODD + "\n" * 2_000_001)
    start = time.perf_counter()
    tracemalloc.start()
    with pytest.raises(MotionFormatError, match="but 2 are there; the file is cut off"):
        parse_bvh(claims)
    with pytest.raises(MotionFormatError, match="line 4098: expected at most 4096 joints and end sites, got more"):
        parse_bvh(deep)
    with pytest.raises(MotionFormatError, match="9000 frames of 4000 joints are too much for one motion"):
        parse_bvh(wide)
    with pytest.raises(MotionFormatError, match=r"expected at most 1000000 frames, but the file has 20000\d\d lines"):
        parse_bvh(lines)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100e6 and time.perf_counter() - start < 60  # seconds; without the guards it is many minutes
