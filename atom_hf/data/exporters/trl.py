"""Rows in TRL's plain form, for trainers that know nothing of motion.

next(trl_rows(rows))    →  {"prompt": [{"role": "user", "content": "a man waves"}], "chosen": [{"role": "assistant",
                            "content": "<motion_id_512><motion_id_5>…"}], "rejected": […]}
next(trl_rows(rows, template="Generate motion: {}".format))
                        →  {"prompt": "Generate motion: a man waves", "chosen": "<motion_id_512>…", "rejected": "…"}
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..degrees import SKIPPED
from ..json_lines import write_lines
from ..pairs import PairReport
from ..places import check_place
from ..schema import prompt_of

_log = logging.getLogger(__name__)


def trl_rows(
    rows: Iterable[Mapping[str, Any]],
    *,
    margin: bool = False,
    template: Callable[[str], str] | None = None,
    skipped: bool = False,
    report: PairReport | None = None,
) -> Iterator[dict[str, Any]]:
    """Prompt, chosen and rejected of rows, as TRL's trainers take them.

    Args:
        rows (`Iterable[Mapping]`): of the dataset.
        margin (`bool`, *optional*, defaults to `False`): keep the margin, which reward models are trained with.
        template (`Callable`, *optional*): makes the model's prompt of what the person does; then prompt and answers
            are text. Without it they are conversations, and the model's chat template asks.
        skipped (`bool`, *optional*, defaults to `False`): whether to keep pairs that people skipped. They are left out
            otherwise, counted in the report, and their number is logged.
        report ([`PairReport`], *optional*): counts what is given and left out.

    Yields:
        `dict[str, Any]`: rows.
    """
    report = PairReport() if report is None else report
    left_out = 0
    for row in rows:
        if row["degree"] == SKIPPED and not skipped:
            left_out += 1
            report.left_out["that people skipped"] += 1
            continue
        report.pairs += 1
        report.degrees[row["degree"]] += 1
        yield _plain(row, template) | ({"margin": row["margin"]} if margin else {})
    if left_out:
        _log.info("%d pairs that people skipped were left out; skipped=True keeps them.", left_out)


def write_trl(path: str | Path, rows: Iterable[Mapping[str, Any]], *, overwrite: bool = False, **options: Any) -> int:
    """Write a JSON Lines file that `load_dataset("json", data_files=path)` reads, whole or not at all.

    Args:
        path (`str` or `Path`): the file.
        rows (`Iterable[Mapping]`): of the dataset.
        overwrite (`bool`, *optional*, defaults to `False`): replace a `.jsonl` file of this name.
        options (`Any`): of `trl_rows`.

    Returns:
        `int`: rows that were written.

    Raises:
        FileExistsError: if there is such a file, and `overwrite` is off or it is no `.jsonl` file.
        IsADirectoryError: if there is such a folder.
        OSError: if nothing can be written there.
        ValueError: if there are no pairs.
    """
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(
            f"{path}: expected a file to write, but it is a folder; name a file in it, such as {path / 'train.jsonl'}."
        )
    if path.exists() and not (overwrite and path.suffix == ".jsonl"):
        cure = "choose another name" if overwrite else "choose another name, or pass overwrite=True"
        raise FileExistsError(f"{path}: expected the name of a new file, but it is there; {cure}.")
    check_place(path)
    count = 0
    options["report"] = report = options.get("report") or PairReport()

    def counted() -> Iterator[dict[str, Any]]:
        nonlocal count
        for count, row in enumerate(trl_rows(rows, **options), 1):  # noqa: B007
            yield row
        if not count:
            causes = "".join(f"; left out: {number:,} {cause}" for cause, number in report.left_out.items())
            raise ValueError(f"Expected at least one pair to write, got none{causes}.")

    write_lines(path, counted())
    return count


def _plain(row: Mapping[str, Any], template: Callable[[str], str] | None) -> dict[str, Any]:
    if template is None:
        return {
            name: [{"role": m["role"], "content": m["content"]} for m in row[name]]
            for name in ("prompt", "chosen", "rejected")
        }
    answers = {name: row[name][0]["content"] for name in ("chosen", "rejected")}
    return {"prompt": template(prompt_of(row)), **answers}
