"""What all formats share: whole files or none, and arrays that are refused before they cost memory."""

import io
import stat
import struct
import tracemalloc
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from atom_hf.motion.formats import files
from atom_hf.motion.formats.files import MotionFormatError, read_npy, read_npz, read_text, replacing


def header(text: str, version: int = 1) -> bytes:
    body = text.encode("latin1") + b"\n"
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", len(body)) + body


def claim(shape: str, descr: str = "'<f4'") -> bytes:
    return header(f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}")


def archive(path: Path, member: str = "poses.npy", method: int = zipfile.ZIP_DEFLATED, content: bytes = b"") -> Path:
    with zipfile.ZipFile(path, "w", method) as file:
        file.writestr(member, content)
    return path


def lying_archive(content: bytes, size: int) -> bytes:
    """An archive with one deflated member, `poses.npy`, that claims to unpack to `size` bytes."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(content) + packer.flush()
    name, checksum = b"poses.npy", zlib.crc32(content)
    extra = struct.pack("<HHQ", 1, 8, size) if size >= 2**32 else b""
    claimed = 0xFFFFFFFF if extra else size
    common = struct.pack("<HHHHHIIIHH", 45, 0, 8, 0, 0x21, checksum, len(packed), claimed, len(name), len(extra))
    local = b"PK\x03\x04" + common + name + extra + packed
    directory = b"PK\x01\x02" + struct.pack("<H", 45) + common + struct.pack("<HHHII", 0, 0, 0, 0, 0) + name + extra
    return local + directory + b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(directory), len(local), 0)


@pytest.fixture
def peak() -> Iterator:
    """Bytes that Python and NumPy held at most since the test began."""
    tracemalloc.start()
    yield lambda: tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()


class TestError:
    def test_names_file_and_line(self):
        assert (
            str(MotionFormatError("walk.bvh", "expected a number.", line=7)) == "walk.bvh, line 7: expected a number."
        )

    def test_is_a_value_error(self):
        assert issubclass(MotionFormatError, ValueError)


class TestReplacing:
    def test_writes_the_whole_file_with_ordinary_rights(self, tmp_path):
        path = tmp_path / "new" / "walk.npz"
        with replacing(path) as temporary:
            assert temporary.suffix == ".npz" and temporary.parent == path.parent and not path.exists()
            temporary.write_text("walk")
        assert path.read_text() == "walk" and [file.name for file in path.parent.iterdir()] == ["walk.npz"]
        ordinary = tmp_path / "ordinary"
        ordinary.touch()
        assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(ordinary.stat().st_mode)

    @pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
    def test_keeps_the_old_file_and_leaves_nothing_behind_on_error(self, tmp_path, error):
        path = tmp_path / "walk.npz"
        path.write_text("old")
        with pytest.raises(error), replacing(path) as temporary:
            temporary.write_text("half")
            raise error
        assert path.read_text() == "old" and [file.name for file in tmp_path.iterdir()] == ["walk.npz"]


class TestReadText:
    def test_replaces_what_is_no_utf8(self, tmp_path):
        (tmp_path / "a.bvh").write_bytes(b"HIERARCHY \xff")
        assert read_text(tmp_path / "a.bvh") == "HIERARCHY \ufffd"

    def test_absent_folder_and_too_large(self, tmp_path, monkeypatch):
        with pytest.raises(MotionFormatError, match="expected a file, but there is no such file"):
            read_text(tmp_path / "a.bvh")
        with pytest.raises(MotionFormatError, match="expected a file, but it is a folder"):
            read_text(tmp_path)
        (tmp_path / "a.bvh").write_text("HIERARCHY")
        monkeypatch.setattr(files, "MAX_BYTES", 8)
        with pytest.raises(MotionFormatError, match="expected at most 8 bytes for a motion, got 9"):
            read_text(tmp_path / "a.bvh")


class TestReadNpy:
    @pytest.mark.parametrize(
        "array",
        [
            np.arange(6, dtype=np.float32).reshape(2, 3),
            np.asfortranarray(np.arange(6.0).reshape(2, 3)),
            np.arange(3, dtype=">i2"),
            np.array(120.0),
            np.zeros((0, 3)),
            np.array("neutral"),
            np.array([True]),
        ],
    )
    def test_gives_back_what_numpy_wrote(self, tmp_path, array):
        np.save(tmp_path / "a.npy", array)
        got = read_npy(tmp_path / "a.npy")
        assert np.array_equal(got, array) and got.dtype == array.dtype.newbyteorder("=") and got.flags.writeable

    @pytest.mark.parametrize(
        ("content", "problem"),
        [
            (b"", "header is broken"),
            (b"\x93NUMPX\x01\x00", "header is broken"),
            (b"RIFF" * 8, "header is broken"),
            (claim("(2,)")[:20], "header is broken"),
            (header("{'descr': '<f4'"), "header is broken"),
            (header("[" * 5000), "header is broken"),
            (header("-" * 9000 + "1"), "header is broken"),
            (header("__import__('os').system('true')"), "header is broken"),
            (header("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", version=2), "version"),
            (claim("(500000000,)") + b"\0" * 64, "truncated or hostile"),
            (claim("(2 + 2,)"), "header is broken"),
            (claim(f"({2**62}, {2**62})"), "truncated or hostile"),
            (claim(f"({10**4000}, {10**4000})"), "truncated or hostile"),
            (claim("(-2, -2)") + b"\0" * 64, "truncated or hostile"),
            (claim(f"(0, {2**70})") + b"\0" * 64, "truncated or hostile"),
            (claim(str((1,) * 40)) + b"\0" * 64, "truncated or hostile"),
            (claim("(3,)", "'<U0'") + b"\0" * 64, "expected numbers, got values of type <U0"),
            (claim("(3,)", "'|O'") + b"\0" * 64, "expected numbers, got values of type object"),
            (claim("(3,)", "[('x', '<f4')]") + b"\0" * 64, "expected numbers"),
            (claim("(3,)", "'<c8'") + b"\0" * 64, "expected numbers, got values of type complex64"),
            (claim("(4, 4)") + b"\0" * 60, "truncated"),
        ],
    )
    def test_refuses_broken_and_hostile_files(self, tmp_path, peak, content, problem):
        (tmp_path / "a.npy").write_bytes(content)
        with pytest.raises(MotionFormatError, match=problem) as caught:
            read_npy(tmp_path / "a.npy")
        assert str(caught.value).startswith(str(tmp_path / "a.npy"))
        assert peak() < 5e6

    def test_never_unpickles(self, tmp_path):
        np.save(tmp_path / "a.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
        with pytest.raises(MotionFormatError, match="Files with Python objects can run code, so they are never read"):
            read_npy(tmp_path / "a.npy")

    def test_needs_little_more_memory_than_the_array(self, tmp_path, peak):
        np.save(tmp_path / "a.npy", np.zeros(2_000_000))
        before = peak()
        read_npy(tmp_path / "a.npy")
        assert peak() - before < 1.3 * 16e6


class TestReadNpz:
    @pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
    def test_reads_the_named_arrays_only(self, tmp_path, save):
        objects = np.array([None], dtype=object)
        save(tmp_path / "a.npz", poses=np.ones((4, 66)), trans=np.zeros((4, 3)), notes=objects)
        arrays = read_npz(tmp_path / "a.npz", ("poses", "betas"))
        assert list(arrays) == ["poses"] and np.array_equal(arrays["poses"], np.ones((4, 66)))
        with pytest.raises(
            MotionFormatError, match=r"a.npz, array 'notes': expected numbers, got values of type object"
        ):
            read_npz(tmp_path / "a.npz", ("notes",))

    def test_says_what_is_there_when_something_is_missing(self, tmp_path):
        np.savez(tmp_path / "a.npz", poses=np.ones(3), gender=np.array("male"))
        with pytest.raises(MotionFormatError, match="expected the arrays trans, betas; it has 'poses', 'gender'"):
            read_npz(tmp_path / "a.npz", ("poses", "trans", "betas"), required=("poses", "trans", "betas"))

    @pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x93NUMPY", b"PK\x05\x06" + b"\xff" * 18])
    def test_refuses_what_is_no_archive(self, tmp_path, content):
        (tmp_path / "a.npz").write_bytes(content)
        with pytest.raises(MotionFormatError, match=r"expected an .npz archive of arrays, but it cannot be read"):
            read_npz(tmp_path / "a.npz", ("poses",))

    @pytest.mark.parametrize("size", [10**11, 2**24, 100])
    def test_deflate_bomb_costs_no_memory(self, tmp_path, peak, size):
        """The array claims 100 GB, and the archive agrees, says less, or says that there is next to nothing."""
        (tmp_path / "a.npz").write_bytes(lying_archive(claim("(25000000000,)") + bytes(2**24), size))
        tracemalloc.reset_peak()
        with pytest.raises(MotionFormatError, match=r"truncated or hostile|header is broken"):
            read_npz(tmp_path / "a.npz", ("poses",))
        assert peak() < 1e6

    def test_all_arrays_together_have_one_limit(self, tmp_path, monkeypatch):
        np.savez_compressed(tmp_path / "a.npz", poses=np.zeros(1000), trans=np.zeros(1000))
        monkeypatch.setattr(files, "MAX_BYTES", 12_000)
        assert read_npz(tmp_path / "a.npz", ("poses",))["poses"].shape == (1000,)
        with pytest.raises(MotionFormatError, match=r"array 'trans': its header claims .* the limit is 4000"):
            read_npz(tmp_path / "a.npz", ("poses", "trans"))

    def test_member_that_lies_about_its_size(self, tmp_path):
        content = claim("(2000,)") + bytes(8000)
        (tmp_path / "a.npz").write_bytes(lying_archive(content, len(content) + 10_000))
        assert read_npz(tmp_path / "a.npz", ("poses",))["poses"].shape == (2000,)
        (tmp_path / "a.npz").write_bytes(lying_archive(content, len(content) - 4000))
        with pytest.raises(MotionFormatError, match="Bad CRC"):
            read_npz(tmp_path / "a.npz", ("poses",))
        (tmp_path / "a.npz").write_bytes(lying_archive(content[:-4000], len(content)))
        with pytest.raises(MotionFormatError, match=r"expected 8000 bytes of data .* got 4000; it is truncated"):
            read_npz(tmp_path / "a.npz", ("poses",))

    def test_long_header_is_not_unpacked(self, tmp_path, peak):
        start = b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**31)
        archive(tmp_path / "a.npz", content=start + b" " * 50_000_000)
        tracemalloc.reset_peak()
        with pytest.raises(MotionFormatError, match="header is broken"):
            read_npz(tmp_path / "a.npz", ("poses",))
        assert peak() < 1e6

    @pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
    def test_other_ways_of_packing_are_refused(self, tmp_path, method):
        """4 KB of bzip2 can hold gigabytes, which zipfile unpacks in one go."""
        archive(tmp_path / "a.npz", method=method, content=claim("(3,)") + bytes(12))
        with pytest.raises(MotionFormatError, match="expected plain or deflated data, as NumPy writes"):
            read_npz(tmp_path / "a.npz", ("poses",))

    def test_encrypted_member(self, tmp_path):
        data = bytearray(archive(tmp_path / "a.npz", content=claim("(3,)") + bytes(12)).read_bytes())
        data[6] |= 1  # the flag of encryption, in the member's header and in the directory
        data[data.index(b"PK\x01\x02") + 8] |= 1
        (tmp_path / "a.npz").write_bytes(data)
        with pytest.raises(MotionFormatError, match="encrypted"):
            read_npz(tmp_path / "a.npz", ("poses",))

    def test_directory_of_many_members(self, tmp_path, peak):
        with zipfile.ZipFile(tmp_path / "a.npz", "w") as file:
            info = zipfile.ZipInfo("poses.npy")
            file.writestr(info, claim("(3,)") + bytes(12))
            entry = file.filelist[0]
            file.filelist += [entry] * 40_000
        assert (tmp_path / "a.npz").stat().st_size > 2**20
        tracemalloc.reset_peak()
        with pytest.raises(MotionFormatError, match="its directory is longer than"):
            read_npz(tmp_path / "a.npz", ("poses",))
        assert peak() < 2e7

    def test_damage_anywhere_is_an_error_or_harmless(self, tmp_path):
        buffer = io.BytesIO()
        np.savez_compressed(buffer, poses=np.arange(66.0).reshape(1, 66), trans=np.zeros((1, 3)))
        good = buffer.getvalue()
        random = np.random.default_rng(0)
        for trial in range(200):
            data = bytearray(good)
            for place in random.integers(len(data), size=3):
                data[place] = random.integers(256)
            if trial % 4 == 0:
                data = data[: random.integers(len(data))]
            (tmp_path / "a.npz").write_bytes(data)
            try:
                read_npz(tmp_path / "a.npz", ("poses", "trans"))
            except MotionFormatError:
                pass
