"""AMASS files: written and read back, the frame of HumanML3D, body models against smplx, broken files."""

import pickle
import sys

import numpy as np
import pytest

from atom_hf.motion import JOINT_NAMES, PARENTS, T_POSE_OFFSETS, Motion, forward_kinematics, inverse_kinematics
from atom_hf.motion.formats import smpl
from atom_hf.motion.formats.files import MotionFormatError
from atom_hf.motion.formats.smpl import read_smpl, write_smpl
from atom_hf.motion.rotation import axis_angle_to_matrix

PELVIS = (0.0, -0.22, 0.028)  # of the average model at rest
# Bones that leave a joint with no other bone: rotations meet their directions exactly.
SINGLE = [j for j in range(1, 22) if PARENTS.count(PARENTS[j]) == 1]


def save(path, **arrays):
    """An AMASS file of a person who stands still for three frames; arrays are replaced, or left out where None."""
    content = {
        "poses": np.pad(np.full((3, 1), np.pi / 2), [(0, 0), (0, 155)]),
        "trans": np.zeros((3, 3)),
        "betas": np.zeros(16),
        "mocap_framerate": np.array(120.0),
        "gender": np.array("neutral"),
    }
    content |= arrays
    np.savez(path, **{name: array for name, array in content.items() if array is not None})
    return path


@pytest.fixture
def dance() -> Motion:
    """Every joint of the package's T-pose body turns somehow; 24 fps."""
    random = np.random.default_rng(0)
    turns = 0.3 * random.normal(size=(1, 22, 3)) + np.cumsum(0.05 * random.normal(size=(60, 22, 3)), axis=0)
    root = np.array([0.3, 0.9, -2.0]) + np.cumsum(0.02 * random.normal(size=(60, 3)), axis=0)
    return Motion(forward_kinematics(axis_angle_to_matrix(turns), root, T_POSE_OFFSETS), fps=24)


@pytest.fixture
def model() -> dict[str, np.ndarray]:
    """A made-up body model in SMPL's form: 96 vertices, 24 joints, 10 shapes."""
    random = np.random.default_rng(1)
    regressor = random.random((24, 96)) ** 8
    return {
        "v_template": random.normal(size=(96, 3)),
        "shapedirs": 0.1 * random.normal(size=(96, 3, 10)),
        "posedirs": 0.01 * random.normal(size=(96, 3, 207)),
        "J_regressor": regressor / regressor.sum(1, keepdims=True),
        "weights": np.eye(24)[random.integers(24, size=96)],
        "kintree_table": np.array([[2**32 - 1, *PARENTS[1:], 20, 21], range(24)]),
        "f": random.integers(96, size=(20, 3)),
    }


class TestWrite:
    def test_layout_is_amass(self, tmp_path, dance):
        write_smpl(dance, tmp_path / "a.npz")
        with np.load(tmp_path / "a.npz", allow_pickle=False) as data:
            arrays = {name: data[name] for name in data.files}
        assert {name: (array.shape, array.dtype.kind) for name, array in arrays.items()} == {
            "poses": ((60, 156), "f"),
            "trans": ((60, 3), "f"),
            "betas": ((16,), "f"),
            "mocap_framerate": ((), "f"),
            "gender": ((), "U"),
        }
        assert arrays["mocap_framerate"] == 24 and arrays["gender"] == "neutral" and not arrays["betas"].any()
        assert not arrays["poses"][:, 66:].any()
        x, y, z = (arrays["trans"] + PELVIS).T
        np.testing.assert_allclose(np.stack([-x, z, y], axis=-1), dance.joints[:, 0], atol=1e-6)

    def test_reading_it_gives_the_motion_back(self, tmp_path, dance):
        write_smpl(dance, tmp_path / "a.npz")
        back = read_smpl(tmp_path / "a.npz")
        assert back.fps == 24 and back.joints.dtype == np.float32
        assert np.abs(back.joints - dance.joints).max() < 2e-6  # metres; inverse kinematics leaves nothing here

    def test_one_frame(self, tmp_path, dance):
        write_smpl(dance[:1], tmp_path / "a.npz")
        assert np.abs(read_smpl(tmp_path / "a.npz").joints - dance.joints[:1]).max() < 2e-6

    def test_limbs_of_other_bodies_keep_their_directions(self, tmp_path, walk):
        giant = Motion(walk * np.float32(1.3))
        write_smpl(giant, tmp_path / "a.npz")
        back = read_smpl(tmp_path / "a.npz")
        self._check_directions(giant, back)
        legs = [
            np.linalg.norm(inverse_kinematics(m.joints).offsets[[4, 5, 7, 8]], axis=-1).sum() for m in (giant, back)
        ]
        np.testing.assert_allclose(back.joints[:, 0], giant.joints[:, 0] * legs[1] / legs[0], atol=1e-4)

    def test_real_motion_keeps_its_directions(self, tmp_path, real_clips):
        for clip in real_clips[::3]:
            write_smpl(Motion(clip), tmp_path / "a.npz")
            self._check_directions(Motion(clip), read_smpl(tmp_path / "a.npz"))

    @staticmethod
    def _check_directions(before: Motion, after: Motion) -> None:
        def directions(joints):
            bones = (joints[:, SINGLE] - joints[:, [PARENTS[j] for j in SINGLE]]).astype(np.float64)
            return bones / np.linalg.norm(bones, axis=-1, keepdims=True)

        assert np.abs(directions(before.joints) - directions(after.joints)).max() < 2e-5

    def test_keeps_the_old_file_where_it_cannot_write(self, tmp_path, dance):
        path = save(tmp_path / "a.npz")
        old = path.read_bytes()
        dance.joints[:, 5] = dance.joints[:, 2]
        with pytest.raises(ValueError, match="has no length"):
            write_smpl(dance, path)
        assert path.read_bytes() == old and len(list(tmp_path.iterdir())) == 1

    def test_any_suffix(self, tmp_path, dance):
        write_smpl(dance, tmp_path / "a.amass")
        assert [file.name for file in tmp_path.iterdir()] == ["a.amass"]


