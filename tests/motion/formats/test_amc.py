"""Acclaim files: poses worked out by hand, every kind of damage, and the real CMU files where they are at hand."""

import shutil
import tarfile
from pathlib import Path, PurePosixPath

import numpy as np
import pytest

from atom_hf.motion import JOINT_NAMES
from atom_hf.motion.formats import amc
from atom_hf.motion.formats.amc import read_amc
from atom_hf.motion.formats.asf import read_asf
from atom_hf.motion.formats.files import MotionFormatError

UNIT = 0.0254 / 0.45  # metres

# A body of CMU's bones: name, parent, direction, length, degrees of freedom.
BONES = [
    ("lhipjoint", "root", "1 0 0", 2, ""),
    ("lfemur", "lhipjoint", "0 -1 0", 7, "rx ry rz"),
    ("ltibia", "lfemur", "0 -1 0", 7, "rx"),
    ("lfoot", "ltibia", "0 0 1", 2, ""),
    ("ltoes", "lfoot", "0 0 1", 1, "rx"),
    ("rhipjoint", "root", "-1 0 0", 2, ""),
    ("rfemur", "rhipjoint", "0 -1 0", 7, ""),
    ("rtibia", "rfemur", "0 -1 0", 7, ""),
    ("rfoot", "rtibia", "0 0 1", 2, ""),
    ("lowerback", "root", "0 1 0", 2, "rx ry rz"),
    ("upperback", "lowerback", "0 1 0", 2, ""),
    ("thorax", "upperback", "0 1 0", 2, ""),
    ("lowerneck", "thorax", "0 1 0", 2, ""),
    ("upperneck", "lowerneck", "0 1 0", 2, ""),
    ("lclavicle", "thorax", "1 0 0", 3, ""),
    ("lhumerus", "lclavicle", "1 0 0", 5, "rz ry"),
    ("lradius", "lhumerus", "1 0 0", 3, ""),
    ("lwrist", "lradius", "1 0 0", 2, ""),
    ("rclavicle", "thorax", "-1 0 0", 3, ""),
    ("rhumerus", "rclavicle", "-1 0 0", 5, ""),
    ("rradius", "rhumerus", "-1 0 0", 3, ""),
    ("rwrist", "rradius", "-1 0 0", 2, ""),
]
ASF = """# made up
:version 1.10
:units
  mass 1.0
  length 0.45
  angle deg
:documentation
   a body for tests
:root
   order TX TY TZ RX RY RZ
   axis XYZ
   position 0 0 0
   orientation 0 0 0
:bonedata
%s
:hierarchy
  begin
%s
  end
"""
BLOCK = """  begin
    id 1
    name {name}
    direction {direction}
    length {length}
    axis 0 0 0  XYZ{dof}
  end"""
FRAME = """{number}
root {root}
lowerback 0 0 0
lfemur 0 0 0
ltibia {knee}
ltoes 0
lhumerus 0 0
"""


def body(bones=BONES) -> str:
    blocks = [
        BLOCK.format(
            name=name,
            direction=direction,
            length=length,
            dof=f"\n    dof {dof}\n    limits (-160.0 20.0)\n           (-70.0 70.0)" if dof else "",
        )
        for name, _, direction, length, dof in bones
    ]
    return ASF % ("\n".join(blocks), "\n".join(f"    {parent} {name}" for name, parent, *_ in bones))


def frames(*roots: str, knee: float = 0, start: int = 1) -> str:
    numbered = (FRAME.format(number=i, root=root, knee=knee) for i, root in enumerate(roots, start))
    return "#!OML:ASF F:\\made\\up.ASF\n:FULLY-SPECIFIED\n:DEGREES\n" + "".join(numbered)


@pytest.fixture
def write(tmp_path):
    """Write a skeleton and a motion; the path of the motion."""

    def write(skeleton: str | None = None, motion: str | None = None) -> Path:
        (tmp_path / "07.asf").write_text(body() if skeleton is None else skeleton)
        (tmp_path / "07_01.amc").write_text(frames("0 17 0 0 0 0") if motion is None else motion)
        return tmp_path / "07_01.amc"

    return write


