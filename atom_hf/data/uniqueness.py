"""What must hold across a whole dataset: an id names one thing, a prompt_id one prompt, a prompt stands in one split.

Hashes are kept, not texts, so that a million prompts take about 200 MB.
"""

import hashlib

from .splits import words_of

SPLITS_CURE = (
    "Give each prompt a prompt_id of its own, and keep all its pairs in one split, as split_of_prompt does; a test on "
    "prompts that were trained on says nothing."
)


class OneSplit:
    """Sees prompts one after the other, and finds one that was in another split, or had another text, before."""

    def __init__(self) -> None:
        self._splits: dict[int, str] = {}  # by the words of a prompt
        self._words: dict[int, int] = {}  # by prompt_id

    def fault(self, prompt_id: str, prompt: str, split: str) -> str | None:
        """Look at one prompt, and remember it.

        Args:
            prompt_id (`str`): its name.
            prompt (`str`): what the person does; case, punctuation and blanks make no difference.
            split (`str`): where it stands.

        Returns:
            `str` or `None`: what is wrong, if the name or the words were in another split before, or the name had
                other words.
        """
        words, name = _hash(words_of(prompt)), _hash(prompt_id)
        first = self._words.get(name)
        self._words.setdefault(name, words)
        self._splits.setdefault(words, split)
        for kind, text, of in (("prompt_id", prompt_id, first), ("prompt", prompt, words)):
            if of is not None and self._splits[of] != split:
                return (
                    f"expected {kind} {text[:80]!r} in one split, but it is in {self._splits[of]} and in {split}; "
                    "a prompt that is tested on may not be trained on."
                )
        if first not in (None, words):
            return (
                f"expected one prompt of prompt_id {prompt_id[:80]!r}, but it had another one before {prompt[:80]!r}."
            )
        return None


class Unique:
    """Sees names one after the other, and finds one that was there before."""

    def __init__(self) -> None:
        self._seen: set[int] = set()

    def is_new(self, name: str) -> bool:
        """Look at one name, and remember it.

        Args:
            name (`str`): of anything.

        Returns:
            `bool`: whether it was not seen before.
        """
        digest = _hash(name)
        if digest in self._seen:
            return False
        self._seen.add(digest)
        return True


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=12).digest(), "big")
