"""`atom-hf judge calibrate`: how far a judge can be trusted, on motions with known faults or on people's votes.

atom-hf judge calibrate                                                      the kinematic judge
atom-hf judge calibrate --items 600 --repeats 2 --orders 60 --jitter 0 0.015 0.03 0.06 --output kinematic.md
atom-hf judge calibrate --judge vlm --model gpt-4o --budget 2 --output gpt4o.md gpt4o.json
atom-hf judge calibrate --judge vlm --model Qwen/Qwen2.5-VL-7B-Instruct --base-url http://localhost:8000/v1 \\
    --layouts sheet sheet:frames=20 sheet:stride=8 views frames
atom-hf judge calibrate --votes annotations/ --task overall                  against what people chose
"""

import argparse
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..motion.formats.files import replacing
from .loading import without_loading_bar
from .vision_options import LAYOUTS, add_vision_options, read_layout, vision_judge

if TYPE_CHECKING:
    from ..rewards.calibration_report import Calibration
    from ..rewards.judge import Judge
    from ..rewards.vlm import PictureLayout

_ITEMS = 240
_SUFFIXES = (".md", ".json")


def make_parser(prog: str) -> argparse.ArgumentParser:
    """The parser of this command.

    Args:
        prog (`str`): how it is called.

    Returns:
        `argparse.ArgumentParser`: its options have `run`.
    """
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Hold a judge against synthesised motions whose scores are known, or against votes: agreement, "
        "Cohen's κ, histogram, position bias, repeatability. Says in a sentence if the judge is not to be relied on.",
        epilog=__doc__.split("\n\n", 1)[1] if __doc__ else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--judge", choices=["kinematic", "vlm"], default="kinematic", help="which judge (kinematic)")
    parser.add_argument(
        "--task", help="judge all by integrity, temporal, frequency or overall; the prompts say without"
    )
    parser.add_argument("--output", type=Path, nargs="+", default=[], metavar="FILE", help=".md or .json; or both")

    truth = parser.add_argument_group("what it is held against")
    truth.add_argument("--items", type=int, default=_ITEMS, metavar="N", help=f"synthesised motions ({_ITEMS})")
    truth.add_argument("--seed", type=int, default=0, help="the same seed makes the same motions (0)")
    truth.add_argument(
        "--jitter",
        type=float,
        nargs="+",
        default=[0.0],
        help="metres by which joints wander; several make a table (0)",
    )
    truth.add_argument("--repeats", type=int, default=1, metavar="K", help="score everything K times (1)")
    truth.add_argument("--no-compare", action="store_true", help="never show the judge two motions at once")
    truth.add_argument(
        "--pairs", type=int, default=2, metavar="N", help="pairs of a prompt to compare, in both orders (2)"
    )
    truth.add_argument(
        "--orders", type=int, default=0, metavar="N", help="score N faulty motions again, told to answer 5 (0)"
    )
    truth.add_argument("--votes", type=Path, metavar="FOLDER", help="raw annotations with votes, instead of synthesis")
    truth.add_argument(
        "--decoder", metavar="MODEL", help="checkpoint whose VQ-VAE decodes voted motions; the tiny one without it"
    )

    add_vision_options(parser).add_argument("--layouts", nargs="+", metavar="LAYOUT", help=LAYOUTS)
    parser.set_defaults(run=run)
    return parser


def run(options: argparse.Namespace) -> int:
    """Calibrate a judge.

    Args:
        options (`argparse.Namespace`): the command's options.

    Returns:
        `int`: 0, whatever the judge is worth; the report says that.

    Raises:
        ValueError: if an option is none, or votes cannot be read.
        ImportError: if the vision judge's libraries are missing.
    """
    for path in options.output:
        if path.suffix.lower() not in _SUFFIXES:
            raise ValueError(f"{path}: a report is written as {' or '.join(_SUFFIXES)}.")
    if options.judge == "kinematic" and options.layouts:
        raise ValueError("The kinematic judge looks at no pictures, so --layouts says nothing to it; try --judge vlm.")
    if options.judge == "vlm" and options.store and options.repeats > 1:
        raise ValueError("With --store every repetition would be the stored reply; leave out --store or --repeats.")
    report = _against_votes(options) if options.votes else _against_truth(options)
    texts = {".md": report.to_markdown, ".json": report.to_json}
    for path in options.output:
        with replacing(path) as temporary:
            temporary.write_text(texts[path.suffix.lower()](), encoding="utf-8")
    if not options.output:
        sys.stdout.write(report.to_markdown())
        return 0
    sys.stdout.write(f"{report.judge} → {', '.join(map(str, options.output))}\n")
    if report.warning:
        sys.stderr.write(f"{report.warning}\n")
    return 0


