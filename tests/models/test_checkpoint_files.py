"""Checkpoints of every kind that people have, and files that are none; results are compared with torch.load."""

import collections
import os
import sys
import tarfile
import tracemalloc
import types
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from atom_hf.models import checkpoint_files
from atom_hf.models.checkpoint_files import CheckpointError, read_tensors, tensor_shapes

from .pickle_parts import dictionary, pickled, storage, tensor, write_archive


def weights(zipped: bool = True) -> dict[str, torch.Tensor]:
    """Tensors of all kinds; torch's old format, which is older than it, has no unsigned type of 16 bits."""
    generator = torch.Generator().manual_seed(0)
    matrix = torch.randn(4, 6, generator=generator)
    embedding = torch.randn(5, 3, generator=generator)
    state = collections.OrderedDict(
        matrix=matrix,
        transposed=matrix.t(),
        columns=matrix[:, 1:4:2],
        shared=embedding,
        tied=embedding,
        parameter=torch.nn.Parameter(torch.ones(2, 2)),
        half=matrix.half(),
        bfloat=matrix.bfloat16(),
        double=matrix.double(),
        counts=torch.arange(7),
        short=torch.arange(7, dtype=torch.int16),
        unsigned=torch.tensor([0, 7, 65535], dtype=torch.uint16),
        flags=torch.tensor([True, False]),
        scalar=torch.tensor(2.5),
        empty=torch.zeros(0, 3),
        expanded=torch.ones(1).expand(4),
    )
    if not zipped:
        del state["unsigned"]
    return state


def assert_same(read: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    assert list(read) == list(expected)
    for name, value in read.items():
        assert type(value) is torch.Tensor and not value.requires_grad and value.is_contiguous(), name
        assert value.untyped_storage().nbytes() == value.nbytes, name  # its own memory, and no more
        torch.testing.assert_close(value, expected[name].detach(), rtol=0, atol=0, msg=name)
    places = [value.data_ptr() for value in read.values() if value.numel()]
    assert len(set(places)) == len(places)


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[dict]:
    """What torch.load was called with."""
    calls: list[dict] = []
    load = torch.load

    def noted(path, **settings):
        calls.append(settings)
        return load(path, **settings)

    monkeypatch.setattr(torch, "load", noted)
    return calls


def forget_modules() -> None:
    for module in list(sys.modules):
        if module.startswith(("omegaconf_gone", "lightning_gone")):
            del sys.modules[module]


@pytest.fixture
def vanished() -> types.SimpleNamespace:
    """Classes as MotionGPT's archive names them: of modules that nobody who reads it has."""
    made = {}
    for module, classes in {
        "omegaconf_gone": (),
        "lightning_gone": (),
        "omegaconf_gone.dictconfig": ("DictConfig", "ContainerMetadata"),
        "lightning_gone.callbacks": ("ModelCheckpoint",),
    }.items():
        sys.modules[module] = types.ModuleType(module)
        for name in classes:
            made[name] = type(name, (), {"__module__": module})
            setattr(sys.modules[module], name, made[name])
    yield types.SimpleNamespace(**made)
    forget_modules()


def save_like_motiongpt(path: Path, classes: types.SimpleNamespace, state: dict[str, torch.Tensor], **how) -> None:
    config = classes.DictConfig()
    config._metadata = classes.ContainerMetadata()
    config._content = {"lr": 1e-4, "betas": (0.9, (0.99, (1,))), "stages": ["vae", "lm"], 3: {1, 2}, (1, 2): b"x"}
    config._parent = config
    optimizer = {"state": {0: {"step": torch.tensor(3.0), "exp_avg": torch.zeros(2)}}, "param_groups": [{"lr": 1e-4}]}
    torch.save(
        {
            "epoch": 7,
            "pytorch-lightning_version": "2.0.2",
            "state_dict": state,
            "callbacks": {classes.ModelCheckpoint: {"best": None, "monitor": classes.ModelCheckpoint()}},
            "optimizer_states": [optimizer],
            "hyper_parameters": {"cfg": config, "device": torch.device("cpu"), "size": torch.Size([1])},
        },
        path,
        **how,
    )
    forget_modules()


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "before torch 1.6"])
@pytest.mark.parametrize("envelope", [None, "state_dict", "model_state_dict", "model", "module"])
def test_ordinary_files_are_read_as_torch_reads_them(tmp_path, envelope, zipped):
    path = tmp_path / "weights.pt"
    state = weights(zipped)
    torch.save(
        state if envelope is None else {"epoch": 3, envelope: state}, path, _use_new_zipfile_serialization=zipped
    )
    loaded = torch.load(path, weights_only=True)
    assert_same(read_tensors(path), loaded if envelope is None else loaded[envelope])
    assert tensor_shapes(path) == {name: tuple(value.shape) for name, value in state.items()}


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_every_protocol_of_pickle(tmp_path, protocol, loads):
    path = tmp_path / "weights.bin"
    torch.save(weights(), path, pickle_protocol=protocol)
    assert_same(read_tensors(path), weights())
    # Torch warns of all but its own protocol.
    assert loads == [{"map_location": "cpu", "weights_only": True, "mmap": True}] * (protocol == 2)


