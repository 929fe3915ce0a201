"""What a visitor asks for, checked before any work: a sentence, how many motions, seed, temperature, length.

Request.read("a person jumps twice", samples=4, seed=0, temperature=0.7, seconds=9.8)
"""

import math
import unicodedata
from dataclasses import dataclass
from typing import Any

from ...data.escaping import FORBIDDEN
from ...motion.layout import FPS
from ...motion.motion import FRAMES_PER_CODE

LONGEST_SECONDS = 9.8  # 196 frames, as HumanML3D has them
SHORTEST_SECONDS = 1.0
HIGHEST_TEMPERATURE = 2.0
HIGHEST_SEED = 2**32 - 1
_INVISIBLE = frozenset("\u00ad\u061c\u200b\u200e\u200f\u2028\u2029\u2060\ufeff")  # as the arena refuses them


class RequestError(ValueError):
    """Something that cannot be asked for; the message is for the visitor."""


@dataclass(frozen=True)
class Caps:
    """How much one visitor may ask for.

    Args:
        prompt (`int`, *optional*, defaults to 300): most letters of a prompt.
        samples (`int`, *optional*, defaults to 4): most motions of each model.
    """

    prompt: int = 300
    samples: int = 4


@dataclass(frozen=True)
class Request:
    """A checked request.

    Args:
        prompt (`str`): one line, without control or invisible characters.
        samples (`int`): motions of each model.
        seed (`int`): of the noise.
        temperature (`float`): of sampling, 0 takes the likeliest.
        seconds (`float`): longest motion.
    """

    prompt: str
    samples: int
    seed: int
    temperature: float
    seconds: float

    @property
    def max_frames(self) -> int:
        """Longest motion in frames at 20 fps, whole codes."""
        return int(self.seconds * FPS + 1e-6) // FRAMES_PER_CODE * FRAMES_PER_CODE

    @classmethod
    def read(
        cls, prompt: Any, samples: Any, seed: Any, temperature: Any, seconds: Any, caps: Caps | None = None
    ) -> "Request":
        """Check what came from a page or over the API.

        Args:
            prompt: a sentence.
            samples: motions of each model, from 1 to the cap.
            seed: whole number of at least 0, below 2³².
            temperature: from 0 to 2.
            seconds: longest motion, from 1 to 9.8.
            caps ([`Caps`], *optional*): of this place.

        Returns:
            [`Request`]: with a prompt that can be shown, stored and named.

        Raises:
            RequestError: if something is missing or out of range; it says what was expected and what came.
        """
        caps = caps or Caps()
        return cls(
            read_prompt(prompt, caps.prompt),
            _whole(samples, "motions", 1, caps.samples),
            _whole(seed, "as seed", 0, HIGHEST_SEED),
            _number(temperature, "a temperature", 0.0, HIGHEST_TEMPERATURE),
            _number(seconds, "a length in seconds", SHORTEST_SECONDS, LONGEST_SECONDS),
        )


def read_prompt(prompt: Any, longest: int) -> str:
    """A prompt in one line.

    Args:
        prompt: what was typed.
        longest (`int`): most letters.

    Returns:
        `str`: composed (NFC), with control and invisible characters as blanks and no blanks around it.

    Raises:
        RequestError: if it is no text, empty or too long.
    """
    if not isinstance(prompt, str):
        raise RequestError(f"Expected a prompt as text, got {type(prompt).__name__}.")
    text = prompt.strip()
    if len(text) > longest:  # before any work on it
        raise RequestError(f"Expected a prompt of at most {longest} letters, got {len(text):,}; please shorten it.")
    text = "".join(" " if letter in _INVISIBLE or FORBIDDEN.match(letter) else letter for letter in text)
    text = " ".join(unicodedata.normalize("NFC", text).split())
    if not text:
        raise RequestError("Please say what the person does, such as “a person jumps twice”.")
    return text


def _number(value: Any, what: str, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise RequestError(f"Expected {what} from {low:g} to {high:g}, got {_short(value)}.")
    if not low - 1e-9 <= value <= high + 1e-9:
        raise RequestError(f"Expected {what} from {low:g} to {high:g}, got {value:g}.")
    return float(value)


def _whole(value: Any, what: str, low: int, high: int) -> int:
    expected = f"{low} to {high} {what}" if what == "motions" else f"a whole number from {low} to {high} {what}"
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise RequestError(f"Expected {expected}, got {_short(value)}.")
    if int(value) != value or not low <= value <= high:
        raise RequestError(f"Expected {expected}, got {_short(value)}.")
    return int(value)


def _short(value: Any) -> str:
    text = "nothing" if value is None else ascii(value)
    return text if len(text) <= 40 else f"{text[:40]}…"
