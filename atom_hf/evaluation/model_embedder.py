"""A text-motion model as the `Embedder` of an evaluation: with a name, a hash of its weights, one embedding protocol.

ModelEmbedder(TextMotionEvaluator.from_pretrained(…), "padded").name  →  "t2m" for original weights
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from ..motion.arrays import Array
from .fingerprint import fingerprint_arrays
from .published import EMBEDDING, EVALUATOR


class ModelEmbedder:
    """Wraps a [`TextMotionEvaluator`].

    Args:
        model (`Any`): with `embed_motion(motions, protocol=…)`, `embed_text`, `describe` and `state_dict`.
        embedding_protocol (`str`, *optional*, defaults to `"padded"`): `"padded"` as the published numbers, in batches
            of 32 in the order of the data, or `"packed"`; it has to be that of the `Protocol`.
        name (`str`, *optional*): of a model that has no original weights; where it came from, by default.

    Raises:
        ValueError: if a model without original weights is to have the name of the original one.
    """

    def __init__(self, model: Any, embedding_protocol: str = EMBEDDING, name: str | None = None) -> None:
        said = model.describe(embedding_protocol)
        original = said["weights"] == "original"
        if name == EVALUATOR and not original:
            raise ValueError(f"{EVALUATOR!r} is the name of the original evaluator; these weights are others.")
        self.model, self.embedding_protocol = model, embedding_protocol
        self.name = EVALUATOR if original else name or str(said["evaluator"])

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the weights, with their names."""
        state = sorted(self.model.state_dict().items())
        return fingerprint_arrays([part for pair in state for part in pair])

    def embed_motion(self, motions: Sequence[Any]) -> Array:
        """Embed motions.

        Args:
            motions (`Sequence[Any]`): motions, or features `[T, 263]` in metres and radians at 20 fps.

        Returns:
            `Array`: `[N, D]`, unitless.
        """
        return self.model.embed_motion(motions, protocol=self.embedding_protocol)

    def embed_text(self, texts: Sequence[Any]) -> Array:
        """Embed texts.

        Args:
            texts (`Sequence[Any]`): texts, captions, or their tokens.

        Returns:
            `Array`: `[N, D]`, unitless.
        """
        return self.model.embed_text(texts)
