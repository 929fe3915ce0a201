"""The one error of everything that reads checkpoint files."""

from pathlib import Path


class CheckpointError(ValueError):
    """A checkpoint file that cannot be used; the message names the file, what was expected, what came, and the cure.

    Args:
        path (`str` or `Path`): the file.
        problem (`str`): what was expected, what came, and what to do.
    """

    def __init__(self, path: str | Path, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
