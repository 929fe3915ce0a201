"""Pictures and videos of motions in the tracker that a trainer reports to: TensorBoard, Trackio, Weights & Biases.

trackers = picture_trackers(trainer.callback_handler.callbacks)
trackers[0].show("samples/0", Shown(image, "a person jumps", None), step=50)

The trackers are the ones that transformers has opened; nothing is opened, and no tracker imported, here.
"""

import importlib
import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from transformers.integrations import TensorBoardCallback, TrackioCallback, WandbCallback

from ...motion.formats.files import replacing

_SHOWN = 4
_SHEET: dict[str, Any] = {"frames": 8, "size": (1024, 512)}
_VIDEO: dict[str, Any] = {"size": (320, 320)}

_log = logging.getLogger(__name__)


class Shown(NamedTuple):
    """One motion to look at.

    Args:
        image (`PIL.Image.Image`): RGB.
        caption (`str`): below it.
        video (`Path`, *optional*): an MP4 file of the same.
    """

    image: Any
    caption: str
    video: Path | None = None


class TensorBoardTracker:
    """Images; its videos would need MoviePy.

    Args:
        callback (`TensorBoardCallback`): transformers'.
    """

    takes_video = False

    def __init__(self, callback: Any) -> None:
        self.callback = callback

    def show(self, key: str, shown: Shown, step: int) -> None:
        """Add an image; TensorBoard's writer is closed after training, and then nothing is shown.

        Args:
            key (`str`): such as `"samples/0"`.
            shown ([`Shown`]): what.
            step (`int`): of the training.
        """
        writer = self.callback.tb_writer
        if writer is not None:
            writer.add_image(key, np.asarray(shown.image), step, dataformats="HWC")
            if not step:
                writer.add_text(f"{key}/prompt", shown.caption, step)
            writer.flush()


class MediaTracker:
    """Trackio and Weights & Biases, whose modules have the same names.

    Args:
        module (`module`): `trackio` or `wandb`, with `Image`, `Video` and `log`.
    """

    takes_video = True

    def __init__(self, module: Any) -> None:
        self.module = module

    def show(self, key: str, shown: Shown, step: int) -> None:
        """Log a picture, and a video where there is one.

        Args:
            key (`str`): such as `"samples/0"`.
            shown ([`Shown`]): what.
            step (`int`): of the training, given as transformers gives it.
        """
        media = {key: self.module.Image(shown.image, caption=shown.caption)}
        if shown.video is not None:
            media[f"{key}/video"] = self.module.Video(str(shown.video), caption=shown.caption, format="mp4")
        self.module.log({**media, "train/global_step": step})


def picture_trackers(callbacks: Sequence[Any]) -> list[Any]:
    """The trackers among a trainer's callbacks that can show pictures.

    Args:
        callbacks (`Sequence[TrainerCallback]`): `trainer.callback_handler.callbacks`.

    Returns:
        `list`: trackers with `show` and `takes_video`.
    """
    found: list[Any] = []
    for callback in callbacks:
        if isinstance(callback, TensorBoardCallback):
            found.append(TensorBoardTracker(callback))
        elif isinstance(callback, TrackioCallback):
            found.append(MediaTracker(callback._trackio))
        elif isinstance(callback, WandbCallback):
            found.append(MediaTracker(callback._wandb))
    return found


class SamplePictures:
    """Draws motions, and shows them in trackers and a folder.

    Args:
        shown (`int`, *optional*): how many; 4 by default, where Pillow is installed.
        video (`bool`, *optional*, defaults to `False`): videos as well, in trackers that take them.
        folder (`str` or `Path`, *optional*): the pictures as PNG files, such as `000050_0.png`.
    """

    def __init__(self, shown: int | None = None, video: bool = False, folder: str | Path | None = None) -> None:
        if shown is not None and shown < 0:
            raise ValueError(f"Expected shown as a number of pictures from 0, got {shown}.")
        self.asked = bool(shown) or (shown is None and (video or folder is not None))
        self.count = _SHOWN if shown is None else shown
        self.video, self.folder = video, None if folder is None else Path(folder)

    def check(self) -> None:
        """See whether pictures can be drawn, before the first step.

        Raises:
            ImportError: if they cannot, and were asked for.
        """
        if not self.count:
            return
        try:
            importlib.import_module("atom_hf.render")
        except ImportError as error:
            if self.asked:
                raise ImportError(f"{error}; or show nothing: MotionMonitor(…, shown=0).") from error
            self.count = 0

    def show(self, samples: Sequence[Any], step: int, trackers: Sequence[Any]) -> None:
        """Draw and show.

        Args:
            samples (`Sequence[Sample]`): with `motion` and `prompt`; the first ones are shown.
            step (`int`): of the training.
            trackers (`Sequence`): of `picture_trackers`.
        """
        chosen = samples[: self.count]
        if not chosen or not (trackers or self.folder):
            return
        from ...render import render_sheet, render_video

        with tempfile.TemporaryDirectory() as folder:
            for i, sample in enumerate(chosen):
                try:
                    image = render_sheet(sample.motion, caption=sample.prompt, **_SHEET)
                except ValueError as error:  # a motion of kilometres is a sign, and no reason to end a training
                    _log.warning("Step %d: the motion for %r cannot be drawn: %s", step, sample.prompt, error)
                    continue
                if self.folder is not None:
                    with replacing(self.folder / f"{step:06d}_{i}.png") as path:
                        image.save(path)
                film = None
                if self.video and any(tracker.takes_video for tracker in trackers):
                    film = Path(folder) / f"{i}.mp4"
                    render_video(sample.motion, film, **_VIDEO)
                for tracker in trackers:
                    tracker.show(f"samples/{i}", Shown(image, sample.prompt, film), step)
