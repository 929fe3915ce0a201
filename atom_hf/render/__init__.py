"""Joints to pixels: the pictures that judges and people see."""

try:
    import PIL as _  # noqa: F401
except ImportError as error:
    raise ImportError('Pictures need Pillow, which is not installed; try: pip install "atom_hf[render]"') from error

from .camera import VIEWS, View
from .mesh import MeshBody, load_body
from .scene import camera_distance
from .sheet import LAYOUTS, render_frames, render_sheet, render_strip, render_views
from .trajectory import render_trajectory
from .video import render_comparison, render_video

__all__ = [
    "LAYOUTS",
    "VIEWS",
    "MeshBody",
    "View",
    "camera_distance",
    "load_body",
    "render_comparison",
    "render_frames",
    "render_sheet",
    "render_strip",
    "render_trajectory",
    "render_video",
    "render_views",
]
