"""What the browser is told about a viewer."""

import base64
import importlib.util
import io
import json

import numpy as np
import pytest
from PIL import Image

from atom_hf.motion import Motion
from atom_hf.motion.rotation import euler_to_matrix
from atom_hf.render.scene import Scene
from atom_hf.render.viewer import ViewerClip, ViewerEvent, viewer_spec
from atom_hf.render.viewer.packing import unpack_joints


def test_a_spec_is_json_and_holds_the_clip(walking):
    spec = viewer_spec(ViewerClip(walking, "walk", [ViewerEvent("walk", 0, 2)]), prompt="a person walks")
    clip = json.loads(json.dumps(spec, allow_nan=False))["clips"][0]
    assert (clip["label"], clip["frames"], clip["fps"]) == ("walk", 40, 20.0)
    assert [event["name"] for event in clip["events"]] == ["walk"]
    assert len(base64.b64decode(clip["contacts"])) == 40


def test_a_clip_is_placed_as_in_pictures(walking):
    [clip] = viewer_spec(ViewerClip(walking), fallback=False)["clips"]
    scene = Scene(walking)
    assert np.abs(unpack_joints(clip) - scene.joints).max() < 0.0005
    assert clip["tilt"] == pytest.approx(scene.tilt, abs=1e-4)


def test_the_still_is_a_picture_and_can_be_left_out(walking, standing):
    spec = viewer_spec([ViewerClip(walking), ViewerClip(standing)])
    kind, data = spec["fallback"]["still"].split(",")
    assert kind == "data:image/webp;base64"
    picture = Image.open(io.BytesIO(base64.b64decode(data)))
    assert picture.size == (960, 514)
    assert len(data) < 60_000
    assert "fallback" not in viewer_spec(ViewerClip(walking), fallback=False)


@pytest.mark.skipif(importlib.util.find_spec("av") is None, reason="videos need PyAV")
def test_a_video_comes_along_where_the_budget_allows(walking, standing):
    clips = [ViewerClip(walking), ViewerClip(standing)]
    video = viewer_spec(clips, fallback=False, video_budget=500_000)["fallback"]["video"]
    assert base64.b64decode(video.removeprefix("data:video/mp4;base64,"))[4:8] == b"ftyp"
    assert "fallback" not in viewer_spec(clips, fallback=False, video_budget=100)


def test_there_is_no_video_without_pyav(walking, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "av", None)
    assert "fallback" not in viewer_spec(ViewerClip(walking), fallback=False, video_budget=500_000)


def test_a_mesh_is_turned_and_moved_as_the_joints_are(walking):
    turn = euler_to_matrix(np.deg2rad([[0.0, 130.0, 0.0]]), "XYZ")[0]
    elsewhere = Motion(walking.joints @ turn.T.astype(np.float32) + np.float32([4, 0.3, -7]), walking.fps)
    [clip] = viewer_spec(ViewerClip(elsewhere, mesh=b"glTF...."), fallback=False)["clips"]
    mesh = clip["mesh"]
    assert base64.b64decode(mesh["glb"]) == b"glTF...."
    sine, cosine = np.sin(mesh["yaw"]), np.cos(mesh["yaw"])
    placed = elsewhere.joints @ np.array([[cosine, 0, -sine], [0, 1, 0], [sine, 0, cosine]]) + np.array(mesh["at"])
    assert np.abs(placed - unpack_joints(clip)).max() < 0.001


def test_one_frame_is_a_clip(walk):
    [clip] = viewer_spec(ViewerClip(Motion(walk[:1])), video_budget=0)["clips"]
    assert clip["frames"] == 1
    assert unpack_joints(clip).shape == (1, 22, 3)


def test_ten_thousand_frames_take_two_megabytes(walk):
    way = np.linspace(0, [300.0, 0, 0], 250)[:, None, None]
    joints = (walk[None] + way).reshape(-1, 22, 3).astype(np.float32)
    spec = viewer_spec(ViewerClip(Motion(joints)), fallback=False)
    assert spec["clips"][0]["frames"] == 10_000
    assert len(json.dumps(spec)) < 2_000_000
    assert np.abs(unpack_joints(spec["clips"][0]) - Scene(Motion(joints)).joints).max() < 0.0005


@pytest.mark.parametrize(
    ("count", "options", "error", "message"),
    [
        (0, {}, ValueError, "Expected one to 4 clips, got 0"),
        (5, {}, ValueError, "Expected one to 4 clips, got 5"),
        (1, {"camera": "below"}, ValueError, "Expected a camera from front"),
        (1, {"theme": "blue"}, ValueError, "Expected a theme of 'light', 'dark' or None, got 'blue'"),
        (1, {"prompt": None}, TypeError, "A prompt is text, got NoneType"),
    ],
)
def test_what_cannot_be_shown_is_refused(walking, count, options, error, message):
    with pytest.raises(error, match=message):
        viewer_spec([ViewerClip(walking)] * count, **options)


def test_motions_are_wrapped_in_clips(walking):
    with pytest.raises(TypeError, match=r"Expected ViewerClip\(motion\), got Motion"):
        viewer_spec([walking])


def test_joints_that_became_nan_are_refused(walk):
    motion = Motion(walk.copy())
    motion.joints[5, 3] = np.nan
    with pytest.raises(ValueError, match=r"5"):
        viewer_spec(ViewerClip(motion))
