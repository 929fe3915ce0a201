"""Embeddings of motions and of texts, rows of a matrix `[N, D]`: who makes them, checks, and distances between them.

All numbers are unitless: an evaluator's space has no metres. Distances mean something between embeddings of one
evaluator only.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from array_api_compat import array_namespace

from ..motion.arrays import Array
from ..motion.checks import check_floats

_NAMED = 5  # faulty clips that a message names
_LARGEST = 1e40  # beyond all of float32; its sixth power, which KID takes, is still a number
_EPSILON = 2.0**-52


@runtime_checkable
class Embedder(Protocol):
    """An evaluator: a network that puts motions and texts into one space, matching ones close together.

    `name` says which one it is ("t2m" is the one of HumanML3D's authors), `fingerprint` is a hash of its weights.
    Where it also has an `embedding_protocol`, this has to be that of the evaluation.
    """

    name: str
    fingerprint: str

    def embed_motion(self, motions: Sequence[Any]) -> Array:
        """Embed motions.

        Args:
            motions (`Sequence[Any]`): motions in the form that this evaluator takes.

        Returns:
            `Array`: `[N, D]`, unitless, a row for each motion, in order.
        """
        ...

    def embed_text(self, texts: Sequence[Any]) -> Array:
        """Embed texts.

        Args:
            texts (`Sequence[Any]`): descriptions of motions, in a form that this evaluator takes.

        Returns:
            `Array`: `[N, D]`, unitless, a row for each text, in order.
        """
        ...


@dataclass(frozen=True)
class Embeddings:
    """A test set in an evaluator's space.

    Args:
        motion (`Array`): `[N, D]`, unitless, numpy or torch.
        text (`Array`, *optional*): `[N, D]`, unitless, of the text that each motion was made for. A system without
            texts is held against those of the real motions.
        ids (`Sequence[str]`, *optional*): names of the clips, for messages, and to see that rows belong together;
            numbers and arrays do as well, and are kept as texts.
        samples (`Array`, *optional*): `[texts, samples, D]`, unitless, several motions for each of some texts; what
            MModality is made from.
    """

    motion: Array
    text: Array | None = None
    ids: Sequence[Any] | Array | None = None
    samples: Array | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "ids", _texts(self.ids))


@dataclass(frozen=True)
class Clips:
    """A test set that an `Embedder` is to embed.

    Args:
        motions (`Sequence[Any]`): `N` motions in the form that the evaluator takes.
        captions (`Sequence[Any]`, *optional*): `N` texts that the motions were made for, in a form that the evaluator
            takes. A system without captions is held against those of the real motions.
        ids (`Sequence[str]`, *optional*): names of the clips; numbers and arrays are kept as texts.
        samples (`Sequence[Sequence[Any]]`, *optional*): several motions for each of some texts.
        fingerprint (`str`, *optional*): what identifies these clips. Without it, motions have to be arrays or have
            `joints`, which are hashed.
    """

    motions: Sequence[Any]
    captions: Sequence[Any] | None = None
    ids: Sequence[Any] | Array | None = None
    samples: Sequence[Sequence[Any]] | None = None
    fingerprint: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "ids", _texts(self.ids))


def as_double(embeddings: Array, what: str, axes: int = 2) -> Array:
    """Embeddings in double precision, in which sums over thousands of them keep their digits, after a check.

    Args:
        embeddings (`Array`): `[N, D]`, or `[N, S, D]` with `axes=3`; unitless.
        what (`str`): their name in messages.
        axes (`int`, *optional*, defaults to 2): number of axes that are expected.

    Returns:
        `Array`: the same, of the same shape, as float64, in the library and on the device that they came from.

    Raises:
        TypeError: if they are no floating-point array.
        ValueError: if the number of axes is another one, there are none, or a value is NaN, infinite or beyond 1e40,
            where squares and their products overflow; the clips are counted and named by their index.
    """
    check_floats(embeddings, what)
    shape = list(embeddings.shape)
    if len(shape) != axes or 0 in shape:
        expected = "[N, D]" if axes == 2 else "[N, S, D]"
        raise ValueError(f"Expected {what} of shape {expected} with at least one row, got {shape}.")
    bad = non_finite_rows(embeddings)
    if bad:
        raise ValueError(
            f"Expected finite {what}, but {len(bad)} of {shape[0]} clips have NaN or infinite values: index "
            f"{_indices(bad)}. Look for empty or broken motions; they can't be averaged in."
        )
    xp = array_namespace(embeddings)
    double = xp.astype(embeddings, xp.float64, copy=False)
    sizes = xp.max(xp.reshape(xp.abs(double), (shape[0], -1)), axis=1)
    if float(xp.max(sizes)) > _LARGEST:
        bad = [i for i, size in enumerate(sizes.tolist()) if size > _LARGEST]
        raise ValueError(
            f"Expected {what} of at most {_LARGEST:g}, but {len(bad)} of {shape[0]} clips have larger values, up to "
            f"{float(xp.max(sizes)):.3g}: index {_indices(bad)}. Their squares overflow; look for what is wrong with "
            "the evaluator, or divide all embeddings by the same number."
        )
    return double


def non_finite_rows(embeddings: Array) -> list[int]:
    """Which rows hold NaN or infinite values.

    Args:
        embeddings (`Array`): `[N, ...]`, unitless.

    Returns:
        `list[int]`: their indices, rising.
    """
    xp = array_namespace(embeddings)
    if bool(xp.isfinite(xp.sum(embeddings))):  # one quick pass; NaN and infinity survive sums
        return []
    finite = xp.all(xp.reshape(xp.isfinite(embeddings), (embeddings.shape[0], -1)), axis=1)
    return [i for i, fine in enumerate(finite.tolist()) if not fine]


def check_pairs(first: Array, second: Array, what: str, other: str, rows: bool = True) -> None:
    """Raise unless two sets of embeddings are of one library and one space and, with `rows`, belong together.

    Args:
        first (`Array`): `[N, D]`, unitless.
        second (`Array`): `[N, D]`, unitless; without `rows` any number of rows.
        what (`str`): name of the first in messages.
        other (`str`): name of the second in messages.
        rows (`bool`, *optional*, defaults to `True`): whether there has to be one row of each for a clip.

    Raises:
        TypeError: if one is of numpy and the other one of torch.
        ValueError: if the shapes do not fit.
    """
    if isinstance(first, np.ndarray) != isinstance(second, np.ndarray):
        raise TypeError(
            f"Expected {what} and {other} of one library, got {type(first).__name__} and {type(second).__name__}."
        )
    a, b = list(first.shape), list(second.shape)
    if a[-1] != b[-1]:
        raise ValueError(f"Expected {what} and {other} of one evaluator, but their shapes are {a} and {b}.")
    if rows and a != b:
        raise ValueError(f"Expected one row of {what} and of {other} for each clip, got shapes {a} and {b}.")


def without_offset(first: Array, second: Array) -> tuple[Array, Array]:
    """Two sets without what all of their rows have in common, so that squared distances keep their digits.

    Distances stay the same. The offset is rounded to steps as large as the spread: sets around the origin come back
    as they are, bit by bit, and what is subtracted from others rounds nothing.

    Args:
        first (`Array`): `[n, D]`, unitless, double precision.
        second (`Array`): `[m, D]`, unitless, double precision.

    Returns:
        `tuple[Array, Array]`: both, moved by the same vector; unitless.
    """
    xp = array_namespace(first)
    middle = (xp.mean(first, axis=0) + xp.mean(second, axis=0)) / 2
    spread = max(float(xp.max(xp.abs(each - middle))) for each in (first, second))
    step = 2.0 ** math.frexp(max(spread, _EPSILON * float(xp.max(xp.abs(middle)))))[1]
    offset = xp.round(middle / step) * step
    return first - offset, second - offset


def squared_distances(first: Array, second: Array) -> Array:
    """Squared Euclidean distances between all rows of two sets; never negative.

    Squares far larger than the distances cost their digits: see `without_offset`.

    Args:
        first (`Array`): `[..., n, D]`, unitless, double precision.
        second (`Array`): `[..., m, D]`, unitless, double precision.

    Returns:
        `Array`: `[..., n, m]`, unitless.
    """
    xp = array_namespace(first)
    products = first @ xp.moveaxis(second, -1, -2)
    squares = xp.vecdot(first, first)[..., :, None] + xp.vecdot(second, second)[..., None, :]
    squares -= 2 * products
    return xp.clip(squares, 0)


def _texts(ids: Sequence[Any] | Array | None) -> list[str] | None:
    if ids is None:
        return None
    return [str(name) for name in (ids.tolist() if hasattr(ids, "tolist") else ids)]


def _indices(bad: list[int]) -> str:
    return ", ".join(map(str, bad[:_NAMED])) + (", …" if len(bad) > _NAMED else "")
