"""AToM's preference data: a folder or an archive for each task, and archives that want to do harm."""

import io
import json
import stat
import zipfile

import numpy as np
import pytest

from atom_hf.data.faults import AnnotationError
from atom_hf.data.importers import ImportReport, atom, read_atom
from atom_hf.data.importers.atom import read_task
from atom_hf.data.schema import faults


def npy(codes):
    stream = io.BytesIO()
    np.save(stream, np.asarray(codes))
    return stream.getvalue()


def contents(base="", ids=(0,), degree="Better"):
    """Path to bytes, as published."""
    files, lines = {}, []
    for i in ids:
        record = {"id": i, "prompt": f"a man jumps {i} times"}
        for number, codes in enumerate(([[5, 7]], [[8]]), 1):
            record[f"sample_{number}"] = {"features": f"/nfs/x/features/{i}_{number}.npy", "seed": number}
            files[f"{base}tokens/{i}_{number}_token.npy"] = npy(codes)
        record["chosen"] = [{"choice": "sample_2", "degree of preference": degree, "user": "gpt"}]
        lines.append(json.dumps(record) + "\n")
    files[f"{base}preference_labels.jsonl"] = "".join(lines).encode()
    return files


def write_folder(folder, files):
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def write_zip(path, files, packing=zipfile.ZIP_DEFLATED):
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", packing) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


@pytest.mark.parametrize(
    ("name", "task"),
    [
        ("Integrity", "integrity"),
        ("temporal_order", "temporal"),
        ("AToM-FREQUENCY", "frequency"),
        ("general_preference", "overall"),
        ("Overall", "overall"),
        ("integrity_and_frequency", None),
        ("pref_data", None),
    ],
)
def test_tasks_by_name(name, task):
    assert read_task(name) == task


def test_a_folder_for_each_task(tmp_path):
    for name in ("Integrity", "temporal_order", "Frequency"):
        write_folder(tmp_path / name, contents())
    report = ImportReport()
    rows = list(read_atom(tmp_path, report=report))
    assert [row["id"] for row in rows] == ["atom/frequency/0", "atom/integrity/0", "atom/temporal/0"]
    assert not any(faults(row) for row in rows) and report.pairs == 3
    row = rows[0]
    assert (row["judge"], row["votes"], row["degree"], row["chosen_codes"]) == ("gpt-4v", [], "better", [8])


def test_archives_for_each_task(tmp_path):
    write_zip(tmp_path / "archives" / "integrity.zip", contents())
    write_zip(tmp_path / "Temporal.ZIP", contents("data/"), zipfile.ZIP_STORED)
    write_folder(tmp_path / "frequency", contents())
    assert sorted(row["task"] for row in read_atom(tmp_path)) == ["frequency", "integrity", "temporal"]
    assert not list(tmp_path.glob("**/tokens/*_2_*.txt")) and not (tmp_path / "data").exists()  # nothing is unpacked


def test_one_archive_with_all_tasks(tmp_path):
    files = contents("AToM/integrity/") | contents("AToM/frequency/") | {"__MACOSX/._x": b"junk"}
    path = write_zip(tmp_path / "release.zip", files)
    rows = list(read_atom(path, judge="gpt-4o", model="MoMask"))
    assert [(row["task"], row["judge"], row["chosen_model"]) for row in rows] == [
        ("frequency", "gpt-4o", "MoMask"),
        ("integrity", "gpt-4o", "MoMask"),
    ]


def test_the_released_mixture(tmp_path):
    """One archive that holds one folder; the three tasks together."""
    path = write_zip(tmp_path / "x.zip", contents("general_preference/", range(3)))
    assert [row["id"] for row in read_atom(path)] == [f"atom/overall/{i}" for i in range(3)]


def test_a_task_that_nobody_tells(tmp_path):
    folder = write_folder(tmp_path / "data", contents())
    with pytest.raises(AnnotationError, match=r"row 1: expected a folder or an archive .* pass task="):
        list(read_atom(folder))
    assert [row["task"] for row in read_atom(folder, task="temporal")] == ["temporal"]
    with pytest.raises(ValueError, match="task is one of integrity"):
        read_atom(folder, task="speed")
    labels = folder / "preference_labels.jsonl"
    labels.write_text(json.dumps(json.loads(labels.read_text()) | {"task": "frequency"}))
    assert [row["task"] for row in read_atom(folder)] == ["frequency"]  # a row's own task goes before


def test_rows_without_a_degree(tmp_path):
    folder = write_folder(tmp_path / "integrity", contents(degree="null"))
    with pytest.raises(AnnotationError, match="The degree of preference is one of"):
        list(read_atom(folder))
    assert [row["degree"] for row in read_atom(folder, degree="slightly better")] == ["slightly better"]


def test_ids_are_unique_over_all_files(tmp_path):
    write_folder(tmp_path / "integrity", contents())
    write_zip(tmp_path / "integrity.zip", contents())
    report = ImportReport()
    assert len(list(read_atom(tmp_path, report=report, on_fault="skip"))) == 1
    assert report.left_out == {"with an id that comes twice": 1} and "integrity.zip" in report.messages[0]


