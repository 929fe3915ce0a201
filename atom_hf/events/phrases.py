"""Patterns that stand for many phrases, and tables of them in which the longest match wins.

"to HIS left side?"  →  "to his left", "to her left side", ...: a bar separates choices, `?` marks a word as optional
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

POSSESSIVES = ("his", "her", "their", "its", "the", "my", "your")


class Phrases:
    """Patterns and what they mean; the longest that fits wins.

    Args:
        entries (`Mapping[str, Any]`): pattern → meaning. `HIS` stands for any possessive or article, `a|b` for either
            word, a trailing `?` makes a word optional.
    """

    def __init__(self, entries: Mapping[str, Any]) -> None:
        self._by_words: dict[tuple[str, ...], Any] = {}
        for pattern, meaning in entries.items():
            for words in expand(pattern):
                self._by_words.setdefault(words, meaning)
        self._longest = max(map(len, self._by_words), default=0)

    def match(self, words: Sequence[str], at: int) -> tuple[Any, int] | None:
        """Meaning and number of words of the longest phrase that begins at a word, or `None`.

        Args:
            words (`Sequence[str]`): words of the text.
            at (`int`): index of the first word.

        Returns:
            `tuple[Any, int] | None`: meaning and length in words.
        """
        for length in range(min(self._longest, len(words) - at), 0, -1):
            key = tuple(words[at : at + length])
            if key in self._by_words:
                return self._by_words[key], length
        return None

    def phrases(self) -> set[tuple[str, ...]]:
        """Every phrase of the table.

        Returns:
            `set[tuple[str, ...]]`: phrases as tuples of words.
        """
        return set(self._by_words)

    def words(self) -> set[str]:
        """Every word that occurs in a phrase.

        Returns:
            `set[str]`: the words.
        """
        return {word for phrase in self._by_words for word in phrase}


def expand(pattern: str) -> Iterator[tuple[str, ...]]:
    """Every phrase that a pattern stands for.

    Args:
        pattern (`str`): such as `"to HIS left side?"`.

    Returns:
        `Iterator[tuple[str, ...]]`: phrases as tuples of words.
    """
    choices = []
    for part in pattern.split():
        optional = part.endswith("?")
        part = part.removesuffix("?").replace("HIS", "|".join(POSSESSIVES))
        choices.append([*part.split("|"), *([""] if optional else [])])
    for combination in product(*choices):
        yield tuple(word for word in combination if word)
