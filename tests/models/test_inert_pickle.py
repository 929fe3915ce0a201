"""Pickles that want to run something; a canary shows whether one did."""

import copyreg
import os
import pickle
import time
import tracemalloc
from pathlib import Path

import pytest
import torch

from atom_hf.models.checkpoint_files import CheckpointError, read_tensors

from .pickle_parts import dictionary, name, number, numbers, pickled, storage, tensor, text, write_archive

SIX = torch.arange(6.0).reshape(2, 3)
SYSTEM = name(os.system.__module__, "system")


def hostile(canary: Path) -> dict[str, bytes]:
    """Opcodes that leave one value, and would make the canary if they were obeyed."""
    command = text(f"echo > {canary}")
    code = text(f"open({str(canary)!r}, 'w')")
    popen = name("subprocess", "Popen")
    shell = b"(" + text("sh") + text("-c") + command + b"l"
    inner = pickle.PROTO + b"\x04" + SYSTEM + command + b"\x85R."
    return {
        "REDUCE system": SYSTEM + command + b"\x85R",
        "REDUCE eval": name("builtins", "eval") + code + b"\x85R",
        "REDUCE exec": name("builtins", "exec") + code + b"\x85R",
        "STACK_GLOBAL": text("builtins") + text("eval") + b"\x93" + code + b"\x85R",
        "INST": b"(" + command + b"iposix\nsystem\n",
        "OBJ": b"(" + popen + shell + b"o",
        "NEWOBJ": popen + b")\x810" + SYSTEM + command + b"\x85R",
        "NEWOBJ_EX": popen + b")}" + text("args") + shell + b"s\x920" + SYSTEM + command + b"\x85R",
        "REDUCE of a method": text("pathlib") + text("Path.touch") + b"\x93"
        + name("pathlib", "Path") + text(str(canary)) + b"\x85R\x85R",
        "getattr": name("builtins", "getattr") + name("os", "path") + text("os") + b"\x86R0"
        + SYSTEM + command + b"\x85R",
        "pickle in a pickle": name("pickle", "loads")
        + b"B" + len(inner).to_bytes(4, "little") + inner + b"\x85R",
        "EXT1": b"\x82\x07" + command + b"\x85R",
        "EXT2": b"\x83\x07\x00" + command + b"\x85R",
        "EXT4": b"\x84\x07\x00\x00\x00" + command + b"\x85R",
        "globals of a known function": text("torch._utils") + text("_rebuild_tensor_v2.__globals__") + b"\x930"
        + SYSTEM + command + b"\x85R",
        "dotted module": text("torch.serialization") + text("os.system") + b"\x93" + command + b"\x85R",
        "map": name("builtins", "list") + name("builtins", "map") + name("builtins", "eval")
        + b"(" + code + b"l\x86R\x85R",
        "BUILD": name("types", "SimpleNamespace") + b")R}" + text("__reduce__") + SYSTEM + b"sb0"
        + SYSTEM + command + b"\x85R",
        "items of a call": SYSTEM + command + b"\x85R0]" + SYSTEM + command + b"\x85Ra",
    }  # fmt: skip


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    return tmp_path / "canary"


@pytest.fixture
def extension():
    copyreg.add_extension(os.system.__module__, "system", 7)
    yield
    copyreg.remove_extension(os.system.__module__, "system", 7)
    copyreg._extension_cache.pop(7, None)


@pytest.mark.parametrize("attack", list(hostile(Path("x"))))
def test_nothing_is_run(tmp_path, canary, extension, attack, monkeypatch):
    opcodes = hostile(canary)[attack]
    pickle.loads(b"\x80\x04" + opcodes + b".")  # the attack is a real one
    for _ in range(200):  # Popen does not wait
        if canary.exists():
            break
        time.sleep(0.01)
    canary.unlink()
    asked = []
    monkeypatch.setattr(torch, "load", lambda *_, **__: asked.append(1))
    for place in ("beside", "among", "around"):
        content = {
            "beside": dictionary({"evil": opcodes, "state_dict": dictionary({"w": tensor()})}),
            "among": dictionary({"evil": opcodes, "w": tensor()}),
            "around": opcodes + b"0" + dictionary({"w": tensor()}),
        }[place]
        path = write_archive(tmp_path / "w.pt", pickled(content))
        assert read_tensors(path).keys() == {"w"}
        torch.testing.assert_close(read_tensors(path)["w"], SIX)
        time.sleep(0.01)
        assert not canary.exists()
    write_archive(tmp_path / "w.pt", pickled(opcodes))
    with pytest.raises(CheckpointError, match="expected a state dict"):
        read_tensors(tmp_path / "w.pt")
    assert not canary.exists() and not asked


