"""Whether a run can write where it is told to, before anything is loaded.

check_output_folder("notes.txt/run")   →  NotADirectoryError: notes.txt is a file, …
"""

import os
from pathlib import Path


def check_output_folder(folder: str | Path) -> None:
    """Raise where no run can write. Nothing is made; what a folder may hold is checked as training begins.

    Args:
        folder (`str` or `Path`): `output_dir` of a run.

    Raises:
        NotADirectoryError: if it is a file, or lies below one.
        PermissionError: if nothing can be written into it, or into the folder that it would be made in.
    """
    wanted = Path(folder).expanduser()
    there = wanted
    while not os.path.lexists(there) and there != there.parent:
        there = there.parent
    if not there.is_dir():
        below = "" if there == wanted else f", so {wanted} cannot be made"
        raise NotADirectoryError(f"{there} is no folder{below}. Choose another output_dir.")
    if not os.access(there, os.W_OK | os.X_OK):
        below = "" if there == wanted else f", so {wanted} cannot be made"
        raise PermissionError(f"Nothing can be written into {there}{below}. Choose another output_dir.")