def joint(motion, name: str) -> np.ndarray:
    """Positions of a joint `[T, 3]`, in units of the file."""
    return motion.joints[:, JOINT_NAMES.index(name)] / UNIT


class TestPose:
    """Positions that can be worked out by hand; lengths are units of the file, an inch over 0.45 each."""

    def test_rest(self, write):
        motion = read_amc(write())
        assert motion.fps == 120 and motion.joints.shape == (1, 22, 3) and motion.joints.dtype == np.float32
        expected = {
            "pelvis": (0, 17, 0),
            "left_hip": (2, 17, 0),
            "right_hip": (-2, 17, 0),
            "spine1": (0, 19, 0),
            "left_knee": (2, 10, 0),
            "right_knee": (-2, 10, 0),
            "spine2": (0, 21, 0),
            "left_ankle": (2, 3, 0),
            "right_ankle": (-2, 3, 0),
            "spine3": (0, 21.8, 0),
            "left_foot": (2, 3, 2),
            "right_foot": (-2, 3, 2),
            "neck": (0, 25, 0),
            "left_collar": (1.05, 23, 0),
            "right_collar": (-1.05, 23, 0),
            "head": (0, 27, 0),
            "left_shoulder": (3, 23, 0),
            "right_shoulder": (-3, 23, 0),
            "left_elbow": (8, 23, 0),
            "right_elbow": (-8, 23, 0),
            "left_wrist": (13, 23, 0),
            "right_wrist": (-13, 23, 0),
        }
        assert tuple(expected) == JOINT_NAMES
        np.testing.assert_allclose(motion.joints[0] / UNIT, list(expected.values()), atol=1e-5)

    def test_a_bone_turns_itself_and_what_follows(self, write):
        """A quarter turn of the shin about X brings the ankle, which was below the knee, behind it."""
        motion = read_amc(write(motion=frames("0 17 0 0 0 0", knee=90)))
        np.testing.assert_allclose(joint(motion, "left_knee")[0], [2, 10, 0], atol=1e-5)
        np.testing.assert_allclose(joint(motion, "left_ankle")[0], [2, 10, -7], atol=1e-5)
        np.testing.assert_allclose(joint(motion, "left_foot")[0], [2, 8, -7], atol=1e-5)

    def test_turns_are_about_the_axes_of_the_bone(self, write):
        """With axes turned by a quarter about Z, the shin's X is the room's Y: the foot, not the ankle, swings."""
        skeleton = body().replace("name ltibia\n    direction 0 -1 0\n    length 7\n    axis 0 0 0", "name ltibia\n"
                                  "    direction 0 -1 0\n    length 7\n    axis 0 0 90")  # fmt: skip
        motion = read_amc(write(skeleton, frames("0 17 0 0 0 0", knee=90)))
        np.testing.assert_allclose(joint(motion, "left_ankle")[0], [2, 3, 0], atol=1e-5)
        np.testing.assert_allclose(joint(motion, "left_foot")[0], [4, 3, 0], atol=1e-5)

    @pytest.mark.parametrize(
        ("order", "values", "head"),
        [
            ("TX TY TZ RX RY RZ", "1 17 2 90 90 0", (11, 17, 2)),  # up, by X to the front, by Y to the left
            ("TX TY TZ RY RX RZ", "1 17 2 90 90 0", (1, 17, 12)),  # up, by Y still up, by X to the front
            ("RZ RX TZ TY TX RY", "0 90 2 17 1 90", (11, 17, 2)),
            ("TY RZ", "17 90", (-10, 17, 0)),
        ],
    )
    def test_channels_of_the_root_in_any_order(self, write, order, values, head):
        skeleton = body().replace("order TX TY TZ RX RY RZ", f"order {order}")
        motion = read_amc(write(skeleton, frames(values)))
        np.testing.assert_allclose(joint(motion, "head")[0], head, atol=1e-5)

    def test_channels_of_a_bone_in_any_order(self, write):
        """The upper arm, pointing left, turns a quarter about Z to point up, then about Y, which changes nothing."""
        motion = read_amc(write(motion=frames("0 17 0 0 0 0").replace("lhumerus 0 0", "lhumerus 90 90")))
        np.testing.assert_allclose(joint(motion, "left_elbow")[0], [3, 28, 0], atol=1e-5)

    def test_shifts_and_lengths(self, write):
        skeleton = body().replace("dof rz ry", "dof rz tx l ty tz ry")
        motion = read_amc(write(skeleton, frames("0 17 0 0 0 0").replace("lhumerus 0 0", "lhumerus 90 0.5 1 2 3 0")))
        np.testing.assert_allclose(joint(motion, "left_shoulder")[0], [3, 23, 0], atol=1e-5)
        np.testing.assert_allclose(joint(motion, "left_elbow")[0], [3.5, 31, 3], atol=1e-5)

    def test_preset_of_the_root(self, write):
        """The rest pose is turned by `orientation` (to face left) before the motion turns and moves it."""
        skeleton = (
            body().replace("position 0 0 0", "position 1 2 3").replace("orientation 0 0 0", "orientation 0 90 0")
        )
        motion = read_amc(write(skeleton, frames("0 15 0 0 0 0", "0 15 0 0 0 90")))
        np.testing.assert_allclose(joint(motion, "pelvis"), [[1, 17, 3]] * 2, atol=1e-5)
        np.testing.assert_allclose(joint(motion, "left_hip"), [[1, 17, 1]] * 2, atol=1e-5)
        np.testing.assert_allclose(joint(motion, "head"), [[1, 27, 3], [-9, 17, 3]], atol=1e-5)

    def test_radians(self, write):
        motion = frames("0 17 0 0 0 0", knee=np.pi / 2)
        by_motion = read_amc(write(motion=motion.replace(":DEGREES", ":RADIANS")))
        by_skeleton = read_amc(write(body().replace("angle deg", "angle rad"), motion.replace(":DEGREES\n", "")))
        for got in (by_motion, by_skeleton):
            np.testing.assert_allclose(joint(got, "left_ankle")[0], [2, 10, -7], atol=1e-5)

    def test_long_files_are_posed_in_parts(self, write, monkeypatch):
        path = write(motion=frames(*(f"{i} 17 0 {i} 0 0" for i in range(20))))
        whole = read_amc(path).joints
        monkeypatch.setattr(amc, "_CHUNK", 7)
        assert np.array_equal(read_amc(path).joints, whole) and len(whole) == 20


