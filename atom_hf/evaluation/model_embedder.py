"""A text-motion model as the `Embedder` of an evaluation: with a name, a hash of its weights, one embedding protocol.

ModelEmbedder.from_pretrained("finest.tar", glove="glove", stats="meta").name  →  "t2m", as the weights are original
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from ..assets import DEFAULT_EVALUATOR
from ..motion.arrays import Array
from .fingerprint import fingerprint_arrays
from .published import EMBEDDING, EVALUATOR

_TINY = "atom_hf/evaluator_tiny"


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

    @classmethod
    def from_pretrained(
        cls,
        source: str = DEFAULT_EVALUATOR,
        embedding_protocol: str | None = None,
        *,
        device: str = "cpu",
        **original: Any,
    ) -> "ModelEmbedder":
        """Load an evaluator.

        Args:
            source (`str`, *optional*, defaults to `DEFAULT_EVALUATOR`): a folder, a repository on the Hub, or an
                original file.
            embedding_protocol (`str`, *optional*): `"padded"` for original weights and `"packed"` for others, by
                default.
            device (`str`, *optional*, defaults to `"cpu"`): where it runs.
            **original: for an original file, as in [`TextMotionEvaluator.from_pretrained`].

        Returns:
            [`ModelEmbedder`]: named after the repository or the folder.
        """
        from ..models import TextMotionEvaluator  # and with it torch
        from ..models.hub import public_name

        model = TextMotionEvaluator.from_pretrained(source, **original).to(device).eval()
        protocol = embedding_protocol or (EMBEDDING if model.config.original else "packed")
        return cls(model, protocol, _TINY if source == DEFAULT_EVALUATOR else public_name(source))

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