class TestRead:
    def test_frame_is_turned_as_humanml3d_does(self, tmp_path):
        """A person stands at (1, 2, 3) of a room with Z up and looks to its -Y: ours is (-x, z, y), looking to -Z."""
        rest = forward_kinematics(np.broadcast_to(np.eye(3), (22, 3, 3)), np.zeros(3), T_POSE_OFFSETS)
        joints = read_smpl(save(tmp_path / "a.npz", trans=np.tile([1.0, 2.0, 3.0], (3, 1)))).joints
        pelvis = np.array([-1.0, 3.028, 1.78])
        np.testing.assert_allclose(joints[0, 0], pelvis, atol=1e-6)
        np.testing.assert_allclose(joints[0], pelvis + rest * (-1, 1, -1), atol=1e-6)
        assert joints[0, JOINT_NAMES.index("head"), 1] > joints[0, JOINT_NAMES.index("left_foot"), 1] + 1.2

    def test_y_up_files_are_taken_as_they_are(self, tmp_path):
        rest = forward_kinematics(np.broadcast_to(np.eye(3), (22, 3, 3)), np.array(PELVIS), T_POSE_OFFSETS)
        got = read_smpl(save(tmp_path / "a.npz", poses=np.zeros((3, 72))), up="y")
        np.testing.assert_allclose(got.joints[2], rest, atol=1e-6)
        with pytest.raises(ValueError, match="Expected up 'z' or 'y', got 'x'"):
            read_smpl(tmp_path / "a.npz", up="x")

    @pytest.mark.parametrize("shape", [(3, 66), (3, 72), (3, 165), (3, 22, 3), (3, 24, 3), (3, 52, 3), (3, 55, 3)])
    def test_every_layout_starts_with_the_body(self, tmp_path, shape):
        body = np.random.default_rng(0).normal(size=(3, 66))
        expected = read_smpl(save(tmp_path / "a.npz", poses=np.pad(body, [(0, 0), (0, 90)]))).joints
        poses = np.ones((3, int(np.prod(shape[1:]))), np.float32)
        poses[:, :66] = body
        got = read_smpl(save(tmp_path / "b.npz", poses=poses.reshape(shape))).joints
        np.testing.assert_allclose(got, expected, atol=1e-6)

    def test_long_files_are_posed_in_parts(self, tmp_path, dance, monkeypatch):
        write_smpl(dance, tmp_path / "a.npz")
        whole = read_smpl(tmp_path / "a.npz").joints
        monkeypatch.setattr(smpl, "_CHUNK", 7)
        assert np.array_equal(read_smpl(tmp_path / "a.npz").joints, whole)

    @pytest.mark.parametrize(
        ("arrays", "expected"),
        [
            ({}, 120),
            ({"mocap_framerate": np.array([59.94])}, 59.94),
            ({"mocap_framerate": None, "mocap_frame_rate": np.array(30)}, 30),
        ],
    )
    def test_frame_rate(self, tmp_path, arrays, expected):
        assert read_smpl(save(tmp_path / "a.npz", **arrays)).fps == expected
        assert read_smpl(tmp_path / "a.npz", fps=25).fps == 25

    @pytest.mark.parametrize(
        ("rate", "problem"),
        [
            (None, r"it has no frame rate \(mocap_framerate or mocap_frame_rate\); pass fps="),
            (0.0, "expected a frame rate above zero, got 0.0; pass fps="),
            (np.nan, "got nan; pass fps="),
            (np.inf, "got inf; pass fps="),
            ("120", "got 120; pass fps="),
            ([30.0, 60.0], r"got an array \[2\]; pass fps="),
        ],
    )
    def test_frame_rate_that_is_none(self, tmp_path, rate, problem):
        save(tmp_path / "a.npz", mocap_framerate=None if rate is None else np.array(rate))
        with pytest.raises(MotionFormatError, match=problem):
            read_smpl(tmp_path / "a.npz")
        assert read_smpl(tmp_path / "a.npz", fps=60).fps == 60
        with pytest.raises(ValueError, match="above zero"):
            read_smpl(tmp_path / "a.npz", fps=0)

    @pytest.mark.parametrize(
        ("arrays", "problem"),
        [
            ({"poses": None}, "expected the array poses; it has 'trans', 'betas', 'mocap_framerate', 'gender'"),
            ({"poses": None, "trans": None}, "expected the arrays poses, trans; it has"),
            ({"trans": np.zeros((2, 3))}, r"expected trans \[3, 3\] to go with poses, got \[2, 3\]"),
            ({"trans": np.zeros(3)}, r"expected trans \[3, 3\]"),
            ({"poses": np.zeros((3, 100))}, r"n one of 66 \(the body\), 72 .SMPL., 156 .* got \[3, 100\]"),
            ({"poses": np.zeros((3, 11, 6))}, r"got \[3, 11, 6\]"),
            ({"poses": np.zeros(66)}, r"got \[66\]"),
            ({"poses": np.zeros((0, 156)), "trans": np.zeros((0, 3))}, r"of 1 to 1000000 frames .* got \[0, 156\]"),
            ({"poses": np.full((3, 156), np.nan)}, "expected finite numbers in poses, got NaN or infinity"),
            ({"trans": np.full((3, 3), np.inf)}, "expected finite numbers in trans, got NaN or infinity"),
            ({"trans": np.full((3, 3), 1e300)}, "so large that the joints are not finite"),
            ({"poses": np.full((3, 156), 1e300)}, "so large that the joints are not finite"),
            ({"poses": np.full((3, 156), "a")}, "expected finite numbers in poses, got values of type <U1"),
            ({"poses": np.full((3, 156), None)}, "array 'poses': expected numbers, got values of type object"),
            ({"betas": np.full(16, np.nan)}, "expected finite numbers in betas"),
            ({"betas": np.arange(6.0).reshape(3, 2)}, r"expected betas \[B\], the same in every frame"),
        ],
    )
    def test_broken_files(self, tmp_path, arrays, problem):
        with pytest.raises(MotionFormatError, match=problem) as caught:
            read_smpl(save(tmp_path / "a.npz", **arrays))
        assert str(caught.value).startswith(str(tmp_path / "a.npz"))

    def test_hands_may_hold_anything(self, tmp_path):
        poses = np.zeros((3, 156))
        poses[:, 66:] = np.nan
        assert len(read_smpl(save(tmp_path / "a.npz", poses=poses))) == 3

    def test_betas_without_a_model_are_mentioned(self, tmp_path, recwarn):
        read_smpl(save(tmp_path / "a.npz"))
        read_smpl(save(tmp_path / "a.npz", betas=None))
        assert not recwarn.list
        with pytest.warns(UserWarning, match="Pass model_path, an SMPL file, for the person's own"):
            read_smpl(save(tmp_path / "a.npz", betas=np.ones(16)))


