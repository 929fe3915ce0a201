"""What runs that were killed while they replaced a folder leave beside it: put back, or cleared away.

.motionprefer-k3x9w2aa/new       the folder that was being written
.motionprefer-k3x9w2aa/before    the older one, for the moment between two renamings
"""

import re
import shutil
from collections.abc import Sequence
from pathlib import Path


def clear_stopped_runs(folder: Path, names: Sequence[str], keep: Sequence[str] = ()) -> None:
    """Give a folder back that a stopped `whole_folder` had moved away, and remove what it left unfinished.

    To be called by who knows that no other run is at work on the folder.

    Args:
        folder (`Path`): the folder that was to be replaced.
        names (`Sequence[str]`): all that such a run writes; where anything else lies, nothing is touched.
        keep (`Sequence[str]`, *optional*): what goes over into the new folder.
    """
    if not folder.parent.is_dir():
        return
    form = re.compile(re.escape(f".{folder.name}-") + "[a-z0-9_]{8}")
    for left in sorted(path for path in folder.parent.iterdir() if form.fullmatch(path.name) and path.is_dir()):
        before, new = left / "before", left / "new"
        written = [path.name for path in new.iterdir()] if new.is_dir() else []
        if {path.name for path in left.iterdir()} - {"before", "new"} or set(written) - set(names):
            continue
        if before.is_dir() and not folder.exists():
            before.rename(folder)
        for kept in keep:
            if (before / kept).exists() and not (folder / kept).exists():
                shutil.move(before / kept, folder / kept)
        shutil.rmtree(left, ignore_errors=True)
