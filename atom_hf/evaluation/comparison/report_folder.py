"""The folder that an evaluation leaves: report.md, report.html, tables.tex and metrics.json.

write_comparison(comparison, "report/")
"""

import re
from collections.abc import Callable
from pathlib import Path

from ...motion.formats.files import replacing
from ..report.markup import markdown_text
from .page import comparison_page
from .result import Comparison, left_out_of
from .tables import all_tables, caption

FILES = ("metrics.json", "report.md", "tables.tex", "report.html")
_LISTED = 200  # left-out outputs in report.md; metrics.json has them all


def check_folder(folder: str | Path, overwrite: bool = False) -> Path:
    """Raise where a report would be mixed up with something else, before anything takes time.

    Args:
        folder (`str` or `Path`): where the report is to be.
        overwrite (`bool`, *optional*, defaults to `False`): whether an old report may be replaced.

    Returns:
        `Path`: the folder.

    Raises:
        FileExistsError: if it is a file, or a folder that is not empty and `overwrite` is not set.
    """
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise FileExistsError(f"{folder} is a file; the report is a folder. Choose another name.")
    if folder.is_dir() and any(folder.iterdir()) and not overwrite:
        raise FileExistsError(
            f"{folder} is not empty; choose another folder, or pass --overwrite (overwrite=True) to replace the "
            "report that is in it."
        )
    return folder


def write_comparison(comparison: Comparison, folder: str | Path, *, overwrite: bool = False) -> list[Path]:
    """Write the report; other files of the folder stay as they are.

    Args:
        comparison ([`Comparison`]): what was found.
        folder (`str` or `Path`): made if it is not there.
        overwrite (`bool`, *optional*, defaults to `False`): replace an old report.

    Returns:
        `list[Path]`: metrics.json, report.md, tables.tex, report.html.

    Raises:
        FileExistsError: if the folder is not empty and `overwrite` is not set.
    """
    folder = check_folder(folder, overwrite)
    made: dict[str, Callable[[], str]] = {
        "metrics.json": comparison.to_json,
        "report.md": lambda: to_markdown(comparison),
        "tables.tex": lambda: to_latex(comparison),
        "report.html": lambda: comparison_page(comparison).html(),
    }
    texts = {name: make() for name, make in made.items()}  # all of it, before the first file is replaced
    for name, text in texts.items():
        with replacing(folder / name) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="\n")
    return [folder / name for name in FILES]


def to_markdown(comparison: Comparison) -> str:
    """Notes, all tables, and the outputs that no mean counts.

    Args:
        comparison ([`Comparison`]): what was found.

    Returns:
        `str`: Markdown.
    """
    parts = ["# Evaluation\n", *(f"> {markdown_text(note)}\n>" for note in comparison.notes), ""]
    parts += [table.markdown() for table in all_tables(comparison)]
    left_out = left_out_of(comparison.results)
    if left_out:
        parts.append("**Outputs that are in no mean**\n")
        parts += [
            f"- {markdown_text(name)}: {markdown_text(item.id)}, {item.cause}: {markdown_text(item.reason)}"
            for name, item in left_out[:_LISTED]
        ]
        if len(left_out) > _LISTED:
            parts.append(f"- … and {len(left_out) - _LISTED} more; see metrics.json")
    return "\n".join(parts).rstrip("\n") + "\n"


def to_latex(comparison: Comparison) -> str:
    """All tables, with what they were made with as comments.

    Args:
        comparison ([`Comparison`]): what was found.

    Returns:
        `str`: LaTeX for the package booktabs.
    """
    said = [r"These tables need \usepackage{booktabs}.", caption(comparison), *comparison.notes]
    comments = ["% " + re.sub(r"\s+", " ", text) for text in said]  # a line break would end the comment
    return "\n".join([*comments, "", *(table.latex() for table in all_tables(comparison))])
