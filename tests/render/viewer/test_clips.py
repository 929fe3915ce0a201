"""Clips and events say what is wrong with them."""

import math

import pytest

from atom_hf.render.viewer import ViewerClip, ViewerEvent


def test_an_event_is_a_plain_record():
    assert ViewerEvent("jump", 1, 2.5, row="seen", side="left").record() == {
        "name": "jump",
        "start": 1.0,
        "end": 2.5,
        "row": "seen",
        "side": "left",
    }


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("jump", 2.0, 1.0), ValueError, r"Expected 0 <= start <= end in seconds for event 'jump', got 2\.0 and 1\.0"),
        (("jump", math.nan, 1.0), ValueError, r"Expected 0 <= start <= end"),
        (("jump", 0.0, math.inf), ValueError, r"Expected 0 <= start <= end"),
        (("jump", 0.0, 1.0, "wanted"), ValueError, r"Expected a row from asked, seen for event 'jump', got 'wanted'"),
        ((3, 0.0, 1.0), TypeError, r"Name and side of an event are text, got 3"),
    ],
)
def test_a_wrong_event_is_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        ViewerEvent(*arguments)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"label": 1}, TypeError, "The label of a clip is text, got 1"),
        (
            {"events": [("jump", 0, 1)]},
            TypeError,
            r"Expected ViewerEvent\(name, start, end\) among the events, got tuple",
        ),
        ({"mesh": "body.glb"}, TypeError, "Expected a GLB file as bytes, got str"),
        ({"mesh": b"solid cube"}, ValueError, r"Expected a GLB file, which begins with b'glTF', got b'soli'"),
    ],
)
def test_a_wrong_clip_is_refused(walking, options, error, message):
    with pytest.raises(error, match=message):
        ViewerClip(walking, **options)


def test_a_clip_of_joints_alone_is_refused(walk):
    with pytest.raises(TypeError, match=r"Expected a Motion, got ndarray"):
        ViewerClip(walk)