def test_both_readers_agree(tmp_path, monkeypatch):
    path = tmp_path / "weights.pt"
    torch.save(weights(), path)
    by_torch = read_tensors(path)
    monkeypatch.setattr(torch, "load", None)
    assert_same(read_tensors(path), by_torch)


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "before torch 1.6"])
def test_classes_that_nobody_has_are_dropped(tmp_path, vanished, loads, zipped):
    path = tmp_path / "motiongpt_s3_h3d.tar"
    save_like_motiongpt(path, vanished, weights(zipped), _use_new_zipfile_serialization=zipped)
    with pytest.raises(Exception, match=r"omegaconf_gone|lightning_gone|weights_only"):
        torch.load(path, weights_only=True)
    loads.clear()
    assert_same(read_tensors(path), weights(zipped))
    assert not loads  # torch is not asked for what it would refuse
    assert not any(module.startswith(("omegaconf_gone", "lightning_gone")) for module in sys.modules)


def test_unwanted_weights_are_neither_read_nor_judged(tmp_path):
    state = {"vae.w": torch.ones(3), "metrics.w": torch.full((3,), torch.nan), "lm.w": torch.zeros(2)}
    torch.save({"state_dict": state}, tmp_path / "m.ckpt")
    read = read_tensors(tmp_path / "m.ckpt", keep=lambda name: not name.startswith("metrics."))
    assert list(read) == ["vae.w", "lm.w"]
    with pytest.raises(CheckpointError, match=r"m.ckpt: weight 'metrics.w' has values that are NaN or infinite"):
        read_tensors(tmp_path / "m.ckpt")


def test_errors_of_the_caller_stay_its_own(tmp_path):
    torch.save(weights(), tmp_path / "w.pt")
    with pytest.raises(ZeroDivisionError):
        read_tensors(tmp_path / "w.pt", keep=lambda name: bool(1 / 0))


@pytest.mark.parametrize(
    ("value", "dtype"), [("nan", torch.float32), ("inf", torch.bfloat16), ("-inf", torch.float64)]
)
@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_weights_have_to_be_finite(tmp_path, value, dtype, suffix):
    path = tmp_path / f"w{suffix}"
    state = {"good": torch.ones(3), "bad": torch.tensor([1.0, float(value)], dtype=dtype)}
    save_file(state, path) if suffix == ".safetensors" else torch.save(state, path)
    with pytest.raises(CheckpointError, match="weight 'bad' has values that are NaN or infinite"):
        read_tensors(path)


def test_large_numbers_are_finite(tmp_path):
    state = {"w": torch.full((100,), torch.finfo(torch.float32).max), "h": torch.full((100,), 65504.0).half()}
    torch.save(state, tmp_path / "w.pt")
    assert_same(read_tensors(tmp_path / "w.pt"), state)


def test_prefixes_that_all_names_have(tmp_path):
    path = tmp_path / "w.pt"
    for state, names in (
        ({"module.a": 1, "module.b": 1}, ["a", "b"]),
        ({"_forward_module.module.a": 1, "_forward_module.module.b": 1}, ["a", "b"]),
        ({"module.a": 1, "b": 1}, ["module.a", "b"]),
    ):
        torch.save({"module": {name: torch.ones(1) for name in state}}, path)
        assert list(read_tensors(path)) == names


def test_state_dicts_beside_each_other(tmp_path):
    """The text-motion evaluator is published like this."""
    path = tmp_path / "finest.tar"
    encoder, optimizer = {"gru.weight": torch.ones(2)}, {"state": {0: {"m": torch.ones(1)}}, "param_groups": [{}]}
    torch.save({"text_encoder": encoder, "movement_encoder": encoder, "opt": optimizer, "epoch": 3}, path)
    assert list(read_tensors(path)) == ["text_encoder.gru.weight", "movement_encoder.gru.weight"]
    torch.save({"a": {"b.c": torch.ones(2)}, "a.b": {"c": torch.ones(2)}}, path)
    with pytest.raises(CheckpointError, match=r"it has two weights of the name 'a\.b\.c'"):
        read_tensors(path)


def test_safetensors(tmp_path):
    state = {n: t.detach().clone().contiguous() for n, t in weights().items() if n != "tied"}
    save_file(state, tmp_path / "model.safetensors", metadata={"format": "pt"})
    read = read_tensors(tmp_path / "model.safetensors")
    assert_same({name: read[name] for name in state}, state)
    (tmp_path / "model.bin").write_bytes((tmp_path / "model.safetensors").read_bytes())
    assert read_tensors(tmp_path / "model.bin").keys() == state.keys()  # what a file is, its content says


