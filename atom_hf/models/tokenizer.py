"""Tokenizers that read words and motion: a T5 vocabulary followed by `<motion_id_0>`, `<motion_id_1>`, …

tokenizer = train_tokenizer(captions, vocab_size=600)
tokenizer("a man jumps <motion_id_512><motion_id_7><motion_id_513>").input_ids    # ends with </s>, as in T5
motion_ids(tokenizer)                                                             # range(600, 1115)
"""

import math
import string
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, decoders, pre_tokenizers, processors
from tokenizers.models import BPE, Unigram
from tokenizers.trainers import BpeTrainer
from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

from ..motion.codes import NUM_CODES, motion_token
from .chat_template import CHAT_TEMPLATE

_PAD, _EOS, _UNK = "<pad>", "</s>", "<unk>"
_BYTES = [f"<0x{byte:02X}>" for byte in range(256)]
_ASCII = string.ascii_letters + string.digits + string.punctuation
SMALLEST_VOCAB = 3 + len(_BYTES) + 1 + len(_ASCII)
# Names of tokens are pieces of the vocabulary as well; with this score no typed text is ever cut into one.
_NEVER = -1000.0


def train_tokenizer(texts: Iterable[str], vocab_size: int, num_codes: int = NUM_CODES) -> PreTrainedTokenizerFast:
    """A small T5-like tokenizer learnt from texts, with motion tokens.

    Words are cut by a unigram model. Characters that the texts lack are spelled as UTF-8 bytes, so that `<unk>` never
    comes out, and decoding gives the text back, except that, as in T5, a blank at its start is lost, one is added
    between a motion token and a word that touches it, and "▁" is read as a blank. Nothing is normalised.

    Args:
        texts (`Iterable[str]`): captions, or the prompts made of them.
        vocab_size (`int`): number of tokens without the motion tokens, at least 354: `<pad>` (id 0), `</s>` (1),
            `<unk>` (2), 256 bytes, the blank and ASCII characters. Few texts may fill less than this number.
        num_codes (`int`, *optional*, defaults to 512): size of the codebook; `num_codes + 3` motion tokens follow.

    Returns:
        `PreTrainedTokenizerFast`: appends `</s>` to each text, and has the chat template of this module.

    Raises:
        TypeError: if a text is no string.
        ValueError: if there is no text, or `vocab_size` is too small.
    """
    texts = list(texts)
    for text in texts:
        if not isinstance(text, str):
            raise TypeError(f"Expected texts to be strings, got {type(text).__name__}.")
    if not any(text.strip() for text in texts):
        raise ValueError("Expected at least one text to learn words from, got none.")
    if vocab_size < SMALLEST_VOCAB:
        raise ValueError(
            f"Expected vocab_size of at least {SMALLEST_VOCAB} (3 special tokens, 256 bytes, the blank and "
            f"{len(_ASCII)} ASCII characters), got {vocab_size}."
        )
    backend = Tokenizer(Unigram(_learn_vocab(texts, vocab_size), unk_id=2, byte_fallback=True))
    backend.pre_tokenizer = _cut_words()
    backend.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Metaspace("▁", "always")])
    backend.post_processor = processors.TemplateProcessing(
        single=["$A", _EOS], pair=["$A", _EOS, "$B", _EOS], special_tokens=[(_EOS, 1)]
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend,
        pad_token=_PAD,
        eos_token=_EOS,
        unk_token=_UNK,
        model_input_names=["input_ids", "attention_mask"],
        clean_up_tokenization_spaces=False,
    )
    add_motion_tokens(tokenizer, num_codes)
    return tokenizer


def _learn_vocab(texts: list[str], vocab_size: int) -> list[tuple[str, float]]:
    """Pieces with their log-probabilities: special tokens, bytes, then characters and what was learnt.

    Pieces come from byte-pair merges and their probabilities from counts, since the library's unigram trainer only
    considers strings that occur in several *different* words, and so learns no whole words from captions.
    """
    learner = Tokenizer(BPE())
    # Learnt pieces do not mix words with punctuation: "circle" and "circle," share a piece.
    learner.pre_tokenizer = pre_tokenizers.Sequence([_cut_words(), pre_tokenizers.Punctuation()])
    room = vocab_size - 3 - len(_BYTES)
    trainer = BpeTrainer(
        vocab_size=room,
        min_frequency=2,
        limit_alphabet=room,  # the rarest characters are left to the bytes
        initial_alphabet=["▁", *_ASCII],
        show_progress=False,
    )
    learner.train_from_iterator(texts, trainer)
    counts = Counter(token for encoding in learner.encode_batch(texts) for token in encoding.tokens)
    total = counts.total() + len(learner.get_vocab()) / 2
    pieces = sorted(learner.get_vocab(), key=learner.get_vocab().__getitem__)
    scored = [(piece, math.log((counts[piece] + 0.5) / total)) for piece in pieces]
    return [(piece, _NEVER) for piece in (_PAD, _EOS, _UNK, *_BYTES)] + scored