def test_attributes_of_what_torch_would_change(tmp_path, monkeypatch):
    """A state that replaces a tensor's numbers or a dictionary's methods has no effect, whoever reads the file."""
    other = tensor((6,), (1,), stored=storage("1"))
    storages = {"0": SIX.numpy().tobytes(), "1": bytes(24)}
    state = b"(" + storage("1") + number(0) + numbers((2, 3)) + numbers((3, 1)) + b"t"
    parameter = name("torch._utils", "_rebuild_parameter_with_state")
    hooks = name("collections", "OrderedDict") + b")R"
    for value in (
        tensor() + state + b"b",
        parameter + b"(" + tensor() + b"\x89" + hooks + dictionary({"data": other}) + b"tR",
        tensor() + dictionary({"data": other}) + b"b",
    ):
        path = write_archive(tmp_path / "w.pt", pickled(dictionary({"w": value})), storages)
        torch.testing.assert_close(read_tensors(path)["w"], SIX)
    ordered = name("collections", "OrderedDict") + b")R(" + text("w") + tensor() + b"u"
    path = write_archive(
        tmp_path / "w.pt", pickled(ordered + dictionary({"items": other, "get": b"N"}) + b"b"), storages
    )
    torch.testing.assert_close(read_tensors(path)["w"], SIX)


@pytest.mark.parametrize(
    "identity",
    [
        b"N",
        number(3),
        text("storage"),
        b")",
        b"(" + text("module") + SYSTEM + text("0") + text("cpu") + number(6) + b"t",
        b"(" + text("storage") + SYSTEM + text("0") + text("cpu") + number(6) + b"t",
        b"(" + text("storage") + name("torch", "FloatStorage") + b")" + text("cpu") + number(6) + b"t",
        b"(" + text("storage") + name("torch", "FloatStorage") + text("0") + text("cpu") + text("6") + b"t",
        b"(" + text("storage") + name("torch", "FloatStorage") + text("0") + text("cpu") + number(-6) + b"t",
        b"(" + text("storage") + name("torch", "float32") + text("0") + text("cpu") + number(6) + b"t",
        b"(" + text("storage") + name("torch", "FloatStorage") + text("0") + text("cpu") + number(6) + b"K\x00t",
    ],
)
def test_odd_persistent_ids(tmp_path, identity):
    path = write_archive(
        tmp_path / "w.pt", pickled(dictionary({"w": tensor(), "odd": tensor(stored=identity + b"Q")}))
    )
    with pytest.raises(CheckpointError, match=r"weight 'odd' is no plain dense tensor.*_rebuild_tensor_v2"):
        read_tensors(path)
    assert read_tensors(path, keep=lambda name: name == "w").keys() == {"w"}


@pytest.mark.parametrize(
    ("claim", "message"),
    [
        (tensor((2, 4), (4, 1)), "claims more than the 24 bytes of its storage"),
        (tensor(offset=1), "claims more than the 24 bytes of its storage"),
        (tensor((2,), (2**40,)), "claims more than the 24 bytes of its storage"),
        (tensor((-2, 3)), "is no plain dense tensor"),
        (tensor(strides=(-3, 1)), "is no plain dense tensor"),
        (tensor(offset=-1), "is no plain dense tensor"),
        (tensor((2, 3), (1,)), "is no plain dense tensor"),
        (tensor((1,) * 40, (1,) * 40), "is no plain dense tensor"),
        (tensor((0, 2**40, 2**40), (0, 0, 0)), "has a shape that does not exist"),
        (tensor(rest=dictionary({"neg": b"\x88"})), "is no plain dense tensor"),
        (tensor(stored=storage(numel=2**40)), r"its weights claim 4398046511104 bytes of 'data/0', but there are 24"),
        (tensor(stored=storage("../data/0")), r"bytes of 'data/../data/0', but there are none"),
        (tensor(stored=storage(kind="DoubleStorage")), r"claim 48 bytes of 'data/0', but there are 24"),
    ],
)
def test_tensors_that_claim_what_is_not_there(tmp_path, claim, message):
    path = write_archive(tmp_path / "w.pt", pickled(dictionary({"odd": claim, "w": b"N"})))
    with pytest.raises(CheckpointError) as caught:
        read_tensors(path)
    assert message in str(caught.value) or "expected a state dict" in str(caught.value)
    path = write_archive(tmp_path / "v.pt", pickled(dictionary({"odd": claim, "w": tensor(stored=storage("1"))})),
                         {"0": bytes(24), "1": bytes(24)})  # fmt: skip
    with pytest.raises(CheckpointError) as caught:
        read_tensors(path)
    assert message in str(caught.value)


def nested_tuples(depth: int) -> bytes:
    return b")" + b"\x85" * depth


def doubled_tuples(depth: int) -> bytes:
    return b")" + b"2\x86" * depth


