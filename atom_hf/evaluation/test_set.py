"""What an evaluation compares: test sets as embeddings, embedded where they are clips, made anew where a seed decides.

Here rows are put together (a motion, its text, its id) and everything that can be wrong with them is found.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal, NamedTuple

from array_api_compat import array_namespace

from ..motion.arrays import Array, take
from .embeddings import Clips, Embedder, Embeddings, as_double, check_pairs, non_finite_rows
from .fingerprint import fingerprint_arrays

NonFinite = Literal["error", "exclude"]
_NAMED = 5  # clips that a message names


@dataclass(frozen=True)
class Regenerated:
    """A test set that is made anew in each replication, as the published protocol does.

    Args:
        generate (`Callable[[int], Embeddings | Clips]`): from a seed; equal seeds give equal motions.
        fingerprint (`str`, *optional*): what identifies the maker, such as a hash of its checkpoint and settings;
            needed where replications are stored.
    """

    generate: Callable[[int], Embeddings | Clips]
    fingerprint: str = ""


class Ready(NamedTuple):
    """Embeddings that were found to be sound.

    Args:
        motion (`Array`): `[N, D]`, unitless, double precision.
        text (`Array`): `[N, D]`, unitless, double precision.
        samples (`Array`, *optional*): `[texts, samples, D]`, unitless, double precision.
        excluded (`tuple[str, ...]`): clips that were left out.
    """

    motion: Array
    text: Array
    samples: Array | None
    excluded: tuple[str, ...]


class TestSet:
    """A row of an evaluation.

    Args:
        name (`str`): of the row, for messages.
        given (`Embeddings | Clips | Regenerated`): what was handed in; a plain function of a seed is taken as
            `Regenerated`.
        embedder ([`Embedder`], *optional*): for clips.
        real ([`TestSet`], *optional*): whose texts to take where there are none.
        non_finite (`str`, *optional*, defaults to `"error"`): or `"exclude"`.

    Raises:
        TypeError: if something else was handed in.
    """

    __test__ = False  # pytest looks at names

    def __init__(
        self,
        name: str,
        given: Embeddings | Clips | Regenerated | Callable[[int], Embeddings | Clips],
        embedder: Embedder | None = None,
        real: "TestSet | None" = None,
        non_finite: NonFinite = "error",
    ) -> None:
        if not isinstance(given, Embeddings | Clips | Regenerated):
            if not callable(given):
                raise TypeError(
                    f"{name}: expected Embeddings, Clips, Regenerated or a function of a seed, got "
                    f"{type(given).__name__}. Arrays go into Embeddings(motion=…, text=…)."
                )
            given = Regenerated(given, getattr(given, "fingerprint", ""))
        self.name, self.given, self.embedder, self.real, self.non_finite = name, given, embedder, real, non_finite
        self._latest: tuple[int | None, Embeddings, Ready | None] | None = None

    @property
    def regenerated(self) -> bool:
        """Whether it is made anew for each seed."""
        return isinstance(self.given, Regenerated)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the data, or what its maker gave.

        Raises:
            TypeError: if clips cannot be hashed and do not say what identifies them.
        """
        given = self.given
        if isinstance(given, Regenerated) or (isinstance(given, Clips) and given.fingerprint):
            return given.fingerprint or ""
        if isinstance(given, Embeddings):
            return fingerprint_arrays([given.motion, given.text, given.samples, *_all(given.ids)])
        motions = [*given.motions, *(motion for several in _all(given.samples) for motion in several)]
        captions = [text if isinstance(text, str) else repr(text) for text in _all(given.captions)]
        try:
            if any(isinstance(motion, str) for motion in motions):
                raise TypeError(
                    "Expected motions or arrays to hash, got texts; a path does not say what is in the file."
                )
            arrays = [getattr(motion, "joints", motion) for motion in motions]
            return fingerprint_arrays([*arrays, None, *captions, None, *_all(given.ids)])
        except TypeError as error:
            raise TypeError(f"{self.name}: {error} Or say what identifies them: Clips(…, fingerprint=…).") from error

    def raw(self, seed: int) -> Embeddings:
        """Embeddings as they came.

        Args:
            seed (`int`): of the replication; a fixed set is the same for all.

        Returns:
            [`Embeddings`]: unchecked.

        Raises:
            TypeError: if what a function made is neither embeddings nor clips.
        """
        key = seed if self.regenerated else None
        if self._latest is None or self._latest[0] != key:
            made = self.given.generate(seed) if isinstance(self.given, Regenerated) else self.given
            if not isinstance(made, Embeddings | Clips):
                raise TypeError(f"{self.name}: expected Embeddings or Clips for a seed, got {type(made).__name__}.")
            self._latest = (key, self._embedded(made) if isinstance(made, Clips) else made, None)
        return self._latest[1]

    def ready(self, seed: int) -> Ready:
        """Embeddings with their texts, checked, in double precision.

        Args:
            seed (`int`): of the replication; a fixed set is the same for all.

        Returns:
            [`Ready`]: what metrics can be computed from.

        Raises:
            TypeError: if they are no floating-point arrays of one library.
            ValueError: if shapes do not fit, an id is there twice, a text is missing, or a value is not finite.
        """
        raw = self.raw(seed)
        if self._latest is None or self._latest[2] is None:
            key = seed if self.regenerated else None
            self._latest = (key, raw, self._checked(self._with_text(raw, seed)))
        ready = self._latest[2]
        assert ready is not None
        return ready

    def _embedded(self, clips: Clips) -> Embeddings:
        if self.embedder is None:
            raise TypeError(
                f"{self.name}: clips need an evaluator with embed_motion and embed_text; or give Embeddings."
            )
        count = len(clips.motions)
        text = None
        if clips.captions is not None:
            if len(clips.captions) != count:
                raise ValueError(
                    f"{self.name}: expected {count} captions for as many motions, got {len(clips.captions)}."
                )
            blank = [not (text.strip() if isinstance(text, str) else text) for text in clips.captions]
            missing = [i for i, empty in enumerate(blank) if empty]
            if missing:
                raise ValueError(f"{self.name}: {len(missing)} captions are missing: {_names(missing, clips.ids)}.")
            text = self.embedder.embed_text(clips.captions)
        motion, samples = self._motions(clips.motions), None
        if clips.samples is not None:
            sizes = sorted({len(several) for several in clips.samples})
            if len(sizes) != 1:
                raise ValueError(f"{self.name}: expected the same number of samples for each text, got {sizes}.")
            flat = self._motions([motion for several in clips.samples for motion in several])
            samples = array_namespace(flat).reshape(flat, (len(clips.samples), sizes[0], flat.shape[-1]))
        return Embeddings(motion, text, clips.ids, samples)

    def _motions(self, motions: Sequence[Any]) -> Array:
        assert self.embedder is not None
        found = self.embedder.embed_motion(motions)
        if found.shape[0] != len(motions):
            raise ValueError(
                f"{self.name}: the evaluator made {found.shape[0]} embeddings of {len(motions)} motions; it has to "
                "make one for each, in order."
            )
        return found

    def _with_text(self, raw: Embeddings, seed: int) -> Embeddings:
        count = raw.motion.shape[0] if raw.motion.ndim else 0
        if raw.ids is not None:
            if len(raw.ids) != count:
                raise ValueError(f"{self.name}: expected {count} ids for as many motions, got {len(raw.ids)}.")
            twice = [f"{name!r}" for name, times in Counter(raw.ids).items() if times > 1]
            if twice:
                raise ValueError(
                    f"{self.name}: {len(twice)} ids are there more than once: {', '.join(twice[:_NAMED])}. Every clip "
                    "counts once; give clips with several captions an id for each."
                )
        if raw.text is not None:
            return raw
        if self.real is None:
            raise ValueError(
                f"{self.name}: captions are missing; R-precision and MM-Dist need a text for each motion."
            )
        if self.real.regenerated and not self.regenerated:
            raise ValueError(
                f"{self.name}: its motions are fixed, while the texts of the real ones are drawn anew for each "
                "replication; give its own texts."
            )
        real = self.real.raw(seed)
        if real.text is None:
            raise ValueError(f"{self.real.name}: captions are missing; {self.name} has none of its own.")
        if real.text.shape[0] != count:
            raise ValueError(
                f"{self.name}: expected {real.text.shape[0]} motions, one for each text of the real ones, got "
                f"{count}. For another selection, give its texts too."
            )
        text = real.text
        if raw.ids is not None and real.ids is not None and list(raw.ids) != list(real.ids):
            place = {name: i for i, name in enumerate(real.ids)}
            strangers = [f"{name!r}" for name in raw.ids if name not in place]
            if strangers:
                raise ValueError(
                    f"{self.name}: {len(strangers)} ids are not among the real clips: {', '.join(strangers[:_NAMED])}."
                )
            text = take(text, [place[name] for name in raw.ids], 0)
        return replace(raw, text=text)

    def _checked(self, raw: Embeddings) -> Ready:
        assert raw.text is not None
        motion, text, samples = raw.motion, raw.text, raw.samples
        excluded: tuple[str, ...] = ()
        try:
            check_pairs(text, motion, "text embeddings", "motion embeddings")
            if self.non_finite == "exclude":
                bad = sorted({*non_finite_rows(motion), *non_finite_rows(text)})
                excluded = tuple(_names([i], raw.ids) for i in bad)
                motion, text = _without(motion, bad), _without(text, bad)
            motion, text = as_double(motion, "motion embeddings"), as_double(text, "text embeddings")
            if samples is not None:
                if self.non_finite == "exclude":
                    bad = non_finite_rows(samples)
                    excluded += tuple(f"samples of text {i}" for i in bad)
                    samples = _without(samples, bad)
                samples = as_double(samples, "samples", axes=3)
                check_pairs(samples, motion, "samples", "motion embeddings", rows=False)
        except (TypeError, ValueError) as error:
            raise type(error)(f"{self.name}: {error}{_hint(raw)}") from error
        return Ready(motion, text, samples, excluded)


def _all(given: Any) -> Any:
    return () if given is None else given  # `or` asks an array whether it is true


def _without(rows: Array, bad: list[int]) -> Array:
    drop = set(bad)
    return take(rows, [i for i in range(rows.shape[0]) if i not in drop], 0) if bad else rows


def _hint(raw: Embeddings) -> str:
    """The ids behind the indices that a message names."""
    try:
        bad = sorted({*non_finite_rows(raw.motion), *non_finite_rows(raw.text)})
    except (TypeError, ValueError, AttributeError, IndexError, RuntimeError):
        return ""
    ids = f" Their ids: {_names(bad, raw.ids)}." if bad and raw.ids is not None else ""
    return ids + (' non_finite="exclude" leaves them out and says so in the result.' if bad else "")


def _names(indices: list[int], ids: Sequence[str] | None) -> str:
    named = (str(ids[i]) if ids is not None and i < len(ids) else f"index {i}" for i in indices[:_NAMED])
    return ", ".join(named) + (", …" if len(indices) > _NAMED else "")
