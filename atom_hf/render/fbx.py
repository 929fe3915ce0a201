"""FBX through the user's Blender, in a process of its own: the format is closed, and Blender writes it best.

write_fbx(motion, "walk.fbx")                                   # blender on the PATH, or ATOM_HF_BLENDER
write_fbx(motion, "walk.fbx", blender="/opt/blender/blender")   # or a Python that has bpy
"""

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from ..motion import Motion
from ..motion.formats.files import replacing
from .export_report import ExportReport
from .glb import write_glb

VARIABLE = "ATOM_HF_BLENDER"
_SCRIPT = Path(__file__).with_name("blender_script.py")
_TIMEOUT = 300.0  # seconds: Blender starts in a few, and bakes about 100 frames a second
_WROTE = "atom_hf: wrote"  # what the script prints at its end


def write_fbx(
    motion: Motion,
    path: str | Path,
    *,
    floor: bool = False,
    lock_feet: bool = False,
    blender: str | Path | None = None,
    timeout: float = _TIMEOUT,
) -> ExportReport:
    """Write a motion as FBX: the figure, skeleton and animation of `write_glb`, through Blender.

    Args:
        motion ([`Motion`]): the clip.
        path (`str` or `Path`): the `.fbx` file; it appears whole or not at all, an old one is replaced.
        floor (`bool`, *optional*, defaults to `False`): add a floor; game engines rather bring their own.
        lock_feet (`bool`, *optional*, defaults to `False`): keep standing feet from sliding first.
        blender (`str` or `Path`, *optional*): Blender's program, or a Python that can import `bpy`; see
            [`find_blender`] for where it is looked for otherwise.
        timeout (`float`, *optional*, defaults to 300.0): seconds after which Blender is stopped.

    Returns:
        [`ExportReport`]: how far the file's joints are from the motion's.

    Raises:
        FileNotFoundError: if there is no Blender; the message says how to get one.
        OSError: if Blender fails or takes too long; the message ends with what it said last.
        ValueError: if a bone has no length in the whole clip.
    """
    program = find_blender(blender)
    with tempfile.TemporaryDirectory(prefix="atom_hf-fbx-") as folder, replacing(path) as temporary:
        source = Path(folder) / "motion.glb"
        report = write_glb(motion, source, floor=floor, lock_feet=lock_feet)
        temporary.unlink()  # what is there after the run is what Blender wrote
        run_blender(program, [str(source), str(temporary), repr(motion.fps)], timeout)
        if not temporary.is_file():
            raise OSError(f"{program} ended well but wrote no FBX file.")
    return report._replace(path=Path(path))


def find_blender(given: str | Path | None = None) -> str:
    """Where Blender is: what is given, the environment variable ATOM_HF_BLENDER, `blender` on the PATH, or this very
    Python if it can import `bpy`.

    Args:
        given (`str` or `Path`, *optional*): Blender's program, or a Python that has `bpy`.

    Returns:
        `str`: the program.

    Raises:
        FileNotFoundError: if there is none; the message says how to get one.
    """
    for name, origin in ((given, "--blender"), (os.environ.get(VARIABLE), VARIABLE)):
        if name:
            program = shutil.which(str(name))
            if program is None:
                raise FileNotFoundError(f"{origin} says {name}, but that is no program that can be run.")
            return program
    program = shutil.which("blender")
    if program is not None:
        return program
    if importlib.util.find_spec("bpy") is not None:
        return sys.executable
    raise FileNotFoundError(
        "FBX files are written by Blender, which is not here. Install it from blender.org and put it on the PATH, "
        f"name it with --blender PATH (blender= in Python) or {VARIABLE}, or make a Python 3.11 environment with pip "
        "install bpy and name its python. Without Blender, write .glb or .bvh, which it and most programs import."
    )


def run_blender(program: str, arguments: list[str], timeout: float) -> None:
    """Run the script of this package in Blender or in a Python that has `bpy`.

    Args:
        program (`str`): which.
        arguments (`list[str]`): GLB file, FBX file, and frames per second.
        timeout (`float`): seconds.

    Raises:
        OSError: if it fails or takes too long; the message ends with what it said last.
    """
    python = Path(program).name.lower().startswith(("python", "pypy")) or program == sys.executable
    if python:
        command = [program, str(_SCRIPT), *arguments]
    else:
        command = [program, "--background", "--factory-startup", "--python-exit-code", "1", "--python", str(_SCRIPT)]
        command += ["--", *arguments]
    try:
        ran = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=timeout, stdin=subprocess.DEVNULL,
            check=False, env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise OSError(
            f"{program} was stopped after {timeout:g} seconds; pass a longer timeout or a shorter motion."
        ) from None
    if ran.returncode or _WROTE not in ran.stdout:
        said = "\n".join((ran.stdout + ran.stderr).strip().splitlines()[-8:])
        raise OSError(f"{program} could not write the FBX file (exit status {ran.returncode}). It said last:\n{said}")