class TestForms:
    def test_capitals_comments_tabs_and_line_ends(self, write, tmp_path):
        path = write(motion=frames("0 17 0 0 0 0", knee=30))
        expected = read_amc(path).joints
        write(
            body().upper().replace("\n", "  # note\r\n"),
            frames("0 17 0 0 0 0", knee=30).upper().replace("\n", "\t\r\n\n"),
        )
        assert np.array_equal(read_amc(path).joints, expected)

    def test_bones_in_any_order_without_those_that_decide_nothing(self, write):
        path = write(motion=frames("0 17 0 0 0 0", "0 17 0 0 0 0", knee=30))
        expected = read_amc(path).joints
        lines = frames("0 17 0 0 0 0", knee=30).splitlines()[4:]
        lines.remove("ltoes 0")
        path.write_text("\n".join(["7", *lines, "8", *lines[::-1]]))
        assert np.array_equal(read_amc(path).joints, expected)

    def test_frame_rate(self, write):
        path = write(motion=":SAMPLES-PER-SECOND 60\n" + frames("0 17 0 0 0 0"))
        assert read_amc(path).fps == 60 and read_amc(path, fps=30).fps == 30
        write(motion=":SAMPLES-PER-SECOND 0\n" + frames("0 17 0 0 0 0"))
        with pytest.raises(MotionFormatError, match="line 1: expected a frame rate above zero, got 0; pass fps="):
            read_amc(path)

    def test_scale(self, write):
        path = write()
        metres = read_amc(path).joints
        np.testing.assert_allclose(read_amc(path, scale=0.1).joints, metres / UNIT / 10, rtol=1e-6)
        write(body().replace("  length 0.45\n", ""))  # inches
        np.testing.assert_allclose(read_amc(path).joints, metres * 0.45, rtol=1e-6)
        with pytest.raises(ValueError, match="scale is metres per unit of the file"):
            read_amc(path, scale=0)

    def test_warns_of_giants(self, write):
        path = write(body().replace("length 0.45", "length 0.01"))
        with pytest.warns(UserWarning, match="thigh and shin together are 35.6 m long") as caught:
            read_amc(path)
        assert caught[0].filename == __file__

    def test_reads_the_skeleton_alone(self, write):
        asf = read_asf(write().with_name("07.asf"))
        assert asf.skeleton.names[:4] == ("root", "lhipjoint", "rhipjoint", "lowerback")
        assert asf.channels[0] == ("tx", "ty", "tz", "rx", "ry", "rz") and asf.degrees
        np.testing.assert_allclose(asf.skeleton.offsets[1], [2 * UNIT, 0, 0])


