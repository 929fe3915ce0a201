"""GLB files, glTF's binary form: the figure with a skin, a skeleton and the motion as one animation.

write_glb(motion, "walk.glb")           # opens in Blender, three.js, Unity, Windows, macOS, phones
"""

from .write import glb_bytes, write_glb

__all__ = ["glb_bytes", "write_glb"]
