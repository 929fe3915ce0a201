from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

from atom_hf.motion import Motion
from atom_hf.render import camera_distance, render_comparison, render_video, video

av = pytest.importorskip("av")

SMALL = (96, 64)


def decode(path):
    """Frames, frames per second and size of a video file."""
    with av.open(str(path)) as container:
        (stream,) = container.streams.video
        frames = [frame.to_ndarray(format="rgb24").astype(int) for frame in container.decode(video=0)]
        return frames, stream.average_rate, (stream.codec_context.width, stream.codec_context.height)


def durations(path):
    """Milliseconds of every frame of an animated image."""
    image = Image.open(path)
    found = []
    for i in range(image.n_frames):
        image.seek(i)
        image.load()
        found.append(image.info["duration"])
    return found


def test_mp4(walking, tmp_path, tones):
    path = tmp_path / "new" / "walk.mp4"
    render_video(walking, path, size=(128, 96))
    frames, rate, size = decode(path)
    assert len(frames) == 40 and rate == 20 and size == (128, 96)
    assert np.abs(frames[0] - frames[20]).mean() > 1
    assert tones(Image.fromarray(frames[10].astype(np.uint8)))["orange"].sum() > 40
    with av.open(str(path)) as container:
        assert container.streams.video[0].codec_context.name == "h264"
        assert container.streams.video[0].codec_context.pix_fmt == "yuv420p"
        assert container.duration / 1e6 == pytest.approx(2.0, abs=0.01)
    head = path.read_bytes()
    assert head.index(b"moov") < head.index(b"mdat")  # plays while it is loading
    assert [p.name for p in path.parent.iterdir()] == ["walk.mp4"]


def test_a_higher_rate_factor_makes_smaller_files(walking, tmp_path):
    sizes = []
    for crf in (16, 22, 34):
        render_video(walking, tmp_path / f"{crf}.mp4", size=(128, 96), crf=crf)
        sizes.append((tmp_path / f"{crf}.mp4").stat().st_size)
        assert len(decode(tmp_path / f"{crf}.mp4")[0]) == 40
    assert sizes[0] > 1.2 * sizes[1] > 1.2 * 1.2 * sizes[2]
    render_video(walking, tmp_path / "usual.mp4", size=(128, 96))
    assert (tmp_path / "usual.mp4").read_bytes() == (tmp_path / "22.mp4").read_bytes()


def test_videos_from_one_distance_have_one_scale(pose, monkeypatch, tmp_path):
    shown = []
    monkeypatch.setattr(video, "_encode", lambda blank, top, panels, *_: shown.extend(panels))
    clips = [Motion(pose()[None]), Motion(pose({"left_shoulder": (0, 0, 80)})[None])]
    near, far = (camera_distance([clip]) for clip in clips)
    assert near < far == camera_distance(clips) and camera_distance([]) == 0
    for clip in clips:
        render_video(clip, tmp_path / "a.mp4", distance=far)
    render_video(clips[0], tmp_path / "a.mp4")
    assert shown[0].scene.camera.distance == shown[1].scene.camera.distance >= far
    assert shown[2].scene.camera.distance < shown[0].scene.camera.distance


@pytest.mark.parametrize("size", [(97, 64), (96, 65), (97, 65)])
def test_odd_sizes_become_even_in_mp4(standing, tmp_path, size):
    render_video(standing, tmp_path / "odd.mp4", size=size)
    assert decode(tmp_path / "odd.mp4")[2] == (size[0] + size[0] % 2, size[1] + size[1] % 2)
    render_comparison(standing, standing, tmp_path / "odd.gif", size=(2 * size[0] + 1, size[1]))
    assert Image.open(tmp_path / "odd.gif").size == (2 * size[0] + 1, size[1])


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".GIF"])
def test_animated_images(walking, tmp_path, suffix):
    path = tmp_path / f"walk{suffix}"
    render_video(walking[:12], path, size=SMALL)
    image = Image.open(path)
    assert image.size == SMALL and image.n_frames == 12 and image.info["loop"] == 0
    assert durations(path) == [50] * 12


def test_gif_keeps_the_colours(walking, tmp_path):
    render_video(walking[:3], tmp_path / "walk.gif", size=(200, 200))
    (whole, *_), _, _ = decode(tmp_path / "walk.gif")
    from atom_hf.render.scene import Scene

    exact = np.asarray(next(Scene(walking[:3], size=(200, 200)).images([0]))).astype(int)
    assert np.abs(whole - exact).mean() < 2 and (np.abs(whole - exact).max(-1) > 40).mean() < 0.005


@pytest.mark.parametrize(
    ("fps", "asked", "frames", "rate"),
    [
        (20.0, None, 30, 20),
        (120.0, None, 30, 30),  # four times as many as are shown
        (59.94, None, 30, 30),
        (10.0, None, 30, 10),
        (20.0, 40.0, 30, 40),
        (12.5, None, 30, Fraction(25, 2)),
    ],
)
def test_runs_at_the_speed_of_life(pose, tmp_path, fps, asked, frames, rate):
    length = round(frames / float(rate) * fps)
    motion = Motion(np.repeat(pose()[None], length, axis=0), fps)
    render_video(motion, tmp_path / "clip.mp4", size=SMALL, fps=asked)
    decoded, found, _ = decode(tmp_path / "clip.mp4")
    assert len(decoded) == frames and found == rate


