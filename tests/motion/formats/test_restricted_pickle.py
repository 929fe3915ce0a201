"""Arrays out of pickles of every age, and pickles that want to run something."""

import builtins
import functools
import io
import os
import pickle
import struct
import subprocess
import sys
import tracemalloc
import types

import numpy as np
import pytest

from atom_hf.motion.formats import restricted_pickle
from atom_hf.motion.formats.files import MotionFormatError
from atom_hf.motion.formats.restricted_pickle import read_pickled_arrays

ARRAYS = {
    "doubles": np.arange(12.0).reshape(3, 4),
    "fortran": np.asfortranarray(np.arange(12, dtype=np.float32).reshape(3, 4)),
    "big_endian": np.arange(4, dtype=">i4"),
    "unsigned": np.array([[4294967295, 0, 0]], dtype=np.uint32),
    "flags": np.array([True, False]),
    "empty": np.zeros((0, 3)),
}
# {"x": numpy.arange(3.0)} as Python 2 wrote it, where bytes and text are one.
PYTHON_2 = (
    b"\x80\x02}U\x01xcnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01K\x03\x85"
    b"cnumpy\ndtype\nU\x02f8K\x00K\x01\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89U\x18"
    + struct.pack("<3d", 0, 1, 2)
    + b"tbs."
)


def refused(path, content: bytes, names=("x",), match: str = "expected a pickled dictionary of arrays, but") -> str:
    path.write_bytes(content)
    with pytest.raises(MotionFormatError, match=match) as caught:
        read_pickled_arrays(path, names)
    assert str(caught.value).startswith(str(path))
    return str(caught.value)


@pytest.fixture
def chumpy(monkeypatch):
    """Classes that pickle under chumpy's names, with chumpy's attributes; gone again before anything is read."""
    modules = {name: types.ModuleType(name) for name in ("chumpy", "chumpy.ch", "chumpy.reordering")}
    for module, name in (("chumpy.ch", "Ch"), ("chumpy.ch", "MatVecMult"), ("chumpy.reordering", "Select")):
        cls = type(name, (), {"__module__": module})
        setattr(modules[module], name, cls)

    def dump(make, protocol):
        with monkeypatch.context() as patch:
            for name, module in modules.items():
                patch.setitem(sys.modules, name, module)
            return pickle.dumps(make(modules["chumpy.ch"], modules["chumpy.reordering"]), protocol)

    return dump


def with_state(cls: type, **state):
    instance = cls()
    instance.__dict__.update(state)
    return instance


class TestArrays:
    @pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
    def test_of_every_protocol(self, tmp_path, protocol):
        content = {**ARRAYS, "style": "lbs", "nested": {"scalar": np.float64(1), "objects": np.array([None])}, 3: [4]}
        (tmp_path / "a.pkl").write_bytes(pickle.dumps(content, protocol))
        got = read_pickled_arrays(tmp_path / "a.pkl", tuple(ARRAYS))
        for name, array in ARRAYS.items():
            assert np.array_equal(got[name], array) and got[name].dtype == array.dtype.newbyteorder("="), name

    def test_of_python_2(self, tmp_path):
        (tmp_path / "a.pkl").write_bytes(PYTHON_2)
        assert read_pickled_arrays(tmp_path / "a.pkl", ("x",))["x"].tolist() == [0, 1, 2]

    @pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
    def test_of_chumpy_objects(self, tmp_path, chumpy, protocol):
        shapes = np.arange(24.0).reshape(2, 3, 4)
        indices = np.arange(24).reshape(2, 3, 4)[..., :2].ravel()

        def make(ch, reordering):
            source = with_state(ch.Ch, x=shapes, _dirty_vars=set(), _parents={})
            formula = with_state(ch.MatVecMult, mtx=np.eye(3), vec=source)
            part = with_state(reordering.Select, a=source, idxs=indices, preferred_shape=(2, 3, 2))
            return {"all": source, "part": part, "formula": formula}

        (tmp_path / "a.pkl").write_bytes(chumpy(make, protocol))
        got = read_pickled_arrays(tmp_path / "a.pkl", ("all", "part"))
        assert np.array_equal(got["all"], shapes) and np.array_equal(got["part"], shapes[..., :2])
        assert "chumpy" not in sys.modules
        with pytest.raises(MotionFormatError, match="formula is no array of numbers"):
            read_pickled_arrays(tmp_path / "a.pkl", ("formula",))

    def test_of_sparse_matrices(self, tmp_path):
        sparse = pytest.importorskip("scipy.sparse")
        dense = np.random.default_rng(0).random((5, 7)) * (np.random.default_rng(1).random((5, 7)) < 0.3)
        content = pickle.dumps({"x": sparse.csc_matrix(dense)}, 2)
        for module in (b"scipy.sparse._csc", b"scipy.sparse.csc"):
            (tmp_path / "a.pkl").write_bytes(content.replace(b"scipy.sparse._csc", module))
            assert np.array_equal(read_pickled_arrays(tmp_path / "a.pkl", ("x",))["x"], dense)

    @pytest.mark.parametrize(
        "state",
        [
            {"indices": np.array([0, 9, 1])},
            {"indices": np.array([0, -1, 1])},
            {"indices": np.array([0, 1])},
            {"indptr": np.array([0, 3, 1, 3])},
            {"indptr": np.array([0, 1, 2, 9])},
            {"indptr": np.array([0, 3])},
            {"_shape": (2**20, 2**20)},
            {"_shape": (2, -3)},
            {"_shape": ("2", "3")},
        ],
    )
    def test_of_broken_sparse_matrices(self, tmp_path, monkeypatch, state):
        module = types.ModuleType("scipy.sparse.csc")
        module.csc_matrix = type("csc_matrix", (), {"__module__": "scipy.sparse.csc"})
        whole = {
            "_shape": (2, 3),
            "data": np.ones(3),
            "indices": np.array([0, 1, 1]),
            "indptr": np.array([0, 1, 2, 3]),
        }
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, "scipy.sparse.csc", module)
            content = pickle.dumps({"x": with_state(module.csc_matrix, **(whole | state))}, 2)
        refused(tmp_path / "a.pkl", content, match=r"sparse matrix|shape that does not exist")


