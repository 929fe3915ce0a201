"""The measures as metrics of Hugging Face's `evaluate`, one folder each: a thin script and its card.

metric = evaluate.load(metric_path("motion_fid"))
metric.compute(predictions=generated, references=real)     →  {"FID": 0.178}

A folder can be copied as it is, for instance into a Space that has `atom_hf[eval]` installed. Importing this module
imports nothing of `evaluate`; only the scripts do.
"""

from difflib import get_close_matches
from pathlib import Path

__all__ = ["metric_path"]

_FOLDER = Path(__file__).parent


def metric_path(name: str) -> str:
    """Where a metric is, for `evaluate.load`; nothing is looked up on the Hub.

    Args:
        name (`str`): such as `"motion_fid"`; the folders beside this file are all there are.

    Returns:
        `str`: the metric's folder.

    Raises:
        ValueError: if there is no such metric.
    """
    known = sorted(card.parent.name for card in _FOLDER.glob("*/README.md"))
    if name not in known:
        close = get_close_matches(str(name), known, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise ValueError(f"Expected a metric among {', '.join(known)}, got {name!r}.{hint}")
    return str(_FOLDER / name)
