"""Motions in the browser: play, step, turn, compare two, with no request to any host."""

from .clips import ViewerClip, ViewerEvent
from .page import viewer_block, viewer_iframe, viewer_module, viewer_page, viewer_script, viewer_style
from .spec import viewer_spec
from .still import viewer_still, viewer_video

__all__ = [
    "ViewerClip",
    "ViewerEvent",
    "viewer_block",
    "viewer_iframe",
    "viewer_module",
    "viewer_page",
    "viewer_script",
    "viewer_spec",
    "viewer_still",
    "viewer_style",
    "viewer_video",
]