def test_links_are_followed(tmp_path):
    torch.save(weights(), tmp_path / "blob")
    (tmp_path / "link.pt").symlink_to(tmp_path / "blob")
    assert_same(read_tensors(tmp_path / "link.pt"), weights())


def test_expected_bytes(tmp_path):
    torch.save({"w": torch.ones(1000)}, tmp_path / "w.pt")
    assert read_tensors(tmp_path / "w.pt", expected_bytes=4000).keys() == {"w"}
    with pytest.raises(CheckpointError, match="at most 3999 bytes, got 4000; it is of"):
        read_tensors(tmp_path / "w.pt", expected_bytes=3999)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (torch.ones(3), "it holds a single tensor"),
        ([torch.ones(3)], "it holds nothing of that kind"),
        ({"epoch": 3, "net": "vit"}, "it holds 'epoch', 'net'"),
        (torch.nn.Linear(2, 2), "it holds an object of torch.nn.modules.linear.Linear. Ask for its state_dict"),
    ],
)  # fmt: skip
def test_files_without_state_dict(tmp_path, content, message):
    torch.save(content, tmp_path / "w.pt")
    with pytest.raises(CheckpointError, match="expected a state dict, names and tensors, but") as caught:
        read_tensors(tmp_path / "w.pt")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (torch.ones(2, dtype=torch.complex64), "weight 'odd' is of type torch.complex64; expected floats"),
        (torch.eye(2).to_sparse(), "weight 'odd' is no plain dense tensor, it asks for torch._utils._rebuild_sparse"),
        (torch.ones(2, device="meta"), "weight 'odd' is no plain dense tensor, it asks for torch._utils._rebuild_"),
        (torch.ones(2).to(torch.float8_e4m3fn), "weight 'odd' is of type torch.float8_e4m3fn"),
    ],
)  # fmt: skip
def test_tensors_that_are_no_weights(tmp_path, value, message):
    torch.save({"w": torch.ones(1), "odd": value}, tmp_path / "w.pt")
    with pytest.raises(CheckpointError) as caught:
        read_tensors(tmp_path / "w.pt")
    assert message in str(caught.value)
    assert read_tensors(tmp_path / "w.pt", keep=lambda name: name == "w").keys() == {"w"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "but it is empty. Download it again"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Run `git lfs pull`"),
        (b"\x1f\x8b\x08\x00", "got a compressed file. Unpack it"),
        (b"<!DOCTYPE html>", "got a web page. The download has failed"),
        (b"\x80\x04}.", "got a pickle that torch.save did not write. Ask for the weights in safetensors"),
        (b"hello", "got a file that starts with b'hello'"),
        (b"\x00" * 600, "got a file that starts with"),
        (b"PK\x05\x06" + bytes(18), "got a file that starts with"),
    ],
)
def test_files_that_are_no_checkpoints(tmp_path, content, message):
    (tmp_path / "w.pt").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"w.pt: expected a checkpoint") as caught:
        read_tensors(tmp_path / "w.pt")
    assert message in str(caught.value)


def test_a_real_tar_is_never_unpacked(tmp_path):
    torch.save(weights(), tmp_path / "w.pt")
    with tarfile.open(tmp_path / "w.tar", "w") as archive:
        archive.add(tmp_path / "w.pt", "../escaped.pt")
    with pytest.raises(CheckpointError, match=r"got a tar archive. Unpack it if you trust it.*MotionGPT's own .tar"):
        read_tensors(tmp_path / "w.tar")
    assert not (tmp_path.parent / "escaped.pt").exists()


def test_paths_that_are_no_files(tmp_path):
    with pytest.raises(CheckpointError, match=r"but it is a folder. Name the file in it"):
        read_tensors(tmp_path)
    torch.save(weights(), tmp_path / "weights.pt")
    with pytest.raises(CheckpointError, match=r"there is no such file. Did you mean weights.pt\?"):
        read_tensors(tmp_path / "weigths.pt")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(CheckpointError, match="it is no regular file"):
        read_tensors(tmp_path / "pipe")


