"""Network file systems are told apart from local disks."""

from pathlib import Path

import pytest

from atom_hf.data.file_systems import network_file_system

MOUNTS = """\
22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
30 22 0:40 / /mnt/share rw - nfs4 server:/share rw
31 30 0:41 / /mnt/share/scratch rw - xfs /dev/vdb rw
32 22 0:42 / /mnt/my\\040disk rw - fuse.sshfs me@there: rw
garbage
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/home/v.sqlite", None),
        ("/mnt/share/v.sqlite", "nfs4"),
        ("/mnt/share/scratch/v.sqlite", None),
        ("/mnt/shared/v.sqlite", None),
        ("/mnt/my disk/a/v.sqlite", "fuse.sshfs"),
    ],
)
def test_network_file_systems_are_told_apart(tmp_path, path, kind):
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS)
    assert network_file_system(Path(path), mounts) == kind
    assert network_file_system(Path(path), tmp_path / "none") is None
