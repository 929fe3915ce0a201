"""`atom-hf data`: preference data on disk: look for faults, count, look at pairs, bring it in and take it out.

atom-hf data validate motionprefer/                       every fault, with file, row and cure
atom-hf data stats motionprefer/                          what it holds, as tables
atom-hf data stats annotations/ --json                    the same of the pairs that raw annotations make
atom-hf data stats motionprefer/ --out look/ --sheets 12  pictures of 12 pairs, chosen above rejected
atom-hf data import InstructMotion/ motionprefer/         labels of others as Parquet, split by prompt
atom-hf data export motionprefer/ out/ --format features  for diffusion models; or instructmotion, trl
"""

import argparse
import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tqdm import tqdm

from ..motion.formats.files import replacing
from .data_import import as_options, run_import
from .loading import without_loading_bar
from .render import save_picture

_KINDS = "MotionPrefer's Parquet, raw annotations, or the files of InstructMotion or AToM"
_LISTED = 50


def add_parser(commands: Any) -> None:
    """Add the command to `atom-hf`.

    Args:
        commands: the subparsers of `argparse`.
    """
    parser = commands.add_parser(
        "data",
        help="check, count and show preference data",
        description="Preference data on disk.",
        epilog=__doc__.split("\n\n", 1)[1] if __doc__ else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    steps = parser.add_subparsers(dest="step", required=True, metavar="STEP")
    _add_validate(steps)
    _add_stats(steps)
    _add_import(steps)
    _add_export(steps)


def _add(steps: Any, name: str, help: str, description: str, examples: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = steps.add_parser(
        name,
        help=help,
        description=description,
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    return parser


def _add_validate(steps: Any) -> None:
    parser = _add(
        steps,
        "validate",
        "list every fault of a folder",
        "Look for every fault of a folder and say what to do about it. Nothing is changed.\n"
        "Exit status 0 without faults, 1 with some. Rows are counted from 1.",
        "atom-hf data validate motionprefer/\natom-hf data validate annotations/ --limit 1000",
    )
    parser.add_argument("folder", type=Path, help=_KINDS)
    parser.add_argument(
        "--limit", type=int, default=_LISTED, help=f"most faults that are listed; all count ({_LISTED})"
    )
    parser.add_argument("--num-codes", type=int, help="size of the codebook; what the files say, or 512, without it")
    parser.set_defaults(run=run_validate)


def _add_stats(steps: Any) -> None:
    parser = _add(
        steps,
        "stats",
        "count what a folder holds, and draw examples",
        "Count pairs by part, split, task, degree, action, judge and model, with scores and lengths.\n"
        "Of labels, the pairs that they make are counted.",
        "atom-hf data stats motionprefer/\n"
        "atom-hf data stats annotations/ --json > stats.json\n"
        "atom-hf data stats motionprefer/ --out look/ --sheets 12",
    )
    parser.add_argument("folder", type=Path, help=_KINDS)
    parser.add_argument("--json", action="store_true", help="JSON instead of tables")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="where stats.json and the pictures go")
    parser.add_argument(
        "--sheets", type=int, default=0, metavar="N", help="draw N pairs, spread over tasks and degrees"
    )
    parser.add_argument(
        "--model",
        help="checkpoint whose VQ-VAE decodes the codes: that which made them; the package's tiny one without",
    )
    parser.set_defaults(run=run_stats)


def _add_import(steps: Any) -> None:
    parser = _add(
        steps,
        "import",
        "bring labels of others into MotionPrefer's Parquet",
        "Read InstructMotion or AToM (a folder or a .zip archive), or raw annotations, and write MotionPrefer. All\n"
        "pairs of a prompt come into one split. Rows of InstructMotion and AToM that cannot be used are left out,\n"
        "counted and told of; raw annotations are your own, and the first fault in them stops the command.",
        "atom-hf data import InstructMotion/ motionprefer/\natom-hf data import AToM/ motionprefer/ --strict",
    )
    parser.add_argument("source", type=Path, help="InstructMotion, AToM, or raw annotations")
    parser.add_argument("target", type=Path, help="folder to write; new or empty")
    parser.add_argument("--strict", action="store_true", help="stop at the first row that cannot be used")
    parser.add_argument("--overwrite", action="store_true", help="replace a MotionPrefer folder")
    parser.add_argument("--task", help="AToM: task of all files; the names of folders say it without this")
    parser.add_argument("--min-gap", type=float, default=0.5, help="annotations: smallest gap of two scores (0.5)")
    parser.add_argument("--min-score", type=float, default=3.0, help="annotations: the winner is above it (3)")
    parser.add_argument("--max-pairs", type=int, default=4, help="annotations: most pairs of a prompt (4)")
    parser.add_argument("--test-share", type=float, default=0.1, help="share of the prompts that are held out (0.1)")
    parser.add_argument("--split-seed", type=int, default=0, help="another one holds out other prompts (0)")
    parser.add_argument("--num-codes", type=int, default=512, help="size of the codebook (512)")
    parser.set_defaults(run=run_import)


def _add_export(steps: Any) -> None:
    parser = _add(
        steps,
        "export",
        "write pairs in the form of others",
        "Write pairs for other programs:\n"
        "  instructmotion  preference_labels.jsonl and tokens/, as InstructMotion has them\n"
        "  features        HumanML3D features of every motion, and pairs.jsonl, for models without codes\n"
        "  trl             a JSON Lines file with prompt, chosen and rejected",
        "atom-hf data export motionprefer/ labels/ --format instructmotion\n"
        "atom-hf data export motionprefer/ train.jsonl --format trl --split train",
    )
    parser.add_argument("folder", type=Path, help=_KINDS)
    parser.add_argument("target", type=Path, help="folder to write, new or empty; for trl a new .jsonl file")
    parser.add_argument("--format", required=True, choices=["instructmotion", "features", "trl"], help="what to write")
    parser.add_argument("--split", choices=["train", "test"], help="pairs of this split alone")
    parser.add_argument("--model", help="checkpoint whose VQ-VAE decodes features; the package's tiny one without it")
    parser.add_argument("--overwrite", action="store_true", help="trl: replace a .jsonl file")
    parser.set_defaults(run=run_export)


def run_validate(options: argparse.Namespace) -> int:
    """Check a folder, and print what is wrong.

    Args:
        options (`argparse.Namespace`): the command's options.

    Returns:
        `int`: 0 if nothing is wrong, else 1.

    Raises:
        ValueError: if the folder is no preference data.
        OSError: if there is no such folder.
        ImportError: if it holds Parquet and `datasets` is not installed.
    """
    from ..data.validate import validate_folder

    validation = validate_folder(options.folder, _num_codes(options))
    sys.stdout.write(as_options(validation.report(options.limit)))
    return 0 if validation.ok else 1


def _num_codes(options: argparse.Namespace) -> int:
    from ..data.validate import MOTIONPREFER, kind_of
    from ..motion.codes import NUM_CODES

    if options.num_codes is not None:
        if options.num_codes < 1:
            raise ValueError(f"--num-codes is at least 1, got {options.num_codes}.")
        return int(options.num_codes)
    if kind_of(options.folder) != MOTIONPREFER:
        return NUM_CODES
    from ..data.validate_parquet import require_datasets

    require_datasets()
    from ..data.folder import num_codes_of

    return num_codes_of(options.folder)


def run_stats(options: argparse.Namespace) -> int:
    """Count, print, and draw pairs if that is asked for.

    Args:
        options (`argparse.Namespace`): the command's options.

    Returns:
        `int`: 0.

    Raises:
        ValueError: if options do not fit together, or the folder cannot be read.
        OSError: if the folder or the checkpoint is not there.
        ImportError: if an extra is missing.
    """
    if options.sheets < 0:
        raise ValueError(f"--sheets is a number of pairs, at least 0, got {options.sheets}.")
    if options.sheets and options.out is None:
        raise ValueError("--sheets writes pictures; say where with --out FOLDER.")
    from ..data.stats import dataset_stats

    stats = dataset_stats(options.folder)
    text = json.dumps(stats.to_dict(), indent=2, ensure_ascii=False) + "\n"
    sys.stdout.write(text if options.json else str(stats))
    if options.out is not None:
        with replacing(options.out / "stats.json") as unfinished:
            unfinished.write_text(text, encoding="utf-8")
        count = _write_sheets(options)
        say = sys.stderr if options.json else sys.stdout  # so that the JSON stays JSON
        say.write(f"\n{options.out}: stats.json{f' and pictures of {count} pairs' if count else ''}\n")
    return 0


def _write_sheets(options: argparse.Namespace) -> int:
    if not options.sheets:
        return 0
    from ..data.stats import example_rows
    from .pair_sheet import pair_sheet

    rows = example_rows(options.folder, options.sheets)
    for i, (row, chosen, rejected) in enumerate(tqdm(_decoded(rows, options), "draw", len(rows), unit="pair")):
        words = re.sub(r"[^a-z]+", "-", f"{row['task']} {row['degree']}".casefold()).strip("-")
        save_picture(pair_sheet(row, chosen, rejected), options.out / f"{i:03d}-{words}.png")
    return len(rows)


def run_export(options: argparse.Namespace) -> int:
    """Export, and print what was written.

    Args:
        options (`argparse.Namespace`): the command's options.

    Returns:
        `int`: 0.

    Raises:
        ValueError: if the folder cannot be read or has no pairs.
        OSError: if the folder or the checkpoint is not there, or the target holds something.
        ImportError: if an extra is missing.
    """
    from ..data import PairReport
    from ..data.exporters import write_features, write_instructmotion, write_trl
    from ..data.places import check_place
    from ..data.stats import read_rows

    if options.overwrite and options.format != "trl":
        raise ValueError(f"--overwrite is for --format trl; {options.format} takes a new or an empty folder.")
    check_place(options.target)
    rows = (row for split, row in read_rows(options.folder) if options.split in (None, split))
    report = PairReport()
    if options.format == "instructmotion":
        count = write_instructmotion(options.target, rows)
    elif options.format == "trl":
        try:
            count = write_trl(options.target, rows, report=report, overwrite=options.overwrite)
        except FileExistsError as error:
            raise FileExistsError(as_options(str(error))) from error
    else:
        model = _load_model(options)

        def decode(codes: list[list[int]]) -> list[Any]:
            return [motion.to_features() for motion in model.decode_motion(codes)]

        count = write_features(options.target, rows, decode, report=report)
    left_out = "".join(f"; left out: {number:,} {cause}" for cause, number in report.left_out.items())
    sys.stdout.write(f"{options.folder} → {options.target}: {count:,} pairs{left_out}\n")
    return 0


def _load_model(options: argparse.Namespace) -> Any:
    import torch

    from ..assets import DEFAULT_MODEL
    from ..models import MotionGPTForPreference

    without_loading_bar()
    return MotionGPTForPreference.from_pretrained(options.model or DEFAULT_MODEL, dtype=torch.float32)


def _decoded(rows: list[dict[str, Any]], options: argparse.Namespace) -> Iterator[tuple[Mapping[str, Any], Any, Any]]:
    """Rows with their two motions."""
    model = _load_model(options)
    for start in range(0, len(rows), 16):
        part = rows[start : start + 16]
        motions = model.decode_motion([row[f"{name}_codes"] for row in part for name in ("chosen", "rejected")])
        yield from zip(part, motions[::2], motions[1::2], strict=True)