def test_nothing_to_read(tmp_path):
    with pytest.raises(AnnotationError, match="there is none of this name"):
        list(read_atom(tmp_path / "absent"))
    (tmp_path / "readme.md").touch()
    with pytest.raises(AnnotationError, match=r"expected preference_labels\.jsonl, or folders .* got readme\.md"):
        list(read_atom(tmp_path))
    with pytest.raises(AnnotationError, match=r"expected a \.zip archive, but it cannot be read"):
        (tmp_path / "a.zip").write_bytes(b"PK nonsense")
        list(read_atom(tmp_path / "a.zip"))
    with pytest.raises(AnnotationError, match=r"expected preference_labels\.jsonl"):
        list(read_atom(write_zip(tmp_path / "b.zip", {"x.txt": b"x"})))


def test_a_folder_that_is_a_link_to_elsewhere(tmp_path):
    write_folder(tmp_path / "elsewhere", contents())
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "integrity").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(AnnotationError, match="a link that leaves the folder"):
        list(read_atom(tmp_path / "data"))


@pytest.mark.parametrize("name", ["../evil.txt", "/etc/evil", "a/../../evil", "..\\evil", "C:\\evil", "C:/evil"])
def test_archives_with_paths_that_leave_them(tmp_path, name):
    path = write_zip(tmp_path / "integrity.zip", contents() | {name: b"x"})
    with pytest.raises(AnnotationError, match="a path that leaves the archive"):
        list(read_atom(path, on_fault="skip"))


def test_archives_with_two_files_of_one_name(tmp_path):
    path = write_zip(tmp_path / "integrity.zip", contents())
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("preference_labels.jsonl", b"{}")
    with pytest.raises(AnnotationError, match=r"'preference_labels\.jsonl' twice"):
        list(read_atom(path))


def test_bombs(tmp_path, monkeypatch):
    path = write_zip(tmp_path / "integrity.zip", contents() | {"preference_labels.jsonl": b"\n" * 2**22})
    with pytest.raises(AnnotationError, match=r"unpacks from \d+ to 4194304 bytes"):
        list(read_atom(path, on_fault="skip"))
    path = write_zip(tmp_path / "b" / "integrity.zip", contents() | {"tokens/0_2_token.npy": b"\0" * 2**21})
    report = ImportReport()
    assert not list(read_atom(path, report=report, on_fault="skip"))
    assert report.left_out == {"with a token file that is broken": 1} and "got 2097152" in report.messages[0]
    monkeypatch.setattr(atom, "_DIRECTORY", 100)
    with pytest.raises(AnnotationError, match="table of contents is longer than 100 bytes"):
        list(read_atom(path))


def test_a_size_that_is_a_lie(tmp_path):
    """The directory says 100 bytes, the data are a megabyte: what is read ends where the directory says."""
    path = write_zip(tmp_path / "integrity.zip", contents() | {"tokens/0_2_token.npy": npy([[8]]) + b"\0" * 2**20})
    size = len(npy([[8]])) + 2**20
    data = path.read_bytes().replace(size.to_bytes(4, "little"), (100).to_bytes(4, "little"))
    path.write_bytes(data)
    with pytest.raises(AnnotationError, match="0_2_token"):
        list(read_atom(path))


@pytest.mark.parametrize(
    ("kind", "message"),
    [("link", "is a link"), ("packing", "packed in an unusual way"), ("encrypted", "is encrypted")],
)
@pytest.mark.parametrize("name", ["preference_labels.jsonl", "tokens/0_2_token.npy"])
def test_members_that_are_not_read(tmp_path, kind, message, name):
    path = tmp_path / "integrity.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file, data in contents().items():
            info = zipfile.ZipInfo(file)
            if file == name and kind == "link":
                info.external_attr, data = (stat.S_IFLNK | 0o777) << 16, b"/etc/passwd"
            if file == name and kind == "packing":
                info.compress_type = zipfile.ZIP_BZIP2
            archive.writestr(info, data)
    if kind == "encrypted":
        data = bytearray(path.read_bytes())
        at = data.index(name.encode(), data.index(b"PK\x01\x02"))
        data[at - 46 + 8] |= 1
        path.write_bytes(data)
    with pytest.raises(AnnotationError, match=message):
        list(read_atom(path))


@pytest.mark.parametrize("name", ["preference_labels.jsonl", "tokens/0_2_token.npy"])
def test_damaged_data(tmp_path, name):
    path = write_zip(tmp_path / "integrity.zip", contents())
    with zipfile.ZipFile(path) as archive:
        checksum = archive.getinfo(name).CRC.to_bytes(4, "little")
    path.write_bytes(path.read_bytes().replace(checksum, b"\1\2\3\4"))
    with pytest.raises(AnnotationError, match="Bad CRC-32"):
        list(read_atom(path))


def test_objects_in_an_archive(tmp_path):
    stream = io.BytesIO()
    np.save(stream, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    path = write_zip(tmp_path / "integrity.zip", contents() | {"tokens/0_2_token.npy": stream.getvalue()})
    with pytest.raises(AnnotationError, match="Python objects can run code"):
        list(read_atom(path))


def test_codes_that_are_not_in_the_archive(tmp_path):
    files = contents()
    del files["tokens/0_2_token.npy"]
    with pytest.raises(AnnotationError, match=r"expected codes at tokens/0_2_token\.npy, but there is no such file"):
        list(read_atom(write_zip(tmp_path / "integrity.zip", files)))