class TestSkeleton:
    """Where the skeleton of a motion is looked for."""

    @pytest.mark.parametrize("name", ["07_01.asf", "07.asf", "07.ASF", "anything.asf"])
    def test_beside_the_motion(self, write, name):
        path = write()
        path.with_name("07.asf").rename(path.with_name(name))
        assert len(read_amc(path)) == 1

    def test_prefers_the_nearest_name(self, write):
        path = write()
        for name in ("08.asf", "07_01.asf"):
            shutil.copy(path.with_name("07.asf"), path.with_name(name))
        path.with_name("07.asf").write_text("broken")
        path.with_name("08.asf").write_text("broken")
        assert len(read_amc(path)) == 1

    def test_elsewhere(self, write, tmp_path):
        path = write()
        (tmp_path / "skeletons").mkdir()
        path.with_name("07.asf").rename(tmp_path / "skeletons" / "me.asf")
        problem = r"looked for 07_01.asf or 07.asf or a single .asf file in .*, which has none. Pass skeleton="
        with pytest.raises(MotionFormatError, match=problem):
            read_amc(path)
        assert len(read_amc(path, skeleton=tmp_path / "skeletons" / "me.asf")) == 1

    def test_several(self, write):
        path = write()
        shutil.copy(path.with_name("07.asf"), path.with_name("08.asf"))
        path.with_name("07.asf").rename(path.with_name("09.asf"))
        with pytest.raises(MotionFormatError, match=r"which has 08.asf, 09.asf\. Pass skeleton="):
            read_amc(path)

    def test_absent_files(self, write):
        path = write()
        with pytest.raises(MotionFormatError, match=r"07_02.amc: expected a file, but there is no such file"):
            read_amc(path.with_name("07_02.amc"))
        with pytest.raises(MotionFormatError, match=r"08.asf: expected a file, but there is no such file"):
            read_amc(path, skeleton=path.with_name("08.asf"))


