"""`atom-hf annotate`: a judge's verdicts on motions that are there already, from any generator.

atom-hf annotate generated/ --out verdicts.jsonl verdicts.parquet                     the kinematic judge
atom-hf annotate generated/ --prompts prompts.csv --column text --out verdicts.jsonl
atom-hf annotate generated/ --judge vlm --model gpt-4o --budget 5 --out gpt4o.jsonl    a vision judge
atom-hf annotate generated/ --judge vlm --model gpt-4o --dry-run                       what that would cost
atom-hf annotate outputs/motionprefer/annotations --judge vlm --batch --out by_gpt4o/  another judge's annotations

Motions come with their prompts as for atom-hf evaluate (x.txt beside x.npy, captions.csv, captions.jsonl, HumanML3D's
layout), or from --prompts: .jsonl or .csv with name and prompt, or .txt with a line for each file in order of names,
or one line for all. Annotations, as examples/build_motionprefer.py writes them, have their prompts and codes.

A vision judge's replies are kept in a store beside the first output: where its budget ends or it is stopped nothing is
written, and the same command goes on there and pays nothing twice. Motions that cannot be read or judged are written
without a score, with the cause.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .annotate_output import write_annotations, write_verdicts
from .annotate_sources import read_source
from .vision_options import LAYOUTS, add_vision_options, read_layout, vision_judge

if TYPE_CHECKING:
    from ..rewards.annotating import MakeJudge
    from ..rewards.vlm import Budget
    from .annotate_sources import Source

_FILES = (".jsonl", ".parquet")


def add_parser(commands: Any) -> None:
    """Add the command to `atom-hf`.

    Args:
        commands: the subparsers of `argparse`.
    """
    parser = commands.add_parser(
        "annotate",
        help="judge motions that are there already, with the kinematic or a vision judge",
        description="Score a folder of motions against their prompts, 1 to 5, with reasons.",
        epilog=__doc__.split("\n\n", 1)[1] if __doc__ else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("source", type=Path, metavar="FOLDER", help="of motion files, or of annotations")
    add(
        "--out", type=Path, nargs="+", default=[], metavar="FILE",
        help=".jsonl or .parquet, or both; of annotations also a new folder of annotations with these verdicts",
    )  # fmt: skip
    add("--overwrite", action="store_true", help="replace files that are there")
    add("--judge", choices=["kinematic", "vlm"], default="kinematic", help="which judge (kinematic)")
    add("--task", choices=["integrity", "temporal", "frequency", "overall"], help="of all; the prompts say without it")
    add("--prompts", type=Path, metavar="FILE", help=".jsonl, .csv or .txt with what the motions were made for")
    add("--column", default="prompt", help="of --prompts with the prompt (prompt)")
    add("--fps", type=float, help="frame rate of .npy joints that do not say (20)")
    add("--split", help="of a folder in HumanML3D's layout (test)")
    add("--decoder", metavar="MODEL", help="checkpoint whose VQ-VAE decodes annotations; that which made them")
    add("--calibration", type=Path, metavar="FILE", help="of `atom-hf judge calibrate`; its warning is told and kept")
    add("--dry-run", action="store_true", help="say what it would cost, ask nothing, write nothing")
    vision = add_vision_options(parser)
    vision.add_argument("--layout", default="sheet", help=f"of the pictures: {LAYOUTS} (sheet)")
    vision.add_argument("--votes", type=int, default=1, help="how often each is asked for; needs a temperature (1)")
    vision.add_argument("--requests-per-minute", type=float, metavar="N", help="the most")
    vision.add_argument("--tokens-per-minute", type=float, metavar="N", help="the most")
    vision.add_argument("--batch", action="store_true", help="OpenAI's Batch API: half the price, within a day")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Judge, and write the verdicts.

    Args:
        options (`argparse.Namespace`): the command's options.

    Returns:
        `int`: 0, also if some motions have no score.

    Raises:
        ValueError: if an option, the motions or their prompts are wrong, or the judge's run ended before its end.
        OSError: if something is there already, or cannot be read or written.
        ImportError: if a library is missing.
    """
    from ..rewards.annotating import JudgeStopped, annotate, by_task, verdict_record
    from ..rewards.kinematic import VERSION

    _check(options)
    pictures = options.judge == "vlm"
    layout = read_layout(options.layout).name if pictures else ""
    name = options.model if pictures else VERSION
    calibration = _calibration(options, name, layout)
    if pictures and not options.dry_run:
        # Without a key or a price, or with a number out of range, nothing is to be read.
        vision_judge(options, options.task, read_layout(options.layout), budget=_budget(options), **_more(options))
    source = read_source(options.source, options)
    if options.dry_run:
        sys.stdout.write(_dry_run(options, source))
        return 0
    make, store = _judges(options)
    if store is not None:
        sys.stderr.write(f"Before anything is asked: {_estimate(options, source, store)}.\n")
    try:
        with nullcontext() if store is None else store.writing():  # between the tasks nobody else asks, either
            if options.batch:  # all of them, before the first is waited for
                for task, _, items in by_task(source.asked, source.motions, pictures):
                    make(task).submit(items)
            verdicts = annotate(make, source.asked, source.motions, pictures=pictures)
    except JudgeStopped as stop:
        advice = f"Nothing is written; {store.path if store else ''} keeps the answers. The same command goes on there"
        raise JudgeStopped(stop.cause, f"{advice}, with a larger --budget if that was it.") from None
    facts = {"judge": name, "calibration": calibration, "layout": layout}
    made_with = {key: value for key, value in facts.items() if value}
    records = [row | verdict_record(verdict) for row, verdict in zip(source.rows, verdicts, strict=True)]
    records = source.with_left_out(records)
    for path in options.out:
        if path.suffix:
            write_verdicts(path, records, made_with)
        elif source.annotations is not None:
            write_annotations(path, source.annotations, source.pieces, records, made_with)
    _tell(options, records, make(None).spent.explanation if store is not None else "")
    if store is not None:
        store.close()
    return 0


