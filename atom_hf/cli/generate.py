"""`atom-hf generate`: sentences in, motions out, as videos, pictures or motion files.

atom-hf generate "a person walks forward, then jumps twice" -o out.mp4
atom-hf generate "a person jumps twice" -o jump.html                     to play and turn in a browser
atom-hf generate "a person waves" -o wave.glb --samples 4 --seed 7       wave_0.glb … wave_3.glb
atom-hf generate --prompts prompts.txt -o outputs/motion.npy --model OpenMotionLab/MotionGPT-base
"""

import argparse
import sys
from pathlib import Path
from typing import Any

from ..motion import Motion
from ..motion.formats.files import read_text, split_lines
from .loading import without_loading_bar
from .render import PICTURES, VIDEOS, save_picture

_FILES = (".glb", ".bvh", ".html", ".npz", ".npy")


def add_parser(commands: Any) -> None:
    """Add the command to `atom-hf`.

    Args:
        commands: the subparsers of `argparse`.
    """
    parser = commands.add_parser(
        "generate",
        help="make motions for sentences",
        description="Generate motions for sentences. What is written depends on the suffix: "
        f"{', '.join((*VIDEOS, *PICTURES, *_FILES))}. The model that comes with the package "
        "is tiny: it knows the actions of the package's grammar, and makes mistakes.",
        epilog=__doc__.split("\n\n", 1)[1] if __doc__ else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("prompt", nargs="*", help="what the person does, in a sentence")
    parser.add_argument("--prompts", type=Path, metavar="FILE", help="sentences from a text file, one a line")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, help="file to write; numbered where there are several motions"
    )
    parser.add_argument(
        "--model",
        help="checkpoint: a folder or a Hub repository; the tiny one of the package without it. Originals go through "
        "atom-hf convert-checkpoint first",
    )
    parser.add_argument("--samples", type=int, default=1, help="motions for each sentence (1)")
    parser.add_argument(
        "--seed", type=int, help="the same seed makes the same motions; another one each time without it"
    )
    parser.add_argument(
        "--temperature", type=float, help="lower is safer, 0 always takes the likeliest; the checkpoint says"
    )
    parser.add_argument("--top-k", type=int, help="choose among the k likeliest codes, 0 for all; the checkpoint says")
    parser.add_argument(
        "--top-p", type=float, help="choose among the likeliest codes of this share; the checkpoint says"
    )
    parser.add_argument("--max-frames", type=int, default=196, help="longest motion, at 20 frames a second (196)")
    parser.add_argument("--batch-size", type=int, default=32, help="motions at once (32)")
    parser.add_argument("--device", help="such as cuda or cpu; what there is without it")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Generate, and print what was written.

    Args:
        options (`argparse.Namespace`): the command's options.

    Returns:
        `int`: 0.

    Raises:
        ValueError: if there is no sentence, or a suffix or an option does not fit.
        OSError: if the checkpoint is not there.
        ImportError: if torch and transformers are not installed.
    """
    prompts = [*options.prompt, *(_read_prompts(options.prompts) if options.prompts else ())]
    if not prompts:
        raise ValueError(
            'Expected a sentence, such as atom-hf generate "a person jumps twice" -o out.mp4, or --prompts FILE.'
        )
    suffix = options.output.suffix.lower()
    known = (*VIDEOS, *PICTURES, *_FILES)
    if suffix not in known:
        raise ValueError(
            f"{options.output}: expected a file ending in {', '.join(known)}, got {suffix or 'no suffix'!r}."
        )
    import torch

    from ..assets import DEFAULT_MODEL
    from ..models import MotionGPTForPreference

    device = options.device or ("cuda" if torch.cuda.is_available() else "cpu")
    without_loading_bar()
    model = MotionGPTForPreference.from_pretrained(options.model or DEFAULT_MODEL, dtype=torch.float32).to(device)
    motions = model.generate_motion(
        prompts,
        num_return_sequences=options.samples,
        temperature=options.temperature,
        top_k=options.top_k,
        top_p=options.top_p,
        seed=options.seed,
        batch_size=options.batch_size,
        max_frames=options.max_frames,
    )
    options.output.parent.mkdir(parents=True, exist_ok=True)
    digits = len(str(len(motions) - 1))
    for i, motion in enumerate(motions):
        target = options.output
        if len(motions) > 1:
            target = target.with_stem(f"{target.stem}_{i:0{digits}d}")
        _write(motion, target)
        sys.stdout.write(f"{motion.text} → {target}: {motion.duration:.2f} s\n")
    return 0


def _read_prompts(path: Path) -> list[str]:
    return [line.strip() for line in split_lines(read_text(path)) if line.strip()]


def _write(motion: Motion, target: Path) -> None:
    suffix = target.suffix.lower()
    if suffix == ".html":
        from ..evaluation.event_track import event_track, scenario_of
        from ..render.export import export_motion

        export_motion(motion, target, events=event_track(motion, scenario_of(motion.text)))
    elif suffix in _FILES:
        motion.save(target)
    elif suffix in VIDEOS:
        from ..render.video import render_video

        render_video(motion, target, caption=motion.text)
    else:
        from ..render.sheet import render_sheet

        save_picture(render_sheet(motion, caption=motion.text), target)
