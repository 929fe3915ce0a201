"""A body model of tubes, made here; real ones have licences of their own."""

import sys

import numpy as np
import pytest

from atom_hf.motion import PARENTS, T_POSE_OFFSETS, Motion, MotionFormatError
from atom_hf.render import load_body, render_sheet, render_video

pytest.importorskip("smplx")

JOINTS = 24  # SMPL's: ours and two hands
RING = 8


def tubes() -> dict[str, np.ndarray]:
    """Arrays of an SMPL file: a closed tube along every bone, moved by the joint at its start."""
    parents = [*PARENTS, 20, 21]
    offsets = np.concatenate([T_POSE_OFFSETS, [[0.08, 0, 0], [-0.08, 0, 0]]])
    rest = np.zeros((JOINTS, 3))
    for joint in range(1, JOINTS):
        rest[joint] = rest[parents[joint]] + offsets[joint]
    vertices, faces, movers = [], [], []
    regressor = np.zeros((JOINTS, 2 * RING * (JOINTS - 1)))
    for joint in range(1, JOINTS):
        along = (rest[joint] - rest[parents[joint]]) / np.linalg.norm(rest[joint] - rest[parents[joint]])
        side = np.cross(along, np.eye(3)[np.abs(along).argmin()])
        side /= np.linalg.norm(side)
        angles = 2 * np.pi * np.arange(RING) / RING
        ring = 0.06 * (np.cos(angles)[:, None] * side + np.sin(angles)[:, None] * np.cross(along, side))
        first = len(vertices)
        vertices += [*(rest[parents[joint]] + ring), *(rest[joint] + ring)]
        movers += [parents[joint]] * 2 * RING
        regressor[joint, first + RING : first + 2 * RING] = 1 / RING
        if joint == 1:
            regressor[0, first : first + RING] = 1 / RING
        for i in range(RING):
            j = (i + 1) % RING
            faces += [(first + i, first + j, first + RING + i), (first + j, first + RING + j, first + RING + i)]
        for i in range(1, RING - 1):
            faces += [(first, first + i + 1, first + i), (first + RING, first + RING + i, first + RING + i + 1)]
    shapes = np.zeros((len(vertices), 3, 2))
    shapes[..., 0] = np.array(vertices) * 0.1  # the first beta is size
    return {
        "v_template": np.array(vertices),
        "shapedirs": shapes,
        "posedirs": np.zeros((len(vertices), 3, 9 * (JOINTS - 1))),
        "J_regressor": regressor,
        "weights": np.eye(JOINTS)[movers],
        "f": np.array(faces, dtype=np.uint32),
        "kintree_table": np.array([[2**32 - 1, *parents[1:]], range(JOINTS)], dtype=np.uint32),
    }


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "tubes.npz"
    np.savez(path, **tubes())
    return path


def test_fits_the_joints(model, walk):
    body = load_body(model)
    fitted = body.fit(walk)
    vertices = fitted.vertices(np.arange(len(walk)))
    joints = np.einsum("jv,tvc->tjc", body.regressor, vertices)[:, :22]
    assert fitted.scale == pytest.approx(1, abs=1e-3)
    assert np.abs(joints - walk).max() < 0.03
    some = fitted.vertices(np.array([30, 2]))
    np.testing.assert_allclose(some, vertices[[30, 2]], atol=1e-5)


def test_has_the_size_of_the_person(model, walk):
    body = load_body(model)
    small = body.fit((walk * 0.7).astype(np.float32))
    assert small.scale == pytest.approx(0.7, abs=1e-3)
    tall = load_body(model, betas=np.array([1.0]))
    assert np.ptp(tall.template[:, 1]) == pytest.approx(1.1 * np.ptp(body.template[:, 1]), rel=1e-5)
    assert tall.fit(walk).scale == pytest.approx(1 / 1.1, abs=1e-3)


def test_takes_the_place_of_the_capsules(model, walking, tones):
    body = load_body(model)
    sheet = render_sheet(walking, body=body, frames=2, size=(400, 200), camera="front")
    assert sheet.tobytes() != render_sheet(walking, frames=2, size=(400, 200), camera="front").tobytes()
    masks = tones(sheet)
    for cell in (slice(0, 200), slice(200, 400)):
        assert masks["blue"][:, cell].sum() > 100 and masks["orange"][:, cell].sum() > 100
    first = np.nonzero(masks["blue"][:, :200])[1].mean(), np.nonzero(masks["orange"][:, :200])[1].mean()
    assert first[0] > first[1]  # seen from the front, the left is on the right
    assert render_sheet(walking, body=body, layout="trajectory", size=(200, 100)).size == (200, 100)


def test_video(model, walking, tmp_path):
    pytest.importorskip("av")
    render_video(walking[:4], tmp_path / "walk.mp4", body=load_body(model), size=(96, 96))
    assert (tmp_path / "walk.mp4").stat().st_size > 500


def test_joints_in_one_place_have_no_pose(model):
    with pytest.raises(ValueError, match="bone has no length"):
        render_sheet(Motion(np.zeros((3, 22, 3), np.float32)), body=load_body(model))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weights": np.zeros((3, JOINTS))}, r"finite numbers \[368, 24\] in weights, got \[3, 24\]"),
        ({"posedirs": np.zeros((368, 3, 5))}, r"finite numbers \[368, 3, 207\] in posedirs, got \[368, 3, 5\]"),
        ({"v_template": np.full((368, 3), np.nan)}, "finite numbers .* in v_template"),
        ({"f": np.array([[0, 1, 9999]])}, "refer to what is not there"),
        ({"kintree_table": np.zeros((2, JOINTS), np.int64)}, "SMPL's tree of joints"),
        ({"f": None}, "expected the array f"),
    ],
)
def test_broken_models(tmp_path, change, message):
    arrays = {name: array for name, array in (tubes() | change).items() if array is not None}
    np.savez(tmp_path / "broken.npz", **arrays)
    with pytest.raises(MotionFormatError, match=message):
        load_body(tmp_path / "broken.npz")


def test_errors(model, tmp_path):
    with pytest.raises(MotionFormatError, match=r"expected a body model ending in .npz or .pkl, got '.txt'"):
        load_body(tmp_path / "model.txt")
    with pytest.raises(MotionFormatError, match="expected a file"):
        load_body(tmp_path / "absent.npz")
    with pytest.raises(ValueError, match=r"has 2 shapes \(betas\), got 3"):
        load_body(model, betas=np.zeros(3))


def test_without_smplx(model, monkeypatch):
    monkeypatch.setitem(sys.modules, "smplx.lbs", None)
    with pytest.raises(ImportError, match=r'pip install "atom_hf\[smpl\]"'):
        load_body(model)
