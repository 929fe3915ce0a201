"""Takes as files: one folder a visitor, which nobody else can read and which goes with the visit.

Downloads().write(motion, ".bvh", "a person jumps twice", "A", 0)   →  …/a-person-jumps-twice_A1.bvh
"""

import re
import shutil
import tempfile
import unicodedata
import weakref
from collections import deque
from pathlib import Path

from ...motion import Motion
from ...render.export import export_motion
from ...render.fbx import find_blender
from .request import RequestError

FORMATS = {
    ".bvh": "BVH: skeleton for Blender, Maya, MotionBuilder",
    ".glb": "GLB: figure with animation, for Blender, game engines and browsers",
    ".fbx": "FBX: through Blender",
    ".mp4": "MP4: video",
    ".gif": "GIF: video that plays anywhere",
    ".npy": "NPY: joints [T, 22, 3] in metres at 20 fps",
    ".npz": "NPZ: SMPL pose, as AMASS has it",
}
_LONGEST_NAME = 48
_MOST_FILES = 16
_DEVICES = {"con", "prn", "aux", "nul", *(f"{name}{i}" for name in ("com", "lpt") for i in range(1, 10))}


def formats() -> tuple[str, ...]:
    """What can be written here.

    Returns:
        `tuple[str, ...]`: suffixes; `.fbx` is one of them where there is Blender.
    """
    try:
        find_blender()
    except OSError:
        return tuple(suffix for suffix in FORMATS if suffix != ".fbx")
    return tuple(FORMATS)


def read_format(name: object) -> str:
    """A format as people write it.

    Args:
        name (`str`): such as `"bvh"`, `".BVH"`.

    Returns:
        `str`: suffix.

    Raises:
        RequestError: if there is none such here.
    """
    known = formats()
    suffix = f".{name.strip().lower().lstrip('.')}" if isinstance(name, str) else ""
    if suffix not in known:
        missing = " FBX needs Blender, which is not here." if suffix == ".fbx" else ""
        raise RequestError(
            f"Expected a format, one of {', '.join(s.lstrip('.') for s in known)}, got {ascii(name)[:40]}.{missing}"
        )
    return suffix


def file_stem(prompt: str) -> str:
    """A prompt as the name of a file, on every system.

    Args:
        prompt (`str`): any text.

    Returns:
        `str`: letters, digits and hyphens of ASCII; `"motion"` where nothing is left.
    """
    plain = unicodedata.normalize("NFKD", prompt[:500]).encode("ascii", "ignore").decode().lower()
    stem = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_LONGEST_NAME].strip("-")
    return f"motion-{stem}" if stem in _DEVICES else stem or "motion"


class Downloads:
    """Files of one visitor."""

    def __init__(self) -> None:
        self._open()

    def _open(self) -> None:
        self._written: deque[Path] = deque()
        self.folder = Path(tempfile.mkdtemp(prefix="atom_hf-takes-"))  # for this user alone
        self._end = weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)

    def write(self, motion: Motion, suffix: str, prompt: str, side: str, number: int, lock_feet: bool = False) -> Path:
        """Write a motion.

        Args:
            motion ([`Motion`]): the take.
            suffix (`str`): of `formats()`.
            prompt (`str`): gives the name.
            side (`str`): goes into the name; models' names do not.
            number (`int`): of the take, from 0.
            lock_feet (`bool`, *optional*, defaults to `False`): keep standing feet from sliding.

        Returns:
            `Path`: the file, whole.

        Raises:
            RequestError: if it cannot be written.
        """
        if not self._end.alive:  # the visitor was away for long and comes back
            self._open()
        path = self.folder / f"{file_stem(prompt)}_{side}{number + 1}{suffix}"
        try:
            export_motion(motion, path, lock_feet=lock_feet)
        except (ValueError, OSError, ImportError) as error:
            said = str(error).replace(str(self.folder), "…")
            raise RequestError(
                f"This motion cannot be written as {suffix.lstrip('.').upper()}: {said[:300]}"
            ) from error
        if path not in self._written:
            self._written.append(path)
        if len(self._written) > _MOST_FILES:  # the page has copied it long ago
            self._written.popleft().unlink(missing_ok=True)
        return path

    def close(self) -> None:
        """Take the files away."""
        self._end()
