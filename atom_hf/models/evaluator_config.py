"""Sizes and vocabulary of the text-motion evaluator; the default sizes are those of text-to-motion (T2M)."""

from typing import Any

from transformers import PretrainedConfig

SPECIAL_WORDS = ("sos", "eos", "unk")
_SIZES = (
    "movement_hidden_size", "movement_size", "motion_hidden_size", "text_hidden_size", "embedding_size", "word_size",
    "max_words", "max_frames",
)  # fmt: skip
_CHOICES = {"text_input": ("words+pos", "words"), "loss": ("infonce", "margin")}


class TextMotionEvaluatorConfig(PretrainedConfig):
    """Configuration of a [`TextMotionEvaluator`].

    Args:
        movement_hidden_size (`int`, *optional*, defaults to 512): channels of the first convolution.
        movement_size (`int`, *optional*, defaults to 512): channels of the second, which gives one step for 4 frames.
        motion_hidden_size (`int`, *optional*, defaults to 1024): width of the GRU over these steps.
        text_hidden_size (`int`, *optional*, defaults to 512): width of the GRU over words.
        embedding_size (`int`, *optional*, defaults to 512): width of embeddings of text and motion.
        word_size (`int`, *optional*, defaults to 300): width of word vectors.
        text_input (`str`, *optional*, defaults to `"words+pos"`): `"words+pos"` for lemmas with their part of
            speech and word vectors that are given, as in T2M; `"words"` for plain lower-case words and vectors that
            are trained.
        words (`list[str]`, *optional*): the vocabulary, one word for each vector, `sos`, `eos` and `unk` among them;
            without it only motion can be embedded.
        hash_buckets (`int`, *optional*, defaults to 0): vectors that words outside of the vocabulary share, so that
            most of them differ too; for `"words"` with a vocabulary.
        max_words (`int`, *optional*, defaults to 20): words of a text that are read, beside its start and end.
        max_frames (`int`, *optional*, defaults to 196): frames that the published evaluation pads clips to; a shorter
            clip is embedded as if padded to so many, a longer one as it is.
        dropout (`float`, *optional*, defaults to 0.2): of the convolutions, in training.
        unit_length (`bool`, *optional*, defaults to `False`): whether embeddings have length 1; T2M's have not.
        loss (`str`, *optional*, defaults to `"infonce"`): `"infonce"`, or `"margin"` as T2M has it.
        margin (`float`, *optional*, defaults to 10.0): distance that T2M's loss asks for.
        original (`bool`, *optional*, defaults to `False`): whether the weights came from an original checkpoint of
            the published sizes; conversion sets it, and a training pass takes it back.

    Raises:
        ValueError: if a size is not above zero, a choice is another one, or the vocabulary lacks or repeats a word.
    """

    model_type = "text_motion_evaluator"

    movement_hidden_size: int = 512
    movement_size: int = 512
    motion_hidden_size: int = 1024
    text_hidden_size: int = 512
    embedding_size: int = 512
    word_size: int = 300
    text_input: str = "words+pos"
    words: list[str] | None = None
    hash_buckets: int = 0
    max_words: int = 20
    max_frames: int = 196
    dropout: float = 0.2
    unit_length: bool = False
    loss: str = "infonce"
    margin: float = 10.0
    original: bool = False

    def __post_init__(self, **kwargs: object) -> None:
        for name in _SIZES:
            if getattr(self, name) < 1:
                raise ValueError(f"{name} of a text-motion evaluator is at least 1, got {getattr(self, name)}.")
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise ValueError(f"Expected {name} as one of {', '.join(choices)}, got {getattr(self, name)!r}.")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout is from 0 to below 1, got {self.dropout}.")
        if self.hash_buckets < 0 or (self.hash_buckets and (self.text_input != "words" or self.words is None)):
            raise ValueError(
                f"Expected hash_buckets of 0 or more, and only with text_input 'words' and words (at least "
                f"{list(SPECIAL_WORDS)}), got {self.hash_buckets} with {self.text_input!r}."
            )
        self._check_words()
        super().__post_init__(**kwargs)

    def _check_words(self) -> None:
        if self.words is None:
            return
        if missing := [word for word in SPECIAL_WORDS if word not in self.words]:
            raise ValueError(
                f"A vocabulary holds {', '.join(SPECIAL_WORDS)} beside its words; {', '.join(missing)} is missing."
            )
        if len(set(self.words)) != len(self.words):
            twice = next(word for i, word in enumerate(self.words) if word in self.words[:i])
            raise ValueError(f"A vocabulary holds each word once, but {twice[:40]!r} is there again.")

    @property
    def num_word_vectors(self) -> int:
        """Word vectors: one for each word, and one for each bucket."""
        return len(self.words or ()) + self.hash_buckets

    def to_dict(self) -> dict[str, Any]:
        """The configuration as a dict, without the folder that it was read from: that stays on its machine.

        Returns:
            `dict[str, Any]`: for `from_dict`.
        """
        return {name: value for name, value in super().to_dict().items() if name != "_name_or_path"}
