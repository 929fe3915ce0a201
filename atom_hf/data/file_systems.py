"""On what kind of file system a path is, where the system tells (Linux).

network_file_system(Path("/mnt/share/verdicts.sqlite"))  →  "nfs4", or None for a local disk
"""

import re
from pathlib import Path

_MOUNTS = Path("/proc/self/mountinfo")
# Kinds on which locks or shared memory of SQLite's WAL mode do not work between machines.
_NETWORK = re.compile(
    r"nfs\d*|cifs|smb\w*|afs|ncpfs|9p|lustre|gpfs|beegfs|ceph|glusterfs|pvfs2|orangefs|ocfs2|gfs2|davfs"
    r"|fuse\.(sshfs|s3fs|gcsfuse|goofys|rclone|juicefs|glusterfs|ceph-fuse|davfs2?|blobfuse2?|mount-s3)"
)


def network_file_system(path: Path, mounts: Path = _MOUNTS) -> str | None:
    """The kind of network file system that a path is on.

    Args:
        path (`Path`): a file, which need not be there.
        mounts (`Path`, *optional*): the system's table of mounts.

    Returns:
        `str` or `None`: such as `"nfs4"`; None on a local disk, and where the system does not tell.
    """
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    place = path.resolve()
    deepest, kind = -1, ""
    for line in lines:
        left, _, right = line.partition(" - ")
        fields, rest = left.split(), right.split()
        if len(fields) < 5 or not rest:
            continue
        point = Path(re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), fields[4]))
        if place.is_relative_to(point) and len(point.parts) >= deepest:  # of two on one place the later one counts
            deepest, kind = len(point.parts), rest[0]
    return kind if _NETWORK.fullmatch(kind) else None