def _check(options: argparse.Namespace) -> None:
    if not options.out and not options.dry_run:
        raise ValueError("Say where the verdicts go, such as --out verdicts.jsonl; or --dry-run for the cost alone.")
    if options.batch and options.judge != "vlm":
        raise ValueError("--batch is for --judge vlm; the kinematic judge is free and at once.")
    for path in options.out:
        if path.suffix and path.suffix.lower() not in _FILES:
            raise ValueError(f"{path}: verdicts are written as {' or '.join(_FILES)}, or into a folder.")
        if path.exists() and not options.overwrite:
            raise FileExistsError(f"{path} is there already. Choose another --out, or give --overwrite to replace it.")
        if path.is_dir() and (path.suffix or path.resolve() == options.source.resolve()):
            raise ValueError(f"{path}: expected a place for verdicts apart from {options.source}; choose another one.")
    if len({path.resolve() for path in options.out}) < len(options.out):
        raise ValueError("--out has the same place twice; leave one out.")


def _calibration(options: argparse.Namespace, name: str, layout: str) -> str:
    if options.calibration is None:
        return ""
    from ..rewards.calibration_words import calibration_words

    words = calibration_words(options.calibration, name, layout)
    sys.stderr.write(f"Calibration: {words}\n")
    return words


def _store_path(options: argparse.Namespace) -> Path | None:
    if options.store is not None or not options.out:
        store: Path | None = options.store
        return store
    first = options.out[0]
    return Path(first.with_name(f"{first.name}.judge.sqlite"))


def _more(options: argparse.Namespace) -> dict[str, Any]:
    names = ("votes", "requests_per_minute", "tokens_per_minute")
    return {name: getattr(options, name) for name in names}


def _judges(options: argparse.Namespace) -> "tuple[MakeJudge, Any]":
    """What gives the judge of a task, and the store of a vision judge."""
    if options.judge == "kinematic":
        from ..rewards import KinematicJudge

        return KinematicJudge, None
    from ..rewards.vlm import Store

    path = _store_path(options)
    store = Store(path) if path is not None else None
    budget = _budget(options)
    made: dict[str | None, Any] = {}

    def make(task: str | None) -> Any:
        if task not in made:
            layout = read_layout(options.layout)
            made[task] = vision_judge(options, task, layout, budget=budget, store=store, **_more(options))
            if options.batch:
                made[task] = _Batch(made[task])
        return made[task]

    return make, store


def _budget(options: argparse.Namespace) -> "Budget | None":
    from ..rewards.vlm import Budget

    return None if options.budget is None else Budget(options.budget)


class _Batch:
    """A judge by batches, which can tell what was spent."""

    def __init__(self, judge: Any) -> None:
        from ..rewards.vlm.batch import BatchJudge

        self.name, self._judge, self._batches = judge.name, judge, BatchJudge(judge)

    def submit(self, items: Sequence[Any]) -> None:
        self._or_stop(self._batches.submit, items)

    def score(self, items: Sequence[Any]) -> Any:
        return self._or_stop(self._batches.score, items)

    def _or_stop(self, work: Callable[[Sequence[Any]], Any], items: Sequence[Any]) -> Any:
        from ..rewards.annotating import JudgeStopped

        try:
            return work(items)
        except RuntimeError as error:  # it could not be submitted
            raise JudgeStopped(str(error)) from None

    @property
    def stopped(self) -> str | None:
        return self._batches.stopped

    @property
    def spent(self) -> Any:
        return self._judge.spent


def _estimate(options: argparse.Namespace, source: "Source", store: Any) -> str:
    from ..rewards.annotating import estimate_words

    layout = read_layout(options.layout)

    def make(task: str | None) -> Any:
        known = store if store is not None and store.totals.requests else None
        return vision_judge(options, task, layout, store=known, dry_run=True, votes=options.votes)

    return estimate_words(make, source.asked, source.motions)


def _dry_run(options: argparse.Namespace, source: "Source") -> str:
    found = f"{len(source.asked)} motions" + (f", {len(source.left_out)} left out" if source.left_out else "")
    if options.judge == "kinematic":
        return f"{found}; the kinematic judge costs nothing.\n"
    from ..rewards.vlm import Store

    path = _store_path(options)
    store = Store(path) if path is not None and path.is_file() else None
    return f"{found}: {_estimate(options, source, store)}.\n"


def _tell(options: argparse.Namespace, records: Sequence[dict[str, Any]], spent: str) -> None:
    scores = [record["score"] for record in records if record["score"] is not None]
    causes = Counter(str(record["cause"]).partition(":")[0] for record in records if record["score"] is None)
    words = f"{len(scores)} of {len(records)} motions have a score"
    words += f", {sum(scores) / len(scores):.2f} of 5 on average" if scores else ""
    for cause, count in causes.most_common(5):
        words += f"\n  {count} without: {json.dumps(cause[:100], ensure_ascii=False)[1:-1]}"
    words += f"\n  {spent}" if spent else ""
    sys.stdout.write(f"{options.source} → {', '.join(map(str, options.out))}: {words}\n")