class TestBrokenSkeletons:
    @pytest.mark.parametrize(
        ("old", "new", "problem"),
        [
            (":root", ":rood", "expected an ASF skeleton with :root, :bonedata, :hierarchy, but it has no :root"),
            ("    name ltibia\n", "", "line 32: expected a line 'name' in the bone that begins here"),
            ("    name ltibia", "    name lfemur", "line 32: bone 'lfemur' is defined twice"),
            ("    name ltibia", "    name root", "line 32: bone 'root' is defined twice"),
            (
                "  end\n  begin\n    id 1\n    name lfoot",
                "  begin\n    name lfoot",
                "line 32: the bone that begins here has no",
            ),
            ("    lfemur ltibia\n", "    lfemur lshin\n", "line 188: bone 'lshin' of :hierarchy is not in :bonedata"),
            (
                "    lfemur ltibia\n",
                "    lfemur\n",
                "does not connect with the root: ltibia, lfoot, ltoes .they have no",
            ),
            (
                "    lfemur ltibia\n",
                "    ltoes ltibia\n",
                "does not connect .* ltibia, lfoot, ltoes .they form a cycle",
            ),
            ("    lfemur ltibia\n", "    ltibia ltibia\n", "they form a cycle|they have no parent"),
            (
                "    lfemur ltibia\n",
                "    lfemur ltibia lfoot\n",
                "line 189: bone 'lfoot' has two parents, 'lfemur' and 'lt",
            ),
            ("    lfemur ltibia\n", "    lfemur ltibia\n    ltoes root\n", "line 189: expected the root at the top"),
            (
                "dof rz ry",
                "dof rz ru",
                "expected degrees of freedom among tx ty tz rx ry rz l in bone 'lhumerus'; got 'ru'",
            ),
            ("dof rz ry", "dof rz rz", "in bone 'lhumerus'; one occurs twice"),
            ("order TX TY TZ RX", "order TX TY TZ QX", "line 10: .* in section :root; got 'qx'"),
            ("   order TX TY TZ RX RY RZ\n", "", "expected a line 'order' in section :root"),
            ("axis XYZ\n", "axis XYX\n", "line 11: expected an order of axes such as XYZ in section :root, got 'XYX'"),
            ("axis 0 0 0  XYZ\n", "axis 0 0 0  XY\n", "in bone '.*', got 'XY'"),
            ("axis 0 0 0  XYZ\n", "axis 0 0\n", "expected 3 numbers after 'axis' in bone '.*', got '0 0'"),
            (
                "direction 0 0 1\n",
                "direction 0 zero 1\n",
                "expected 3 numbers after 'direction' in bone 'lfoot', got '0 zero 1",
            ),
            (
                "direction 0 0 1\n",
                "direction 0 nan 1\n",
                "expected 3 numbers after 'direction' in bone 'lfoot', got '0 nan 1",
            ),
            ("    direction 0 0 1\n", "", "expected a line 'direction' in bone 'lfoot'; it has id, name, length"),
            ("length 0.45", "length -1", "line 5: expected a length above zero in section :units, got -1"),
            ("length 0.45", "length inch", "line 5: expected 1 numbers after 'length' in section :units, got 'inch'"),
            ("position 0 0 0", "position 0 0", "line 12: expected 3 numbers after 'position' in section :root"),
            ("lowerneck", "midneck", "expected a body with the bones of the CMU database; it has no lowerneck"),
        ],
    )
    def test_names_the_problem(self, write, old, new, problem):
        skeleton = body()
        assert old in skeleton
        path = write(skeleton.replace(old, new))
        with pytest.raises(MotionFormatError, match=problem) as caught:
            read_amc(path)
        assert str(caught.value).startswith(str(path.with_name("07.asf")))

    @pytest.mark.parametrize("text", ["", " \n", "HIERARCHY\nROOT Hips\n", frames("0 0 0 0 0 0"), "\0\1\2" * 99])
    def test_other_files(self, write, text):
        what = "it is empty" if not text.strip() else "it has no :root, :bonedata, :hierarchy"
        with pytest.raises(MotionFormatError, match=f"expected an ASF skeleton .*, but {what}"):
            read_amc(write(text))

    def test_cut_anywhere(self, write):
        skeleton = body()
        for end in range(0, len(skeleton) - 60, 53):
            with pytest.raises(MotionFormatError):
                read_amc(write(skeleton[:end]))

    def test_far_too_large(self, write):
        with pytest.raises(MotionFormatError, match="expected a skeleton, of at most 4194304 bytes"):
            read_amc(write(body() + "#" * 2**22))
        many = [(f"b{i}", "root", "0 1 0", 1, "") for i in range(1001)]
        with pytest.raises(MotionFormatError, match="expected at most 1000 bones"):
            read_amc(write(body(many)))


