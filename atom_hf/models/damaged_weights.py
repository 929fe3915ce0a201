"""A checkpoint that is not there, or was cut off on its way, is told apart from everything else that may go wrong."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from .checkpoint_error import CheckpointError


@contextmanager
def explain_damaged_weights(source: Any) -> Iterator[None]:
    """Around the loading of weights: safetensors names neither the file nor a cure, transformers not what is missing.

    Args:
        source (`str` or `Path`): folder or Hub repository that is being loaded.

    Raises:
        CheckpointError: if a file of weights is damaged.
        OSError: if there is no such checkpoint, or no network.
    """
    try:
        yield
    except SafetensorError as error:
        raise CheckpointError(
            source,
            f"its weights are no whole safetensors file ({error}); they were probably cut off on their way. Copy the "
            "checkpoint again, or load it with force_download=True if it comes from the Hub.",
        ) from error
    except OSError as error:
        if source is None or Path(source).exists():  # then the message names a file in it
            raise
        reason = str(error).strip().partition("\n")[0]
        raise OSError(
            f"{source}: there is no such folder here, and it cannot be loaded from the Hub ({reason}). Check its "
            f"name, or, where there is no network, fetch it first: `hf download {source}`."
        ) from error
