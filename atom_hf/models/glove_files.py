"""The word vectors of T2M's evaluator, in the three files that text-to-motion code keeps in a folder `glove`.

our_vab_words.pkl  ["sos", "eos", "unk", "a", ...]    our_vab_idx.pkl  {"sos": 0, ...}    our_vab_data.npy  [4199, 300]

The pickles hold lists and dictionaries of strings and integers. Only the instructions that make those are let through,
so no name in them is ever looked up.
"""

import io
import pickle
import pickletools
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..motion.formats.files import read_npy
from .checkpoint_error import CheckpointError
from .evaluator_config import SPECIAL_WORDS

_DATA, _WORDS, _INDEX = "our_vab_data.npy", "our_vab_words.pkl", "our_vab_idx.pkl"
_MAX_BYTES = 2**26  # the original's take 80 kB
_MAX_OPCODES = 4_000_000
_MAX_WORD = 200
_OPCODES = frozenset(
    "PROTO FRAME MARK STOP EMPTY_LIST EMPTY_DICT LIST DICT APPEND APPENDS SETITEM SETITEMS "
    "INT BININT BININT1 BININT2 UNICODE BINUNICODE SHORT_BINUNICODE "
    "PUT BINPUT LONG_BINPUT MEMOIZE GET BINGET LONG_BINGET".split()
)


class WordVectors(NamedTuple):
    """Words and their vectors.

    Args:
        words (`list[str]`): the vocabulary.
        vectors (`np.ndarray`): `[len(words), size]`, float32.
    """

    words: list[str]
    vectors: np.ndarray


def read_glove(folder: str | Path) -> WordVectors:
    """Read the three files.

    Args:
        folder (`str` or `Path`): where `our_vab_data.npy`, `our_vab_words.pkl` and `our_vab_idx.pkl` are.

    Returns:
        [`WordVectors`]: in the order of the words.

    Raises:
        CheckpointError: if a file is missing, broken or hostile, or they do not fit each other.
        MotionFormatError: if the array is broken.
    """
    folder = Path(folder)
    if missing := [name for name in (_DATA, _WORDS, _INDEX) if not (folder / name).is_file()]:
        raise CheckpointError(
            folder,
            f"expected the word vectors of text-to-motion in this folder, but {', '.join(missing)} is not there. They "
            "come in glove.zip, beside the evaluator's checkpoint; see the repository EricGuo5513/text-to-motion on "
            "GitHub.",
        )
    words, index = read_plain_pickle(folder / _WORDS), read_plain_pickle(folder / _INDEX)
    if not isinstance(words, list) or not words or not all(_is_word(word) for word in words):
        raise CheckpointError(folder / _WORDS, "expected a list of words; take the file of glove.zip again.")
    numbers = isinstance(index, dict) and all(_is_word(word) and type(n) is int for word, n in index.items())
    if not numbers:
        raise CheckpointError(folder / _INDEX, "expected a dictionary of words and numbers; take glove.zip's again.")
    vectors = read_npy(folder / _DATA)
    if vectors.ndim != 2 or vectors.dtype.kind != "f" or not np.isfinite(vectors).all():
        raise CheckpointError(
            folder / _DATA,
            f"expected finite vectors [words, size], got {vectors.dtype} of shape {list(vectors.shape)}.",
        )
    if lost := [word for word in words if not 0 <= index.get(word, -1) < len(vectors)]:
        raise CheckpointError(
            folder / _INDEX, f"expected the place of {lost[0][:40]!r} among {len(vectors)} vectors, but it has none; "
            "the three files belong to different vocabularies."
        )  # fmt: skip
    if len(set(words)) != len(words) or not set(SPECIAL_WORDS) <= set(words):
        raise CheckpointError(folder / _WORDS, f"expected each word once, and {', '.join(SPECIAL_WORDS)} among them.")
    return WordVectors(words, vectors[[index[word] for word in words]].astype(np.float32))


def read_plain_pickle(path: Path) -> Any:
    """Lists and dictionaries of strings and integers out of a pickle; one that asks for anything else is refused.

    Args:
        path (`Path`): the file.

    Returns:
        `list` or `dict`: what it holds.

    Raises:
        CheckpointError: if it is broken, too large, or asks for anything else.
    """
    if path.stat().st_size > _MAX_BYTES:
        raise CheckpointError(path, f"expected a vocabulary of at most {_MAX_BYTES} bytes, got {path.stat().st_size}.")
    data = path.read_bytes()
    try:
        for count, (opcode, argument, _) in enumerate(pickletools.genops(data)):
            if opcode.name not in _OPCODES:
                raise ValueError(f"it uses {opcode.name}, which such a vocabulary has no need of; it may be hostile")
            put = opcode.name in ("PUT", "BINPUT", "LONG_BINPUT")  # the memo is a table as long as the largest index
            if count > _MAX_OPCODES or (put and not 0 <= (argument or 0) <= _MAX_OPCODES):
                raise ValueError("it is far more complicated than a vocabulary; it is broken or hostile")
        return _Unpickler(io.BytesIO(data)).load()
    except Exception as error:  # broken pickles are known to raise anything
        raise CheckpointError(path, f"expected a pickled vocabulary, but {str(error)[:200]}.") from error


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """Refuse; the check of instructions has done so before."""
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")


def _is_word(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _MAX_WORD
