"""A text as words with their places, a cursor over them, and the error that says where reading stopped.

"Jumps 3 times, then…"  →  words ["jumps", "3", "times", ",", "then"]
"""

import re
import unicodedata
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

from .lexicon import NUMBERS, SCALES, all_words
from .phrases import Phrases
from .scenario import Event

LONGEST_TEXT = 1000
_UNKNOWN = (
    "these words are no action, count, side, direction or manner that the parser knows; say it with the verbs of the "
    "table of actions, in English"
)
_WORD = re.compile(r"\d+(?:,\d{3})+(?![\d,])|\d+(?:-[^\W\d_]+)*|[^\W\d_]+(?:['-][^\W\d_]+)*|\S")
_MARKS = str.maketrans({"’": "'", "\u2018": "'", "“": '"', "”": '"', "–": "-", "—": "-"})


class ScenarioParseError(ValueError):
    """A text that is no scenario.

    Args:
        message (`str`): what is wrong and what to do.
        text (`str`, *optional*, defaults to `""`): the whole text.
        stopped_at (`str`, *optional*, defaults to `""`): the words it stopped at.
        understood (`Sequence[Event]`, *optional*, defaults to `()`): events read until there, in order.
    """

    def __init__(self, message: str, text: str = "", stopped_at: str = "", understood: Sequence[Event] = ()) -> None:
        super().__init__(message)
        self.text = text
        self.stopped_at = stopped_at
        self.understood = tuple(understood)


class Cursor:
    """Words of a text, and how far they have been read.

    Args:
        text (`str`): the text.

    Raises:
        ScenarioParseError: if the text is empty or longer than 1,000 characters.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._plain = unicodedata.normalize("NFC", text).translate(_MARKS)
        if len(self._plain) > LONGEST_TEXT:
            raise ScenarioParseError(
                f"The text of a scenario has at most {LONGEST_TEXT} characters, got {len(self._plain)}; shorten it.",
                text,
            )
        found = list(_WORD.finditer(self._plain))
        while found and found[-1].group() in (".", "!", '"'):
            found.pop()
        if found and found[0].group() == '"':
            del found[0]
        self.words = [match.group().lower() for match in found]
        self._spans = [match.span() for match in found]
        self.at = 0
        if not self.words:
            raise ScenarioParseError(
                "Expected a sentence such as 'a person jumps twice', got an empty text; say what happens.", text
            )

    @property
    def word(self) -> str:
        """The next word, or `""` at the end."""
        return self.words[self.at] if self.at < len(self.words) else ""

    def peek(self, ahead: int = 1) -> str:
        """A word further on.

        Args:
            ahead (`int`, *optional*, defaults to 1): how many words after the next one.

        Returns:
            `str`: the word, or `""` behind the end.
        """
        at = self.at + ahead
        return self.words[at] if at < len(self.words) else ""

    def match(self, phrases: Phrases) -> tuple[Any, int] | None:
        """The longest phrase that begins here, unread.

        Args:
            phrases ([`Phrases`]): a table.

        Returns:
            `tuple[Any, int] | None`: its meaning and its length in words.
        """
        return phrases.match(self.words, self.at)

    def take(self, *phrases: str) -> bool:
        """Read one of these phrases, if it stands here.

        Args:
            *phrases (`str`): such as `"and then"`; the first that fits is read.

        Returns:
            `bool`: whether one was read.
        """
        for phrase in phrases:
            words = phrase.split()
            if self.words[self.at : self.at + len(words)] == words:
                self.at += len(words)
                return True
        return False

    def take_number(self) -> int | None:
        """Read a number in digits or words, such as `12`, `10,000` or `ten thousand`.

        Returns:
            `int | None`: the number, or `None` where none stands.
        """
        digits = self.word.replace(",", "")
        if digits.isascii() and digits.isdecimal():
            self.at += 1
            number = int(digits[:12])  # far beyond every limit, and no work for Python
            return self._scaled(number)
        parts = self.word.split("-")  # "twenty-one"
        if not all(part in NUMBERS for part in parts):
            return None
        self.at += 1
        number = sum(NUMBERS[part] for part in parts)
        if number >= 20 and 0 < NUMBERS.get(self.word, 0) < 10:
            number += NUMBERS[self.word]
            self.at += 1
        return self._scaled(number)

    def _scaled(self, number: int) -> int:
        while self.word in SCALES:
            number *= SCALES[self.word]
            self.at += 1
        return number

    def insert(self, at: int, word: str) -> None:
        """Put in a word that the text leaves to be understood; the words behind it move on.

        Args:
            at (`int`): index of the new word.
            word (`str`): the word.
        """
        self.words.insert(at, word)
        self._spans.insert(at, (self._spans[at][0],) * 2)
        self.at += 1

    def said(self, start: int, end: int) -> str:
        """The text between two words, as it stands.

        Args:
            start (`int`): index of the first word.
            end (`int`): index behind the last word.

        Returns:
            `str`: such as `"cartwheels across the room"`.
        """
        spans = self._spans[start:end]
        return self._plain[spans[0][0] : spans[-1][1]].rstrip(" ,.;") if spans else ""

    def rest(self, words: int = 4) -> str:
        """The next words, as an error quotes them.

        Args:
            words (`int`, *optional*, defaults to 4): how many at most.

        Returns:
            `str`: such as `"cartwheels across the room"`.
        """
        return self.said(self.at, self.at + words)

    def error(self, why: str, understood: Sequence[Event], stopped_at: str | None = None) -> ScenarioParseError:
        """The error for what stands here.

        Args:
            why (`str`): the reason, as a sentence without its full stop; empty for "not known".
            understood (`Sequence[Event]`): events read so far.
            stopped_at (`str`, *optional*): the words in question, the next ones by default.

        Returns:
            [`ScenarioParseError`]: to be raised.
        """
        stopped_at = self.rest() if stopped_at is None else stopped_at
        place = f"stopped at {stopped_at!r}" if stopped_at else "stopped at the end"
        if not why:
            close = get_close_matches(self.word, all_words(), n=1, cutoff=0.8) if len(self.word) > 3 else []
            alike = bool(close) and close[0] != self.word and close[0][0] == self.word[0]
            why = f"did you mean {close[0]!r}?" if alike else _UNKNOWN
        known = ", ".join(map(describe, understood)) or "nothing"
        quoted = self.text if len(self.text) <= 120 else self.text[:117] + "..."
        message = f"Can't read {quoted!r} as a scenario: {place}: {why}. Understood until there: {known}."
        return ScenarioParseError(message.replace("?.", "?"), self.text, stopped_at, understood)


def describe(event: Event) -> str:
    """An event in short.

    Args:
        event ([`Event`]): an event.

    Returns:
        `str`: such as `"kick (left) x 2"`.
    """
    details = ", ".join(part for part in (event.side and f"{event.side} side", event.direction) if part)
    return event.action + (f" ({details})" if details else "") + (f" x {event.count}" if event.count > 1 else "")