def test_frames_are_picked_by_time(pose, tmp_path, monkeypatch):
    shown = []
    monkeypatch.setattr(video, "_encode", lambda blank, top, panels, *_: shown.extend(panels))
    render_video(Motion(np.repeat(pose()[None], 12, axis=0), 60.0), tmp_path / "a.mp4", size=SMALL, fps=20.0)
    render_video(Motion(np.repeat(pose()[None], 3, axis=0), 10.0), tmp_path / "b.mp4", size=SMALL, fps=20.0)
    assert [panel.indices.tolist() for panel in shown] == [[0, 3, 6, 9], [0, 0, 1, 2, 2, 2]]


def test_gif_time_adds_up(standing, tmp_path):
    """A GIF counts in hundredths of a second; 30 frames a second need 3, 4, 3, 3, 4 … of them."""
    motion = Motion(np.repeat(standing.joints[:1], 30, axis=0) + np.arange(30, dtype=np.float32)[:, None, None], 30.0)
    render_video(motion, tmp_path / "clip.gif", size=SMALL)
    found = durations(tmp_path / "clip.gif")
    assert sum(found) == pytest.approx(1000, abs=20) and set(found) == {30, 40}
    render_video(motion, tmp_path / "fast.gif", size=SMALL, fps=100.0)
    assert set(durations(tmp_path / "fast.gif")) == {20}  # browsers would slow down more


def test_comparison(walking, standing, tmp_path, tones):
    path = tmp_path / "pair.mp4"
    render_comparison(walking, standing, path, size=(256, 128), labels=("walks", "stands"), caption="which is better?")
    frames, rate, size = decode(path)
    assert len(frames) == 40 and rate == 20 and size == (256, 128)  # as long as the longer one
    for half in (slice(0, 128), slice(128, 256)):
        assert tones(Image.fromarray(frames[5][:, half].astype(np.uint8)))["orange"].sum() > 30
        assert (frames[5][24:50, half].max(-1) < 110).sum() > 20  # its label
    assert (frames[5][:20].max(-1) < 110).sum() > 60  # the caption
    left, right = (
        np.abs(frames[12][40:, half] - frames[39][40:, half]).mean() for half in (slice(0, 126), slice(130, 256))
    )
    assert left > 5 * right  # the shorter one stays at its last frame


def test_comparison_has_one_scale(pose, monkeypatch, tmp_path):
    shown = []
    monkeypatch.setattr(video, "_encode", lambda blank, top, panels, *_: shown.extend(panels))
    low, high = Motion(pose()[None]), Motion(pose({"left_shoulder": (0, 0, 80)})[None], 30.0)
    render_comparison(low, high, tmp_path / "pair.gif")
    assert shown[0].scene.camera.distance == shown[1].scene.camera.distance
    assert shown[0].scene.size == shown[1].scene.size and shown[1].left == 512


def test_whole_or_not_at_all(walking, tmp_path, monkeypatch):
    path = tmp_path / "walk.mp4"
    path.write_bytes(b"old")

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(video, "_frame", stop)
    with pytest.raises(KeyboardInterrupt):
        render_video(walking, path, size=SMALL)
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


def test_pictures_are_drawn_one_by_one(standing, tmp_path, monkeypatch):
    """Memory must not grow with the clip: a picture is encoded before the next but one is drawn."""
    drawn, waiting = [0], []
    images, frame = video.Scene.images, video._frame

    def counting(self, frames):
        for image in images(self, frames):
            drawn[0] += 1
            yield image

    def encoding(*arguments):
        waiting.append(drawn[0] - len(waiting))
        return frame(*arguments)

    monkeypatch.setattr(video.Scene, "images", counting)
    monkeypatch.setattr(video, "_frame", encoding)
    render_video(standing, tmp_path / "clip.mp4", size=SMALL)
    assert waiting == [1] * len(standing)


def test_one_frame(standing, tmp_path):
    for suffix in (".mp4", ".gif", ".webp"):
        render_video(standing[:1], tmp_path / f"one{suffix}", size=SMALL)
    assert len(decode(tmp_path / "one.mp4")[0]) == 1


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("walk.avi", {}, r"walk.avi: expected a file ending in .mp4, .gif, .webp, got '.avi'"),
        ("walk", {}, r"walk: expected a file ending in .mp4, .gif, .webp, got 'no suffix'"),
        ("walk.mp4", {"fps": 0}, "fps .* above zero, got 0"),
        ("walk.mp4", {"size": (64, 20), "caption": "text"}, "Expected room for pictures of at least 16 pixels below"),
        ("walk.mp4", {"camera": "x"}, "Expected a camera from"),
        ("walk.mp4", {"crf": 52}, "Expected crf, .* an integer from 0 to 51, got 52"),
    ],
)
def test_errors(standing, tmp_path, name, options, message):
    with pytest.raises(ValueError, match=message):
        render_video(standing, tmp_path / name, **options)
    assert list(tmp_path.iterdir()) == []


def test_errors_of_comparisons(standing, tmp_path):
    for labels in ("AB", ("A",), ("A", "B", "C")):
        with pytest.raises(ValueError, match="Expected a label for each of 2 motions, got"):
            render_comparison(standing, standing, tmp_path / "pair.mp4", labels=labels)
    with pytest.raises(TypeError, match="Expected a Motion, got ndarray"):
        render_comparison(standing, standing.joints, tmp_path / "pair.mp4")


def test_without_pyav(standing, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "av", None)
    with pytest.raises(ImportError, match=r'try: pip install "atom_hf\[render\]"'):
        render_video(standing, tmp_path / "walk.mp4", size=SMALL)
    assert list(tmp_path.iterdir()) == []
