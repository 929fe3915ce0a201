"""Joints to pixels, meshes and pages: what judges and people see, and files to take away."""

try:
    import PIL as _  # noqa: F401
except ImportError as error:
    raise ImportError('Pictures need Pillow, which is not installed; try: pip install "atom_hf[render]"') from error

from .camera import VIEWS, View
from .export import ExportReport, export_motion
from .fbx import write_fbx
from .glb import glb_bytes, write_glb
from .mesh import MeshBody, load_body
from .mesh_sequence import write_body_glb, write_obj_sequence
from .scene import camera_distance
from .sheet import LAYOUTS, render_frames, render_sheet, render_strip, render_views
from .trajectory import render_trajectory
from .video import render_comparison, render_video

__all__ = [
    "LAYOUTS",
    "VIEWS",
    "ExportReport",
    "MeshBody",
    "View",
    "camera_distance",
    "export_motion",
    "glb_bytes",
    "load_body",
    "render_comparison",
    "render_frames",
    "render_sheet",
    "render_strip",
    "render_trajectory",
    "render_video",
    "render_views",
    "write_body_glb",
    "write_fbx",
    "write_glb",
    "write_obj_sequence",
]
