"""Texts as the text-motion evaluator reads them: numbers of words and of parts of speech.

("a/DET", "man/NOUN", "walk/VERB")  →  sos a man walk eos, padded to 22 with unk; parts 14 2 1 12 14 and 14
"a man walks"                       →  the same for "words", without lemmas and parts of speech
"""

import re
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from ..motion import Caption
from .evaluator_config import SPECIAL_WORDS, TextMotionEvaluatorConfig
from .parts_of_speech import OTHER, Tagger, pos_index, split_token, tag_with_spacy

Text = str | Caption | Sequence[str]
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")


class TextTensors(NamedTuple):
    """A batch of texts.

    Args:
        word_ids (`Tensor`): `[B, max_words + 2]`, int64, rows of the word vectors.
        pos_ids (`Tensor`): `[B, max_words + 2]`, int64, indices into `POS_TAGS`.
        text_lengths (`Tensor`): `[B]`, int64, words with start and end.
    """

    word_ids: Tensor
    pos_ids: Tensor
    text_lengths: Tensor


class TextReader:
    """Turns texts into tensors.

    Args:
        config ([`TextMotionEvaluatorConfig`]): kind of text, vocabulary and most words.
        tagger (`Tagger`, *optional*): text to tokens such as `"walk/VERB"`, for free text where parts of speech are
            read; spaCy's without it.

    Raises:
        ValueError: if the evaluator has no vocabulary.
    """

    def __init__(self, config: TextMotionEvaluatorConfig, tagger: Tagger | None = None) -> None:
        if config.words is None:
            raise ValueError(
                "This evaluator has no word vectors, so it embeds motion only. Convert its checkpoint with "
                "glove=FOLDER, where the three files our_vab_* are."
            )
        self.config = config
        self.tagger = tagger or tag_with_spacy
        self._index = {word: i for i, word in enumerate(config.words)}

    def tensors(self, texts: Sequence[Text]) -> TextTensors:
        """Numbers of words and parts of speech.

        Args:
            texts (`Sequence`): each a text, a [`Caption`], or tokens such as `("a/DET", "man/NOUN")`.

        Returns:
            [`TextTensors`]: on the CPU.

        Raises:
            ImportError: if free text has to be tagged and spaCy is not installed.
            TypeError: if there is a single text, or something else than texts.
            ValueError: if there are none, or one has no words.
        """
        if isinstance(texts, str | Caption) or not isinstance(texts, Sequence):
            raise TypeError(f"Expected a list of texts, got {type(texts).__name__}; put a single one into [ ].")
        if not texts:
            raise ValueError("Expected at least one text, got an empty list.")
        words, parts, lengths = [], [], []
        for number, text in enumerate(texts):
            pairs = self._pairs(text, number)[: self.config.max_words]
            pairs = [("sos", OTHER), *pairs, ("eos", OTHER)]
            lengths.append(len(pairs))
            pairs += [("unk", OTHER)] * (self.config.max_words + 2 - len(pairs))
            numbers = [self.numbers(*pair) for pair in pairs]
            words.append([word for word, _ in numbers])
            parts.append([part for _, part in numbers])
        return TextTensors(torch.tensor(words), torch.tensor(parts), torch.tensor(lengths))

    def numbers(self, word: str, tag: str) -> tuple[int, int]:
        """Row of a word's vector and index of its part of speech.

        Args:
            word (`str`): as in the vocabulary; another one is `unk` with `OTHER`, or has a bucket.
            tag (`str`): part of speech.

        Returns:
            `tuple[int, int]`: row and index.
        """
        if word in self._index:
            return self._index[word], pos_index(word, tag)
        if self.config.hash_buckets:
            bucket = zlib.crc32(word.encode()) % self.config.hash_buckets
            return len(self._index) + bucket, pos_index("", OTHER)
        return self._index["unk"], pos_index("", OTHER)

    def _pairs(self, text: Text, number: int) -> list[tuple[str, str]]:
        """Words and tags of one text."""
        tokens: Sequence[str] = ()
        plain = ""
        if isinstance(text, Caption):
            lemmas = self.config.text_input == "words+pos" or not text.text.strip()
            tokens, plain = text.tokens if lemmas else (), text.text
        elif isinstance(text, str):
            plain = text
        else:
            if not isinstance(text, Sequence) or not all(isinstance(token, str) for token in text):
                raise TypeError(
                    f"Expected text {number} as a string, a Caption, or tokens such as 'walk/VERB', got "
                    f"{type(text).__name__}."
                )
            tokens = [str(token) for token in text]
        if not tokens and not plain.strip():
            raise ValueError(f"Text {number} is empty; an evaluator cannot judge a motion without a text.")
        if tokens:
            pairs = [split_token(token) for token in tokens]
        elif self.config.text_input == "words":
            pairs = [(word, OTHER) for word in plain_words(plain)]
        else:
            pairs = [split_token(token) for token in self.tagger(plain)]
        if not pairs:
            raise ValueError(f"Text {number} has no words: {plain[:60]!r}.")
        return pairs


def plain_words(text: str) -> list[str]:
    """Lower-case words of a text, without punctuation.

    Args:
        text (`str`): such as `"A man walks, then jumps."`.

    Returns:
        `list[str]`: such as `["a", "man", "walks", "then", "jumps"]`.
    """
    return [word.replace("’", "'") for word in _WORD.findall(text.lower())]


def learn_words(texts: Iterable[str], most: int = 2000) -> list[str]:
    """A vocabulary for `TextMotionEvaluatorConfig(text_input="words", words=…)`.

    Args:
        texts (`Iterable[str]`): the texts that will be trained on.
        most (`int`, *optional*, defaults to 2000): words at most, the most frequent ones.

    Returns:
        `list[str]`: `sos`, `eos`, `unk` and the words, frequent ones first.

    Raises:
        ValueError: if there are no words.
    """
    counts = Counter(word for text in texts for word in plain_words(text) if word not in SPECIAL_WORDS)
    if not counts:
        raise ValueError("Expected texts to learn a vocabulary from, got none with a word.")
    frequent = sorted(counts, key=lambda word: (-counts[word], word))
    return [*SPECIAL_WORDS, *frequent[:most]]
