"""What can go wrong in the arena, in words for whoever labels; the user interface shows the message as it is.

BallotError("This comparison was voted on already; …")      TooFast("…", retry_after=2.5)
"""


class ArenaError(ValueError):
    """Something the arena refuses; nothing was stored."""


class NotAllowed(ArenaError):
    """Nobody is signed in, consent is missing, the labeller is blocked, or a secret is wrong."""


class AnswerError(ArenaError):
    """An answer that is incomplete or contradicts itself."""


class BallotError(ArenaError):
    """A ballot that is not this labeller's, or is voted on already, or a token that belongs to another vote."""


class TooFast(ArenaError):
    """Too many requests.

    Args:
        message (`str`): what to do.
        retry_after (`float`): seconds until the next one is taken.
    """

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class UploadError(ArenaError):
    """An archive of motions that is broken, hostile or too large."""


class StoreError(OSError):
    """The store cannot be opened, read or written; what was asked for was not saved."""