def _against_truth(options: argparse.Namespace) -> "Calibration":
    from ..rewards.calibration import calibrate, calibrate_layouts
    from ..rewards.calibration_items import calibration_items

    if options.judge == "vlm" and len(options.jitter) > 1:
        raise ValueError(
            "Several values of --jitter would be paid for one by one; give the vision judge one at a time."
        )
    items = calibration_items(options.items, options.seed, jitter=options.jitter[0])
    shared: dict[str, Any] = {
        "repeats": options.repeats,
        "compare": not options.no_compare,
        "pairs_per_prompt": options.pairs,
        "orders": options.orders,
        "source": f"{options.items} synthesised motions (seed {options.seed}{_noise(options.jitter[0])})",
        "seed": options.seed,
    }
    if options.judge == "kinematic":
        judge = _kinematic(options)
        found = [replace(calibrate(judge, items, **shared), jitter=options.jitter[0])]
        for jitter in options.jitter[1:]:
            items = calibration_items(options.items, options.seed, jitter=jitter)
            found.append(replace(calibrate(judge, items, **shared), jitter=jitter))
        return replace(found[0], by_jitter=tuple(found)) if len(found) > 1 else found[0]
    make, layouts = _vision(options)
    first = make(layouts[0])
    _tell_cost(options, first, [item.item for item in items], len(layouts) * options.repeats)
    with first.writing():  # between the layouts nobody else asks, either
        return calibrate_layouts(make, layouts, items, **shared)


def _noise(jitter: float) -> str:
    return f", joints wander by {1000 * jitter:g} mm" if jitter else ""


def _against_votes(options: argparse.Namespace) -> "Calibration":
    from ..rewards.calibration import calibrate_votes
    from ..rewards.calibration_items import voted_pairs

    if options.layouts and len(options.layouts) > 1:
        raise ValueError("Votes take one layout at a time; run the command once for each.")
    pairs = voted_pairs(options.votes, _decoder(options))
    if options.judge == "kinematic":
        judge: Any = _kinematic(options)
    else:
        make, layouts = _vision(options)
        judge = make(layouts[0])
        _tell_cost(options, judge, [(pair.first, pair.second) for pair in pairs], 1)
    source = f"people's votes on {len(pairs)} pairs of motions"
    return calibrate_votes(judge, pairs, compare=not options.no_compare, source=source, seed=options.seed)


def _kinematic(options: argparse.Namespace) -> "Judge":
    from ..rewards.kinematic import KinematicJudge

    return KinematicJudge(options.task)


def _vision(options: argparse.Namespace) -> tuple[Callable[["PictureLayout"], Any], list["PictureLayout"]]:
    """What makes a vision judge of a layout, and the layouts; one budget holds for all of them."""
    from ..rewards.vlm import Budget, Store

    layouts = [read_layout(word) for word in options.layouts or ["sheet"]]
    budget = None if options.budget is None else Budget(options.budget)
    store = None if options.store is None else Store(options.store)

    def make(layout: "PictureLayout") -> Any:
        return vision_judge(options, options.task, layout, budget=budget, store=store)

    return make, layouts


def _tell_cost(options: argparse.Namespace, judge: Any, items: list[Any], times: int) -> None:
    many = f", {times} times" if times > 1 else ""
    more = [] if options.no_compare or options.votes else ["comparisons of two"]
    more += ["captions with orders"] if options.orders and not options.votes else []
    top = f"; {' and '.join(more)} come on top" if more else ""
    sys.stderr.write(f"Before anything is asked: {judge.estimate(items).explanation}{many}{top}.\n")


def _decoder(options: argparse.Namespace) -> Callable[..., Any]:
    without_loading_bar()
    import torch

    from ..assets import DEFAULT_MODEL
    from ..models import MotionGPTForPreference

    model = MotionGPTForPreference.from_pretrained(options.decoder or DEFAULT_MODEL, dtype=torch.float32)
    decode: Callable[..., Any] = model.decode_motion
    return decode
