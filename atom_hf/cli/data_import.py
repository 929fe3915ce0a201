"""`atom-hf data import`: labels of others, or raw annotations, as MotionPrefer's Parquet.

What the library says to do is said in the words of the command: overwrite=True is --overwrite here.
"""

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

# What the library says to do, as the command has it.
_OPTIONS = (
    (r'on_fault="skip" leaves such rows out and counts them', "without --strict such rows are left out and counted"),
    (r"[Pp]ass task=…", "say it with --task of atom-hf data import"),
    (r"[Pp]ass num_codes=…", "say it with --num-codes"),
    (r"pass overwrite=True to replace", "--overwrite replaces"),
    (r"pass overwrite=True", "pass --overwrite"),
    (r"smaller min_(gap|score)\b", r"smaller --min-\1"),
)


def run_import(options: argparse.Namespace) -> int:
    """Import, and print what was written and left out.

    Args:
        options (`argparse.Namespace`): the command's options.

    Returns:
        `int`: 0.

    Raises:
        ValueError: if the source cannot be read, or with --strict a row of it cannot be used.
        OSError: if the source is not there, or the target holds something.
        ImportError: if `datasets` is not installed.
    """
    from ..data.validate import ANNOTATIONS, ATOM, MOTIONPREFER, kind_of
    from ..data.validate_parquet import require_datasets

    kind = kind_of(options.source)
    if kind == MOTIONPREFER:
        raise ValueError(f"{options.source} is MotionPrefer already; datasets.load_dataset reads it as it is.")
    if options.task and kind != ATOM:
        raise ValueError(f"--task is for AToM; {options.source} is {kind}, which says itself what was judged.")
    require_datasets()
    from ..data.build import rows_of
    from ..data.card import CardFacts
    from ..data.folder import write_motionprefer
    from ..data.importers import ImportReport
    from ..data.pairs import PairRule

    report = ImportReport()
    rule = PairRule(options.min_gap, options.min_score, options.max_pairs) if kind == ANNOTATIONS else None
    import_options: dict[str, Any] = {"on_fault": "raise" if options.strict else "skip"}
    rows = rows_of(
        options.source,
        rule,
        test_share=options.test_share,
        split_seed=options.split_seed,
        num_codes=options.num_codes,
        report=report,
        import_options=import_options | ({"task": options.task} if options.task else {}),
    )
    told = _judged(options.source) if kind == ANNOTATIONS else {}
    facts = CardFacts(rule=rule, report=report, judge=told.get("judge"), calibration=told.get("calibration"))
    try:
        summary = write_motionprefer(
            rows, options.target, num_codes=options.num_codes, facts=facts, overwrite=options.overwrite
        )
    except (ValueError, FileExistsError) as error:
        kind_of_error = FileExistsError if isinstance(error, FileExistsError) else ValueError
        raise kind_of_error(as_options(str(error))) from error
    sys.stdout.write(as_options(f"{options.source} ({kind}): {report}\n{summary}\n"))
    return 0


def _judged(folder: str) -> dict[str, str]:
    """Who judged annotations and how far that can be trusted, where `atom-hf annotate` wrote it down."""
    path = Path(folder) / "judge.json"
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {name: str(found[name]) for name in ("judge", "calibration") if found.get(name)}
    except (ValueError, AttributeError) as error:
        raise ValueError(f"{path}: expected who judged, as atom-hf annotate writes it ({error}).") from None


def as_options(text: str) -> str:
    """A message of the library in the words of the command.

    Args:
        text (`str`): with arguments of functions, such as `overwrite=True`.

    Returns:
        `str`: with options, such as `--overwrite`.
    """
    for pattern, words in _OPTIONS:
        text = re.sub(pattern, words, text)
    return text
