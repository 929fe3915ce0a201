import base64
import io
import json
import math
import re
import sys

import pytest
from PIL import Image

from atom_hf.evaluation.report import Clip, ClipGroup, clips, pick_cases
from atom_hf.evaluation.report.clips import viewers
from atom_hf.motion import Motion
from atom_hf.render.viewer import ViewerEvent, viewer_script, viewer_style

LARGE = 10**9


@pytest.fixture
def motion(walk):
    return Motion(walk[:6])


@pytest.fixture
def groups(motion):
    return [ClipGroup(f"prompt {i}", [Clip("base", motion), Clip("ours", motion[: 3 + i])]) for i in range(3)]


def spec(block):
    (text,) = re.findall(r'<script type="application/json">(.*?)</script>', block)
    return json.loads(text)


def decoded(url, kind):
    head, _, data = url.partition(",")
    assert head == f"data:{kind};base64"
    return io.BytesIO(base64.b64decode(data, validate=True))


def test_a_viewer_a_group(groups):
    reel = viewers(groups, LARGE)
    assert reel.notes == [] and len(reel.blocks) == 3
    assert (reel.style, reel.script) == (viewer_style(), viewer_script())
    found = spec(reel.blocks[1])
    assert [(clip["label"], clip["frames"]) for clip in found["clips"]] == [("base", 6), ("ours", 4)]


def test_events_are_shown(motion):
    events = (ViewerEvent("jump", 0.0, 0.2), ViewerEvent("jump", 0.1, 0.2, row="seen"))
    (block,) = viewers([ClipGroup("a", [Clip("base", motion, events=events)])], LARGE).blocks
    assert [event["row"] for event in spec(block)["clips"][0]["events"]] == ["asked", "seen"]


def test_a_still_and_a_video_for_browsers_that_cannot_draw(groups):
    av = pytest.importorskip("av")
    block = viewers(groups[:1], LARGE).blocks[0]
    (still,) = re.findall(r'<img data-still src="([^"]*)"', block)
    assert Image.open(decoded(still, "image/webp")).width == 960
    with av.open(decoded(spec(block)["fallback"]["video"], "video/mp4")) as container:
        assert container.streams.video[0].codec_context.name == "h264"


def test_the_same_bytes_again(groups):
    assert viewers(groups[:1], LARGE) == viewers(groups[:1], LARGE)


def test_beyond_the_budget_videos_go_then_groups(groups):
    pytest.importorskip("av")
    whole = viewers(groups, LARGE)
    around = len(whole.style.encode()) + len(whole.script.encode())
    least = viewers(groups, around + sum(len(clips._block(group, 0)) for group in groups) + 30)
    assert all(len(few) < len(many) for few, many in zip(least.blocks, whole.blocks, strict=True))
    assert least.notes == [] and not any("video" in spec(block)["fallback"] for block in least.blocks)
    one = viewers(groups, around + len(least.blocks[0]) + 10)
    assert [bool(block) for block in one.blocks] == [True, False, False] and one.script
    assert one.notes == ["2 of 3 groups of motions are not shown, to keep this file small."]
    none = viewers(groups, 1)
    assert none.blocks == ["", "", ""] and none.script == none.style == ""
    assert none.notes == ["3 of 3 groups of motions are not shown, to keep this file small."]


def test_without_pyav_there_is_a_still(monkeypatch, groups):
    monkeypatch.setitem(sys.modules, "av", None)
    reel = viewers(groups, LARGE)
    assert reel.notes == [] and all("data-still" in block for block in reel.blocks)
    assert not any("video" in spec(block)["fallback"] for block in reel.blocks)


def test_words_without_pillow(monkeypatch, groups):
    monkeypatch.setitem(sys.modules, "atom_hf.render.viewer", None)
    reel = viewers(groups, LARGE)
    assert reel.notes == ["Motions are not shown, since Pillow, which draws them, is not installed."]
    assert reel.blocks == ["", "", ""] and reel.script == reel.style == ""


def test_no_groups_no_notes():
    assert viewers([], 0) == ([], "", "", [])
    assert viewers([ClipGroup("nothing", [])], 0) == ([""], "", "", [])


@pytest.mark.parametrize(
    ("scores", "n", "best", "median", "worst"),
    [
        ([0.1, 0.9, 0.5, 0.3, 0.7], 1, [1], [2], [0]),
        ([0.5, 0.4, 0.3, 0.2, 0.1, 0.0], 2, [0, 1], [3, 2], [5, 4]),
        ([0.5, None, 0.3, math.nan, 0.1], 1, [0], [2], [4]),
        ([1.0, 1.0, 1.0], 1, [0], [1], [2]),
        ([0.2, 0.8], 1, [1], [], [0]),
        ([0.2, 0.8], 5, [1, 0], [], []),
        ([0.2, 0.8, 0.4, 0.6], 2, [1, 3], [], [0, 2]),
        ([None, math.inf], 3, [], [], []),
    ],
)
def test_pick_cases(scores, n, best, median, worst):
    assert pick_cases(scores, n) == (best, median, worst)


def test_pick_cases_shows_none_twice():
    for count in range(12):
        for n in range(1, 6):
            found = [case for cases in pick_cases(list(range(count)), n) for case in cases]
            assert len(found) == len(set(found)) == min(count, 3 * n)


def test_pick_cases_refused():
    with pytest.raises(ValueError, match="Expected n of 1 or more, got 0"):
        pick_cases([1.0], 0)
