"""Words with their part of speech, as HumanML3D's captions have them and its evaluator reads them.

"the man walks to his left"  →  ("the/DET", "man/NOUN", "walk/VERB", "to/ADP", "his/PRON", "left/NOUN")

Words that say much about a motion have classes of their own instead (T2M, CVPR 2022): left and walk are `Loc_VIP` and
`Act_VIP` whatever the tag says.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

Tagger = Callable[[str], tuple[str, ...]]
OTHER = "OTHER"
POS_TAGS = (
    "VERB", "NOUN", "DET", "ADP", "NUM", "AUX", "PRON", "ADJ", "ADV",
    "Loc_VIP", "Body_VIP", "Obj_VIP", "Act_VIP", "Desc_VIP", OTHER,
)  # fmt: skip
_SPACY_MODEL = "en_core_web_sm"
_VIP_WORDS = {
    "Loc_VIP": "left right clockwise counterclockwise anticlockwise forward back backward up down straight curve",
    "Body_VIP": "arm chin foot feet face hand mouth leg waist eye knee shoulder thigh",
    "Obj_VIP": "stair dumbbell chair window floor car ball handrail baseball basketball",
    "Act_VIP": (
        "walk run swing pick bring kick put squat throw hop dance jump turn stumble stop sit lift lower raise wash "
        "stand kneel stroll rub bend balance flap jog shuffle lean rotate spin spread climb"
    ),
    "Desc_VIP": "slowly carefully fast careful slow quickly happy angry sad happily angrily sadly",
}
_VIP = {word: tag for tag, words in _VIP_WORDS.items() for word in words.split()}


def pos_index(word: str, tag: str) -> int:
    """Where the one of a word's one-hot vector is.

    Args:
        word (`str`): lemma.
        tag (`str`): its universal part of speech; one that the evaluator does not know counts as `OTHER`.

    Returns:
        `int`: index into `POS_TAGS`, which words of the special classes have whatever their tag is.
    """
    tag = _VIP.get(word, tag)
    return POS_TAGS.index(tag if tag in POS_TAGS else OTHER)


def split_token(token: str) -> tuple[str, str]:
    """Word and tag of a token.

    Args:
        token (`str`): such as `"walk/VERB"`.

    Returns:
        `tuple[str, str]`: `("walk", "VERB")`.

    Raises:
        ValueError: if it has another form.
    """
    word, slash, tag = token.rpartition("/")
    if not slash or not word or not tag:
        raise ValueError(f"Expected tokens such as 'walk/VERB', a word and its part of speech, got {token[:40]!r}.")
    return word, tag


def tag_with_spacy(text: str) -> tuple[str, ...]:
    """Tag a text as HumanML3D did its captions: spaCy's parts of speech, lemmas of nouns and verbs except "left".

    Args:
        text (`str`): free text; lower-cased, as HumanML3D's captions are.

    Returns:
        `tuple[str, ...]`: a token for each word of letters.

    Raises:
        ImportError: if spaCy is not installed.
        OSError: if its English model is not.
    """
    tokens = []
    for token in _spacy_model()(text.lower().replace("-", "")):
        word = token.text
        if word.isalpha():
            lemma = token.pos_ in ("NOUN", "VERB") and word != "left"
            tokens.append(f"{token.lemma_ if lemma else word}/{token.pos_}")
    return tuple(tokens)


@lru_cache(maxsize=1)
def _spacy_model() -> Any:
    cure = (
        "Install it with `pip install 'atom_hf[pos]'` and `python -m spacy download en_core_web_sm` (packages "
        "of similar names are not that model), or give captions with their tokens, such as ('a/DET', 'man/NOUN', "
        "'walk/VERB'), or a tagger of your own."
    )
    try:
        import spacy
    except ImportError as error:
        raise ImportError(
            f"This evaluator reads parts of speech, and spaCy, which finds them, is not installed. {cure}"
        ) from error
    try:
        return spacy.load(_SPACY_MODEL)
    except OSError as error:
        raise OSError(f"spaCy is installed, but its English model {_SPACY_MODEL} is not. {cure}") from error
