"""How a page is run: from the command line, or from the environment of a Space.

ATOM_HF_MODEL, ATOM_HF_BASE_MODEL, ATOM_HF_ADAPTER     which models; those of the package without them
ATOM_HF_VOTES                                          folder of votes; an empty value switches voting off
ATOM_HF_MAX_SAMPLES, ATOM_HF_MAX_PROMPT, ATOM_HF_MAX_QUEUE      caps: 4 motions, 300 letters, 20 waiting visitors
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .request import Caps
from .systems import Sources

VOTES = "ATOM_HF_VOTES"
_PERSISTENT = Path("/data")  # where a Space has its storage, if it has one
_MOST = {"ATOM_HF_MAX_SAMPLES": 16, "ATOM_HF_MAX_PROMPT": 1000, "ATOM_HF_MAX_QUEUE": 1000}


@dataclass(frozen=True)
class PageSettings:
    """Settings of a page.

    Args:
        sources ([`Sources`], *optional*): models.
        caps ([`Caps`], *optional*): of one request.
        queue (`int`, *optional*, defaults to 20): visitors who may wait.
        votes (`Path`, *optional*): folder of votes; none are taken without it.
    """

    sources: Sources = field(default_factory=Sources)
    caps: Caps = field(default_factory=Caps)
    queue: int = 20
    votes: Path | None = None

    @classmethod
    def of_environment(cls, environment: Mapping[str, str] | None = None) -> "PageSettings":
        """Settings of a Space.

        Args:
            environment (`Mapping[str, str]`, *optional*): variables, those of the process by default.

        Returns:
            [`PageSettings`]: see the module.

        Raises:
            ValueError: if a cap is no whole number in its range.
        """
        variables = os.environ if environment is None else environment
        samples = _cap(variables, "ATOM_HF_MAX_SAMPLES", Caps.samples)
        letters = _cap(variables, "ATOM_HF_MAX_PROMPT", Caps.prompt)
        default = _PERSISTENT / "votes" if _PERSISTENT.is_dir() and os.access(_PERSISTENT, os.W_OK) else Path("votes")
        votes = variables.get(VOTES, str(default)).strip()
        return cls(
            Sources.of_environment(variables),
            Caps(letters, samples),
            _cap(variables, "ATOM_HF_MAX_QUEUE", 20),
            Path(votes) if votes else None,
        )


def _cap(variables: Mapping[str, str], name: str, default: int) -> int:
    text = variables.get(name, "").strip() or str(default)
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= _MOST[name]):
        raise ValueError(f"{name} is a whole number from 1 to {_MOST[name]}, got {text[:40]!r}.")
    return int(text)
