"""A checkpoint whose weights were cut off while they were copied or downloaded is told apart from everything else."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from safetensors import SafetensorError

from .checkpoint_error import CheckpointError


@contextmanager
def explain_damaged_weights(source: Any) -> Iterator[None]:
    """Around the loading of weights: safetensors names neither the file nor a cure.

    Args:
        source (`str` or `Path`): folder or Hub repository that is being loaded.

    Raises:
        CheckpointError: if a file of weights is damaged.
    """
    try:
        yield
    except SafetensorError as error:
        raise CheckpointError(
            source,
            f"its weights are no whole safetensors file ({error}); they were probably cut off on their way. Copy the "
            "checkpoint again, or load it with force_download=True if it comes from the Hub.",
        ) from error