HARMLESS = {
    "nested tuples": nested_tuples(100_000),
    "tuples that take for ever to hash": b"}" + doubled_tuples(200) + b"Ns",
    "a set of them": b"(" + doubled_tuples(200) + b"\x91",
    "an ordered dictionary of them": name("collections", "OrderedDict") + b"(]]" + doubled_tuples(200) + b"aatR",
    "lists that hold the last one many times": b"]" + b"q\x00](h\x00h\x00h\x00e" * 1000,
    "a dictionary that holds itself": b"}q\x00" + text("model") + b"h\x00s",
    "a large place in the memo": b"Nr\xff\xff\xff\xff",
    "a long integer": b"\x8b" + (100_000).to_bytes(4, "little") + b"\x7f" * 100_000,
    "a long string": text("x" * 1_000_000),
    "dictionaries in dictionaries": b"}q\x00" + b"0}" + (text("a") + b"h\x00sq\x000}") * 50_000,
}
REFUSED = {
    "nested lists": b"]" * 100_000 + b"a" * 99_999,
    "nested dictionaries": (b"}" + text("a")) * 100_000 + b"N" + b"s" * 100_000,
    "levels": b"(" * 2000 + b"N" + b"t" * 2000,
    "a million steps": b"N0" * 600_000 + b"N",
    "a long decimal": b"L" + b"9" * 10_000 + b"L\n",
    "bytes that are not there": b"\x96" + (2**40).to_bytes(8, "little"),
    "text that is not there": b"X\xff\xff\xff\xff",
    "a frame that is not there": b"\x95" + (2**40).to_bytes(8, "little"),
    "an opcode that is none": b"\xff",
    "buffers": b"\x97",
    "an empty stack": b"00000",
    "no mark": b"t",
    "a place that was not memorised": b"h\x09",
    "a key without a value": b"}(" + text("a") + b"u",
    "a name that is a number": b"K\x01K\x02\x93",
    "text that is no text": b"X\x01\x00\x00\x00\xff",
    "two storages of one name": storage() + b"0" + storage(numel=7),
}


@pytest.mark.parametrize("bomb", list(HARMLESS))
def test_bombs_that_do_not_go_off(tmp_path, bomb):
    path = write_archive(
        tmp_path / "w.pt", pickled(dictionary({"state_dict": dictionary({"w": tensor()}), "x": HARMLESS[bomb]}))
    )
    start = time.perf_counter()
    torch.testing.assert_close(read_tensors(path)["w"], SIX)
    assert time.perf_counter() - start < 5


@pytest.mark.parametrize("bomb", list(REFUSED))
def test_bombs_that_are_refused(tmp_path, bomb):
    path = write_archive(
        tmp_path / "w.pt", pickled(dictionary({"state_dict": dictionary({"w": tensor()}), "x": REFUSED[bomb]}))
    )
    start = time.perf_counter()
    with pytest.raises(CheckpointError, match=r"w.pt: expected a checkpoint.* but "):
        read_tensors(path)
    assert time.perf_counter() - start < 8


def test_what_follows_the_end_is_refused(tmp_path, canary):
    content = pickled(dictionary({"w": tensor()}))
    path = write_archive(tmp_path / "w.pt", content + pickled(hostile(canary)["REDUCE system"]))
    with pytest.raises(CheckpointError, match="its description goes on after its end"):
        read_tensors(path)
    write_archive(path, content[:-1])
    with pytest.raises(CheckpointError, match="Download it again"):
        read_tensors(path)
    assert not canary.exists()


def test_one_state_dict_under_many_names(tmp_path):
    """Two thousand names of a dictionary of two thousand names would be four million weights."""
    names = b"}(" + tensor() + b"q\x000" + b"".join(text(f"w{i}") + b"h\x00" for i in range(2000)) + b"uq\x01"
    outer = b"}(" + text("x") + names + b"".join(text(f"d{i}") + b"h\x01" for i in range(2000)) + b"u"
    path = write_archive(tmp_path / "w.pt", pickled(outer))
    tracemalloc.start()
    with pytest.raises(CheckpointError, match="it has more than 20000 tensors"):
        read_tensors(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 30e6


def test_long_lists_of_storages_in_the_old_format(tmp_path):
    torch.save({"w": SIX}, tmp_path / "w.pt", _use_new_zipfile_serialization=False)
    content = (tmp_path / "w.pt").read_bytes()
    assert read_tensors(tmp_path / "w.pt").keys() == {"w"}
    place = content.rindex(b"\x80\x02]")  # the list of names; what follows are numbers
    (tmp_path / "w.pt").write_bytes(content[: place + 2] + b"N0" * 100_000 + content[place + 2 :])
    with pytest.raises(CheckpointError, match="its list of storages is far longer than a checkpoint's"):
        read_tensors(tmp_path / "w.pt")
