"""Embeddings of motions and of texts, rows of a matrix `[N, D]`: who makes them, checks, and distances between them.

All numbers are unitless: an evaluator's space has no metres. Distances mean something between embeddings of one
evaluator only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from array_api_compat import array_namespace

from ..motion.arrays import Array
from ..motion.checks import check_floats

_NAMED = 5  # faulty clips that a message names


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
        ids (`Sequence[str]`, *optional*): names of the clips, for messages, and to see that rows belong together.
        samples (`Array`, *optional*): `[texts, samples, D]`, unitless, several motions for each of some texts; what
            MModality is made from.
    """

    motion: Array
    text: Array | None = None
    ids: Sequence[str] | None = None
    samples: Array | None = None


@dataclass(frozen=True)
class Clips:
    """A test set that an `Embedder` is to embed.

    Args:
        motions (`Sequence[Any]`): `N` motions in the form that the evaluator takes.
        captions (`Sequence[Any]`, *optional*): `N` texts that the motions were made for, in a form that the evaluator
            takes. A system without captions is held against those of the real motions.
        ids (`Sequence[str]`, *optional*): names of the clips.
        samples (`Sequence[Sequence[Any]]`, *optional*): several motions for each of some texts.
        fingerprint (`str`, *optional*): what identifies these clips. Without it, motions have to be arrays or have
            `joints`, which are hashed.
    """

    motions: Sequence[Any]
    captions: Sequence[Any] | None = None
    ids: Sequence[str] | None = None
    samples: Sequence[Sequence[Any]] | None = None
    fingerprint: str | None = None


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
        ValueError: if the number of axes is another one, there are none, or a value is NaN or infinite; the clips are
            counted and named by their index.
    """
    check_floats(embeddings, what)
    shape = list(embeddings.shape)
    if len(shape) != axes or 0 in shape:
        expected = "[N, D]" if axes == 2 else "[N, S, D]"
        raise ValueError(f"Expected {what} of shape {expected} with at least one row, got {shape}.")
    bad = non_finite_rows(embeddings)
    if bad:
        named = ", ".join(map(str, bad[:_NAMED])) + (", …" if len(bad) > _NAMED else "")
        raise ValueError(
            f"Expected finite {what}, but {len(bad)} of {shape[0]} clips have NaN or infinite values: index {named}. "
            "Look for empty or broken motions; they can't be averaged in."
        )
    xp = array_namespace(embeddings)
    return xp.astype(embeddings, xp.float64, copy=False)


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


def squared_distances(first: Array, second: Array) -> Array:
    """Squared Euclidean distances between all rows of two sets; never negative.

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