class TestModel:
    """With a user's body model; the made-up one here has the form of the real ones."""

    @pytest.fixture(autouse=True)
    def needs_smplx(self):
        pytest.importorskip("smplx")

    @pytest.fixture
    def clip(self, tmp_path):
        random = np.random.default_rng(2)
        arrays = {"poses": random.normal(size=(20, 72)), "trans": random.normal(size=(20, 3))}
        return save(tmp_path / "clip.npz", **arrays, betas=np.append(random.normal(size=10), np.zeros(6))), arrays

    @pytest.mark.parametrize("form", ["npz", "pkl"])
    def test_joints_are_those_of_smplx(self, tmp_path, model, clip, form, capsys):
        import smplx
        import torch

        path, arrays = clip
        if form == "npz":
            np.savez(tmp_path / "model.npz", **model)
        else:
            (tmp_path / "model.pkl").write_bytes(pickle.dumps(model, 2))
        with np.load(path) as data:
            betas = torch.tensor(data["betas"][None, :10])
        body = smplx.SMPL(
            None,
            data_struct=smplx.utils.Struct(**model),
            vertex_ids=dict.fromkeys(smplx.vertex_ids.vertex_ids["smplh"], 0),
            batch_size=20,
            dtype=torch.float64,
        )
        poses = torch.tensor(arrays["poses"])
        with torch.no_grad():
            joints = body(
                betas=betas.expand(20, -1),
                body_pose=poses[:, 3:],
                global_orient=poses[:, :3],
                transl=torch.tensor(arrays["trans"]),
            ).joints[:, :22]
        capsys.readouterr()
        x, y, z = joints.numpy().transpose(2, 0, 1)
        got = read_smpl(path, model_path=tmp_path / f"model.{form}")
        np.testing.assert_allclose(got.joints, np.stack([-x, z, y], axis=-1), atol=1e-5)
        assert capsys.readouterr().out == ""

    def test_shape_moves_the_joints(self, tmp_path, model):
        """At rest, joints are the regressor's mean of the vertices, which betas move."""
        np.savez(tmp_path / "model.npz", **model)
        betas = np.arange(16.0) / 10
        save(tmp_path / "a.npz", poses=np.zeros((3, 72)), betas=betas)
        vertices = model["v_template"] + model["shapedirs"] @ betas[:10]
        got = read_smpl(tmp_path / "a.npz", model_path=tmp_path / "model.npz", up="y")
        np.testing.assert_allclose(got.joints[1], model["J_regressor"][:22] @ vertices, atol=1e-6)

    def test_models_with_hands_are_read_alike(self, tmp_path, model, clip):
        path, _ = clip
        np.savez(tmp_path / "smpl.npz", **model)
        hands = [20] * 15 + [21] * 15
        tree = np.array([[2**32 - 1, *PARENTS[1:], *hands], range(52)], dtype=np.uint32)
        regressor = np.concatenate([model["J_regressor"][:22], np.full((30, 96), 1 / 96)])
        np.savez(tmp_path / "smplh.npz", **(model | {"kintree_table": tree, "J_regressor": regressor}))
        both = [read_smpl(path, model_path=tmp_path / f"{name}.npz").joints for name in ("smpl", "smplh")]
        assert np.array_equal(*both)

    def test_model_makes_the_warning_needless(self, tmp_path, model, clip, recwarn):
        np.savez(tmp_path / "model.npz", **model)
        read_smpl(clip[0], model_path=tmp_path / "model.npz")
        assert not recwarn.list

    @pytest.mark.parametrize(
        ("arrays", "problem"),
        [
            ({"shapedirs": None}, "expected the array shapedirs; it has 'v_template'"),
            ({"v_template": np.zeros((95, 3))}, r"expected a body model: .* got v_template \[95, 3\]"),
            ({"shapedirs": np.zeros((96, 30))}, r"shapedirs \[96, 30\]"),
            ({"J_regressor": np.zeros((21, 96))}, r"J_regressor \[21, 96\]"),
            ({"J_regressor": np.full((24, 96), np.nan)}, "expected finite numbers in J_regressor"),
            ({"kintree_table": np.zeros((2, 24), int)}, "first 22 joints hang together otherwise"),
            ({"kintree_table": np.zeros(0)}, r"kintree_table \[0\]"),
            ({"v_template": np.array(None)}, "array 'v_template': expected numbers, got values of type object"),
        ],
    )
    def test_broken_models(self, tmp_path, model, arrays, problem):
        content = {name: array for name, array in (model | arrays).items() if array is not None}
        np.savez(tmp_path / "model.npz", **content)
        with pytest.raises(MotionFormatError, match=problem) as caught:
            read_smpl(save(tmp_path / "a.npz"), model_path=tmp_path / "model.npz")
        assert str(caught.value).startswith(str(tmp_path / "model.npz"))

    def test_other_files(self, tmp_path):
        with pytest.raises(MotionFormatError, match=r"expected a body model ending in .npz or .pkl"):
            read_smpl(save(tmp_path / "a.npz"), model_path=tmp_path)


def test_model_without_smplx(tmp_path, monkeypatch):
    for name in ("smplx", "smplx.lbs"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(
        ImportError, match=r'pip install "atom_hf\[smpl\]"\. It is research software for non-commercial use'
    ):
        read_smpl(save(tmp_path / "a.npz"), model_path="SMPL_NEUTRAL.npz")