@pytest.mark.parametrize("kind", ["zip", "legacy", "safetensors"])
def test_truncated_files(tmp_path, kind):
    whole, cut = tmp_path / "whole", tmp_path / "cut.bin"
    state = {"a": torch.arange(30.0), "b": torch.ones(2, 3)}
    save_file(state, whole) if kind == "safetensors" else torch.save(
        state, whole, _use_new_zipfile_serialization=kind == "zip"
    )
    content = whole.read_bytes()
    assert_same(read_tensors(whole), state)
    for length in range(0, len(content), 1 + len(content) // 150):
        cut.write_bytes(content[:length])
        with pytest.raises(CheckpointError, match=r"cut\.bin"):
            read_tensors(cut)


@pytest.mark.parametrize("kind", ["zip", "zip with classes", "legacy", "safetensors"])
def test_damaged_files_raise_one_error_or_are_read(tmp_path, kind, vanished):
    whole, damaged = tmp_path / "whole", tmp_path / "damaged.bin"
    state = {"a": torch.arange(30.0), "b": torch.ones(2, 3)}
    if kind == "safetensors":
        save_file(state, whole)
    elif kind == "zip with classes":
        save_like_motiongpt(whole, vanished, state)
    else:
        torch.save(state, whole, _use_new_zipfile_serialization=kind == "zip")
    content = bytearray(whole.read_bytes())
    refused = 0
    for place in range(0, len(content), len(content) // 250):
        changed = bytearray(content)
        changed[place] ^= (1 << place % 8) | 0x81
        damaged.write_bytes(changed)
        try:
            read = read_tensors(damaged)
        except CheckpointError as error:
            refused += 1
            assert str(damaged) in str(error) and "weights_only" not in str(error)
        else:
            assert all(torch.isfinite(value).all() for value in read.values())
    assert refused > 20


def test_interruptions_pass(tmp_path, monkeypatch):
    torch.save(weights(), tmp_path / "w.pt")

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(checkpoint_files, "read_tensor", interrupted)
    monkeypatch.setattr(torch, "load", interrupted)
    with pytest.raises(KeyboardInterrupt):
        read_tensors(tmp_path / "w.pt")


@pytest.mark.parametrize("error", [RecursionError, MemoryError, OverflowError, UnicodeDecodeError, StopIteration])
def test_whatever_is_raised_becomes_the_one_error(tmp_path, monkeypatch, error):
    torch.save(weights(), tmp_path / "w.pt")

    def failing(*_):
        raise error("utf-8", b"", 0, 1, "why") if error is UnicodeDecodeError else error("why")

    monkeypatch.setattr(checkpoint_files, "check_claims", failing)
    with pytest.raises(CheckpointError, match=r"w.pt: expected a checkpoint.* but .*why.*Download it again"):
        read_tensors(tmp_path / "w.pt")


def test_claims_of_memory_are_compared_with_the_file(tmp_path):
    path = tmp_path / "w.pt"
    for shape, strides in (((10**12,), (0,)), ((10**6, 10**6), (0, 0)), ((2, 3, 10**9), (3, 1, 0))):
        write_archive(path, pickled(dictionary({"w": tensor(shape, strides)})))
        with pytest.raises(CheckpointError, match=r"its weights claim \d+ bytes of memory, but the file has \d+"):
            read_tensors(path)
    million = bytes(2**20)
    many = {f"w{i}": tensor((2**18,), (1,), stored=storage(numel=2**18)) for i in range(9)}
    write_archive(path, pickled(dictionary(many)), {"0": million})
    with pytest.raises(CheckpointError, match=f"its weights claim {9 * 2**20} bytes"):
        read_tensors(path)
    assert len(read_tensors(path, keep=lambda name: name != "w8")) == 8
    ends = {f"w{i}": tensor((2,), (2**18 - 1,), stored=storage(numel=2**18)) for i in range(9)}
    write_archive(path, pickled(dictionary(ends)), {"0": million})
    with pytest.raises(CheckpointError, match="its weights claim"):  # each would read a megabyte for two numbers
        read_tensors(path)


def test_hostile_files_take_little_memory(tmp_path):
    bomb, dicts, header = (tmp_path / name for name in ("bomb.pt", "dicts.pt", "header.safetensors"))
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a/data.pkl", "w") as member:
        for _ in range(40):
            member.write(bytes(2**20))
    write_archive(dicts, b"\x80\x02" + (b"(" + b"}" * 60_000) * 4)  # a quarter of a million, all still waiting
    entry = '"%06d":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}'
    names = ("{" + ",".join(entry % i for i in range(100_000)) + "}").encode()
    header.write_bytes(len(names).to_bytes(8, "little") + names)
    for path in (bomb, dicts, header):
        tracemalloc.start()
        with pytest.raises(CheckpointError):
            read_tensors(path)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 30e6, path


def test_big_endian_archives(tmp_path):
    six = torch.arange(6.0).numpy().astype(">f4").tobytes()
    path = write_archive(
        tmp_path / "w.pt",
        pickled(dictionary({"w": tensor()})),
        {"0": six},
        {"archive/byteorder": b"big", "archive/version": b"3"},
    )
    torch.testing.assert_close(read_tensors(path)["w"], torch.arange(6.0).reshape(2, 3))
    torch.testing.assert_close(torch.load(path, weights_only=True)["w"], torch.arange(6.0).reshape(2, 3))
