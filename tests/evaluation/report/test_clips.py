import base64
import io
import math
import sys
from functools import partial

import numpy as np
import pytest
from PIL import Image

from atom_hf.evaluation.report import Clip, ClipGroup, clips, pick_cases
from atom_hf.evaluation.report.clips import render_reel
from atom_hf.motion import Motion

LARGE = 10**9


@pytest.fixture
def motion(walk):
    return Motion(walk[:6])


@pytest.fixture
def groups(motion):
    return [ClipGroup(f"prompt {i}", [Clip("base", motion), Clip("ours", motion[: 3 + i])]) for i in range(3)]


def decoded(url, kind):
    head, _, data = url.partition(",")
    assert head == f"data:{kind};base64"
    return io.BytesIO(base64.b64decode(data, validate=True))


def test_videos(groups):
    av = pytest.importorskip("av")
    reel = render_reel(groups, LARGE)
    assert reel.notes == [] and [len(group) for group in reel.groups] == [2, 2, 2]
    picture = reel.groups[0][1]
    assert picture.kind == "video" and picture.size == (256, 256) and picture.bytes < 60_000
    assert Image.open(decoded(picture.poster, "image/jpeg")).size == (256, 256)
    with av.open(decoded(picture.url, "video/mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert (stream.width, stream.height, stream.average_rate) == (256, 256, 20)
        frames = [frame.to_ndarray(format="rgb24").astype(int) for frame in container.decode(video=0)]
    assert len(frames) == 3 and np.abs(frames[0] - frames[-1]).mean() > 0.2  # it moves


def test_the_same_bytes_again(groups):
    pytest.importorskip("av")
    assert render_reel(groups[:1], LARGE) == render_reel(groups[:1], LARGE)


def test_motions_of_a_group_have_one_scale(monkeypatch, motion):
    pytest.importorskip("av")
    from atom_hf import render

    seen = {"render_video": [], "render_frames": [], "render_strip": []}

    def spy(original, distances, *arguments, distance, **options):
        distances.append(distance)
        return original(*arguments, distance=distance, **options)

    for name, distances in seen.items():
        monkeypatch.setattr(render, name, partial(spy, getattr(render, name), distances))
    far = Motion(motion.joints + np.linspace(0, 9, len(motion), dtype=np.float32)[:, None, None])
    alone = [render.camera_distance([each]) for each in (motion, far)]
    both, one = ClipGroup("both", [Clip("near", motion), Clip("far", far)]), ClipGroup("one", [Clip("near", motion)])
    render_reel([both, one], LARGE)
    assert alone[0] < alone[1]
    assert seen["render_video"] == seen["render_frames"] == [alone[1], alone[1], alone[0]]
    monkeypatch.setitem(sys.modules, "av", None)
    render_reel([both, one], LARGE)
    assert seen["render_strip"] == seen["render_video"][:3]


def test_beyond_the_budget_all_get_coarser_then_fewer(groups):
    pytest.importorskip("av")
    fine = sum(picture.bytes for group in render_reel(groups, LARGE).groups for picture in group)
    coarse = render_reel(groups, fine - 1)
    assert coarse.notes == ["Videos are coarser than usual, to keep this file small."]
    assert {picture.size[0] for group in coarse.groups for picture in group} == {224}
    least = render_reel(groups, 1)
    assert {picture.kind for group in least.groups for picture in group} == {"none"}
    assert least.notes[-1] == "3 of 3 groups of motions are without pictures, to keep this file small."
    assert [len(group) for group in least.groups] == [2, 2, 2]


def test_whole_groups_stay(monkeypatch, groups):
    monkeypatch.setattr(clips, "_video", lambda *_: clips.Picture("video", "x" * 100))
    reel = render_reel(groups, 450)
    assert [[picture.kind for picture in group] for group in reel.groups] == [
        ["video"] * 2,
        ["video"] * 2,
        ["none"] * 2,
    ]
    assert reel.notes[-1].startswith("1 of 3 groups")


def test_stills_without_pyav(monkeypatch, groups):
    monkeypatch.setitem(sys.modules, "av", None)
    reel = render_reel(groups, LARGE)
    assert reel.notes == ["Motions are shown as stills, since PyAV, which writes videos, is not installed."]
    picture = reel.groups[0][0]
    assert picture.kind == "still" and picture.poster == ""
    assert Image.open(decoded(picture.url, "image/jpeg")).size == picture.size == (960, 160)
    assert render_reel(groups, sum(picture.bytes for picture in reel.groups[0])).notes[-1].startswith("2 of 3 groups")


def test_words_without_pillow(monkeypatch, groups):
    monkeypatch.setitem(sys.modules, "atom_hf.render", None)
    monkeypatch.delattr(sys.modules["atom_hf"], "render", raising=False)
    reel = render_reel(groups, LARGE)
    assert reel.notes == ["Motions are not shown, since Pillow, which draws them, is not installed."]
    assert [[picture.kind for picture in group] for group in reel.groups] == [["none", "none"]] * 3


def test_no_groups_no_notes():
    assert render_reel([], 0) == ([], [])


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