class TestBrokenMotions:
    @pytest.mark.parametrize(
        ("old", "new", "problem"),
        [
            ("ltibia 5\n", "ltibia 5 6\n", "line 8: expected 1 value for bone 'ltibia', as its skeleton says, got 2"),
            (
                "lfemur 0 0 0\n",
                "lfemur 0 0\n",
                "line 7: expected 3 values for bone 'lfemur', as its skeleton says, got 2",
            ),
            ("ltibia 5\n", "ltibia x\n", "line 8: expected finite numbers for bone 'ltibia', got 'x'"),
            ("ltibia 5\n", "ltibia nan\n", "line 8: expected finite numbers for bone 'ltibia', got 'nan'"),
            ("ltibia 5\n", "ltibia -inf\n", "line 8: expected finite numbers for bone 'ltibia', got '-inf'"),
            ("ltibia 5\n", "ltibia 5\nltibia 5\n", "line 9: bone 'ltibia' occurs twice in one frame"),
            ("ltibia 5\n", "lshin 5\n", "line 8: bone 'lshin' is not in the skeleton; is it the right .asf file"),
            ("ltibia 5\n", "lfoot 5\nltibia 5\n", "line 8: bone 'lfoot' has no degrees of freedom in the skeleton"),
            ("ltibia 5\n", "", "line 10: frame 1 is incomplete: it lacks ltibia"),
            ("root 0 17 0 0 0 0\n", "", "line 10: frame 1 is incomplete: it lacks root"),
            ("\n2\n", "\n3\n", "line 11: expected frame 2 or the end, got frame 3"),
            ("\n2\n", "\n1\n", "line 11: expected frame 2 or the end, got frame 1"),
            ("\n2\n", "\n2.5\n", "line 11: bone '2.5' is not in the skeleton"),
            ("\n2\n", "\n", "line 11: bone 'root' occurs twice in one frame"),
            (
                ":DEGREES\n1\n",
                ":DEGREES\n",
                "line 4: expected an AMC file, which has the number of a frame here, got 'root'",
            ),
            ("0 17 0", "0 1e300 0", "so large that the joints are not finite"),
        ],
    )
    def test_names_the_problem(self, write, old, new, problem):
        motion = frames("0 17 0 0 0 0", "0 17 0 0 0 0", "0 17 0 0 0 0", knee=5)
        assert old in motion
        path = write(motion=motion.replace(old, new, 1))
        with pytest.raises(MotionFormatError, match=problem) as caught:
            read_amc(path)
        assert str(caught.value).startswith(str(path))

    def test_cut_off_by_the_end(self, write):
        motion = frames("0 17 0 0 0 0", "0 17 0 0 0 0", knee=5)
        with pytest.raises(
            MotionFormatError, match="frame 2 is cut off by the end of the file: it lacks lhumerus, ltoes"
        ):
            read_amc(write(motion=motion[: motion.rindex("ltoes")]))
        with pytest.raises(
            MotionFormatError, match=r"frame 1 is cut off .* it lacks lfemur, lhumerus, lowerback, ltibia"
        ):
            read_amc(write(motion=motion[: motion.index("lowerback")]))

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("", "expected an AMC file with at least one frame, but it is empty"),
            (":DEGREES\n", "expected an AMC file with at least one frame, but it has none"),
            (
                "HIERARCHY\nROOT Hips\n",
                "line 1: expected an AMC file, which has the number of a frame here, got 'hierarchy'",
            ),
            ("\0\1\2" * 99, "line 1: expected an AMC file"),
            (":x\n" * 50 + "".join(f":{i}\n" for i in range(200)), "line 150: expected an AMC file"),
            ("1\nroot " + "0 " * 100_000, "line 2: expected 6 values for bone 'root', as its skeleton says, got 1000"),
        ],
    )
    def test_other_files(self, write, text, problem):
        with pytest.raises(MotionFormatError, match=problem):
            read_amc(write(motion=text))

    def test_too_many_frames(self, write, monkeypatch):
        monkeypatch.setattr(amc, "MAX_FRAMES", 2)
        with pytest.raises(MotionFormatError, match="expected at most 2 frames"):
            read_amc(write(motion=frames(*["0 17 0 0 0 0"] * 3)))


