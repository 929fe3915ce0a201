"""`atom-hf judge`: what happens in a motion file, and does it show what a sentence asks for?

atom-hf judge walk.bvh                                         the events that are found in it
atom-hf judge jumps.npy "a person jumps twice, then waves"     a score from 1 to 5, and why
atom-hf judge calibrate --judge vlm --model gpt-4o             how far a judge can be trusted
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..motion import Motion, load_motion
from . import judge_calibrate


def add_parser(commands: Any) -> None:
    """Add the command to `atom-hf`.

    Args:
        commands: the subparsers of `argparse`.
    """
    parser = commands.add_parser(
        "judge",
        help="find the events in a motion file, and score them against a prompt",
        description="Find the events in a motion from its joints alone, and score it against a prompt: are all "
        "actions there, in the right order, the right number of times? Offline, free, the same every time.",
        epilog=__doc__.split("\n\n", 1)[1] if __doc__ else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("source", type=Path, help="a motion file, see atom-hf convert --help")
    parser.add_argument("prompt", nargs="?", help="what the motion should show, in a sentence")
    parser.add_argument("--task", help="integrity, temporal, frequency or overall; the prompt decides without it")
    parser.set_defaults(run=run)
    _add_calibrate(parser)


def _add_calibrate(parser: argparse.ArgumentParser) -> None:
    """Let `calibrate` in the place of the file be a command of its own.

    argparse knows commands or a file in one place, not both; a file of that name is `./calibrate`.
    """
    calibrate, parse_file = judge_calibrate.make_parser(f"{parser.prog} calibrate"), parser.parse_known_args

    def parse(
        arguments: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        if arguments and arguments[0] == "calibrate":
            return calibrate.parse_known_args(arguments[1:], namespace)
        return parse_file(arguments, namespace)

    parser.parse_known_args = parse  # type: ignore[method-assign, assignment]


def run(options: argparse.Namespace) -> int:
    """Judge one file.

    Args:
        options (`argparse.Namespace`): the command's options.

    Returns:
        `int`: 0 if there is a score or none was asked for, 1 if the prompt or the motion cannot be judged.

    Raises:
        ValueError: if the file cannot be read or the task is unknown.
    """
    from ..rewards import JudgeItem, KinematicJudge

    motion = load_motion(options.source)
    if options.prompt is None:
        sys.stdout.write(_events(motion))
        return 0
    (verdict,) = KinematicJudge(options.task).score([JudgeItem(motion, options.prompt)])
    if verdict.score is None:
        sys.stderr.write(f"atom-hf judge: no score. {verdict.cause}\n")
        return 1
    raw = ", ".join(f"{name} {value:.2f}" for name, value in verdict.raw.items())
    sys.stdout.write(f"{verdict.score:.2f} of 5: {verdict.reason}\n  {raw}\n{_events(motion)}")
    return 0


def _events(motion: Motion) -> str:
    from ..events import detect_events

    lines = []
    for event in detect_events(motion.joints, motion.fps):
        words = " ".join(filter(None, (event.action, event.side, event.direction)))
        steps = f", {event.steps} steps" if event.action in ("walk", "run") else ""
        lines.append(f"  {event.start / motion.fps:5.2f} to {event.end / motion.fps:5.2f} s  {words}{steps}\n")
    return "".join(lines) or "  no events found\n"
