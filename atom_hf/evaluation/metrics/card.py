"""The card of a metric: README.md in its folder is what people read, and what `evaluate` shows.

# FID of motions          → description, with "## How it misleads"
## Inputs, ## Output      → inputs_description
## Citation               → citation
"""

import re
from pathlib import Path
from typing import NamedTuple

from . import metric_path

_SECTIONS = ["How it misleads", "Inputs", "Output", "Citation"]


class Card(NamedTuple):
    """The texts of a `MetricInfo`, under its names.

    Args:
        description (`str`): what the number means, which direction is better, how it misleads; Markdown.
        inputs_description (`str`): what to hand in, and what comes back.
        citation (`str`): BibTeX.
        license (`str`, *optional*): of the code.
    """

    description: str
    inputs_description: str
    citation: str
    license: str = "Apache-2.0"


def read_card(metric: str | Path) -> Card:
    """Read the card of a metric.

    Args:
        metric (`str` or `Path`): its name, such as `"motion_fid"`, or as a path the folder that it is in.

    Returns:
        [`Card`]: its texts; `MetricInfo(**card._asdict(), features=…)`.

    Raises:
        ValueError: if there is no such metric, or its card lacks a section.
    """
    path = (metric if isinstance(metric, Path) else Path(metric_path(metric))) / "README.md"
    head, *parts = re.split(r"^## (.+)\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    if parts[::2] != _SECTIONS:
        raise ValueError(f"Expected the sections {', '.join(_SECTIONS)} in {path}, got {', '.join(parts[::2])}.")
    misleads, inputs, output, citation = (part.strip() for part in parts[1::2])
    return Card(
        description=f"{head.strip()}\n\nHow it misleads:\n\n{misleads}\n",
        inputs_description=f"\n{inputs}\n\nReturns:\n\n{output}\n",
        citation=citation.removeprefix("```bibtex\n").removesuffix("\n```"),
    )
