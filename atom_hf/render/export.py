"""Every file a motion can be taken away as; the suffix says which.

| suffix | what it is |
|---|---|
| `.bvh` | skeleton and motion, for animation programs |
| `.glb` | figure, skeleton and motion, for everything that shows 3D; with a body model its skin |
| `.fbx` | the same through Blender, for programs that take nothing else |
| `.obj` | a folder of numbered meshes |
| `.mp4`, `.gif`, `.webp` | video |
| `.html` | a page with the viewer, which opens from disk |
| `.npz`, `.npy` | AMASS's SMPL layout, joints [T, 22, 3] |
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..motion import Motion
from ..motion.checks import check_fps
from ..motion.foot_locking import lock_feet as locked
from ..motion.formats import load_motion, save_motion
from ..motion.formats.files import MotionFormatError, replacing
from ..motion.kinematics import inverse_kinematics
from ..motion.layout import FPS
from .export_report import ExportReport
from .fbx import write_fbx
from .glb import write_glb
from .mesh import MeshBody
from .mesh_sequence import body_glb, write_body_glb, write_obj_sequence
from .video import render_video
from .viewer import ViewerClip, ViewerEvent, viewer_page


@dataclass(frozen=True)
class ExportOptions:
    """What formats ask about; each takes what concerns it.

    Args:
        floor (`bool`, *optional*, defaults to `True`): a floor under the figure (.glb, .fbx).
        body ([`MeshBody`], *optional*): a body model instead of capsules (.glb, .obj and videos).
        fps (`float`, *optional*): frame rate that was asked for (videos; others are resampled before).
        blender (`str` or `Path`, *optional*): Blender's program (.fbx).
        events (`Sequence[ViewerEvent]`, *optional*): shown below the time line (.html).
    """

    floor: bool = True
    body: MeshBody | None = None
    fps: float | None = None
    blender: str | Path | None = None
    events: Sequence[ViewerEvent] = ()


Writer = Callable[[Motion, Path, ExportOptions], ExportReport]


def _glb(motion: Motion, path: Path, options: ExportOptions) -> ExportReport:
    if options.body is None:
        return write_glb(motion, path, floor=options.floor)
    return write_body_glb(motion, path, options.body, floor=options.floor)


def _fbx(motion: Motion, path: Path, options: ExportOptions) -> ExportReport:
    return write_fbx(motion, path, floor=options.floor, blender=options.blender)


def _obj(motion: Motion, path: Path, options: ExportOptions) -> ExportReport:
    return write_obj_sequence(motion, path, options.body)


def _bvh(motion: Motion, path: Path, options: ExportOptions) -> ExportReport:
    solved = inverse_kinematics(motion.joints.astype(np.float64))
    save_motion(motion, path)
    return ExportReport.of(path, motion, solved.residual)


def _smpl(motion: Motion, path: Path, options: ExportOptions) -> ExportReport:
    save_motion(motion, path)  # for the average body, whose joints are where a reader finds them
    return ExportReport.of(path, motion, np.linalg.norm(load_motion(path).joints - motion.joints, axis=-1))


def _joints(motion: Motion, path: Path, options: ExportOptions) -> ExportReport:
    save_motion(motion, path)
    return ExportReport.of(path, motion)


def _video(motion: Motion, path: Path, options: ExportOptions) -> ExportReport:
    render_video(motion, path, fps=options.fps, caption=motion.text, body=options.body)
    return ExportReport.of(path, motion)


def _page(motion: Motion, path: Path, options: ExportOptions) -> ExportReport:
    mesh = None if options.body is None else body_glb(motion, options.body)
    clip = ViewerClip(motion, events=tuple(options.events), mesh=mesh)
    page = viewer_page(clip, title=motion.text or path.stem, prompt=motion.text or "", heading=not motion.text)
    with replacing(path) as temporary:
        temporary.write_text(page, encoding="utf-8", newline="\n")
    return ExportReport.of(path, motion)


VIDEOS = (".mp4", ".gif", ".webp")
WRITERS: dict[str, Writer] = {
    ".bvh": _bvh,
    ".glb": _glb,
    ".fbx": _fbx,
    ".obj": _obj,
    **dict.fromkeys(VIDEOS, _video),
    ".html": _page,
    ".npz": _smpl,
    ".npy": _joints,
}
# Formats that a body model, or the lack of a floor, makes no difference to.
WITH_BODY = (".glb", ".obj", ".html", *VIDEOS)
WITH_FLOOR = (".glb", ".fbx")


def export_motion(
    motion: Motion,
    path: str | Path,
    *,
    lock_feet: bool = False,
    floor: bool = True,
    body: MeshBody | None = None,
    fps: float | None = None,
    blender: str | Path | None = None,
    events: Sequence[ViewerEvent] = (),
) -> ExportReport:
    """Write a motion; the suffix says the format.

    Args:
        motion ([`Motion`]): the clip.
        path (`str` or `Path`): `.bvh`, `.glb`, `.fbx`, `.obj` (`walk.obj` stands for the folder `walk` with a mesh a
            frame), `.mp4`, `.gif`, `.webp`, `.npz` or `.npy`. It appears whole or not at all; an old one is replaced.
        lock_feet (`bool`, *optional*, defaults to `False`): keep standing feet from sliding, see
            [`~motion.foot_locking.lock_feet`].
        floor (`bool`, *optional*, defaults to `True`): a floor under the figure (.glb, .fbx).
        body ([`MeshBody`], *optional*): a body model from `load_body` instead of capsules (.glb, .obj and videos).
        fps (`float`, *optional*): resample to this rate. Without it, the motion's own; `.npy`, which cannot say, 20.
        blender (`str` or `Path`, *optional*): Blender's program (.fbx).
        events (`Sequence[ViewerEvent]`, *optional*): shown below the time line (.html).

    Returns:
        [`ExportReport`]: how far the joints in the file are from the motion's, foot locking included.

    Raises:
        MotionFormatError: if the suffix is unknown.
        FileNotFoundError: if Blender is needed and not there.
        OSError: if the file cannot be written.
        ValueError: if a bone has no length in the whole clip, or fps is not above zero.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in WRITERS:
        raise MotionFormatError(
            path, f"expected a target ending in {', '.join(WRITERS)}, got {suffix or 'no suffix'!r}."
        )
    if fps is not None:
        fps = check_fps(fps)
    if suffix not in VIDEOS:  # a video shows the motion as it is, at its own rate
        motion = motion.resample(fps or (FPS if suffix == ".npy" else motion.fps))
    shown = locked(motion) if lock_feet else motion
    report = WRITERS[suffix](shown, path, ExportOptions(floor, body, fps, blender, events))
    if not lock_feet:
        return report
    moved = 1000 * np.linalg.norm(shown.joints - motion.joints, axis=-1)
    return report._replace(
        residual_mean=report.residual_mean + float(moved.mean()),
        residual_max=report.residual_max + float(moved.max()),
    )
