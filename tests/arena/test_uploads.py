"""Archives from somebody: what leads out, unpacks without end or is something else is refused, and nothing is left."""

import io
import os
import stat
import struct
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from atom_hf.arena import UploadError, ZipLimits
from atom_hf.arena.uploads import read_zip
from tests.arena.parts import motion

PROMPTS = b'{"name": "wave", "prompt": "a man waves"}\n'


def _npy(array=None) -> bytes:
    content = io.BytesIO()
    np.save(content, motion("a").joints if array is None else array)
    return content.getvalue()


def _zip(files, compression=zipfile.ZIP_DEFLATED) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", compression) as archive:
        for name, data in files.items() if isinstance(files, dict) else files:
            archive.writestr(name, data)
    return content.getvalue()


def _entry(name, mode=0o100644) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    return info


@pytest.fixture(autouse=True)
def nothing_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    monkeypatch.chdir(tmp_path)
    yield
    assert [path.name for path in tmp_path.iterdir()] == ["temporary"]
    assert list((tmp_path / "temporary").iterdir()) == []


def test_good():
    bvh = Path(tempfile.gettempdir(), "x.bvh")
    motion("b").save(bvh)
    text = bvh.read_bytes()
    bvh.unlink()
    files = {
        "a/wave.npy": _npy(),
        "b/": b"",
        "b/wave.BVH": text,
        "prompts.jsonl": PROMPTS,
        "__MACOSX/x": b"",
        ".DS_Store": b"x",
    }
    upload = read_zip(_zip(files))
    assert list(upload.motions) == ["a/wave.npy", "b/wave.BVH"] and upload.prompts[0]["name"] == "wave"
    assert np.array_equal(upload.motions["a/wave.npy"].joints, motion("a").joints)


@pytest.mark.parametrize(
    "name",
    ["../wave.npy", "/etc/wave.npy", "a/../../wave.npy", "a\\..\\wave.npy", "C:\\wave.npy", "c:/wave.npy",
     "~/../wave.npy", "a/wave.npy\x00.txt", "a/\x1b[2J.npy",
     "a/\u202eypn.npy", "a" * 301 + ".npy", "//server/wave.npy"],
)  # fmt: skip
def test_paths_that_lead_out(name):
    data = _zip({name: _npy()})
    if name.isascii():  # zipfile itself would mend some of them
        data = _zip({"x" * len(name): _npy()}).replace(b"x" * len(name), name.encode())
    with pytest.raises(UploadError, match="Expected plain paths inside the archive, got"):
        read_zip(data)


@pytest.mark.parametrize("mode", [stat.S_IFLNK | 0o777, stat.S_IFCHR | 0o666, stat.S_IFIFO | 0o666])
def test_links_and_devices(mode):
    with pytest.raises(UploadError, match="is a link or a device"):
        read_zip(_zip([(_entry("a/wave.npy", mode), b"/etc/passwd")]))


def test_bombs():
    with pytest.raises(UploadError, match=r"a.npy unpacks to .* times its size; expected at most 60 times"):
        read_zip(_zip({"a.npy": b"\0" * 10_000_000}))
    with pytest.raises(UploadError, match=r"a.npy has 16.2 MB unpacked; expected at most 16.0 MB"):
        read_zip(_zip({"a.npy": os.urandom(17_000_000)}, zipfile.ZIP_STORED))
    small = ZipLimits(total=200_000)
    with pytest.raises(UploadError, match=r"Expected at most 0.2 MB unpacked, got more"):
        read_zip(_zip({f"{i}.npy": os.urandom(60_000) for i in range(4)}), small)
    with pytest.raises(UploadError, match="Expected at most 3 files, got 4"):
        read_zip(_zip({f"{i}.npy": b"" for i in range(4)}), ZipLimits(entries=3))
    with pytest.raises(UploadError, match=r"Expected at most 64.0 MB, got 64.0 MB"):
        read_zip(b"x" * (64 * 2**20 + 1))


def test_a_length_that_lies():
    data = bytearray(_zip({"a.npy": b"\0" * 1_000_000}))
    real, said = struct.pack("<L", 1_000_000), struct.pack("<L", 1_000)
    assert data.count(real) == 2
    with pytest.raises(UploadError, match=r"cannot be read|not as long"):
        read_zip(bytes(data.replace(real, said)))


def test_files_that_lie_over_each_other():
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("a.npy", _npy())
        one = archive.infolist()[0]
        twin = zipfile.ZipInfo("b.npy")
        for name in ("CRC", "compress_size", "file_size", "header_offset", "compress_type"):
            setattr(twin, name, getattr(one, name))
        archive.filelist.append(twin)
    with pytest.raises(UploadError, match="lies over another file"):
        read_zip(content.getvalue())