class TestBroken:
    def test_absent_and_too_large(self, tmp_path, monkeypatch):
        with pytest.raises(MotionFormatError, match="expected a file, but there is none"):
            read_pickled_arrays(tmp_path / "a.pkl", ("x",))
        monkeypatch.setattr(restricted_pickle, "_MAX_BYTES", 8)
        refused(tmp_path / "a.pkl", PYTHON_2, match="expected at most 8 bytes")

    def test_says_what_is_there(self, tmp_path):
        content = pickle.dumps({"v_template": np.zeros(3), "f": np.zeros(3)})
        refused(tmp_path / "a.pkl", content, ("f", "weights"), match="it has no weights; it has 'v_template', 'f'")

    @pytest.mark.parametrize("value", [[1, 2], "text", None, np.zeros(3)])
    def test_other_contents(self, tmp_path, value):
        refused(tmp_path / "a.pkl", pickle.dumps(value))

    @pytest.mark.parametrize(
        "value", ["lbs", 3, None, [1.0], {"a": 1}, np.array(["a"]), np.array([None]), np.zeros(2, "c8")]
    )
    def test_other_values(self, tmp_path, value):
        refused(tmp_path / "a.pkl", pickle.dumps({"x": value}), match=r"x (is no array of numbers|has values that)")

    def test_cut_anywhere(self, tmp_path):
        content = pickle.dumps(ARRAYS, 2)
        for end in range(0, len(content), 7):
            refused(tmp_path / "a.pkl", content[:end], tuple(ARRAYS))

    def test_damage_anywhere_is_an_error_or_harmless(self, tmp_path):
        random = np.random.default_rng(0)
        for trial in range(200):
            data = bytearray(PYTHON_2 if trial % 2 else pickle.dumps(ARRAYS, trial % 6))
            for place in random.integers(len(data), size=3):
                data[place] = random.integers(256)
            (tmp_path / "a.pkl").write_bytes(data)
            try:
                read_pickled_arrays(tmp_path / "a.pkl", ("x",))
            except MotionFormatError:
                pass


class Calls:
    """Pickles as a call of `function(*arguments)`."""

    def __init__(self, function, *arguments) -> None:
        self.call = function, arguments

    def __reduce__(self):
        return self.call

    def __call__(self) -> None:
        """Pickles want a callable, even where it is the result of another call."""


def by_name(module: str, name: str, *arguments, protocol: int = 2) -> bytes:
    """A pickle that calls a function by its name, which need not exist here."""
    body = pickle.dumps(arguments, protocol)[2:-1]
    return b"\x80\x02}X\x01\x00\x00\x00x" + f"c{module}\n{name}\n".encode() + body + b"Rs."


