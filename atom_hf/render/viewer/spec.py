"""What the browser gets to know about one viewer, as JSON.

viewer_spec([ViewerClip(motion)], prompt="a person jumps")
→ {"version": 1, "prompt": "a person jumps", "clips": [{"frames": 196, "fps": 20.0, "joints": "…", …}], "loop": true}

A clip holds `label, frames, fps, unit, path, joints` (see packing), `tilt` (of the head, radians), `contacts` (base64,
a byte a frame: 1 if the left foot stands, plus 2 if the right one does), `events` (`{name, start, end, row, side}`,
seconds), and perhaps `mesh` (`{glb, yaw, at}`: base64, and how the file's space is turned and moved into that of the
joints).
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..camera import check_view
from ..scene import Scene
from .clips import ViewerClip
from .contacts import foot_contacts
from .packing import pack_joints, to_base64
from .still import viewer_still, viewer_video

VERSION = 1
THEMES = (None, "light", "dark")
MOST_CLIPS = 4


def viewer_spec(
    clips: Sequence[ViewerClip] | ViewerClip,
    *,
    prompt: str = "",
    autoplay: bool = True,
    loop: bool = True,
    camera: str = "three-quarter",
    follow: bool = True,
    theme: str | None = None,
    fallback: bool = True,
    video_budget: int = 0,
) -> dict[str, Any]:
    """Everything that a viewer shows, ready for `json.dumps`.

    Args:
        clips (`Sequence[ViewerClip]`): one clip, or up to four side by side, which play in step. Each is turned
            so that the person faces the "front" camera in the first frame, with the soles on the floor.
        prompt (`str`, *optional*, defaults to `""`): written above.
        autoplay (`bool`, *optional*, defaults to `True`): begin at once, except where the reader's system asks for
            reduced motion.
        loop (`bool`, *optional*, defaults to `True`): begin again at the end.
        camera (`str`, *optional*, defaults to `"three-quarter"`): "front", "side", "three-quarter", "back" or "top".
        follow (`bool`, *optional*, defaults to `True`): the camera goes along with the person.
        theme (`str`, *optional*): "light" or "dark"; without it as the reader's system has it.
        fallback (`bool`, *optional*, defaults to `True`): bring a still for browsers that cannot draw, about 25 kB a
            clip.
        video_budget (`int`, *optional*, defaults to 0): most bytes of a video that is brought along for them as well;
            none is made for 0.

    Returns:
        `dict`: about 192 bytes a frame of each clip, and the still. Coordinates are off by less than 0.5 mm, mostly
            0.05 mm.

    Raises:
        TypeError: if something is of another kind.
        ValueError: if there are no clips or more than four, a joint is not finite, or the camera or the theme is
            unknown.
    """
    clips = [clips] if isinstance(clips, ViewerClip) else list(clips)
    if not 1 <= len(clips) <= MOST_CLIPS:
        raise ValueError(f"Expected one to {MOST_CLIPS} clips, got {len(clips)}; a page can hold several viewers.")
    for clip in clips:
        if not isinstance(clip, ViewerClip):
            raise TypeError(f"Expected ViewerClip(motion), got {type(clip).__name__}.")
    if not isinstance(prompt, str):
        raise TypeError(f"A prompt is text, got {type(prompt).__name__}.")
    check_view(camera)
    if theme not in THEMES:
        raise ValueError(f"Expected a theme of 'light', 'dark' or None, got {theme!r}.")
    spec: dict[str, Any] = {
        "version": VERSION,
        "prompt": prompt,
        "clips": [_packed(clip) for clip in clips],
        "autoplay": bool(autoplay),
        "loop": bool(loop),
        "camera": camera,
        "follow": bool(follow),
        "theme": theme,
    }
    instead = {}
    if fallback:
        instead["still"] = "data:image/webp;base64," + to_base64(viewer_still(clips, camera=camera))
    if video_budget > 0:
        film = viewer_video(clips, budget=video_budget, camera=camera, follow=follow)
        if film is not None:
            instead["video"] = "data:video/mp4;base64," + to_base64(film)
    if instead:
        spec["fallback"] = instead
    return spec


def _packed(clip: ViewerClip) -> dict[str, Any]:
    motion = clip.motion
    scene = Scene(motion, size=(64, 64), trail=False, label=False)
    packed: dict[str, Any] = {"label": clip.label, "frames": len(motion), "fps": float(motion.fps)}
    packed |= pack_joints(scene.joints)
    packed["tilt"] = round(scene.tilt, 5)
    packed["contacts"] = to_base64(foot_contacts(scene.joints, motion.fps))
    packed["events"] = [event.record() for event in clip.events]
    if clip.mesh is not None:
        packed["mesh"] = {"glb": to_base64(clip.mesh), **_placement(motion.joints, scene.joints)}
    return packed


def _placement(joints: np.ndarray, placed: np.ndarray) -> dict[str, Any]:
    """How the scene has turned and moved a clip: an angle about the vertical, and the place of the origin."""
    before, after = (
        points[0] - points[0].mean(0) for points in (joints.astype(np.float64), placed.astype(np.float64))
    )
    # A turn by yaw takes (x, z) to (x cos + z sin, z cos - x sin).
    sine = float((before[:, 2] * after[:, 0] - before[:, 0] * after[:, 2]).sum())
    cosine = float((before[:, 0] * after[:, 0] + before[:, 2] * after[:, 2]).sum())
    yaw = math.atan2(sine, cosine)
    x, y, z = joints[0].mean(0).astype(np.float64).tolist()
    turned = np.array([x * math.cos(yaw) + z * math.sin(yaw), y, z * math.cos(yaw) - x * math.sin(yaw)])
    at = placed[0].mean(0) - turned
    return {"yaw": round(yaw, 6), "at": [round(float(value), 5) for value in at]}