def test_archives_in_archives():
    inner = _zip({"a.npy": _npy()})
    with pytest.raises(UploadError, match=r"Expected .bvh, .npy, .npz and prompts.jsonl, got 'a.zip'; take it out"):
        read_zip(_zip({"a.zip": inner}))
    for magic in (inner, b"\x1f\x8b" + b"\0" * 99, b"7z\xbc\xaf" + b"\0" * 99):
        with pytest.raises(UploadError, match=r"a.bvh is an archive itself"):
            read_zip(_zip({"a.bvh": magic}))
    with pytest.raises(UploadError, match=r"Expected arrays in a.npz, got something else"):
        read_zip(_zip({"a.npz": _zip({"a.zip": inner})}))
    with pytest.raises(UploadError, match=r"a.npz unpacks to more than 0.4 MB"):
        read_zip(_zip({"a.npz": _zip({"poses.npy": b"\0" * 500_000})}), ZipLimits(file=100_000))
    with pytest.raises(UploadError, match="cannot be read"):
        read_zip(_zip({"a.npz": b"PK\x03\x04" + b"\0" * 200}))


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"a.py": b"x"}, "got 'a.py'; take it out"),
        ({"a": b"x"}, "got 'a'; take it out"),
        ({"a.npy.exe": b"x"}, "take it out"),
        ({"prompts.jsonl": PROMPTS}, "Expected motions .* in the archive, got none"),
        ({}, "got none"),
        ({"a.npy": b"x"}, "a.npy: .*Nothing was kept"),
        ({"a.npy": _npy(np.zeros((5, 5)))}, "a.npy: .*Nothing was kept"),
        ({"a.bvh": b"HIERARCHY"}, "a.bvh.*Nothing was kept"),
        ({"a.npy": _npy(), "prompts.jsonl": b"{"}, "prompts.jsonl: expected a JSON object a line, but"),
        ({"a.npy": _npy(), "prompts.jsonl": b"[" * 100_000}, "prompts.jsonl"),
        ({"a.npy": _npy(), "prompts.jsonl": b"7"}, "prompts.jsonl: expected a JSON object a line, got something else"),
        ({"a.npy": _npy(), "prompts.jsonl": b"\xff"}, "prompts.jsonl: expected a JSON object a line"),
        ({"a.npy": _npy(), "prompts.jsonl": PROMPTS, "x/prompts.jsonl": PROMPTS}, "Expected one prompts.jsonl, got 2"),
        ({"a.npy": _npy(), "A.NPY": _npy()}, "is in the archive twice"),
    ],
)
def test_something_else(files, message):
    with pytest.raises(UploadError, match=message):
        read_zip(_zip(files))


def test_objects_never_run(tmp_path):
    array = np.array([{"x": 1}], dtype=object)
    content = io.BytesIO()
    np.save(content, array, allow_pickle=True)
    with pytest.raises(UploadError, match="Python objects can run code"):
        read_zip(_zip({"a.npy": content.getvalue()}))


def test_encrypted_and_unusual_packing():
    data = bytearray(_zip({"a.npy": _npy()}))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(UploadError, match=r"a.npy is encrypted; pack it without a password"):
        read_zip(bytes(data))
    with pytest.raises(UploadError, match="packed in an unusual way; use plain zip"):
        read_zip(_zip({"a.npy": _npy()}, zipfile.ZIP_LZMA))


def test_no_archive():
    for data in (b"", b"x", b"PK\x05\x06", b"PK\x03\x04" + b"\xff" * 500, _zip({"a.npy": _npy()})[:-30]):
        with pytest.raises(UploadError, match="Expected a zip archive of motions, but it cannot be read"):
            read_zip(data)


def test_broken_bytes_anywhere():
    """Whatever is flipped, there is a plain refusal or motions, and no other exception."""
    good = _zip({"a/wave.npy": _npy(motion("a").joints[:6]), "prompts.jsonl": PROMPTS})
    rng = np.random.default_rng(0)
    refused = 0
    for _ in range(300):
        data = bytearray(good)
        for place in rng.integers(0, len(data), 3):
            data[place] = rng.integers(0, 256)
        if rng.random() < 0.5:  # the directory is where most harm can be done
            place = int(rng.integers(good.index(b"PK\x01\x02"), len(data)))
            data[place] = rng.integers(0, 256)
        try:
            read_zip(bytes(data))
        except UploadError:
            refused += 1
    assert refused > 250
