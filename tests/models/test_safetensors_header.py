"""Headers of safetensors that are broken, lie, or are far too long."""

import json

import pytest
import torch

from atom_hf.models import safetensors_header
from atom_hf.models.checkpoint_files import CheckpointError, read_tensors


def entry(shape=(2,), begin=0, end=8, dtype="F32") -> dict:
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, end]}


def write(path, header, data: bytes = bytes(8)):
    header = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + data)
    return path


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (b"{", "its header is broken"),
        (b'{"a": 1', "its header is broken"),
        (b"\xff\xfe{}", "its header is broken"),
        (b"[" * 100_000, "its header is broken"),
        (b"[]", "expected a dictionary of tensors as header, got a list"),
        (b'{"a": NaN}', "the entry 'a' of its header is not that of a tensor"),
        (b'{"a": {"dtype": "F32", "shape": [%s], "data_offsets": [0, 8]}}' % (b"9" * 5000), "its header is broken"),
        (f'{{"a": {json.dumps(entry())}, "a": {json.dumps(entry())}}}'.encode(), "a name occurs twice"),
        (b'{"a": {"dtype": "F32", "dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}', "a name occurs twice"),
        ({"a": 3}, "the entry 'a' of its header is not that of a tensor"),
        ({"a": {"dtype": "F32", "shape": [2]}}, "the entry 'a' of its header is not that of a tensor"),
        ({"a": entry() | {"data_offsets": [0, 4, 8]}}, "the entry 'a' of its header is not that of a tensor"),
        ({"a": entry() | {"data_offsets": [0, 8.0]}}, "the entry 'a' of its header is not that of a tensor"),
        ({"a": entry(dtype="F31")}, "tensor 'a' is of type 'F31'; expected one of F64, F32"),
        ({"a": entry(dtype="F8_E4M3")}, "tensor 'a' is of type 'F8_E4M3'"),
        ({"a": entry((-2,))}, "tensor 'a' has a shape that does not exist"),
        ({"a": entry((2.0,))}, "tensor 'a' has a shape that does not exist"),
        ({"a": entry((1,) * 40)}, "tensor 'a' has a shape that does not exist"),
        ({"a": entry((0, 2**40, 2**40), 0, 0), "b": entry()}, "has a shape that does not exist"),
        ({"a": entry((3,))}, "tensor 'a' of shape [3] in F32 takes 12 bytes, but its header gives it 8"),
        ({"a": entry((10**12,))}, "takes 4000000000000 bytes, but its header gives it 8"),
        ({"a": entry((2,), 8, 0)}, "but its header gives it -8"),
        ({"a": entry((2,), -8, 0)}, "takes 8 bytes, but its header gives it 8"),
        ({"a": entry((10**12,), 0, 4 * 10**12)}, "its tensors claim 4000000000000 bytes, but the file has 8"),
        ({"a": entry((1,), 0, 4)}, "its tensors claim 4 bytes, but the file has 8"),
        ({"a": entry((2,), 8, 16)}, "its tensors overlap or leave gaps at byte 8"),
        ({"a": entry(), "b": entry()}, "its tensors overlap or leave gaps at byte 0"),
        ({"a": entry(), "b": entry((1,), 4, 8)}, "its tensors overlap or leave gaps at byte 4"),
    ],
)
def test_broken_headers(tmp_path, header, message):
    path = write(tmp_path / "w.safetensors", header)
    with pytest.raises(CheckpointError, match=r"w.safetensors") as caught:
        read_tensors(path)
    assert message in str(caught.value)


def test_length_of_the_header(tmp_path):
    path = tmp_path / "w.safetensors"
    for length in (100, 2**40, 2**64 - 1):
        path.write_bytes(length.to_bytes(8, "little") + b"{}")
        with pytest.raises(CheckpointError, match=f"its header claims {length} bytes, but the file has 10"):
            read_tensors(path)
    path.write_bytes(b"{}")
    with pytest.raises(CheckpointError, match="it is truncated or no safetensors file"):
        read_tensors(path)


def test_long_headers(tmp_path, monkeypatch):
    many = {f"weight_{i}": entry((0,), 0, 0) for i in range(100_000)}
    with pytest.raises(CheckpointError, match="expected a header of at most 5120000 bytes, got"):
        read_tensors(write(tmp_path / "w.safetensors", many, b""))
    few = {str(i): entry((0,), 0, 0) for i in range(11)}
    monkeypatch.setattr(safetensors_header, "MAX_TENSORS", 10)
    with pytest.raises(CheckpointError, match="expected at most 10 tensors, got 11"):
        read_tensors(write(tmp_path / "w.safetensors", few, b""))


def test_order_and_metadata(tmp_path):
    header = {"__metadata__": {"format": "pt"}, "b": entry((1,), 4, 8), "a": entry((), 0, 4), "e": entry((0, 5), 4, 4)}
    read = read_tensors(write(tmp_path / "w.safetensors", header, torch.tensor([1.0, 2.0]).numpy().tobytes()))
    assert {name: value.tolist() for name, value in read.items()} == {"b": [2.0], "a": 1.0, "e": []}
    assert read["e"].shape == (0, 5)