def _cut_words() -> pre_tokenizers.PreTokenizer:
    # transformers' T5Tokenizer splits at blanks first, which drops the one between a word and a motion token.
    return pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")


def add_motion_tokens(tokenizer: PreTrainedTokenizerBase, num_codes: int = NUM_CODES) -> range:
    """Append MotionGPT's motion tokens to a T5 tokenizer, and give it our chat template. Twice does no harm.

    They are normal tokens, not special ones: `decode(skip_special_tokens=True)` keeps them.

    Args:
        tokenizer (`PreTrainedTokenizerBase`): such as flan-t5-base's, whose motion tokens have ids 32100 to 32614.
        num_codes (`int`, *optional*, defaults to 512): size of the codebook; start, end and mask follow the codes.

    Returns:
        `range`: ids of the `num_codes + 3` motion tokens; the model needs `range.stop` embeddings.

    Raises:
        ValueError: if the tokenizer has motion tokens of another number, or lacks T5's `</s>` or sentinels.
    """
    if num_codes < 1:
        raise ValueError(f"Expected a codebook of at least one code, got num_codes={num_codes}.")
    if tokenizer.eos_token is None or tokenizer.pad_token is None:
        raise ValueError(f"Expected a T5 tokenizer, with <pad> and </s>, got a {type(tokenizer).__name__} without.")
    if motion_token(0) not in tokenizer.get_vocab():
        size = len(tokenizer)
        if 32000 <= size < 32128 and size != 32100:
            raise ValueError(
                f"Expected the 32100 tokens of T5 (32000, and sentinels <extra_id_0> to <extra_id_99>), got {size}: "
                "motion tokens would get other ids than MotionGPT's. Load the tokenizer with its sentinels."
            )
        tokenizer.add_tokens([motion_token(code) for code in range(num_codes + 3)])
    ids = motion_ids(tokenizer)
    if len(ids) != num_codes + 3:
        raise ValueError(
            f"Expected {num_codes + 3} motion tokens for num_codes={num_codes}, but the tokenizer has {len(ids)}, "
            f"which is num_codes={len(ids) - 3}."
        )
    tokenizer.chat_template = CHAT_TEMPLATE
    return ids


def motion_ids(tokenizer: PreTrainedTokenizerBase) -> range:
    """Ids of a tokenizer's motion tokens: codes 0 to `len - 4`, then start, end and mask.

    Args:
        tokenizer (`PreTrainedTokenizerBase`): one with motion tokens.

    Returns:
        `range`: the ids; the id of code `c` is `range.start + c`.

    Raises:
        ValueError: if it has none, or they are not in a row.
    """
    vocab = tokenizer.get_vocab()
    tokens = [token for token in vocab if token.startswith("<motion_id_")]
    if not tokens:
        raise ValueError("Expected a tokenizer with motion tokens, but it has none; see add_motion_tokens(tokenizer).")
    start = vocab.get(motion_token(0), -1)
    if any(vocab.get(motion_token(code)) != start + code for code in range(len(tokens))) or len(tokens) < 4:
        raise ValueError(
            f"Expected motion tokens <motion_id_0>, <motion_id_1>, … with ids in a row, but the {len(tokens)} of "
            "this tokenizer are not."
        )
    return range(start, start + len(tokens))


def load_motion_tokenizer(
    folder_or_repo: str | Path, revision: str | None = None, num_codes: int = NUM_CODES
) -> PreTrainedTokenizerFast:
    """Read a tokenizer exactly as its `tokenizer.json` says, and add motion tokens if it has none.

    In transformers 5, `AutoTokenizer` builds T5's tokenizer anew and differently: it drops the "▁" between words and a
    motion token, so that mixed text gets other ids than MotionGPT was trained on.

    Args:
        folder_or_repo (`str` or `Path`): a folder with `tokenizer.json`, or a repository on the Hub such as
            `google/flan-t5-base`.
        revision (`str`, *optional*): branch, tag or commit of the repository.
        num_codes (`int`, *optional*, defaults to 512): size of the codebook, for a tokenizer without motion tokens.

    Returns:
        `PreTrainedTokenizerFast`: with motion tokens and the chat template.

    Raises:
        OSError: if there is no such tokenizer.
        ValueError: if it is no T5 tokenizer, or its motion tokens are not in a row.
    """
    options: dict[str, Any] = {} if revision is None else {"revision": revision}
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder_or_repo, **options)
    has_motion = motion_token(0) in tokenizer.get_vocab()
    add_motion_tokens(tokenizer, len(motion_ids(tokenizer)) - 3 if has_motion else num_codes)
    return tokenizer
