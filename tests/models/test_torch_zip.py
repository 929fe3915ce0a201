"""Archives that lie; each trick is one that zip files allow and torch.save never uses."""

import struct
import zipfile

import pytest
import torch

from atom_hf.models import torch_zip
from atom_hf.models.checkpoint_files import CheckpointError, read_tensors

from .pickle_parts import SIX, dictionary, pickled, tensor, write_archive

DESCRIPTION = pickled(dictionary({"w": tensor()}))


def refused(path, match: str) -> None:
    with pytest.raises(CheckpointError, match=match) as caught:
        read_tensors(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_compressed_members(tmp_path, method):
    path = tmp_path / "w.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", DESCRIPTION)
        archive.writestr("archive/data/0", bytes(10**6), compress_type=method)
    refused(path, "its member 'archive/data/0' is compressed or encrypted, and torch.save writes plain members only")


@pytest.mark.parametrize(
    "name",
    [
        "archive/../../evil",
        "../evil",
        "/archive/evil",
        "archive//evil",
        "archive/./evil",
        "C:/evil",
        "archive/C:evil",
        "archive\\evil",
        "archive/evil\x00.txt",
        "archive/evil\n",
        "archive/evil/",
        "archive/ev\u0130l",
        "archive",
        "other/data.pkl",
        "archive/data.pkl",
        "archive/DATA.PKL",
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_names_that_torch_does_not_write(tmp_path, name):
    path = tmp_path / "w.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", DESCRIPTION)
        archive.writestr("archive/data/0", SIX)
        info = zipfile.ZipInfo("x")
        info.filename = info.orig_filename = name
        archive.writestr(info, b"evil")
    refused(path, "a name that torch.save does not write")


def test_what_stands_before_and_behind(tmp_path):
    path = write_archive(tmp_path / "w.pt", DESCRIPTION)
    content = path.read_bytes()
    assert read_tensors(path).keys() == {"w"}
    path.write_bytes(content + b"x")
    refused(path, "is cut off")
    path.write_bytes(content[:-2] + b"\x01\x00x")
    refused(path, "is cut off")
    path.write_bytes(b"PK\3\4" + content)
    refused(path, "its list of members is not where it claims to be")
    path.write_bytes(content + content)
    refused(path, "its list of members is not where it claims to be")


def directory_entry(content: bytearray, name: bytes) -> int:
    """Where the list's entry of a member starts."""
    return content.rindex(name) - 46


@pytest.mark.parametrize(
    ("place", "value", "match"),
    [
        (10, b"\x08\x00", "is compressed or encrypted"),
        (8, b"\x01\x00", "is compressed or encrypted"),
        (20, struct.pack("<2I", 25, 25), "is not where its list says"),  # a byte of the next member
        (20, struct.pack("<2I", 2**31, 2**31), "is not where its list says"),
        (24, struct.pack("<I", 2**31), "is compressed or encrypted"),
        (42, struct.pack("<I", 2**31), "contradicts itself"),
        (42, struct.pack("<I", 1), "is not where its list says"),
        (42, struct.pack("<I", 0), "is not where its list says"),  # the first member's header
        (16, b"\x01\x02\x03\x04", "data/0 is damaged: its checksum differs"),
        (16, bytes(4), None),  # torch can be told to write none
    ],
)
def test_lists_that_lie(tmp_path, place, value, match):
    path = write_archive(tmp_path / "w.pt", DESCRIPTION, more={"archive/version": b"3\n"})
    content = bytearray(path.read_bytes())
    entry = directory_entry(content, b"archive/data/0")
    content[entry + place : entry + place + len(value)] = value
    path.write_bytes(content)
    if match is None:
        assert read_tensors(path).keys() == {"w"}
    else:
        refused(path, match)


def test_counts_that_lie(tmp_path):
    path = write_archive(tmp_path / "w.pt", DESCRIPTION)
    content = path.read_bytes()
    path.write_bytes(content[:-14] + struct.pack("<2H", 3, 3) + content[-10:])
    refused(path, "its list of members contradicts itself")


def test_checksums(tmp_path):
    path = tmp_path / "w.pt"
    torch.save({"w": torch.ones(100), "metrics": torch.ones(50)}, path)
    content = bytearray(path.read_bytes())
    content[content.index(torch.ones(100).numpy().tobytes()) + 7] ^= 1
    path.write_bytes(content)
    refused(path, "data/0 is damaged: its checksum differs. Download or save it again")
    assert read_tensors(path, keep=lambda name: name == "metrics").keys() == {"metrics"}
    content[content.index(b"storage")] ^= 1
    path.write_bytes(content)
    refused(path, "data.pkl is damaged: its checksum differs")


def test_files_saved_without_checksums(tmp_path):
    torch.serialization.set_crc32_options(False)
    try:
        torch.save({"w": torch.ones(100)}, tmp_path / "w.pt")
    finally:
        torch.serialization.set_crc32_options(True)
    torch.testing.assert_close(read_tensors(tmp_path / "w.pt")["w"], torch.ones(100))


def test_too_many_members(tmp_path, monkeypatch):
    monkeypatch.setattr(torch_zip, "MAX_TENSORS", 5)
    path = write_archive(tmp_path / "w.pt", DESCRIPTION, {str(i): SIX for i in range(5)})
    refused(path, "expected at most 5 members with")
    write_archive(path, DESCRIPTION, {str(i): SIX for i in range(4)})
    assert read_tensors(path).keys() == {"w"}


def test_too_long_a_description(tmp_path, monkeypatch):
    monkeypatch.setattr(torch_zip, "MAX_BYTES", len(DESCRIPTION) - 1)
    refused(
        write_archive(tmp_path / "w.pt", DESCRIPTION), f"expected at most {len(DESCRIPTION) - 1} bytes of data.pkl"
    )


def test_other_archives(tmp_path):
    path = tmp_path / "w.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("word/document.xml", b"<xml/>")
    refused(path, "expected an archive of torch.save, with data.pkl in it; it has 'document.xml'")
    path.write_bytes(b"PK\3\4")
    refused(path, "is cut off")
    with zipfile.ZipFile(write_archive(path, DESCRIPTION), "a") as archive:
        archive.writestr("archive/code/__torch__/model.py", "class Model: ...", compress_type=zipfile.ZIP_DEFLATED)
        archive.writestr("archive/constants.pkl", b"\x80\x02).")
    refused(path, "it is a TorchScript program. Ask for the file of its state_dict")
    write_archive(path, DESCRIPTION, more={"archive/byteorder": b"middle"})
    refused(path, "expected the byte order little or big, got b'middle'")


def test_records_of_all_versions_of_torch(tmp_path):
    more = {
        "archive/version": b"3\n", "archive/byteorder": b"little", "archive/.data/serialization_id": b"1" * 40,
        "archive/.format_version": b"1", "archive/.storage_alignment": b"64",
    }  # fmt: skip
    assert read_tensors(write_archive(tmp_path / "w.pt", DESCRIPTION, more=more)).keys() == {"w"}
