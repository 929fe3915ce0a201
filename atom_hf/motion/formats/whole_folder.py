"""A folder that appears whole or not at all: filled under a hidden name beside it, then put into its place.

with whole_folder(Path("motionprefer"), refuse_used) as unfinished:
    (unfinished / "README.md").write_text("…")
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_folder(folder: Path, check: Callable[[Path], None], keep: Sequence[str] = ()) -> Iterator[Path]:
    """Give a folder to fill, which takes the name of `folder` when the block ends well and is removed otherwise.

    Args:
        folder (`Path`): where; what stands there is replaced. Missing folders around it are made.
        check (`Callable`): raises an exception if what stands at `folder` may not be replaced; called before the block
            and after it, as a long time may have passed.
        keep (`Sequence[str]`, *optional*): names in the folder that go over into the new one.

    Yields:
        `Path`: where to write.
    """
    check(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent, ignore_cleanup_errors=True) as name:
        unfinished, before = Path(name) / "new", Path(name) / "before"
        unfinished.mkdir()  # unlike the folder around it, with the usual permissions
        yield unfinished
        check(folder)
        if folder.exists():
            folder.rename(before)
        try:
            unfinished.rename(folder)
        except OSError:
            if before.exists():
                before.rename(folder)
            raise
        for kept in keep:
            if (before / kept).exists():
                shutil.move(before / kept, folder / kept)


def refuse_used(folder: Path) -> None:
    """See that a folder is new or empty.

    Args:
        folder (`Path`): where something is to be written.

    Raises:
        FileExistsError: if there is a file, or something in the folder.
    """
    if folder.is_dir() and not any(folder.iterdir()):
        return
    if folder.exists() or folder.is_symlink():
        what = "holds files" if folder.is_dir() else "is a file"
        raise FileExistsError(f"{folder}: expected a new or an empty folder, but it {what}; choose another one.")
