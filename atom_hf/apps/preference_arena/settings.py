"""How the arena's page is run: from the command line, or from the environment of a Space.

ATOM_HF_ARENA_STORE       folder of votes; /data/arena where a Space has storage, else arena
ATOM_HF_ARENA_PAIRS       pairs to label: a folder, a zip or a MotionPrefer; without it a campaign to try
ATOM_HF_ARENA_ACCESS      names, codes or hub; hub on a Space where people can sign in
ATOM_HF_ARENA_PUSH        dataset repository to which votes are pushed, with the secret HF_TOKEN
ATOM_HF_ARENA_MINUTES     between two pushes (5)
ATOM_HF_ARENA_ADMIN       secret that opens the page of whoever runs the arena
ATOM_HF_ARENA_SECRET      secret that names are hashed with; a file in the store without it
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ...arena.settings import ACCESS

_PERSISTENT = Path("/data")  # where a Space has its storage, if it has one


@dataclass(frozen=True)
class PageSettings:
    """Settings of a page.

    Args:
        store (`Path`): folder of votes.
        pairs (`str`, *optional*): where pairs come from; see `campaign.read_pairs`.
        access (`str`, *optional*): `"names"`, `"codes"` or `"hub"`; what the store says, or `"names"`, without it.
        admin_secret (`str`, *optional*): opens the admin page.
        push (`str`, *optional*): dataset repository.
        push_every (`float`, *optional*, defaults to 300.0): seconds between two pushes.
        queue (`int`, *optional*, defaults to 100): events of the page that may wait.

    Raises:
        ValueError: if the access is unknown or the time too short.
    """

    store: Path
    pairs: str | None = None
    access: str | None = None
    admin_secret: str | None = None
    push: str | None = None
    push_every: float = 300.0
    queue: int = 100

    def __post_init__(self) -> None:
        if self.access not in (None, *ACCESS):
            raise ValueError(f"Expected an access, one of {', '.join(ACCESS)}, got {self.access!r}.")
        if not self.push_every >= 10:
            raise ValueError(f"Expected at least 10 s between two pushes, got {self.push_every}.")

    @classmethod
    def of_environment(cls, environment: Mapping[str, str] | None = None) -> "PageSettings":
        """Settings of a Space.

        Args:
            environment (`Mapping[str, str]`, *optional*): variables, those of the process by default.

        Returns:
            [`PageSettings`]: see the module.

        Raises:
            ValueError: if a variable has no value of its kind.
        """
        variables = os.environ if environment is None else environment

        def value(name: str) -> str | None:
            return variables.get(f"ATOM_HF_ARENA_{name}", "").strip() or None

        default = _PERSISTENT / "arena" if _PERSISTENT.is_dir() and os.access(_PERSISTENT, os.W_OK) else Path("arena")
        minutes = value("MINUTES") or "5"
        try:
            every = 60 * float(minutes)
        except ValueError:
            raise ValueError(f"ATOM_HF_ARENA_MINUTES is a number of minutes, got {minutes[:40]!r}.") from None
        can_sign_in = bool(variables.get("SPACE_ID") and variables.get("OAUTH_CLIENT_ID"))
        return cls(
            Path(value("STORE") or default),
            value("PAIRS"),
            value("ACCESS") or ("hub" if can_sign_in else None),
            value("ADMIN"),
            value("PUSH"),
            every,
        )