@pytest.fixture(scope="module")
def clips(shared, tmp_path_factory):
    """One motion of every person: name to path."""
    folder = tmp_path_factory.mktemp("cmu")
    clips = {}
    with tarfile.open(shared / "mocap" / "raw" / "cmu_gait_amc.tar.xz") as archive:
        for member in archive:
            name = PurePosixPath(member.name).name
            subject = name.split("_")[0].removesuffix(".asf")
            wanted = name.endswith(".asf") or (name.endswith(".amc") and subject not in clips)
            if not (member.isfile() and subject.isdigit() and wanted):
                continue
            (folder / name).write_bytes(archive.extractfile(member).read())
            if name.endswith(".amc"):
                clips[subject] = folder / name
    assert len(clips) == 14
    return {path.stem: path for path in clips.values()}


@pytest.fixture(scope="module")
def pairs(shared, clips):
    """Our joints and the reference, metres `[T, 22, 3]`, and the lengths of the skeleton's bones."""
    pairs = []
    with np.load(shared / "mocap" / "cmu_gait_amc.npz") as data:
        for clip, start, length in zip(data["ids"], data["starts"], data["lengths"], strict=True):
            if clip in clips:
                ours = read_amc(clips[clip]).joints[::6].astype(np.float64)
                reference = data["joints_mm"][start : start + length] / 1000
                assert len(ours) == len(reference)
                # The reference was put on the floor; only that height may differ.
                reference[..., 1] -= np.median(reference[:, 0, 1] - ours[:, 0, 1])
                asf = read_asf(clips[clip].with_name(f"{clip.split('_')[0]}.asf")).skeleton
                lengths = dict(zip(asf.names, np.linalg.norm(asf.offsets, axis=-1), strict=True))
                pairs.append((ours, reference, lengths))
    assert len(pairs) == 14
    return pairs


class TestCMU:
    """The real files of 14 people, against joints that were made of them independently (whole millimetres, 20 fps)."""

    def test_joints_agree(self, pairs):
        """All but the neck: 0.9 mm were measured over all 69 files, which is what rounding to millimetres leaves."""
        same = [j for j, name in enumerate(JOINT_NAMES) if name != "neck"]
        for ours, reference, _ in pairs:
            assert np.linalg.norm(ours[:, same] - reference[:, same], axis=-1).max() < 1.2e-3

    def test_neck_is_one_bone_higher(self, pairs):
        """The reference has it at the end of thorax, below the shoulders; ours is where SMPL has it, above them."""
        neck, head, spine3 = (JOINT_NAMES.index(name) for name in ("neck", "head", "spine3"))
        for ours, reference, lengths in pairs:
            gap = np.linalg.norm(ours[:, neck] - reference[:, neck], axis=-1)
            np.testing.assert_allclose(gap, lengths["lowerneck"], atol=1.2e-3)
            to_head = np.linalg.norm(ours[:, head] - ours[:, neck], axis=-1).mean()
            to_chest = np.linalg.norm(ours[:, neck] - ours[:, spine3], axis=-1).mean()
            assert 0.07 < to_head < 0.12 and 0.13 < to_chest < 0.20  # HumanML3D's body: 0.10 and 0.22

    def test_bones_keep_their_lengths(self, pairs):
        for ours, _, lengths in pairs:
            for upper, lower, bone in (
                ("left_hip", "left_knee", "lfemur"),
                ("right_shoulder", "right_elbow", "rhumerus"),
            ):
                seen = np.linalg.norm(ours[:, JOINT_NAMES.index(upper)] - ours[:, JOINT_NAMES.index(lower)], axis=-1)
                np.testing.assert_allclose(seen, lengths[bone], atol=1e-6)
