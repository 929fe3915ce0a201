"""Pictures of motions in trackers: fakes of Trackio and Weights & Biases, TensorBoard itself where it is installed."""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("PIL")

import torch
from transformers.integrations import TensorBoardCallback, TrackioCallback, WandbCallback

from atom_hf.motion import Motion
from atom_hf.trainer.monitoring.measures import Sample
from atom_hf.trainer.monitoring.monitor import MotionMonitor
from atom_hf.trainer.monitoring.trackers import SamplePictures, picture_trackers
from tests.trainer.monitoring.test_monitor import run


class Module:
    """What trackio and wandb have in common."""

    def __init__(self) -> None:
        self.logged: list[dict[str, Any]] = []

    def Image(self, image: Any, caption: str) -> Any:
        return SimpleNamespace(size=image.size, caption=caption)

    def Video(self, path: str, caption: str, format: str) -> Any:
        return SimpleNamespace(head=Path(path).read_bytes()[4:8], caption=caption, format=format)

    def log(self, values: dict[str, Any]) -> None:
        self.logged.append(values)


def callback_of(kind: Any, **attributes: Any) -> Any:
    """transformers' callback without its library."""
    callback = kind.__new__(kind)
    callback.__dict__.update(attributes)
    return callback


@pytest.fixture
def calm(model: Any) -> Any:
    """The tiny model with motions of metres, and not of light years."""
    with torch.no_grad():
        for weight in model.vqvae.parameters():
            weight *= 0.05
    return model


@pytest.fixture
def samples(walk: np.ndarray) -> list[Sample]:
    return [Sample(Motion(walk[:12]), f"prompt {i}") for i in range(6)]


@pytest.mark.parametrize(("kind", "name"), [(TrackioCallback, "_trackio"), (WandbCallback, "_wandb")])
def test_media_trackers(samples, kind, name):
    module = Module()
    trackers = picture_trackers([object(), callback_of(kind, **{name: module})])
    SamplePictures().show(samples, 50, trackers)
    assert [list(values) for values in module.logged] == [[f"samples/{i}", "train/global_step"] for i in range(4)]
    assert module.logged[1]["samples/1"].caption == "prompt 1"
    assert module.logged[1]["samples/1"].size == (1024, 512)
    assert module.logged[1]["train/global_step"] == 50


def test_videos(samples):
    pytest.importorskip("av")
    module = Module()
    trackers = picture_trackers([callback_of(WandbCallback, _wandb=module)])
    SamplePictures(1, video=True).show(samples, 0, trackers)
    video = module.logged[0]["samples/0/video"]
    assert (video.head, video.format) == (b"ftyp", "mp4")


def test_files(samples, tmp_path):
    from PIL import Image

    SamplePictures(2, folder=tmp_path / "pictures").show(samples, 50, [])
    assert sorted(path.name for path in (tmp_path / "pictures").iterdir()) == ["000050_0.png", "000050_1.png"]
    assert Image.open(tmp_path / "pictures" / "000050_0.png").size == (1024, 512)


def test_nothing_is_drawn_for_nobody(samples, monkeypatch):
    monkeypatch.setattr("atom_hf.render.render_sheet", lambda *_, **__: pytest.fail("drawn"))
    SamplePictures().show(samples, 0, [])
    SamplePictures(0).show(samples, 0, picture_trackers([callback_of(WandbCallback, _wandb=Module())]))


def test_what_cannot_be_drawn_ends_no_training(samples, tmp_path, caplog, monkeypatch):
    from atom_hf.render import render_sheet

    def draw(motion: Any, caption: str, **options: Any) -> Any:
        if caption == "prompt 0":
            raise ValueError("too far away")
        return render_sheet(motion, caption=caption, **options)

    monkeypatch.setattr("atom_hf.render.render_sheet", draw)
    SamplePictures(2, folder=tmp_path).show(samples, 7, [])
    assert [path.name for path in tmp_path.iterdir()] == ["000007_1.png"]
    assert "Step 7: the motion for 'prompt 0' cannot be drawn: too far away" in caplog.text


def test_a_closed_tensorboard_is_left_alone(samples):
    SamplePictures(1).show(samples, 0, picture_trackers([callback_of(TensorBoardCallback, tb_writer=None)]))


def test_pillow_is_asked_for_only_where_pictures_are(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "atom_hf.render", None)
    pictures = SamplePictures()
    pictures.check()
    assert pictures.count == 0
    SamplePictures(0, folder=tmp_path).check()
    for asked in (SamplePictures(2), SamplePictures(folder=tmp_path), SamplePictures(video=True)):
        with pytest.raises(ImportError, match="or show nothing"):
            asked.check()


def test_pictures_of_a_run(calm, pairs, small, tmp_path):
    monitor = MotionMonitor(["the man jumps"], max_frames=24, every_steps=2, folder=tmp_path / "seen", samples=3)
    run(calm, pairs, small, monitor)
    assert sorted(path.name for path in (tmp_path / "seen").iterdir()) == ["000000_0.png", "000002_0.png"]


def test_tensorboard(calm, pairs, small, tmp_path, monkeypatch):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    monkeypatch.setenv("TENSORBOARD_LOGGING_DIR", str(tmp_path / "board"))
    monitor = MotionMonitor(["the man jumps", "she sits down"], max_frames=24, every_steps=2)
    run(calm, pairs, small, monitor, report_to="tensorboard")
    board = EventAccumulator(str(tmp_path / "board"))
    board.Reload()
    assert board.Tags()["images"] == ["samples/0", "samples/1"]
    assert [image.step for image in board.Images("samples/1")] == [0, 2]
    assert [point.step for point in board.Scalars("eval/sample_kl")] == [0, 2]
    assert board.Scalars("eval/sample_kl")[-1].value == pytest.approx(monitor.history[-1]["sample_kl"])
