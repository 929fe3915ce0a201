"""Which split a prompt belongs to; all pairs of a prompt share it, so that no test prompt is ever trained on."""

import hashlib
import re
import unicodedata

SPLITS = ("train", "test")


def split_of_prompt(prompt: str, test_share: float = 0.1, seed: int = 0) -> str:
    """The split of a prompt by its words alone, whatever stands around it, in every process and for ever.

    Case, punctuation and blanks make no difference, so that two spellings of a prompt never stand on both sides.

    Args:
        prompt (`str`): what the person does.
        test_share (`float`, *optional*, defaults to 0.1): share of prompts that are held out, from 0 to 1.
        seed (`int`, *optional*, defaults to 0): another one gives another division.

    Returns:
        `str`: `"train"` or `"test"`.

    Raises:
        ValueError: if the share is not from 0 to 1.
    """
    if not 0 <= test_share <= 1:
        raise ValueError(f"test_share is a share of the prompts, from 0 to 1, got {test_share}.")
    digest = hashlib.sha256(f"{seed} {words_of(prompt)}".encode()).digest()
    return "test" if int.from_bytes(digest[:7], "big") < test_share * 2**56 else "train"


def words_of(prompt: str) -> str:
    """What two spellings of a prompt share: its words in lower case, without punctuation.

    Unicode's ways to write one letter, such as é in one piece or as e with an accent, make no difference (NFKC).

    Args:
        prompt (`str`): what the person does.

    Returns:
        `str`: words with one blank between them.
    """
    plain = prompt.casefold()
    if not plain.isascii():  # in this order: NFKC makes new capitals, and lower case new ways to write a letter
        plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", plain).casefold())
    return " ".join(re.findall(r"\w+", plain))
