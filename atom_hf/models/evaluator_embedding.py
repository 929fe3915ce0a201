"""Embeddings of lists of motions and texts, in batches; mixed into the text-motion evaluator.

Motions are embedded by one of two protocols, and a number has to say by which:

- "packed", of text-to-motion: the GRU runs over each clip's own steps, and a clip is embedded as if padded to
  `config.max_frames`. The embedding does not depend on the clips beside it.
- "padded", of MotionGPT's copy: the GRU runs over the padding of its batch too, so that a clip's embedding depends on
  the longest clip of its batch. Published numbers are made in batches of 32, in the order of the data set.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from .evaluator_motion import as_clips
from .evaluator_text import Text, TextReader
from .parts_of_speech import Tagger

PROTOCOLS = ("packed", "padded")


class TextMotionEmbedding:
    """Mixed into [`TextMotionEvaluator`], before transformers' class."""

    @torch.no_grad()
    def embed_motion(
        self: Any,
        motions: Any,
        lengths: Sequence[int] | Tensor | None = None,
        *,
        protocol: str = "packed",
        batch_size: int = 32,
    ) -> Tensor:
        """Embed motions.

        Frames behind the last whole group of four are left out, as the published data loaders do.

        Args:
            motions (`Sequence` or `Array`): a list of [`Motion`] or of features `[T, 263]` in metres and radians at 20
                fps, numpy or torch; or padded features `[B, T, 263]`.
            lengths (`Sequence[int]`, *optional*): `[B]`, frames of each clip of padded features.
            protocol (`str`, *optional*, defaults to `"packed"`): `"packed"`, or `"padded"` as MotionGPT has it; see
                [`TextMotionEvaluator`].
            batch_size (`int`, *optional*, defaults to 32): clips at once; changes the result of `"padded"` only.

        Returns:
            `Tensor`: `[B, embedding_size]`, float32, in the order of the motions, on the evaluator's device.

        Raises:
            TypeError: if something is no motion.
            ValueError: if a clip has another width, NaN or fewer than 4 frames, there are none, or the protocol or
                batch size does not exist.
        """
        _check_options(protocol, batch_size)
        clips = as_clips(motions, lengths)
        order = list(range(len(clips)))
        if protocol == "packed":
            order.sort(key=lambda i: len(clips[i]))
        result = torch.empty(len(clips), self.config.embedding_size, device=self.device)
        with _Evaluating(self):
            for start in range(0, len(order), batch_size):
                part = order[start : start + batch_size]
                features = nn.utils.rnn.pad_sequence([clips[i] for i in part], batch_first=True).to(self.device)
                counts = torch.tensor([len(clips[i]) for i in part], device=self.device)
                result[part] = self._embed_features(features, counts, protocol)
        return result

    @torch.no_grad()
    def embed_text(self: Any, texts: Sequence[Text], *, tagger: Tagger | None = None, batch_size: int = 256) -> Tensor:
        """Embed texts.

        Args:
            texts (`Sequence`): each a text, a [`Caption`] of HumanML3D, or its tokens, such as
                `("a/DET", "man/NOUN", "walk/VERB")`. Where parts of speech are read, free text is tagged first.
            tagger (`Callable[[str], tuple[str, ...]]`, *optional*): tags free text; the evaluator's `tagger` without
                it, and spaCy's where that is None.
            batch_size (`int`, *optional*, defaults to 256): texts at once; does not change the result.

        Returns:
            `Tensor`: `[B, embedding_size]`, float32, in the order of the texts, on the evaluator's device.

        Raises:
            ImportError: if free text has to be tagged and spaCy is not installed.
            TypeError: if something is no text.
            ValueError: if a text is empty, there are none, or the evaluator has no word vectors.
        """
        _check_options("packed", batch_size)
        inputs = self.reader(tagger).tensors(texts)
        with _Evaluating(self):
            parts = [
                self._embed_words(*(value.to(self.device) for value in part))
                for part in zip(*(value.split(batch_size) for value in inputs), strict=True)
            ]
        return torch.cat(parts)

    def reader(self: Any, tagger: Tagger | None = None) -> TextReader:
        """What turns texts into tensors.

        Args:
            tagger (`Tagger`, *optional*): as in `embed_text`.

        Returns:
            [`TextReader`]: of this evaluator's vocabulary.

        Raises:
            ValueError: if the evaluator has no word vectors.
        """
        return TextReader(self.config, tagger or self.tagger)

    def describe(self: Any, protocol: str = "packed") -> dict[str, str | int]:
        """What has to stand beside a number that was made with this evaluator.

        Args:
            protocol (`str`, *optional*, defaults to `"packed"`): by which motions were embedded.

        Returns:
            `dict`: evaluator (where it came from), whether its weights are an original's, protocol, kind of text,
            size of embeddings.
        """
        _check_options(protocol, 1)
        return {
            "evaluator": self.config._name_or_path or type(self).__name__,
            "weights": "original" if self.config.original else "not the published evaluator",
            "protocol": protocol,
            "text_input": self.config.text_input,
            "embedding_size": self.config.embedding_size,
        }


class _Evaluating:
    """Evaluation mode for a while."""

    def __init__(self, model: nn.Module) -> None:
        self.model, self.training = model, model.training

    def __enter__(self) -> None:
        self.model.eval()

    def __exit__(self, *_: object) -> None:
        self.model.train(self.training)


def _check_options(protocol: str, batch_size: int) -> None:
    if protocol not in PROTOCOLS:
        raise ValueError(
            f'Expected protocol "packed" (text-to-motion\'s) or "padded" (MotionGPT\'s), got {protocol!r}.'
        )
    if batch_size < 1:
        raise ValueError(f"Expected a batch_size of at least 1, got {batch_size}.")
