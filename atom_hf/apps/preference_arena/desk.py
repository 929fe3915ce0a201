"""What whoever runs the arena does: invite people, add pairs, take votes away; `Admin` asks for the secret."""

import shutil
import tempfile
import weakref
from pathlib import Path

from ...arena import Admin, Arena, ArenaError, ZipLimits, pairs_from_zip

FORMATS = {
    "votes": "votes, a row each",
    "motionprefer": "MotionPrefer, to train with",
    "instructmotion": "InstructMotion",
}
MOST_INVITED = 200


def invite(admin: Admin, names: str) -> str:
    """Codes for names.

    Args:
        admin ([`Admin`]): of somebody who knows the secret.
        names (`str`): a name a line.

    Returns:
        `str`: a line each, name and code.

    Raises:
        ArenaError: if there are none or too many.
    """
    wanted = [" ".join(name.split()) for name in names.splitlines() if name.strip()]
    if not 1 <= len(wanted) <= MOST_INVITED:
        raise ArenaError(f"Expected 1 to {MOST_INVITED} names, a line each, got {len(wanted)}.")
    return "\n".join(f"{name}\t{admin.invite(name)}" for name in wanted)


def add_zip(arena: Arena, path: Path, limits: ZipLimits | None = None) -> int:
    """Pairs of an archive.

    Args:
        arena ([`Arena`]): the campaign.
        path (`Path`): the archive.
        limits ([`ZipLimits`], *optional*): what it may be.

    Returns:
        `int`: pairs that are new.

    Raises:
        ArenaError: if it is broken, hostile or too large, or does not fit together; nothing was added.
    """
    limits = limits or ZipLimits()
    if path.stat().st_size > limits.archive:  # before it is read
        raise ArenaError(f"Expected an archive of at most {limits.archive / 2**20:.0f} MB; send it in parts.")
    return arena.add_pairs(pairs_from_zip(path.read_bytes(), limits))


class Exports:
    """Archives of votes in a folder that goes with the visit."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="atom_hf-votes-"))  # for this user alone
        self._end = weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)

    def write(self, arena: Arena, format: str, without_flagged: bool) -> Path:
        """Export the votes.

        Args:
            arena ([`Arena`]): the campaign.
            format (`str`): one of `FORMATS`.
            without_flagged (`bool`): leave out labellers below the thresholds.

        Returns:
            `Path`: a zip.

        Raises:
            ArenaError: if there is nothing to export, or the format is unknown.
        """
        with tempfile.TemporaryDirectory(dir=self.folder) as name:
            folder = Path(name) / "votes"
            arena.export(folder, format=format, without_flagged=without_flagged)
            return Path(shutil.make_archive(str(self.folder / f"arena-{format}"), "zip", folder))

    def close(self) -> None:
        """Take the archives away."""
        self._end()
