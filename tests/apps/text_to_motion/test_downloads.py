"""Takes as files."""

import json
import os
import stat
import struct

import numpy as np
import pytest
from PIL import Image

from atom_hf.apps.text_to_motion.downloads import Downloads, file_stem, formats, read_format
from atom_hf.apps.text_to_motion.request import RequestError
from atom_hf.motion import Motion, load_motion


@pytest.fixture
def motion(walk) -> Motion:
    return Motion(walk, text="a person walks")


@pytest.mark.parametrize(
    ("prompt", "stem"),
    [
        ("a person jumps twice", "a-person-jumps-twice"),
        ("../../etc/passwd\x00", "etc-passwd"),
        ("</script>", "script"),
        ("Ä café 🏃", "a-cafe"),
        ("一个人", "motion"),
        ("con", "motion-con"),
        ("x" * 300, "x" * 48),
        ("", "motion"),
    ],
)
def test_names(prompt, stem):
    assert file_stem(prompt) == stem


def test_files(motion):
    downloads = Downloads()
    for suffix in (".bvh", ".npy", ".npz"):
        path = downloads.write(motion, suffix, "a person walks", "A", 0)
        assert path.name == f"a-person-walks_A1{suffix}"
        np.testing.assert_allclose(load_motion(path).joints.shape, motion.joints.shape)
    glb = downloads.write(motion, ".glb", "walks", "B", 1).read_bytes()
    assert glb[:4] == b"glTF" and "animations" in json.loads(glb[20 : 20 + struct.unpack_from("<I", glb, 12)[0]])
    with Image.open(downloads.write(motion, ".gif", "walks", "A", 0)) as picture:
        assert picture.n_frames > 10
    folder = downloads.folder
    if os.name == "posix":
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    downloads.close()
    assert not folder.exists()


def test_folders_are_private_and_go_with_the_visit(motion):
    one, other = Downloads(), Downloads()
    folder = one.folder
    assert folder != other.folder
    del one
    assert not folder.exists() and other.folder.exists()


def test_old_files_go(motion):
    downloads = Downloads()
    for number in range(18):
        downloads.write(motion, ".npy", "walks", "A", number)
    assert sorted(path.name for path in downloads.folder.iterdir()) == sorted(f"walks_A{i}.npy" for i in range(3, 19))


def test_a_visitor_who_comes_back(motion):
    downloads = Downloads()
    before = downloads.folder
    downloads.close()
    path = downloads.write(motion, ".npy", "walks", "A", 0)
    assert path.is_file() and downloads.folder != before and not before.exists()


def test_a_disk_that_takes_nothing(motion):
    downloads = Downloads()
    downloads.folder.rmdir()
    downloads.folder.write_text("in the way")
    with pytest.raises(RequestError, match="This motion cannot be written as BVH: ") as raised:
        downloads.write(motion, ".bvh", "walks", "A", 0)
    assert str(downloads.folder) not in str(raised.value)


def test_formats(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("ATOM_HF_BLENDER", raising=False)
    if ".fbx" not in formats():  # no Blender as a library either
        with pytest.raises(RequestError, match="FBX needs Blender, which is not here"):
            read_format("fbx")
    assert read_format(" .BVH ") == ".bvh"
    with pytest.raises(RequestError, match=r"Expected a format, one of bvh, glb, .*, got 'exe'"):
        read_format("exe")
    with pytest.raises(RequestError, match="got None"):
        read_format(None)