class TestHostile:
    @pytest.fixture(autouse=True)
    def canary(self, tmp_path, monkeypatch):
        """A file in the working folder that every attack here would make."""
        monkeypatch.chdir(tmp_path)
        yield
        assert not (tmp_path / "canary").exists()

    @pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
    @pytest.mark.parametrize(
        "make",
        [
            lambda: Calls(os.system, "touch canary"),
            lambda: Calls(builtins.eval, "open('canary', 'w')"),
            lambda: Calls(builtins.exec, "open('canary', 'w')"),
            lambda: Calls(builtins.open, "canary", "w"),
            lambda: Calls(subprocess.Popen, ["touch", "canary"]),
            lambda: Calls(io.FileIO, "canary", "w"),
            lambda: Calls(np.save, "canary", np.zeros(1)),
            lambda: Calls(np.memmap, "canary", "u1", "w+", 0, 1),
            lambda: Calls(Calls(getattr, Calls(__import__, "os"), "system"), "touch canary"),
            lambda: functools.partial(os.system, "touch canary"),
        ],
    )
    def test_calls_are_refused_by_name(self, tmp_path, protocol, make):
        message = refused(tmp_path / "a.pkl", pickle.dumps({"x": make()}, protocol))
        assert "it asks for" in message and "which is no part of a body model" in message

    @pytest.mark.parametrize(
        ("module", "name"),
        [
            ("numpy.testing._private.utils", "runstring"),
            ("numpy.f2py.diagnose", "run_command"),
            ("numpy._core.multiarray", "fromfile"),
            ("numpy", "load"),
            ("numpy", "ndarray.tofile"),
            ("numpy", "dtype.__init__"),
            ("numpy.core.multiarray", "_reconstruct.__globals__"),
            ("scipy.sparse", "load_npz"),
            ("_codecs", "decode"),
            ("copyreg", "__newobj__"),
            ("this", "s"),
            ("atom_hf.motion.formats.restricted_pickle", "os"),
        ],
    )
    def test_names_beside_the_allowed_ones(self, tmp_path, module, name):
        refused(tmp_path / "a.pkl", by_name(module, name, "canary"), match=f"it asks for {module}.{name}, which is no")
        assert "this" not in sys.modules

    def test_chumpy_is_never_imported(self, tmp_path):
        (tmp_path / "chumpy.py").write_text("open('canary', 'w')")
        refused(tmp_path / "a.pkl", by_name("chumpy", "anything", "canary"), match="x is no array of numbers")

    def test_stand_ins_cannot_be_changed(self, tmp_path):
        """BUILD on a class instead of an object, with attributes to be set."""
        for module, name in restricted_pickle._NAMES:
            state = b"(N}X\x0b\x00\x00\x00__setstate__K\x01st"
            refused(tmp_path / "a.pkl", b"\x80\x02" + f"c{module}\n{name}\n".encode() + state + b"b.")
        assert restricted_pickle._NdArray().__setstate__(3) is None

    @pytest.mark.parametrize(
        "content",
        [
            b"\x80\x04\x8e" + struct.pack("<Q", 2**40) + b"x.",  # bytes of 1 TB
            b"\x80\x02T" + struct.pack("<i", 2**31 - 1) + b"x.",
            b"\x80\x02Nr" + struct.pack("<I", 2**32 - 1) + b".",  # a memo of 64 GB
            b"Np4294967295\n.",
            b"\x80\x04\x95" + struct.pack("<Q", 2**62) + b"N.",
            b"\x80\x02}N" + b"\x85" * 300_000 + b"Ns.",  # a key whose hash overflows the stack
            b"\x80\x02\x8b" + struct.pack("<i", -1) + b".",
            b"\x80\x02\x82\x01.",
            b"\x80\x05\x97.",
            b"\x80\x02K\x01Q.",
            b"\x80\x02]" + b"]a" * 10 + b".",
        ],
    )
    def test_exhaustion(self, tmp_path, content):
        tracemalloc.start()
        refused(tmp_path / "a.pkl", content)
        assert tracemalloc.get_traced_memory()[1] < 3e7
        tracemalloc.stop()

    def test_programs_without_end(self, tmp_path, monkeypatch):
        monkeypatch.setattr(restricted_pickle, "_MAX_OPCODES", 1000)
        refused(tmp_path / "a.pkl", b"\x80\x02" + b"N0" * 1000 + b"N.", match="far more complicated than a body model")

    @pytest.mark.parametrize("length", [2, 4, 2**31 - 1, -1, -3])
    def test_shapes_that_do_not_fit_the_bytes(self, tmp_path, length):
        whole = b"(K\x01K\x03\x85"
        assert PYTHON_2.count(whole) == 1
        content = PYTHON_2.replace(whole, b"(K\x01J" + struct.pack("<i", length) + b"\x85")
        refused(tmp_path / "a.pkl", content, match=r"not as many bytes|shape that does not exist")
